/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The traps, see <mach/syscall_sw.h>: the kernel takes the number in %eax and the
 * arguments where the caller has put them, behind a return address.
 */
	.macro	trap name, number
	.globl	\name
	.type	\name, @function
\name:
	movl	$\number, %eax
	lcall	$7, $0
	ret
	.size	\name, . - \name
	.endm

	.text
	trap	mach_msg_trap, -25
	trap	mach_reply_port, -26
	trap	bare_trap_thread_self, -27
	trap	bare_trap_task_self, -28
	trap	bare_trap_host_self, -29
	trap	mach_print, -30
	trap	swtch_pri, -59
	trap	swtch, -60

	.section .note.GNU-stack, "", @progbits
