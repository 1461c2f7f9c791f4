/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <string.h>

#include "address.h"

bool
address_parse(ip_addr_t *address, const char *text)
{
	struct in_addr in4;
	struct in6_addr in6;

	ip_addr_set_zero(address);
	if (inet_pton(AF_INET, text, &in4) == 1) {
		IP_SET_TYPE(address, IPADDR_TYPE_V4);
		memcpy(&ip_2_ip4(address)->addr, &in4, sizeof(in4));
		return true;
	}
	if (inet_pton(AF_INET6, text, &in6) == 1) {
		IP_SET_TYPE(address, IPADDR_TYPE_V6);
		memcpy(ip_2_ip6(address)->addr, &in6, sizeof(in6));
		return true;
	}
	return false;
}

const char *
address_text(const ip_addr_t *address, char text[IPADDR_STRLEN_MAX])
{
	const void *octets = IP_IS_V6(address)
				     ? (const void *)ip_2_ip6(address)->addr
				     : &ip_2_ip4(address)->addr;

	(void)inet_ntop(IP_IS_V6(address) ? AF_INET6 : AF_INET, octets, text,
			IPADDR_STRLEN_MAX);
	return text;
}
