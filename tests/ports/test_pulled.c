/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that is pulled, as one for a device that is read, or for a guest's
 * queue, is: it takes nothing by itself, and as many frames as the far end has
 * buffers for when that asks. A buffer holds one frame; the far end has a few.
 */
#include <errno.h>

#include "conformance.h"
#include "packet.h"

#define NBUFFERS 3

struct guest {
	struct vnet_switch *sw;
	vnet_client_id id;
	struct vnet_frame frame[NBUFFERS];
	uint8_t octets[NBUFFERS][PACKET_MAX];
	size_t room; /* buffers that it has handed over */
	size_t used;
	bool is_full; /* it does not ask */
	bool is_broken;
	unsigned int nclosed;
};

static int
fill_buffers(void *ctx, const struct vnet_frame *frames, size_t n,
	     size_t *refused)
{
	struct guest *g = ctx;
	size_t i;

	(void)refused;
	assert_int_equal(g->nclosed, 0);
	if (g->is_broken)
		return -EIO;
	for (i = 0; i < n && g->used < g->room; i++, g->used++) {
		g->frame[g->used] = frames[i];
		g->frame[g->used].data = g->octets[g->used];
		memcpy(g->octets[g->used], frames[i].data, frames[i].len);
	}
	return (int)i;
}

static void
close_guest(void *ctx)
{
	struct guest *g = ctx;

	g->nclosed++;
}

static int
open_guest(void *ctx, struct vnet_switch *sw, vnet_port_id port,
	   vnet_client_id *id)
{
	static const struct vnet_driver_ops ops = {
		.size = sizeof(ops),
		.carries = VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 |
			   VNET_CARRIES_TAGS,
		.send = fill_buffers,
		.close = close_guest,
	};
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &ops,
		.ctx = ctx,
	};
	struct guest *g = ctx;
	int r = vnet_client_add(sw, port, &config, &g->id, NULL);

	g->sw = sw;
	if (!r)
		*id = g->id;
	return r;
}

static bool
now_gone(void *ctx)
{
	const struct guest *g = ctx;

	return g->nclosed == 1;
}

/* Hand over buffers, have them filled, read them, until they stay empty. */
static void
pull(void *ctx, conformance_fn fn, void *fn_ctx)
{
	struct guest *g = ctx;

	if (g->is_full)
		return;
	do {
		int r;

		g->room = NBUFFERS;
		g->used = 0;
		r = vnet_client_output(g->sw, g->id, g->room, 0);
		assert_true(r >= 0);
		if (!g->is_broken)
			assert_int_equal(r, g->used);
		g->room = 0;
		for (size_t i = 0; i < g->used; i++)
			fn(fn_ctx, &g->frame[i]);
	} while (g->used);
}

static void
inject(void *ctx, const struct vnet_frame *f)
{
	const struct guest *g = ctx;

	vnet_switch_input(g->sw, g->id, f, 1, 0);
}

static void
set_full(void *ctx, bool full)
{
	struct guest *g = ctx;

	g->is_full = full;
}

static void
set_broken(void *ctx, bool broken)
{
	struct guest *g = ctx;

	g->is_broken = broken;
}

int
main(void)
{
	static const struct conformance pulled = {
		.name = "pulled",
		.carries = VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 |
			   VNET_CARRIES_TAGS,
		.size = sizeof(struct guest),
		.open = open_guest,
		.now_gone = now_gone,
		.read = pull,
		.inject = inject,
		.set_full = set_full,
		.set_broken = set_broken,
	};

	return conformance_run(&pulled);
}
