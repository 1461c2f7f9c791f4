/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "fake_host.h"

static vnet_nsec
now(void *ctx)
{
	const struct fake_host *f = ctx;

	return f->now;
}

/*
 * Vifs
 */

static struct fake_host_vif *
find_vif(struct fake_host *f, vnet_port_id port)
{
	for (size_t i = 0; i < FAKE_HOST_VIFS; i++)
		if (f->vifs[i].port == port)
			return &f->vifs[i];
	return NULL;
}

static int
vif_get(void *ctx, vnet_port_id port, struct vnet_control_vif *vif)
{
	const struct fake_host_vif *v = find_vif(ctx, port);

	if (!v)
		return -ENOENT;
	*vif = v->vif;
	return 0;
}

static int
refuse(struct fake_host *f, struct vnet_why *why)
{
	int r = f->refuse;

	f->refuse = 0;
	if (r)
		*why = (struct vnet_why){"the test has it so", 1, 2, 3};
	return r;
}

static int
vif_add(void *ctx, vnet_port_id port, const struct vnet_control_vif *vif,
	struct vnet_why *why)
{
	struct fake_host_vif *v = find_vif(ctx, VNET_NO_ID);
	int r = refuse(ctx, why);

	if (r)
		return r;
	if (!v)
		return -ENOMEM;
	memset(v, 0, sizeof(*v));
	v->port = port;
	v->vif = *vif;
	return 0;
}

static void
vif_remove(void *ctx, vnet_port_id port)
{
	struct fake_host *f = ctx;
	struct fake_host_vif *v = find_vif(f, port);
	vnet_client_id id;

	if (!v)
		return;
	while ((id = vnet_client_next(f->host.sw, port, VNET_NO_ID)) !=
	       VNET_NO_ID)
		vnet_client_remove(f->host.sw, id);
	v->port = VNET_NO_ID;
}

static void
vif_changed(void *ctx, vnet_port_id port, const struct vnet_control_vif *vif)
{
	find_vif(ctx, port)->vif = *vif;
}

/*
 * Uplinks
 */

static struct fake_host_uplink *
find_uplink(struct fake_host *f, vnet_port_id port)
{
	for (size_t i = 0; i < FAKE_HOST_UPLINKS; i++)
		if (f->uplinks[i].port == port)
			return &f->uplinks[i];
	return NULL;
}

static int
uplink_get(void *ctx, vnet_port_id port, struct vnet_control_uplink *uplink)
{
	const struct fake_host_uplink *u = find_uplink(ctx, port);

	if (!u)
		return -ENOENT;
	*uplink = u->uplink;
	uplink->state = "opening";
	return 0;
}

static int
send_nowhere(void *ctx, const struct vnet_frame *frames, size_t n,
	     size_t *refused)
{
	(void)ctx;
	(void)frames;
	(void)refused;
	return (int)n;
}

static void
uplink_gone(void *ctx)
{
	struct fake_host_uplink *u = ctx;

	u->port = VNET_NO_ID;
}

static const struct vnet_driver_ops uplink_ops = {
	.size = sizeof(uplink_ops),
	.send = send_nowhere,
	.close = uplink_gone,
};

static int
uplink_add(void *ctx, vnet_port_id port,
	   const struct vnet_control_uplink *uplink,
	   const struct vnet_control_right *right, struct vnet_why *why)
{
	struct fake_host *f = ctx;
	struct fake_host_uplink *u = find_uplink(f, VNET_NO_ID);
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &uplink_ops,
		.ctx = u,
	};
	int r = refuse(f, why);

	if (r)
		return r;
	if (!u)
		return -ENOMEM;
	r = vnet_client_add(f->host.sw, port, &config, &u->client, why);
	if (r)
		return r;
	u->port = port;
	u->uplink = *uplink;
	u->right = *right;
	f->ntaken++;
	return 0;
}

static int
uplink_give(void *ctx, vnet_port_id port,
	    const struct vnet_control_right *right)
{
	struct fake_host *f = ctx;
	struct fake_host_uplink *u = find_uplink(f, port);
	struct vnet_why why;
	int r;

	if (!u)
		return -ENOENT;
	r = refuse(f, &why);
	if (r)
		return r;
	u->right = *right;
	f->ntaken++;
	return 0;
}

/*
 * Facets
 */

