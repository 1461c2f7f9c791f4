/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * N hosts on one switch with N interfaces, and on N switches of one interface
 * each, chained (tests/mach/guest/chain.h). Each host sends to each other one, all
 * pairs equally; the next frame is sent when the last one is there. For each figure
 * there is a line
 *
 *	bench cycles|messages one|chain N FIGURE
 *
 * with the processor's cycles from one frame to the next, of all tasks and the
 * kernel together; and the messages of a hundred frames, of requests, replies and
 * frames between all tasks.
 */
#include <string.h>

#include "guest/chain.h"
#include "guest/guest.h"

#define LEN    1514
#define FRAMES 4000
#define WARMUP 100

static struct chain chain;
static uint8_t *frame;
static uint8_t got[LEN];

static void
send(uint32_t from, uint32_t to, uint8_t tag)
{
	chain_address(&chain, from, to, frame);
	frame[20] = tag;
	client_write(chain.devices[from], frame, LEN);
	CHECK(client_get(chain.receivers[to], got, sizeof(got), 1000) == LEN);
	CHECK(got[20] == tag);
}

/* In turn by all pairs. Return: how many frames. */
static uint32_t
send_all(uint32_t frames)
{
	uint32_t n = 0;

	while (n < frames)
		for (uint32_t from = 0; from < chain.n; from++)
			for (uint32_t to = 0; to < chain.n; to++)
				if (from != to)
					send(from, to, (uint8_t)n++);
	return n;
}

static void
measure(const char *name, uint32_t n, bool is_one)
{
	uint32_t messages, frames;
	vm_address_t page;
	uint64_t cycles;

	chain_start(&chain, n, is_one);
	/* In memory that no task was made a copy of. */
	CHECK_OK(vm_allocate(mach_task_self(), &page, LEN, TRUE));
	frame = (uint8_t *)page;
	send_all(WARMUP);
	messages = chain_messages(&chain);
	cycles = bare_cycles();
	frames = send_all(FRAMES);
	cycles = bare_cycles() - cycles;
	/* Its reply to the sender, and the frame to who receives it, are not
	 * messages to a switch; asking each for their number is not among
	 * these. */
	messages = chain_messages(&chain) - messages + 2 * frames;
	bare_printf("bench cycles %s %u %u\n", name, n,
		    (uint32_t)(cycles / frames));
	bare_printf("bench messages %s %u %u\n", name, n,
		    (uint32_t)((uint64_t)messages * 100 / frames));
	chain_stop(&chain);
	CHECK_OK(vm_deallocate(mach_task_self(), page, LEN));
}

int
main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	/* Copies of this task read it, too. */
	CHECK_OK(bare_clock_map(guest_lookup("device-master")));
	for (uint32_t n = 2; n <= CHAIN_MAX; n *= 2) {
		measure("one", n, true);
		measure("chain", n, false);
	}
	guest_pass();
}
