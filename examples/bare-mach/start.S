/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a task begins: the kernel has put on the stack the number of arguments,
 * and after it their addresses.
 */
	.globl	_start
	.type	_start, @function
_start:
	xorl	%ebp, %ebp		/* the outermost frame */
	movl	%esp, %eax
	andl	$-16, %esp
	subl	$12, %esp
	pushl	%eax
	call	bare_start
	hlt				/* it does not return */

	.section .note.GNU-stack, "", @progbits
