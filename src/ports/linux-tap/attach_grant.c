/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "attach_wire.h"

/* One of the lists, which may be empty; false if there are too many. */
static bool
put_list(void *to, uint32_t *count, const void *list, size_t n, size_t size)
{
	if (n > VNET_GRANT_MAX_LIST)
		return false;
	*count = (uint32_t)n;
	if (n)
		memcpy(to, list, n * size);
	return true;
}

#define PUT(m, grant, list)                                     \
	put_list((m)->lists.list, &(m)->n##list, (grant)->list, \
		 (grant)->n##list, sizeof((grant)->list[0]))

int
vnet_attach_grant_to_wire(struct attach_grant *m,
			  const struct vnet_grant *grant)
{
	if (grant->size != sizeof(*grant) || !PUT(m, grant, macs) ||
	    !PUT(m, grant, groups) || !PUT(m, grant, ipv4) ||
	    !PUT(m, grant, ipv6) || !PUT(m, grant, vlans) ||
	    !PUT(m, grant, ethertypes))
		return -EINVAL;
	if (grant->rate.size && grant->rate.size != sizeof(grant->rate))
		return -EINVAL;
	vnet_attach_copy_text(m->name, sizeof(m->name),
			      grant->name ? grant->name : "");
	m->may = grant->may;
	m->max_addresses = grant->max_addresses;
	m->max_clients = grant->max_clients;
	m->queue_octets = grant->queue_octets;
	m->depth = grant->depth;
	m->until = grant->until;
	m->has_rate = grant->rate.size != 0;
	m->frames_per_s = grant->rate.frames_per_s;
	m->octets_per_s = grant->rate.octets_per_s;
	m->burst_frames = grant->rate.burst_frames;
	m->burst_octets = grant->rate.burst_octets;
	return 0;
}

static bool
has_counts(const struct attach_grant *m)
{
	const uint32_t counts[] = {m->nmacs, m->ngroups, m->nipv4,
				   m->nipv6, m->nvlans,  m->nethertypes};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (counts[i] > VNET_GRANT_MAX_LIST)
			return false;
	return true;
}

int
vnet_attach_grant_from_wire(const struct attach_grant *m,
			    struct vnet_grant *grant)
{
	if (!has_counts(m) || m->has_rate > 1 ||
	    !vnet_attach_is_text(m->name, sizeof(m->name)))
		return -EINVAL;
	*grant = (struct vnet_grant){
		.size = sizeof(*grant),
		.name = m->name,
		.nmacs = m->nmacs,
		.ngroups = m->ngroups,
		.nipv4 = m->nipv4,
		.nipv6 = m->nipv6,
		.nvlans = m->nvlans,
		.nethertypes = m->nethertypes,
		.may = m->may,
		.max_addresses = m->max_addresses,
		.max_clients = m->max_clients,
		.queue_octets = m->queue_octets,
		.depth = m->depth,
		.until = m->until,
	};
	vnet_grant_use_lists(grant, &m->lists);
	if (m->has_rate)
		grant->rate = (struct vnet_limit){
			.size = sizeof(grant->rate),
			.frames_per_s = m->frames_per_s,
			.octets_per_s = m->octets_per_s,
			.burst_frames = m->burst_frames,
			.burst_octets = m->burst_octets,
		};
	return 0;
}
