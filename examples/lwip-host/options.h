/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <sys/un.h>

#include <lwip/ip_addr.h>
#include <lwip/opt.h>

/* The rest is for what lwIP makes by itself: the link-local address, and those
 * in the networks of routers. */
#define OPTIONS_MAX_IP6 (LWIP_IPV6_NUM_ADDRESSES / 2)

enum task {
	SERVE,
	PING,
	TRANSFER,
};

/**
 * struct options
 * @socket:	of the switch
 * @vif:	NULL for the only one there
 * @ip4, @mask, @gateway: zero where there is none
 * @ip6:	@nip6 addresses in networks of 64 bits
 * @no_ip6:	no IPv6 at all
 * @seconds:	the most that PING and TRANSFER may take
 * @to, @number: of PING and TRANSFER: with whom, and how many requests or octets
 */
struct options {
	char socket[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const char *vif;
	ip4_addr_t ip4;
	ip4_addr_t mask;
	ip4_addr_t gateway;
	ip6_addr_t ip6[OPTIONS_MAX_IP6];
	unsigned int nip6;
	bool no_ip6;
	unsigned int seconds;
	enum task task;
	ip_addr_t to;
	unsigned long number;
};

/* Return: is there something to run? If not, *status is to be the program's;
 * what is wrong has been said on stderr. */
bool options_parse(struct options *o, int argc, char **argv, int *status);

#endif
