/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of a vif, by local attachment, for tests:
 *
 *	attach_client PATH VIF talk	what it is told on standard input
 *	attach_client PATH VIF hold N	N sessions at once, up to the end of it
 *	attach_client PATH VIF churn N	N sessions, one after the other
 *	attach_client PATH VIF host ADDRESS	answers ARP and ping (IPv4)
 *	attach_client PATH VIF flood HEX	a frame, for ever
 *
 * VIF may be "-" for the only one, and PATH "fd:N" for a session that was handed
 * over. "talk" is told, a line each,
 *
 *	send HEX			a frame
 *	offload FLAGS,TYPE,HEADERS,SIZE,START,OFFSET HEX
 *					one with these offload fields
 *	filter in|out pass|drop [drop|pass CODE,JT,JF,K[;...]]...
 *					filters, and what holds beyond them
 *	grant				to ask for its grant
 *	delegate FD MAC/BITS[,...] CLIENTS ADDRESSES DEPTH
 *					as its own grant, but for that; what comes
 *					of it is passed on by the socket FD
 *	close				to end the session
 *
 * and says, a line each, "is VIF INDEX MAC MTU", "got HEX", "grant NAME
 * MAC/BITS[,...] CLIENTS ADDRESSES DEPTH", "done" or "failed TEXT" for what it was
 * told, and "end" when the switch has ended the session.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vnet/attach.h>

#define FRAME_MAX 65536
#define RULES_MAX 256
#define INSNS_MAX 8192
#define TEXT_MAX  ((size_t)1 << 20)

static struct vnet_attach *
open_client(const char *path, const char *vif)
{
	char text[VNET_ATTACH_TEXT_SIZE];
	const bool is_given = !strncmp(path, "fd:", 3);
	const struct vnet_attach_config config = {
		.size = sizeof(config),
		.path = is_given ? NULL : path,
		.vif = strcmp(vif, "-") ? vif : NULL,
		.timeout_ms = 20000,
		.text = text,
	};
	struct vnet_why why = {0};
	struct vnet_attach *a;
	int r = is_given ? vnet_attach_adopt(&a, atoi(path + 3), &config, &why)
			 : vnet_attach_open(&a, &config, &why);

	if (r) {
		printf("failed %s: %s\n", why.text ? why.text : "",
		       strerror(-r));
		exit(1);
	}
	return a;
}

static void
say_what(const struct vnet_attach *a)
{
	struct vnet_attach_info info = {.size = sizeof(info)};
	const uint8_t *o = info.mac.octet;

	vnet_attach_get(a, &info);
	printf("is %s %" PRIu32 " %02x:%02x:%02x:%02x:%02x:%02x %" PRIu32 "\n",
	       info.vif, info.index, o[0], o[1], o[2], o[3], o[4], o[5],
	       info.mtu);
}

static void
done(int r, const struct vnet_why *why)
{
	if (r < 0)
		printf("failed %s: %s\n", why && why->text ? why->text : "",
		       strerror(-r));
	else
		printf("done\n");
}

/* Returns octets. */
static uint32_t
parse_hex(const char *hex, uint8_t *data)
{
	uint32_t n = 0;
	unsigned int octet;

	while (n < FRAME_MAX && sscanf(hex, "%2x", &octet) == 1) {
		data[n++] = (uint8_t)octet;
		hex += 2;
	}
	return n;
}

/* @fields are the offload fields, or NULL. */
static void
send_hex(struct vnet_attach *a, const char *fields, const char *hex)
{
	static uint8_t data[FRAME_MAX];
	struct vnet_frame f = {
		.data = data,
		.len = parse_hex(hex, data),
	};
	int r;

	if (fields)
		sscanf(fields,
		       "%" SCNu16 ",%" SCNu8 ",%" SCNu16 ",%" SCNu16 ",%" SCNu16
		       ",%" SCNu16,
		       &f.flags, &f.gso_type, &f.hdr_len, &f.gso_size,
		       &f.csum_start, &f.csum_offset);
	r = vnet_attach_send(a, &f, 1);
	done(r == 0 ? -EAGAIN : r, NULL);
}

