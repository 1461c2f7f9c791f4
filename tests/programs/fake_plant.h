/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plant without a switch, for tests of the control side: it keeps what it is
 * told in a JSON object of ports by their names, and shows what a test wants.
 */
#ifndef FAKE_PLANT_H
#define FAKE_PLANT_H

#include <pthread.h>

#include "plant.h"

/**
 * struct plant
 * @ports:	{NAME: {...}}
 * @grants:	likewise
 * @fdb_rows:	rows that "fdb show" has
 * @empty_pieces: pieces of it without a row, before these
 * @pieces:	how many have been asked for
 * @calls:	what changed something
 * @port_rows:	rows that "port show" has, if not 0
 * @captures:	those of all ports
 * @lock:	of @captures
 */
struct plant {
	json_t *ports;
	json_t *grants;
	uint64_t fdb_rows;
	uint64_t empty_pieces;
	unsigned long pieces;
	unsigned long calls;
	size_t port_rows;
	plant_listener *listener;
	void *listener_ctx;
	struct capture *captures;
	pthread_mutex_t lock;
};

/* With a port "web" and a grant "lab". Returns false for want of memory. */
bool fake_plant_init(struct plant *p);
void fake_plant_fini(struct plant *p);

/* An event, with @padding octets. */
void fake_plant_raise(struct plant *p, unsigned int n, size_t padding);

/* Frames for all captures, from any thread. */
void fake_plant_frames(struct plant *p, const struct vnet_frame *frames,
		       size_t n);

/* The port that captures hear has gone. */
void fake_plant_end_captures(struct plant *p);

#endif
