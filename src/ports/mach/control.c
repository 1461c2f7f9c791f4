/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session as a device: what is written goes in, what is read comes out, and a
 * message of our own brings a right along.
 *
 * Memory out of line is touched by a thread that can be spared, as that of facets
 * is; until it has come, what is written after it waits.
 */
#include <errno.h>
#include <string.h>

#include <vnet/mach_control.h>

#include "control.h"
#include "control_session.h"
#include "device.h"
#include "server_control.h"
#include "wire.h"
#include "writes.h"

/* Reads that wait, at the most. */
#define MAX_READS 8

/* Opens of it at a time: each may hold its requests and answers. */
#define MAX_CONTROLS 16

struct read {
	struct vnet_mach_reply reply;
	uint32_t wanted;
	bool is_inband;
};

/**
 * struct vnet_mach_control
 * @is_open:	not closed yet
 * @is_doomed:	nobody has its right any more, and a thread is still at its
 *		memory
 * @waiting:	octets of @writes
 */
struct vnet_mach_control {
	struct vnet_mach_device device; /* first */
	struct vnet_mach_control *next;
	struct vnet_mach_controller controller;
	struct vnet_control_session session;
	bool is_open;
	bool is_doomed;
	struct vnet_mach_writes writes;
	size_t waiting;
	struct read reads[MAX_READS];
	uint32_t nreads;
};

static struct vnet_mach *
server_of(const struct vnet_mach_control *c)
{
	return c->device.right.m;
}

static struct vnet_mach_control *
control_of(struct vnet_mach_right *r)
{
	return (struct vnet_mach_control *)(void *)r;
}

/*
 * Reading
 */

static void
answer(struct vnet_mach_control *c, const struct read *r)
{
	const char *text;
	size_t n = vnet_control_peek(&c->session, &text);
	size_t room = r->wanted;

	if (r->is_inband && room > IO_INBAND_MAX)
		room = IO_INBAND_MAX;
	n = n < room ? n : room;
	vnet_mach_device_answer(server_of(c), &r->reply, r->is_inband,
				KERN_SUCCESS, text, (uint32_t)n);
	vnet_control_take(&c->session, n);
}

static bool
has_answer(struct vnet_mach_control *c)
{
	const char *text;

	return vnet_control_peek(&c->session, &text) > 0;
}

/* Those that wait, in the order they came. */
static void
answer_all(struct vnet_mach_control *c)
{
	while (c->nreads && has_answer(c)) {
		const struct read r = c->reads[0];

		c->nreads--;
		memmove(&c->reads[0], &c->reads[1],
			c->nreads * sizeof(c->reads[0]));
		answer(c, &r);
	}
}

static void
refuse_all(struct vnet_mach_control *c)
{
	for (uint32_t i = 0; i < c->nreads; i++)
		vnet_mach_device_answer(server_of(c), &c->reads[i].reply,
					c->reads[i].is_inband, D_DEVICE_DOWN,
					NULL, 0);
	c->nreads = 0;
}

static kern_return_t
read_device(struct vnet_mach_device *d, const struct vnet_mach_reply *reply,
	    dev_mode_t mode, uint32_t wanted, bool is_inband)
{
	struct vnet_mach_control *c = control_of(&d->right);
	const struct read r = {*reply, wanted, is_inband};

	if (!c->is_open)
		return D_DEVICE_DOWN;
	if (!wanted)
		return D_INVALID_SIZE;
	/* Where there is something, nobody waits. */
	if (has_answer(c)) {
		answer(c, &r);
		return MIG_NO_REPLY;
	}
	if (mode & D_NOWAIT)
		return D_WOULD_BLOCK;
	if (c->nreads == MAX_READS)
		return D_NO_MEMORY;
	c->reads[c->nreads++] = r;
	return MIG_NO_REPLY;
}

/*
 * Writing
 */

/* From now on it only answers that it is closed. */
static void
close(struct vnet_mach_control *c)
{
	c->is_open = false;
	vnet_mach_writes_clear(server_of(c), &c->writes);
	c->waiting = 0;
	refuse_all(c);
	vnet_control_fini(&c->session);
	vnet_mach_job_interrupt(server_of(c), &c->writes.job);
}

