/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every test runs three times: without tags, with one, and with two.
 */
#include <errno.h>

#include "shared.h"
#include "sums.h"
#include "support.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned ntags;

/* Who there is: the NIC, clients inside, and hosts outside. */
static const struct vnet_mac nic = {{0x52, 0x54, 0, 0x12, 0x34, 0x56}};
static const struct vnet_mac a = {{2, 0, 0, 0, 0, 0xa}};
static const struct vnet_mac b = {{2, 0, 0, 0, 0, 0xb}};
static const struct vnet_mac far = {{0x0a, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa}};
static const struct vnet_mac other = {{0x0a, 1, 2, 3, 4, 5}};
static const struct vnet_mac all = {{255, 255, 255, 255, 255, 255}};
static const struct vnet_mac group = {{0x33, 0x33, 0, 0, 0, 1}};
static const struct vnet_mac nobody;

/* IP addresses, each of 16 octets of which IPv4 takes the last 4. */
struct ip {
	uint8_t octet[16];
};

#define IP(x)                                                                 \
	{                                                                     \
		{                                                             \
			0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 192, 168, 7, \
				x                                             \
		}                                                             \
	}

static const struct ip ip_a = IP(10);
static const struct ip ip_b = IP(11);
static const struct ip ip_c = IP(12);
static const struct ip ip_far = IP(1);
static const struct ip ip_none;
static const struct ip ip_all = {
	{0xff, 2, [12] = 255, 255, 255, 255},
};

/* A frame that is being made, or was. */
struct made {
	uint8_t octet[2048];
	uint32_t len;
	uint32_t net; /* behind the EtherType */
};

static void
put(struct made *f, const void *p, size_t n)
{
	memcpy(f->octet + f->len, p, n);
	f->len += (uint32_t)n;
}

static void
put8(struct made *f, unsigned v)
{
	f->octet[f->len++] = (uint8_t)v;
}

static void
put16(struct made *f, unsigned v)
{
	put8(f, v >> 8);
	put8(f, v & 0xff);
}

static void
set16(struct made *f, uint32_t at, unsigned v)
{
	f->octet[at] = (uint8_t)(v >> 8);
	f->octet[at + 1] = (uint8_t)v;
}

static void
put_zeros(struct made *f, size_t n)
{
	memset(f->octet + f->len, 0, n);
	f->len += (uint32_t)n;
}

static void
begin(struct made *f, const struct vnet_mac *dst, const struct vnet_mac *src,
      unsigned type)
{
	f->len = 0;
	put(f, dst, 6);
	put(f, src, 6);
	if (ntags == 2)
		put(f, "\x88\xa8\x20\x07", 4);
	if (ntags)
		put(f, "\x81\x00\xe0\x09", 4);
	put16(f, type);
	f->net = f->len;
}

static void
make_arp(struct made *f, const struct vnet_mac *dst, const struct vnet_mac *src,
	 unsigned op, const struct vnet_mac *sha, const struct ip *spa,
	 const struct vnet_mac *tha, const struct ip *tpa)
{
	begin(f, dst, src, 0x0806);
	put(f, "\x00\x01\x08\x00\x06\x04", 6);
	put16(f, op);
	put(f, sha, 6);
	put(f, spa->octet + 12, 4);
	put(f, tha, 6);
	put(f, tpa->octet + 12, 4);
	/* Padding, as on a wire. */
	while (f->len < 60)
		put8(f, 0xee);
}

/* Begin an IPv4 packet of @proto; finish_ipv4() ends it. */
static void
begin_ipv4(struct made *f, const struct vnet_mac *dst,
	   const struct vnet_mac *src, const struct ip *from,
	   const struct ip *to, unsigned proto)
{
	begin(f, dst, src, 0x0800);
	/* With an option: the header is 24 octets long. */
	put(f, "\x46\x00\x00\x00\x12\x34\x00\x00\x40", 9);
	put8(f, proto);
	put16(f, 0);
	put(f, from->octet + 12, 4);
	put(f, to->octet + 12, 4);
	put(f, "\x01\x01\x01\x00", 4);
}

static void
finish_ipv4(struct made *f)
{
	set16(f, f->net + 2, f->len - f->net);
	sums_set(f->octet, f->len);
}

static void
begin_ipv6(struct made *f, const struct vnet_mac *dst,
	   const struct vnet_mac *src, const struct ip *from,
	   const struct ip *to, unsigned next)
{
	begin(f, dst, src, 0x86dd);
	put(f, "\x60\x00\x00\x00\x00\x00", 6);
	put8(f, next);
	put8(f, 255);
	put(f, from, 16);
	put(f, to, 16);
}

static void
finish_ipv6(struct made *f)
{
	set16(f, f->net + 4, f->len - f->net - 40);
	sums_set(f->octet, f->len);
}

/* A packet of no particular content, of IPv4 or IPv6. */
static void
make_packet(struct made *f, bool is_ipv6, const struct vnet_mac *dst,
	    const struct vnet_mac *src, const struct ip *from,
	    const struct ip *to)
{
	if (is_ipv6) {
		begin_ipv6(f, dst, src, from, to, 6);
		put_zeros(f, 20);
		finish_ipv6(f);
	} else {
		begin_ipv4(f, dst, src, from, to, 6);
		put_zeros(f, 20);
		finish_ipv4(f);
	}
}

/* An option of ND; of a link-layer address unless @type says another. */
static void
put_option(struct made *f, unsigned type, const struct vnet_mac *mac)
{
	put8(f, type);
	put8(f, 1);
	put(f, mac, 6);
}

/* Octets in front of the options. */
static unsigned
nd_len(unsigned type)
{
	return type == 133 ? 8 : type == 134 ? 16 : type == 137 ? 40 : 24;
}

/* Begin an ND message behind what is there; options follow. */
static void
put_nd(struct made *f, unsigned type, const struct ip *target)
{
	put8(f, type);
	put8(f, 0);
	put_zeros(f, 6);
	if (nd_len(type) >= 24)
		put(f, target, 16);
	else
		put_zeros(f, nd_len(type) - 8);
	if (nd_len(type) == 40)
		put(f, &ip_far, 16);
}

static void
make_nd(struct made *f, const struct vnet_mac *src, const struct ip *from,
	unsigned type, const struct ip *target, unsigned option,
	const struct vnet_mac *mac)
{
	begin_ipv6(f, &group, src, from, &ip_all, 58);
	put_nd(f, type, target);
	if (option)
		put_option(f, option, mac);
	finish_ipv6(f);
}

#define BOOTP_REQUEST 1
#define BOOTP_REPLY   2
#define DHCP_DISCOVER 1
#define DHCP_OFFER    2
#define DHCP_REQUEST  3
#define DHCP_ACK      5
#define DHCP_NAK      6

/* Offsets from the network header. */
#define BOOTP_AT        (24 + 8)
#define BOOTP_FLAGS_AT  (BOOTP_AT + 10)
#define BOOTP_GIADDR_AT (BOOTP_AT + 24)
#define BOOTP_CHADDR_AT (BOOTP_AT + 28)
#define UDP_SUM_AT      (24 + 6)

