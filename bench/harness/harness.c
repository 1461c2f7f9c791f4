/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define RUN_NS UINT64_C(200000000)

static uint64_t
now_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts))
		bench_fail("clock_gettime: %s", strerror(errno));
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void
bench_start(struct bench_run *r)
{
	r->is_started = true;
	r->start_ns = now_ns();
}

void
bench_stop(struct bench_run *r)
{
	r->seconds = (double)(now_ns() - r->start_ns) / 1e9;
}

bool
bench_more(struct bench_run *r)
{
	if (!r->is_started) {
		bench_start(r);
		return true;
	}
	if (r->wanted ? r->done < r->wanted : now_ns() - r->start_ns < RUN_NS)
		return true;
	bench_stop(r);
	return false;
}

void
bench_report(const char *unit, double value)
{
	printf("%s %.17g\n", unit, value);
}

void
bench_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

uint64_t
bench_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t
bench_random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)((bench_random(state) >> 32) * n >> 32);
}

void
bench_permute(uint64_t *state, uint32_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t j = bench_random_below(state, i + 1);

		p[i] = p[j];
		p[j] = i;
	}
}

void *
bench_pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bench_fail("no %zu octets: %s", size, strerror(errno));
	memset(p, 0, size);
	return p;
}

static void *
get(void *ctx, size_t size, size_t align)
{
	struct bench_memory *m = ctx;
	void *p;

	if (posix_memalign(&p, align < sizeof(p) ? sizeof(p) : align, size))
		return NULL;
	m->now += size;
	if (m->now > m->most)
		m->most = m->now;
	return p;
}

static void
put(void *ctx, void *p, size_t size)
{
	struct bench_memory *m = ctx;

	if (size > m->now)
		bench_fail("gave back more memory than was taken");
	m->now -= size;
	free(p);
}

struct vnet_alloc
bench_alloc(struct bench_memory *m)
{
	*m = (struct bench_memory){0};
	return (struct vnet_alloc){.get = get, .put = put, .ctx = m};
}

uint64_t
bench_rss(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	uint64_t pages;
	long page = sysconf(_SC_PAGESIZE);

	if (!f || fscanf(f, "%*u %" SCNu64, &pages) != 1 || page < 1)
		bench_fail("cannot read /proc/self/statm");
	fclose(f);
	return pages * (uint64_t)page;
}

static int
usage(const char *name)
{
	fprintf(stderr,
		"usage: %s --list\n"
		"       %s [--units N] CASE SYSTEM\n",
		name, name);
	return 2;
}

int
bench_main(int argc, char **argv, const struct bench_case *cases, size_t ncases)
{
	struct bench_run r = {0};
	const char *name = argv[0];

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < ncases; i++)
			printf("%s %s %s %s\n", cases[i].name, cases[i].system,
			       cases[i].is_ours ? "ours" : "peer",
			       cases[i].counted ? cases[i].counted : "-");
		return 0;
	}
	if (argc > 2 && !strcmp(argv[1], "--units")) {
		char *end;

		r.wanted = strtoull(argv[2], &end, 10);
		if (*end || !r.wanted)
			return usage(name);
		argc -= 2;
		argv += 2;
	}
	if (argc != 3)
		return usage(name);
	for (size_t i = 0; i < ncases; i++) {
		if (strcmp(cases[i].name, argv[1]) ||
		    strcmp(cases[i].system, argv[2]))
			continue;
		cases[i].run(&r, cases[i].arg);
		return 0;
	}
	bench_fail("no case %s of system %s; --list shows them", argv[1],
		   argv[2]);
}
