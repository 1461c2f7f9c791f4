/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device_open by name: of vifs, those that are there and those that are made when
 * they are first asked for; of the control device; and what is not ours.
 *
 * Both forms of the call are read here. That of <device/device.defs> has a name of
 * 128 octets in long form; device_open_new (2806) one in short form, and is not in
 * every device.defs.
 */
#include <errno.h>
#include <string.h>

#include <device/device_types.h>

#include "control.h"
#include "device_ids.h"
#include "facet.h"
#include "forward.h"
#include "grant_text.h"
#include "master.h"
#include "refuse.h"
#include "text.h"
#include "wire.h"

#define MASTER_QLIMIT MACH_PORT_QLIMIT_MAX

static struct vnet_mach_master *
master_of(struct vnet_mach_right *r)
{
	return (struct vnet_mach_master *)(void *)r;
}

static bool
is_same(const char *a, const char *b)
{
	size_t n = length(a, VNET_MACH_NAME_SIZE);

	return n == length(b, VNET_MACH_NAME_SIZE) && !memcmp(a, b, n);
}

static bool
matches(const struct vnet_mach_master_name *n, const char *name)
{
	size_t len = length(n->text, sizeof(n->text));

	if (!n->name.is_prefix)
		return is_same(n->text, name);
	return length(name, VNET_MACH_NAME_SIZE) >= len &&
	       !memcmp(n->text, name, len);
}

/*
 * Vifs by name
 */

/* Somebody will read it, on a terminal perhaps. */
static bool
is_printable(const char *name)
{
	while (*name > ' ' && *name <= '~')
		name++;
	return !*name;
}

/* One that is made now. What is wrong with it is wrong with its name. */
static struct vnet_mach_vif *
create(struct vnet_mach *m, struct vnet_mach_master_name *n, const char *name)
{
	struct vnet_port_config port = n->name.create;
	struct vnet_mach_vif_config vif = n->name.vif;

	if (n->created >= n->name.may_create || !is_printable(name))
		return NULL;
	port.size = sizeof(port);
	port.name = name;
	port.role = VNET_ROLE_VIF;
	port.mac = vnet_grant_mac(m->sw, vif.grant,
				  vnet_mac_derive(n->name.seed, name));
	vif.size = sizeof(vif);
	if (vnet_port_add(m->sw, &port, &vif.port, NULL))
		return NULL;
	if (vnet_mach_vif_make(m, &vif, NULL)) {
		vnet_port_remove(m->sw, vif.port);
		return NULL;
	}
	n->created++;
	return vnet_mach_vif_of(m, vif.port);
}

/* The vif that a name opens, NULL if there is none: *@is_ours says whether the
 * name is for a vif all the same. */
static struct vnet_mach_vif *
find(struct vnet_mach_master *s, const char *name, bool *is_ours)
{
	struct vnet_mach *m = s->right.m;
	struct vnet_mach_master_name *n = s->names;
	struct vnet_mach_vif *vif;
	vnet_port_id port;

	while (n && !matches(n, name))
		n = n->next;
	*is_ours = n && (n->name.port != VNET_NO_ID || n->name.may_create);
	if (!n)
		return NULL;
	port = n->name.port;
	if (port == VNET_NO_ID)
		port = vnet_port_find(m->sw, name);
	vif = vnet_mach_vif_of(m, port);
	if (!vif && port == VNET_NO_ID && n->name.is_prefix)
		vif = create(m, n, name);
	return vif;
}

static kern_return_t
open_vif(struct vnet_mach_master *s, struct vnet_mach_vif *vif,
	 mach_port_t *right)
{
	const uint32_t all = VNET_MACH_READ | VNET_MACH_WRITE;
	struct vnet_mach_facet *f;
	int r = vnet_mach_facet_open(s->right.m, vif, s, all, &f);

	if (!r)
		*right = f->device.right.named.name;
	return vnet_mach_error(r);
}

/*
 * Messages
 */

static void
answer(const mach_msg_header_t *in, mach_msg_header_t *out, kern_return_t k,
       mach_port_t right)
{
	const struct vnet_wire_header h = {
		.bits = MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(in->msgh_bits), 0),
		.remote = in->msgh_remote_port,
		.id = (uint32_t)in->msgh_id + VNET_WIRE_REPLY,
	};
	struct vnet_wire_writer w;

	vnet_wire_begin(&w, out, VNET_MACH_MSG_SIZE, VNET_WIRE_HERE, &h);
	vnet_wire_put_return(&w, k);
	if (!k)
		vnet_wire_put_right(&w, right, VNET_WIRE_MAKE_SEND);
	vnet_wire_end(&w);
}

