/* SPDX-License-Identifier: BSD-2-Clause */
/* Versions, as SemVer has them. A test sees to it that this is the project's. */
#ifndef VNET_VERSION_H
#define VNET_VERSION_H

#include <vnet/types.h>

VNET_BEGIN_DECLS

/* Of these headers. */
#define VNET_VERSION_MAJOR  0
#define VNET_VERSION_MINOR  1
#define VNET_VERSION_PATCH  0
#define VNET_VERSION_STRING "0.1.0"

/* Of the library that runs: "0.1.0". Static. */
VNET_API const char *vnet_version(void);

VNET_END_DECLS

#endif
