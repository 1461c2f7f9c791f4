/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device_read of a facet: frames one by one, to who asks for each. The first read
 * opens the queue; what comes is kept until it is read, or there is no more room.
 */
#include <string.h>

#include "facet.h"

/* A frame in the ring: its length in two octets, then its octets, and all of it
 * round the end. */
#define HEAD 2

static void
ring_put(struct vnet_mach_facet *f, const uint8_t *p, uint32_t n)
{
	uint32_t at = (f->ring_first + f->ring_octets) % VNET_MACH_READ_OCTETS;
	uint32_t front = VNET_MACH_READ_OCTETS - at;

	if (front > n)
		front = n;
	memcpy(f->ring + at, p, front);
	memcpy(f->ring, p + front, n - front);
	f->ring_octets += n;
}

static void
ring_get(struct vnet_mach_facet *f, uint8_t *p, uint32_t n)
{
	uint32_t front = VNET_MACH_READ_OCTETS - f->ring_first;

	if (front > n)
		front = n;
	memcpy(p, f->ring + f->ring_first, front);
	memcpy(p + front, f->ring, n - front);
	f->ring_first = (f->ring_first + n) % VNET_MACH_READ_OCTETS;
	f->ring_octets -= n;
}

/* What one read may get. */
static uint32_t
room_of(const struct vnet_mach_read *r)
{
	if (r->is_inband && r->wanted > IO_INBAND_MAX)
		return IO_INBAND_MAX;
	return r->wanted;
}

static void
answer(struct vnet_mach_facet *f, const struct vnet_mach_read *r,
       const uint8_t *data, uint32_t len)
{
	uint32_t room = room_of(r);

	f->count.read++;
	if (len > room) {
		f->count.read_cut++;
		len = room;
	}
	vnet_mach_device_answer(f->device.right.m, &r->reply, r->is_inband,
				KERN_SUCCESS, data, len);
}

bool
vnet_mach_facet_keep(struct vnet_mach_facet *f, const struct vnet_frame *frame)
{
	const uint8_t head[HEAD] = {
		(uint8_t)(frame->len >> 8),
		(uint8_t)frame->len,
	};
	struct vnet_mach_read r;

	if (f->nreads) {
		r = f->reads[0];
		f->nreads--;
		memmove(&f->reads[0], &f->reads[1],
			f->nreads * sizeof(f->reads[0]));
		answer(f, &r, frame->data, frame->len);
		return true;
	}
	if (VNET_MACH_READ_OCTETS - f->ring_octets < HEAD + frame->len) {
		f->count.read_full++;
		return false;
	}
	ring_put(f, head, HEAD);
	ring_put(f, frame->data, frame->len);
	return true;
}

static void
answer_kept(struct vnet_mach_facet *f, const struct vnet_mach_read *r)
{
	uint8_t frame[VNET_ETH_HEADER_LEN + 4 * VNET_MAX_TAGS +
		      VNET_MACH_MTU_MAX];
	uint8_t head[HEAD];
	uint32_t len;

	ring_get(f, head, HEAD);
	len = (uint32_t)head[0] << 8 | head[1];
	ring_get(f, frame, len);
	answer(f, r, frame, len);
}

kern_return_t
vnet_mach_facet_read(struct vnet_mach_device *d,
		     const struct vnet_mach_reply *reply, dev_mode_t mode,
		     uint32_t wanted, bool is_inband)
{
	struct vnet_mach_facet *f = (struct vnet_mach_facet *)(void *)d;
	const struct vnet_mach_read r = {*reply, wanted, is_inband};

	if (!(f->access & VNET_MACH_READ))
		return D_INVALID_OPERATION;
	if (f->client == VNET_NO_ID)
		return D_DEVICE_DOWN;
	if (!f->ring) {
		f->ring = vnet_mach_get_memory(f->device.right.m,
					       VNET_MACH_READ_OCTETS);
		if (!f->ring)
			return D_NO_MEMORY;
		vnet_mach_facet_listen(f);
	}
	if (f->ring_octets) {
		answer_kept(f, &r);
		return MIG_NO_REPLY;
	}
	if (mode & D_NOWAIT)
		return D_WOULD_BLOCK;
	if (f->nreads == VNET_MACH_MAX_READS)
		return D_NO_MEMORY;
	f->reads[f->nreads++] = r;
	return MIG_NO_REPLY;
}

void
vnet_mach_facet_clear_reads(struct vnet_mach_facet *f)
{
	struct vnet_mach *m = f->device.right.m;

	for (uint32_t i = 0; i < f->nreads; i++)
		vnet_mach_device_answer(m, &f->reads[i].reply,
					f->reads[i].is_inband, D_DEVICE_DOWN,
					NULL, 0);
	f->nreads = 0;
	vnet_mach_put_memory(m, f->ring, VNET_MACH_READ_OCTETS);
	f->ring = NULL;
	f->ring_first = f->ring_octets = 0;
	vnet_mach_facet_listen(f);
}
