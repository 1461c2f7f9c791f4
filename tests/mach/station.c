/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	host 10.0.0.1 -- NIC a == cable == NIC b -- host 10.0.0.2
 *
 * The small host, its TCP and the fake NIC hold out, with nothing between them
 * that is under test elsewhere: a MiB goes each way, as it will through the
 * switch.
 */
#include "guest/exchange.h"
#include "guest/fake_nic.h"
#include "guest/guest.h"
#include "guest/netdev.h"

static struct end {
	struct fake_nic nic;
	mach_port_t wire;
} ends[2] = {
	{.nic = {.name = "a", .mac = {2, 0, 0, 0, 0, 1}}},
	{.nic = {.name = "b", .mac = {2, 0, 0, 0, 0, 2}}},
};

/* From one end to the other, for ever. */
static void
carry(void *arg)
{
	const struct end *from = arg;
	const struct end *to = &ends[from == &ends[0]];
	static uint8_t frames[2][HOST_FRAME_MAX];
	uint8_t *frame = frames[from == &ends[0]];

	for (;;) {
		const long len =
			fake_nic_take(from->wire, frame, HOST_FRAME_MAX, 10000);

		if (len >= 0)
			fake_nic_inject(to->nic.task.control, frame,
					(size_t)len);
	}
}

static void
set_up(struct end *end)
{
	CHECK_OK(nic_task_init(&end->nic.task));
	CHECK_OK(fake_nic_start(&end->nic));
	end->wire = mach_reply_port();
	CHECK_OK(mach_port_set_qlimit(mach_task_self(), end->wire,
				      NETDEV_QUEUE));
	CHECK_OK(fake_nic_listen(end->nic.task.control, end->wire));
}

int
main(int argc, char **argv)
{
	struct exchange both[2] = {{.number = 1}, {.number = 2}};
	struct nic_counts counts;
	int flags;

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < 2; i++) {
		set_up(&ends[i]);
		both[i].master = ends[i].nic.task.master;
		both[i].name = ends[i].nic.name;
	}
	for (size_t i = 0; i < 2; i++)
		CHECK_OK(bare_thread_create(NULL, 0, carry, &ends[i]));
	for (unsigned int i = 0; i < 2; i++) {
		exchange_streams(both, i);
		CHECK_OK(fake_nic_counts(ends[0].nic.task.control, &counts,
					 &flags));
		bare_printf("a: %u out, %u in, %u lost\n", counts.out,
			    counts.in, counts.full + counts.wire_lost);
		/* Each MiB has really been on the wire. */
		CHECK(counts.out > (i + 1) * (EXCHANGE_OCTETS / 1460));
		CHECK(counts.in > (i + 1) * (EXCHANGE_OCTETS / 1460));
	}
	guest_pass();
}
