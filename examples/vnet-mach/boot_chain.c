/* SPDX-License-Identifier: BSD-2-Clause */
#include <mach/mig_errors.h>

#include <bare.h>

#include "boot_chain.h"

static vnet_nsec
now(void *ctx)
{
	(void)ctx;
	return bare_now();
}

static void
run(void *arg)
{
	struct vnet_boot *b = arg;
	static union {
		mach_msg_header_t header;
		char room[8192];
	} in;
	mig_reply_header_t out;

	for (;;) {
		vnet_nsec when = vnet_boot_deadline(b), time = bare_now();
		mach_msg_option_t options = MACH_RCV_MSG;
		mach_msg_timeout_t ms = 0;

		if (when != VNET_NEVER) {
			options |= MACH_RCV_TIMEOUT;
			if (when > time)
				ms = (mach_msg_timeout_t)((when - time) /
							  1000000) +
				     1;
		}
		if (!mach_msg(&in.header, options, 0, sizeof(in),
			      vnet_boot_port_set(b), ms, MACH_PORT_NULL))
			vnet_boot_demux(b, &in.header, &out.Head);
		vnet_boot_tick(b);
	}
}

const char *
boot_chain_start(struct vnet_boot_config *config, mach_port_t next_task)
{
	struct vnet_boot *b;
	struct vnet_why why;

	config->size = sizeof(*config);
	config->alloc = &bare_alloc;
	config->now = now;
	config->task = mach_task_self();
	/* It takes what it is given. */
	mach_port_mod_refs(mach_task_self(), config->task, MACH_PORT_RIGHT_SEND,
			   1);
	if (vnet_boot_create(&b, config, &why))
		return why.text;
	if (bare_thread_create(NULL, 0, run, b))
		return "no thread for the boot chain";
	if (vnet_boot_start(b, next_task))
		return "--next-task is no task";
	return NULL;
}
