/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver that tells the tests what the switch does has itself to be one.
 * What it carries changes nothing, so it is run with nothing, where the switch
 * has the most to do.
 */
#include <errno.h>

#include "conformance.h"

/* More than any check sends between two reads, of any length but a packet's. */
#define NKEPT 2048

struct kept {
	struct vnet_frame frame;
	uint8_t octets[2048];
};

struct medium {
	struct fake fake;
	struct kept *kept;
	size_t n;
};

static void
keep(struct fake *fake, const struct vnet_frame *f)
{
	struct medium *m = fake->ctx;
	struct kept *k = &m->kept[m->n++];

	assert_true(m->n <= NKEPT);
	assert_true(f->len <= sizeof(k->octets));
	k->frame = *f;
	k->frame.data = k->octets;
	memcpy(k->octets, f->data, f->len);
}

static int
open_fake(void *ctx, struct vnet_switch *sw, vnet_port_id port,
	  vnet_client_id *id)
{
	struct medium *m = ctx;
	int r = fake_attach(&m->fake, sw, port, 0, 0);

	if (r)
		return r;
	m->kept = calloc(NKEPT, sizeof(*m->kept));
	m->fake.on_take = keep;
	m->fake.ctx = m;
	*id = m->fake.id;
	return 0;
}

static bool
now_gone(void *ctx)
{
	struct medium *m = ctx;

	free(m->kept);
	return m->fake.nclosed == 1;
}

static void
read_kept(void *ctx, conformance_fn fn, void *fn_ctx)
{
	struct medium *m = ctx;

	for (size_t i = 0; i < m->n; i++)
		fn(fn_ctx, &m->kept[i].frame);
	m->n = 0;
}

static void
inject(void *ctx, const struct vnet_frame *f)
{
	const struct medium *m = ctx;

	vnet_switch_input(m->fake.sw, m->fake.id, f, 1, 0);
}

static void
set_full(void *ctx, bool full)
{
	struct medium *m = ctx;

	m->fake.room = full ? 0 : FAKE_ENDLESS;
	if (!full)
		vnet_client_output(m->fake.sw, m->fake.id, SIZE_MAX, 0);
}

static void
set_broken(void *ctx, bool broken)
{
	struct medium *m = ctx;

	m->fake.error = broken ? -EIO : 0;
}

int
main(void)
{
	static const struct conformance fake = {
		.name = "fake",
		.size = sizeof(struct medium),
		.open = open_fake,
		.now_gone = now_gone,
		.read = read_kept,
		.inject = inject,
		.set_full = set_full,
		.set_broken = set_broken,
	};

	return conformance_run(&fake);
}