static void
make_dhcp(struct made *f, const struct vnet_mac *dst,
	  const struct vnet_mac *src, const struct ip *from,
	  const struct ip *to, unsigned op, unsigned xid,
	  const struct vnet_mac *chaddr, const struct ip *yiaddr, unsigned type)
{
	bool is_reply = op == BOOTP_REPLY;
	uint32_t udp;

	begin_ipv4(f, dst, src, from, to, 17);
	udp = f->len;
	put16(f, is_reply ? 67 : 68);
	put16(f, is_reply ? 68 : 67);
	put_zeros(f, 4);
	put8(f, op);
	put(f, "\x01\x06\x00", 3);
	put_zeros(f, 2);
	put16(f, xid);
	put_zeros(f, 4 + 4); /* secs, flags, ciaddr */
	put(f, yiaddr->octet + 12, 4);
	put_zeros(f, 8); /* siaddr, giaddr */
	put(f, chaddr, 6);
	put_zeros(f, 10 + 64 + 128);
	put(f, "\x63\x82\x53\x63", 4);
	/* Padding, and another option in front. */
	put(f, "\x00\x0c\x02\x68\x69\x35\x01", 7);
	put8(f, type);
	put8(f, 255);
	set16(f, udp + 4, f->len - udp);
	finish_ipv4(f);
}

static void
make_request(struct made *f, const struct vnet_mac *client, unsigned xid,
	     unsigned type)
{
	make_dhcp(f, &all, client, &ip_none, &ip_all, BOOTP_REQUEST, xid,
		  client, &ip_none, type);
}

/* To the NIC, as to a client that does not ask for a broadcast. */
static void
make_reply(struct made *f, const struct vnet_mac *client, unsigned xid,
	   const struct ip *ip, unsigned type)
{
	make_dhcp(f, &nic, &far, &ip_far, ip, BOOTP_REPLY, xid, client, ip,
		  type);
}

/* What a test has. */
struct fixture {
	struct test_alloc alloc;
	struct vnet_shared *s;
	vnet_nsec now;
};

static struct vnet_shared_config
config_of(struct fixture *x)
{
	return (struct vnet_shared_config){
		.size = sizeof(struct vnet_shared_config),
		.alloc = &x->alloc.alloc,
		.nic = nic,
	};
}

static int
set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct vnet_shared_config config;

	assert_non_null(x);
	test_alloc_init(&x->alloc);
	config = config_of(x);
	config.max_clients = 4;
	config.max_addrs = 3;
	assert_int_equal(vnet_shared_create(&x->s, &config, NULL), 0);
	x->now = SECONDS(1000);
	*state = x;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *x = *state;

	assert_true(vnet_shared_check(x->s));
	vnet_shared_destroy(x->s);
	assert_int_equal(x->alloc.blocks, 0);
	free(x);
	return 0;
}

/* Both ways, in memory of exactly the frame's size. */
static enum vnet_shared_verdict
pass(struct fixture *x, struct made *f, bool is_out)
{
	uint8_t *octets = malloc(f->len ? f->len : 1);
	enum vnet_shared_verdict v;

	assert_non_null(octets);
	memcpy(octets, f->octet, f->len);
	v = is_out ? vnet_shared_out(x->s, octets, f->len, x->now)
		   : vnet_shared_in(x->s, octets, f->len, x->now);
	memcpy(f->octet, octets, f->len);
	free(octets);
	assert_true(vnet_shared_check(x->s));
	return v;
}

static void
out(struct fixture *x, struct made *f)
{
	assert_int_equal(pass(x, f, true), VNET_SHARED_PASS);
	assert_memory_equal(f->octet + 6, &nic, 6);
	assert_int_not_equal(sums_check(f->octet, f->len), SUMS_WRONG);
}

/* Nothing but the source is to change. */
static void
assert_out_is_left_alone(struct fixture *x, const struct made *f)
{
	struct made g = *f, want = *f;

	memcpy(want.octet + 6, &nic, 6);
	assert_int_equal(pass(x, &g, true), VNET_SHARED_PASS);
	assert_memory_equal(g.octet, want.octet, f->len);
}

/* It is not passed on, and stays as it was. */
static void
assert_in_is_dropped(struct fixture *x, const struct made *f,
		     enum vnet_shared_verdict why)
{
	struct made g = *f;

	assert_int_equal(pass(x, &g, false), why);
	assert_memory_equal(g.octet, f->octet, f->len);
}

/* It goes to that client, and nothing but the destination changes. */
static void
assert_in_goes_to(struct fixture *x, const struct made *f,
		  const struct vnet_mac *client)
{
	struct made g = *f, want = *f;

	memcpy(want.octet, client, 6);
	assert_int_equal(pass(x, &g, false), VNET_SHARED_PASS);
	assert_memory_equal(g.octet, want.octet, f->len);
}

/* A client sends a packet from an address. */
static void
use(struct fixture *x, bool is_ipv6, const struct vnet_mac *client,
    const struct ip *ip)
{
	struct made f;

	make_packet(&f, is_ipv6, &far, client, ip, &ip_far);
	out(x, &f);
}

/* A client announces an address, by ARP or ND. */
static void
announce(struct fixture *x, bool is_ipv6, const struct vnet_mac *client,
	 const struct ip *ip)
{
	struct made f;

	if (is_ipv6)
		make_nd(&f, client, ip, 136, ip, 2, client);
	else
		make_arp(&f, &all, client, 1, client, ip, &nobody, ip);
	out(x, &f);
}

/* Is a packet for that address delivered to that client, NULL for nobody? */
static void
assert_holder(struct fixture *x, bool is_ipv6, const struct ip *ip,
	      const struct vnet_mac *client)
{
	struct made f;

	make_packet(&f, is_ipv6, &nic, &far, &ip_far, ip);
	if (client)
		assert_in_goes_to(x, &f, client);
	else
		assert_in_is_dropped(x, &f, VNET_SHARED_UNKNOWN);
}

static void
test_source_of_any_frame_becomes_the_nics(void **state)
{
	static const uint16_t types[] = {0x88cc, 0x0026, 0x8035, 0x888e,
					 0xffff};
	struct made f;

	for (size_t i = 0; i < COUNT(types); i++) {
		begin(&f, &far, &a, types[i]);
		put(&f, &a, 6);
		put_zeros(&f, 40);
		assert_out_is_left_alone(*state, &f);
	}
	begin(&f, &far, &a, 0x0800);
	f.len = 14;
	assert_out_is_left_alone(*state, &f);
	/* From nobody, from a group, and without a header. */
	begin(&f, &far, &group, 0x0800);
	assert_int_equal(pass(*state, &f, true), VNET_SHARED_MALFORMED);
	begin(&f, &far, &nobody, 0x0800);
	assert_int_equal(pass(*state, &f, true), VNET_SHARED_MALFORMED);
	begin(&f, &far, &a, 0x0800);
	for (f.len = 0; f.len < 14; f.len++)
		assert_int_equal(pass(*state, &f, true), VNET_SHARED_MALFORMED);
}

