/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages: the trap, again as long as something else came between.
 */
#include <bare.h>

mach_msg_return_t
mach_msg(mach_msg_header_t *msg, mach_msg_option_t options,
	 mach_msg_size_t send_size, mach_msg_size_t rcv_size,
	 mach_port_t rcv_name, mach_msg_timeout_t timeout, mach_port_t notify)
{
	mach_msg_return_t mr = mach_msg_trap(msg, options, send_size, rcv_size,
					     rcv_name, timeout, notify);

	if (!(options & MACH_SEND_INTERRUPT))
		while (mr == MACH_SEND_INTERRUPTED)
			mr = mach_msg_trap(msg, options, send_size, rcv_size,
					   rcv_name, timeout, notify);
	/* What was to be sent has gone. */
	if (!(options & MACH_RCV_INTERRUPT))
		while (mr == MACH_RCV_INTERRUPTED)
			mr = mach_msg_trap(msg, options & ~MACH_SEND_MSG, 0,
					   rcv_size, rcv_name, timeout, notify);
	return mr;
}
