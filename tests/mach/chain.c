/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switches of one interface each, chained (guest/chain.h): every host reaches
 * every other one, and nobody hears what is not for them; and what that takes in
 * messages.
 */
#include "guest/chain.h"
#include "guest/guest.h"

#define N      4
#define ROUNDS 3

static struct chain chain;
static uint8_t frame[200], got[1600];

static void
expect_frame(uint32_t at, uint8_t tag)
{
	CHECK_EQ(client_get(chain.receivers[at], got, sizeof(got), 2000),
		 sizeof(frame));
	CHECK_EQ(got[20], tag);
}

static void
expect_silence(void)
{
	for (uint32_t i = 0; i < N; i++)
		CHECK_EQ(client_get(chain.receivers[i], got, sizeof(got), 20),
			 0);
}

static void
test_all_pairs(void)
{
	uint8_t tag = 0;

	for (uint32_t from = 0; from < N; from++) {
		for (uint32_t to = 0; to < N; to++) {
			if (from == to)
				continue;
			chain_address(&chain, from, to, frame);
			frame[20] = ++tag;
			client_write(chain.devices[from], frame, sizeof(frame));
			expect_frame(to, tag);
		}
	}
	expect_silence();
}

static void
test_everybody_hears_a_broadcast_once(void)
{
	for (uint32_t from = 0; from < N; from++) {
		chain_address(&chain, from, from, frame);
		frame[20] = (uint8_t)(100 + from);
		client_write(chain.devices[from], frame, sizeof(frame));
		for (uint32_t i = 0; i < N; i++)
			if (i != from)
				expect_frame(i, (uint8_t)(100 + from));
	}
	expect_silence();
}

/* Up, each switch gets one request and all but the last one reply; down, each but
 * the last one frame. No more than that: an idle chain has nothing to say. */
static void
test_messages(uint32_t from, uint32_t to, uint32_t at_least)
{
	const uint32_t before = chain_messages(&chain);
	uint32_t n;

	chain_address(&chain, from, to, frame);
	for (uint8_t i = 0; i < 10; i++) {
		frame[20] = i;
		client_write(chain.devices[from], frame, sizeof(frame));
		expect_frame(to, i);
	}
	n = chain_messages(&chain) - before;
	bare_printf("%u to %u: %u messages for 10 frames\n", from, to, n);
	CHECK(n >= 10 * at_least);
	/* And what an uplink asks now and then. */
	CHECK(n <= 10 * at_least + 10);
}

int
main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	chain_start(&chain, N, false);
	for (int i = 0; i < ROUNDS; i++) {
		test_all_pairs();
		test_everybody_hears_a_broadcast_once();
	}
	test_messages(0, N - 1, 2 * N - 1);
	test_messages(N - 1, 0, N);
	chain_stop(&chain);
	guest_pass();
}