/* Three tags are more than anybody looks behind. */
static void
test_third_tag_hides_what_is_behind(void **state)
{
	struct made f;

	begin(&f, &all, &a, 0x8100);
	put16(&f, 5);
	for (unsigned n = ntags + 1; n < 3; n++) {
		put16(&f, 0x8100);
		put16(&f, 5);
	}
	put(&f, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
	put(&f, &a, 6);
	put_zeros(&f, 40);
	assert_out_is_left_alone(*state, &f);
	memcpy(f.octet, &nic, 6);
	memcpy(f.octet + 6, &far, 6);
	assert_in_is_dropped(*state, &f, VNET_SHARED_NO_ADDRESS);
}

static void
test_sender_of_arp_becomes_the_nic(void **state)
{
	static const struct {
		unsigned op;
		const struct ip *spa;
		const struct vnet_mac *tha;
		const struct ip *tpa;
		const struct vnet_mac *tha_out;
	} cases[] = {
		{1, &ip_a, &nobody, &ip_far, &nobody}, /* request */
		{2, &ip_a, &far, &ip_far, &far},       /* reply */
		{1, &ip_a, &nobody, &ip_a, &nobody},   /* announcement */
		{1, &ip_a, &all, &ip_a, &all},         /* other forms of it */
		{2, &ip_a, &a, &ip_a, &nic},
		{1, &ip_none, &nobody, &ip_a, &nobody}, /* probe */
		{9, &ip_a, &far, &ip_far, &far},        /* no one knows */
	};
	struct made f, want;

	for (size_t i = 0; i < COUNT(cases); i++) {
		make_arp(&f, &all, &a, cases[i].op, &a, cases[i].spa,
			 cases[i].tha, cases[i].tpa);
		make_arp(&want, &all, &nic, cases[i].op, &nic, cases[i].spa,
			 cases[i].tha_out, cases[i].tpa);
		out(*state, &f);
		assert_memory_equal(f.octet, want.octet, want.len);
	}
	assert_holder(*state, false, &ip_a, &a);
}

static void
test_probe_claims_nothing(void **state)
{
	struct made f;

	make_arp(&f, &all, &a, 1, &a, &ip_none, &nobody, &ip_a);
	out(*state, &f);
	assert_holder(*state, false, &ip_a, NULL);
	assert_holder(*state, false, &ip_none, NULL);
}

static void
test_who_speaks_for_another_is_not_believed(void **state)
{
	struct made f;

	make_arp(&f, &all, &a, 1, &b, &ip_b, &nobody, &ip_b);
	out(*state, &f);
	assert_memory_equal(f.octet + f.net + 8, &nic, 6);
	assert_holder(*state, false, &ip_b, NULL);
}

static void
test_arp_of_another_kind_is_left_alone(void **state)
{
	static const uint32_t at[] = {0, 1, 2, 3, 4, 5};
	struct made f;

	for (size_t i = 0; i < COUNT(at); i++) {
		make_arp(&f, &all, &a, 1, &a, &ip_a, &nobody, &ip_far);
		f.octet[f.net + at[i]] ^= 2;
		assert_out_is_left_alone(*state, &f);
	}
	make_arp(&f, &all, &a, 1, &a, &ip_a, &nobody, &ip_far);
	for (f.len = 14; f.len < f.net + 28; f.len++)
		assert_out_is_left_alone(*state, &f);
	assert_holder(*state, false, &ip_a, NULL);
}

/* The messages that tell a link-layer address, and in which option. */
static const struct {
	unsigned type;
	unsigned option;
} tellers[] = {{133, 1}, {134, 1}, {135, 1}, {136, 2}, {137, 2}};

static void
test_nd_tells_the_nics_address(void **state)
{
	struct made f, want;

	for (size_t i = 0; i < COUNT(tellers); i++) {
		make_nd(&f, &a, &ip_a, tellers[i].type, &ip_a,
			tellers[i].option, &a);
		make_nd(&want, &nic, &ip_a, tellers[i].type, &ip_a,
			tellers[i].option, &nic);
		out(*state, &f);
		assert_memory_equal(f.octet, want.octet, want.len);
		assert_int_equal(sums_check(f.octet, f.len), SUMS_RIGHT);
	}
	assert_holder(*state, true, &ip_a, &a);
}

static void
test_other_options_of_nd_are_left_alone(void **state)
{
	struct made f, want;

	for (size_t i = 0; i < COUNT(tellers); i++) {
		/* Those of the other kind, and one of two lengths. */
		for (int last = 0; last < 2; last++) {
			struct made *p = last ? &want : &f;

			begin_ipv6(p, &group, last ? &nic : &a, &ip_a, &ip_all,
				   58);
			put_nd(p, tellers[i].type, &ip_a);
			put_option(p, 3 - tellers[i].option, &a);
			put(p, "\x0e\x02", 2);
			put_zeros(p, 14);
			put_option(p, tellers[i].option, last ? &nic : &a);
			put_option(p, 5, &a);
			finish_ipv6(p);
		}
		out(*state, &f);
		assert_memory_equal(f.octet, want.octet, want.len);
	}
	for (size_t i = 0; i < COUNT(tellers); i++) {
		/* None; and one of the other kind alone. */
		make_nd(&f, &a, &ip_a, tellers[i].type, &ip_a, 0, NULL);
		assert_out_is_left_alone(*state, &f);
		make_nd(&f, &a, &ip_a, tellers[i].type, &ip_a,
			3 - tellers[i].option, &a);
		assert_out_is_left_alone(*state, &f);
	}
}

/* RFC 4861, 6.1 and 7.1: what receivers do not look at. */
static void
test_what_is_not_nd_is_left_alone(void **state)
{
	struct made f;

	make_nd(&f, &a, &ip_a, 135, &ip_far, 1, &a);
	f.octet[f.net + 7] = 254; /* hop limit */
	assert_out_is_left_alone(*state, &f);
	make_nd(&f, &a, &ip_a, 135, &ip_far, 1, &a);
	f.octet[f.net + 41] = 1; /* code */
	assert_out_is_left_alone(*state, &f);
	make_nd(&f, &a, &ip_a, 128, &ip_far, 1, &a); /* echo */
	assert_out_is_left_alone(*state, &f);
	make_nd(&f, &a, &ip_a, 138, &ip_far, 1, &a);
	assert_out_is_left_alone(*state, &f);
	make_nd(&f, &a, &ip_a, 135, &ip_far, 1, &a);
	f.octet[f.net + 40 + 24 + 1] = 0; /* an option without length */
	assert_out_is_left_alone(*state, &f);
	make_nd(&f, &a, &ip_a, 135, &ip_far, 1, &a);
	f.octet[f.net + 40 + 24 + 1] = 2; /* and one too long */
	assert_out_is_left_alone(*state, &f);
	make_nd(&f, &a, &ip_a, 135, &ip_far, 1, &a);
	f.octet[f.net + 6] = 17; /* UDP */
	assert_out_is_left_alone(*state, &f);
	make_nd(&f, &a, &ip_a, 135, &ip_far, 1, &a);
	f.octet[f.net] = 0x50; /* version */
	assert_out_is_left_alone(*state, &f);
	/* The option is behind the end that the header states. */
	make_nd(&f, &a, &ip_a, 135, &ip_far, 1, &a);
	set16(&f, f.net + 4, 24);
	assert_out_is_left_alone(*state, &f);
}

static void
test_redirect_to_a_client_becomes_one_to_the_nic(void **state)
{
	struct fixture *x = *state;
	struct made f, want;

	/* To somebody outside: that one's address is right. */
	make_nd(&f, &a, &ip_a, 137, &ip_far, 2, &far);
	assert_out_is_left_alone(*state, &f);
	make_nd(&f, &a, &ip_a, 137, &ip_b, 2, &b);
	assert_out_is_left_alone(*state, &f); /* not known to be inside */
	announce(*state, true, &b, &ip_b);
	out(*state, &f);
	make_nd(&want, &nic, &ip_a, 137, &ip_b, 2, &nic);
	assert_memory_equal(f.octet, want.octet, want.len);
	/* It is nothing that says who has the address. */
	make_nd(&f, &a, &ip_a, 137, &ip_c, 2, &a);
	out(*state, &f);
	assert_holder(*state, true, &ip_c, NULL);
	x->now += SECONDS(60);
	make_nd(&f, &b, &ip_a, 137, &ip_c, 2, &b);
	out(*state, &f);
	assert_holder(*state, true, &ip_a, &a);
	/* To a client that is not known, by itself. */
	make_nd(&f, &other, &ip_none, 137, &ip_c, 2, &other);
	make_nd(&want, &nic, &ip_none, 137, &ip_c, 2, &nic);
	out(*state, &f);
	assert_memory_equal(f.octet, want.octet, want.len);
}

/* Carries that come from carries. */
static void
test_checksum_of_nd_is_right_whatever_is_in_it(void **state)
{
	struct made f, want;
	struct ip ip = ip_far;

	for (unsigned i = 0; i < 65536; i++) {
		ip.octet[14] = (uint8_t)(i >> 8);
		ip.octet[15] = (uint8_t)i;
		make_nd(&f, &far, &ip_a, 135, &ip, 1, &far);
		make_nd(&want, &nic, &ip_a, 135, &ip, 1, &nic);
		assert_int_equal(vnet_shared_out(((struct fixture *)*state)->s,
						 f.octet, f.len, 0),
				 VNET_SHARED_PASS);
		assert_memory_equal(f.octet, want.octet, want.len);
	}
}

/* Extension headers: type, and how many octets it has. */
static void
put_extension(struct made *f, unsigned type, unsigned next, unsigned len)
{
	put8(f, next);
	put8(f, type == 44 ? 0 : type == 51 ? len / 4 - 2 : len / 8 - 1);
	put_zeros(f, len - 2);
}

static void
test_nd_behind_extension_headers(void **state)
{
	static const struct {
		unsigned type;
		unsigned len;
	} exts[] = {{0, 8},   {0, 24}, {43, 24}, {60, 544}, {51, 12},
		    {51, 16}, {44, 8}, {135, 8}, {139, 16}, {140, 8}};
	struct made f;

	for (size_t i = 0; i < COUNT(exts); i++) {
		uint32_t nd;

		begin_ipv6(&f, &group, &a, &ip_a, &ip_all, exts[i].type);
		put_extension(&f, exts[i].type, 60, exts[i].len);
		put_extension(&f, 60, 58, 16);
		nd = f.len;
		put_nd(&f, 135, &ip_far);
		put_option(&f, 1, &a);
		finish_ipv6(&f);
		out(*state, &f);
		assert_memory_equal(f.octet + nd + 26, &nic, 6);
		/* Those whose checksum is found by the test. */
		if (exts[i].type == 0)
			assert_int_equal(sums_check(f.octet, f.len),
					 SUMS_RIGHT);
	}
	/* More of them than anybody sends. */
	begin_ipv6(&f, &group, &a, &ip_a, &ip_all, 60);
	for (int i = 0; i < 8; i++)
		put_extension(&f, 60, 60, 8);
	put_extension(&f, 60, 58, 8);
	put_nd(&f, 135, &ip_far);
	put_option(&f, 1, &a);
	finish_ipv6(&f);
	assert_out_is_left_alone(*state, &f);
	/* One that is longer than the packet. */
	begin_ipv6(&f, &group, &a, &ip_a, &ip_all, 60);
	put_extension(&f, 60, 58, 8);
	f.octet[f.net + 41] = 255;
	put_nd(&f, 135, &ip_far);
	put_option(&f, 1, &a);
	finish_ipv6(&f);
	assert_out_is_left_alone(*state, &f);
}

static void
test_first_fragment_is_rewritten_others_are_not(void **state)
{
	struct made f;

	for (unsigned offset = 0; offset < 3; offset++) {
		begin_ipv6(&f, &group, &a, &ip_a, &ip_all, 44);
		put8(&f, 58);
		put8(&f, 0);
		put16(&f, offset << 3 | 1);
		put_zeros(&f, 4);
		put_nd(&f, 135, &ip_far);
		put_option(&f, 1, &a);
		finish_ipv6(&f);
		if (offset) {
			assert_out_is_left_alone(*state, &f);
			continue;
		}
		out(*state, &f);
		assert_memory_equal(f.octet + f.net + 48 + 26, &nic, 6);
	}
	for (unsigned offset = 0; offset < 3; offset++) {
		make_request(&f, &a, 1, DHCP_DISCOVER);
		set16(&f, f.net + 6, 0x2000 | offset);
		if (offset) {
			assert_out_is_left_alone(*state, &f);
			continue;
		}
		out(*state, &f);
		assert_int_equal(f.octet[f.net + BOOTP_FLAGS_AT], 0x80);
	}
}

static void
test_dhcp_requests_ask_for_a_broadcast(void **state)
{
	struct made f, want;

	make_request(&f, &a, 1, DHCP_DISCOVER);
	assert_int_equal(sums_check(f.octet, f.len), SUMS_RIGHT);
	want = f;
	memcpy(want.octet + 6, &nic, 6);
	want.octet[want.net + BOOTP_FLAGS_AT] = 0x80;
	sums_set(want.octet, want.len);
	out(*state, &f);
	assert_memory_equal(f.octet, want.octet, want.len);
	assert_int_equal(sums_check(f.octet, f.len), SUMS_RIGHT);
	assert_memory_equal(f.octet + f.net + BOOTP_CHADDR_AT, &a, 6);

	/* Nothing is done twice. */
	memcpy(f.octet + 6, &a, 6);
	assert_out_is_left_alone(*state, &f);

	/* Without a checksum it stays without. */
	make_request(&f, &a, 1, DHCP_DISCOVER);
	set16(&f, f.net + UDP_SUM_AT, 0);
	out(*state, &f);
	assert_int_equal(f.octet[f.net + BOOTP_FLAGS_AT], 0x80);
	assert_int_equal(f.octet[f.net + UDP_SUM_AT], 0);
	assert_int_equal(f.octet[f.net + UDP_SUM_AT + 1], 0);
}

/* 0 would say that there is none. */
static void
test_checksum_of_dhcp_is_never_0(void **state)
{
	unsigned found = 0;
	struct made f, want;

	for (unsigned xid = 0; xid < 65536; xid++) {
		make_request(&f, &a, xid, DHCP_DISCOVER);
		want = f;
		want.octet[want.net + BOOTP_FLAGS_AT] = 0x80;
		sums_set(want.octet, want.len);
		if (want.octet[want.net + UDP_SUM_AT] != 0xff ||
		    want.octet[want.net + UDP_SUM_AT + 1] != 0xff)
			continue;
		memcpy(want.octet + 6, &nic, 6);
		out(*state, &f);
		assert_memory_equal(f.octet, want.octet, want.len);
		found++;
	}
	assert_true(found > 0);
}

static void
test_what_is_no_request_of_a_client_is_left_alone(void **state)
{
	struct made f;

	/* What a relay has passed on. */
	make_request(&f, &a, 1, DHCP_DISCOVER);
	f.octet[f.net + BOOTP_GIADDR_AT] = 10;
	assert_out_is_left_alone(*state, &f);
	/* Other ports, a reply, another kind of address. */
	make_request(&f, &a, 1, DHCP_DISCOVER);
	f.octet[f.net + 24 + 1] = 67;
	assert_out_is_left_alone(*state, &f);
	make_request(&f, &a, 1, DHCP_DISCOVER);
	f.octet[f.net + 24 + 3] = 68;
	assert_out_is_left_alone(*state, &f);
	make_request(&f, &a, 1, DHCP_DISCOVER);
	f.octet[f.net + BOOTP_AT] = 2;
	assert_out_is_left_alone(*state, &f);
	make_request(&f, &a, 1, DHCP_DISCOVER);
	f.octet[f.net + BOOTP_AT + 1] = 6;
	assert_out_is_left_alone(*state, &f);
	make_request(&f, &a, 1, DHCP_DISCOVER);
	f.octet[f.net + BOOTP_AT + 2] = 8;
	assert_out_is_left_alone(*state, &f);
	/* TCP. */
	make_request(&f, &a, 1, DHCP_DISCOVER);
	f.octet[f.net + 9] = 6;
	assert_out_is_left_alone(*state, &f);
	/* Cut, by the frame, the packet, and the datagram. */
	make_request(&f, &a, 1, DHCP_DISCOVER);
	for (f.len = 14; f.len < f.net + BOOTP_AT + 44; f.len++)
		assert_out_is_left_alone(*state, &f);
	make_request(&f, &a, 1, DHCP_DISCOVER);
	for (unsigned len = 0; len < BOOTP_AT + 44; len++) {
		set16(&f, f.net + 2, len);
		assert_out_is_left_alone(*state, &f);
	}
	make_request(&f, &a, 1, DHCP_DISCOVER);
	for (unsigned len = 0; len < 8 + 44; len++) {
		set16(&f, f.net + 24 + 4, len);
		assert_out_is_left_alone(*state, &f);
	}
	/* DHCPv6: its clients are known by their DUID. */
	begin_ipv6(&f, &group, &a, &ip_a, &ip_all, 17);
	put16(&f, 546);
	put16(&f, 547);
	put16(&f, 8 + 18);
	put16(&f, 0x1234);
	put(&f, "\x01\xaa\xbb\xcc\x00\x01\x00\x0a\x00\x03\x00\x01", 12);
	put(&f, &a, 6);
	finish_ipv6(&f);
	assert_out_is_left_alone(*state, &f);
}

static void
test_client_gets_what_is_for_its_address(void **state)
{
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		assert_holder(*state, is_ipv6, &ip_a, NULL);
		use(*state, is_ipv6, &a, &ip_a);
		announce(*state, is_ipv6, &b, &ip_b);
		assert_holder(*state, is_ipv6, &ip_a, &a);
		assert_holder(*state, is_ipv6, &ip_b, &b);
		assert_holder(*state, is_ipv6, &ip_c, NULL);
	}
}

