/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What vnet_switch_explain() says of a frame is what then becomes of it: asked
 * before the frame is given, and compared with every counter that it touches
 * after.
 */
#ifndef VNET_TEST_EXPLAINED_H
#define VNET_TEST_EXPLAINED_H

#include <vnet/explain.h>

#include "tape.h"

struct explained;

/* Say all that was explained. */
void explained_say(struct tape *t, const struct vnet_explained *e);

/* Ask what would become of @f. It is then given to @sw, from @from at @now, as
 * the only frame of a batch, with nothing between. */
struct explained *explained_ask(struct tape *t, struct vnet_switch *sw,
				vnet_client_id from, const struct vnet_frame *f,
				vnet_nsec now);

/* It was given: see that this came of it. Frees @x, which may be NULL. */
void explained_check(struct explained *x);

#endif
