/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A filter: what libpcap makes of a line of text decides what may enter the
 * switch from a port; the rest is dropped and counted.
 *
 *	filter [EXPRESSION]
 *
 * sends an ARP request, an ICMP echo request and a UDP datagram from one host,
 * by default through "arp or icmp", and says what became of them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include <vnet/libvnet.h>
#include <vnet/malloc.h>

/* To all, from 02:00:00:00:00:01; what matters here of the three. */
static const struct {
	const char *name;
	uint8_t type[2];
	uint8_t protocol; /* of an IPv4 header */
} kinds[] = {
	{"ARP", {0x08, 0x06}, 0},
	{"ICMP", {0x08, 0x00}, 1},
	{"UDP", {0x08, 0x00}, 17},
};

/* Add a chain that passes what matches, and drops what does not. */
static int
add_filter(struct vnet_switch *sw, vnet_port_id port, const char *text)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program program;
	struct vnet_bpf_insn *insns;
	struct vnet_rule rule = {.size = sizeof(rule), .name = "example"};
	struct vnet_why why;
	int r;

	if (!pcap ||
	    pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN)) {
		fprintf(stderr, "filter: %s: %s\n", text,
			pcap ? pcap_geterr(pcap) : "no memory");
		if (pcap)
			pcap_close(pcap);
		return -1;
	}
	insns = calloc(program.bf_len, sizeof(*insns));
	if (!insns)
		abort();
	for (unsigned int i = 0; i < program.bf_len; i++)
		insns[i] = (struct vnet_bpf_insn){
			.code = program.bf_insns[i].code,
			.jt = program.bf_insns[i].jt,
			.jf = program.bf_insns[i].jf,
			.k = program.bf_insns[i].k,
		};
	rule.verdict = VNET_PASS;
	rule.insns = insns;
	rule.ninsns = program.bf_len;
	r = vnet_filter_add(sw, port, VNET_INGRESS, &rule, &why);
	if (r)
		fprintf(stderr,
			"filter: %s (instruction %zu, found %" PRIu64 ")\n",
			why.text, why.index, why.found);
	else
		r = vnet_filter_set_default(sw, port, VNET_INGRESS, VNET_DROP);
	free(insns);
	pcap_freecode(&program);
	pcap_close(pcap);
	return r;
}

static int
open_host(struct vnet_switch *sw, struct vnet_inproc *host, const char *name,
	  vnet_port_id *port)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
	};
	int r = vnet_port_add(sw, &config, port, NULL);

	return r ? r : vnet_inproc_open(host, sw, *port, 0, 0);
}

static void
count(void *ctx, const struct vnet_frame *f)
{
	unsigned int *n = ctx;

	(void)f;
	++*n;
}

static void
send_kind(struct vnet_inproc *from, struct vnet_inproc *to, size_t kind)
{
	uint8_t octets[60] = {255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1};
	const struct vnet_frame f = {.data = octets, .len = sizeof(octets)};
	unsigned int n = 0;

	memcpy(octets + 12, kinds[kind].type, 2);
	octets[14] = 0x45;
	octets[23] = kinds[kind].protocol;
	vnet_switch_input(from->sw, from->id, &f, 1, 0);
	vnet_inproc_poll(to, count, &n, 1, 0);
	printf("%-4s %s\n", kinds[kind].name, n ? "passed" : "dropped");
}

int
main(int argc, char **argv)
{
	const struct vnet_alloc alloc = vnet_malloc();
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
	};
	const char *text = argc > 1 ? argv[1] : "arp or icmp";
	struct vnet_inproc ann, bob;
	struct vnet_switch *sw;
	struct vnet_count in;
	vnet_port_id port;
	bool balanced;

	if (vnet_switch_create(&sw, &config, NULL))
		return 1;
	if (open_host(sw, &bob, "bob", &port) ||
	    open_host(sw, &ann, "ann", &port) || add_filter(sw, port, text)) {
		vnet_switch_destroy(sw);
		return 1;
	}
	printf("what ann sends must be: %s\n", text);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		send_kind(&ann, &bob, i);
	vnet_client_drops(sw, ann.id, VNET_DROP_INGRESS_FILTER, &in, NULL);
	balanced = vnet_switch_check(sw, NULL);
	printf("%s: %" PRIu64 " frames; balanced: %s\n",
	       vnet_drop_name(VNET_DROP_INGRESS_FILTER), in.frames,
	       balanced ? "yes" : "no");
	vnet_switch_destroy(sw);
	return !balanced;
}
