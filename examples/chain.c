/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switches of one interface each, chained: on the interface of each are a host
 * and the switch below, whose uplink it is, and which may send from the
 * addresses of the hosts below and from no others.
 *
 *	host 0          host 1          host 2          host 3
 *	  |               |               |               |
 *	[vif of 0]  up--[vif of 1]  up--[vif of 2]  up--[vif of 3]
 *
 * Every host calls all others together, and then each by itself. Prints who has
 * heard whom, and what becomes of a frame that host 0 sends in the name of
 * host 3.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vnet/libvnet.h>
#include <vnet/malloc.h>

#define NLEVELS 4

/* An EtherType for experiments (IEEE 802, 9.2.3). */
#define ETHERTYPE 0x88b5

struct level {
	struct vnet_switch *sw;
	vnet_port_id vif;
	struct vnet_inproc host;
	struct vnet_patch cable; /* end 0 is its uplink, 1 at the next one */
	unsigned int heard[NLEVELS];
};

static const struct vnet_mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static struct vnet_mac
mac_of(int level)
{
	/* Locally administered. */
	return (struct vnet_mac){{0x02, 0, 0, 0, 0, (uint8_t)level}};
}

static void
hear(void *ctx, const struct vnet_frame *f)
{
	struct level *l = ctx;

	l->heard[f->data[11]]++;
}

static void
say(struct level *l, struct vnet_mac from, struct vnet_mac to)
{
	uint8_t octets[60] = {0};
	const struct vnet_frame f = {.data = octets, .len = sizeof(octets)};

	memcpy(octets, to.octet, 6);
	memcpy(octets + 6, from.octet, 6);
	octets[12] = ETHERTYPE >> 8;
	octets[13] = ETHERTYPE & 0xff;
	vnet_switch_input(l->sw, l->host.id, &f, 1, 0);
}

static void
listen_all(struct level *levels)
{
	for (int i = 0; i < NLEVELS; i++)
		vnet_inproc_poll(&levels[i].host, hear, &levels[i], 64, 0);
}

/* The switch below level @i may send from the addresses of the hosts below. */
static int
guard(struct level *levels, int i)
{
	const uint16_t ethertype = ETHERTYPE;
	struct vnet_mac_prefix macs[NLEVELS];
	const struct vnet_grant grant = {
		.size = sizeof(grant),
		.name = "below",
		.macs = macs,
		.nmacs = (size_t)i,
		.ethertypes = &ethertype,
		.nethertypes = 1,
		.may = VNET_MAY_BROADCAST,
	};
	struct vnet_switch *sw = levels[i].sw;
	vnet_grant_id id;
	int err;

	for (int k = 0; k < i; k++)
		macs[k] = (struct vnet_mac_prefix){mac_of(k), 48};
	err = vnet_grant_add(sw, VNET_NO_ID, &grant, &id, NULL, NULL);
	return err ? err
		   : vnet_client_set_grant(sw, levels[i - 1].cable.end[1].id,
					   id, NULL);
}

static int
open_level(struct level *levels, int i, const struct vnet_alloc *alloc)
{
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = alloc,
		.max_ports = 2,
		.max_clients = 3,
	};
	const struct vnet_port_config vif = {
		.size = sizeof(vif),
		.name = "vif",
	};
	struct level *l = &levels[i];
	int err = vnet_switch_create(&l->sw, &config, NULL);

	if (!err)
		err = vnet_port_add(l->sw, &vif, &l->vif, NULL);
	return err ? err : vnet_inproc_open(&l->host, l->sw, l->vif, 0, 0);
}

/* The uplink of level @i leads to the next one. */
static int
connect_level(struct level *levels, int i)
{
	const struct vnet_port_config uplink = {
		.size = sizeof(uplink),
		.name = "up",
		.role = VNET_ROLE_UPLINK,
	};
	struct vnet_switch *const both[2] = {levels[i].sw, levels[i + 1].sw};
	vnet_port_id ports[2] = {VNET_NO_ID, levels[i + 1].vif};
	int err = vnet_port_add(levels[i].sw, &uplink, &ports[0], NULL);

	if (!err)
		err = vnet_patch_open(&levels[i].cable, both, ports, NULL);
	return err ? err : guard(levels, i + 1);
}

static int
open_all(struct level *levels, const struct vnet_alloc *alloc)
{
	int err = 0;

	for (int i = 0; i < NLEVELS && !err; i++)
		err = open_level(levels, i, alloc);
	for (int i = 0; i + 1 < NLEVELS && !err; i++)
		err = connect_level(levels, i);
	return err;
}

static void
call_all(struct level *levels)
{
	for (int i = 0; i < NLEVELS; i++) {
		say(&levels[i], mac_of(i), everybody);
		listen_all(levels);
	}
	for (int i = 0; i < NLEVELS; i++) {
		for (int k = 0; k < NLEVELS; k++) {
			if (k != i)
				say(&levels[i], mac_of(i), mac_of(k));
		}
		listen_all(levels);
	}
}

/* Has everybody heard everybody else twice, and nobody anything else? */
static bool
print_heard(const struct level *levels)
{
	bool good = true;

	for (int i = 0; i < NLEVELS; i++) {
		printf("host %d has heard", i);
		for (int k = 0; k < NLEVELS; k++) {
			printf("  host %d: %u", k, levels[i].heard[k]);
			good = good && levels[i].heard[k] == (k == i ? 0 : 2);
		}
		printf("\n");
	}
	return good;
}

/* What does the switch above say of host 0 as host 3? */
static bool
print_forged(struct level *levels)
{
	struct vnet_count refused = {0};

	say(&levels[0], mac_of(3), mac_of(2));
	listen_all(levels);
	vnet_client_drops(levels[1].sw, levels[0].cable.end[1].id,
			  VNET_DROP_NOT_GRANTED, &refused, NULL);
	printf("host 0 as host 3: switch 1 refuses %" PRIu64 " frame\n",
	       refused.frames);
	return refused.frames == 1 && levels[2].heard[3] == 2;
}

int
main(void)
{
	const struct vnet_alloc alloc = vnet_malloc();
	static struct level levels[NLEVELS];
	int err = open_all(levels, &alloc);
	bool good = false;

	if (err) {
		fprintf(stderr, "chain: %s\n", strerror(-err));
	} else {
		call_all(levels);
		good = print_heard(levels);
		good = print_forged(levels) && good;
	}
	for (int i = 0; i < NLEVELS; i++) {
		if (levels[i].sw && !vnet_switch_check(levels[i].sw, NULL))
			good = false;
	}
	for (int i = 0; i < NLEVELS; i++)
		vnet_switch_destroy(levels[i].sw);
	return good ? 0 : 1;
}
