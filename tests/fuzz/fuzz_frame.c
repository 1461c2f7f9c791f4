/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of any kind, with offload fields, through a switch whose drivers carry
 * different things and take what they like.
 *
 * Each driver is given what it carries and no more, within its MTU; and what it
 * is given comes to the same octets on the wire as what the one that carries
 * nothing is given.
 */
#include <stdlib.h>
#include <string.h>

#include <vnet/libvnet.h>
#include <vnet/malloc.h>

#include "frames.h"
#include "must.h"
#include "offload.h"
#include "tape.h"

#define CARRIES_ALL 31

/* The source, one that carries nothing, one that carries everything, two that
 * carry what the input says, and one behind a filter. */
enum { SOURCE, NOTHING, EVERYTHING, SOME, OTHERS, FILTERED, NPORTS };

struct port {
	struct tape *t;
	struct vnet_driver_ops ops;
	vnet_port_id port;
	vnet_client_id id;
	uint32_t mtu;
	bool takes_all;
	uint64_t delivered;

	/* All that reaches the wire, frame after frame. */
	uint8_t *wire;
	size_t len;
	size_t size;
};

static void
wire_add(struct port *p, const struct vnet_frame *f)
{
	if (p->size - p->len < f->len) {
		p->size = 2 * p->size + f->len;
		p->wire = realloc(p->wire, p->size);
		MUST(p->wire);
	}
	memcpy(p->wire + p->len, f->data, f->len);
	p->len += f->len;
}

/* What a medium does with a frame that it carries. */
static void
transmit(struct port *p, const struct vnet_frame *f)
{
	static uint8_t buf[VNET_RESOLVED_MAX];
	struct vnet_resolver r;
	struct vnet_offload o;
	struct vnet_frame out;

	MUST(f->depth >= 1 && f->depth <= VNET_MAX_DEPTH);
	MUST(f->len >= VNET_ETH_HEADER_LEN);
	MUST(f->ntags <= VNET_MAX_TAGS);
	MUST(!f->via && !f->reserved32);
	MUST(!(vnet_offload_wants(f) & ~p->ops.carries));
	MUST(!vnet_offload_is_cut(f, p->ops.carries));
	MUST(vnet_offload_check(f, &o));
	MUST(f->nsegs == o.nsegs);
	MUST(f->gso_type == VNET_GSO_NONE || f->hdr_len == o.hdr_len);
	MUST(vnet_offload_payload_max(f, &o) <= p->mtu);

	vnet_resolver_begin(&r, f, &o, 0);
	while (vnet_resolver_next(&r, buf, &out))
		wire_add(p, &out);
}

