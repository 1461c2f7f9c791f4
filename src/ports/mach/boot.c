/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot chain.
 *
 * What the next one asks of us is answered in any order and at any time; the
 * usual one is fsys_getpriv, fsys_startup, fsys_init. The last brings rights to
 * our process and an auth handle. With it
 *
 *	mark_important ->			proc, for us
 *	child, task2proc (who is before us) ->	proc
 *	fsys_init (their process, auth) ->	who is before us
 *
 * The first keeps the system from ending us at shutdown while the filesystem
 * still writes. The others are what the filesystem has done for us: whoever is
 * before us has no other way to its process right.
 */
#include <errno.h>
#include <string.h>

#include <vnet/mach_boot.h>

#include "call.h"
#include "hurd_ids.h"

struct vnet_boot {
	struct vnet_mach_ends ends;
	struct vnet_mach_endpoint right; /* the next one's bootstrap port */
	struct vnet_mach_sender upwards; /* what is passed on as it is */
	struct vnet_mach_call call;      /* one after the other */
	struct vnet_boot_config config;
	mach_port_t parent; /* the task before us */
	mach_port_t proc;   /* our process, from fsys_init on */
	mach_port_t auth;
	mach_port_t parent_proc;
	bool is_initialized;
};

static void
drop(struct vnet_boot *b, mach_port_t *right)
{
	if (MACH_PORT_VALID(*right))
		b->ends.sys->port_deallocate(*right);
	*right = MACH_PORT_NULL;
}

static struct vnet_boot *
boot_of(struct vnet_mach_call *c)
{
	return VNET_MACH_CONTAINER(c, struct vnet_boot, call);
}

/*
 * What is asked of others
 */

/* Call @to with up to two rights, each with its disposition; then @next. Where the
 * call cannot be made, @next is told that there is no answer. */
static void
call(struct vnet_boot *b, mach_port_t to, mach_msg_id_t id,
     const mach_port_t *rights, const uint32_t *dispositions, uint32_t nrights,
     void (*next)(struct vnet_mach_call *c, mach_msg_header_t *in))
{
	struct vnet_wire_writer w;
	uint64_t msg[16];
	uint32_t i;

	if (vnet_mach_call_open(&b->ends, &b->call, next) != 0) {
		next(&b->call, NULL);
		return;
	}
	vnet_mach_call_begin(&b->call, &w, msg, sizeof(msg), id);
	for (i = 0; i < nrights; i++)
		vnet_wire_put_right(&w, (uint32_t)rights[i], dispositions[i]);
	vnet_wire_end(&w);
	vnet_mach_call_send(&b->call, (mach_msg_header_t *)msg, to, VNET_NEVER);
}

static void
destroy_answer(struct vnet_boot *b, mach_msg_header_t *in)
{
	if (in)
		vnet_mach_msg_destroy(b->ends.sys, in);
}

/* The @n rights of an answer to @id. Where it is none, they are left alone. */
static void
get_rights(struct vnet_boot *b, mach_msg_header_t *in, mach_msg_id_t id,
	   mach_port_t *rights, uint32_t n)
{
	struct vnet_wire_reader r;
	mach_port_t got[3];
	uint32_t i, disposition;

	if (vnet_mach_call_open_answer(&r, in, id) == KERN_SUCCESS) {
		for (i = 0; i < n; i++)
			got[i] = vnet_wire_get_right(&r, &disposition);
		if (vnet_wire_close(&r)) {
			memcpy(rights, got, n * sizeof(*rights));
			return;
		}
	}
	destroy_answer(b, in);
}

/* They know, or never will. */
static void
told_parent(struct vnet_mach_call *c, mach_msg_header_t *in)
{
	struct vnet_boot *b = boot_of(c);

	destroy_answer(b, in);
	drop(b, &b->parent_proc);
	drop(b, &b->proc);
	drop(b, &b->auth);
}

static void
found_parent(struct vnet_mach_call *c, mach_msg_header_t *in)
{
	static const uint32_t copy[2] = {
		VNET_WIRE_COPY_SEND,
		VNET_WIRE_COPY_SEND,
	};
	struct vnet_boot *b = boot_of(c);
	mach_port_t rights[2];

	get_rights(b, in, HURD_PROC_TASK2PROC, &b->parent_proc, 1);
	if (!MACH_PORT_VALID(b->parent_proc)) {
		told_parent(c, NULL);
		return;
	}
	rights[0] = b->parent_proc;
	rights[1] = b->auth;
	call(b, b->config.bootstrap, HURD_FSYS_INIT, rights, copy, 2,
	     told_parent);
}

static const uint32_t copy_send = VNET_WIRE_COPY_SEND;

