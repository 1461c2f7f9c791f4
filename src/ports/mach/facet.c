/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A facet: how it comes, is asked for its status, and goes; and the port driver
 * that its client is bound to.
 */
#include <errno.h>
#include <string.h>

#include <vnet/mach_control.h>

#include "facet.h"
#include "grant_text.h"
#include "master.h"
#include "net_flags.h"

/* A stack that finds its device dead opens another, and does not repeat its
 * flags. */
#define FLAGS_AT_OPEN                                          \
	(NET_FLAG_UP | NET_FLAG_RUNNING | NET_FLAG_BROADCAST | \
	 NET_FLAG_MULTICAST | NET_FLAG_ALLMULTI)

/* Writes are answered at once: a queue that is full is that of a client which
 * has sent more than a sender that waits for answers does. */
#define FACET_QLIMIT MACH_PORT_QLIMIT_MAX

static struct vnet_mach_facet *
facet_of(struct vnet_mach_right *r)
{
	return (struct vnet_mach_facet *)(void *)r;
}

/*
 * The port driver. What is sent is taken at once: a right's queue that is full
 * drops.
 */

/* Frames that nobody here has asked for are refused: of a number, the switch
 * counts them. */
static int
send(void *ctx, const struct vnet_frame *frames, size_t n, size_t *refused)
{
	struct vnet_mach_facet *f = ctx;

	for (size_t i = 0; i < n; i++) {
		uint32_t directions = 0;
		bool is_wanted = false;

		if (!(frames[i].via & VNET_VIA_OUT) ||
		    frames[i].via & VNET_VIA_BOTH)
			directions |= VNET_NETF_IN;
		if (frames[i].via & VNET_VIA_OUT)
			directions |= VNET_NETF_OUT;
		if (f->flags & NET_FLAG_UP &&
		    frames[i].len <= VNET_MACH_FRAME_MAX) {
			is_wanted =
				vnet_mach_facet_send(f, &frames[i], directions);
			if (directions & VNET_NETF_IN && f->ring)
				is_wanted |=
					vnet_mach_facet_keep(f, &frames[i]);
		}
		*refused += !is_wanted;
	}
	return (int)n;
}

/* The client has left the switch, for us or for others. */
static void
left(void *ctx)
{
	struct vnet_mach_facet *f = ctx;

	f->client = VNET_NO_ID;
	f->flags &= ~NET_FLAG_RUNNING;
	vnet_mach_facet_clear_reads(f);
}

static const struct vnet_driver_ops driver_ops = {
	.size = sizeof(driver_ops),
	.send = send,
	.close = left,
};

void
vnet_mach_facet_listen(struct vnet_mach_facet *f)
{
	struct vnet_switch *sw = f->device.right.m->sw;
	bool in = f->ring || vnet_mach_facet_has_filters(f, VNET_NETF_IN);
	bool out = vnet_mach_facet_has_filters(f, VNET_NETF_OUT);

	if (f->client == VNET_NO_ID)
		return;
	vnet_filter_set_default(sw, f->client, VNET_RECEIVE_IN,
				in ? VNET_PASS : VNET_DROP);
	vnet_filter_set_default(sw, f->client, VNET_RECEIVE_OUT,
				out ? VNET_PASS : VNET_DROP);
}

static struct vnet_mac
address_of(struct vnet_mach_facet *f)
{
	struct vnet_client_info info = {.size = sizeof(info)};

	if (!vnet_client_get(f->device.right.m->sw, f->client, &info))
		f->mac = info.mac;
	return f->mac;
}

