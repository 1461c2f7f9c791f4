/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "wire.h"

#define COMPLEX     UINT32_C(0x80000000) /* MACH_MSGH_BITS_COMPLEX */
#define NET_RCV_MSG 2999                 /* NET_RCV_MSG_ID */

/* Octets of net_rcv_msg.header and of a packet_header (<device/net_status.h>). */
#define NET_HEADER_LEN    64
#define PACKET_HEADER_LEN 4
#define NET_RCV_MAX       4095

/* A descriptor's bits, which both ABIs have in the same order: i386 in one word
 * (name 8, size 8, number 12, then these), x86_64 in two (name 8, size 16, 5
 * unused, then these; the number is the second one). */
enum {
	IS_INLINE = 1,
	IS_LONG = 2,
	DEALLOCATE = 4,
};

/* The greatest number in a short descriptor of i386. */
#define SHORT_MAX 4095

/* mach_msg_type_name_t that are rights (MACH_MSG_TYPE_PORT_ANY). */
#define FIRST_RIGHT 16 /* MACH_MSG_TYPE_MOVE_RECEIVE */
#define LAST_RIGHT  21 /* MACH_MSG_TYPE_MAKE_SEND_ONCE */

/* What of a message depends on the ABI. */
struct abi {
	uint8_t header; /* octets of mach_msg_header_t */
	uint8_t remote; /* where in it */
	uint8_t local;
	uint8_t id;
	uint8_t align;
	uint8_t word; /* octets of an address, and of a right inline */
};

static const struct abi abis[] = {
	[VNET_WIRE_I386] = {24, 8, 12, 20, 4, 4},
	[VNET_WIRE_X86_64] = {32, 8, 16, 28, 8, 8},
};