/* What is not ours is passed on as it is, where that is wanted. */
static bool
pass_on(struct vnet_mach_master *s, mach_msg_header_t *in,
	mach_msg_header_t *out)
{
	if (s->real == MACH_PORT_NULL)
		return false;
	if (vnet_mach_forward(s->right.m->sys, in, s->real) == MACH_MSG_SUCCESS)
		answer(in, out, MIG_NO_REPLY, MACH_PORT_NULL);
	else
		answer(in, out, D_IO_ERROR, MACH_PORT_NULL);
	return true;
}

/* Read either form. False if it is neither. */
static bool
read_open(const mach_msg_header_t *in, char name[VNET_MACH_NAME_SIZE])
{
	struct vnet_wire_header h;
	struct vnet_wire_reader r;
	const uint8_t *text;
	uint32_t n;

	vnet_wire_open(&r, in, in->msgh_size, VNET_WIRE_HERE, &h);
	vnet_wire_get_int32(&r); /* mode: the right is all that it takes */
	text = vnet_wire_get_octets(&r, VNET_WIRE_STRING, &n);
	if (!vnet_wire_close(&r) || n != VNET_MACH_NAME_SIZE)
		return false;
	memcpy(name, text, n);
	return length(name, n) < n;
}

static bool
open_device(struct vnet_mach_master *s, mach_msg_header_t *in,
	    mach_msg_header_t *out)
{
	struct vnet_mach *m = s->right.m;
	mach_port_t right = MACH_PORT_NULL;
	char name[VNET_MACH_NAME_SIZE];
	struct vnet_mach_vif *vif = NULL;
	bool is_ours = false, is_control;
	kern_return_t k;

	if (!read_open(in, name)) {
		answer(in, out, MIG_BAD_ARGUMENTS, MACH_PORT_NULL);
		return true;
	}
	is_control = s->control[0] && is_same(name, s->control);
	if (!is_control)
		vif = find(s, name, &is_ours);
	if (is_control)
		k = vnet_mach_error(vnet_mach_control_open(s, &right));
	else if (vif)
		k = open_vif(s, vif, &right);
	else if (!is_ours && !vnet_mach_is_uplink(m, name) &&
		 pass_on(s, in, out))
		return true;
	else
		k = D_NO_SUCH_DEVICE;
	answer(in, out, k, right);
	return true;
}

static bool
message(struct vnet_mach_right *r, mach_msg_header_t *in,
	mach_msg_header_t *out)
{
	struct vnet_mach_master *s = master_of(r);

	if (in->msgh_id == DEVICE_OPEN_ID || in->msgh_id == DEVICE_OPEN_NEW_ID)
		return open_device(s, in, out);
	return pass_on(s, in, out);
}

static const struct vnet_mach_right_ops ops = {.message = message};

/*
 * Coming and going
 */

static int
check(const struct vnet_mach_master_config *c, struct vnet_why *why)
{
	if (c->size != sizeof(*c))
		return refuse(why, -EINVAL,
			      "size of the master's configuration", 0, c->size,
			      sizeof(*c));
	if (c->control &&
	    length(c->control, VNET_MACH_NAME_SIZE) == VNET_MACH_NAME_SIZE)
		return refuse(why, -EINVAL, "name too long", 2,
			      VNET_MACH_NAME_SIZE, VNET_MACH_NAME_SIZE - 1);
	return 0;
}

int
vnet_mach_master_add(struct vnet_mach *m,
		     const struct vnet_mach_master_config *config,
		     struct vnet_mach_master **master, struct vnet_why *why)
{
	struct vnet_mach_master *s;
	int r = check(config, why);