static void
entered_parent(struct vnet_mach_call *c, mach_msg_header_t *in)
{
	struct vnet_boot *b = boot_of(c);

	destroy_answer(b, in);
	call(b, b->proc, HURD_PROC_TASK2PROC, &b->parent, &copy_send, 1,
	     found_parent);
}

static void
marked_important(struct vnet_mach_call *c, mach_msg_header_t *in)
{
	struct vnet_boot *b = boot_of(c);

	if (!MACH_PORT_VALID(b->parent)) {
		told_parent(c, in);
		return;
	}
	destroy_answer(b, in);
	call(b, b->proc, HURD_PROC_CHILD, &b->parent, &copy_send, 1,
	     entered_parent);
}

/* The rights of those before us; with them the next one's turn begins. */
static void
got_priv(struct vnet_mach_call *c, mach_msg_header_t *in)
{
	mach_port_t right[3] = {MACH_PORT_NULL};
	struct vnet_boot *b = boot_of(c);

	get_rights(b, in, HURD_FSYS_GETPRIV, right, 3);
	b->config.host_priv = right[0];
	b->parent = right[2];
	b->config.master = b->config.ready(b->config.ctx, right[0], right[1]);
	vnet_mach_endpoint_watch(&b->right, true);
}

/*
 * What is asked of us
 */

static void
getpriv(struct vnet_boot *b, mach_msg_header_t *in)
{
	const mach_port_t rights[3] = {
		b->config.host_priv,
		b->config.master,
		b->config.task,
	};
	struct vnet_mach_answer a;

	if (in->msgh_size != sizeof(*in)) {
		vnet_mach_refuse(b->ends.sys, in, MIG_BAD_ARGUMENTS);
		return;
	}
	if (!MACH_PORT_VALID(b->config.master)) {
		vnet_mach_refuse(b->ends.sys, in, KERN_FAILURE);
		return;
	}
	a = vnet_mach_take_reply(in);
	if (a.type != 0)
		vnet_mach_answer(b->ends.sys, &a, KERN_SUCCESS, rights,
				 MACH_MSG_TYPE_COPY_SEND, 3);
	vnet_mach_msg_destroy(b->ends.sys, in);
}

/* Its control right, which those before us may want; a node below it there is
 * none, for this is the root. */
static void
startup(struct vnet_boot *b, mach_msg_header_t *in)
{
	const mach_port_t realnode = MACH_PORT_NULL;
	struct vnet_mach_answer a;
	mach_msg_return_t sent;

	if (MACH_PORT_VALID(b->config.bootstrap) && !b->upwards.waits) {
		sent = vnet_mach_outbox_send(&b->ends.outbox, &b->upwards, in,
					     b->config.bootstrap,
					     MACH_PORT_NULL,
					     b->ends.now(b->ends.ctx));
		if (sent == MACH_MSG_SUCCESS || sent == MACH_SEND_TIMED_OUT)
			return;
	}
	a = vnet_mach_take_reply(in);
	if (a.type != 0)
		vnet_mach_answer(b->ends.sys, &a, KERN_SUCCESS, &realnode,
				 MACH_MSG_TYPE_COPY_SEND, 1);
	vnet_mach_msg_destroy(b->ends.sys, in);
}

static void
settled(struct vnet_mach_sender *s, mach_msg_return_t sent)
{
	(void)s;
	(void)sent;
}

static void
init(struct vnet_boot *b, mach_msg_header_t *in)
{
	struct vnet_mach_answer a;
	struct vnet_wire_reader r;
	uint32_t first, second;
	mach_port_t proc, auth;

	vnet_mach_call_open_request(&r, in);
	proc = vnet_wire_get_right(&r, &first);
	auth = vnet_wire_get_right(&r, &second);
	if (!vnet_wire_close(&r) || first != VNET_WIRE_MOVE_SEND ||
	    second != VNET_WIRE_MOVE_SEND) {
		vnet_mach_refuse(b->ends.sys, in, MIG_BAD_ARGUMENTS);
		return;
	}
	if (b->is_initialized) {
		vnet_mach_refuse(b->ends.sys, in, HURD_EOPNOTSUPP);
		return;
	}
	b->is_initialized = true;
	b->proc = proc;
	b->auth = auth;
	a = vnet_mach_take_reply(in);
	if (a.type != 0)
		vnet_mach_answer(b->ends.sys, &a, KERN_SUCCESS, NULL, 0, 0);
	if (b->config.started)
		b->config.started(b->config.ctx, proc, auth);
	call(b, b->proc, HURD_PROC_MARK_IMPORTANT, NULL, NULL, 0,
	     marked_important);
}