static uint32_t
get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static uint32_t
get16(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static void
put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static size_t
align(size_t n, const struct abi *a)
{
	return (n + a->align - 1) & ~(size_t)(a->align - 1);
}

/*
 * Descriptors
 */

struct type {
	uint32_t name;
	uint32_t size; /* of an element, bits */
	uint32_t number;
	uint32_t bits;
};

static size_t
put_type(uint8_t *p, enum vnet_wire_abi abi, const struct type *t)
{
	if (abi == VNET_WIRE_X86_64) {
		put32(p, t->name | t->size << 8 |
				 (t->bits & ~(uint32_t)IS_LONG) << 29);
		put32(p + 4, t->number);
		return 8;
	}
	if (!(t->bits & IS_LONG)) {
		put32(p,
		      t->name | t->size << 8 | t->number << 16 | t->bits << 28);
		return 4;
	}
	put32(p, t->bits << 28);
	put16(p + 4, t->name);
	put16(p + 6, t->size);
	put32(p + 8, t->number);
	return 12;
}

/* Returns the octets of a descriptor, 0 if there are not as many. */
static size_t
get_type(const uint8_t *p, size_t len, enum vnet_wire_abi abi, struct type *t)
{
	uint32_t word;

	if (len < (abi == VNET_WIRE_X86_64 ? 8 : 4))
		return 0;
	word = get32(p);
	t->name = word & 0xff;
	if (abi == VNET_WIRE_X86_64) {
		t->size = word >> 8 & 0xffff;
		t->bits = word >> 29;
		t->number = get32(p + 4);
		return 8;
	}
	t->size = word >> 8 & 0xff;
	t->number = word >> 16 & 0xfff;
	t->bits = word >> 28 & 7;
	if (!(t->bits & IS_LONG))
		return 4;
	if (len < 12)
		return 0;
	t->name = get16(p + 4);
	t->size = get16(p + 6);
	t->number = get32(p + 8);
	return 12;
}

static bool
is_right(const struct type *t)
{
	return t->name >= FIRST_RIGHT && t->name <= LAST_RIGHT;
}

/* One item of a message. */
struct item {
	struct type type;
	size_t at;     /* of what it has in the message: data, or an address */
	size_t octets; /* of data, there or out of line */
};

/* The item at *@pos, which is stepped behind it. False if it is not whole, or if
 * there is none. */
static bool
next_item(const uint8_t *msg, size_t size, enum vnet_wire_abi abi, size_t *pos,
	  struct item *i)
{
	const struct abi *a = &abis[abi];
	uint64_t octets;
	size_t n, there;

	if (*pos >= size)
		return false;
	n = get_type(msg + *pos, size - *pos, abi, &i->type);
	if (!n)
		return false;
	i->at = *pos + n;
	octets = ((uint64_t)i->type.size * i->type.number + 7) >> 3;
	if (octets > SIZE_MAX)
		return false;
	i->octets = (size_t)octets;
	there = i->type.bits & IS_INLINE ? i->octets : a->word;
	if (there > size - i->at)
		return false;
	*pos = align(i->at + there, a);
	return true;
}

/*
 * Frames
 */

size_t
vnet_wire_net_rcv(uint8_t *out, enum vnet_wire_abi abi,
		  const struct vnet_frame *f)
{
	const struct abi *a = &abis[abi];
	const uint32_t payload = f->len - VNET_ETH_HEADER_LEN;
	struct type t = {VNET_WIRE_BYTE, 8, NET_HEADER_LEN, IS_INLINE};
	uint8_t *p = out + a->header;
	size_t len;

	memset(out, 0, a->header);
	p += put_type(p, abi, &t);
	memcpy(p, f->data, VNET_ETH_HEADER_LEN);
	memset(p + VNET_ETH_HEADER_LEN, 0,
	       NET_HEADER_LEN - VNET_ETH_HEADER_LEN);
	p += NET_HEADER_LEN;
	t.number = PACKET_HEADER_LEN + payload;
	p += put_type(p, abi, &t);
	put16(p, t.number);
	memcpy(p + 2, f->data + VNET_ETH_HEADER_LEN - 2, 2);
	memcpy(p + PACKET_HEADER_LEN, f->data + VNET_ETH_HEADER_LEN, payload);
	p += t.number;
	len = align((size_t)(p - out), a);
	memset(p, 0, len - (size_t)(p - out));
	put32(out + 4, (uint32_t)len);
	put32(out + a->id, NET_RCV_MSG);
	return len;
}

void
vnet_wire_set_remote(uint8_t *msg, enum vnet_wire_abi abi, uint32_t name,
		     uint32_t disposition)
{
	const struct abi *a = &abis[abi];

	put32(msg, (get32(msg) & COMPLEX) | disposition);
	put32(msg + a->remote, name);
	put32(msg + a->local, 0);
}

size_t
vnet_wire_net_rcv_read(const uint8_t *msg, size_t size, enum vnet_wire_abi abi,
		       uint8_t *frame, size_t room)
{
	const struct abi *a = &abis[abi];
	struct item header, packet;
	size_t pos = a->header, payload;

	if (size < a->header || get32(msg) & COMPLEX ||
	    get32(msg + a->id) != NET_RCV_MSG ||
	    !next_item(msg, size, abi, &pos, &header) ||
	    !next_item(msg, size, abi, &pos, &packet))
		return 0;
	if (!(header.type.bits & packet.type.bits & IS_INLINE) ||
	    header.octets != NET_HEADER_LEN ||
	    packet.octets < PACKET_HEADER_LEN || packet.octets > NET_RCV_MAX)
		return 0;
	payload = packet.octets - PACKET_HEADER_LEN;
	if (VNET_ETH_HEADER_LEN + payload > room)
		return 0;
	memcpy(frame, msg + header.at, VNET_ETH_HEADER_LEN);
	memcpy(frame + VNET_ETH_HEADER_LEN, msg + packet.at + PACKET_HEADER_LEN,
	       payload);
	return VNET_ETH_HEADER_LEN + payload;
}

/*
 * Writing
 */

/* Room for @n octets more, zeroed up to where the next item begins; NULL if
 * there is none. */
static uint8_t *
extend(struct vnet_wire_writer *w, size_t n)
{
	const struct abi *a = &abis[w->abi];
	size_t len = align(w->len + n, a);
	uint8_t *p = w->msg + w->len;

	if (w->is_full || n > w->room || len > w->room) {
		w->is_full = true;
		return NULL;
	}
	memset(p, 0, len - w->len);
	w->len = len;
	return p;
}

void
vnet_wire_begin(struct vnet_wire_writer *w, void *msg, size_t room,
		enum vnet_wire_abi abi, const struct vnet_wire_header *h)
{
	const struct abi *a = &abis[abi];
	uint8_t *p;

	*w = (struct vnet_wire_writer){.msg = msg, .room = room, .abi = abi};
	p = extend(w, a->header);
	if (!p)
		return;
	put32(p, h->bits & ~COMPLEX);
	put32(p + a->remote, h->remote);
	put32(p + a->local, h->local);
	put32(p + a->id, h->id);
}

/* An item: its descriptor, and room for what it has in the message. */
static uint8_t *
put_item(struct vnet_wire_writer *w, const struct type *t, size_t octets)
{
	const bool is_short = w->abi == VNET_WIRE_I386 && !(t->bits & IS_LONG);
	uint8_t head[12];
	uint8_t *p;
	size_t n;

	/* What has no room in the descriptor has none in the message. */
	if (octets > w->room || (is_short && t->number > SHORT_MAX)) {
		w->is_full = true;
		return NULL;
	}
	n = put_type(head, w->abi, t);
	p = extend(w, n + octets);
	if (!p)
		return NULL;
	memcpy(p, head, n);
	return p + n;
}

void
vnet_wire_put_int32(struct vnet_wire_writer *w, const uint32_t *v, uint32_t n)
{
	const struct type t = {VNET_WIRE_INT32, 32, n, IS_INLINE};
	uint8_t *p = put_item(w, &t, (size_t)n * 4);

	for (uint32_t i = 0; p && i < n; i++)
		put32(p + (size_t)i * 4, v[i]);
}

static void
put_word(uint8_t *p, enum vnet_wire_abi abi, uintptr_t v)
{
	for (uint32_t i = 0; i < abis[abi].word && i < sizeof(v); i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

void
vnet_wire_put_natural(struct vnet_wire_writer *w, uintptr_t v)
{
	const uint32_t octets = abis[w->abi].word;
	const struct type t = {
		octets == 8 ? VNET_WIRE_INT64 : VNET_WIRE_INT32,
		8 * octets,
		1,
		IS_INLINE,
	};
	uint8_t *p = put_item(w, &t, octets);

	if (p)
		put_word(p, w->abi, v);
}

/* Of one element. */
static uint32_t
octets_of(uint32_t type, enum vnet_wire_abi abi)
{
	if (type >= FIRST_RIGHT && type <= LAST_RIGHT)
		return abis[abi].word;
	return type == VNET_WIRE_INT32 ? 4 : type == VNET_WIRE_INT16 ? 2 : 1;
}

void
vnet_wire_put_octets(struct vnet_wire_writer *w, uint32_t type, const void *p,
		     uint32_t n, bool is_long)
{
	const uint32_t octets = octets_of(type, w->abi);
	struct type t = {type, 8 * octets, n, IS_INLINE};
	uint8_t *to;

	if (is_long)
		t.bits |= IS_LONG;
	/* One string, and not so many octets: as MIG does it. */
	if (is_long && type == VNET_WIRE_STRING) {
		t.size = 8 * n;
		t.number = 1;
	}
	if (is_right(&t))
		w->is_complex = true;
	to = put_item(w, &t, (size_t)n * octets);
	if (to && n)
		memcpy(to, p, (size_t)n * octets);
}

void
vnet_wire_put_right(struct vnet_wire_writer *w, uint32_t name,
		    uint32_t disposition)
{
	const uint32_t octets = abis[w->abi].word;
	const struct type t = {disposition, 8 * octets, 1, IS_INLINE};
	uint8_t *p = put_item(w, &t, octets);

	w->is_complex = true;
	if (p)
		put32(p, name);
}

void
vnet_wire_put_memory(struct vnet_wire_writer *w, uintptr_t address, uint32_t n,
		     bool deallocate)
{
	const uint32_t octets = abis[w->abi].word;
	const struct type t = {
		VNET_WIRE_BYTE,
		8,
		n,
		IS_LONG | (deallocate ? DEALLOCATE : 0u),
	};
	uint8_t *p = put_item(w, &t, octets);

	w->is_complex = true;
	if (p)
		put_word(p, w->abi, address);
}

void
vnet_wire_put_return(struct vnet_wire_writer *w, int32_t code)
{
	const uint32_t v = (uint32_t)code;

	vnet_wire_put_int32(w, &v, 1);
}

size_t
vnet_wire_end(struct vnet_wire_writer *w)
{
	if (w->is_full)
		return 0;
	if (w->is_complex)
		put32(w->msg, get32(w->msg) | COMPLEX);
	put32(w->msg + 4, (uint32_t)w->len);
	return w->len;
}

/*
 * Reading
 */

void
vnet_wire_open(struct vnet_wire_reader *r, const void *msg, size_t size,
	       enum vnet_wire_abi abi, struct vnet_wire_header *h)
{
	const struct abi *a = &abis[abi];
	const uint8_t *p = msg;

	*r = (struct vnet_wire_reader){
		.msg = msg,
		.pos = a->header,
		.len = size,
		.abi = abi,
	};
	memset(h, 0, sizeof(*h));
	if (size < a->header) {
		r->is_wrong = true;
		return;
	}
	h->bits = get32(p);
	h->size = get32(p + 4);
	h->remote = get32(p + a->remote);
	h->local = get32(p + a->local);
	h->id = get32(p + a->id);
	r->is_complex = h->bits & COMPLEX;
}

/* The next item, if it is there or out of line, as wanted. */
static bool
take(struct vnet_wire_reader *r, struct item *i, bool is_inline)
{
	if (!r->is_wrong && next_item(r->msg, r->len, r->abi, &r->pos, i) &&
	    !(i->type.bits & IS_INLINE) == !is_inline)
		return true;
	r->is_wrong = true;
	return false;
}

uint32_t
vnet_wire_get_int32(struct vnet_wire_reader *r)
{
	struct item i;

	if (!take(r, &i, true))
		return 0;
	if (i.octets != 4 || is_right(&i.type)) {
		r->is_wrong = true;
		return 0;
	}
	return get32(r->msg + i.at);
}

const uint8_t *
vnet_wire_get_octets(struct vnet_wire_reader *r, uint32_t type, uint32_t *n)
{
	struct item i;

	*n = 0;
	if (!take(r, &i, true))
		return NULL;
	if (i.type.name != type) {
		r->is_wrong = true;
		return NULL;
	}
	*n = (uint32_t)i.octets;
	return r->msg + i.at;
}

uint32_t
vnet_wire_get_right(struct vnet_wire_reader *r, uint32_t *disposition)
{
	struct item i;

	*disposition = 0;
	if (!take(r, &i, true))
		return 0;
	if (!r->is_complex || !is_right(&i.type) ||
	    i.octets != abis[r->abi].word) {
		r->is_wrong = true;
		return 0;
	}
	*disposition = i.type.name;
	return get32(r->msg + i.at);
}

static uintptr_t
address_at(const uint8_t *p, enum vnet_wire_abi abi)
{
	uintptr_t v = 0;

	for (uint32_t i = 0; i < abis[abi].word && i < sizeof(v); i++)
		v |= (uintptr_t)p[i] << 8 * i;
	return v;
}

uintptr_t
vnet_wire_get_memory(struct vnet_wire_reader *r, uint32_t *n)
{
	struct item i;

	*n = 0;
	if (!take(r, &i, false))
		return 0;
	if (!r->is_complex || is_right(&i.type) || i.octets > UINT32_MAX) {
		r->is_wrong = true;
		return 0;
	}
	*n = (uint32_t)i.octets;
	return address_at(r->msg + i.at, r->abi);
}

bool
vnet_wire_close(const struct vnet_wire_reader *r)
{
	return !r->is_wrong && r->pos >= r->len;
}

/*
 * Any message
 */

bool
vnet_wire_is_whole(const uint8_t *msg, size_t size, enum vnet_wire_abi abi)
{
	size_t pos = abis[abi].header;
	struct item i;

	if (size < pos)
		return false;
	/* The kernel has not looked at it, and senders leave slack at its end. */
	if (!(get32(msg) & COMPLEX))
		return true;
	while (pos < size)
		if (!next_item(msg, size, abi, &pos, &i))
			return false;
	return true;
}

/* The rights in one item: names side by side, in the message or out of line. */
static void
visit_rights(const struct item *i, const uint8_t *names,
	     const struct vnet_wire_visitor *v)
{
	const size_t each = i->type.size / 8;

	for (uint32_t k = 0; each >= 4 && k < i->type.number; k++)
		v->right(v->ctx, get32(names + k * each), i->type.name);
}

void
vnet_wire_visit(const uint8_t *msg, size_t size, enum vnet_wire_abi abi,
		const struct vnet_wire_visitor *v)
{
	size_t pos = abis[abi].header;
	struct item i;

	if (size < pos || !(get32(msg) & COMPLEX))
		return;
	while (next_item(msg, size, abi, &pos, &i)) {
		bool is_inline = i.type.bits & IS_INLINE;
		uintptr_t address = is_inline ? 0 : address_at(msg + i.at, abi);

		if (is_right(&i.type) && is_inline)
			visit_rights(&i, msg + i.at, v);
		else if (is_right(&i.type) && address)
			visit_rights(&i, (const uint8_t *)address, v);
		if (!is_inline && i.octets && i.type.bits & DEALLOCATE)
			v->memory(v->ctx, address, i.octets);
	}
}
