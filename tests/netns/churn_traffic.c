/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traffic for a switch whose ports and clients come and go, as much as it takes:
 *
 *	churn_traffic session PATH VIF SEED	a client, by local attachment
 *	churn_traffic stream PATH SEED		the peer of a port, again and again
 *	churn_traffic host PREFIX SEED		all interfaces that are called so
 *
 * Until the end of standard input. A session says "is VIF/INDEX" or "failed
 * TEXT", and "end" when the switch has ended it; for each line that it is told it
 * replaces filters of its own.
 *
 * What is sent is good and bad, to few stations and to many, in one piece and to
 * be cut into segments. Frames with our EtherType carry their length, and one
 * octet again and again: what comes must be what somebody has sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include <vnet/attach.h>
#include <vnet/frame.h>

#define OUR_TYPE  0x88b6 /* 0x88b5 is that of probes */
#define MARK_LEN  20     /* what precedes the octets that are all the same */
#define LEN_MAX   9000
#define FRAME_MAX 65536
#define BATCH     32
#define NSTATIONS 24

struct source {
	uint64_t random;
	uint8_t mac[6];
	uint8_t buffers[BATCH][LEN_MAX];
};

/* xorshift64 */
static uint32_t
draw(struct source *s, uint32_t bound)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (uint32_t)((s->random >> 32) % bound);
}

static void
put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t
get16(const uint8_t *at)
{
	return (uint32_t)(at[0] << 8 | at[1]);
}

static void
station(uint8_t *mac, uint32_t n)
{
	const uint8_t octets[6] = {2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n};

	memcpy(mac, octets, 6);
}

static void
init_source(struct source *s, const char *seed, const uint8_t *mac)
{
	s->random = strtoull(seed, NULL, 10) * 2654435761u + 1;
	for (int i = 0; i < 8; i++)
		draw(s, 2);
	station(s->mac, 0x100 + draw(s, NSTATIONS));
	if (mac)
		memcpy(s->mac, mac, 6);
}

/*
 * Frames
 */

static void
put_addresses(struct source *s, uint8_t *data)
{
	const uint32_t to = draw(s, 100), from = draw(s, 100);

	station(data, 0x100 + draw(s, NSTATIONS));
	if (to < 5)
		memset(data, 0xff, 6);
	else if (to < 10)
		data[0] = 0x33;
	else if (to < 15)
		station(data, draw(s, 65536));
	memcpy(data + 6, s->mac, 6);
	if (from < 2)
		station(data + 6, draw(s, 65536));
	else if (from < 4)
		station(data + 6, 0x100 + draw(s, NSTATIONS));
	else if (from < 5)
		data[6] |= 1;
}

static uint32_t
draw_length(struct source *s)
{
	switch (draw(s, 8)) {
	case 0:
		return draw(s, 60);
	case 1:
		return 1500 + draw(s, 600);
	case 2:
		return 60 + draw(s, 1455);
	case 3:
		return 1514;
	default:
		return 60;
	}
}

static void
put_marked(struct source *s, uint8_t *data, uint32_t len)
{
	const uint32_t octet = draw(s, 256);

	if (len < VNET_ETH_HEADER_LEN) {
		memset(data, 0xff, len);
		return;
	}
	put16(data + 12, OUR_TYPE);
	memset(data + 14, (int)octet, len - 14);
	if (len < MARK_LEN)
		return;
	put16(data + 14, len);
	data[16] = (uint8_t)octet;
}

static bool
is_whole(const struct vnet_frame *f)
{
	const uint8_t *data = f->data;

	if (f->len <= MARK_LEN || get16(data + 12) != OUR_TYPE || f->ntags)
		return true;
	return get16(data + 14) == f->len && data[MARK_LEN] == data[16] &&
	       !memcmp(data + MARK_LEN, data + MARK_LEN + 1,
		       f->len - MARK_LEN - 1);
}

static void
check_frame(const struct vnet_frame *f)
{
	if (is_whole(f))
		return;
	fprintf(stderr,
		"a frame of %" PRIu32 " octets that nobody sent:", f->len);
	for (uint32_t i = 0; i < f->len && i < 64; i++)
		fprintf(stderr, " %02x", f->data[i]);
	fprintf(stderr, "\n");
	exit(1);
}

/* TCP or UDP, IPv4 or IPv6, with a checksum to be completed, and mostly more
 * than one segment. */
