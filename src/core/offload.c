/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame may leave work to its medium: a checksum to be computed, a datagram
 * to be cut into segments, tags to be put in. What the medium of its
 * destination cannot do is done here. What becomes of the headers of segments:
 *
 *	IPv4	total length; identification + 1 for each segment; checksum
 *	IPv6	payload length
 *	TCP	sequence number + the payload before it
 *		FIN, PSH	on the last segment alone
 *		CWR		on the first alone (RFC 3168, 6.1.2), with or
 *				without VNET_FRAME_GSO_ECN: Linux, where it does
 *				the segmentation, does not look at that flag
 *				either. It tells a medium what its hardware must
 *				be able to do
 *		URG		as far as the urgent octets reach, the pointer
 *				less the payload before it
 *		the rest	as they are
 *	UDP	length; a checksum of 0 is sent as 0xffff
 *
 * Octets behind the datagram (padding to 60) are kept and are in no checksum.
 */
#include <string.h>

#include "offload.h"

/* What segmentation may add to a frame. Without a bound, one of some hundred
 * octets with long headers would become a megabyte at every port. */
#define MAX_ADDED_HEADERS 65536u

#define KNOWN_FLAGS \
	(VNET_FRAME_CSUM_PARTIAL | VNET_FRAME_CSUM_VALID | VNET_FRAME_GSO_ECN)

/* RFC 9293, 3.1. */
enum {
	TCP_HEADER_LEN = 20,
	TCP_FLAGS_AT = 13,
	TCP_CSUM_AT = 16,
	TCP_URGENT_AT = 18,
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_URG = 0x20,
	TCP_CWR = 0x80,
};

/* RFC 768. */
enum {
	UDP_HEADER_LEN = 8,
	UDP_LEN_AT = 4,
	UDP_CSUM_AT = 6,
};

static uint16_t
csum_offset(const struct vnet_l4 *l4)
{
	return l4->proto == VNET_PROTO_TCP ? TCP_CSUM_AT : UDP_CSUM_AT;
}

/* Find the layer-4 payload, and see that the transport header agrees with the
 * datagram. */
static bool
find_payload(const struct vnet_frame *f, struct vnet_offload *o)
{
	const uint8_t *p = f->data + o->l4.l4;
	uint32_t room = o->l4.end - o->l4.l4;
	uint32_t len;

	if (o->l4.proto == VNET_PROTO_TCP) {
		len = (p[12] >> 4) * 4u;
		if (len < TCP_HEADER_LEN || len > room)
			return false;
	} else {
		len = UDP_HEADER_LEN;
		if (vnet_be16_load(p + UDP_LEN_AT) != room)
			return false;
	}
	o->hdr_len = (uint16_t)(o->l4.l4 + len);
	return true;
}

static bool
agrees_with_gso_type(const struct vnet_frame *f, const struct vnet_l4 *l4)
{
	switch (f->gso_type) {
	case VNET_GSO_TCP4:
		return l4->proto == VNET_PROTO_TCP && l4->version == 4;
	case VNET_GSO_TCP6:
		return l4->proto == VNET_PROTO_TCP && l4->version == 6;
	case VNET_GSO_UDP:
		return l4->proto == VNET_PROTO_UDP;
	default:
		return false;
	}
}

bool
vnet_offload_check(const struct vnet_frame *f, struct vnet_offload *o)
{
	uint32_t payload, nsegs;

	o->nsegs = 1;
	if (f->flags & ~KNOWN_FLAGS)
		return false;
	if (!(f->flags & VNET_FRAME_CSUM_PARTIAL))
		return f->gso_type == VNET_GSO_NONE &&
		       !(f->flags & VNET_FRAME_GSO_ECN);

	if (!vnet_eth_parse_l4(f, &o->l4) || !find_payload(f, o))
		return false;
	if (f->csum_start != o->l4.l4 || f->csum_offset != csum_offset(&o->l4))
		return false;
	if (f->flags & VNET_FRAME_GSO_ECN && f->gso_type != VNET_GSO_TCP4 &&
	    f->gso_type != VNET_GSO_TCP6)
		return false;
	if (f->gso_type == VNET_GSO_NONE)
		return true;

	if (!agrees_with_gso_type(f, &o->l4) || o->l4.end != f->len ||
	    f->gso_size == 0)
		return false;
	payload = o->l4.end - o->hdr_len;
	nsegs = payload ? (payload - 1) / f->gso_size + 1 : 1;
	/* Tags count wherever they are: they may be put in on the way. */
	if (nsegs > VNET_MAX_SEGMENTS ||
	    (nsegs - 1) * (o->hdr_len + 4u * f->ntags) > MAX_ADDED_HEADERS)
		return false;
	if (nsegs > 1 && o->l4.proto == VNET_PROTO_TCP &&
	    f->data[o->l4.l4 + TCP_FLAGS_AT] & (TCP_SYN | TCP_RST))
		return false;
	o->nsegs = (uint16_t)nsegs;
	return true;
}

uint32_t
vnet_offload_payload_max(const struct vnet_frame *f,
			 const struct vnet_offload *o)
{
	uint32_t payload = vnet_eth_payload(f);

	if (f->gso_type == VNET_GSO_NONE || o->nsegs == 1)
		return payload;
	/* The first segment is a full one. */
	return payload - (f->len - o->hdr_len - f->gso_size);
}

void
vnet_resolver_begin(struct vnet_resolver *r, const struct vnet_frame *f,
		    const struct vnet_offload *o, uint32_t carries)
{
	r->f = f;
	r->o = *o;
	r->carries = carries;
	r->done = 0;
	r->nout = 0;
	r->cut = vnet_offload_is_cut(f, carries);
}

