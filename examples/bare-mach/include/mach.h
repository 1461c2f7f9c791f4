/* SPDX-License-Identifier: BSD-2-Clause */
/* Mach as a task sees it: under the names that glibc has for it. */
#ifndef BARE_MACH_H
#define BARE_MACH_H

#include <mach/mach_traps.h>
#include <mach/mach_types.h>
#include <mach/message.h>
#include <mach/notify.h>

/* Made by MIG of mach.defs, mach_port.defs and mach_host.defs. */
#include <mach/mach_interface.h>
#include <mach/mach_port.h>
#include <mach/mach_host.h>

#endif
