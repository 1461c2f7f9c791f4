/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types that every other header of libvnet uses: ids, addresses, time, the
 * allocator, and why something was refused.
 */
#ifndef VNET_TYPES_H
#define VNET_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define VNET_BEGIN_DECLS extern "C" {
#define VNET_END_DECLS   }
#else
#define VNET_BEGIN_DECLS
#define VNET_END_DECLS
#endif

/* Marks what the shared library exports; all else is hidden. */
#if defined(__GNUC__)
#define VNET_API __attribute__((visibility("default")))
#else
#define VNET_API
#endif

VNET_BEGIN_DECLS

/*
 * Structs that will grow begin with their size: set it to sizeof the struct. A
 * library takes the sizes of its own version alone as long as its SONAME is 0.
 */

/*
 * Ids: slot in the low 32 bits, generation in the high 32. An id that has gone
 * is never another port or client, and the id of a port is never that of a
 * client. 0 is no id.
 */
typedef uint64_t vnet_port_id;
typedef uint64_t vnet_client_id;

#define VNET_NO_ID ((uint64_t)0)

/* Nanoseconds of a monotonic clock of any origin: the caller's. */
typedef uint64_t vnet_nsec;

#define VNET_NSEC_PER_SEC ((vnet_nsec)1000000000)

/* A time that does not come: vnet_switch_deadline() when nothing is due. */
#define VNET_NEVER UINT64_MAX

/* A MAC address in transmission order (IEEE 802, 48 bits). */
struct vnet_mac {
	uint8_t octet[6];
};

/**
 * struct vnet_alloc - where a switch takes its memory from
 * @get:	@size octets aligned to @align (a power of two), not zeroed;
 *		NULL if there is none
 * @put:	give back what @get returned, with the same @size
 * @ctx:	handed to both
 *
 * Called only by functions that create, add or remove; never by the data path.
 * Must outlive the switch, and must not call it.
 */
struct vnet_alloc {
	void *(*get)(void *ctx, size_t size, size_t align);
	void (*put)(void *ctx, void *p, size_t size);
	void *ctx;
};

/**
 * struct vnet_why - what was wrong with something that was refused
 * @text:	what is wrong, without a full stop; static, never to be freed
 * @index:	which element, counted from 0: an instruction of a program, a
 *		field of a configuration; 0 where there is only one
 * @found:	the value found
 * @bound:	the bound that it broke, as @text says: the most, the least, or
 *		what it should have been; 0 where there is none
 *
 * Filled by functions that take one whenever they fail, and only then. A caller
 * that does not care passes NULL.
 */
struct vnet_why {
	const char *text;
	size_t index;
	uint64_t found;
	uint64_t bound;
};

VNET_END_DECLS

#endif
