/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libpcap looks names up while it compiles: those of hosts by getaddrinfo(),
 * which asks the network and may wait for seconds, those of networks and of
 * Ethernet addresses wherever nsswitch.conf says. It calls its own functions
 * for that (pcap/namedb.h), by way of the dynamic linker, so that ours are used
 * in their place. Names of protocols and services stay, for "tcp port http":
 * they are in files.
 */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pcap/pcap.h>
#include <pcap/namedb.h>

#include "program.h"
#include "program_memory.h"

/* The program is built with its symbols hidden. */
#define SEEN_BY_LIBPCAP __attribute__((visibility("default")))

/* Linux reads what it keeps beside a packet at offsets from here on (SKF_AD_OFF
 * and below in linux/filter.h). */
#define BESIDE_THE_FRAME UINT32_C(0x80000000)

/* What a program returns to match: not 0. */
#define SNAPLEN 262144

/* Octets of an expression that a complaint quotes. */
#define QUOTED 60

/* IPv6 addresses, too, come this way. */
SEEN_BY_LIBPCAP struct addrinfo *
pcap_nametoaddrinfo(const char *name)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST,
		.ai_socktype = SOCK_STREAM,
		.ai_protocol = IPPROTO_TCP,
	};
	struct addrinfo *found;

	return getaddrinfo(name, NULL, &hints, &found) ? NULL : found;
}

SEEN_BY_LIBPCAP bpf_u_int32
pcap_nametonetaddr(const char *name)
{
	(void)name;
	return 0;
}

SEEN_BY_LIBPCAP u_char *
pcap_ether_hostton(const char *name)
{
	(void)name;
	return NULL;
}

static int refuse(struct complaint *c, const char *text, const char *format,
		  ...) __attribute__((format(printf, 3, 4)));

static int
refuse(struct complaint *c, const char *text, const char *format, ...)
{
	char reason[PCAP_ERRBUF_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	return complain(c, -EINVAL, "expression \"%.*s%s\": %s", QUOTED, text,
			strlen(text) > QUOTED ? "..." : "", reason);
}

static bool
begins_with(const char *text, const char *word)
{
	const size_t len = strlen(word);

	return strncmp(text, word, len) == 0 &&
	       !isalnum((unsigned char)text[len]);
}

/* What is joined by "and" and "or"; rather too many than too few. */
static size_t
count_terms(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		if (begins_with(text, "and") || begins_with(text, "or") ||
		    strncmp(text, "&&", 2) == 0 || strncmp(text, "||", 2) == 0)
			n++;
	return n;
}

static int
check_text(const char *text, struct complaint *c)
{
	const size_t len = strlen(text);
	const size_t nterms = len > PROGRAM_TEXT_MAX ? 0 : count_terms(text);

	if (len > PROGRAM_TEXT_MAX)
		return refuse(c, text, "has %zu octets, expected at most %d",
			      len, PROGRAM_TEXT_MAX);
	if (nterms > PROGRAM_TERMS_MAX)
		return refuse(c, text,
			      "has %zu terms, expected at most %d: make it "
			      "several filters",
			      nterms, PROGRAM_TERMS_MAX);
	return 0;
}

/* libpcap takes time with the square and more of what it optimises, so that is
 * looked at first as it is. */
static int
compile(pcap_t *pcap, struct bpf_program *program, const char *text,
	struct complaint *c)
{
	unsigned int ninsns;

	if (pcap_compile(pcap, program, text, 0, PCAP_NETMASK_UNKNOWN))
		return refuse(c, text, "%s", pcap_geterr(pcap));
	ninsns = program->bf_len;
	pcap_freecode(program);
	if (ninsns > VNET_BPF_MAX_INSNS)
		return refuse(c, text,
			      "makes %u instructions, expected at most %d: "
			      "make it several filters",
			      ninsns, VNET_BPF_MAX_INSNS);
	if (pcap_compile(pcap, program, text, 1, PCAP_NETMASK_UNKNOWN))
		return refuse(c, text, "%s", pcap_geterr(pcap));
	return 0;
}

/* Such a load is beyond every frame here, so the filter would never match, or
 * with "not" always, and nobody would know why. */
static bool
looks_beside_the_frame(const struct vnet_bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_LD &&
	       BPF_MODE(insn->code) == BPF_ABS && insn->k >= BESIDE_THE_FRAME;
}

static int
check_program(const struct program *p, const char *text, struct complaint *c)
{
	struct vnet_why why = {0};

	for (size_t i = 0; i < p->ninsns; i++)
		if (looks_beside_the_frame(&p->insns[i]))
			return refuse(c, text,
				      "looks at what Linux keeps beside a "
				      "packet (\"inbound\", \"ifindex\", ...), "
				      "which a frame here does not have");
	if (vnet_bpf_check(p->insns, p->ninsns, 0, &why) == 0)
		return 0;
	if (strstr(text, "protochain"))
		return refuse(c, text,
			      "\"protochain\" takes a loop, which a filter "
			      "must not have");
	return refuse(c, text, "instruction %zu: %s", why.index, why.text);
}

static int
copy_program(struct program *p, const struct bpf_program *from)
{
	p->insns = calloc(from->bf_len, sizeof(*p->insns));
	if (!p->insns)
		return -ENOMEM;
	p->ninsns = from->bf_len;
	for (size_t i = 0; i < p->ninsns; i++)
		p->insns[i] = (struct vnet_bpf_insn){
			.code = from->bf_insns[i].code,
			.jt = from->bf_insns[i].jt,
			.jf = from->bf_insns[i].jf,
			.k = from->bf_insns[i].k,
		};
	return 0;
}

static int
make_program(struct program *p, const char *text, struct complaint *c)
{
	struct bpf_program program;
	struct program made = {0};
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	int r;

	if (!pcap)
		return complain(c, -ENOMEM, "no memory");
	r = compile(pcap, &program, text, c);
	if (r)
		goto close_pcap;
	r = copy_program(&made, &program);
	pcap_freecode(&program);
	if (r) {
		complain(c, r, "no memory");
		goto close_pcap;
	}
	r = check_program(&made, text, c);
	if (r)
		program_fini(&made);
	else
		*p = made;
close_pcap:
	pcap_close(pcap);
	return r;
}

int
program_compile(struct program *p, const char *text, struct complaint *c)
{
	int r = check_text(text, c);

	if (r || program_recall(p, text))
		return r;
	r = make_program(p, text, c);
	if (!r)
		program_remember(p, text);
	return r;
}

void
program_fini(struct program *p)
{
	free(p->insns);
	*p = (struct program){0};
}
