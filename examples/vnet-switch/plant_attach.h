/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of type attach: who may have a client there, and which. For the files of
 * the plant alone. */
#ifndef PLANT_ATTACH_H
#define PLANT_ATTACH_H

#include <jansson.h>
#include <vnet/attach.h>

#include "complaint.h"
#include "plant.h"

struct entrance;
struct plant_client;
struct plant_port;
struct session;

bool plant_attach_is(const json_t *config);

/* Of a configuration: VNET_PORT_*, and the address that a port has. */
uint32_t plant_attach_flags(const json_t *config);
struct vnet_mac plant_attach_mac(const struct plant *plant,
				 const json_t *config);

/* Where the port listens: @path of PLANT_ATTACH_PATH_SIZE octets. Return: 0, or
 * -ENAMETOOLONG with @c. */
#define PLANT_ATTACH_PATH_SIZE 108
int plant_attach_path(const struct plant *plant, const json_t *config,
		      char *path, struct complaint *c);

/* Do these differ in what takes another port, or another socket? */
bool plant_attach_is_other(const json_t *from, const json_t *to);

/* Listen. Return: 0, or -errno with @c. */
int plant_attach_open(struct plant_port *port, struct complaint *c);

/* End all of its sessions, and listen no more. */
void plant_attach_close(struct plant_port *port);

/**
 * plant_attach_find() - which port does somebody mean?
 * @vif:	its name; empty for the only one at that entrance
 *
 * Return: 0; -ENOENT, -EINVAL with @why.
 */
int plant_attach_find(const struct plant *plant,
		      const struct entrance *entrance, const char *vif,
		      struct plant_port **port, struct vnet_why *why);

/**
 * plant_attach_admit() - let somebody in, or not
 * @client:	set on success
 * @info:	filled on success, for vnet_session_welcome()
 *
 * Return: 0; -EACCES, -EUSERS, ... with @why.
 */
int plant_attach_admit(struct plant_port *port, struct session *session,
		       struct plant_client **client,
		       struct vnet_attach_info *info, struct vnet_why *why);

/* The port is to be as @config says: sessions that it no longer lets in end, the
 * others have the bounds of their rows. */
void plant_attach_change(struct plant_port *port, const json_t *config);

#endif
