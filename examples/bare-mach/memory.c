/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory. What is larger than a fourth of a page are pages of the kernel's. For
 * smaller things there are classes of 16, 32 ... 1024 octets: a page holds things
 * of one class, which lie at multiples of their size, and at its beginning says
 * which of them are free. A page of which none is used goes back at once, so that
 * a program that has freed everything has no memory.
 */
#include <bare.h>

#include "memory.h"

#define PAGE        4096
#define SMALLEST    16
#define NCLASSES    7
#define LARGEST     (SMALLEST << (NCLASSES - 1))
#define PAGE_OF(p)  ((struct page *)((uintptr_t)(p) & ~(uintptr_t)(PAGE - 1)))
#define ROUND(size) (((size) + PAGE - 1) & ~(size_t)(PAGE - 1))

struct unused {
	struct unused *next;
};

struct page {
	struct page *next,
		*previous; /* of its class that have something free */
	struct unused *unused;
	uint32_t used;
};

static struct bare_mutex lock;
static struct page *pages[NCLASSES];
static size_t in_use;

void
bare_memory_lock(void)
{
	bare_mutex_take(&lock);
}

void
bare_memory_unlock(void)
{
	bare_mutex_give(&lock);
}

/* The class of things of a size and an alignment, NCLASSES if it is none. */
static unsigned int
class_of(size_t size)
{
	unsigned int class = 0;

	while (class < NCLASSES && (size_t)SMALLEST << class < size)
		class ++;
	return class;
}

static void
link_page(struct page **list, struct page *page)
{
	page->previous = NULL;
	page->next = *list;
	if (page->next)
		page->next->previous = page;
	*list = page;
}

static void
unlink_page(struct page **list, struct page *page)
{
	if (page->previous)
		page->previous->next = page->next;
	else
		*list = page->next;
	if (page->next)
		page->next->previous = page->previous;
}

static struct page *
add_page(unsigned int class)
{
	const size_t step = (size_t)SMALLEST << class;
	size_t first = (sizeof(struct page) + step - 1) & ~(step - 1);
	vm_address_t at = 0;
	struct page *page;

	if (vm_allocate(mach_task_self(), &at, PAGE, TRUE))
		return NULL;
	page = (struct page *)at;
	for (size_t i = PAGE - step; i >= first; i -= step) {
		struct unused *u = (struct unused *)(at + i);

		u->next = page->unused;
		page->unused = u;
	}
	link_page(&pages[class], page);
	return page;
}

static void *
get_small(unsigned int class)
{
	struct page *page = pages[class];
	struct unused *u;

	if (!page)
		page = add_page(class);
	if (!page)
		return NULL;
	u = page->unused;
	page->unused = u->next;
	page->used++;
	if (!page->unused)
		unlink_page(&pages[class], page);
	return u;
}

static void
put_small(unsigned int class, void *p)
{
	struct page *page = PAGE_OF(p);
	struct unused *u = p;

	if (!page->unused)
		link_page(&pages[class], page);
	u->next = page->unused;
	page->unused = u;
	if (--page->used == 0) {
		unlink_page(&pages[class], page);
		vm_deallocate(mach_task_self(), (vm_address_t)page, PAGE);
	}
}

static void *
get(void *ctx, size_t size, size_t align)
{
	vm_address_t at = 0;
	void *p = NULL;

	(void)ctx;
	if (size > SIZE_MAX - PAGE)
		return NULL;
	bare_memory_lock();
	/* A thing of a class is aligned to the size of the class; one that is
	 * less than its alignment would be found in the wrong class again. */
	if (size <= LARGEST && align <= (size_t)SMALLEST << class_of(size)) {
		p = get_small(class_of(size));
	} else if (!vm_map(mach_task_self(), &at, ROUND(size),
			   align > PAGE ? align - 1 : 0, TRUE, MACH_PORT_NULL,
			   0, FALSE, VM_PROT_DEFAULT, VM_PROT_ALL,
			   VM_INHERIT_DEFAULT)) {
		p = (void *)at;
	}
	if (p)
		in_use += size;
	bare_memory_unlock();
	return p;
}

static void
put(void *ctx, void *p, size_t size)
{
	(void)ctx;
	bare_memory_lock();
	in_use -= size;
	/* The first place of a page is never given to a small thing. */
	if (((uintptr_t)p & (PAGE - 1)) != 0)
		put_small(class_of(size), p);
	else
		vm_deallocate(mach_task_self(), (vm_address_t)p, ROUND(size));
	bare_memory_unlock();
}

const struct vnet_alloc bare_alloc = {
	.get = get,
	.put = put,
};

size_t
bare_memory_used(void)
{
	size_t n;

	bare_memory_lock();
	n = in_use;
	bare_memory_unlock();
	return n;
}
