/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A switch of two ports: the fuzzer's own, which it adds, and "program", which
 * sends frames to all. Each of them holds its number.
 */
#ifndef FUZZ_SENDER_H
#define FUZZ_SENDER_H

#include <vnet/inproc.h>
#include <vnet/switch.h>

#include "tape.h"

/**
 * struct sender - what it has sent
 * @sent:	frames
 * @next:	the lowest number that may be heard next: of frames that wait in
 *		a queue some are lost
 */
struct sender {
	struct vnet_switch *sw;
	struct vnet_inproc program;
	uint32_t sent;
	uint32_t next;
};

/* Make that switch, which is the caller's. */
struct vnet_switch *sender_begin(struct sender *s);

/* Send some frames. */
void sender_sends(struct sender *s, struct tape *t);

/* One of them has arrived: it must be whole, and come behind those before. */
void sender_heard(struct sender *s, const uint8_t *frame, size_t len);

#endif