/* Become a client of the vif. */
static int
join(struct vnet_mach_facet *f)
{
	struct vnet_switch *sw = f->device.right.m->sw;
	struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &driver_ops,
		.ctx = f,
		.accept = f->flags & NET_FLAG_PROMISC ? VNET_ACCEPT_ALL
						      : VNET_ACCEPT_OWN,
	};
	struct vnet_port_info info = {.size = sizeof(info)};
	int r;

	if (!f->vif || vnet_port_get(sw, f->port, &info))
		return -ENOENT;
	r = vnet_mach_facet_add_client(f, &info, &config);
	if (r) {
		f->client = VNET_NO_ID;
		return r;
	}
	/* It may have been raised since vnet_mach_vif_add(). */
	f->mtu = info.mtu < VNET_MACH_MTU_MAX ? info.mtu : VNET_MACH_MTU_MAX;
	address_of(f);
	f->flags |= NET_FLAG_RUNNING;
	vnet_mach_facet_listen(f);
	return 0;
}

/*
 * Status
 */

/* NET_FLAGS: of one whose grant has ended, nothing runs. */
static int
flags_of(const struct vnet_mach_facet *f)
{
	return vnet_mach_facet_is_revoked(f) ? f->flags & ~NET_FLAG_RUNNING
					     : f->flags;
}

static kern_return_t
get_net_status(const struct vnet_mach_facet *f, int *status, uint32_t *count)
{
	uint32_t room = *count;

	*count = NET_STATUS_COUNT;
	if (room < NET_STATUS_COUNT)
		return D_INVALID_OPERATION;
	status[0] = VNET_ETH_HEADER_LEN;
	status[1] = VNET_ETH_HEADER_LEN + (int)f->mtu;
	status[2] = HDR_ETHERNET;
	status[3] = VNET_ETH_HEADER_LEN;
	status[4] = sizeof(struct vnet_mac);
	status[5] = flags_of(f);
	status[6] = 0;
	return KERN_SUCCESS;
}

