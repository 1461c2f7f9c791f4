/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of clients, and who is meant by one:
 *
 *	web/0	the client of port web that has this index
 *	web	the port; where it is a client that is meant, the only one that
 *		the port has
 *
 * For the files of the plant alone.
 */
#ifndef PLANT_NAME_H
#define PLANT_NAME_H

#include "plant_client.h"
#include "plant_port.h"

/* Is a client meant, and cannot be a port? */
bool plant_name_is_client(const char *name);

/* The port of an id, NULL if it is not there any more. */
struct plant_port *plant_port_of(const struct plant *plant, vnet_port_id id);

/* Fill in what a client is called; empty if it is not there any more. With the
 * lock. */
void plant_client_name(const struct plant *plant, vnet_client_id id,
		       char name[PLANT_CLIENT_NAME_SIZE]);

#endif
