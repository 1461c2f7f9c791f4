/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Being a part of the Hurd's boot chain: <vnet/mach_boot.h>, with a thread of its
 * own.
 */
#ifndef BOOT_CHAIN_H
#define BOOT_CHAIN_H

#include <vnet/mach_boot.h>

/* Take our place in the chain, and let the next task run. Of @config, what says
 * whether we are first: host_priv and master, or bootstrap, ready and ctx; the rest
 * is set here. Return: NULL, or what is wrong. */
const char *boot_chain_start(struct vnet_boot_config *config,
			     mach_port_t next_task);

#endif
