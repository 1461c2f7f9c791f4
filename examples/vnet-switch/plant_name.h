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

#include "plant_port.h"

/* Octets of a client's name, with the terminating NUL. */
#define PLANT_CLIENT_NAME_SIZE (VNET_PORT_NAME_SIZE + 11)

/**
 * struct plant_client - a client that was found
 * @id:		it may go as soon as the lock is let go of; nobody else gets it
 */
struct plant_client {
	struct plant_port *port;
	vnet_client_id id;
	char name[PLANT_CLIENT_NAME_SIZE];
};

/* Is a client meant, and cannot be a port? */
bool plant_name_is_client(const char *name);

/* Whom a name that may be a port's means. Takes the lock. Returns 0, or -ENOENT
 * with @c. */
int plant_find_client(struct plant *plant, const char *name,
		      struct plant_client *client, struct complaint *c);

/* The port of an id, NULL if it is not there any more. */
struct plant_port *plant_port_of(const struct plant *plant, vnet_port_id id);

/* Fill in what a client is called; empty if it is not there any more. With the
 * lock. */
void plant_client_name(const struct plant *plant, vnet_client_id id,
		       char name[PLANT_CLIENT_NAME_SIZE]);

#endif
