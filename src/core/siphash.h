/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF",
 * INDOCRYPT 2012): without the key nobody can tell what it gives.
 */
#ifndef VNET_SIPHASH_H
#define VNET_SIPHASH_H

#include "core.h"

/* Of the @len octets at @p. The 16 octets of the paper's key are two numbers,
 * little-endian. */
uint64_t vnet_siphash(const uint64_t key[2], const uint8_t *p, size_t len);

#endif