/* What it asks for next waits for a read, if it has written as much as it may. */
static kern_return_t
check_write(const struct vnet_mach_control *c, size_t len)
{
	if (!c->is_open)
		return D_DEVICE_DOWN;
	if (len > VNET_CONTROL_WRITE_MAX)
		return D_INVALID_SIZE;
	if (c->writes.n == VNET_MACH_MAX_WRITES ||
	    c->session.len + c->waiting + len > VNET_CONTROL_INPUT_MAX)
		return D_WOULD_BLOCK;
	return KERN_SUCCESS;
}

static void
append(struct vnet_mach_control *c, vm_address_t address, const void *inband,
       uint32_t len)
{
	vnet_mach_writes_add(server_of(c), &c->writes, address, inband, len);
	c->waiting += len;
}

static kern_return_t
write_device(struct vnet_mach_device *d, vm_address_t data, vm_size_t len,
	     int *written)
{
	struct vnet_mach_control *c = control_of(&d->right);
	kern_return_t k = check_write(c, len);

	if (k)
		return k;
	*written = (int)len;
	if (len)
		append(c, data, NULL, (uint32_t)len);
	return KERN_SUCCESS;
}

static kern_return_t
write_inband(struct vnet_mach_device *d, const void *data, uint32_t len,
	     int *written)
{
	struct vnet_mach_control *c = control_of(&d->right);
	kern_return_t k = check_write(c, len);

	if (k)
		return k;
	if (vnet_mach_writes_wait(&c->writes)) {
		append(c, 0, data, len);
	} else {
		if (vnet_control_write(&c->session, data, len))
			return D_NO_MEMORY;
		answer_all(c);
	}
	*written = (int)len;
	return KERN_SUCCESS;
}

/* What one write has brought; false if that cannot be had. */
static bool
take(struct vnet_mach_control *c, const struct vnet_mach_write *w,
     mach_port_t thread)
{
	struct vnet_mach *m = server_of(c);
	bool is_there = false;
	char *text;

	if (w->is_inband)
		return !vnet_control_write(&c->session, (const char *)w->inband,
					   w->len);
	text = vnet_mach_get_memory(m, w->len);
	if (!text) {
		m->sys->vm_deallocate(w->address, w->len);
		return false;
	}
	if (vnet_mach_job_touch(m, &c->writes.job, thread, text, w->address,
				w->len))
		is_there = !c->is_open ||
			   !vnet_control_write(&c->session, text, w->len);
	vnet_mach_put_memory(m, text, w->len);
	return is_there;
}

static void reap(struct vnet_mach_control *c);

/* vnet_mach_job.run */
static void
work(struct vnet_mach_job *job, mach_port_t thread)
{
	struct vnet_mach_control *c =
		VNET_MACH_CONTAINER(job, struct vnet_mach_control, writes.job);

	c->writes.is_busy = true;
	while (c->writes.n && !vnet_mach_is_stopped(server_of(c))) {
		const struct vnet_mach_write w =
			vnet_mach_writes_take(&c->writes);

		c->waiting -= w.len;
		if (!take(c, &w, thread))
			close(c);
		answer_all(c);
	}
	c->writes.is_busy = false;
	reap(c);
}

/*
 * Requests with a right
 */

static void
begin_reply(struct vnet_wire_writer *w, const mach_msg_header_t *in,
	    mach_msg_header_t *out, kern_return_t code)
{
	const struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(in->msgh_bits), 0),
		.remote = in->msgh_remote_port,
		.id = VNET_MACH_CONTROL_REPLY_ID,
	};

	vnet_wire_begin(w, out, VNET_MACH_MSG_SIZE, VNET_WIRE_HERE, &h);
	vnet_wire_put_return(w, code);
}

/* Ours may not come back as that of another. */
static bool
is_ours(const struct vnet_mach *m, mach_port_t right)
{
	return vnet_mach_right_find(m, right) != NULL;
}

/* One line, with or without its end. */
static size_t
run(struct vnet_mach_control *c, const char *text, uint32_t len,
    mach_port_t right, char answer_text[VNET_MACH_CONTROL_MAX])
{
	struct vnet_control_right brought = {.name = 0};
	struct vnet_mach *m = server_of(c);
	size_t n;

	if (MACH_PORT_VALID(right) && !is_ours(m, right))
		brought.name = right;
	if (len && text[len - 1] == '\n')
		len--;
	n = vnet_control_run(&c->controller.host, text, len, &brought,
			     answer_text, VNET_MACH_CONTROL_MAX);
	/* What nobody has taken goes. */
	if (MACH_PORT_VALID(right) && (brought.name || is_ours(m, right)))
		m->sys->port_deallocate(right);
	return n;
}

