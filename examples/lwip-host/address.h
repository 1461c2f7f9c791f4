/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses as text, in the forms that everybody else has, too: lwIP reads 10.1
 * for 10.0.0.1, and writes FE80::1. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>

#include <lwip/ip_addr.h>

/* False if it is neither IPv4 nor IPv6. */
bool address_parse(ip_addr_t *address, const char *text);

/* Return: @text. */
const char *address_text(const ip_addr_t *address,
			 char text[IPADDR_STRLEN_MAX]);

#endif