static void
put_segments(struct source *s, uint8_t *data, struct vnet_frame *f)
{
	const bool is_tcp = draw(s, 2), is_6 = draw(s, 2);
	const uint32_t l4 = is_6 ? 54 : 34, header = l4 + (is_tcp ? 20 : 8);
	const uint32_t payload = 1 + draw(s, LEN_MAX - 100);

	memset(data + 12, 0, header - 12);
	memset(data + header, (int)draw(s, 256), payload);
	put16(data + 12, is_6 ? 0x86dd : 0x0800);
	data[14] = is_6 ? 0x60 : 0x45;
	put16(data + (is_6 ? 18 : 16), header + payload - (is_6 ? l4 : 14));
	data[is_6 ? 20 : 23] = is_tcp ? 6 : 17;
	data[is_6 ? 21 : 22] = 64;
	if (is_tcp)
		data[l4 + 12] = 5 << 4;
	else
		put16(data + l4 + 4, 8 + payload);
	f->len = header + payload;
	f->flags = VNET_FRAME_CSUM_PARTIAL;
	f->csum_start = (uint16_t)l4;
	f->csum_offset = draw(s, 20) ? (is_tcp ? 16 : 6) : 3;
	f->hdr_len = (uint16_t)header;
	f->gso_size = (uint16_t)(200 + draw(s, 1248));
	f->gso_type = (uint8_t)(!is_tcp ? VNET_GSO_UDP
				: is_6  ? VNET_GSO_TCP6
					: VNET_GSO_TCP4);
}

static void
make_frame(struct source *s, uint32_t i, struct vnet_frame *f, bool may_offload)
{
	uint8_t *data = s->buffers[i];

	*f = (struct vnet_frame){.data = data, .len = draw_length(s)};
	if (may_offload && draw(s, 50) == 0)
		put_segments(s, data, f);
	else
		put_marked(s, data, f->len);
	if (f->len >= VNET_ETH_HEADER_LEN)
		put_addresses(s, data);
	if (may_offload && draw(s, 50) == 0) {
		f->ntags = 1;
		f->tag[0] = (struct vnet_tag){0x8100, (uint16_t)draw(s, 8)};
	}
}

/* Is there an end of standard input? */
static bool
is_over(void)
{
	struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
	char c;

	return poll(&fd, 1, 0) == 1 && read(STDIN_FILENO, &c, 1) <= 0;
}

/*
 * A session
 */

static const struct vnet_bpf_insn is_group[] = {
	{0x30, 0, 0, 0}, /* ldb [0] */
	{0x45, 0, 1, 1}, /* jset #1 */
	{0x06, 0, 0, 1}, /* ret #1 */
	{0x06, 0, 0, 0}, /* ret #0 */
};

static int
set_filters(struct source *s, struct vnet_attach *a)
{
	struct vnet_rule rules[4];
	char names[4][8];
	const size_t n = draw(s, 5);
	struct vnet_why why;
	int r;

	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "own%zu", i);
		rules[i] = (struct vnet_rule){
			.size = sizeof(rules[i]),
			.name = names[i],
			.priority = draw(s, 3),
			.verdict = draw(s, 2) ? VNET_DROP : VNET_PASS,
			.insns = is_group,
			.ninsns = sizeof(is_group) / sizeof(is_group[0]),
		};
	}
	r = vnet_attach_set_filters(
		a, draw(s, 2) ? VNET_RECEIVE_IN : VNET_RECEIVE_OUT, rules, n,
		draw(s, 4) ? VNET_PASS : VNET_DROP, &why);
	/* The switch may have no room for more rules. */
	return r == -ENOSPC ? 0 : r;
}

/* Returns false when the switch has ended it. */
static bool
send_batch(struct source *s, struct vnet_attach *a)
{
	struct vnet_frame frames[BATCH];
	uint32_t at = 0;

	for (uint32_t i = 0; i < BATCH; i++)
		make_frame(s, i, &frames[i], true);
	while (at < BATCH) {
		int n = vnet_attach_send(a, frames + at, BATCH - at);

		if (n == 0)
			break;
		if (n < 0 && n != -EINVAL && n != -EMSGSIZE)
			return false;
		/* Nor is one that cannot be sent a reason to stop. */
		at += n < 0 ? 1 : (uint32_t)n;
	}
	return true;
}

static bool
receive_all(struct vnet_attach *a)
{
	struct vnet_frame frames[VNET_ATTACH_BATCH];
	int n, turns = 0;

	do {
		n = vnet_attach_receive(a, frames, VNET_ATTACH_BATCH);
		for (int i = 0; i < n; i++)
			check_frame(&frames[i]);
	} while (n > 0 && ++turns < 8);
	return n >= 0;
}

