/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_parts.h"

#define PAGE 4096

/* Pages of a task. What came out of line is there, and must not be touched. */
struct piece {
	struct piece *next;
	uint8_t *base;
	size_t size;
	bool is_spoilt;
	bool may_touch;
};

static size_t
pages(vm_address_t at, size_t n)
{
	return (at % PAGE + n + PAGE - 1) / PAGE * PAGE;
}

static struct piece *
find(const struct fake_task *t, vm_address_t at, size_t n)
{
	struct piece *p = t->pieces;

	while (p &&
	       (at < (uintptr_t)p->base || at - (uintptr_t)p->base > p->size ||
		n > p->size - (at - (uintptr_t)p->base)))
		p = p->next;
	return p;
}

static struct piece *
map(struct fake_task *t, size_t size)
{
	struct piece *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->base == MAP_FAILED)
		abort();
	p->size = size;
	p->may_touch = true;
	p->next = t->pieces;
	t->pieces = p;
	return p;
}

static void
unmap(struct fake_task *t, struct piece *p)
{
	struct piece **at = &t->pieces;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	munmap(p->base, p->size);
	free(p);
}

kern_return_t
fake_allocate(struct fake_task *t, vm_address_t *at, size_t n)
{
	if (!n) {
		fake_mistake("no memory is asked for");
		*at = 0;
		return KERN_SUCCESS;
	}
	*at = (vm_address_t)map(t, pages(0, n))->base;
	return KERN_SUCCESS;
}

kern_return_t
fake_deallocate(struct fake_task *t, vm_address_t at, size_t n)
{
	struct piece *p = find(t, at, n);

	if (!n || !p || at - (uintptr_t)p->base >= PAGE ||
	    pages(at, n) != p->size) {
		fake_mistake("deallocates %#lx, %zu: is no piece",
			     (unsigned long)at, n);
		return KERN_INVALID_ADDRESS;
	}
	unmap(t, p);
	return KERN_SUCCESS;
}

static void
open_up(struct piece *p)
{
	if (!p->may_touch)
		mprotect(p->base, p->size, PROT_READ | PROT_WRITE);
}

static void
close_up(struct piece *p)
{
	if (!p->may_touch)
		mprotect(p->base, p->size, PROT_NONE);
}

struct sent *
fake_memory_take(struct fake_task *t, vm_address_t at, size_t n,
		 bool deallocate)
{
	struct piece *p = find(t, at, n);
	struct sent *s;

	if (!p)
		return NULL;
	s = malloc(sizeof(*s) + n);
	if (!s)
		abort();
	s->len = n;
	s->is_spoilt = p->is_spoilt;
	open_up(p);
	memcpy(s->octets, (const void *)at, n);
	close_up(p);
	if (deallocate)
		fake_deallocate(t, at, n);
	return s;
}

/* Where in a page it lay nobody knows: the kernel keeps that. */
vm_address_t
fake_memory_give(struct fake_task *t, const struct sent *s, bool may_touch)
{
	size_t off = may_touch ? 0 : (s->len * 8 & 0x3f8);
	struct piece *p = map(t, pages(off, s->len));

	memcpy(p->base + off, s->octets, s->len);
	p->is_spoilt = s->is_spoilt;
	p->may_touch = may_touch;
	close_up(p);
	return (vm_address_t)(p->base + off);
}

bool
fake_memory_read(struct fake_task *t, void *to, vm_address_t at, size_t n)
{
	struct piece *p = find(t, at, n);

	if (!p) {
		fake_mistake("reads %#lx, %zu: not its own", (unsigned long)at,
			     n);
		return false;
	}
	if (p->is_spoilt)
		return false;
	open_up(p);
	memcpy(to, (const void *)at, n);
	close_up(p);
	return true;
}

void
fake_spoil(vm_address_t address)
{
	struct piece *p = find(fake_current, address, 1);

	if (p)
		p->is_spoilt = true;
}

void
fake_poke(vm_address_t address, const void *from, size_t n)
{
	struct piece *p = find(fake_current, address, n);

	if (!p)
		abort();
	open_up(p);
	memcpy((void *)address, from, n);
	close_up(p);
}

void
fake_peek(vm_address_t address, void *to, size_t n)
{
	if (!fake_memory_read(fake_current, to, address, n))
		abort();
}

void
fake_memory_end(struct fake_task *t)
{
	while (t->pieces)
		unmap(t, t->pieces);
}

unsigned
fake_pieces(const struct fake_task *t, unsigned long *octets)
{
	unsigned n = 0;

	*octets = 0;
	for (const struct piece *p = t->pieces; p; p = p->next) {
		n++;
		*octets += p->size;
	}
	return n;
}
