/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arguments of vnet-mach (vnet-mach(8)). Reading them needs no kernel.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <vnet/filter.h>
#include <vnet/limit.h>
#include <vnet/mach_grant.h>
#include <vnet/port.h>

#define OPTIONS_MAX_PORTS      64
#define OPTIONS_MAX_NAMES      128
#define OPTIONS_MAX_RULES      128
#define OPTIONS_MAX_LIMITS     128
#define OPTIONS_MAX_INSNS      4096
#define OPTIONS_MAX_GRANTS     32
#define OPTIONS_MAX_PRINCIPALS 32

/* The largest MTU: VNET_MACH_MTU_MAX. */
#define OPTIONS_MAX_MTU 4087

enum options_kind {
	OPTIONS_VIF,
	OPTIONS_PREFIX, /* vifs that are made when they are opened */
	OPTIONS_UPLINK,
};

/**
 * struct options_port - a port to make, or how ports are to be made
 * @name:	of the port; how names begin, of OPTIONS_PREFIX; NULL for one that
 *		is to be found, of OPTIONS_UPLINK
 * @device:	of OPTIONS_UPLINK: what is opened
 * @mac:	all zero to have one made
 * @mtu:	0 for what is usual
 * @flags:	VNET_PORT_*
 * @max_opens:	0 for what is usual
 * @may_create:	of OPTIONS_PREFIX
 * @default_verdict: of VNET_INGRESS and VNET_EGRESS
 * @grant, @principal: of a vif, or of those of a prefix; NULL for none
 */
struct options_port {
	enum options_kind kind;
	const char *name;
	const char *device;
	struct vnet_mac mac;
	uint32_t mtu;
	uint32_t flags;
	uint32_t max_opens;
	uint32_t may_create;
	bool may_promisc;
	bool may_set_address;
	bool no_promisc;
	bool shared;
	bool may_share;
	enum vnet_verdict default_verdict[2];
	const char *grant;
	const char *principal;
};

/* A grant to make. @parent: NULL for none. */
struct options_grant {
	struct vnet_grant_form form;
	char parent[VNET_GRANT_NAME_SIZE];
};

#define OPTIONS_NAME_SIZE 32

/**
 * struct options_principal - somebody who opens some vifs, and nothing else
 * @task:	who gets the right to do that, under the name @right, and is
 *		started then
 * @max_opens:	0 for no bound
 */
struct options_principal {
	char name[OPTIONS_NAME_SIZE];
	uint32_t task;
	uint32_t right;
	uint32_t max_opens;
};

/* A further name under which a vif is opened, in place of its own. */
struct options_name {
	unsigned int port;
	const char *name;
};

struct options_rule {
	unsigned int port;
	enum vnet_side side;
	enum vnet_verdict verdict;
	size_t first; /* of options.insns */
	size_t n;
};

struct options_limit {
	unsigned int port;
	enum vnet_side side;
	enum vnet_traffic traffic;
	struct vnet_limit limit;
};

/**
 * struct options - what the arguments say
 * @host_priv, @device_master, @next_task: names of rights, 0 for none
 * @is_supervised: whoever has started us keeps the master's receive right
 * @forwards:	the master passes on what is not ours
 * @control:	the name of the control device, NULL for none
 * @max_ports, @max_clients, @addresses, @ageing_s, @pool_octets: of the switch,
 *		0 for what is usual
 * @threads:	the most
 * @seed:	of addresses
 */
struct options {
	uint32_t host_priv;
	uint32_t device_master;
	uint32_t next_task;
	bool is_supervised;
	bool forwards;
	const char *control;
	uint32_t max_ports;
	uint32_t max_clients;
	uint32_t addresses;
	uint32_t ageing_s;
	uint32_t pool_octets;
	uint32_t threads;
	uint8_t seed[16];

	struct options_port port[OPTIONS_MAX_PORTS];
	unsigned int nports;
	struct options_name name[OPTIONS_MAX_NAMES];
	unsigned int nnames;
	struct options_rule rule[OPTIONS_MAX_RULES];
	unsigned int nrules;
	struct options_limit limit[OPTIONS_MAX_LIMITS];
	unsigned int nlimits;
	struct vnet_bpf_insn insns[OPTIONS_MAX_INSNS];
	size_t ninsns;
	struct options_grant grant[OPTIONS_MAX_GRANTS];
	unsigned int ngrants;
	struct options_principal principal[OPTIONS_MAX_PRINCIPALS];
	unsigned int nprincipals;
};

/* What is wrong, and with which argument (NULL: with all together). */
struct options_complaint {
	const char *argument;
	const char *text;
};

/* The principal of that name; NULL if there is none, or @name is. */
const struct options_principal *options_principal(const struct options *o,
						  const char *name);

/* Return: false if something is wrong. The strings stay the arguments'. */
bool options_parse(struct options *o, const char *const *argv,
		   struct options_complaint *complaint);

#endif
