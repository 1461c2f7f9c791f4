/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock of the clock, for a copy of the whole task.
 */
#ifndef BARE_CLOCK_H
#define BARE_CLOCK_H

void bare_clock_lock(void);
void bare_clock_unlock(void);

#endif
