/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Passing a message on to another right, whatever it is.
 */
#ifndef VNET_MACH_FORWARD_H
#define VNET_MACH_FORWARD_H

#include "sys.h"

/**
 * vnet_mach_forward() - pass on a message that was received
 * @in:		the message, as received: its rights and its memory move, and
 *		the right to reply to is the new receiver's
 * @to:		a send right; the caller's, who keeps it
 *
 * Does not wait. The message is gone where it was sent. Where it was not, @in is
 * as received again, but for msgh_local_port, which is null: to be passed on
 * once more, answered, or destroyed. Names of rights in it may have changed.
 *
 * Return: MACH_MSG_SUCCESS; MACH_SEND_TIMED_OUT if the queue is full,
 * MACH_SEND_INVALID_DEST if @to is dead, others as of mach_msg().
 */
mach_msg_return_t vnet_mach_forward(const struct vnet_mach_sys *sys,
				    mach_msg_header_t *in, mach_port_t to);

/**
 * vnet_mach_forward_always() - likewise, one message more than the queue holds
 * @notify:	a receive right. MACH_NOTIFY_MSG_ACCEPTED arrives there when the
 *		message that was forced in has been taken
 *
 * Return: as above, and MACH_SEND_WILL_NOTIFY if the queue was full and the
 * message is in it now. MACH_SEND_TIMED_OUT then means that a message forced in
 * before was not taken yet.
 */
mach_msg_return_t vnet_mach_forward_always(const struct vnet_mach_sys *sys,
					   mach_msg_header_t *in,
					   mach_port_t to, mach_port_t notify);

#endif