/* From it, or about it. */
static void
test_advertised_address_is_the_clients(void **state)
{
	struct made f;

	make_nd(&f, &a, &ip_a, 136, &ip_c, 2, &a);
	out(*state, &f);
	assert_holder(*state, true, &ip_a, &a);
	assert_holder(*state, true, &ip_c, &a);
	/* Also without the option, in reply to who knows it. */
	make_nd(&f, &b, &ip_b, 136, &ip_b, 0, NULL);
	out(*state, &f);
	assert_holder(*state, true, &ip_b, &b);
	/* Who asks for one does not have it. */
	make_nd(&f, &a, &ip_a, 135, &ip_far, 1, &a);
	out(*state, &f);
	assert_holder(*state, true, &ip_far, NULL);
	make_nd(&f, &a, &ip_none, 135, &ip_far, 0, NULL);
	assert_out_is_left_alone(*state, &f);
	assert_holder(*state, true, &ip_far, NULL);
	assert_holder(*state, true, &ip_none, NULL);
}

static void
test_what_no_host_has_is_not_learnt(void **state)
{
	static const struct {
		bool is_ipv6;
		struct ip ip;
		bool is_host;
	} cases[] = {
		{false, {{[12] = 0, 0, 0, 0}}, false},
		{false, {{[12] = 0, 1, 2, 3}}, false},
		{false, {{[12] = 127, 0, 0, 1}}, false},
		{false, {{[12] = 224, 0, 0, 1}}, false},
		{false, {{[12] = 255, 255, 255, 255}}, false},
		{false, {{[12] = 1, 0, 0, 0}}, true},
		{false, {{[12] = 169, 254, 1, 1}}, true},
		{false, {{[12] = 223, 255, 255, 255}}, true},
		{true, {{0}}, false},
		{true, {{[15] = 1}}, false},
		{true, {{0xff, 2, [15] = 1}}, false},
		{true, {{[15] = 2}}, true},
		{true, {{[0] = 1, [15] = 1}}, true},
		{true, {{0xfe, 0x80, [15] = 1}}, true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		use(*state, cases[i].is_ipv6, &a, &cases[i].ip);
		announce(*state, cases[i].is_ipv6, &a, &cases[i].ip);
		assert_holder(*state, cases[i].is_ipv6, &cases[i].ip,
			      cases[i].is_host ? &a : NULL);
	}
}

static void
test_arp_from_outside_reaches_the_client(void **state)
{
	struct made f, want;

	announce(*state, false, &a, &ip_a);
	for (unsigned op = 1; op <= 2; op++) {
		/* The target is named by the address it is known by ... */
		make_arp(&f, &nic, &far, op, &far, &ip_far, &nic, &ip_a);
		make_arp(&want, &a, &far, op, &far, &ip_far, &a, &ip_a);
		assert_int_equal(pass(*state, &f, false), VNET_SHARED_PASS);
		assert_memory_equal(f.octet, want.octet, want.len);
		/* ... or not at all. */
		make_arp(&f, &nic, &far, op, &far, &ip_far, &nobody, &ip_a);
		assert_in_goes_to(*state, &f, &a);
		make_arp(&f, &nic, &far, op, &far, &ip_far, &nic, &ip_b);
		assert_in_is_dropped(*state, &f, VNET_SHARED_UNKNOWN);
	}
}

static void
test_answer_to_a_probe_reaches_who_has_probed(void **state)
{
	struct fixture *x = *state;
	struct made probe, reply, want;

	/* Nobody has asked. */
	make_arp(&reply, &nic, &far, 2, &far, &ip_c, &nic, &ip_none);
	assert_in_is_dropped(x, &reply, VNET_SHARED_UNKNOWN);

	make_arp(&probe, &all, &a, 1, &a, &ip_none, &nobody, &ip_c);
	out(x, &probe);
	make_arp(&want, &a, &far, 2, &far, &ip_c, &a, &ip_none);
	assert_int_equal(pass(x, &reply, false), VNET_SHARED_PASS);
	assert_memory_equal(reply.octet, want.octet, want.len);

	/* Only a request is a probe. */
	x->now++;
	make_arp(&probe, &all, &b, 2, &b, &ip_none, &nobody, &ip_c);
	out(x, &probe);
	make_arp(&reply, &nic, &far, 2, &far, &ip_c, &nobody, &ip_none);
	assert_in_goes_to(x, &reply, &a);

	/* About another address. */
	make_arp(&reply, &nic, &far, 2, &far, &ip_b, &nic, &ip_none);
	assert_in_is_dropped(x, &reply, VNET_SHARED_UNKNOWN);
	/* Too late. */
	make_arp(&reply, &nic, &far, 2, &far, &ip_c, &nic, &ip_none);
	x->now += SECONDS(10) + 1;
	assert_in_is_dropped(x, &reply, VNET_SHARED_UNKNOWN);
}

static void
test_broadcasts_from_outside_stay_as_they_are(void **state)
{
	static const struct vnet_mac *const to[] = {&all, &group};
	struct made f;

	announce(*state, false, &a, &ip_a);
	for (size_t i = 0; i < COUNT(to); i++) {
		make_arp(&f, to[i], &far, 1, &far, &ip_far, &nic, &ip_a);
		assert_in_goes_to(*state, &f, to[i]);
		make_packet(&f, false, to[i], &far, &ip_far, &ip_a);
		assert_in_goes_to(*state, &f, to[i]);
		make_packet(&f, true, to[i], &far, &ip_far, &ip_a);
		assert_in_goes_to(*state, &f, to[i]);
		begin(&f, to[i], &far, 0x88cc);
		put_zeros(&f, 30);
		assert_in_goes_to(*state, &f, to[i]);
	}
}

static void
test_what_is_not_for_a_client_is_not_passed_on(void **state)
{
	static const uint16_t types[] = {0x88cc, 0x0026, 0x8035};
	struct made f;

	use(*state, false, &a, &ip_a);
	make_packet(&f, false, &other, &far, &ip_far, &ip_a);
	assert_in_is_dropped(*state, &f, VNET_SHARED_FOREIGN);
	make_packet(&f, false, &a, &far, &ip_far, &ip_a);
	assert_in_is_dropped(*state, &f, VNET_SHARED_FOREIGN);
	/* Ours, come back. */
	make_packet(&f, false, &nic, &nic, &ip_far, &ip_a);
	assert_in_is_dropped(*state, &f, VNET_SHARED_OWN);
	make_packet(&f, false, &all, &nic, &ip_far, &ip_a);
	assert_in_is_dropped(*state, &f, VNET_SHARED_OWN);
	make_packet(&f, false, &nic, &group, &ip_far, &ip_a);
	assert_in_is_dropped(*state, &f, VNET_SHARED_MALFORMED);
	make_packet(&f, false, &nic, &nobody, &ip_far, &ip_a);
	assert_in_is_dropped(*state, &f, VNET_SHARED_MALFORMED);
	for (size_t i = 0; i < COUNT(types); i++) {
		begin(&f, &nic, &far, types[i]);
		put_zeros(&f, 46);
		assert_in_is_dropped(*state, &f, VNET_SHARED_NO_ADDRESS);
	}
	/* Not whole. */
	make_packet(&f, false, &nic, &far, &ip_far, &ip_a);
	for (f.len = 0; f.len < f.net + 24; f.len++)
		assert_in_is_dropped(*state, &f,
				     f.len < 14 ? VNET_SHARED_MALFORMED
						: VNET_SHARED_NO_ADDRESS);
	make_packet(&f, true, &nic, &far, &ip_far, &ip_a);
	for (f.len = 14; f.len < f.net + 40; f.len++)
		assert_in_is_dropped(*state, &f, VNET_SHARED_NO_ADDRESS);
	make_arp(&f, &nic, &far, 2, &far, &ip_far, &nic, &ip_a);
	for (f.len = 14; f.len < f.net + 28; f.len++)
		assert_in_is_dropped(*state, &f, VNET_SHARED_NO_ADDRESS);
	make_packet(&f, false, &nic, &far, &ip_far, &ip_a);
	f.octet[f.net] = 0x44; /* the header is too short */
	assert_in_is_dropped(*state, &f, VNET_SHARED_NO_ADDRESS);
	make_packet(&f, false, &nic, &far, &ip_far, &ip_a);
	f.octet[f.net] = 0x66;
	assert_in_is_dropped(*state, &f, VNET_SHARED_NO_ADDRESS);
}

/* They tell of hosts outside. */
static void
test_options_of_nd_from_outside_stay(void **state)
{
	struct made f;

	announce(*state, true, &a, &ip_a);
	for (size_t i = 0; i < COUNT(tellers); i++) {
		begin_ipv6(&f, &nic, &far, &ip_far, &ip_a, 58);
		put_nd(&f, tellers[i].type, &ip_far);
		put_option(&f, 1, &far);
		put_option(&f, 2, &nic);
		finish_ipv6(&f);
		assert_in_goes_to(*state, &f, &a);
	}
}

static void
test_fragments_from_outside_go_by_their_address(void **state)
{
	struct made f;

	use(*state, false, &a, &ip_a);
	use(*state, true, &a, &ip_a);
	make_packet(&f, false, &nic, &far, &ip_far, &ip_a);
	set16(&f, f.net + 6, 0x2000 | 185);
	assert_in_goes_to(*state, &f, &a);
	begin_ipv6(&f, &nic, &far, &ip_far, &ip_a, 44);
	put(&f, "\x11\x00\x05\xc9\x00\x00\x00\x01", 8);
	put_zeros(&f, 30);
	finish_ipv6(&f);
	assert_in_goes_to(*state, &f, &a);
	/* A later one that looks like a reply of DHCP is none. */
	make_request(&f, &b, 1, DHCP_DISCOVER);
	out(*state, &f);
	make_reply(&f, &b, 1, &ip_a, DHCP_OFFER);
	set16(&f, f.net + 6, 185);
	assert_in_goes_to(*state, &f, &a);
}

static void
test_dhcp_reply_goes_to_the_client_that_it_names(void **state)
{
	struct made f;

	make_reply(&f, &a, 1, &ip_a, DHCP_OFFER);
	assert_in_is_dropped(*state, &f, VNET_SHARED_UNKNOWN);
	make_request(&f, &a, 1, DHCP_DISCOVER);
	out(*state, &f);
	make_reply(&f, &a, 1, &ip_a, DHCP_OFFER);
	assert_in_goes_to(*state, &f, &a);
	/* Also where another has that address; also if it is a broadcast. */
	announce(*state, false, &b, &ip_a);
	assert_in_goes_to(*state, &f, &a);
	memcpy(f.octet, &all, 6);
	assert_in_goes_to(*state, &f, &all);
	/* The NIC's owner, or nobody, is no client. */
	make_reply(&f, &nic, 1, &ip_c, DHCP_OFFER);
	assert_in_is_dropped(*state, &f, VNET_SHARED_UNKNOWN);
	make_reply(&f, &nobody, 1, &ip_c, DHCP_OFFER);
	assert_in_is_dropped(*state, &f, VNET_SHARED_UNKNOWN);
	make_reply(&f, &group, 1, &ip_c, DHCP_OFFER);
	assert_in_is_dropped(*state, &f, VNET_SHARED_UNKNOWN);
	/* A renewal comes to the address. */
	make_reply(&f, &nic, 1, &ip_a, DHCP_ACK);
	assert_in_goes_to(*state, &f, &b);
}

static void
test_address_that_dhcp_gives_is_the_clients(void **state)
{
	static const struct {
		unsigned type;
		unsigned xid;
		vnet_nsec after;
		bool is_broadcast;
		bool is_learnt;
	} cases[] = {
		{DHCP_ACK, 7, 0, false, true},
		{DHCP_ACK, 7, SECONDS(64), false, true},
		{DHCP_ACK, 7, 0, true, true},
		{DHCP_ACK, 7, SECONDS(65), false, false},
		{DHCP_ACK, 8, 0, false, false},
		{DHCP_OFFER, 7, 0, false, false},
		{DHCP_NAK, 7, 0, false, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture *x = *state;
		struct made f;

		make_request(&f, &a, 7, DHCP_REQUEST);
		out(x, &f);
		x->now += cases[i].after;
		make_reply(&f, &a, cases[i].xid, &ip_a, cases[i].type);
		if (cases[i].is_broadcast)
			memcpy(f.octet, &all, 6);
		assert_int_equal(pass(x, &f, false), VNET_SHARED_PASS);
		assert_holder(x, false, &ip_a, cases[i].is_learnt ? &a : NULL);
		vnet_shared_forget(x->s, &a);
	}
}

/* From outside anybody can say that. */
static void
test_dhcp_takes_no_address_that_another_uses(void **state)
{
	struct fixture *x = *state;
	struct made f;

	x->now = 0;
	use(x, false, &b, &ip_b);
	make_request(&f, &a, 7, DHCP_REQUEST);
	out(x, &f);
	make_reply(&f, &a, 7, &ip_b, DHCP_ACK);
	assert_in_goes_to(x, &f, &a);
	assert_holder(x, false, &ip_b, &b);
	assert_int_equal(vnet_shared_conflicts(x->s), 1);
	/* None was asked for; or it was for another. */
	make_reply(&f, &b, 0, &ip_c, DHCP_ACK);
	assert_in_goes_to(x, &f, &b);
	assert_holder(x, false, &ip_c, NULL);
	make_dhcp(&f, &all, &b, &ip_none, &ip_all, BOOTP_REQUEST, 8, &a,
		  &ip_none, DHCP_REQUEST);
	out(x, &f);
	make_reply(&f, &b, 8, &ip_c, DHCP_ACK);
	assert_in_goes_to(x, &f, &b);
	assert_holder(x, false, &ip_c, NULL);
	/* It says so behind its end. */
	make_reply(&f, &a, 7, &ip_c, DHCP_ACK);
	set16(&f, f.net + 24 + 4, 8 + 240 + 7);
	assert_in_goes_to(x, &f, &a);
	assert_holder(x, false, &ip_c, NULL);
}

/* Options that make no sense end the search for the type. */
static void
test_broken_options_of_dhcp(void **state)
{
	static const struct {
		uint32_t at; /* from the cookie */
		uint8_t octet;
	} cases[] = {
		{0, 0x64}, /* no cookie */
		{6, 200},  /* an option longer than the message */
		{4, 255},  /* the end in front of it */
		{10, 2},   /* two octets of type, the second the end */
		{10, 0},   /* none */
		{9, 54},   /* another option */
		{8, 53},   /* nothing changes: within another's text */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture *x = *state;
		struct made f;

		make_request(&f, &a, 7, DHCP_REQUEST);
		out(x, &f);
		make_reply(&f, &a, 7, &ip_a, DHCP_ACK);
		f.octet[f.net + BOOTP_AT + 236 + cases[i].at] = cases[i].octet;
		assert_in_goes_to(x, &f, &a);
		assert_holder(x, false, &ip_a, cases[i].at == 8 ? &a : NULL);
		vnet_shared_forget(x->s, &a);
	}
}

static void
test_address_in_use_is_not_taken(void **state)
{
	struct fixture *x = *state;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		uint64_t before = vnet_shared_conflicts(x->s);
		vnet_nsec began = x->now;

		announce(x, is_ipv6, &a, &ip_a);
		assert_int_equal(vnet_shared_conflicts(x->s), before);
		use(x, is_ipv6, &b, &ip_a);
		announce(x, is_ipv6, &b, &ip_a);
		assert_true(vnet_shared_conflicts(x->s) >= before + 2);
		assert_holder(x, is_ipv6, &ip_a, &a);
		/* Using it keeps it. */
		x->now = began + SECONDS(29);
		use(x, is_ipv6, &a, &ip_a);
		x->now = began + SECONDS(58);
		announce(x, is_ipv6, &b, &ip_a);
		assert_holder(x, is_ipv6, &ip_a, &a);
		/* Quiet: it may be announced, but not just used. */
		x->now = began + SECONDS(59);
		use(x, is_ipv6, &b, &ip_a);
		assert_holder(x, is_ipv6, &ip_a, &a);
		announce(x, is_ipv6, &b, &ip_a);
		assert_holder(x, is_ipv6, &ip_a, &b);
	}
}

static void
test_address_is_forgotten_in_time(void **state)
{
	struct fixture *x = *state;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		announce(x, is_ipv6, &a, &ip_a);
		x->now += SECONDS(1200);
		assert_holder(x, is_ipv6, &ip_a, &a);
		/* A step back is none. */
		x->now -= SECONDS(600);
		use(x, is_ipv6, &b, &ip_b);
		x->now += SECONDS(600) + SECONDS(1200);
		assert_holder(x, is_ipv6, &ip_a, NULL);
		assert_holder(x, is_ipv6, &ip_b, &b);
		use(x, is_ipv6, &b, &ip_a);
		assert_holder(x, is_ipv6, &ip_a, &b);
	}
}

