/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bool vnet_mach_fault_copy(void *to, const void *from, size_t n,
 *			     const uint32_t *given_up)
 *
 * Whatever happens between begin and end, the stack is the same, so that a thread
 * can be put at failed from anywhere between them.
 */
	.text
	.globl	vnet_mach_fault_copy
	.globl	vnet_mach_fault_begin
	.globl	vnet_mach_fault_end
	.globl	vnet_mach_fault_failed
	.type	vnet_mach_fault_copy, @function
vnet_mach_fault_copy:
	pushl	%esi
	pushl	%edi
	movl	12(%esp), %edi
	movl	16(%esp), %esi
	movl	20(%esp), %edx
	movl	24(%esp), %eax
	cld
vnet_mach_fault_begin:
	cmpl	$0, (%eax)
	jne	vnet_mach_fault_failed
	movl	%edx, %ecx
	shrl	$2, %ecx
	rep movsl
	movl	%edx, %ecx
	andl	$3, %ecx
	rep movsb
vnet_mach_fault_end:
	movl	$1, %eax
	popl	%edi
	popl	%esi
	ret
vnet_mach_fault_failed:
	xorl	%eax, %eax
	popl	%edi
	popl	%esi
	ret
	.size	vnet_mach_fault_copy, . - vnet_mach_fault_copy
	.section .note.GNU-stack, "", @progbits