/* A segment whose payload begins @done octets into the frame's. */
static void
set_tcp(uint8_t *tcp, uint32_t done, bool first, bool last)
{
	uint8_t *flags = tcp + TCP_FLAGS_AT;
	uint16_t urgent = vnet_be16_load(tcp + TCP_URGENT_AT);

	vnet_be32_store(tcp + 4, vnet_be32_load(tcp + 4) + done);
	if (!last)
		*flags = (uint8_t)(*flags & ~(TCP_FIN | TCP_PSH));
	if (!first)
		*flags = (uint8_t)(*flags & ~TCP_CWR);
	if (first || !(*flags & TCP_URG))
		return;
	if (urgent <= done) {
		*flags = (uint8_t)(*flags & ~TCP_URG);
		urgent = 0;
	} else {
		urgent = (uint16_t)(urgent - done);
	}
	vnet_be16_store(tcp + TCP_URGENT_AT, urgent);
}

/* Begin a transport checksum: the sum of the pseudo-header in the field. */
static void
put_seed(uint8_t *data, const struct vnet_l4 *l4)
{
	uint16_t sum = vnet_csum_fold(vnet_eth_sum_pseudo(data, l4));

	memcpy(data + l4->l4 + csum_offset(l4), &sum, sizeof(sum));
}

/* Compute a transport checksum. The seed in the field came from outside. */
static void
put_csum(uint8_t *data, const struct vnet_l4 *l4)
{
	uint16_t sum;

	put_seed(data, l4);
	sum = vnet_csum_fold(vnet_csum_add(0, data + l4->l4, l4->end - l4->l4));
	sum = (uint16_t)~sum;
	/* Zero would mean that there is none. */
	if (sum == 0 && l4->proto == VNET_PROTO_UDP)
		sum = 0xffff;
	memcpy(data + l4->l4 + csum_offset(l4), &sum, sizeof(sum));
}

/* Copy the frame up to @head, and its tags if the driver cannot carry them, to
 * @buf. Returns the octets of the tags that were put in. */
static uint32_t
copy_head(const struct vnet_resolver *r, uint32_t head, uint8_t *buf,
	  struct vnet_frame *out)
{
	const struct vnet_frame *f = r->f;
	uint32_t at, shift;

	if (!f->ntags || r->carries & VNET_CARRIES_TAGS) {
		out->ntags = f->ntags;
		memcpy(out->tag, f->tag, f->ntags * sizeof(f->tag[0]));
		memcpy(buf, f->data, head);
		return 0;
	}
	shift = 4u * f->ntags;
	at = vnet_eth_put_tags(buf, f);
	memcpy(buf + at, f->data + (at - shift), shift + head - at);
	return shift;
}

/* See to what CSUM_PARTIAL asks for, in a frame whose headers lie @shift octets
 * further back than in the one it was made from. */
static void
resolve(const struct vnet_resolver *r, uint32_t shift, uint8_t *buf,
	struct vnet_frame *out)
{
	const struct vnet_frame *f = r->f;
	struct vnet_l4 l4 = r->o.l4;

	l4.ip += shift;
	l4.l4 += shift;
	l4.dst += shift;
	l4.end = r->cut ? out->len : l4.end + shift;

	if (r->cut) {
		vnet_eth_set_length(buf, &l4, r->nout);
		if (l4.proto == VNET_PROTO_TCP)
			set_tcp(buf + l4.l4, r->done, r->nout == 0,
				r->nout + 1 == r->o.nsegs);
		else
			vnet_be16_store(buf + l4.l4 + UDP_LEN_AT,
					(uint16_t)(l4.end - l4.l4));
	}

	if (!(r->carries & VNET_CARRIES_CSUM)) {
		put_csum(buf, &l4);
		return;
	}
	out->csum_start = (uint16_t)l4.l4;
	out->csum_offset = f->csum_offset;
	if (r->cut) {
		put_seed(buf, &l4);
		out->flags = VNET_FRAME_CSUM_PARTIAL;
		return;
	}
	out->flags = f->flags;
	if (f->gso_type != VNET_GSO_NONE) {
		out->gso_type = f->gso_type;
		out->gso_size = f->gso_size;
		out->hdr_len = (uint16_t)(r->o.hdr_len + shift);
		out->nsegs = r->o.nsegs;
	}
}

size_t
vnet_resolver_next(struct vnet_resolver *r, uint8_t *buf,
		   struct vnet_frame *out)
{
	const struct vnet_frame *f = r->f;
	/* The frame up to @head, then @len octets of layer-4 payload. */
	uint32_t head = r->cut ? r->o.hdr_len : f->len;
	uint32_t len = f->len - head - r->done;
	uint32_t shift;

	if (r->nout == (r->cut ? r->o.nsegs : 1))
		return 0;
	if (r->cut && len > f->gso_size)
		len = f->gso_size;
	VNET_ASSERT(head + len + 4u * f->ntags <= VNET_RESOLVED_MAX);

	memset(out, 0, sizeof(*out));
	shift = copy_head(r, head, buf, out);
	memcpy(buf + shift + head, f->data + head + r->done, len);
	out->data = buf;
	out->len = shift + head + len;
	out->nsegs = 1;
	out->depth = f->depth;

	if (f->flags & VNET_FRAME_CSUM_PARTIAL)
		resolve(r, shift, buf, out);
	else
		out->flags = f->flags;

	r->done += len;
	r->nout++;
	return out->len;
}
