/* SPDX-License-Identifier: BSD-2-Clause */
/* Closes many media at once. */
#ifndef CLOSER_H
#define CLOSER_H

#include <stddef.h>

#include <vnet/medium.h>

/* Close @n media that are detached; takes all of them, not @media itself. */
void closer_run(struct vnet_medium **media, size_t n);

#endif
