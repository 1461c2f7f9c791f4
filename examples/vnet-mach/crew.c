/* SPDX-License-Identifier: BSD-2-Clause */
#include <bare.h>

#include "crew.h"

void
crew_want(void *crew)
{
	struct crew *c = crew;

	if (__atomic_load_n(&c->n, __ATOMIC_RELAXED) >= c->max)
		return;
	/* Pairs with the load in crew_run(). */
	__atomic_fetch_add(&c->wanted, 1, __ATOMIC_RELEASE);
	bare_wake(&c->wanted, false);
}

static void
serve(void *arg)
{
	struct crew *c = arg;

	vnet_mach_serve(c->m, true);
}

static void
help(void *arg)
{
	struct crew *c = arg;

	vnet_mach_serve(c->m, false);
	__atomic_fetch_sub(&c->n, 1, __ATOMIC_RELAXED);
}

/* One that cannot be made now is wanted again. */
static void
add(struct crew *c, void (*fn)(void *))
{
	if (__atomic_load_n(&c->n, __ATOMIC_RELAXED) >= c->max)
		return;
	__atomic_fetch_add(&c->n, 1, __ATOMIC_RELAXED);
	if (bare_thread_create(NULL, 0, fn, c))
		__atomic_fetch_sub(&c->n, 1, __ATOMIC_RELAXED);
}

_Noreturn void
crew_run(struct crew *c)
{
	uint32_t seen = 0;

	for (int i = 0; i < CREW_ALWAYS; i++)
		add(c, serve);
	for (;;) {
		uint32_t wanted = __atomic_load_n(&c->wanted, __ATOMIC_ACQUIRE);

		if (wanted == seen)
			bare_wait(&c->wanted, seen, 0);
		else
			add(c, help);
		seen = wanted;
	}
}
