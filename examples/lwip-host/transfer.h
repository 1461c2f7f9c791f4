/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of the echo server: what is sent must come back. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>

#include <lwip/ip_addr.h>

/* Send @octets over TCP, and compare. Prints what has come of it. Return: have
 * they come back as they were, and nothing else? */
bool transfer(const ip_addr_t *to, unsigned long octets);

#endif
