/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Views are handed on as they were lent: neither switch writes to them, and their
 * depth says how many are on the call stack. The time is that of the switch that
 * hands them over.
 */
#include <errno.h>

#include <vnet/patch.h>
#include <vnet/port.h>
#include <vnet/switch.h>

static int
hand_over(void *ctx, const struct vnet_frame *frames, size_t n, size_t *refused)
{
	const struct vnet_patch_end *end = ctx;
	const struct vnet_patch_end *to = end->far_end;

	if (to->id == VNET_NO_ID)
		*refused = n;
	else
		vnet_switch_input(to->sw, to->id, frames, n,
				  vnet_switch_time(end->sw));
	return (int)n;
}

static void
unplug(void *ctx)
{
	struct vnet_patch_end *end = ctx;
	const struct vnet_patch_end *other = end->far_end;

	end->id = VNET_NO_ID;
	if (other->id != VNET_NO_ID)
		vnet_client_set_link(other->sw, other->id, false);
}

static const struct vnet_driver_ops ops = {
	.size = sizeof(ops),
	/* Whatever it is, the other switch resolves it for who needs that. */
	.carries = VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 | VNET_CARRIES_TSO6 |
		   VNET_CARRIES_USO | VNET_CARRIES_TAGS,
	.send = hand_over,
	.close = unplug,
};

static int
plug_in(struct vnet_patch_end *end, vnet_port_id port, struct vnet_why *why)
{
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &ops,
		.ctx = end,
	};

	return vnet_client_add(end->sw, port, &config, &end->id, why);
}

int
vnet_patch_open(struct vnet_patch *patch, struct vnet_switch *const sw[2],
		const vnet_port_id port[2], struct vnet_why *why)
{
	int err;

	if (sw[0] == sw[1]) {
		if (why)
			*why = (struct vnet_why){
				.text = "a patch connects two switches"};
		return -EINVAL;
	}
	for (int i = 0; i < 2; i++)
		patch->end[i] = (struct vnet_patch_end){
			.sw = sw[i],
			.id = VNET_NO_ID,
			.far_end = &patch->end[!i],
		};
	err = plug_in(&patch->end[0], port[0], why);
	if (err)
		return err;
	err = plug_in(&patch->end[1], port[1], why);
	if (err)
		vnet_client_remove(sw[0], patch->end[0].id);
	return err;
}
