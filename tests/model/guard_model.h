/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What src/core/guard.h says of a guard, done as plainly as it can be: lists
 * are walked, nothing is compiled, and nothing of the core is used. It is what
 * the compiled guard is compared with.
 */
#ifndef VNET_TEST_GUARD_MODEL_H
#define VNET_TEST_GUARD_MODEL_H

#include <stdbool.h>

#include <vnet/frame.h>
#include <vnet/grant.h>

/* The part that @f does not fit, or VNET_GRANT_PASS. It may have tags out of
 * band, and any number of octets. */
enum vnet_grant_part model_guard(const struct vnet_grant *g,
				 enum vnet_side side,
				 const struct vnet_frame *f);

/*
 * Is @part what a guard may return? It is model_guard()'s; but of a frame that
 * ends too early a program may also see first, before it looks for what is not
 * there, that the rest is not granted.
 */
bool model_guard_accepts(const struct vnet_grant *g, enum vnet_side side,
			 const struct vnet_frame *f, enum vnet_grant_part part);

#endif
