/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bool vnet_mach_fault_copy(void *to, const void *from, size_t n,
 *			     const uint32_t *given_up)
 *
 * As in fault_i386.S. Nothing is on the stack.
 */
	.text
	.globl	vnet_mach_fault_copy
	.globl	vnet_mach_fault_begin
	.globl	vnet_mach_fault_end
	.globl	vnet_mach_fault_failed
	.type	vnet_mach_fault_copy, @function
vnet_mach_fault_copy:
	movq	%rcx, %rax
	movq	%rdx, %rcx
	cld
vnet_mach_fault_begin:
	cmpl	$0, (%rax)
	jne	vnet_mach_fault_failed
	rep movsb
vnet_mach_fault_end:
	movl	$1, %eax
	ret
vnet_mach_fault_failed:
	xorl	%eax, %eax
	ret
	.size	vnet_mach_fault_copy, . - vnet_mach_fault_copy
	.section .note.GNU-stack, "", @progbits
