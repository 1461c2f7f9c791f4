/* SPDX-License-Identifier: BSD-2-Clause */
#include <vnet/version.h>

const char *
vnet_version(void)
{
	return VNET_VERSION_STRING;
}
