/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "proxy.h"

/* Octets of the buffer that vnet_proxy_serve() begins with. */
#define SERVE_SIZE 8192

void *
vnet_proxy_get_memory(struct vnet_proxy *p, size_t size, size_t align)
{
	void *memory = p->ends.alloc.get(p->ends.alloc.ctx, size, align);

	if (memory)
		memset(memory, 0, size);
	return memory;
}

void
vnet_proxy_put_memory(struct vnet_proxy *p, void *memory, size_t size)
{
	p->ends.alloc.put(p->ends.alloc.ctx, memory, size);
}

/* What only the kernel sends: about the real rights. */
static void
notified(struct vnet_mach_endpoint *e, mach_msg_header_t *in)
{
	struct vnet_proxy *p =
		VNET_MACH_CONTAINER(e, struct vnet_proxy, notify);
	const mach_dead_name_notification_t *n =
		(const mach_dead_name_notification_t *)in;

	switch (in->msgh_id) {
	case MACH_NOTIFY_DEAD_NAME:
		/* It brought a reference, so that the name is still that. */
		vnet_proxy_died(p, n->not_port);
		p->ends.sys->port_deallocate(n->not_port);
		break;
	case MACH_NOTIFY_MSG_ACCEPTED:
		vnet_proxy_accepted(p, n->not_port);
		break;
	default: /* a request has ended with its right */
		break;
	}
}

static int
why_not(struct vnet_why *why, const char *text)
{
	if (why)
		*why = (struct vnet_why){.text = text};
	return -EINVAL;
}

static int
check(const struct vnet_proxy_config *c, struct vnet_why *why)
{
	if (c->size != sizeof(*c))
		return why_not(why, "unknown size of the configuration");
	if (!c->alloc || !c->now)
		return why_not(why, "no allocator, or no clock");
	if (!MACH_PORT_VALID(c->device_master))
		return why_not(why, "no device master");
	return 0;
}

static int
failed(struct vnet_why *why, int err)
{
	why_not(why, err == -ENOMEM ? "no memory" : "no right to be had");
	return err;
}

int
vnet_proxy_create(struct vnet_proxy **proxy,
		  const struct vnet_proxy_config *config, struct vnet_why *why)
{
	const struct vnet_mach_sys *sys;
	struct vnet_proxy *p;
	uint32_t max;
	int err;

	err = check(config, why);
	if (err)
		return err;
	p = config->alloc->get(config->alloc->ctx, sizeof(*p),
			       _Alignof(struct vnet_proxy));
	if (!p)
		return failed(why, -ENOMEM);
	memset(p, 0, sizeof(*p));
	p->config = *config;
	p->stats.size = sizeof(p->stats);
	if (p->config.max_wrappers == 0)
		p->config.max_wrappers = 1024;
	if (p->config.auth_timeout == 0)
		p->config.auth_timeout = 10 * VNET_NSEC_PER_SEC;
	max = p->config.max_wrappers;
	sys = config->sys ? config->sys : &vnet_mach_kernel;

	err = vnet_mach_ends_init(&p->ends, sys, config->alloc,
				  config->port_set, config->now, config->ctx,
				  max);
	if (err)
		goto free_proxy;
	err = vnet_mach_names_init(&p->reals, config->alloc, max);
	if (err)
		goto fini_ends;
	err = vnet_mach_endpoint_open(&p->ends, &p->notify, notified);
	if (err)
		goto fini_reals;
	*proxy = p;
	return 0;
fini_reals:
	vnet_mach_names_fini(&p->reals, config->alloc);
fini_ends:
	vnet_mach_ends_fini(&p->ends);
free_proxy:
	config->alloc->put(config->alloc->ctx, p, sizeof(*p));
	return failed(why, err);
}

static void
drop(struct vnet_proxy *p, mach_port_t right)
{
	if (MACH_PORT_VALID(right))
		p->ends.sys->port_deallocate(right);
}

void
vnet_proxy_destroy(struct vnet_proxy *p)
{
	struct vnet_alloc alloc;

	if (!p)
		return;
	while (p->wrappers)
		vnet_proxy_wrapper_end(p->wrappers);
	vnet_mach_endpoint_close(&p->notify);
	drop(p, p->config.device_master);
	drop(p, p->config.host_priv);
	drop(p, p->config.auth);
	alloc = p->ends.alloc;
	vnet_mach_names_fini(&p->reals, &alloc);
	vnet_mach_ends_fini(&p->ends);
	alloc.put(alloc.ctx, p, sizeof(*p));
}

mach_port_t
vnet_proxy_port_set(const struct vnet_proxy *p)
{
	return p->ends.port_set;
}

