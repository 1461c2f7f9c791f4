/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mach filters and frames from anywhere. What vnet_netf_check() accepts never
 * misbehaves, whatever the frame; a stack program does what the model does, a
 * BPF program what vnet_bpf_match() does.
 *
 * Input: octet 0 is the number of words; then these, little-endian; then the
 * frame.
 */
#include <stdlib.h>
#include <string.h>

#include "netf.h"
#include "netf_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                          \
	do {                              \
		if (!(x))                 \
			__builtin_trap(); \
	} while (0)

/* What a BPF program is to do. */
static bool
match_bpf(const uint16_t *words, size_t nwords, const struct vnet_frame *f)
{
	struct vnet_bpf_insn insns[VNET_NETF_MAX_WORDS / 4];
	size_t n = nwords / 4;

	for (size_t i = 0; i < n; i++) {
		insns[i].code = words[4 * i];
		insns[i].jt = words[4 * i + 1] & 0xff;
		insns[i].jf = words[4 * i + 1] >> 8;
		insns[i].k = words[4 * i + 2] + words[4 * i + 3] * 65536u;
	}
	CHECK(vnet_bpf_check(insns + 1, n - 1, 0, NULL) == 0);
	return vnet_bpf_match(insns + 1, n - 1, f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vnet_frame f = {.data = NULL};
	struct vnet_why why = {0};
	struct vnet_netf netf;
	uint16_t *words;
	uint8_t *octets;
	bool wanted;
	size_t n;
	int err;

	if (size < 1)
		return 0;
	n = data[0];
	if (size < 1 + 2 * n)
		return 0;
	data++;
	size -= 1 + 2 * n;

	/* Memory of exactly these sizes. */
	words = malloc(n ? 2 * n : 1);
	octets = malloc(size ? size : 1);
	CHECK(words && octets);
	for (size_t i = 0; i < n; i++)
		words[i] = (uint16_t)(data[2 * i] | data[2 * i + 1] << 8);
	memcpy(octets, data + 2 * n, size);

	err = vnet_netf_check(&netf, words, n, &why);
	CHECK((err == 0) == !why.text);
	CHECK(why.index == 0 || why.index < n);
	if (err)
		goto free;

	f.data = octets;
	f.len = (uint32_t)size;
	wanted = vnet_netf_match(&netf, &f);
	if (size < VNET_ETH_HEADER_LEN)
		CHECK(!wanted);
	else if (netf.is_bpf)
		CHECK(wanted == match_bpf(words, n, &f));
	else
		CHECK(wanted == netf_model_match(words, n, octets, size));
free:
	free(octets);
	free(words);
	return 0;
}