/* Three addresses each, and four clients (config of set_up()). */
static void
test_clients_and_their_addresses_are_bounded(void **state)
{
	struct fixture *x = *state;
	struct vnet_mac client = a;
	struct ip ip = ip_a;

	announce(x, true, &a, &ip_a);
	announce(x, false, &b, &ip_b);
	for (unsigned i = 100; i < 200; i++) {
		ip.octet[15] = (uint8_t)i;
		x->now++;
		use(x, true, &a, &ip);
		assert_holder(x, true, &ip, &a);
	}
	assert_holder(x, true, &ip_a, &a);
	assert_holder(x, false, &ip_b, &b);
	ip.octet[15] = 198;
	assert_holder(x, true, &ip, &a);
	ip.octet[15] = 197;
	assert_holder(x, true, &ip, NULL);

	for (unsigned i = 0; i < 100; i++) {
		ip.octet[15] = (uint8_t)(100 + i);
		client.octet[4] = (uint8_t)(1 + i);
		use(x, false, &client, &ip);
		assert_holder(x, false, &ip, i < 2 ? &client : NULL);
	}
	assert_int_equal(vnet_shared_conflicts(x->s), 98);
	assert_holder(x, true, &ip_a, &a);
	assert_holder(x, false, &ip_b, &b);
	vnet_shared_forget(x->s, &a);
	use(x, false, &client, &ip);
	assert_holder(x, false, &ip, &client);
}

