/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "options.h"
#include "socket_path.h"

#define DEFAULT_SECONDS 30
#define DEFAULT_PINGS   3
#define DEFAULT_OCTETS  1000000

static const char usage[] =
	"usage: lwip-host [OPTION]... ADDRESS/LEN... [TASK]\n"
	"\n"
	"A host, of lwIP's making, at a vif of a running vnet-switch. It "
	"answers\n"
	"pings, and sends back what it is sent at port 7 of TCP.\n"
	"\n"
	"ADDRESS/LEN is an IPv4 address, or an IPv6 address of a network of "
	"64\n"
	"bits; TASK is what it does then:\n"
	"\n"
	"  (none)                  serve, until SIGTERM\n"
	"  ping ADDRESS [COUNT]    is somebody there? (3 times)\n"
	"  tcp ADDRESS [OCTETS]    send octets to port 7 (1000000), and "
	"compare\n"
	"                          what comes back\n"
	"\n"
	"  -s SOCKET   of the switch; without, \".attach\" behind the path of "
	"its\n"
	"              control socket\n"
	"  -v VIF      the port there, if it is for several\n"
	"  -g ADDRESS  the IPv4 gateway; those of IPv6 are heard of\n"
	"  -4          no IPv6\n"
	"  -w SECONDS  the most that a task may take (30)\n"
	"  -h          this\n"
	"\n"
	"Prints \"ready\" and its addresses as soon as it may use them.\n";

static bool __attribute__((format(printf, 1, 2)))
complain_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "lwip-host: ");
	(void)vfprintf(stderr, format, args);
	fprintf(stderr, "; -h helps\n");
	va_end(args);
	return false;
}

static bool
parse_number(unsigned long *number, const char *text, unsigned long max,
	     const char *what)
{
	char *end;

	errno = 0;
	*number = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || *number < 1 ||
	    *number > max)
		return complain_usage("%s: found %s, expected 1 to %lu", what,
				      text, max);
	return true;
}

static bool
set_ip4(struct options *o, const ip_addr_t *address, unsigned long len,
	const char *text)
{
	if (!ip4_addr_isany_val(o->ip4))
		return complain_usage("%s: more than one IPv4 address", text);
	if (ip4_addr_isany(ip_2_ip4(address)) ||
	    ip4_addr_ismulticast(ip_2_ip4(address)))
		return complain_usage("%s: not the address of a host", text);
	o->ip4 = *ip_2_ip4(address);
	o->mask.addr = lwip_htonl(UINT32_MAX << (32 - len));
	return true;
}

static bool
add_ip6(struct options *o, const ip_addr_t *address, unsigned long len,
	const char *text)
{
	if (len != 64)
		return complain_usage("%s: lwIP knows IPv6 networks of 64 bits "
				      "alone",
				      text);
	if (o->nip6 == OPTIONS_MAX_IP6)
		return complain_usage("%s: more than %d IPv6 addresses", text,
				      OPTIONS_MAX_IP6);
	if (ip6_addr_isany(ip_2_ip6(address)) ||
	    ip6_addr_ismulticast(ip_2_ip6(address)) ||
	    ip6_addr_islinklocal(ip_2_ip6(address)))
		return complain_usage(
			"%s: not an address to be given to a host", text);
	o->ip6[o->nip6++] = *ip_2_ip6(address);
	return true;
}

static bool
add_address(struct options *o, const char *text)
{
	const char *slash = strchr(text, '/');
	char address[IPADDR_STRLEN_MAX];
	unsigned long len;
	ip_addr_t ip;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return complain_usage("%s: expected ADDRESS/LEN, or a task",
				      text);
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!address_parse(&ip, address))
		return complain_usage("%s: no address", text);
	if (!parse_number(&len, slash + 1, IP_IS_V6(&ip) ? 128 : 32, text))
		return false;
	return IP_IS_V6(&ip) ? add_ip6(o, &ip, len, text)
			     : set_ip4(o, &ip, len, text);
}

static bool
set_gateway(struct options *o, const char *text)
{
	ip_addr_t ip;

	if (!address_parse(&ip, text) || IP_IS_V6(&ip))
		return complain_usage("-g %s: no IPv4 address", text);
	o->gateway = *ip_2_ip4(&ip);
	return true;
}

static bool
set_option(struct options *o, int option, const char *value)
{
	unsigned long number;

	switch (option) {
	case 's':
		if (strlen(value) >= sizeof(o->socket))
			return complain_usage("-s %s: too long", value);
		(void)snprintf(o->socket, sizeof(o->socket), "%s", value);
		return true;
	case 'v':
		o->vif = value;
		return true;
	case 'g':
		return set_gateway(o, value);
	case '4':
		o->no_ip6 = true;
		return true;
	case 'w':
		if (!parse_number(&number, value, 86400, "-w"))
			return false;
		o->seconds = (unsigned int)number;
		return true;
	default:
		return complain_usage("that option is unknown, or lacks its "
				      "value");
	}
}

static bool
set_task(struct options *o, int nargs, char **args)
{
	if (nargs == 0)
		return true;
	if (strcmp(args[0], "ping") == 0) {
		o->task = PING;
		o->number = DEFAULT_PINGS;
	} else {
		o->task = TRANSFER;
		o->number = DEFAULT_OCTETS;
	}
	if (nargs < 2 || nargs > 3)
		return complain_usage("%s: expected an address%s", args[0],
				      nargs < 2 ? "" : ", and a number");
	if (!address_parse(&o->to, args[1]))
		return complain_usage("%s %s: no address", args[0], args[1]);
	return nargs < 3 ||
	       parse_number(&o->number, args[2], UINT32_MAX, args[0]);
}

static bool
is_task(const char *text)
{
	return strcmp(text, "ping") == 0 || strcmp(text, "tcp") == 0;
}

/* What fits not together. */
static bool
check(const struct options *o)
{
	if (ip4_addr_isany_val(o->ip4) && !o->nip6)
		return complain_usage("no ADDRESS/LEN");
	if (o->no_ip6 && (o->nip6 || IP_IS_V6(&o->to)))
		return complain_usage("-4, and an IPv6 address");
	if (!ip4_addr_isany_val(o->gateway) &&
	    !ip4_addr_netcmp(&o->gateway, &o->ip4, &o->mask))
		return complain_usage("-g: not in the network of the host's "
				      "own address");
	return true;
}

static bool
find_socket(struct options *o)
{
	static const char suffix[] = ".attach";
	struct complaint c;

	if (*o->socket)
		return true;
	socket_path(o->socket, sizeof(o->socket) - sizeof(suffix));
	if (socket_path_check(o->socket, false, &c)) {
		fprintf(stderr, "lwip-host: %s\n", c.text);
		return false;
	}
	memcpy(o->socket + strlen(o->socket), suffix, sizeof(suffix));
	return true;
}

bool
options_parse(struct options *o, int argc, char **argv, int *status)
{
	int option;

	*o = (struct options){.seconds = DEFAULT_SECONDS};
	*status = 2;
	opterr = 0;
	while ((option = getopt(argc, argv, "+s:v:g:4w:h")) != -1) {
		if (option == 'h') {
			(void)fputs(usage, stdout);
			*status = 0;
			return false;
		}
		if (!set_option(o, option, optarg))
			return false;
	}
	for (; optind < argc && !is_task(argv[optind]); optind++)
		if (!add_address(o, argv[optind]))
			return false;
	if (!set_task(o, argc - optind, argv + optind) || !check(o))
		return false;
	*status = 1;
	return find_socket(o);
}
