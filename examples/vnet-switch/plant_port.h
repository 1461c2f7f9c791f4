/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port of the plant: what it is to be, and what it is.
 *
 * It stays the same through all that becomes of its medium: a TAP that is
 * deleted and opened again, one peer of a stream after the other. Its counters
 * go on. For the files of the plant alone.
 */
#ifndef PLANT_PORT_H
#define PLANT_PORT_H

#include <event2/event.h>
#include <jansson.h>
#include <vnet/filter.h>
#include <vnet/grant.h>
#include <vnet/medium.h>
#include <vnet/switch.h>

#include "backoff.h"
#include "forward.h"
#include "plant.h"
#include "plant_figures.h"
#include "socket_file.h"

struct entrance;
struct grants;
struct plant_client;
struct plant_filter;
struct sessions;

/**
 * struct plant - the plant
 * @socket:	the path of the control socket
 * @by_slot:	ports by the slot in their id, @max_ports of them
 * @end:	where the next port is linked
 * @gone:	clients that have gone, and whose events may not have been told
 * @session_rules, @session_insns: that sessions have in filters, all together
 * @running:	the configuration of the start, for what only a start can change
 */
struct plant {
	struct event_base *base;
	const char *socket;
	struct vnet_switch *sw;
	struct vnet_media *media;
	struct forward *forward;
	struct plant_port *ports;
	struct plant_port **end;
	struct plant_port **by_slot;
	uint32_t max_ports;
	uint32_t nports;
	struct plant_client *gone;
	struct sessions *sessions;
	struct grants *grants;
	size_t session_rules;
	size_t session_insns;
	json_t *running;
	struct event *notice;
	struct event *pause;
	plant_listener *listener;
	void *listener_ctx;
};

/* An address that is said to be on a port. */
struct plant_pin {
	struct plant_pin *next;
	struct vnet_mac mac;
	enum plant_origin origin;
};

/**
 * struct plant_port - a port
 * @name:	in @config
 * @config:	in normal form, without "filters"
 * @m:		of a TAP, an uplink, a stream; NULL while nobody has connected,
 *		or when it has gone
 * @clients:	in the order in which they have come: @m alone, or those of
 *		sessions
 * @listen_fd:	-1 if it does not wait for others to connect
 * @listening:	hears of those; added while there is no peer
 * @again:	opens a session with another switch again, when that has ended
 * @nsessions:	how many of these there were
 * @above:	what is granted to it there, as long as @m is open; its size is 0 for
 *		nothing
 * @file:	the socket that @listen_fd has made
 * @entrance:	of type attach: where sessions come by; NULL if it is closed
 * @filters:	in the order in which those of the same priority run
 * @captures:	linked by capture_next(); changed with the lock
 * @past:	the counters of clients that it had before
 * @lost:	what the media of sessions lost that are over
 * @error:	why it does not work; empty if it does
 */
struct plant_port {
	struct plant *plant;
	struct plant_port *next;
	const char *name;
	json_t *config;
	enum plant_origin origin;
	vnet_port_id id;
	struct vnet_medium *m;
	struct plant_client *clients;
	int listen_fd;
	struct event *listening;
	struct backoff again;
	uint64_t nsessions;
	struct vnet_grant above;
	struct socket_file file;
	struct entrance *entrance;
	struct plant_filter *filters;
	struct plant_pin *pins;
	struct capture *captures;
	struct figures past;
	struct vnet_medium_stats lost;
	struct complaint error;
};

/* CLOCK_MONOTONIC: the switch's time. */
vnet_nsec plant_now(void);

/* As in 02:00:00:00:00:01, in both directions. */
void plant_mac_text(struct vnet_mac mac, char text[18]);
struct vnet_mac plant_mac(const char *text);

/* plant_lock(), to change something: what happens, happens now, which is
 * returned. */
vnet_nsec plant_hold(struct plant *plant);

/* "queue_octets" of @object is no more than the switch is made for: 0, or -EINVAL
 * with @c. */
int plant_check_queue(const struct plant *plant, const json_t *object,
		      struct complaint *c);

/* Slots of removed clients become free in bounded steps: have them so. */
void plant_sweep(struct plant *plant);

/* NULL with @c if there is none. */
struct plant_port *plant_find(const struct plant *plant, const char *name,
			      struct complaint *c);

/* Pass on what has happened. */
void plant_tell(struct plant *plant);

/* Pass on that the medium of a port has gone. */
void plant_tell_gone(struct plant *plant, const struct plant_port *port);

/* Make a port as @config (with "filters") says, of which nothing is left if it
 * fails; what happened has been told. */
int plant_port_create(struct plant *plant, const json_t *config,
		      enum plant_origin origin, struct complaint *c);
void plant_port_destroy(struct plant_port *port);

/**
 * plant_port_become() - change a port
 * @config:	with "filters" and the same name
 * @by:		who says so: PLANT_START leaves alone those filters of
 *		PLANT_CONTROL that @config does not have
 *
 * One whose medium has gone is opened anew. If the new medium cannot be opened
 * the port is as before, if that is possible.
 */
int plant_port_become(struct plant_port *port, const json_t *config,
		      enum plant_origin by, struct complaint *c);

/* Will plant_port_become() open another medium? */
bool plant_port_reopens(const struct plant_port *port, const json_t *config);

/* Take the medium off the port, for the caller to close; NULL if it has
 * none. */
struct vnet_medium *plant_port_detach(struct plant_port *port);

/* Detach and close the media of those ports that @which says, all together. */
void plant_close_media(struct plant *plant,
		       bool (*which)(const struct plant_port *p, void *ctx),
		       void *ctx);

/* What hears the clients of a port for its captures: see struct
 * vnet_observer. */
void plant_port_observe(void *ctx, bool out, const struct vnet_frame *frames,
			size_t n, vnet_nsec now);

/* Close the medium: for another, or since it has gone. End its sessions. */
void plant_port_close(struct plant_port *port);

/* The medium has gone: wait for another peer, open another session, or show the
 * error. */
void plant_port_gone(struct plant_port *port);

/* Pin @mac to a port, from wherever it was. */
int plant_port_pin(struct plant_port *port, struct vnet_mac mac,
		   enum plant_origin origin, struct complaint *c);

/* NULL if @mac is not pinned; else where the pin is linked. */
struct plant_pin **plant_find_pin(struct plant_port *port, struct vnet_mac mac);

/* As plant_fdb_add() and plant_fdb_del(); @pin is one of "fdb". */
int plant_pin(struct plant *plant, const json_t *pin, enum plant_origin origin,
	      struct complaint *c);
int plant_unpin(struct plant *plant, struct vnet_mac mac);

/* With its filters. New reference. */
json_t *plant_port_config(const struct plant_port *port);

#endif