static void
test_client_is_forgotten_when_it_goes(void **state)
{
	struct fixture *x = *state;

	announce(x, false, &a, &ip_a);
	use(x, true, &a, &ip_a);
	use(x, true, &b, &ip_b);
	vnet_shared_forget(x->s, &a);
	vnet_shared_forget(x->s, &other);
	assert_holder(x, false, &ip_a, NULL);
	assert_holder(x, true, &ip_a, NULL);
	assert_holder(x, true, &ip_b, &b);
}

static void
test_same_address_in_another_vlan_is_anothers(void **state)
{
	static const unsigned tags_of[] = {0, 1, 2};
	static const struct vnet_mac *const clients[] = {&a, &b, &other};
	unsigned kept = ntags;

	for (size_t i = 0; i < COUNT(tags_of); i++) {
		ntags = tags_of[i];
		use(*state, false, clients[i], &ip_a);
		use(*state, true, clients[i], &ip_a);
	}
	for (size_t i = 0; i < COUNT(tags_of); i++) {
		ntags = tags_of[i];
		assert_holder(*state, false, &ip_a, clients[i]);
		assert_holder(*state, true, &ip_a, clients[i]);
	}
	ntags = kept;
}

static void
test_order_of_tags_matters(void **state)
{
	unsigned kept = ntags;
	struct made f;

	ntags = 2;
	make_packet(&f, false, &far, &b, &ip_a, &ip_far);
	set16(&f, 14, 9);
	set16(&f, 18, 7);
	out(*state, &f);
	assert_holder(*state, false, &ip_a, NULL);
	use(*state, false, &a, &ip_a);
	assert_holder(*state, false, &ip_a, &a);
	ntags = kept;
}

