/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sequences of calls of the whole API: switches, ports, drivers that answer as
 * they like and call from inside send and close, frames and filters of any kind,
 * an allocator that fails. The input decides all of it; what must hold is in
 * tests/model/run.h.
 */
#include "run.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	struct tape t;

	tape_fuzz(&t, in, size);
	run_calls(&t, (unsigned long)-1, NULL);
	return 0;
}
