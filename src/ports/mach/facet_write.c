/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device_write of a facet. It is answered at once, and with success: pfinet ends
 * itself at any other answer. What becomes of the frame, counters say.
 *
 * What comes out of line is memory that the client may still have a say in: its
 * pager is asked for it when it is first touched, and need not answer. So a
 * thread that can be spared touches it (vnet_mach_work()), one for each client,
 * and copies it before anybody looks at it.
 */
#include <string.h>

#include "facet.h"
#include "net_flags.h"

/* Frames of one client in a turn, before others' are seen to. */
#define TURN 16

static bool
is_heard(const struct vnet_mach_facet *f)
{
	return f->client != VNET_NO_ID && f->flags & NET_FLAG_UP;
}

/* Is there a reason to drop it that needs no look at it? Counts. */
static bool
is_refused(struct vnet_mach_facet *f, vm_size_t len)
{
	f->count.writes++;
	if (!is_heard(f))
		f->count.write_down++;
	else if (!(f->access & VNET_MACH_WRITE))
		f->count.write_denied++;
	else if (len < VNET_ETH_HEADER_LEN ||
		 len > VNET_ETH_HEADER_LEN + 4 + f->mtu)
		f->count.write_length++;
	else if (f->writes.n == VNET_MACH_MAX_WRITES)
		f->count.write_full++;
	else
		return false;
	return true;
}

static void
input(struct vnet_mach_facet *f, const uint8_t *data, uint32_t len)
{
	struct vnet_mach *m = f->device.right.m;
	const struct vnet_frame frame = {.data = data, .len = len};

	vnet_switch_input(m->sw, f->client, &frame, 1, m->now);
}

kern_return_t
vnet_mach_facet_write(struct vnet_mach_device *d, vm_address_t data,
		      vm_size_t len, int *written)
{
	struct vnet_mach_facet *f = (struct vnet_mach_facet *)(void *)d;
	struct vnet_mach *m = d->right.m;

	*written = (int)len;
	if (!is_refused(f, len))
		vnet_mach_writes_add(m, &f->writes, data, NULL, (uint32_t)len);
	else if (len)
		m->sys->vm_deallocate(data, len);
	return KERN_SUCCESS;
}

/* The octets are in the message, the kernel has copied them. Only behind others
 * do they wait. */
kern_return_t
vnet_mach_facet_write_inband(struct vnet_mach_device *d, const void *data,
			     uint32_t len, int *written)
{
	struct vnet_mach_facet *f = (struct vnet_mach_facet *)(void *)d;

	if (len > IO_INBAND_MAX)
		return D_INVALID_SIZE;
	*written = (int)len;
	if (is_refused(f, len))
		return KERN_SUCCESS;
	if (vnet_mach_writes_wait(&f->writes))
		vnet_mach_writes_add(d->right.m, &f->writes, 0, data, len);
	else
		input(f, data, len);
	return KERN_SUCCESS;
}

/* What one write has brought. */
static bool
fetch(struct vnet_mach_facet *f, const struct vnet_mach_write *w,
      uint8_t *frame, mach_port_t thread)
{
	if (!w->is_inband)
		return vnet_mach_job_touch(f->device.right.m, &f->writes.job,
					   thread, frame, w->address, w->len);
	memcpy(frame, w->inband, w->len);
	return true;
}

/* One that sends memory that cannot be read has lost its place here. */
static void
do_one(struct vnet_mach_facet *f, uint8_t *frame, mach_port_t thread)
{
	const struct vnet_mach_write w = vnet_mach_writes_take(&f->writes);

	if (!fetch(f, &w, frame, thread)) {
		f->count.write_fault++;
		vnet_mach_facet_close(f);
	} else if (is_heard(f)) {
		input(f, frame, w.len);
	} else {
		f->count.write_down++;
	}
}

void
vnet_mach_facet_work(struct vnet_mach_job *job, mach_port_t thread)
{
	struct vnet_mach_facet *f =
		VNET_MACH_CONTAINER(job, struct vnet_mach_facet, writes.job);
	struct vnet_mach *m = f->device.right.m;
	uint8_t frame[VNET_MACH_FRAME_MAX];
	uint32_t n = TURN;

	f->writes.is_busy = true;
	while (f->writes.n && n-- && !vnet_mach_is_stopped(m))
		do_one(f, frame, thread);
	f->writes.is_busy = false;
	if (f->writes.n && !f->is_doomed)
		vnet_mach_job_add(m, job);
	vnet_mach_facet_reap(f);
}
