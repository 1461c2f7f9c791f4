/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds for one run of a guard over one frame, of a typical grant: an
 * address of Ethernet, one of IPv4, a prefix of IPv6; and what that is in a
 * switch, a frame with it beside one without.
 */
#include <string.h>

#include <vnet/libvnet.h>

#include "bpf.h"
#include "harness/harness.h"

/* Frames in turn: few enough to stay in the first-level cache. */
#define NHOT     16u
#define NREPEATS 256u
#define LEN      96u
#define BATCH    NHOT

#define PUT(p, ...)                                 \
	memcpy((p), (const uint8_t[]){__VA_ARGS__}, \
	       sizeof((const uint8_t[]){__VA_ARGS__}))

enum kind { IPV4_TCP, IPV4_UDP, ARP, IPV6_TCP, IPV6_UDP, ND, NKINDS };

struct guard_case {
	enum kind kind;
	enum vnet_side side;
};

static const struct vnet_mac_prefix mac = {{{0x02, 0, 0, 0, 0, 0x0a}}, 48};
static const struct vnet_ipv4_prefix ipv4 = {{10, 0, 0, 1}, 32};
static const struct vnet_ipv6_prefix ipv6 = {{0x20, 0x01, 0x0d, 0xb8}, 64};

static const struct vnet_grant typical = {
	.size = sizeof(typical),
	.name = "typical",
	.macs = &mac,
	.nmacs = 1,
	.ipv4 = &ipv4,
	.nipv4 = 1,
	.ipv6 = &ipv6,
	.nipv6 = 1,
	.may = VNET_MAY_BROADCAST,
};

static uint8_t octets[NHOT][LEN];
static struct vnet_frame frames[NHOT];
static struct vnet_bpf_insn insns[VNET_GRANT_MAX_INSNS];
static struct vnet_bpf_op ops[VNET_GRANT_MAX_INSNS];

static void
put_ipv4(uint8_t *p, uint8_t proto)
{
	static const uint8_t header[20] = {0x45, 0, 0, LEN - 14, 0,
					   0,    0, 0, 64};

	memcpy(p, header, sizeof(header));
	p[9] = proto;
	memcpy(p + 12, ipv4.octet, 4);
	PUT(p + 16, 0x0a, 0, 0, 2);
	PUT(p + 20, 0xc0, 0, 1, 0xbb); /* 49152 to 443 */
}

static void
put_ipv6(uint8_t *p, uint8_t next)
{
	static const uint8_t header[8] = {0x60, 0, 0, 0, 0, LEN - 54, 0, 255};

	memcpy(p, header, sizeof(header));
	p[6] = next;
	memcpy(p + 8, ipv6.octet, 16);
	p[23] = 1;
	memcpy(p + 24, ipv6.octet, 16);
	p[39] = 2;
	PUT(p + 40, 0xc0, 0, 1, 0xbb);
}

static void
put_arp(uint8_t *p)
{
	PUT(p, 0, 1, 8, 0, 6, 4, 0, 1);
	memcpy(p + 8, mac.mac.octet, 6);
	memcpy(p + 14, ipv4.octet, 4);
}

/* A solicitation with the source's link-layer address. */
static void
put_nd(uint8_t *p)
{
	put_ipv6(p, 58);
	p[5] = 32;
	PUT(p + 40, 0x87, 0, 0, 0, 0, 0, 0, 0);
	memcpy(p + 48, p + 24, 16);
	PUT(p + 64, 1, 1);
	memcpy(p + 66, mac.mac.octet, 6);
}

static void
make_frame(uint8_t *p, enum kind kind, bool is_sent)
{
	static const uint8_t other[6] = {0x02, 0, 0, 0, 0, 0x0b};
	static const uint8_t type[NKINDS][2] = {
		[IPV4_TCP] = {0x08, 0x00}, [IPV4_UDP] = {0x08, 0x00},
		[ARP] = {0x08, 0x06},      [IPV6_TCP] = {0x86, 0xdd},
		[IPV6_UDP] = {0x86, 0xdd}, [ND] = {0x86, 0xdd},
	};

	memcpy(p, is_sent ? other : mac.mac.octet, 6);
	memcpy(p + 6, is_sent ? mac.mac.octet : other, 6);
	memcpy(p + 12, type[kind], 2);
	if (kind == ARP)
		put_arp(p + 14);
	else if (kind == ND)
		put_nd(p + 14);
	else if (kind == IPV4_TCP || kind == IPV4_UDP)
		put_ipv4(p + 14, kind == IPV4_TCP ? 6 : 17);
	else
		put_ipv6(p + 14, kind == IPV6_TCP ? 6 : 17);
}