int
vnet_proxy_wrap(struct vnet_proxy *p, mach_port_t real,
		const struct vnet_proxy_ids *ids, mach_port_t *wrapper)
{
	struct vnet_proxy_wrapper *w;
	mach_port_type_t type;
	int err;

	if (p->ends.sys->port_type(real, &type) != KERN_SUCCESS ||
	    !(type & MACH_PORT_TYPE_SEND) ||
	    vnet_mach_endpoint_find(&p->ends, real))
		return -EINVAL;
	err = vnet_proxy_wrapper_get(p, real, ids, &w);
	if (!err)
		*wrapper = w->right.named.name;
	return err;
}

bool
vnet_proxy_demux(struct vnet_proxy *p, mach_msg_header_t *in,
		 mach_msg_header_t *out)
{
	return vnet_mach_ends_handle(&p->ends, in, out);
}

void
vnet_proxy_tick(struct vnet_proxy *p)
{
	vnet_nsec now = p->ends.now(p->ends.ctx);
	struct vnet_proxy_wrapper *w;

	vnet_mach_ends_tick(&p->ends);
	for (w = p->wrappers; w; w = w->next)
		vnet_proxy_reauth_tick(w, now);
}

vnet_nsec
vnet_proxy_deadline(const struct vnet_proxy *p)
{
	vnet_nsec due = vnet_mach_ends_deadline(&p->ends), d;
	const struct vnet_proxy_wrapper *w;

	for (w = p->wrappers; w; w = w->next) {
		d = vnet_proxy_reauth_deadline(w);
		if (d < due)
			due = d;
	}
	return due;
}

/* Milliseconds until @due, rounded up; of a number of 32 bits, which is divided
 * without help. */
static mach_msg_timeout_t
ms_until(const struct vnet_proxy *p, vnet_nsec due)
{
	vnet_nsec now = p->ends.now(p->ends.ctx);

	if (due <= now)
		return 0;
	if (due - now >= UINT32_MAX)
		return 1000;
	return (uint32_t)(due - now) / 1000000 + 1;
}

/* Wait for a message until something is due. */
static mach_msg_return_t
receive(struct vnet_proxy *p, mach_msg_header_t *in, mach_msg_size_t size)
{
	vnet_nsec due = vnet_proxy_deadline(p);
	mach_msg_option_t options = MACH_RCV_MSG | MACH_RCV_LARGE;
	mach_msg_timeout_t ms = 0;

	if (due != VNET_NEVER) {
		options |= MACH_RCV_TIMEOUT;
		ms = ms_until(p, due);
	}
	return p->ends.sys->msg(in, options, 0, size, p->ends.port_set, ms,
				MACH_PORT_NULL);
}

static void
handle(struct vnet_proxy *p, mach_msg_header_t *in)
{
	if (!vnet_mach_ends_demux(&p->ends, in))
		vnet_mach_refuse(p->ends.sys, in, MIG_BAD_ID);
}

/* Room for a message that is longer than any before it. */
static bool
grow(struct vnet_proxy *p, mach_msg_header_t **in, mach_msg_size_t *size)
{
	mach_msg_size_t wanted = *size;

	if (*in)
		wanted = (*in)->msgh_size;
	if (*in)
		vnet_proxy_put_memory(p, *in, *size);
	*in = vnet_proxy_get_memory(p, wanted, _Alignof(uint64_t));
	*size = wanted;
	return *in != NULL;
}

int
vnet_proxy_serve(struct vnet_proxy *p)
{
	mach_msg_header_t *in = NULL;
	mach_msg_size_t size = SERVE_SIZE;
	mach_msg_return_t got;
	int err = 0;

	if (!grow(p, &in, &size))
		return -ENOMEM;
	while (p->wrappers) {
		got = receive(p, in, size);
		switch (got & ~MACH_MSG_MASK) {
		case MACH_MSG_SUCCESS:
			handle(p, in);
			break;
		case MACH_RCV_BODY_ERROR:
			vnet_mach_msg_destroy(p->ends.sys, in);
			break;
		case MACH_RCV_TOO_LARGE:
			if (!grow(p, &in, &size)) {
				err = -ENOMEM;
				goto out;
			}
			break;
		case MACH_RCV_INVALID_NAME:
		case MACH_RCV_PORT_DIED:
			goto out;
		default: /* a time-out, or a header that was lost */
			break;
		}
		vnet_proxy_tick(p);
	}
out:
	if (in)
		vnet_proxy_put_memory(p, in, size);
	return err;
}

int
vnet_proxy_get_stats(const struct vnet_proxy *p, struct vnet_proxy_stats *stats)
{
	if (stats->size != sizeof(*stats))
		return -EINVAL;
	*stats = p->stats;
	return 0;
}
