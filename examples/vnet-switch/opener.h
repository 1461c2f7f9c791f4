/* SPDX-License-Identifier: BSD-2-Clause */
/* The medium of a port, from what its configuration says. All of it asks the
 * kernel, and waits. */
#ifndef OPENER_H
#define OPENER_H

#include <jansson.h>
#include <vnet/grant.h>
#include <vnet/medium.h>

#include "complaint.h"

/* A stream that waits for others to connect. */
bool opener_listens(const json_t *port);

/* An uplink that is a client of another switch, and ends when that says so. */
bool opener_is_session(const json_t *port);

/**
 * opener_open() - open the medium of a port
 * @port:	in normal form
 * @m:		set on success; NULL if it listens
 * @listen_fd:	set on success; -1 if it does not
 * @above:	set on success: of a session, its grant, whose lists are lent for as
 *		long as @m is open; its size is 0 where there is none
 */
int opener_open(struct vnet_media *media, const json_t *port,
		struct vnet_medium **m, int *listen_fd,
		struct vnet_grant *above, struct complaint *c);

/* Do these differ in what an open medium cannot change? */
bool opener_is_other(const json_t *from, const json_t *to);

/* Do both use the same interface or path? Ports to attach at may. */
bool opener_conflicts(const json_t *a, const json_t *b);

/* Make the medium of @from that of @to. */
int opener_change(struct vnet_medium *m, const json_t *from, const json_t *to,
		  struct complaint *c);

/* "tap", "uplink", "stream" or "attach": one of type attach has no medium of its
 * own, and is not opened here. */
const char *opener_type(const json_t *port);

/* Whom it faces: "vif" or "uplink". */
const char *opener_role(const json_t *port);

#endif
