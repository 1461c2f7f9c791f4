/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock of the allocator, for a copy of the whole task.
 */
#ifndef BARE_MEMORY_H
#define BARE_MEMORY_H

void bare_memory_lock(void);
void bare_memory_unlock(void);

#endif
