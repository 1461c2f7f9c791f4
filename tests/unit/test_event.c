/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "support.h"
#include "event.h"

struct ring {
	struct test_alloc alloc;
	struct vnet_events ev;
};

#define CAPACITY 8

static int
setup(void **state)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	assert_non_null(ring);
	test_alloc_init(&ring->alloc);
	assert_int_equal(
		vnet_events_init(&ring->ev, &ring->alloc.alloc, CAPACITY), 0);
	*state = ring;
	return 0;
}

static int
teardown(void **state)
{
	struct ring *ring = *state;

	vnet_events_fini(&ring->ev, &ring->alloc.alloc);
	assert_int_equal(ring->alloc.blocks, 0);
	assert_int_equal(ring->alloc.used, 0);
	free(ring);
	return 0;
}

static struct vnet_event
event(enum vnet_event_type type, unsigned int n)
{
	return (struct vnet_event){
		.type = type,
		.time = n,
		.port = n + 1,
		.client = n + 2,
		.mac = test_mac(n),
		.error = -(int)n,
	};
}

static void
raise_event(struct ring *ring, enum vnet_event_type type, unsigned int n)
{
	struct vnet_event e = event(type, n);

	vnet_events_raise(&ring->ev, &e);
}

/* The next event is number @n, raised @count times. */
static void
assert_next(struct ring *ring, enum vnet_event_type type, unsigned int n,
	    uint32_t count)
{
	const struct vnet_event want = event(type, n);
	struct vnet_event e;

	memset(&e, 0xa5, sizeof(e));
	assert_int_equal(vnet_events_read(&ring->ev, &e, 1000), 1);
	assert_int_equal(e.size, sizeof(e));
	assert_int_equal(e.type, type);
	assert_int_equal(e.count, count);
	assert_int_equal(e.time, want.time);
	assert_int_equal(e.port, want.port);
	assert_int_equal(e.client, want.client);
	assert_int_equal(e.error, want.error);
	assert_memory_equal(&e.mac, &want.mac, sizeof(e.mac));
}

static void
assert_overflow(struct ring *ring, uint32_t lost)
{
	struct vnet_event e;

	memset(&e, 0xa5, sizeof(e));
	assert_int_equal(vnet_events_read(&ring->ev, &e, 1000), 1);
	assert_int_equal(e.size, sizeof(e));
	assert_int_equal(e.type, VNET_EVENT_OVERFLOW);
	assert_int_equal(e.count, lost);
	assert_int_equal(e.time, 1000);
	assert_int_equal(e.port, VNET_NO_ID);
	assert_int_equal(e.client, VNET_NO_ID);
	assert_int_equal(e.error, 0);
}

static void
assert_none(struct ring *ring)
{
	struct vnet_event e;

	memset(&e, 0xa5, sizeof(e));
	assert_int_equal(vnet_events_read(&ring->ev, &e, 1000), 0);
}

static void
test_events_are_read_once_and_in_order(void **state)
{
	struct ring *ring = *state;

	assert_none(ring);
	raise_event(ring, VNET_EVENT_PORT_ADDED, 1);
	raise_event(ring, VNET_EVENT_LINK_UP, 2);
	raise_event(ring, VNET_EVENT_DRIVER_ERROR, 3);
	assert_next(ring, VNET_EVENT_PORT_ADDED, 1, 1);
	assert_next(ring, VNET_EVENT_LINK_UP, 2, 1);
	raise_event(ring, VNET_EVENT_LINK_DOWN, 4);
	assert_next(ring, VNET_EVENT_DRIVER_ERROR, 3, 1);
	assert_next(ring, VNET_EVENT_LINK_DOWN, 4, 1);
	assert_none(ring);
}

static void
test_ring_goes_round(void **state)
{
	struct ring *ring = *state;
	unsigned int raised = 0, seen = 0;

	for (unsigned int i = 0; i < 20 * CAPACITY; i++) {
		for (unsigned int k = 0; k <= i % CAPACITY; k++)
			raise_event(ring, VNET_EVENT_LINK_UP, raised++);
		while (seen < raised)
			assert_next(ring, VNET_EVENT_LINK_UP, seen++, 1);
		assert_none(ring);
	}
}

static void
test_full_ring_loses_what_comes(void **state)
{
	struct ring *ring = *state;

	for (unsigned int i = 0; i < CAPACITY + 3; i++)
		raise_event(ring, VNET_EVENT_LINK_UP, i);
	assert_overflow(ring, CAPACITY + 3);
	assert_none(ring);
	raise_event(ring, VNET_EVENT_LINK_DOWN, 1);
	assert_next(ring, VNET_EVENT_LINK_DOWN, 1, 1);
	assert_none(ring);
}

