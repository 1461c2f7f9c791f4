/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet-mach in the boot chain: the next task, in the place of the root filesystem,
 * gets its privileged rights from it, and finds the switch's devices and the
 * kernel's at one device master.
 *
 *	first		kernel <- vnet-mach <- filesystem
 *	in the middle	kernel <- test <- vnet-mach <- filesystem
 *	supervised	kernel <- vnet-mach <- its supervisor <- filesystem
 */
#include <string.h>

#include <device/device.h>
#include <device/net_status.h>
#include <mach/mig_errors.h>
#include <mach/task_special_ports.h>

#include "guest/guest.h"

#define FSYS_GETPRIV 22006

/* Under which the program knows the filesystem: its --next-task. */
#define FILESYSTEM 0x9000

/* The Hurd's fsys.defs: host_priv, the device master, the task that answers. */
struct getpriv_reply {
	mig_reply_header_t head;
	struct {
		mach_msg_type_t type;
		mach_port_t right;
	} rights[3];
	char room[64];
};

/* What the filesystem has, under the same names as the test. */
static mach_port_t init, kernel;

static struct getpriv_reply
get_priv(mach_port_t chain)
{
	mach_port_t reply = mach_reply_port();
	struct getpriv_reply r = {
		.head.Head =
			{
				.msgh_bits = MACH_MSGH_BITS(
					MACH_MSG_TYPE_COPY_SEND,
					MACH_MSG_TYPE_MAKE_SEND_ONCE),
				.msgh_size = sizeof(mach_msg_header_t),
				.msgh_remote_port = chain,
				.msgh_local_port = reply,
				.msgh_id = FSYS_GETPRIV,
			},
	};

	CHECK_OK(mach_msg(&r.head.Head, MACH_SEND_MSG | MACH_RCV_MSG,
			  sizeof(mach_msg_header_t), sizeof(r), reply,
			  MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL));
	CHECK_EQ(r.head.Head.msgh_id, FSYS_GETPRIV + 100);
	CHECK_OK(r.head.RetCode);
	CHECK_EQ(r.head.Head.msgh_size, offsetof(struct getpriv_reply, room));
	CHECK(MACH_PORT_VALID(r.rights[1].right));
	CHECK(MACH_PORT_VALID(r.rights[2].right));
	return r;
}

static mach_port_t
open(mach_port_t master, const char *name)
{
	dev_name_t padded = "";
	mach_port_t device;

	memcpy(padded, name, strlen(name));
	CHECK_OK(device_open(master, D_READ, padded, &device));
	return device;
}

static void
be_filesystem(void *arg)
{
	int words[NET_STATUS_COUNT];
	mach_msg_type_number_t n = NET_STATUS_COUNT;
	struct getpriv_reply r;
	mach_port_t chain, master;

	(void)arg;
	CHECK_OK(task_get_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT,
				       &chain));
	/* So that it can say what is wrong. */
	CHECK_OK(task_set_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT,
				       init));
	CHECK(MACH_PORT_VALID(chain) && chain != init);
	r = get_priv(chain);
	master = r.rights[1].right;
	CHECK(master != kernel);
	CHECK_OK(
		device_get_status(open(master, "vif0"), NET_STATUS, words, &n));
	CHECK_EQ(words[1], 1514);
	CHECK_EQ(open(master, "time"), open(kernel, "time"));
	guest_publish("filesystem is content", mach_task_self());
}

/* As whoever is before vnet-mach: give it what the kernel has given. */
static void
answer(mach_port_t upper, mach_port_t host)
{
	const mach_msg_type_t type = {
		.msgt_name = MACH_MSG_TYPE_COPY_SEND,
		.msgt_size = 32,
		.msgt_number = 1,
		.msgt_inline = TRUE,
	};
	const mach_port_t rights[] = {host, kernel, mach_task_self()};
	struct getpriv_reply r;

	CHECK_OK(mach_msg(&r.head.Head, MACH_RCV_MSG, 0, sizeof(r), upper,
			  MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL));
	CHECK_EQ(r.head.Head.msgh_id, FSYS_GETPRIV);
	r.head.Head.msgh_bits =
		MACH_MSGH_BITS_COMPLEX |
		MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(r.head.Head.msgh_bits), 0);
	r.head.Head.msgh_size = offsetof(struct getpriv_reply, room);
	r.head.Head.msgh_local_port = MACH_PORT_NULL;
	r.head.Head.msgh_id += 100;
	r.head.RetCodeType = (mach_msg_type_t){
		.msgt_name = MACH_MSG_TYPE_INTEGER_32,
		.msgt_size = 32,
		.msgt_number = 1,
		.msgt_inline = TRUE,
	};
	r.head.RetCode = KERN_SUCCESS;
	for (int i = 0; i < 3; i++) {
		r.rights[i].type = type;
		r.rights[i].right = rights[i];
	}
	CHECK_OK(mach_msg(&r.head.Head, MACH_SEND_MSG, r.head.Head.msgh_size, 0,
			  MACH_PORT_NULL, MACH_MSG_TIMEOUT_NONE,
			  MACH_PORT_NULL));
}

int
main(int argc, char **argv)
{
	const bool is_first = bare_arg_is_set(argv, "first");
	const char *program_name = bare_arg(argv, "program");
	const mach_port_t self = mach_task_self();
	mach_port_t program, filesystem, upper = MACH_PORT_NULL;
	char name[64];

	(void)argc;
	if (!program_name)
		program_name = "vnet-mach";
	bare_snprintf(name, sizeof(name), "task:%s", program_name);
	program = guest_lookup(name);
	kernel = guest_lookup("device-master");
	CHECK_OK(task_get_special_port(self, TASK_BOOTSTRAP_PORT, &init));
	CHECK_OK(bare_task_fork(&filesystem, be_filesystem, NULL));
	CHECK_OK(bare_task_give(filesystem, init));
	CHECK_OK(bare_task_give(filesystem, kernel));
	CHECK_OK(mach_port_insert_right(program, FILESYSTEM, filesystem,
					MACH_MSG_TYPE_COPY_SEND));
	if (!is_first) {
		upper = mach_reply_port();
		CHECK_OK(mach_port_insert_right(self, upper, upper,
						MACH_MSG_TYPE_MAKE_SEND));
	}
	CHECK_OK(task_set_special_port(program, TASK_BOOTSTRAP_PORT, upper));
	guest_start(program_name);
	if (!is_first)
		answer(upper, guest_lookup("host-priv"));
	guest_lookup("filesystem is content");
	guest_pass();
}