static int
take(void *ctx, const struct vnet_frame *frames, size_t n, size_t *refused)
{
	struct port *p = ctx;

	(void)refused;
	if (!p->takes_all && tape_answer(p->t, 8) == 7)
		n = tape_answer(p->t, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		transmit(p, &frames[i]);
	p->delivered += n;
	return (int)n;
}

static void
add_port(struct vnet_switch *sw, struct port *p, char *name, uint32_t mtu,
	 uint32_t carries, struct tape *t)
{
	const struct vnet_port_config port = {
		.size = sizeof(port),
		.name = name,
		.mtu = mtu,
	};
	const struct vnet_client_config client = {
		.size = sizeof(client),
		.ops = &p->ops,
		.ctx = p,
	};

	*p = (struct port){.t = t, .mtu = mtu};
	p->ops = (struct vnet_driver_ops){
		.size = sizeof(p->ops),
		.carries = carries,
		.send = take,
	};
	MUST(vnet_port_add(sw, &port, &p->port, NULL) == 0);
	MUST(vnet_client_add(sw, p->port, &client, &p->id, NULL) == 0);
	name[0]++;
}

/* A load, a comparison, and a verdict. */
static void
add_filter(struct vnet_switch *sw, const struct port *p, enum vnet_side side,
	   struct tape *t)
{
	static const uint16_t loads[] = {0x20, 0x28, 0x30, 0x80, 0xb1};
	static const uint16_t jumps[] = {0x15, 0x25, 0x35, 0x45};
	const struct vnet_bpf_insn insns[] = {
		{.code = TAPE_ONE_OF(t, loads), .k = tape_argument(t, 128)},
		{.code = TAPE_ONE_OF(t, jumps),
		 .jf = 1,
		 .k = tape_argument(t, 0x10000)},
		{.code = 0x06, .k = 1},
		{.code = 0x06, .k = 0},
	};
	const struct vnet_rule rule = {
		.size = sizeof(rule),
		.name = "rule",
		.verdict = VNET_DROP,
		.insns = insns,
		.ninsns = 4,
	};

	MUST(vnet_filter_add(sw, p->port, side, &rule, NULL) == 0);
}

/* Send what waits in queues, at last all of it. */
static void
drain(struct vnet_switch *sw, struct port *ports)
{
	for (int i = 0; i < NPORTS; i++) {
		struct port *p = &ports[i];
		size_t max = 1 + tape_argument(p->t, 100);

		MUST(vnet_client_output(sw, p->id, max, 0) >= 0);
		p->takes_all = true;
		MUST(vnet_client_output(sw, p->id, SIZE_MAX, 0) >= 0);
		p->takes_all = false;
	}
}

static void
input(struct vnet_switch *sw, const struct port *from, struct tape *t)
{
	struct vnet_frame frames[4];
	uint32_t n = 1 + tape_argument(t, 4);

	for (uint32_t i = 0; i < n; i++)
		frames[i] = frames_make(t, 0);
	vnet_switch_input(sw, from->id, frames, n, 0);
	for (uint32_t i = 0; i < n; i++)
		free((void *)(uintptr_t)frames[i].data);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	static const uint32_t mtus[] = {1500, 68, 590, 9000, VNET_MTU_MAX};
	const struct vnet_alloc alloc = vnet_malloc();
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
		.max_ports = NPORTS,
		.fdb_entries = 64,
		/* Room for all that one call may queue. */
		.pool_octets = NPORTS << 20,
		.queue_octets = 512 << 10,
	};
	struct port ports[NPORTS];
	struct vnet_switch *sw;
	char name[] = "a";
	struct tape t;
	uint32_t mtu;

	tape_fuzz(&t, in, size);
	MUST(vnet_switch_create(&sw, &config, NULL) == 0);
	mtu = TAPE_ONE_OF(&t, mtus);
	for (int i = 0; i < NPORTS; i++) {
		uint32_t carries = tape_argument(&t, CARRIES_ALL + 1);

		if (i == NOTHING)
			carries = 0;
		else if (i == EVERYTHING)
			carries = CARRIES_ALL;
		add_port(sw, &ports[i], name, mtu, carries, &t);
	}
	add_filter(sw, &ports[FILTERED], VNET_EGRESS, &t);
	if (tape_seldom(&t, 4))
		add_filter(sw, &ports[SOURCE], VNET_INGRESS, &t);

	while (!tape_is_over(&t)) {
		input(sw, &ports[SOURCE], &t);
		MUST(vnet_switch_check(sw, NULL));
		drain(sw, ports);
		MUST(vnet_switch_check(sw, NULL));
	}

	for (int i = NOTHING; i < FILTERED; i++) {
		struct vnet_client_stats s = {.size = sizeof(s)};

		MUST(vnet_client_get_stats(sw, ports[i].id, &s) == 0);
		MUST(s.queued.frames == 0);
		MUST(s.delivered.frames == ports[i].delivered);
		MUST(ports[i].len == ports[NOTHING].len);
		MUST(!ports[i].len ||
		     !memcmp(ports[i].wire, ports[NOTHING].wire, ports[i].len));
	}
	MUST(ports[FILTERED].len <= ports[NOTHING].len);
	vnet_switch_destroy(sw);
	for (int i = 0; i < NPORTS; i++)
		free(ports[i].wire);
	return 0;
}
