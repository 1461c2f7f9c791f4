/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of these headers (SemVer). That of the project, which a test sees
 * to. */
#ifndef VNET_VERSION_H
#define VNET_VERSION_H

#define VNET_VERSION_MAJOR  0
#define VNET_VERSION_MINOR  1
#define VNET_VERSION_PATCH  0
#define VNET_VERSION_STRING "0.1.0"

#endif
