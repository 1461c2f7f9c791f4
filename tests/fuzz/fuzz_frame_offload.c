/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames with offload fields, at the border where they come in. What the check
 * accepts is resolved for a driver, what comes out once more for another, the
 * rest for one that carries nothing; that must give the octets that the last
 * one would have been given at once, with lengths and checksums that are right.
 */
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "offload.h"

/* Where the fields are in the input; the octets of the frame follow. */
enum {
	IN_MODE = 0, /* VNET_CARRIES_* of the first driver, and help */
	IN_CARRIES = 1,
	IN_FLAGS = 2,
	IN_GSO_TYPE = 4,
	IN_NTAGS = 5,
	IN_GSO_SIZE = 6,
	IN_CSUM_START = 8,
	IN_CSUM_OFFSET = 10,
	IN_DEPTH = 11,
	IN_TAGS = 12,
	IN_FRAME = 20,
};

/* Repairs, so that what lies behind the checks is reached more often. */
enum {
	HELP_CSUM = 1 << 5,
	HELP_GSO = 1 << 6,
	HELP_LENGTH = 1 << 7,
};

#define CARRIES_ALL 31

/* All that reaches the wire, frame after frame. */
struct wire {
	uint8_t *o;
	size_t len;
	size_t size;
	uint32_t frames;
};

static void
wire_add(struct wire *w, const struct vnet_frame *f)
{
	if (w->size - w->len < f->len) {
		w->size = 2 * w->size + f->len;
		w->o = realloc(w->o, w->size);
		MUST(w->o);
	}
	memcpy(w->o + w->len, f->data, f->len);
	w->len += f->len;
	w->frames++;
}

static uint32_t
naive_sum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

/* A frame that asks for nothing any more is right by itself. */
static void
check_wire(const struct vnet_frame *f, const struct vnet_l4 *l4)
{
	uint32_t n = l4->version == 4 ? 4 : 16;
	const uint8_t *ip = f->data + l4->ip;
	uint32_t sum;

	sum = l4->proto + (l4->end - l4->l4);
	sum += naive_sum(ip + (l4->version == 4 ? 12 : 8), n);
	sum += naive_sum(f->data + l4->dst, n);
	sum += naive_sum(f->data + l4->l4, l4->end - l4->l4);
	MUST(sum != 0 && sum % 0xffff == 0);
	if (l4->proto == VNET_PROTO_UDP) {
		MUST(vnet_be16_load(f->data + l4->l4 + 4) == l4->end - l4->l4);
		MUST(vnet_be16_load(f->data + l4->l4 + 6) != 0);
	}
}

/* Resolve @f for drivers that carry less and less, the last one nothing. */
static void
resolve(const struct vnet_frame *f, const uint32_t *carries, int ncarries,
	struct wire *w)
{
	uint8_t *buf = malloc(VNET_RESOLVED_MAX);
	uint32_t n = 0, octets = 0, longest = 0;
	struct vnet_resolver r;
	struct vnet_offload o, made;
	struct vnet_frame out;
	struct vnet_l4 l4;
	size_t used;

	MUST(buf);
	MUST(vnet_offload_check(f, &o));
	vnet_resolver_begin(&r, f, &o, *carries);
	while ((used = vnet_resolver_next(&r, buf, &out)) > 0) {
		MUST(used == out.len && used <= VNET_RESOLVED_MAX);
		MUST(out.data == buf && out.depth == f->depth);
		MUST(!(vnet_offload_wants(&out) & ~*carries));
		MUST(vnet_offload_check(&out, &made));
		MUST(out.nsegs == made.nsegs && out.via == 0);
		if (out.gso_type != VNET_GSO_NONE)
			MUST(out.hdr_len == made.hdr_len);
		if (r.cut)
			MUST(out.len <=
			     o.hdr_len + 4u * f->ntags + f->gso_size);

		n++;
		octets += vnet_frame_octets(&out);
		if (vnet_offload_payload_max(&out, &made) > longest)
			longest = vnet_offload_payload_max(&out, &made);
		if (ncarries > 1) {
			resolve(&out, carries + 1, ncarries - 1, w);
			continue;
		}
		wire_add(w, &out);
		if (f->flags & VNET_FRAME_CSUM_PARTIAL) {
			MUST(vnet_eth_parse_l4(&out, &l4));
			check_wire(&out, &l4);
		}
	}
	MUST(n == vnet_offload_frames(f, &o, *carries));
	MUST(octets == vnet_offload_octets(f, &o, *carries));
	MUST(longest == vnet_offload_payload_max(f, &o));
	free(buf);
}