static struct fake_host_facet *
find_facet(struct fake_host *f, vnet_client_id client)
{
	for (size_t i = 0; i < FAKE_HOST_CLIENTS; i++)
		if (f->facets[i].client == client)
			return &f->facets[i];
	return NULL;
}

static int
facet_get(void *ctx, vnet_client_id client, struct vnet_control_facet *facet)
{
	if (!find_facet(ctx, client))
		return -ENOENT;
	*facet = (struct vnet_control_facet){
		.filters = 1,
		.reads = 2,
		.flags = 0x1243,
	};
	return 0;
}

static void
facet_close(void *ctx, vnet_client_id client)
{
	struct fake_host *f = ctx;
	vnet_port_id port = vnet_client_port(f->host.sw, client);
	struct vnet_figures last;

	memset(&last, 0, sizeof(last));
	vnet_figures_add_client(&last, f->host.sw, client);
	vnet_figures_end(&last);
	vnet_figures_add(&find_vif(f, port)->past, &last);
	vnet_client_remove(f->host.sw, client);
}

static int
facet_send(void *ctx, const struct vnet_frame *frames, size_t n,
	   size_t *refused)
{
	struct fake_host_facet *facet = ctx;

	(void)frames;
	(void)refused;
	facet->frames += n;
	return (int)n;
}

static void
facet_gone(void *ctx)
{
	struct fake_host_facet *facet = ctx;

	facet->client = VNET_NO_ID;
}

static const struct vnet_driver_ops facet_ops = {
	.size = sizeof(facet_ops),
	.send = facet_send,
	.close = facet_gone,
};

vnet_client_id
fake_host_open(struct fake_host *f, const char *vif)
{
	struct fake_host_facet *facet = find_facet(f, VNET_NO_ID);
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &facet_ops,
		.ctx = facet,
	};
	vnet_port_id port = vnet_port_find(f->host.sw, vif);
	struct vnet_client_config c = config;

	if (!facet || port == VNET_NO_ID || !find_vif(f, port))
		return VNET_NO_ID;
	c.grant = find_vif(f, port)->vif.grant;
	facet->frames = 0;
	if (vnet_client_add(f->host.sw, port, &c, &facet->client, NULL))
		facet->client = VNET_NO_ID;
	return facet->client;
}

/*
 * Figures
 */

static void
past(void *ctx, vnet_port_id port, struct vnet_figures *sum)
{
	const struct fake_host_vif *v = find_vif(ctx, port);

	if (v)
		vnet_figures_add(sum, &v->past);
}

static void
put(struct vnet_control_numbers *n, const char *name, uint64_t value)
{
	n->of[n->n].name = name;
	n->of[n->n++].value = value;
}

static bool
medium(void *ctx, vnet_port_id port, vnet_client_id client,
       struct vnet_control_numbers *numbers)
{
	if (!find_vif(ctx, port))
		return false;
	put(numbers, "in_dropped", client == VNET_NO_ID ? 8 : 4);
	put(numbers, "out_dropped", 0);
	return true;
}

static void
server(void *ctx, struct vnet_control_numbers *numbers)
{
	(void)ctx;
	put(numbers, "masters", 1);
	put(numbers, "facets", 2);
}

void
fake_host_init(struct fake_host *f, struct vnet_switch *sw,
	       const struct vnet_alloc *alloc)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < FAKE_HOST_CLIENTS; i++)
		f->facets[i].host = f;
	f->host = (struct vnet_control_host){
		.sw = sw,
		.alloc = alloc,
		.version = "0.0",
		.now = now,
		.vif_get = vif_get,
		.vif_add = vif_add,
		.vif_remove = vif_remove,
		.vif_changed = vif_changed,
		.uplink_get = uplink_get,
		.uplink_add = uplink_add,
		.uplink_give = uplink_give,
		.facet_get = facet_get,
		.facet_close = facet_close,
		.past = past,
		.medium = medium,
		.server = server,
		.ctx = f,
	};
}

size_t
fake_host_read(struct vnet_control_session *s, char *to, size_t room)
{
	const char *text;
	size_t len = 0, n;

	while (len < room && (n = vnet_control_peek(s, &text)) > 0) {
		n = n < room - len ? n : room - len;
		memcpy(to + len, text, n);
		vnet_control_take(s, n);
		len += n;
	}
	return len;
}