static void
test_overflow_stands_for_all_that_is_older(void **state)
{
	struct ring *ring = *state;

	for (unsigned int i = 0; i < CAPACITY; i++)
		raise_event(ring, VNET_EVENT_LINK_UP, i);
	assert_next(ring, VNET_EVENT_LINK_UP, 0, 1);
	raise_event(ring, VNET_EVENT_LINK_UP, 8);
	raise_event(ring, VNET_EVENT_LINK_UP, 9); /* lost */
	/* To read them now, and then everything anew, would be to read what is
	 * old last. */
	assert_overflow(ring, CAPACITY + 1);
	assert_none(ring);
	raise_event(ring, VNET_EVENT_LINK_UP, 12);
	assert_next(ring, VNET_EVENT_LINK_UP, 12, 1);
}

static void
test_event_that_was_counted_keeps_its_count(void **state)
{
	struct ring *ring = *state;
	struct vnet_event e = event(VNET_EVENT_QUEUE_FULL, 3);

	e.count = 7;
	vnet_events_raise(&ring->ev, &e);
	e.count = UINT32_MAX;
	vnet_events_raise(&ring->ev, &e);
	assert_next(ring, VNET_EVENT_QUEUE_FULL, 3, 7);
	assert_next(ring, VNET_EVENT_QUEUE_FULL, 3, UINT32_MAX);
}

static void
test_count_of_what_was_lost_stops_at_its_end(void **state)
{
	struct ring *ring = *state;

	for (unsigned int i = 0; i < CAPACITY; i++)
		raise_event(ring, VNET_EVENT_LINK_UP, i);
	ring->ev.lost = UINT64_C(1) << 33;
	assert_overflow(ring, UINT32_MAX);
	assert_none(ring);

	/* All that was lost has been said: what comes is counted from there. */
	for (unsigned int i = 0; i <= CAPACITY; i++)
		raise_event(ring, VNET_EVENT_LINK_UP, i);
	assert_overflow(ring, CAPACITY + 1);
	assert_none(ring);
}

static void
test_ring_of_one_serves(void **state)
{
	struct ring ring;

	(void)state;
	test_alloc_init(&ring.alloc);
	assert_int_equal(vnet_events_init(&ring.ev, &ring.alloc.alloc, 1), 0);
	for (unsigned int i = 0; i < 3; i++) {
		raise_event(&ring, VNET_EVENT_LINK_UP, i);
		raise_event(&ring, VNET_EVENT_LINK_DOWN, i);
		assert_overflow(&ring, 2);
		raise_event(&ring, VNET_EVENT_LINK_UP, i);
		assert_next(&ring, VNET_EVENT_LINK_UP, i, 1);
		assert_none(&ring);
	}
	vnet_events_fini(&ring.ev, &ring.alloc.alloc);
	assert_int_equal(ring.alloc.used, 0);
}

static void
test_numbers_of_events_go_beyond_32_bits(void **state)
{
	struct ring *ring = *state;

	ring->ev.next = ring->ev.unread = (UINT64_C(1) << 32) - 3;
	for (unsigned int i = 0; i < CAPACITY; i++)
		raise_event(ring, VNET_EVENT_LINK_UP, i);
	for (unsigned int i = 0; i < CAPACITY; i++)
		assert_next(ring, VNET_EVENT_LINK_UP, i, 1);
	assert_none(ring);
	for (unsigned int i = 0; i < CAPACITY + 2; i++)
		raise_event(ring, VNET_EVENT_LINK_UP, i);
	assert_overflow(ring, CAPACITY + 2);
	assert_none(ring);
}

static void
test_memory_is_what_was_said(void **state)
{
	struct test_alloc a;
	struct vnet_events ev;

	(void)state;
	test_alloc_init(&a);
	assert_int_equal(vnet_events_init(&ev, &a.alloc, 256), 0);
	assert_int_equal(a.used, vnet_events_memory(256));
	vnet_events_fini(&ev, &a.alloc);
	assert_int_equal(a.used, 0);

	test_alloc_init(&a);
	a.fail_at = 1;
	assert_int_equal(vnet_events_init(&ev, &a.alloc, 256), -ENOMEM);
	assert_int_equal(a.calls, 1);
}

static void
test_every_type_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < VNET_NEVENTS; i++) {
		const char *name = vnet_event_name((enum vnet_event_type)i);

		assert_non_null(name);
		assert_true(name[0] != '\0');
		for (int k = 0; k < i; k++)
			assert_string_not_equal(
				name, vnet_event_name((enum vnet_event_type)k));
	}
	assert_string_equal(vnet_event_name(VNET_EVENT_ADDRESS_MOVED),
			    "address_moved");
	assert_null(vnet_event_name(VNET_NEVENTS));
	assert_null(vnet_event_name((enum vnet_event_type)255));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_events_are_read_once_and_in_order),
		TEST(test_ring_goes_round),
		TEST(test_full_ring_loses_what_comes),
		TEST(test_overflow_stands_for_all_that_is_older),
		TEST(test_event_that_was_counted_keeps_its_count),
		TEST(test_count_of_what_was_lost_stops_at_its_end),
		cmocka_unit_test(test_ring_of_one_serves),
		TEST(test_numbers_of_events_go_beyond_32_bits),
		cmocka_unit_test(test_memory_is_what_was_said),
		cmocka_unit_test(test_every_type_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