static bool
run_message(struct vnet_mach_control *c, mach_msg_header_t *in,
	    mach_msg_header_t *out)
{
	char answer_text[VNET_MACH_CONTROL_MAX];
	uint32_t disposition, len = 0;
	struct vnet_wire_header h;
	struct vnet_wire_reader r;
	struct vnet_wire_writer w;
	kern_return_t k = KERN_SUCCESS;
	const uint8_t *text;
	mach_port_t right;
	size_t n = 0;

	vnet_wire_open(&r, in, in->msgh_size, VNET_WIRE_HERE, &h);
	right = vnet_wire_get_right(&r, &disposition);
	text = vnet_wire_get_octets(&r, VNET_WIRE_CHAR, &len);
	if (!vnet_wire_close(&r) || disposition != VNET_WIRE_MOVE_SEND)
		k = MIG_BAD_ARGUMENTS;
	else if (len > VNET_MACH_CONTROL_MAX)
		k = D_INVALID_SIZE;
	else if (!c->is_open)
		k = D_DEVICE_DOWN;
	if (!k)
		n = run(c, (const char *)text, len, right, answer_text);
	begin_reply(&w, in, out, k);
	if (!k)
		vnet_wire_put_octets(&w, VNET_WIRE_CHAR, answer_text,
				     (uint32_t)n, false);
	vnet_wire_end(&w);
	return true;
}

static bool
message(struct vnet_mach_right *r, mach_msg_header_t *in,
	mach_msg_header_t *out)
{
	if (in->msgh_id == VNET_MACH_CONTROL_ID)
		return run_message(control_of(r), in, out);
	return vnet_mach_device_message(r, in, out);
}

/*
 * Coming and going
 */

static kern_return_t
close_device(struct vnet_mach_device *d)
{
	close(control_of(&d->right));
	return KERN_SUCCESS;
}

static const struct vnet_mach_device_ops device_ops = {
	.close = close_device,
	.write = write_device,
	.write_inband = write_inband,
	.read = read_device,
};

/* Its memory could be freed now, if it is doomed. */
static void
reap(struct vnet_mach_control *c)
{
	struct vnet_mach *m = server_of(c);
	struct vnet_mach_control **at = &m->controls;

	if (!c->is_doomed || c->writes.is_busy || c->writes.job.is_waiting)
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	m->nrights--;
	vnet_mach_put_memory(m, c, sizeof(*c));
}

void
vnet_mach_control_end(struct vnet_mach_control *c)
{
	close(c);
	vnet_mach_right_close(&c->device.right);
	c->is_doomed = true;
	reap(c);
}

static void
no_senders(struct vnet_mach_right *r)
{
	vnet_mach_control_end(control_of(r));
}

static const struct vnet_mach_right_ops right_ops = {
	.message = message,
	.no_senders = no_senders,
};

static bool
is_room(const struct vnet_mach *m)
{
	uint32_t n = 0;

	for (const struct vnet_mach_control *c = m->controls; c; c = c->next)
		n++;
	return n < MAX_CONTROLS && m->nrights < m->config.max_rights;
}

void
vnet_mach_controls_forget(struct vnet_mach *m,
			  const struct vnet_mach_master *master)
{
	for (struct vnet_mach_control *c = m->controls; c; c = c->next)
		if (c->controller.master == master)
			c->controller.master = NULL;
}

int
vnet_mach_control_open(struct vnet_mach_master *master, mach_port_t *right)
{
	struct vnet_mach *m = master->right.m;
	struct vnet_mach_control *c;
	int r;

	if (!is_room(m))
		return -EUSERS;
	c = vnet_mach_get_memory(m, sizeof(*c));
	if (!c)
		return -ENOMEM;
	r = vnet_mach_right_open(m, &c->device.right, &right_ops,
				 MACH_PORT_NULL, MACH_PORT_QLIMIT_MAX, true);
	if (r) {
		vnet_mach_put_memory(m, c, sizeof(*c));
		return r;
	}
	c->device.ops = &device_ops;
	c->writes.job.run = work;
	c->is_open = true;
	vnet_mach_controller_init(&c->controller, master);
	vnet_control_init(&c->session, &c->controller.host);
	c->next = m->controls;
	m->controls = c;
	m->nrights++;
	*right = c->device.right.named.name;
	return 0;
}
