/* SPDX-License-Identifier: BSD-2-Clause */
/* Is somebody there? Echo requests of ICMP (RFC 792) and ICMPv6 (RFC 4443). */
#ifndef PING_H
#define PING_H

#include <stdbool.h>

#include <lwip/ip_addr.h>

/* Send @count requests, one after the other, and wait a second at most for each
 * answer. Prints how many were answered. Return: were all? */
bool ping(const ip_addr_t *to, unsigned long count);

#endif