/* A tag without a VLAN (IEEE 802.1Q, 6.8) is about priority alone. */
static void
test_priority_makes_no_vlan(void **state)
{
	unsigned kept = ntags;
	struct made f;

	ntags = 1;
	make_packet(&f, false, &far, &a, &ip_a, &ip_far);
	set16(&f, 14, 0xe000);
	out(*state, &f);
	ntags = 0;
	assert_holder(*state, false, &ip_a, &a);
	ntags = kept;
}

static void
test_nic_may_get_another_address(void **state)
{
	struct fixture *x = *state;
	struct made f;

	use(x, false, &a, &ip_a);
	assert_int_equal(vnet_shared_set_nic(x->s, &group), -EINVAL);
	assert_int_equal(vnet_shared_set_nic(x->s, &nobody), -EINVAL);
	assert_holder(x, false, &ip_a, &a);
	assert_int_equal(vnet_shared_set_nic(x->s, &other), 0);
	make_packet(&f, false, &nic, &far, &ip_far, &ip_a);
	assert_in_is_dropped(x, &f, VNET_SHARED_FOREIGN);
	make_packet(&f, false, &other, &far, &ip_far, &ip_a);
	assert_in_goes_to(x, &f, &a);
	make_packet(&f, false, &far, &a, &ip_a, &ip_far);
	assert_int_equal(pass(x, &f, true), VNET_SHARED_PASS);
	assert_memory_equal(f.octet + 6, &other, 6);
}

