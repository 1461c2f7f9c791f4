/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A switch: create it, give it frames and the time.
 *
 * A switch is used by one thread at a time. It owns no thread, no loop and no
 * clock, and calls nothing but its allocator and its drivers. Two switches have
 * nothing in common.
 */
#ifndef VNET_SWITCH_H
#define VNET_SWITCH_H

#include <vnet/types.h>
#include <vnet/frame.h>
#include <vnet/client.h>

VNET_BEGIN_DECLS

struct vnet_switch;

/**
 * struct vnet_switch_config - a switch to create
 * @size:	sizeof(struct vnet_switch_config)
 * @alloc:	where its memory comes from; required; copied
 * @seed:	keys its hashes. Take it from a random source where hosts are
 *		not trusted; the same seed gives the same run
 * @max_ports:	the most ports, 1 to 65536; 0 for 64
 * @max_clients: the most clients of all ports together, 1 to 65536; 0 for as
 *		many as ports
 * @fdb_entries: the most addresses, 1 to 16777216; 0 for 8192
 * @ageing_s:	seconds after which an address that was not seen is forgotten,
 *		1 to 1000000 (IEEE 802.1Q, table 8-6); 0 for 300. Counted in
 *		whole seconds: an address may go up to one second early
 * @pool_octets: memory for all backlogs together, at least 64 blocks of
 *		VNET_POOL_BLOCK and one for each client, to 2^30; 0 for 4 MiB,
 *		or for two blocks a client where that is more. One block is every
 *		client's own, also of those to come; of the rest no queue, and
 *		no source in all queues together, may hold more than is still
 *		free
 * @queue_octets: the most that a client's queue may be bounded to, and what it
 *		is where the client does not say: octets of the pool, 65536 to
 *		2^30; 0 for 256 KiB
 * @max_rules:	the most rules, in all chains together, 1 to 2^20; 0 for 1024
 * @max_insns:	the most instructions, likewise, 1 to 2^24; 0 for 262144
 * @max_program: the most instructions of one program, 1 to 65536; 0 for
 *		VNET_BPF_MAX_INSNS
 * @max_grants:	the most grants, 1 to 65536; 0 for as many as clients. Their
 *		instructions count among @max_insns
 * @max_events:	events that wait to be read, 1 to 65536, in powers
 *		of two; 0 for 256
 * @flap_moves:	moves of an address within ten seconds that it may make, 2 to
 *		255; 0 for 16. See fdb.h
 * @loop_probe_s: seconds between two loop probes of a port, 1 to 3600; 0 for
 *		2. See VNET_PORT_LOOP_GUARD
 * @forward_reserved: bit i forwards frames to 01-80-C2-00-00-0i, as to any
 *		group; otherwise they are dropped
 * @uplink_transit: frames may pass from one uplink to another
 */
struct vnet_switch_config {
	size_t size;
	const struct vnet_alloc *alloc;
	uint64_t seed;
	uint32_t max_ports;
	uint32_t max_clients;
	uint32_t fdb_entries;
	uint32_t ageing_s;
	uint64_t pool_octets;
	uint32_t queue_octets;
	uint32_t max_rules;
	uint32_t max_insns;
	uint32_t max_program;
	uint32_t max_grants;
	uint32_t max_events;
	uint32_t flap_moves;
	uint32_t loop_probe_s;
	uint16_t forward_reserved;
	bool uplink_transit;
};

/**
 * vnet_switch_create() - make a switch without ports
 * @sw:		set on success; free it with vnet_switch_destroy()
 * @why:	filled on failure; may be NULL. Its index counts the fields of
 *		the configuration from 0
 *
 * Return: 0; -EINVAL if the configuration is wrong, -ENOMEM.
 */
VNET_API int vnet_switch_create(struct vnet_switch **sw,
				const struct vnet_switch_config *config,
				struct vnet_why *why);

/* Remove all ports, as vnet_port_remove() does, and free the switch. Not from
 * inside a driver's send. What a driver's close calls meanwhile is refused, as
 * inside of send. NULL is nothing to do. */
