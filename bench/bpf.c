/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds for one run of a filter over one frame, beside libpcap's
 * interpreter.
 */
#ifdef BENCH_HAVE_PCAP
#include <pcap/pcap.h>
#endif
#include <string.h>

#include "bpf.h"
#include "harness/filters.h"
#include "harness/harness.h"
#include "harness/traffic.h"

/* Frames in turn: few enough to stay in the first-level cache. */
#define NHOT     16u
#define NREPEATS 256u
#define MAX_OPS  100

static struct vnet_frame frames[NHOT];

static const struct bench_filter *
prepare(const char *name)
{
	static struct bench_traffic t;
	static uint8_t octets[NHOT][64];
	const struct bench_filter *filter = bench_filter_find(name);
	struct vnet_why why = {0};

	if (filter->ninsns > MAX_OPS)
		bench_fail("filter %s is too long", name);
	if (vnet_bpf_check(filter->insns, filter->ninsns, 0, &why))
		bench_fail("instruction %zu: %s", why.index, why.text);
	bench_traffic_init(&t, 8, 60, false);
	for (uint32_t i = 0; i < NHOT; i++) {
		memcpy(octets[i], t.order[i].data, 60);
		frames[i].data = octets[i];
		frames[i].len = 60;
	}
	return filter;
}

static void
report(const struct bench_run *r, const struct bench_filter *filter,
       uint64_t matches)
{
	if (matches != (filter->verdict == VNET_PASS ? r->done : 0))
		bench_fail("%llu of %llu frames matched",
			   (unsigned long long)matches,
			   (unsigned long long)r->done);
	bench_report("ns/run", r->seconds * 1e9 / (double)r->done);
	bench_report("ns/instruction",
		     r->seconds * 1e9 / (double)r->done / filter->nrun);
}

static void
run_core(struct bench_run *r, const void *arg)
{
	const struct bench_filter *filter = prepare(arg);
	struct vnet_bpf_op ops[MAX_OPS];
	uint64_t matches = 0;

	vnet_bpf_translate(ops, filter->insns, filter->ninsns);
	while (bench_more(r)) {
		for (uint32_t i = 0; i < NHOT * NREPEATS; i++)
			matches += vnet_bpf_run(ops, &frames[i % NHOT]) != 0;
		r->done += (uint64_t)NHOT * NREPEATS;
	}
	report(r, filter, matches);
}

#ifdef BENCH_HAVE_PCAP
static void
run_libpcap(struct bench_run *r, const void *arg)
{
	const struct bench_filter *filter = prepare(arg);
	struct bpf_insn insns[MAX_OPS];
	uint64_t matches = 0;

	for (uint32_t i = 0; i < filter->ninsns; i++)
		insns[i] = (struct bpf_insn){
			.code = filter->insns[i].code,
			.jt = filter->insns[i].jt,
			.jf = filter->insns[i].jf,
			.k = filter->insns[i].k,
		};
	while (bench_more(r)) {
		for (uint32_t i = 0; i < NHOT * NREPEATS; i++)
			matches += bpf_filter(insns, frames[i % NHOT].data, 60,
					      60) != 0;
		r->done += (uint64_t)NHOT * NREPEATS;
	}
	report(r, filter, matches);
}
#endif

static const struct bench_case cases[] = {
	{"run_f7", "core", true, NULL, run_core, "f7"},
	{"run_f7_straight", "core", true, NULL, run_core, "f7_straight"},
	{"run_f18", "core", true, NULL, run_core, "f18"},
	{"run_f100", "core", true, NULL, run_core, "f100"},
#ifdef BENCH_HAVE_PCAP
	{"run_f7", "libpcap", false, NULL, run_libpcap, "f7"},
	{"run_f7_straight", "libpcap", false, NULL, run_libpcap, "f7_straight"},
	{"run_f18", "libpcap", false, NULL, run_libpcap, "f18"},
	{"run_f100", "libpcap", false, NULL, run_libpcap, "f100"},
#endif
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
