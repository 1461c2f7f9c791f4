/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "program_memory.h"

/* What is remembered at the most: about a MiB each. When it is full all is
 * forgotten, which is right for what is asked in rounds. */
#define INSNS_MAX 131072
#define TEXTS_MAX (1 << 20)

struct memory {
	struct program program;
	char text[];
};

/* @root: a tree of struct memory, as tsearch(3) has it */
static struct {
	pthread_mutex_t lock;
	void *root;
	size_t ninsns;
	size_t octets;
} memories = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The key of a search is the text in a struct memory, too. */
static int
compare(const void *a, const void *b)
{
	const struct memory *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static bool
copy(struct program *to, const struct program *from)
{
	to->insns = calloc(from->ninsns, sizeof(*to->insns));
	if (!to->insns)
		return false;
	memcpy(to->insns, from->insns, from->ninsns * sizeof(*to->insns));
	to->ninsns = from->ninsns;
	return true;
}

static struct memory *
new_memory(const char *text)
{
	size_t size = strlen(text) + 1;
	struct memory *m = calloc(1, sizeof(*m) + size);

	if (m)
		memcpy(m->text, text, size);
	return m;
}

static void
free_memory(void *memory)
{
	struct memory *m = memory;

	program_fini(&m->program);
	free(m);
}

static void
make_room(size_t ninsns, size_t octets)
{
	memories.ninsns += ninsns;
	memories.octets += octets;
	if (memories.ninsns <= INSNS_MAX && memories.octets <= TEXTS_MAX)
		return;
	tdestroy(memories.root, free_memory);
	memories.root = NULL;
	memories.ninsns = ninsns;
	memories.octets = octets;
}

bool
program_recall(struct program *p, const char *text)
{
	struct memory *key = new_memory(text);
	struct memory *const *found;
	bool recalled;

	if (!key)
		return false;
	pthread_mutex_lock(&memories.lock);
	found = tfind(key, &memories.root, compare);
	recalled = found && copy(p, &(*found)->program);
	pthread_mutex_unlock(&memories.lock);
	free(key);
	return recalled;
}

void
program_remember(const struct program *p, const char *text)
{
	struct memory *m = new_memory(text);
	struct memory *const *at;

	if (!m)
		return;
	if (!copy(&m->program, p)) {
		free(m);
		return;
	}
	pthread_mutex_lock(&memories.lock);
	make_room(p->ninsns, strlen(text));
	at = tsearch(m, &memories.root, compare);
	pthread_mutex_unlock(&memories.lock);
	/* Another thread was faster, or there is no memory. */
	if (!at || *at != m)
		free_memory(m);
}
