/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	host 10.0.0.1 -- vif a == server == vif b -- host 10.0.0.2
 *
 * Stacks as clients: a MiB goes each way through the switch, by TCP over IPv4 and
 * over IPv6, compared octet for octet. Who is on a third vif hears nothing but what
 * is to all.
 */
#include "guest/exchange.h"
#include "guest/guest.h"
#include "guest/if_flags.h"
#include "guest/netdev.h"
#include "guest/service.h"

static const struct vif vifs[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};

static struct service service = {
	.vifs = vifs,
	.nvifs = sizeof(vifs) / sizeof(vifs[0]),
};

int
main(int argc, char **argv)
{
	struct exchange both[2] = {{.name = "a", .number = 1},
				   {.name = "b", .number = 2}};
	static struct netdev bystander;
	uint8_t frame[HOST_FRAME_MAX];
	unsigned int heard = 0;
	uint32_t names;
	long len;

	(void)argc;
	(void)argv;
	service_start(&service);
	CHECK_OK(netdev_open(&bystander, service.master, "c", true,
			     PFINET_FLAGS));
	both[0].master = both[1].master = service.master;
	exchange_streams(both, false);
	/* Now what is made at first use is there. */
	names = service_settle(&service);
	exchange_streams(both, true);
	service_expect_names(&service, names);
	exchange_streams(both, false);
	service_expect_names(&service, names);
	while ((len = netdev_read(&bystander, frame, 100)) > 0) {
		CHECK(frame[0] & 1);
		heard++;
	}
	CHECK(heard > 0);
	CHECK_EQ(bystander.strange, 0);
	netdev_close(&bystander);
	service_check(&service);
	guest_pass();
}
