/* SPDX-License-Identifier: BSD-2-Clause */
#include "support.h"
#include "heap.h"

#define MAX_ID 64

struct room {
	struct vnet_heap_node node[MAX_ID];
	uint32_t pos[MAX_ID];
};

static struct vnet_heap
heap_in(struct room *room)
{
	memset(room, 0xa5, sizeof(*room));
	return (struct vnet_heap){.node = room->node, .pos = room->pos};
}

/* Every node is where its id says, and not above its parent. */
static void
assert_in_order(const struct vnet_heap *h)
{
	for (uint32_t i = 0; i < h->n; i++)
		assert_int_equal(h->pos[h->node[i].id], i);
	for (uint32_t i = 1; i < h->n; i++) {
		const struct vnet_heap_node *node = &h->node[i];
		const struct vnet_heap_node *above = &h->node[(i - 1) / 2];

		assert_true(above->key > node->key ||
			    (above->key == node->key && above->id < node->id));
	}
}

/* Take out the top, which must be @id with @key. */
static void
assert_top(struct vnet_heap *h, uint32_t id, uint32_t key)
{
	assert_true(h->n > 0);
	assert_int_equal(h->node[0].id, id);
	assert_int_equal(h->node[0].key, key);
	vnet_heap_remove(h, id);
	assert_in_order(h);
}

static void
test_largest_key_is_on_top(void **state)
{
	static const uint32_t key[] = {3, 9, 0, UINT32_MAX, 7, 1};
	struct room room;
	struct vnet_heap h = heap_in(&room);

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		vnet_heap_insert(&h, i, key[i]);
		assert_in_order(&h);
	}
	assert_top(&h, 3, UINT32_MAX);
	assert_top(&h, 1, 9);
	assert_top(&h, 4, 7);
	assert_top(&h, 0, 3);
	assert_top(&h, 5, 1);
	assert_top(&h, 2, 0);
	assert_int_equal(h.n, 0);
}

static void
test_lower_number_is_on_top_among_equal_keys(void **state)
{
	static const uint32_t order[][5] = {
		{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {2, 4, 0, 3, 1}};

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct room room;
		struct vnet_heap h = heap_in(&room);

		for (size_t i = 0; i < 5; i++)
			vnet_heap_insert(&h, order[k][i], 8);
		for (uint32_t i = 0; i < 5; i++)
			assert_top(&h, i, 8);
	}
}

static void
test_update_moves_up_and_down(void **state)
{
	struct room room;
	struct vnet_heap h = heap_in(&room);

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		vnet_heap_insert(&h, i, 10 * i);

	vnet_heap_update(&h, 0, 1000);
	assert_in_order(&h);
	assert_int_equal(h.node[0].id, 0);

	vnet_heap_update(&h, 0, 45);
	assert_in_order(&h);
	assert_int_equal(h.node[0].id, 9);

	vnet_heap_update(&h, 9, 0);
	assert_in_order(&h);
	assert_int_equal(h.node[0].id, 8);

	/* To the key it has: nothing changes. */
	vnet_heap_update(&h, 8, 80);
	assert_in_order(&h);
	assert_top(&h, 8, 80);
	assert_top(&h, 7, 70);
	assert_top(&h, 6, 60);
	assert_top(&h, 5, 50);
	assert_top(&h, 0, 45);
	assert_top(&h, 4, 40);
}

static void
test_any_place_can_be_vacated(void **state)
{
	(void)state;
	for (uint32_t gone = 0; gone < 16; gone++) {
		struct room room;
		struct vnet_heap h = heap_in(&room);

		for (uint32_t i = 0; i < 16; i++)
			vnet_heap_insert(&h, i, i * 7 % 16);
		vnet_heap_remove(&h, gone);
		assert_in_order(&h);
		assert_int_equal(h.n, 15);
		for (uint32_t key = 16; key-- > 0;) {
			uint32_t id = key * 7 % 16; /* 7 * 7 = 1 mod 16 */

			if (id != gone)
				assert_top(&h, id, key);
		}
	}
}

static void
test_node_that_takes_a_vacant_place_can_rise(void **state)
{
	/* Below the root one branch holds 90s and one holds 10s: the last node
	 * comes from the branch of 90s and belongs above the 10s. */
	static const uint32_t key[] = {100, 20, 95, 10, 11, 94, 93,
				       1,   2,  3,  4,  91, 92};
	struct room room;
	struct vnet_heap h = heap_in(&room);

	(void)state;
	for (uint32_t i = 0; i < 13; i++)
		vnet_heap_insert(&h, i, key[i]);
	vnet_heap_remove(&h, 7);
	assert_in_order(&h);
	assert_top(&h, 0, 100);
	assert_top(&h, 2, 95);
	assert_top(&h, 5, 94);
	assert_top(&h, 6, 93);
	assert_top(&h, 12, 92);
	assert_top(&h, 11, 91);
	assert_top(&h, 1, 20);
}

static void
test_heaps_share_places_where_no_id_is_in_two(void **state)
{
	struct vnet_heap_node node[2][8];
	uint32_t pos[16];
	struct vnet_heap h[2] = {{.node = node[0], .pos = pos},
				 {.node = node[1], .pos = pos}};

	(void)state;
	for (uint32_t id = 0; id < 16; id++)
		vnet_heap_insert(&h[id % 2], id, id * 5 % 16);
	vnet_heap_remove(&h[0], 6);
	vnet_heap_update(&h[1], 3, 99);
	/* An id may change heaps. */
	vnet_heap_remove(&h[1], 5);
	vnet_heap_insert(&h[0], 5, 77);

	assert_in_order(&h[0]);
	assert_in_order(&h[1]);
	assert_int_equal(h[0].n, 8);
	assert_int_equal(h[1].n, 7);
	assert_int_equal(h[0].node[0].id, 5);
	assert_int_equal(h[1].node[0].id, 3);
}

static void
test_random_operations_agree_with_an_array(void **state)
{
	struct test_random random = {20260301};
	uint32_t key[MAX_ID];
	bool in[MAX_ID] = {false};
	struct room room;
	struct vnet_heap h = heap_in(&room);

	(void)state;
	for (int step = 0; step < 50000; step++) {
		uint32_t id = test_random_below(&random, MAX_ID);
		uint32_t k = test_random_below(&random, 40); /* many ties */
		uint32_t n = 0, top = MAX_ID;

		if (!in[id])
			vnet_heap_insert(&h, id, k);
		else if (k % 3)
			vnet_heap_update(&h, id, k);
		else
			vnet_heap_remove(&h, id);
		in[id] = !in[id] || k % 3;
		key[id] = k;

		for (uint32_t i = 0; i < MAX_ID; i++) {
			if (!in[i])
				continue;
			n++;
			if (top == MAX_ID || key[i] > key[top])
				top = i;
		}
		assert_int_equal(h.n, n);
		if (n) {
			assert_int_equal(h.node[0].id, top);
			assert_int_equal(h.node[0].key, key[top]);
		}
		if (step % 16 == 0)
			assert_in_order(&h);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_largest_key_is_on_top),
		cmocka_unit_test(test_lower_number_is_on_top_among_equal_keys),
		cmocka_unit_test(test_update_moves_up_and_down),
		cmocka_unit_test(test_any_place_can_be_vacated),
		cmocka_unit_test(test_node_that_takes_a_vacant_place_can_rise),
		cmocka_unit_test(test_heaps_share_places_where_no_id_is_in_two),
		cmocka_unit_test(test_random_operations_agree_with_an_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
