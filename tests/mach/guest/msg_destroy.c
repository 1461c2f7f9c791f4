/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>

#include <mach.h>

#include "msg_destroy.h"

static void
drop(mach_port_t right, unsigned int type)
{
	if (!MACH_PORT_VALID(right))
		return;
	if (type == MACH_MSG_TYPE_PORT_RECEIVE)
		mach_port_mod_refs(mach_task_self(), right,
				   MACH_PORT_RIGHT_RECEIVE, -1);
	else
		mach_port_deallocate(mach_task_self(), right);
}

/* One descriptor and its data; the octets it takes up in the message. The kernel
 * has seen to it that all of it is there. */
static mach_msg_size_t
destroy_item(void *at)
{
	const mach_msg_type_long_t *t = at;
	const bool is_long = t->msgtl_header.msgt_longform;
	const unsigned int name =
		is_long ? t->msgtl_name : t->msgtl_header.msgt_name;
	const unsigned int number =
		is_long ? t->msgtl_number : t->msgtl_header.msgt_number;
	const unsigned int bits =
		is_long ? t->msgtl_size : t->msgtl_header.msgt_size;
	const mach_msg_size_t len = (number * bits + 7) / 8;
	const mach_msg_size_t header =
		is_long ? sizeof(*t) : sizeof(mach_msg_type_t);
	char *data = (char *)at + header;

	if (!t->msgtl_header.msgt_inline)
		data = *(char **)data;
	if (MACH_MSG_TYPE_PORT_ANY_RIGHT(name))
		for (unsigned int i = 0; i < number; i++)
			drop(((mach_port_t *)data)[i], name);
	if (t->msgtl_header.msgt_inline)
		return header + ((len + 3) & ~3u);
	if (len)
		vm_deallocate(mach_task_self(), (vm_address_t)data, len);
	return header + sizeof(char *);
}

void
msg_destroy_body(mach_msg_header_t *msg)
{
	char *at = (char *)(msg + 1);
	char *end = (char *)msg + msg->msgh_size;

	if (!(msg->msgh_bits & MACH_MSGH_BITS_COMPLEX))
		return;
	while (at < end)
		at += destroy_item(at);
}
