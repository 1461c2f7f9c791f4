/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The running switch with its ports, filters and pinned addresses, and how it
 * comes to be as a configuration says.
 *
 * Two threads: one forwards (forward.h), the other, that of the control side,
 * calls all that is here. Whatever takes the kernel long (to open, to close, to
 * compile) is done without the switch; what is done to the switch is done in
 * pieces of well under a millisecond.
 */
#ifndef PLANT_H
#define PLANT_H

#include <event2/event.h>
#include <jansson.h>

#include "capture.h"
#include "complaint.h"

struct plant;

/* Who said that a port or filter should be: what the start said (file, options)
 * follows plant_apply(), what the control socket added stays. */
enum plant_origin {
	PLANT_START,
	PLANT_CONTROL,
};

/* A plant without ports that forwards; @config is in normal form, @socket is the
 * path of the control socket, and outlives it. Nobody outside sees it. Returns 0,
 * or -errno with @c. */
int plant_create(struct plant **plant, struct event_base *base,
		 const json_t *config, const char *socket, struct complaint *c);

/* Open the ports of that configuration, and pin its addresses. Returns 0, or
 * -errno with @c: plant_destroy() then leaves nothing behind. */
int plant_open(struct plant *plant, struct complaint *c);

/* Stop forwarding, close all. Returns false if the sums did not agree. */
bool plant_destroy(struct plant *plant);

/*
 * Become what @config says: ports and filters of PLANT_START that it does not
 * have go, those that it has and that are not there come, what differs is
 * changed; nothing else is touched. A port whose medium has gone is opened
 * anew. What cannot be done is told to @complaint, one call each, and the rest
 * is done. Returns how many.
 */
unsigned int plant_apply(struct plant *plant, const json_t *config,
			 void (*complaint)(void *ctx,
					   const struct complaint *c),
			 void *ctx);

/* Before that, the grants: they are those of @config as a whole, or as they were.
 * Returns 0, or -errno with @c, which names the grant and its part. */
int plant_apply_grants(struct plant *plant, const json_t *config,
		       struct complaint *c);

/* A configuration in normal form that gives what is running, without those keys
 * that are not the switch's (socket, log, cpu). New reference. */
json_t *plant_config(const struct plant *plant);

/* "may_exist": -EEXIST is the caller's to forgive; likewise -ENOENT. @port is in
 * normal form, @changes (an object) are as somebody has sent them: null gives a
 * key its default. Each returns 0, or -errno with @c. */
int plant_port_add(struct plant *plant, const json_t *port,
		   enum plant_origin origin, struct complaint *c);
int plant_port_del(struct plant *plant, const char *name, struct complaint *c);
int plant_port_set(struct plant *plant, const char *name, const json_t *changes,
		   struct complaint *c);
/* @port names a client where the side is one of a client's (@filter is then a
 * SCHEMA_CLIENT_FILTER): such a filter goes with it. */
int plant_filter_add(struct plant *plant, const char *port,
		     const json_t *filter, enum plant_origin origin,
		     struct complaint *c);
int plant_filter_del(struct plant *plant, const char *port, const char *side,
		     const char *name, struct complaint *c);
/* @owner is a port, or PORT/INDEX for a client; @limit in normal form. */
int plant_limit_set(struct plant *plant, const char *owner, const json_t *limit,
		    struct complaint *c);
int plant_limit_del(struct plant *plant, const char *owner, const char *side,
		    const char *traffic, struct complaint *c);
int plant_fdb_add(struct plant *plant, const char *mac, const char *port,
		  struct complaint *c);
int plant_fdb_del(struct plant *plant, const char *mac, struct complaint *c);
int plant_fdb_flush(struct plant *plant, const char *port, struct complaint *c);

/* @grant in normal form, @changes as of a port. One that is revoked takes all
 * below it along, and its sessions; its ports are closed. */
int plant_grant_add(struct plant *plant, const char *name, const json_t *grant,
		    struct complaint *c);
int plant_grant_set(struct plant *plant, const char *name,
		    const json_t *changes, struct complaint *c);
int plant_grant_revoke(struct plant *plant, const char *name,
		       struct complaint *c);

/* Of a session, for as long as it lasts; @changes are in normal form. */
int plant_client_set(struct plant *plant, const char *name,
		     const json_t *changes, struct complaint *c);
int plant_client_del(struct plant *plant, const char *name,
		     struct complaint *c);

/* What is shown; @port may be NULL for all. New references; NULL with @c if
 * there is no such port. The forms are in vnet-switch.conf(5) and vnetctl(8). */
json_t *plant_port_show(struct plant *plant, const char *port,
			struct complaint *c);
json_t *plant_client_show(struct plant *plant, const char *port,
			  struct complaint *c);

json_t *plant_grant_show(struct plant *plant, const char *name,
			 struct complaint *c);

/* The guard of a grant, or of that of a client: "grant", its "config" as a whole,
 * and "programs" as lists of [CODE, JT, JF, K]. */
json_t *plant_grant_program(struct plant *plant, const char *name,
			    struct complaint *c);

/* @port may name a client. */
json_t *plant_filter_show(struct plant *plant, const char *port,
			  struct complaint *c);
json_t *plant_limit_show(struct plant *plant, const char *owner,
			 struct complaint *c);
json_t *plant_stats(struct plant *plant, const char *port, struct complaint *c);
json_t *plant_show(struct plant *plant);

/* What would become of a frame from a client, whose octets are @hex. Likewise;
 * nothing is changed, and no frame sent. */
json_t *plant_explain(struct plant *plant, const char *client, const char *hex,
		      struct complaint *c);

/* A piece of the FDB: a list, empty when *@cursor (0 to begin) has come to the
 * end and *@end is set. */
json_t *plant_fdb_show(struct plant *plant, const char *port, uint64_t *cursor,
		       bool *end, struct complaint *c);

/* Events from then on, as objects that the listener may keep a reference to. */
typedef void plant_listener(void *ctx, json_t *event);
void plant_listen(struct plant *plant, plant_listener *listener, void *ctx);

/* Let a capture hear a port; it is told when the port has gone
 * (capture_end()). -ENOENT with @c. */
int plant_capture_add(struct plant *plant, const char *port,
		      struct capture *capture, struct complaint *c);
void plant_capture_del(struct plant *plant, struct capture *capture);

/* The switch is held still between these two: for a short while. */
void plant_lock(struct plant *plant);
void plant_unlock(struct plant *plant);

#endif
