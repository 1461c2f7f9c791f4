/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grants of the plant. What the configuration and the control socket say is
 * kept here, by names; the switch has those of them that last. For the files of
 * the plant alone.
 */
#ifndef PLANT_GRANT_H
#define PLANT_GRANT_H

#include <event2/event.h>
#include <jansson.h>
#include <vnet/grant.h>

#include "complaint.h"
#include "plant.h"

struct grants;
struct plant_client;
struct plant_port;

/* Without a grant. Return: 0, or -ENOMEM with @c. */
int grants_create(struct grants **grants, struct plant *plant,
		  struct complaint *c);
void grants_destroy(struct grants *grants);

/* Those that @config has in "grants" are what the start says. As
 * plant_apply_grants(). */
int grants_apply(struct grants *grants, const json_t *config,
		 struct complaint *c);

/* All that there are, by name. New reference. */
json_t *grants_config(const struct grants *grants);

/* Is all that @port names there? 0, or -EINVAL with @c. */
int grants_check_port(const struct grants *grants, const json_t *port,
		      struct complaint *c);

/**
 * grants_give() - guard a client as its settings say, with the lock
 * @name:	"grant" of these, or NULL
 * @queue:	set to what its queue may be bounded to; 0 for no bound but the
 *		switch's
 *
 * One whose grant has ended is closed. Return: 0; -EUSERS, ... with @why.
 */
int grants_give(const struct grants *grants, const struct plant_client *client,
		const char *name, uint32_t *queue, struct vnet_why *why);

/* Do those that have a port for their parent fit into what the switch there has
 * granted to it? 0, or -EPERM with @c. */
int grants_check_above(struct grants *grants, const struct plant_port *port,
		       struct complaint *c);

/* How far CLOCK_REALTIME is ahead of the switch's time. */
uint64_t grants_ahead(const struct grants *grants);

/* Is it there, and has not ended? With the lock. */
bool grants_has(const struct grants *grants, const char *name);

/* Something has ended: look for the clients that this closes, but not now. */
void grants_look(struct grants *grants);

/* For each that there is: "name", "clients", "addresses", "refused". New
 * reference. */
json_t *grants_stats(const struct grants *grants);

#endif