/* "CODE,JT,JF,K;..." */
static size_t
parse_program(char *text, struct vnet_bpf_insn *insns, size_t max)
{
	char *one;
	size_t n = 0;

	while (n < max && (one = strsep(&text, ";"))) {
		unsigned int code, jt, jf, k;

		if (sscanf(one, "%u,%u,%u,%u", &code, &jt, &jf, &k) != 4)
			break;
		insns[n++] = (struct vnet_bpf_insn){
			.code = (uint16_t)code,
			.jt = (uint8_t)jt,
			.jf = (uint8_t)jf,
			.k = k,
		};
	}
	return n;
}

static enum vnet_verdict
parse_verdict(const char *word)
{
	return word && !strcmp(word, "drop") ? VNET_DROP : VNET_PASS;
}

static void
set_filters(struct vnet_attach *a, char *text)
{
	static struct vnet_bpf_insn insns[INSNS_MAX];
	static struct vnet_rule rules[RULES_MAX];
	static char names[RULES_MAX][16];
	const char *side = strsep(&text, " ");
	const enum vnet_verdict rest = parse_verdict(strsep(&text, " "));
	size_t nrules = 0, used = 0;
	struct vnet_why why = {0};
	char *word;
	int r;

	while (nrules < RULES_MAX && (word = strsep(&text, " "))) {
		struct vnet_rule *rule = &rules[nrules];
		char *program = strsep(&text, " ");

		snprintf(names[nrules], sizeof(names[nrules]), "rule%zu",
			 nrules);
		*rule = (struct vnet_rule){
			.size = sizeof(*rule),
			.name = names[nrules],
			.verdict = parse_verdict(word),
			.insns = insns + used,
		};
		rule->ninsns =
			parse_program(program, insns + used, INSNS_MAX - used);
		used += rule->ninsns;
		nrules++;
	}
	r = vnet_attach_set_filters(
		a, strcmp(side, "out") ? VNET_RECEIVE_IN : VNET_RECEIVE_OUT,
		rules, nrules, rest, &why);
	done(r, &why);
}

static void
say_grant(struct vnet_attach *a)
{
	struct vnet_grant g = {.size = sizeof(g)};
	struct vnet_why why = {0};
	int r = vnet_attach_grant(a, &g, &why);

	if (r) {
		done(r, &why);
		return;
	}
	printf("grant %s ", g.name);
	for (size_t i = 0; i < g.nmacs; i++) {
		const uint8_t *o = g.macs[i].mac.octet;

		printf("%s%02x:%02x:%02x:%02x:%02x:%02x/%u", i ? "," : "", o[0],
		       o[1], o[2], o[3], o[4], o[5], g.macs[i].bits);
	}
	printf(" %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", g.max_clients,
	       g.max_addresses, g.depth);
}

/* "MAC/BITS,..." */
static size_t
parse_macs(char *text, struct vnet_mac_prefix *macs, size_t max)
{
	size_t n = 0;
	char *one;

	while (n < max && (one = strsep(&text, ","))) {
		uint8_t *o = macs[n].mac.octet;

		if (sscanf(one, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx/%hhu", &o[0],
			   &o[1], &o[2], &o[3], &o[4], &o[5],
			   &macs[n].bits) == 7)
			n++;
	}
	return n;
}

static bool
pass_on(int socket, int fd)
{
	union {
		struct cmsghdr header; /* for the alignment */
		uint8_t octets[CMSG_SPACE(sizeof(int))];
	} control = {.octets = {0}};
	char octet = 0;
	struct iovec iov = {.iov_base = &octet, .iov_len = 1};
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket, &m, 0) == 1;
}

