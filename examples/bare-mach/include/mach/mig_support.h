/* SPDX-License-Identifier: BSD-2-Clause */
/* What the stubs that MIG makes call, beside mach_msg(). */
#ifndef BARE_MACH_MIG_SUPPORT_H
#define BARE_MACH_MIG_SUPPORT_H

#include <string.h>

#include <mach/port.h>
#include <mach/std_types.h>

/* The right that this thread gets its replies at, made when first wanted. */
mach_port_t mig_get_reply_port(void);
/* A reply has come, or has not: the next one may not be that of this call. */
void mig_put_reply_port(mach_port_t port);
void mig_dealloc_reply_port(mach_port_t port);

/* Copy a string, with its NUL, into @size octets; all of them are set. */
vm_size_t mig_strncpy(char *to, const char *from, vm_size_t size);

void mig_allocate(vm_address_t *address, vm_size_t size);
void mig_deallocate(vm_address_t address, vm_size_t size);

#endif
