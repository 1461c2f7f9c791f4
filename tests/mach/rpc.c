/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of a test find each other, and speak; a task can be copied; one that
 * may die does, and its rights with it.
 */
#include "guest/guest.h"

#include <string.h>

struct number {
	mach_msg_header_t header;
	mach_msg_type_t type;
	uint32_t n;
	char trailer[64];
};

static mach_port_t master;

static uint32_t
ask(uint32_t n)
{
	struct number m = {
		.header =
			{
				.msgh_bits = MACH_MSGH_BITS(
					MACH_MSG_TYPE_COPY_SEND,
					MACH_MSG_TYPE_MAKE_SEND_ONCE),
				.msgh_size = offsetof(struct number, trailer),
				.msgh_remote_port = master,
				.msgh_local_port = mach_reply_port(),
				.msgh_id = 1,
			},
		.type =
			{
				.msgt_name = MACH_MSG_TYPE_INTEGER_32,
				.msgt_size = 32,
				.msgt_number = 1,
				.msgt_inline = TRUE,
			},
		.n = n,
	};
	mach_port_t at = m.header.msgh_local_port;

	CHECK_OK(mach_msg(&m.header, MACH_SEND_MSG | MACH_RCV_MSG,
			  m.header.msgh_size, sizeof(m), at,
			  MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL));
	CHECK_OK(mach_port_mod_refs(mach_task_self(), at,
				    MACH_PORT_RIGHT_RECEIVE, -1));
	return m.n;
}

/* Answers with the double. */
static void
serve(void)
{
	mach_port_t at = mach_reply_port();

	CHECK_OK(mach_port_insert_right(mach_task_self(), at, at,
					MACH_MSG_TYPE_MAKE_SEND));
	guest_publish("master", at);
	for (;;) {
		struct number m;

		CHECK_OK(mach_msg(&m.header, MACH_RCV_MSG, 0, sizeof(m), at,
				  MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL));
		m.n *= 2;
		m.header.msgh_bits =
			MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
		m.header.msgh_local_port = MACH_PORT_NULL;
		CHECK_OK(mach_msg(&m.header, MACH_SEND_MSG,
				  offsetof(struct number, trailer), 0,
				  MACH_PORT_NULL, MACH_MSG_TIMEOUT_NONE,
				  MACH_PORT_NULL));
	}
}

static void
copy(void *arg)
{
	uint32_t n = *(uint32_t *)arg;
	void *p = bare_alloc.get(NULL, 100, 1);

	CHECK(p);
	for (uint32_t i = 0; i < 100; i++)
		CHECK_EQ(ask(n + i), 2 * (n + i));
	*(uint32_t *)arg = 0; /* of this task alone */
}

static void
check_copies(void)
{
	mach_port_t tasks[4];
	uint32_t n = 5;

	for (int i = 0; i < 4; i++) {
		CHECK_OK(bare_task_fork(&tasks[i], copy, &n));
		CHECK_OK(bare_task_give(tasks[i], master));
	}
	for (int i = 0; i < 4; i++)
		CHECK_OK(bare_task_start(tasks[i]));
	for (int i = 0; i < 4; i++)
		bare_task_join(tasks[i]);
	CHECK_EQ(n, 5);
}

static void
control(void)
{
	mach_port_t server = guest_lookup("task:server");
	uint32_t names, own;

	master = guest_lookup("master");
	CHECK_EQ(ask(21), 42);
	names = guest_count_names(server);
	own = guest_count_names(mach_task_self());
	check_copies();
	CHECK_EQ(guest_count_names(server), names);
	CHECK_EQ(guest_count_names(mach_task_self()), own);

	guest_start("late");
	mach_port_deallocate(mach_task_self(), guest_lookup("late is here"));
	guest_kill("server");
	CHECK_EQ(guest_count_names(mach_task_self()), own);
}

int
main(int argc, char **argv)
{
	CHECK(argc > 1);
	if (strcmp(argv[1], "server") == 0)
		serve();
	else if (strcmp(argv[1], "late") == 0)
		guest_publish("late is here", mach_task_self());
	else
		control();
	guest_pass();
}