static void
delegate(struct vnet_attach *a, char *text)
{
	struct vnet_mac_prefix macs[VNET_GRANT_MAX_LIST];
	enum vnet_grant_part part = VNET_GRANT_UNDECIDED;
	struct vnet_grant g = {.size = sizeof(g)};
	const char *socket = strsep(&text, " ");
	struct vnet_why why = {0};
	int fd, r = vnet_attach_grant(a, &g, &why);

	if (!r) {
		g.nmacs = parse_macs(strsep(&text, " "), macs,
				     VNET_GRANT_MAX_LIST);
		g.macs = macs;
		sscanf(text, "%" SCNu32 " %" SCNu32 " %" SCNu32, &g.max_clients,
		       &g.max_addresses, &g.depth);
		r = vnet_attach_delegate(a, &g, &fd, &part, &why);
	}
	if (r == -EPERM || r == -EINVAL)
		printf("failed %s: ", vnet_grant_part_name(part));
	else if (!r && !pass_on(atoi(socket), fd))
		r = -EIO;
	if (!r)
		close(fd);
	done(r, &why);
}

/* Returns false to end. */
static bool
obey(struct vnet_attach *a, char *line)
{
	char *word = strsep(&line, " \n");

	if (line)
		line[strcspn(line, "\n")] = '\0';
	if (!strcmp(word, "send")) {
		send_hex(a, NULL, line);
	} else if (!strcmp(word, "offload")) {
		const char *fields = strsep(&line, " ");

		send_hex(a, fields, line ? line : "");
	} else if (!strcmp(word, "filter")) {
		set_filters(a, line);
	} else if (!strcmp(word, "grant")) {
		say_grant(a);
	} else if (!strcmp(word, "delegate")) {
		delegate(a, line);
	} else {
		return false;
	}
	return true;
}

static void
say_frame(const struct vnet_frame *f)
{
	printf("got ");
	for (uint32_t i = 0; i < f->len; i++)
		printf("%02x", ((const uint8_t *)f->data)[i]);
	printf("\n");
}

/* Lines that have been read from standard input: obeyed, as far as they end.
 * Returns false to end. */
static bool
hear(struct vnet_attach *a)
{
	static char text[TEXT_MAX];
	static size_t len;
	ssize_t n = read(STDIN_FILENO, text + len, sizeof(text) - 1 - len);
	char *end;

	if (n <= 0)
		return false;
	len += (size_t)n;
	text[len] = '\0';
	while ((end = strchr(text, '\n'))) {
		const size_t used = (size_t)(end + 1 - text);

		*end = '\0';
		if (!obey(a, text))
			return false;
		memmove(text, text + used, len + 1 - used);
		len -= used;
	}
	return true;
}

static int
talk(struct vnet_attach *a)
{
	struct vnet_frame frames[VNET_ATTACH_BATCH];
	struct pollfd fds[] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = vnet_attach_fd(a), .events = POLLIN},
	};

	say_what(a);
	for (;;) {
		int n;

		poll(fds, 2, -1);
		while ((n = vnet_attach_receive(a, frames, VNET_ATTACH_BATCH)) >
		       0)
			for (int i = 0; i < n; i++)
				say_frame(&frames[i]);
		if (n < 0) {
			printf("end\n");
			break;
		}
		if (fds[0].revents && !hear(a))
			break;
	}
	vnet_attach_close(a);
	return 0;
}

static int
hold(const char *path, const char *vif, unsigned long n)
{
	struct vnet_attach **all = calloc(n, sizeof(struct vnet_attach *));

	if (!all)
		return 1;
	for (unsigned long i = 0; i < n; i++)
		all[i] = open_client(path, vif);
	printf("done\n");
	while (getchar() != EOF)
		;
	for (unsigned long i = 0; i < n; i++)
		vnet_attach_close(all[i]);
	free(all);
	return 0;
}