/* In words of network byte order, each of them read as one of the host's. */
static kern_return_t
get_address(struct vnet_mach_facet *f, int *status, uint32_t *count)
{
	const struct vnet_mac mac = address_of(f);
	const uint8_t *o = mac.octet;
	uint32_t room = *count;

	*count = 2;
	if (room < 2)
		return D_INVALID_OPERATION;
	status[0] = (int)((uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 |
			  (uint32_t)o[2] << 8 | o[3]);
	status[1] = (int)((uint32_t)o[4] << 24 | (uint32_t)o[5] << 16);
	return KERN_SUCCESS;
}

static kern_return_t
get_status(struct vnet_mach_device *d, dev_flavor_t flavor, int *status,
	   uint32_t *count)
{
	struct vnet_mach_facet *f = facet_of(&d->right);

	switch (flavor) {
	case NET_STATUS:
		return get_net_status(f, status, count);
	case NET_ADDRESS:
		return get_address(f, status, count);
	case NET_FLAGS:
		if (*count != 1)
			return D_INVALID_SIZE;
		status[0] = flags_of(f);
		return KERN_SUCCESS;
	case VNET_MACH_STATUS_VIF:
	case VNET_MACH_STATUS_CLIENT:
		return vnet_mach_facet_get_counters(
			f, flavor == VNET_MACH_STATUS_CLIENT, status, count);
	default:
		return D_INVALID_OPERATION;
	}
}

/* What is not ours to change stays as it is. */
static kern_return_t
set_flags(struct vnet_mach_facet *f, int flags)
{
	bool may = f->vif && f->vif->flags & VNET_MACH_MAY_PROMISC;

	if (!may)
		flags &= ~NET_FLAG_PROMISC;
	flags = (flags & ~NET_FLAG_RUNNING) | (f->flags & NET_FLAG_RUNNING);
	f->flags = flags;
	if (f->client != VNET_NO_ID)
		vnet_client_set_accept(f->device.right.m->sw, f->client,
				       flags & NET_FLAG_PROMISC
					       ? VNET_ACCEPT_ALL
					       : VNET_ACCEPT_OWN);
	return KERN_SUCCESS;
}

/* Has another vif that address, or a client of it? The core looks at those of
 * the same port alone. */
static bool
is_taken(const struct vnet_mach_facet *f, const struct vnet_mac *mac)
{
	const struct vnet_mach *m = f->device.right.m;
	struct vnet_port_info info = {.size = sizeof(info)};

	for (const struct vnet_mach_vif *v = m->vifs; v; v = v->next)
		if (v != f->vif && !vnet_port_get(m->sw, v->port, &info) &&
		    !memcmp(&info.mac, mac, sizeof(*mac)))
			return true;
	for (struct vnet_mach_facet *o = m->facets; o; o = o->next)
		if (o->vif != f->vif && o->client != VNET_NO_ID) {
			const struct vnet_mac its = address_of(o);

			if (!memcmp(&its, mac, sizeof(its)))
				return true;
		}
	return false;
}

static kern_return_t
set_address(struct vnet_mach_facet *f, const int *status)
{
	uint32_t high = (uint32_t)status[0], low = (uint32_t)status[1];
	const struct vnet_mac mac = {{
		(uint8_t)(high >> 24),
		(uint8_t)(high >> 16),
		(uint8_t)(high >> 8),
		(uint8_t)high,
		(uint8_t)(low >> 24),
		(uint8_t)(low >> 16),
	}};

	if (!f->vif || !(f->vif->flags & VNET_MACH_MAY_SET_ADDRESS) ||
	    is_taken(f, &mac) ||
	    !vnet_grant_has_mac(f->device.right.m->sw, f->vif->grant, mac) ||
	    vnet_client_set_mac(f->device.right.m->sw, f->client, mac, NULL))
		return D_INVALID_OPERATION;
	return KERN_SUCCESS;
}

static kern_return_t
set_status(struct vnet_mach_device *d, dev_flavor_t flavor, const int *status,
	   uint32_t count)
{
	struct vnet_mach_facet *f = facet_of(&d->right);

	switch (flavor) {
	case NET_FLAGS:
		return count == 1 ? set_flags(f, status[0]) : D_INVALID_SIZE;
	case NET_ADDRESS:
		return count == 2 ? set_address(f, status) : D_INVALID_SIZE;
	default:
		return D_INVALID_OPERATION;
	}
}

/*
 * Coming and going
 */

static kern_return_t
close(struct vnet_mach_device *d)
{
	vnet_mach_facet_close(facet_of(&d->right));
	return KERN_SUCCESS;
}

static kern_return_t
set_filter(struct vnet_mach_device *d, mach_port_t right, int priority,
	   const uint16_t *words, uint32_t nwords)
{
	struct vnet_mach_facet *f = facet_of(&d->right);
	const bool was_inert = f->client == VNET_NO_ID;
	kern_return_t k;
	int r;

	if (!(f->access & VNET_MACH_READ))
		return D_INVALID_OPERATION;
	/* One that was closed is open again. While its vif is away there is
	 * nothing to hear, and no error either. */
	r = was_inert ? join(f) : 0;
	if (r && r != -ENOENT)
		return vnet_mach_error(r);
	k = vnet_mach_facet_set_filter(d, right, priority, words, nwords);
	if (k && was_inert)
		vnet_mach_facet_close(f);
	return k;
}

static const struct vnet_mach_device_ops device_ops = {
	.close = close,
	.write = vnet_mach_facet_write,
	.write_inband = vnet_mach_facet_write_inband,
	.read = vnet_mach_facet_read,
	.set_filter = set_filter,
	.get_status = get_status,
	.set_status = set_status,
};

static void
no_senders(struct vnet_mach_right *r)
{
	vnet_mach_facet_end(facet_of(r));
}

static const struct vnet_mach_right_ops right_ops = {
	.message = vnet_mach_device_message,
	.no_senders = no_senders,
};

int
vnet_mach_facet_open(struct vnet_mach *m, struct vnet_mach_vif *vif,
		     struct vnet_mach_master *master, uint32_t access,
		     struct vnet_mach_facet **facet)
{
	struct vnet_mach_facet *f;
	int r = -ENOSPC;

	if (vif->clients >= vif->max_clients)
		return -EUSERS;
	if (master && master->max_clients &&
	    master->clients >= master->max_clients)
		return -EUSERS;
	if (m->nrights >= m->config.max_rights)
		return -EUSERS;
	f = vnet_mach_get_memory(m, sizeof(*f));
	if (!f)
		return -ENOMEM;
	if (vnet_mach_right_open(m, &f->device.right, &right_ops,
				 MACH_PORT_NULL, FACET_QLIMIT, true))
		goto put_facet;
	f->device.ops = &device_ops;
	f->vif = vif;
	f->port = vif->port;
	f->access = access;
	f->flags = FLAGS_AT_OPEN;
	f->writes.job.run = vnet_mach_facet_work;
	r = join(f);
	if (r)
		goto close_right;
	f->master = master;
	if (master)
		master->clients++;
	vif->clients++;
	m->nrights++;
	f->next = m->facets;
	m->facets = f;
	*facet = f;
	return 0;

close_right:
	vnet_mach_right_close(&f->device.right);
put_facet:
	vnet_mach_put_memory(m, f, sizeof(*f));
	return r;
}

int
vnet_mach_vif_open(struct vnet_mach *m, vnet_port_id port, uint32_t mode,
		   uint32_t (*access)(void *ctx, uint32_t mode), void *ctx,
		   mach_port_t *right)
{
	uint32_t may = VNET_MACH_READ | VNET_MACH_WRITE;
	struct vnet_mach_facet *f;
	struct vnet_mach_vif *vif;
	int r = -ENOENT;

	if (access)
		may &= access(ctx, mode);
	if (!may)
		return -EACCES;
	vnet_mach_lock(m);
	vif = vnet_mach_vif_of(m, port);
	if (vif)
		r = vnet_mach_facet_open(m, vif, NULL, may, &f);
	if (!r)
		*right = f->device.right.named.name;
	vnet_mach_unlock(m);
	return r;
}

void
vnet_mach_facet_close(struct vnet_mach_facet *f)
{
	struct vnet_mach *m = f->device.right.m;

	vnet_mach_facet_clear_filters(f);
	vnet_mach_facet_leave(f);
	vnet_mach_job_interrupt(m, &f->writes.job);
}

static void
forget_vif(struct vnet_mach_facet *f)
{
	if (f->vif) {
		f->vif->clients--;
		vnet_mach_facet_info_add(&f->vif->past_facets, &f->count);
	}
	f->vif = NULL;
}

void
vnet_mach_facet_reap(struct vnet_mach_facet *f)
{
	struct vnet_mach *m = f->device.right.m;
	struct vnet_mach_facet **at = &m->facets;

	if (!f->is_doomed || f->writes.is_busy || f->writes.job.is_waiting)
		return;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	forget_vif(f);
	if (f->master)
		f->master->clients--;
	m->nrights--;
	vnet_mach_put_memory(m, f, sizeof(*f));
}

/* What a thread is at, it finishes: a facet that it is stuck in counts on for
 * whom it was opened. */
void
vnet_mach_facet_end(struct vnet_mach_facet *f)
{
	vnet_mach_facet_close(f);
	vnet_mach_writes_clear(f->device.right.m, &f->writes);
	vnet_mach_right_close(&f->device.right);
	f->is_doomed = true;
	vnet_mach_facet_reap(f);
}

void
vnet_mach_facets_revoke(struct vnet_mach *m, struct vnet_mach_vif *vif)
{
	for (struct vnet_mach_facet *f = m->facets; f; f = f->next) {
		if (f->vif != vif)
			continue;
		vnet_mach_facet_leave(f);
		forget_vif(f);
	}
}

int
vnet_mach_facet_get(const struct vnet_mach *m, vnet_client_id id,
		    struct vnet_mach_facet_info *info)
{
	const struct vnet_mach_facet *f = m->facets;

	if (info->size != sizeof(*info))
		return -EINVAL;
	while (f && (id == VNET_NO_ID || f->client != id))
		f = f->next;
	if (!f)
		return -ENOENT;
	*info = f->count;
	info->size = sizeof(*info);
	info->client = f->client;
	info->port = f->port;
	info->filters = f->nfilters;
	info->reads = f->nreads;
	info->flags = (uint32_t)flags_of(f);
	return 0;
}