/* The segments of @f on the wire, @w, hold its payload, piece by piece. */
static void
check_payload(const struct vnet_frame *f, const struct vnet_offload *o,
	      const struct wire *w)
{
	uint32_t hdr_len = o->hdr_len + 4u * f->ntags;
	uint32_t done = 0, left = f->len - o->hdr_len;
	const uint8_t *p = w->o;

	MUST(w->frames == o->nsegs);
	for (uint32_t i = 0; i < w->frames; i++) {
		uint32_t n = left < f->gso_size ? left : f->gso_size;

		MUST(!memcmp(p + hdr_len, f->data + o->hdr_len + done, n));
		p += hdr_len + n;
		done += n;
		left -= n;
	}
	MUST(left == 0 && p == w->o + w->len);
}

/* Make the fields agree with the octets, where @help says so. */
static void
repair(struct vnet_frame *f, uint8_t *o, unsigned help)
{
	struct vnet_l4 l4;

	if (!vnet_eth_parse_l4(f, &l4))
		return;
	if (help & HELP_LENGTH) {
		l4.end = f->len;
		if (l4.end - l4.ip > 65535)
			return;
		vnet_eth_set_length(o, &l4, 0);
		if (l4.proto == VNET_PROTO_UDP)
			vnet_be16_store(o + l4.l4 + 4,
					(uint16_t)(l4.end - l4.l4));
	}
	if (help & HELP_CSUM) {
		f->flags &= VNET_FRAME_CSUM_VALID;
		f->flags |= VNET_FRAME_CSUM_PARTIAL;
		f->csum_start = (uint16_t)l4.l4;
		f->csum_offset = l4.proto == VNET_PROTO_TCP ? 16 : 6;
	}
	if (help & HELP_GSO)
		f->gso_type = l4.proto == VNET_PROTO_UDP ? VNET_GSO_UDP
			      : l4.version == 6          ? VNET_GSO_TCP6
							 : VNET_GSO_TCP4;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	static const uint32_t nothing = 0;
	struct wire once = {.len = 0}, twice = {.len = 0};
	struct vnet_frame f = {.len = 0};
	struct vnet_offload o;
	uint32_t carries[3];
	uint8_t *octets;

	if (size < IN_FRAME + VNET_ETH_HEADER_LEN)
		return 0;
	f.len = (uint32_t)(size - IN_FRAME);
	octets = malloc(f.len);
	MUST(octets);
	memcpy(octets, in + IN_FRAME, f.len);
	f.data = octets;
	f.flags = vnet_be16_load(in + IN_FLAGS);
	f.gso_type = in[IN_GSO_TYPE];
	f.ntags = in[IN_NTAGS] % (VNET_MAX_TAGS + 1);
	f.gso_size = vnet_be16_load(in + IN_GSO_SIZE);
	f.csum_start = vnet_be16_load(in + IN_CSUM_START);
	f.csum_offset = in[IN_CSUM_OFFSET];
	f.depth = in[IN_DEPTH];
	for (size_t i = 0; i < VNET_MAX_TAGS; i++) {
		const uint8_t *tag = in + IN_TAGS + 4 * i;

		/* The parser knows no others. */
		f.tag[i].tpid = tag[0] & 1 ? 0x88a8 : 0x8100;
		f.tag[i].tci = vnet_be16_load(tag + 2);
	}
	repair(&f, octets, in[IN_MODE]);

	MUST(vnet_eth_payload(&f) <= f.len - VNET_ETH_HEADER_LEN);
	if (!vnet_offload_check(&f, &o))
		goto refused;
	MUST(o.nsegs >= 1 && o.nsegs <= VNET_MAX_SEGMENTS);
	MUST(vnet_offload_payload_max(&f, &o) <= f.len - VNET_ETH_HEADER_LEN);
	if (vnet_offload_payload_max(&f, &o) > VNET_MTU_MAX)
		goto refused;

	resolve(&f, &nothing, 1, &once);
	carries[0] = in[IN_MODE] & CARRIES_ALL;
	carries[1] = in[IN_CARRIES] & CARRIES_ALL;
	carries[2] = 0;
	resolve(&f, carries, 3, &twice);
	MUST(once.o && twice.o);
	MUST(once.frames == twice.frames && once.len == twice.len);
	MUST(!memcmp(once.o, twice.o, once.len));
	if (f.gso_type != VNET_GSO_NONE)
		check_payload(&f, &o, &once);

refused:
	free(once.o);
	free(twice.o);
	free(octets);
	return 0;
}