/* One vif may have it inside, too. */
static void
test_client_may_have_the_nics_address(void **state)
{
	struct made f;

	announce(*state, false, &nic, &ip_a);
	assert_holder(*state, false, &ip_a, &nic);
	make_arp(&f, &nic, &far, 2, &far, &ip_far, &nic, &ip_a);
	assert_in_goes_to(*state, &f, &nic);
}

/* Neither way does a frame that is cut anywhere do harm, or keep anything but a
 * right checksum. */
static void
test_frames_of_every_length(void **state)
{
	struct fixture *x = *state;
	struct made f, g;

	for (unsigned kind = 0; kind < 9; kind++) {
		switch (kind) {
		case 0:
			make_arp(&f, &all, &a, 1, &a, &ip_a, &a, &ip_far);
			break;
		case 1:
			make_request(&f, &a, 7, DHCP_REQUEST);
			break;
		case 2:
			make_reply(&f, &a, 7, &ip_a, DHCP_ACK);
			break;
		case 3:
			make_packet(&f, false, &nic, &far, &ip_far, &ip_a);
			break;
		default:
			make_nd(&f, &a, &ip_a, tellers[kind - 4].type, &ip_a,
				tellers[kind - 4].option, &a);
			break;
		}
		for (uint32_t len = 0; len <= f.len; len++) {
			for (int is_out = 0; is_out < 2; is_out++) {
				g = f;
				g.len = len;
				if (!is_out && kind < 2)
					memcpy(g.octet, &nic, 6);
				(void)pass(x, &g, is_out);
				assert_int_not_equal(sums_check(g.octet, len),
						     SUMS_WRONG);
			}
		}
	}
	/* The longest, of no kind. */
	for (int is_out = 0; is_out < 2; is_out++) {
		uint8_t *octets = malloc(65535);

		assert_non_null(octets);
		memset(octets, 0x44, 65535);
		memcpy(octets, &nic, 6);
		memcpy(octets + 12, "\x86\xdd\x60\x00\x00\x00\xff\xff\x3c", 9);
		(void)(is_out ? vnet_shared_out
			      : vnet_shared_in)(x->s, octets, 65535, x->now);
		free(octets);
	}
}

static void
assert_refused(const struct vnet_shared_config *config, int err,
	       const char *text, uint64_t found, uint64_t bound)
{
	struct vnet_shared *s = (void *)&ntags;
	struct vnet_why why = {0};

	assert_int_equal(vnet_shared_create(&s, config, &why), err);
	assert_ptr_equal(s, &ntags);
	assert_string_equal(why.text, text);
	assert_int_equal(why.found, found);
	if (err == -EINVAL)
		assert_int_equal(why.bound, bound);
	assert_int_equal(vnet_shared_create(&s, config, NULL), err);
}

static void
test_wrong_configurations_are_refused(void **state)
{
	struct fixture *x = *state;
	const struct vnet_shared_config good = config_of(x);
	struct vnet_shared_config config = good;
	struct vnet_shared *s;

	config.size--;
	assert_refused(&config, -EINVAL, "unknown size of the configuration",
		       config.size, good.size);
	config = good;
	config.alloc = NULL;
	assert_refused(&config, -EINVAL, "no allocator", 0, 0);
	config = good;
	config.nic = group;
	assert_refused(&config, -EINVAL, "not an address that a NIC has", 0, 0);
	config.nic = nobody;
	assert_refused(&config, -EINVAL, "not an address that a NIC has", 0, 0);
	config = good;
	config.max_clients = 1025;
	assert_refused(&config, -EINVAL, "too many clients", 1025, 1024);
	config = good;
	config.max_addrs = 64;
	assert_refused(&config, -EINVAL, "too many addresses of a client", 64,
		       63);

	config = good;
	config.max_clients = 1024;
	config.max_addrs = 63;
	assert_int_equal(vnet_shared_create(&s, &config, NULL), 0);
	assert_true(vnet_shared_check(s));
	vnet_shared_destroy(s);
	config.max_clients = config.max_addrs = 1;
	assert_int_equal(vnet_shared_create(&s, &config, NULL), 0);
	assert_true(vnet_shared_check(s));
	vnet_shared_destroy(s);
	vnet_shared_destroy(NULL);

	x->alloc.fail_at = x->alloc.calls + 1;
	assert_int_equal(vnet_shared_create(&s, &config, NULL), -ENOMEM);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_source_of_any_frame_becomes_the_nics),
		TEST(test_third_tag_hides_what_is_behind),
		TEST(test_sender_of_arp_becomes_the_nic),
		TEST(test_probe_claims_nothing),
		TEST(test_who_speaks_for_another_is_not_believed),
		TEST(test_arp_of_another_kind_is_left_alone),
		TEST(test_nd_tells_the_nics_address),
		TEST(test_other_options_of_nd_are_left_alone),
		TEST(test_what_is_not_nd_is_left_alone),
		TEST(test_redirect_to_a_client_becomes_one_to_the_nic),
		TEST(test_checksum_of_nd_is_right_whatever_is_in_it),
		TEST(test_nd_behind_extension_headers),
		TEST(test_first_fragment_is_rewritten_others_are_not),
		TEST(test_dhcp_requests_ask_for_a_broadcast),
		TEST(test_checksum_of_dhcp_is_never_0),
		TEST(test_what_is_no_request_of_a_client_is_left_alone),
		TEST(test_client_gets_what_is_for_its_address),
		TEST(test_advertised_address_is_the_clients),
		TEST(test_what_no_host_has_is_not_learnt),
		TEST(test_arp_from_outside_reaches_the_client),
		TEST(test_answer_to_a_probe_reaches_who_has_probed),
		TEST(test_broadcasts_from_outside_stay_as_they_are),
		TEST(test_what_is_not_for_a_client_is_not_passed_on),
		TEST(test_options_of_nd_from_outside_stay),
		TEST(test_fragments_from_outside_go_by_their_address),
		TEST(test_dhcp_reply_goes_to_the_client_that_it_names),
		TEST(test_address_that_dhcp_gives_is_the_clients),
		TEST(test_dhcp_takes_no_address_that_another_uses),
		TEST(test_broken_options_of_dhcp),
		TEST(test_address_in_use_is_not_taken),
		TEST(test_address_is_forgotten_in_time),
		TEST(test_clients_and_their_addresses_are_bounded),
		TEST(test_client_is_forgotten_when_it_goes),
		TEST(test_same_address_in_another_vlan_is_anothers),
		TEST(test_order_of_tags_matters),
		TEST(test_priority_makes_no_vlan),
		TEST(test_nic_may_get_another_address),
		TEST(test_client_may_have_the_nics_address),
		TEST(test_frames_of_every_length),
		TEST(test_wrong_configurations_are_refused),
	};
	int failed = 0;

	for (ntags = 0; ntags <= 2; ntags++)
		failed += cmocka_run_group_tests(tests, NULL, NULL);
	return failed;
}
