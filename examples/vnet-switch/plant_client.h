/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of a port: a medium that is attached, and what the plant knows of it.
 * That of a TAP, an uplink or a stream is the port's only one; those of a port
 * of type attach have come by a session each. For the files of the plant alone.
 */
#ifndef PLANT_CLIENT_H
#define PLANT_CLIENT_H

#include <jansson.h>
#include <vnet/attach.h>
#include <vnet/client.h>
#include <vnet/medium.h>

#include "plant.h"

struct plant_port;
struct session;

/* Octets of a client's name, with the terminating NUL. */
#define PLANT_CLIENT_NAME_SIZE (VNET_PORT_NAME_SIZE + 11)

/* What one session may have in filters, of both sides together: they run on
 * frames of others, an instruction in a nanosecond or two. */
#define PLANT_CLIENT_RULES_MAX 16
#define PLANT_CLIENT_INSNS_MAX 256

/**
 * struct plant_client - a client
 * @next:	of its port, or among those that have gone
 * @name:	"PORT/INDEX"
 * @m:		its medium: the port's, or its session's
 * @session:	how it has come; NULL if it is the port's own
 * @row:	of a session: which of "allow" has let it in
 * @settings:	plant_client_settings(), as they hold by the configuration
 * @filters:	those that the control socket has added, in normal form
 * @nrules, @ninsns: what its session has set, by side less VNET_RECEIVE_IN
 */
struct plant_client {
	struct plant_client *next;
	struct plant_port *port;
	vnet_client_id id;
	uint32_t index;
	char name[PLANT_CLIENT_NAME_SIZE];
	struct vnet_medium *m;
	struct session *session;
	size_t row;
	json_t *settings;
	json_t *filters;
	size_t nrules[2];
	size_t ninsns[2];
};

/* "queue_octets", "weight", "max_addresses", "grant", "accept" and "limits" of a
 * client of a port that @row of its "allow" lets in; NULL for the port's own. New
 * reference. */
json_t *plant_client_settings(const json_t *port, const json_t *row);

/**
 * plant_client_add() - attach a medium to a port, with the lock
 * @settings:	stays the caller's
 * @client:	set on success; the last of its port's
 * @why:	filled on failure
 *
 * The medium stays the caller's. Return: 0 or -errno.
 */
int plant_client_add(struct plant_port *port, struct vnet_medium *m,
		     json_t *settings, struct plant_client **client,
		     struct vnet_why *why);

/* Detach it, with the lock. Its figures are then its port's past; itself is there
 * until plant_tell() has told what happened. */
void plant_client_remove(struct plant_client *client);

/* Add what its medium has lost to @sum. */
void plant_client_lost(const struct plant_client *client,
		       struct vnet_medium_stats *sum);

/* Free what has gone. */
void plant_clients_free(struct plant_client *gone);

/* Give it other settings, with the lock. Return: 0 or -errno with @why. */
int plant_client_apply(struct plant_client *client, json_t *settings,
		       struct vnet_why *why);

/* Let the captures of its port hear it, or no more; with the lock. */
void plant_client_observe(struct plant_client *client, bool on);

/* By its name; that of a port means the only client of it. NULL with @c. */
struct plant_client *plant_client_find(const struct plant *plant,
				       const char *name, struct complaint *c);

/* By its id, among those of a port and those that have gone; NULL if there is
 * none. */
const struct plant_client *plant_client_by_id(const struct plant_port *port,
					      vnet_client_id id);

/* What its session asks for: one side of its filters. Return: as
 * vnet_filter_set(); -ENOSPC beyond the bounds above. */
int plant_client_ask(struct plant_client *client,
		     const struct vnet_request *request, struct vnet_why *why);

/* As plant_filter_add() and plant_filter_del(); @filter is a SCHEMA_CLIENT_FILTER. */
int plant_client_add_filter(struct plant_client *client, const json_t *filter,
			    struct complaint *c);
int plant_client_del_filter(struct plant_client *client, const char *side,
			    const char *name, struct complaint *c);

#endif
