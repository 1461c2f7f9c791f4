/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The copy of memory that others page, on the kernel: it fails where the memory
 * cannot be read, or the thread is told to give up, and nothing else is taken for
 * it.
 */
#include <string.h>

#include <mach/mach_interface.h>
#include <mach/mach_port.h>

#include "guest/guest.h"
#include "guest/pager.h"
#include "sys.h"

#define PAGE 4096
#define STOP 77200

static const struct vnet_mach_sys *const kernel = &vnet_mach_kernel;
static volatile uint32_t nowhere = 16;

static bool
copy(void *dst, const void *src, size_t n)
{
	static const uint32_t never;

	return kernel->copy(dst, src, n, &never);
}

/* Of the thread that hears of faults. */
static mach_port_t faults;
static uint32_t heard;

static bool
answer(mach_msg_header_t *in)
{
	mig_reply_header_t reply = {
		.Head.msgh_bits =
			MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(in->msgh_bits), 0),
		.Head.msgh_size = sizeof(reply),
		.Head.msgh_remote_port = in->msgh_remote_port,
		.Head.msgh_id = in->msgh_id + 100,
		.RetCodeType.msgt_name = MACH_MSG_TYPE_INTEGER_32,
		.RetCodeType.msgt_size = 32,
		.RetCodeType.msgt_number = 1,
		.RetCodeType.msgt_inline = TRUE,
	};

	if (in->msgh_id == STOP)
		return false;
	CHECK(kernel->exception(in, &reply.Head));
	__atomic_fetch_add(&heard, 1, __ATOMIC_RELAXED);
	CHECK_OK(vnet_mach_send(kernel, &reply.Head));
	in->msgh_remote_port = MACH_PORT_NULL;
	if (reply.RetCode)
		vnet_mach_msg_destroy(kernel, in);
	return true;
}

static void
hear(void *arg)
{
	union {
		mach_msg_header_t head;
		uint32_t room[64];
	} in;

	(void)arg;
	do {
		CHECK_OK(mach_msg(&in.head, MACH_RCV_MSG, 0, sizeof(in), faults,
				  0, MACH_PORT_NULL));
	} while (answer(&in.head));
}

static struct bare_thread *
begin(void)
{
	struct bare_thread *t;

	CHECK_OK(kernel->port_allocate(MACH_PORT_RIGHT_RECEIVE, &faults));
	CHECK_OK(bare_thread_create(&t, 0, hear, NULL));
	CHECK_OK(kernel->catch_faults(faults));
	return t;
}

static void
end(struct bare_thread *t)
{
	mach_msg_header_t stop = {
		.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0),
		.msgh_size = sizeof(stop),
		.msgh_remote_port = faults,
		.msgh_id = STOP,
	};

	CHECK_OK(kernel->catch_faults(MACH_PORT_NULL));
	CHECK_OK(vnet_mach_send(kernel, &stop));
	bare_thread_join(t);
	CHECK_OK(kernel->port_mod_refs(faults, MACH_PORT_RIGHT_RECEIVE, -1));
}

static uint8_t to[3 * PAGE];

static void
test_memory_that_is_there_is_copied(void)
{
	static uint8_t from[2 * PAGE];

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 3 + i / 256);
	for (size_t n = 0; n < 70; n++)
		for (size_t off = 0; off < 4; off++) {
			memset(to, 0xaa, 100);
			CHECK(copy(to + 4 - off, from + off, n));
			CHECK(!memcmp(to + 4 - off, from + off, n));
			CHECK_EQ(to[3 - off], 0xaa);
			CHECK_EQ(to[4 - off + n], 0xaa);
		}
	CHECK(copy(to, from, sizeof(from)));
	CHECK(!memcmp(to, from, sizeof(from)));
}

static void
test_memory_that_is_given_late_is_copied(void)
{
	struct pager p;

	pager_start(&p, PAGER_GIVES, 2 * PAGE);
	memset(to, 0, sizeof(to));
	CHECK(copy(to, (void *)(p.address + 100), PAGE));
	for (size_t i = 0; i < PAGE; i++)
		CHECK_EQ(to[i], 0x5a);
	CHECK_EQ(p.asked, 2);
	pager_stop(&p);
}

