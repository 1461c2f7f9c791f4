/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a switch and whoever has started it say to each other, at its bootstrap
 * port: the master's rights change hands.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdbool.h>

#include <mach/message.h>

enum {
	/* "Here is a send right to my master." No reply. */
	HANDOVER_GIVE = 76000,
	/* "Which receive right is my master to have?" The reply has it. */
	HANDOVER_CLAIM = 76001,
	HANDOVER_CLAIMED = HANDOVER_CLAIM + 100,
};

/* Those with a right; HANDOVER_CLAIM is a header alone. */
struct handover_message {
	mach_msg_header_t header;
	mach_msg_type_t type;
	mach_port_t right;
};

/* Make a send right of the receive right @master, and give it. */
kern_return_t handover_give(mach_port_t to, mach_port_t master);

/* Ask for the receive right of our master. */
kern_return_t handover_claim(mach_port_t from, mach_port_t *master);

/* Answer @claim: the receive right @master goes. */
kern_return_t handover_answer(const mach_msg_header_t *claim,
			      mach_port_t master);

#endif
