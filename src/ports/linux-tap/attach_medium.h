/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VNET_LINUX_ATTACH_MEDIUM_H
#define VNET_LINUX_ATTACH_MEDIUM_H

#include <vnet/attach.h>

#include "medium.h"

/* A medium of an end of the socket for frames, which it owns from then on: the
 * switch's end if @client is NULL, else that of @client, which the medium closes.
 * NULL if there is no memory. */
struct vnet_medium *vnet_attach_medium_new(struct vnet_media *media, int fd,
					   uint32_t carries,
					   struct vnet_attach *client);

#endif