/* The page before is there: the copy fails on its way. */
static void
test_memory_that_is_refused_fails(enum pager_manner manner)
{
	uint32_t heard_before = heard, tried = 0;
	vm_address_t two, second;
	struct pager p;

	pager_start(&p, manner, PAGE);
	CHECK_OK(vm_allocate(mach_task_self(), &two, 2 * PAGE, TRUE));
	memset((void *)two, 7, PAGE);
	second = two + PAGE;
	CHECK_OK(vm_deallocate(mach_task_self(), second, PAGE));
	CHECK_OK(vm_map(mach_task_self(), &second, PAGE, 0, FALSE, p.object, 0,
			FALSE, VM_PROT_ALL, VM_PROT_ALL, VM_INHERIT_NONE));
	CHECK_EQ(second, two + PAGE);
	for (uint32_t off = 0; off < 9; off++)
		for (uint32_t n = off + 1; n < off + 9; n++) {
			to[0] = 0;
			CHECK(!copy(to, (void *)(second - off), n));
			CHECK(off < 4 || to[0] == 7);
			tried++;
		}
	CHECK_EQ(heard, heard_before + tried);
	CHECK(copy(to, (void *)(second - 9), 9));
	CHECK_OK(vm_deallocate(mach_task_self(), two, 2 * PAGE));
	pager_stop(&p);
}

static void
test_no_memory_at_all_fails(void)
{
	CHECK(!copy(to, (void *)(uintptr_t)nowhere, 20));
	CHECK(!copy((void *)(uintptr_t)nowhere, to, 20));
}

/* Its pager, which never answers, is not even asked. */
static void
test_a_copy_that_was_given_up_does_not_begin(void)
{
	const uint32_t given_up = 1;
	struct pager p;

	pager_start(&p, PAGER_IS_SILENT, PAGE);
	memset(to, 0, 16);
	CHECK(!kernel->copy(to, (void *)p.address, 16, &given_up));
	CHECK_EQ(p.asked, 0);
	pager_stop(&p);
}

struct copier {
	struct pager p;
	uint32_t result;
	uint32_t spins;
	uint32_t has_to_end;
};

static void
copy_for_ever(void *arg)
{
	struct copier *c = arg;

	CHECK_OK(kernel->catch_faults(faults));
	c->result = 1 + copy(to, (void *)c->p.address, PAGE);
	while (!__atomic_load_n(&c->has_to_end, __ATOMIC_RELAXED))
		__atomic_fetch_add(&c->spins, 1, __ATOMIC_RELAXED);
	CHECK_OK(kernel->catch_faults(MACH_PORT_NULL));
}

static void
test_a_thread_that_waits_can_be_told_to_give_up(void)
{
	struct copier c = {0};
	struct bare_thread *t;
	uint32_t spins;

	pager_start(&c.p, PAGER_IS_SILENT, PAGE);
	CHECK_OK(bare_thread_create(&t, 0, copy_for_ever, &c));
	while (!__atomic_load_n(&c.p.asked, __ATOMIC_RELAXED))
		bare_wait(&c.p.asked, 0, 100);
	bare_sleep_ms(20);
	CHECK_EQ(c.result, 0);
	kernel->interrupt(bare_thread_port(t));
	while (!__atomic_load_n(&c.spins, __ATOMIC_RELAXED))
		bare_sleep_ms(10);
	CHECK_EQ(c.result, 1);
	/* It is somewhere else now, where that means nothing. */
	for (int i = 0; i < 20; i++) {
		kernel->interrupt(bare_thread_port(t));
		spins = c.spins;
		bare_sleep_ms(10);
		CHECK(c.spins != spins);
	}
	c.has_to_end = 1;
	bare_thread_join(t);
	pager_stop(&c.p);
}

int
main(int argc, char **argv)
{
	mach_port_t self = mach_task_self();
	struct bare_thread *t = begin();
	uint32_t names;

	if (bare_arg_is_set(argv, "elsewhere"))
		*(volatile int *)(uintptr_t)nowhere = 1;
	(void)argc;
	test_memory_that_is_there_is_copied();
	test_no_memory_at_all_fails();
	/* What the kernel gives a pager stays with it. */
	names = guest_count_names(self);
	for (int i = 0; i < 1000; i++)
		test_no_memory_at_all_fails();
	CHECK_EQ(guest_count_names(self), names);
	test_memory_that_is_given_late_is_copied();
	test_memory_that_is_refused_fails(PAGER_REFUSES);
	test_memory_that_is_refused_fails(PAGER_DIES);
	test_a_copy_that_was_given_up_does_not_begin();
	test_a_thread_that_waits_can_be_told_to_give_up();
	end(t);
	guest_pass();
}