static int
churn(const char *path, const char *vif, unsigned long n)
{
	static const uint8_t data[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
	const struct vnet_frame f = {.data = data, .len = sizeof(data)};

	for (unsigned long i = 0; i < n; i++) {
		struct vnet_attach *a = open_client(path, vif);

		(void)vnet_attach_send(a, &f, 1);
		vnet_attach_close(a);
	}
	printf("done\n");
	return 0;
}

/* As fast as it can, until the switch ends it. */
static int
flood(struct vnet_attach *a, const char *hex)
{
	static uint8_t data[FRAME_MAX];
	struct pollfd p = {.fd = vnet_attach_fd(a), .events = POLLOUT};
	struct vnet_frame frames[VNET_ATTACH_BATCH];
	int r;

	frames[0] = (struct vnet_frame){
		.data = data,
		.len = parse_hex(hex, data),
	};
	for (size_t i = 1; i < VNET_ATTACH_BATCH; i++)
		frames[i] = frames[0];
	say_what(a);
	while ((r = vnet_attach_send(a, frames, VNET_ATTACH_BATCH)) >= 0)
		if (r == 0)
			poll(&p, 1, -1);
	printf("end\n");
	vnet_attach_close(a);
	return 0;
}

/*
 * ARP (RFC 826) and echo requests (RFC 792)
 */

struct host {
	struct vnet_mac mac;
	uint8_t address[4];
};

static const uint8_t arp_request[] = {0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 1};

/* Make the answer of what asks, in place. Returns false if it does not. */
static bool
answer(const struct host *h, uint8_t *p, uint32_t len)
{
	uint8_t address[4];

	if (len >= 42 && !memcmp(p + 12, arp_request, sizeof(arp_request)) &&
	    !memcmp(p + 38, h->address, 4)) {
		memcpy(p + 32, p + 22, 10); /* the sender is the target */
		memcpy(p + 22, h->mac.octet, 6);
		memcpy(p + 28, h->address, 4);
		p[21] = 2;
	} else if (len >= 42 && p[12] == 0x08 && !p[13] && p[14] == 0x45 &&
		   p[23] == 1 && p[34] == 8 && !memcmp(p + 30, h->address, 4)) {
		uint32_t sum = (uint32_t)(p[36] << 8 | p[37]) + 0x0800;

		memcpy(address, p + 26, 4);
		memcpy(p + 26, p + 30, 4);
		memcpy(p + 30, address, 4);
		p[34] = 0;
		sum = (sum & 0xffff) + (sum >> 16);
		p[36] = (uint8_t)(sum >> 8);
		p[37] = (uint8_t)sum;
	} else {
		return false;
	}
	memcpy(p, p + 6, 6);
	memcpy(p + 6, h->mac.octet, 6);
	return true;
}

static int
be_host(struct vnet_attach *a, const char *address)
{
	struct vnet_attach_info info = {.size = sizeof(info)};
	struct vnet_frame frames[VNET_ATTACH_BATCH];
	struct pollfd fd = {.fd = vnet_attach_fd(a), .events = POLLIN};
	static uint8_t copy[FRAME_MAX];
	struct host h;
	int n;

	vnet_attach_get(a, &info);
	h.mac = info.mac;
	if (inet_pton(AF_INET, address, h.address) != 1)
		return 2;
	say_what(a);
	while ((n = vnet_attach_receive(a, frames, VNET_ATTACH_BATCH)) >= 0) {
		for (int i = 0; i < n; i++) {
			const struct vnet_frame f = {
				.data = copy,
				.len = frames[i].len,
			};

			if (f.len > sizeof(copy))
				continue;
			memcpy(copy, frames[i].data, f.len);
			if (answer(&h, copy, f.len))
				(void)vnet_attach_send(a, &f, 1);
		}
		if (n == 0)
			poll(&fd, 1, -1);
	}
	vnet_attach_close(a);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[3] : "";

	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	if (argc == 4 && !strcmp(what, "talk"))
		return talk(open_client(argv[1], argv[2]));
	if (argc == 5 && !strcmp(what, "host"))
		return be_host(open_client(argv[1], argv[2]), argv[4]);
	if (argc == 5 && !strcmp(what, "flood"))
		return flood(open_client(argv[1], argv[2]), argv[4]);
	if (argc == 5 && !strcmp(what, "hold"))
		return hold(argv[1], argv[2], strtoul(argv[4], NULL, 10));
	if (argc == 5 && !strcmp(what, "churn"))
		return churn(argv[1], argv[2], strtoul(argv[4], NULL, 10));
	fprintf(stderr,
		"attach_client PATH VIF talk|hold|churn|host|flood ...\n");
	return 2;
}
