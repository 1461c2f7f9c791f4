/* SPDX-License-Identifier: BSD-2-Clause */
#include "exchange.h"
#include "guest.h"
#include "if_flags.h"
#include "netdev.h"

#define PORT 7

static struct host_addr
addr_of(uint8_t number, bool is_ip6)
{
	const uint16_t groups[8] = {0xfd00, 0, 0, 0, 0, 0, 0, number};

	return is_ip6 ? host_addr6(groups) : host_addr4(10, 0, 0, number);
}

static bool
has_ended(const struct station *s)
{
	return s->tcp.state == TCP_FAILED ||
	       tcp_may_leave(&s->tcp, netdev_now());
}

static void
exchange(void *arg)
{
	static struct station s;
	const struct exchange *x = arg;
	const uint8_t other = x->number == 1 ? 2 : 1;
	const struct host_addr self = addr_of(x->number, x->is_ip6);
	const struct host_addr peer = addr_of(other, x->is_ip6);
	const struct tcp_config config = {
		.send_seed = x->number,
		.send_octets = EXCHANGE_OCTETS,
		.receive_seed = other,
		.window = 16384,
		.iss = 0xfffffff0 + x->number,
	};

	CHECK_OK(netdev_open(&s.dev, x->master, x->name, true, PFINET_FLAGS));
	station_start(&s, NULL, x->is_ip6 ? NULL : &self,
		      x->is_ip6 ? &self : NULL);
	tcp_init(&s.tcp, &s.host, &config);
	if (x->number == 2)
		tcp_listen(&s.tcp, PORT);
	CHECK(station_run(&s, station_is_ready, 5000));
	if (x->number == 1)
		tcp_connect(&s.tcp, &peer, PORT, 1024, netdev_now());
	CHECK(station_run(&s, has_ended, 60000));
	bare_printf("%s: %lu segments, %lu octets again, %lu timeouts\n",
		    x->name, s.tcp.counts.out, s.tcp.counts.again,
		    s.tcp.counts.timeouts);
	CHECK_EQ(s.tcp.state, TCP_DONE);
	CHECK_EQ(s.tcp.received, EXCHANGE_OCTETS);
	CHECK_EQ(s.tcp.wrong, 0);
	CHECK_EQ(s.host.counts.strangers, 0);
	CHECK_EQ(s.host.counts.from_us, 0);
	CHECK_EQ(s.host.counts.checksums, 0);
	CHECK_EQ(s.host.counts.malformed, 0);
	CHECK_EQ(s.host.counts.conflicts, 0);
	CHECK_EQ(s.dev.refused, 0);
	CHECK_EQ(s.dev.strange, 0);
	netdev_close(&s.dev);
}

void
exchange_streams(struct exchange both[2], bool is_ip6)
{
	mach_port_t tasks[2];

	for (size_t i = 0; i < 2; i++) {
		both[i].is_ip6 = is_ip6;
		CHECK_OK(bare_task_fork(&tasks[i], exchange, &both[i]));
		CHECK_OK(bare_task_give(tasks[i], both[i].master));
	}
	for (size_t i = 0; i < 2; i++)
		CHECK_OK(bare_task_start(tasks[i]));
	for (size_t i = 0; i < 2; i++)
		bare_task_join(tasks[i]);
}
