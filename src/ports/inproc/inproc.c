/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The medium is full, save while the program polls: what is for it waits in the
 * switch's queue, copied once, and is lent from there.
 */
#include <errno.h>

#include <vnet/inproc.h>

static int
hand_over(void *ctx, const struct vnet_frame *frames, size_t n, size_t *refused)
{
	struct vnet_inproc *ip = ctx;

	(void)refused;
	if (!ip->fn)
		return 0;
	for (size_t i = 0; i < n; i++)
		ip->fn(ip->fn_ctx, &frames[i]);
	return (int)n;
}

static void
forget(void *ctx)
{
	struct vnet_inproc *ip = ctx;

	ip->id = VNET_NO_ID;
}

int
vnet_inproc_open(struct vnet_inproc *ip, struct vnet_switch *sw,
		 vnet_port_id port, uint32_t carries, uint32_t queue_octets)
{
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &ip->ops,
		.ctx = ip,
		.queue_octets = queue_octets,
	};

	*ip = (struct vnet_inproc){
		.sw = sw,
		.ops =
			{
				.size = sizeof(ip->ops),
				.carries = carries,
				.send = hand_over,
				.close = forget,
			},
	};
	return vnet_client_add(sw, port, &config, &ip->id, NULL);
}

int
vnet_inproc_poll(struct vnet_inproc *ip, vnet_inproc_fn fn, void *ctx,
		 size_t max, vnet_nsec now)
{
	int n;

	if (ip->id == VNET_NO_ID)
		return -ENOENT;
	if (ip->fn)
		return -EBUSY;
	ip->fn = fn;
	ip->fn_ctx = ctx;
	n = vnet_client_output(ip->sw, ip->id, max, now);
	ip->fn = NULL;
	return n;
}