	if (r)
		return r;
	vnet_mach_lock(m);
	r = -ENOMEM;
	s = vnet_mach_get_memory(m, sizeof(*s));
	if (!s)
		goto unlock;
	r = m->nrights < m->config.max_rights
		    ? vnet_mach_right_open(m, &s->right, &ops, config->receive,
					   MASTER_QLIMIT, false)
		    : -ENOSPC;
	if (r) {
		vnet_mach_put_memory(m, s, sizeof(*s));
		goto unlock;
	}
	s->names_end = &s->names;
	s->real = config->real;
	s->max_clients = config->max_clients;
	if (config->control)
		memcpy(s->control, config->control,
		       length(config->control, sizeof(s->control)));
	s->next = m->masters;
	m->masters = s;
	m->nrights++;
	*master = s;
unlock:
	vnet_mach_unlock(m);
	if (r)
		refuse(why, r, "no room for another right", 0, 0, 0);
	return r;
}

mach_port_t
vnet_mach_master_right(const struct vnet_mach_master *s)
{
	return s->right.named.name;
}

void
vnet_mach_master_end(struct vnet_mach_master *s)
{
	struct vnet_mach *m = s->right.m;
	struct vnet_mach_master **at = &m->masters;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	for (struct vnet_mach_facet *f = m->facets; f; f = f->next)
		if (f->master == s)
			f->master = NULL;
	vnet_mach_controls_forget(m, s);
	while (s->names) {
		struct vnet_mach_master_name *n = s->names;

		s->names = n->next;
		vnet_mach_put_memory(m, n, sizeof(*n));
	}
	if (s->real != MACH_PORT_NULL)
		m->sys->port_deallocate(s->real);
	vnet_mach_right_close(&s->right);
	m->nrights--;
	vnet_mach_put_memory(m, s, sizeof(*s));
}

void
vnet_mach_master_remove(struct vnet_mach_master *s)
{
	struct vnet_mach *m = s->right.m;

	vnet_mach_lock(m);
	vnet_mach_master_end(s);
	vnet_mach_unlock(m);
}

int
vnet_mach_master_name(struct vnet_mach_master *s,
		      const struct vnet_mach_name *name, struct vnet_why *why)
{
	struct vnet_mach *m = s->right.m;
	struct vnet_mach_master_name *n;
	size_t len;

	if (name->size != sizeof(*name))
		return refuse(why, -EINVAL, "size of the name", 0, name->size,
			      sizeof(*name));
	len = name->name ? length(name->name, VNET_MACH_NAME_SIZE) : 0;
	if (len == VNET_MACH_NAME_SIZE || (!len && !name->is_prefix))
		return refuse(why, -EINVAL, "length of the name", 1, len,
			      VNET_MACH_NAME_SIZE - 1);
	if (name->may_create && (!name->is_prefix || name->port != VNET_NO_ID))
		return refuse(why, -EINVAL,
			      "vifs are made of names that begin alike", 4,
			      name->may_create, 0);
	if (name->is_prefix && name->port != VNET_NO_ID)
		return refuse(why, -EINVAL, "one vif for many names", 2,
			      name->port, 0);
	vnet_mach_lock(m);
	n = vnet_mach_get_memory(m, sizeof(*n));
	if (n) {
		n->name = *name;
		if (len)
			memcpy(n->text, name->name, len);
		*s->names_end = n;
		s->names_end = &n->next;
	}
	vnet_mach_unlock(m);
	return n ? 0 : refuse(why, -ENOMEM, "no memory", 0, sizeof(*n), 0);
}

int
vnet_mach_master_name_vif(struct vnet_mach_master *s, const char *name,
			  vnet_port_id port)
{
	struct vnet_mach *m = s->right.m;
	struct vnet_mach_master_name *n = s->names;

	for (; n; n = n->next)
		if (!n->name.is_prefix && is_same(n->text, name) &&
		    vnet_mach_vif_of(m, n->name.port))
			return -EEXIST;
	n = vnet_mach_get_memory(m, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->name.port = port;
	memcpy(n->text, name, length(name, sizeof(n->text) - 1));
	n->next = s->names;
	if (!s->names)
		s->names_end = &n->next;
	s->names = n;
	return 0;
}

static void
forget(struct vnet_mach_master *s, vnet_port_id port)
{
	struct vnet_mach_master_name **at = &s->names, *n;

	while ((n = *at)) {
		if (n->name.is_prefix || n->name.port != port) {
			at = &n->next;
			continue;
		}
		*at = n->next;
		vnet_mach_put_memory(s->right.m, n, sizeof(*n));
	}
	s->names_end = at;
}

void
vnet_mach_masters_forget(struct vnet_mach *m, vnet_port_id port)
{
	for (struct vnet_mach_master *s = m->masters; s; s = s->next)
		forget(s, port);
}
