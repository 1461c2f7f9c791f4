/* SPDX-License-Identifier: BSD-2-Clause */
#include "net.h"

void
net_open(struct net *net, unsigned int nvifs,
	 const struct vnet_switch_config *config)
{
	static const char *const names[] = {"a", "b", "c"};
	struct fake *const vifs[] = {&net->a, &net->b, &net->c};
	struct vnet_switch_config c = *config;

	if (!c.max_ports)
		c.max_ports = 8;
	net->sw = test_switch_of(&net->alloc, &c);
	for (unsigned int i = 0; i < nvifs; i++)
		assert_int_equal(fake_open(vifs[i], net->sw, names[i],
					   VNET_ROLE_VIF, 0),
				 0);
	net->nvifs = nvifs;
}

void
net_reopen(struct net *net, const struct vnet_switch_config *config)
{
	const unsigned int nvifs = net->nvifs;

	test_switch_end(net->sw, &net->alloc);
	memset(net, 0, sizeof(*net));
	net_open(net, nvifs, config);
}

static int
set_up(void **state, unsigned int nvifs)
{
	struct net *net = calloc(1, sizeof(*net));

	assert_non_null(net);
	net_open(net, nvifs, &(struct vnet_switch_config){0});
	*state = net;
	return 0;
}

int
net_of_two(void **state)
{
	return set_up(state, 2);
}

int
net_of_three(void **state)
{
	return set_up(state, 3);
}

int
net_tear_down(void **state)
{
	struct net *net = *state;

	test_switch_end(net->sw, &net->alloc);
	free(net);
	return 0;
}