VNET_API void vnet_switch_destroy(struct vnet_switch *sw);

/**
 * vnet_switch_memory() - what a configuration will take from its allocator
 *
 * The sum of the sizes asked for at the most, whatever is done with the switch:
 * all ports and clients added, all rules and instructions in use. What the
 * allocator itself adds is its own.
 *
 * Return: octets, or 0 if the configuration is wrong (config->alloc may be
 * NULL here).
 */
VNET_API uint64_t vnet_switch_memory(const struct vnet_switch_config *config);

/**
 * vnet_switch_input() - forward frames that arrived from a client
 * @from:	the client they arrived from
 * @frames:	lent for the call, @n of them
 * @now:	time of arrival; a step back counts as the last time given, so
 *		a time far ahead stays
 *
 * Takes everything. Frames may have any length and content; what is not
 * forwarded is counted by reason, see vnet_client_drops(). Frames from a client
 * that has gone are counted in the switch's totals.
 */
VNET_API void vnet_switch_input(struct vnet_switch *sw, vnet_client_id from,
				const struct vnet_frame *frames, size_t n,
				vnet_nsec now);

/* Do a bounded piece of what is due: ageing, sweeping what refers to ports
 * that were removed, and loop probes. Nothing from inside a driver's send. */
VNET_API void vnet_switch_tick(struct vnet_switch *sw, vnet_nsec now);

/* When vnet_switch_tick() is wanted next: a time, which may have passed, or
 * VNET_NEVER. A switch in which nothing happens needs no wake-ups. */
VNET_API vnet_nsec vnet_switch_deadline(const struct vnet_switch *sw);

/* The time that it was given last. Also from inside of a driver's send. */
VNET_API vnet_nsec vnet_switch_time(const struct vnet_switch *sw);

/**
 * struct vnet_switch_stats - a switch as a whole
 * @size:	sizeof(struct vnet_switch_stats), set by the caller
 * @total:	the sums over its clients, those that have gone included
 * @originated:	frames that the switch itself has made, loop probes, by their
 *		destinations: total.copies + originated = total.out
 * @unknown_source: frames given to vnet_switch_input() in the name of a client
 *		that is not there; in no other sum
 * @ports:	ports that are there
 * @clients:	clients that are there
 * @fdb_entries: addresses in the table, those about to be swept included
 * @fdb_evictions: addresses that went early to make room for another
 * @fdb_unlearned: addresses that found no room
 * @pool_used:	octets of the pool in use
 * @pool_octets: octets of the pool
 * @clock_steps_back: times that were before the last one
 * @events_lost: events that are not to be read any more: see VNET_EVENT_OVERFLOW
 */
struct vnet_switch_stats {
	size_t size;
	struct vnet_client_stats total;
	struct vnet_count originated;
	struct vnet_count unknown_source;
	uint32_t ports;
	uint32_t clients;
	uint32_t fdb_entries;
	uint64_t fdb_evictions;
	uint64_t fdb_unlearned;
	uint64_t pool_used;
	uint64_t pool_octets;
	uint64_t clock_steps_back;
	uint64_t events_lost;
};

/* Read a switch's counters. Return: 0, -EINVAL for an unknown stats->size. */
VNET_API int vnet_switch_get_stats(const struct vnet_switch *sw,
				   struct vnet_switch_stats *stats);

/* As vnet_client_drops(), summed over all clients, those that have gone
 * included. */
VNET_API int vnet_switch_drops(const struct vnet_switch *sw,
			       enum vnet_drop reason, struct vnet_count *in,
			       struct vnet_count *out);

/**
 * vnet_switch_check() - do the sums agree?
 * @why:	filled where they do not; may be NULL. Its index is the slot of
 *		the client, found and bound the two sides
 *
 * Conservation, at every client and in the whole (struct vnet_client_stats says
 * what), and the same for queues, pool and table. Takes time in proportion to
 * all that is held; for tests, and for whoever doubts.
 *
 * Return: true if they do.
 */
VNET_API bool vnet_switch_check(const struct vnet_switch *sw,
				struct vnet_why *why);

VNET_END_DECLS

#endif