static void
run_session(struct source *s, struct vnet_attach *a)
{
	struct pollfd fds[] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = vnet_attach_fd(a), .events = POLLIN | POLLOUT},
	};
	char line[16];

	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents && (read(STDIN_FILENO, line, 1) <= 0))
			return;
		if ((fds[0].revents && set_filters(s, a)) || !receive_all(a) ||
		    !send_batch(s, a))
			break;
	}
	printf("end\n");
}

static int
session(const char *path, const char *vif, const char *seed)
{
	char text[VNET_ATTACH_TEXT_SIZE];
	const struct vnet_attach_config config = {
		.size = sizeof(config),
		.path = path,
		.vif = vif,
		.carries = strtoul(seed, NULL, 10) % 2 ? VNET_CARRIES_CSUM : 0,
		.timeout_ms = 60000,
		.text = text,
	};
	struct vnet_attach_info info = {.size = sizeof(info)};
	static struct source s;
	struct vnet_why why = {0};
	struct vnet_attach *a;
	int r = vnet_attach_open(&a, &config, &why);

	if (r) {
		printf("failed %s: %s\n", why.text ? why.text : "",
		       strerror(-r));
		return 0;
	}
	vnet_attach_get(a, &info);
	printf("is %s/%" PRIu32 "\n", info.vif, info.index);
	init_source(&s, seed, info.mac.octet);
	run_session(&s, a);
	vnet_attach_close(a);
	return 0;
}

/*
 * A stream
 */

static int
dial(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 &&
	    !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

/* As much as there is room for; the rest of a frame waits for its turn. */
static void
send_stream(struct source *s, int fd)
{
	static uint8_t data[4 + LEN_MAX];
	static size_t at, len;
	struct vnet_frame f;
	ssize_t n;

	if (fd < 0) {
		at = len = 0;
		return;
	}
	do {
		if (at == len) {
			make_frame(s, 0, &f, false);
			put16(data, 0);
			put16(data + 2, f.len);
			memcpy(data + 4, f.data, f.len);
			at = 0;
			len = 4 + f.len;
		}
		n = send(fd, data + at, len - at, MSG_DONTWAIT | MSG_NOSIGNAL);
		at += n > 0 ? (size_t)n : 0;
	} while (n > 0 && draw(s, 64));
}

/* Returns false when the switch has hung up. */
static bool
receive_stream(int fd)
{
	static uint8_t data[FRAME_MAX];
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

	return n > 0 || (n < 0 && errno == EAGAIN);
}

static int
stream(const char *path, const char *seed)
{
	static struct source s;
	int fd = -1;

	init_source(&s, seed, NULL);
	while (!is_over()) {
		struct pollfd to = {.events = POLLIN | POLLOUT};

		if (fd < 0)
			fd = dial(path);
		to.fd = fd;
		poll(&to, 1, 20);
		send_stream(&s, fd);
		/* It leaves at times, in the middle of a frame, too. */
		if (fd >= 0 && (!receive_stream(fd) || !draw(&s, 5000))) {
			close(fd);
			fd = -1;
			send_stream(&s, fd);
		}
	}
	return 0;
}

/*
 * A host
 */

static void
flood(struct source *s, int fd, unsigned int interface)
{
	const struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)interface,
	};
	struct vnet_frame f;

	for (int i = 0; i < BATCH; i++) {
		make_frame(s, 0, &f, false);
		if (sendto(fd, f.data, f.len, MSG_DONTWAIT,
			   (const struct sockaddr *)&to, sizeof(to)) < 0 &&
		    (errno == ENXIO || errno == ENETDOWN || errno == ENOBUFS))
			return;
	}
}

static int
host(const char *prefix, const char *seed)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	static struct source s;

	if (fd < 0) {
		perror("AF_PACKET");
		return 1;
	}
	init_source(&s, seed, NULL);
	while (!is_over()) {
		struct if_nameindex *all = if_nameindex();
		unsigned int n = 0;

		for (const struct if_nameindex *i = all; i && i->if_index; i++)
			if (!strncmp(i->if_name, prefix, strlen(prefix))) {
				flood(&s, fd, i->if_index);
				n++;
			}
		if_freenameindex(all);
		if (!n)
			poll(NULL, 0, 20);
	}
	close(fd);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	if (argc == 5 && !strcmp(what, "session"))
		return session(argv[2], argv[3], argv[4]);
	if (argc == 4 && !strcmp(what, "stream"))
		return stream(argv[2], argv[3]);
	if (argc == 4 && !strcmp(what, "host"))
		return host(argv[2], argv[3]);
	fprintf(stderr, "churn_traffic session|stream|host ...\n");
	return 2;
}