static void
message(struct vnet_mach_endpoint *e, mach_msg_header_t *in)
{
	struct vnet_boot *b = VNET_MACH_CONTAINER(e, struct vnet_boot, right);

	switch (in->msgh_id) {
	case HURD_FSYS_GETPRIV:
		getpriv(b, in);
		return;
	case HURD_FSYS_STARTUP:
		startup(b, in);
		return;
	case HURD_FSYS_INIT:
		init(b, in);
		return;
	default:
		vnet_mach_refuse(b->ends.sys, in, MIG_BAD_ID);
	}
}

/*
 * Coming and going
 */

static int
refuse(struct vnet_why *why, int error, const char *text)
{
	if (why)
		*why = (struct vnet_why){.text = text};
	return error;
}

static int
check(const struct vnet_boot_config *c, struct vnet_why *why)
{
	if (c->size != sizeof(*c))
		return refuse(why, -EINVAL, "size of the configuration");
	if (!c->alloc || !c->now)
		return refuse(why, -EINVAL, "no allocator, or no clock");
	if (!MACH_PORT_VALID(c->task))
		return refuse(why, -EINVAL, "no right to our own task");
	if (MACH_PORT_VALID(c->bootstrap)) {
		if (!c->ready || c->host_priv != MACH_PORT_NULL ||
		    c->master != MACH_PORT_NULL)
			return refuse(why, -EINVAL,
				      "in the middle, rights come from "
				      "those before");
	} else if (!MACH_PORT_VALID(c->host_priv) ||
		   !MACH_PORT_VALID(c->master)) {
		return refuse(why, -EINVAL, "no rights to be given");
	}
	return 0;
}

int
vnet_boot_create(struct vnet_boot **boot, const struct vnet_boot_config *config,
		 struct vnet_why *why)
{
	const struct vnet_alloc *alloc = config->alloc;
	struct vnet_boot *b;
	int err = check(config, why);

	if (err)
		return err;
	b = alloc->get(alloc->ctx, sizeof(*b), _Alignof(struct vnet_boot));
	if (!b)
		return refuse(why, -ENOMEM, "no memory");
	memset(b, 0, sizeof(*b));
	b->config = *config;
	b->upwards.settled = settled;
	err = vnet_mach_ends_init(&b->ends,
				  config->sys ? config->sys : &vnet_mach_kernel,
				  alloc, config->port_set, config->now,
				  config->ctx, 4);
	if (err)
		goto free_boot;
	err = vnet_mach_endpoint_open(&b->ends, &b->right, message);
	if (err)
		goto fini_ends;
	*boot = b;
	if (MACH_PORT_VALID(config->bootstrap)) {
		vnet_mach_endpoint_watch(&b->right, false);
		call(b, config->bootstrap, HURD_FSYS_GETPRIV, NULL, NULL, 0,
		     got_priv);
	}
	return 0;
fini_ends:
	vnet_mach_ends_fini(&b->ends);
free_boot:
	alloc->put(alloc->ctx, b, sizeof(*b));
	return refuse(why, err,
		      err == -ENOMEM ? "no memory" : "no right to be had");
}

void
vnet_boot_destroy(struct vnet_boot *b)
{
	struct vnet_alloc alloc;

	if (!b)
		return;
	vnet_mach_call_cancel(&b->call);
	vnet_mach_outbox_cancel(&b->ends.outbox, &b->upwards);
	vnet_mach_endpoint_close(&b->right);
	drop(b, &b->config.task);
	drop(b, &b->config.bootstrap);
	drop(b, &b->config.host_priv);
	drop(b, &b->config.master);
	drop(b, &b->parent);
	drop(b, &b->proc);
	drop(b, &b->auth);
	drop(b, &b->parent_proc);
	alloc = b->ends.alloc;
	vnet_mach_ends_fini(&b->ends);
	alloc.put(alloc.ctx, b, sizeof(*b));
}

mach_port_t
vnet_boot_port_set(const struct vnet_boot *b)
{
	return b->ends.port_set;
}

int
vnet_boot_start(struct vnet_boot *b, mach_port_t task)
{
	const struct vnet_mach_sys *sys = b->ends.sys;
	kern_return_t kr;

	if (vnet_mach_endpoint_make_send(&b->right) != KERN_SUCCESS)
		return -EINVAL;
	kr = sys->task_set_bootstrap(task, b->right.named.name);
	sys->port_deallocate(b->right.named.name);
	if (kr == KERN_SUCCESS)
		kr = sys->task_resume(task);
	return kr == KERN_SUCCESS ? 0 : -EINVAL;
}

bool
vnet_boot_demux(struct vnet_boot *b, mach_msg_header_t *in,
		mach_msg_header_t *out)
{
	return vnet_mach_ends_handle(&b->ends, in, out);
}

void
vnet_boot_tick(struct vnet_boot *b)
{
	vnet_mach_ends_tick(&b->ends);
}

vnet_nsec
vnet_boot_deadline(const struct vnet_boot *b)
{
	return vnet_mach_ends_deadline(&b->ends);
}