static void
make_frames(enum kind kind, bool is_sent)
{
	for (uint32_t i = 0; i < NHOT; i++) {
		make_frame(octets[i], kind, is_sent);
		frames[i] = (struct vnet_frame){.data = octets[i], .len = LEN};
	}
}

static void
run_program(struct bench_run *r, const void *arg)
{
	const struct guard_case *which = arg;
	struct vnet_why why = {0};
	uint64_t passed = 0;
	int n = vnet_grant_compile(&typical, which->side, insns,
				   VNET_GRANT_MAX_INSNS, &why);

	if (n < 0)
		bench_fail("vnet_grant_compile: %s", why.text);
	vnet_bpf_translate(ops, insns, (size_t)n);
	make_frames(which->kind, which->side == VNET_INGRESS);
	while (bench_more(r)) {
		for (uint32_t i = 0; i < NHOT * NREPEATS; i++)
			passed += vnet_bpf_run(ops, &frames[i % NHOT]) ==
				  VNET_GRANT_PASS;
		r->done += (uint64_t)NHOT * NREPEATS;
	}
	if (passed != r->done)
		bench_fail("%llu of %llu frames passed",
			   (unsigned long long)passed,
			   (unsigned long long)r->done);
	bench_report("ns/frame", r->seconds * 1e9 / (double)r->done);
	bench_report("instructions, all of the program", n);
}

static vnet_client_id
open_null(struct vnet_switch *sw, const char *name)
{
	const struct vnet_port_config config = {.size = sizeof(config),
						.name = name};
	vnet_port_id port;
	vnet_client_id client;

	if (vnet_port_add(sw, &config, &port, NULL) ||
	    vnet_null_open(sw, port, &client))
		bench_fail("port %s", name);
	return client;
}

/* A frame of UDP from a client to another one: @arg says whether it has a
 * grant. */
static void
run_switch(struct bench_run *r, const void *arg)
{
	struct bench_memory memory = {0};
	struct vnet_alloc alloc = bench_alloc(&memory);
	const struct vnet_switch_config config = {.size = sizeof(config),
						  .alloc = &alloc};
	struct vnet_client_stats stats = {.size = sizeof(stats)};
	struct vnet_switch *sw;
	vnet_client_id from, to;
	vnet_grant_id grant;
	vnet_nsec now = 0;

	if (vnet_switch_create(&sw, &config, NULL))
		bench_fail("vnet_switch_create");
	from = open_null(sw, "from");
	to = open_null(sw, "to");
	make_frames(IPV4_UDP, false);
	vnet_switch_input(sw, to, frames, 1, now);
	make_frames(IPV4_UDP, true);
	if (arg &&
	    (vnet_grant_add(sw, VNET_NO_ID, &typical, &grant, NULL, NULL) ||
	     vnet_client_set_grant(sw, from, grant, NULL)))
		bench_fail("vnet_grant_add");
	while (bench_more(r)) {
		for (uint32_t i = 0; i < NREPEATS; i++)
			vnet_switch_input(sw, from, frames, BATCH, ++now);
		r->done += (uint64_t)BATCH * NREPEATS;
	}
	vnet_client_get_stats(sw, to, &stats);
	if (stats.delivered.frames != r->done || !vnet_switch_check(sw, NULL))
		bench_fail("%llu of %llu frames were delivered",
			   (unsigned long long)stats.delivered.frames,
			   (unsigned long long)r->done);
	bench_report("ns/frame", r->seconds * 1e9 / (double)r->done);
	vnet_switch_destroy(sw);
}

#define SENT(name, kind)                                  \
	{                                                 \
		name, "core", true, "frame", run_program, \
			&(const struct guard_case)        \
		{                                         \
			kind, VNET_INGRESS                \
		}                                         \
	}
#define GOT(name, kind)                                   \
	{                                                 \
		name, "core", true, "frame", run_program, \
			&(const struct guard_case)        \
		{                                         \
			kind, VNET_EGRESS                 \
		}                                         \
	}

static const struct bench_case cases[] = {
	SENT("ipv4_tcp", IPV4_TCP),
	SENT("ipv4_udp", IPV4_UDP),
	SENT("arp", ARP),
	SENT("ipv6_tcp", IPV6_TCP),
	SENT("ipv6_udp", IPV6_UDP),
	SENT("nd", ND),
	GOT("to_ipv4_udp", IPV4_UDP),
	GOT("to_ipv6_udp", IPV6_UDP),
	{"switch_guarded", "core", true, "frame", run_switch, "guarded"},
	{"switch_unguarded", "core", true, "frame", run_switch, NULL},
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
