/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake NIC as a program: name=eth0 mac=02:00:00:00:00:01. What it is opened
 * on is published under its name, its control right as "NAME control".
 */
#include "guest/fake_nic.h"
#include "guest/guest.h"

static mach_port_t
publish(const char *name)
{
	const mach_port_t port = mach_reply_port();

	CHECK_OK(mach_port_insert_right(mach_task_self(), port, port,
					MACH_MSG_TYPE_MAKE_SEND));
	guest_publish(name, port);
	return port;
}

static void
parse_mac(const char *text, uint8_t mac[6])
{
	for (size_t i = 0; i < 6; i++) {
		const char octet[] = {'0', 'x', text[3 * i], text[3 * i + 1],
				      '\0'};
		uint32_t value = 0;

		CHECK(bare_parse_number(octet, &value));
		CHECK(text[3 * i + 2] == (i < 5 ? ':' : '\0'));
		mac[i] = (uint8_t)value;
	}
}

int
main(int argc, char **argv)
{
	const char *name = bare_arg(argv, "name");
	const char *mac = bare_arg(argv, "mac");
	struct fake_nic fake = {
		.name = name ? name : "eth0",
		.mac = {2, 0, 0, 0, 0, 1},
	};
	char control[40];

	(void)argc;
	if (mac)
		parse_mac(mac, fake.mac);
	bare_snprintf(control, sizeof(control), "%s control", fake.name);
	fake.task.master = publish(fake.name);
	fake.task.control = publish(control);
	fake_nic_run(&fake);
}
