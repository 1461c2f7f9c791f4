/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <mach/mach_port.h>

#include <device/device.h>

#include "chain.h"
#include "guest.h"

/* What service_add_uplink() opens. */
#define NAME "eth0"

static const char *const names[CHAIN_MAX] = {
	"v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",
};

static uint8_t frame[60], got[1600];

/* Those of hosts and switches that share a vif are not the same. */
static void
read_address(struct chain *c, uint32_t i)
{
	int words[2];
	mach_msg_type_number_t n = 2;

	CHECK_OK(device_get_status(c->devices[i], NET_ADDRESS, words, &n));
	for (unsigned int k = 0; k < 6; k++)
		c->macs[i][k] =
			(uint8_t)((uint32_t)words[k / 4] >> (24 - k % 4 * 8));
}

static void
join(struct chain *c, uint32_t i, mach_port_t master, const char *name)
{
	c->devices[i] = client_open(master, name);
	c->receivers[i] = client_receiver(MACH_PORT_QLIMIT_MAX);
	client_listen(c->devices[i], c->receivers[i], 0, NETF_IN);
	read_address(c, i);
}

static void
start_one(struct chain *c)
{
	struct service *s = &c->services[0];

	for (uint32_t i = 0; i < c->n; i++)
		c->vifs[i].name = names[i];
	s->vifs = c->vifs;
	s->nvifs = c->n;
	service_start(s);
	for (uint32_t i = 0; i < c->n; i++)
		join(c, i, s->master, names[i]);
}

/* The last one first: it has no uplink. */
static void
start_many(struct chain *c)
{
	for (uint32_t i = c->n; i-- > 0;) {
		struct service *s = &c->services[i];

		c->vifs[i] = (struct vif){
			.name = names[i],
			.device = NAME,
			.port_flags = VNET_PORT_PER_CLIENT,
			.vif_flags = VNET_MACH_MAY_PROMISC,
		};
		s->vifs = &c->vifs[i];
		s->nvifs = 1;
		s->first = (uint8_t)i;
		service_start(s);
		join(c, i, s->master, NAME);
		if (i + 1 < c->n)
			service_add_uplink(s, c->services[i + 1].master, 0);
	}
}

void
chain_address(const struct chain *c, uint32_t from, uint32_t to, uint8_t *f)
{
	memcpy(f, c->macs[to], 6);
	if (from == to)
		memset(f, 0xff, 6);
	memcpy(f + 6, c->macs[from], 6);
	f[12] = 0x88;
	f[13] = 0xb5;
}

static void
drain(struct chain *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		while (client_get(c->receivers[i], got, sizeof(got), 0))
			;
}

/* Has everybody heard host @i call? */
static bool
is_heard(struct chain *c, uint32_t i)
{
	bool all = true;

	chain_address(c, i, i, frame);
	client_write(c->devices[i], frame, sizeof(frame));
	for (uint32_t k = 0; k < c->n; k++)
		if (k != i)
			all = client_get(c->receivers[k], got, sizeof(got),
					 100) &&
			      all;
	return all;
}

void
chain_start(struct chain *c, uint32_t n, bool is_one)
{
	memset(c, 0, sizeof(*c));
	c->n = n;
	c->nservices = is_one ? 1 : n;
	if (is_one)
		start_one(c);
	else
		start_many(c);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t tries = 0;

		/* Uplinks are opened behind the start. */
		while (!is_heard(c, i))
			CHECK(tries++ < 100);
	}
	drain(c);
}

void
chain_stop(struct chain *c)
{
	for (uint32_t i = 0; i < c->nservices; i++)
		service_check(&c->services[i]);
	for (uint32_t i = 0; i < c->nservices; i++)
		service_kill(&c->services[i]);
	for (uint32_t i = 0; i < c->n; i++) {
		client_drop(c->devices[i]);
		client_drop_receiver(c->receivers[i]);
	}
	for (uint32_t i = 0; i < c->nservices; i++)
		client_drop(c->services[i].master);
}

static int
count_messages(struct server *s, uint32_t arg)
{
	struct vnet_mach_stats stats = {.size = sizeof(stats)};

	(void)arg;
	vnet_mach_lock(s->m);
	CHECK(!vnet_mach_get_stats(s->m, &stats));
	vnet_mach_unlock(s->m);
	return (int)stats.messages;
}

uint32_t
chain_messages(struct chain *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->nservices; i++)
		n += (uint32_t)service_call(&c->services[i], count_messages, 0);
	return n;
}
