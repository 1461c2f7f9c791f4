/* SPDX-License-Identifier: BSD-2-Clause */
/* For <mach_debug/slab_info.h>, which asks for it. */
#ifndef BARE_SYS_TYPES_H
#define BARE_SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

#endif
