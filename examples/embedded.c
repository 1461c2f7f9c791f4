/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A switch inside a program: three hosts, of which the first asks who has an
 * address and the second answers. Prints who hears what, how many addresses the
 * switch learned, and its sums.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vnet/libvnet.h>
#include <vnet/malloc.h>

#define NHOSTS 3

struct host {
	const char *name;
	struct vnet_inproc port;
	uint8_t mac[6];
};

static void
hear(void *ctx, const struct vnet_frame *f)
{
	const struct host *h = ctx;

	printf("%s hears %.*s\n", h->name, (int)(f->len - VNET_ETH_HEADER_LEN),
	       (const char *)f->data + VNET_ETH_HEADER_LEN);
}

/* Send a line of text as an Ethernet frame; @to is NULL for all. */
static void
say(struct host *from, const struct host *to, const char *text)
{
	uint8_t octets[128];
	size_t len = strlen(text);
	struct vnet_frame f = {
		.data = octets,
		.len = (uint32_t)(VNET_ETH_HEADER_LEN + len),
	};

	if (to)
		memcpy(octets, to->mac, 6);
	else
		memset(octets, 0xff, 6);
	memcpy(octets + 6, from->mac, 6);
	/* An EtherType for experiments (IEEE 802, 9.2.3). */
	memcpy(octets + 12, "\x88\xb5", 2);
	memcpy(octets + VNET_ETH_HEADER_LEN, text, len);
	printf("%s says %s\n", from->name, text);
	vnet_switch_input(from->port.sw, from->port.id, &f, 1, 0);
}

static void
listen_all(struct host *hosts)
{
	for (int i = 0; i < NHOSTS; i++)
		vnet_inproc_poll(&hosts[i].port, hear, &hosts[i], 64, 0);
}

static int
open_host(struct vnet_switch *sw, struct host *h, int number)
{
	struct vnet_port_config config = {
		.size = sizeof(config),
		.name = h->name,
	};
	vnet_port_id port;
	int r = vnet_port_add(sw, &config, &port, NULL);

	h->mac[0] = 0x02; /* locally administered */
	h->mac[5] = (uint8_t)number;
	return r ? r : vnet_inproc_open(&h->port, sw, port, 0, 0);
}

int
main(void)
{
	const struct vnet_alloc alloc = vnet_malloc();
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
	};
	struct host hosts[NHOSTS] = {
		{.name = "ann"},
		{.name = "bob"},
		{.name = "eve"},
	};
	struct vnet_switch_stats stats = {.size = sizeof(stats)};
	struct vnet_switch *sw;
	bool balanced;

	if (vnet_switch_create(&sw, &config, NULL)) {
		fprintf(stderr, "embedded: cannot create a switch\n");
		return 1;
	}
	for (int i = 0; i < NHOSTS; i++) {
		if (open_host(sw, &hosts[i], i + 1)) {
			fprintf(stderr, "embedded: cannot add port %s\n",
				hosts[i].name);
			vnet_switch_destroy(sw);
			return 1;
		}
	}

	say(&hosts[0], NULL, "\"who has 10.0.0.2?\"");
	listen_all(hosts);
	say(&hosts[1], &hosts[0], "\"10.0.0.2 is at 02:00:00:00:00:02\"");
	listen_all(hosts);

	vnet_switch_get_stats(sw, &stats);
	balanced = vnet_switch_check(sw, NULL);
	printf("%" PRIu32 " addresses learned; %" PRIu64 " in, %" PRIu64
	       " copies, %" PRIu64 " delivered; balanced: %s\n",
	       stats.fdb_entries, stats.total.in.frames,
	       stats.total.copies.frames, stats.total.delivered.frames,
	       balanced ? "yes" : "no");
	vnet_switch_destroy(sw);
	return !balanced;
}
