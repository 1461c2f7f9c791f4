/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be asked. */
#ifndef VNET_CONTROL_REQUEST_H
#define VNET_CONTROL_REQUEST_H

#include "control_call.h"

/* Octets of a request's "id", which its answer repeats. */
#define VNET_CONTROL_ID_MAX 256

/*
 * Do what a line says.
 *
 * @id:		set to the value of "id", none if there is none or it is too
 *		long; also where the rest fails
 *
 * Return: 0 with @walk set to what is to be told, or -errno with @c.
 */
int vnet_control_request(const struct vnet_control_host *host, const char *text,
			 size_t len, struct vnet_control_right *right,
			 struct vnet_json *id, struct vnet_control_walk *walk,
			 struct vnet_complaint *c);

#endif
