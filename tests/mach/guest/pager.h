/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that a thread of this task pages, as badly as it likes.
 */
#ifndef GUEST_PAGER_H
#define GUEST_PAGER_H

#include <bare.h>

enum pager_manner {
	PAGER_GIVES,     /* a page of 0x5a */
	PAGER_IS_SILENT, /* never answers */
	PAGER_REFUSES,   /* memory_object_data_error() */
	PAGER_DIES,      /* its right goes when it is asked */
};

struct pager {
	enum pager_manner manner;
	mach_port_t object;
	vm_address_t address; /* where the memory is, in this task */
	vm_size_t size;
	struct bare_thread *thread;
	uint32_t asked; /* how often for a page */
};

/* Map @size octets of it. */
void pager_start(struct pager *p, enum pager_manner manner, vm_size_t size);
/* Unmap it, and end. */
void pager_stop(struct pager *p);

#endif
