/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <vnet/client.h>
#include <vnet/grant.h>
#include <vnet/limit.h>
#include <vnet/port.h>
#include <vnet/tap.h>

#include "keys.h"

const char *const port_types[] = {"tap", "uplink", "stream", "attach", NULL};
static const char *const roles[] = {"vif", "uplink", NULL};
static const char *const vif_role[] = {"vif", NULL};
static const char *const sides[] = {"in", "out", NULL};
static const char *const client_sides[] = {"receive_in", "receive_out", NULL};
static const char *const accepts[] = {"all", "own", NULL};
static const char *const address_modes[] = {"shared", "per-client", NULL};
static const char *const verdicts[] = {"pass", "drop", NULL};
static const char *const traffics[] = {"all", "broadcast", "multicast",
				       "unknown", NULL};
static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const offloads[] = {"csum", "tso4", "tso6", "uso", NULL};
static const char *const tap_modes[] = {"any", "create", "attach", NULL};
static const char *const stream_modes[] = {"listen", "connect", NULL};
/* In the order of VNET_MAY_*. */
static const char *const grant_may[] = {"broadcast", "multicast", "dhcp",
					"route",     "vrrp",      "tunnel",
					"llc",       NULL};
static const char *const all_modes[] = {"any",    "create",  "attach",
					"listen", "connect", NULL};

static const struct key address = {
	.type = TEXT,
	.ports = ANY,
	.form = form_address,
};
static const struct key offload = {
	.type = CHOICE,
	.ports = ANY,
	.choices = offloads,
};
static const struct key reserved = {.type = NUMBER, .ports = ANY, .max = 15};
static const struct key mac_prefix = {
	.type = TEXT,
	.ports = ANY,
	.form = form_mac_prefix,
};
static const struct key ipv4_prefix = {
	.type = TEXT,
	.ports = ANY,
	.form = form_ipv4_prefix,
};
static const struct key ipv6_prefix = {
	.type = TEXT,
	.ports = ANY,
	.form = form_ipv6_prefix,
};
static const struct key multicast = {
	.type = TEXT,
	.ports = ANY,
	.form = form_multicast,
};
static const struct key vlans = {
	.type = TEXT,
	.ports = ANY,
	.form = form_vlans,
	.is_number = true,
};
static const struct key ethertype = {
	.type = NUMBER,
	.ports = ANY,
	.min = 0x0600,
	.max = UINT16_MAX,
};
static const struct key may = {
	.type = CHOICE,
	.ports = ANY,
	.choices = grant_may,
};

const struct key filter_keys[] = {
	{"name", TEXT, ANY, .form = form_name, .is_required = true},
	{"side", CHOICE, ANY, .choices = sides, .is_required = true},
	{"priority", NUMBER, ANY, .min = 0, .max = UINT32_MAX,
	 .is_optional = true},
	{"verdict", CHOICE, ANY, .choices = verdicts, .is_required = true},
	{"expr", EXPRESSION, ANY, .is_optional = true, .text = ""},
	{.name = NULL},
};

const struct key client_filter_keys[] = {
	{"name", TEXT, ANY, .form = form_name, .is_required = true},
	{"side", CHOICE, ANY, .choices = client_sides, .is_required = true},
	{"priority", NUMBER, ANY, .min = 0, .max = UINT32_MAX,
	 .is_optional = true},
	{"verdict", CHOICE, ANY, .choices = verdicts, .is_required = true},
	{"expr", EXPRESSION, ANY, .is_optional = true, .text = ""},
	{.name = NULL},
};

const struct key limit_keys[] = {
	{"side", CHOICE, ANY, .choices = sides, .is_required = true},
	{"traffic", CHOICE, ANY, .choices = traffics, .is_optional = true,
	 .text = "all"},
	{"frames_per_s", NUMBER, ANY, .min = 1, .max = VNET_LIMIT_RATE_MAX},
	{"octets_per_s", NUMBER, ANY, .min = 1, .max = VNET_LIMIT_RATE_MAX},
	{"burst_frames", NUMBER, ANY, .min = 1, .max = VNET_LIMIT_BURST_MAX},
	{"burst_octets", NUMBER, ANY, .min = 1, .max = VNET_LIMIT_BURST_MAX},
	{.name = NULL},
};

/* Rates and bursts are as in a limit. */
static const struct key rate_keys[] = {
	{"frames_per_s", NUMBER, ANY, .min = 1, .max = VNET_LIMIT_RATE_MAX},
	{"octets_per_s", NUMBER, ANY, .min = 1, .max = VNET_LIMIT_RATE_MAX},
	{"burst_frames", NUMBER, ANY, .min = 1, .max = VNET_LIMIT_BURST_MAX},
	{"burst_octets", NUMBER, ANY, .min = 1, .max = VNET_LIMIT_BURST_MAX},
	{.name = NULL},
};

/* What is not said of a rate, a queue and a time is the parent's. */
const struct key grant_keys[] = {
	{"parent", TEXT, ANY, .form = form_grant},
	{"mac", SCALARS, ANY, .max = VNET_GRANT_MAX_LIST, .of = &mac_prefix,
	 .is_required = true},
	{"vlan", SCALARS, ANY, .max = VNET_GRANT_MAX_LIST, .of = &vlans,
	 .is_optional = true},
	{"ethertype", SCALARS, ANY, .max = VNET_GRANT_MAX_LIST,
	 .of = &ethertype, .is_optional = true},
	{"ipv4", SCALARS, ANY, .max = VNET_GRANT_MAX_LIST, .of = &ipv4_prefix,
	 .is_optional = true},
	{"ipv6", SCALARS, ANY, .max = VNET_GRANT_MAX_LIST, .of = &ipv6_prefix,
	 .is_optional = true},
	{"group", SCALARS, ANY, .max = VNET_GRANT_MAX_LIST, .of = &multicast,
	 .is_optional = true},
	{"may", SCALARS, ANY, .max = 7, .of = &may, .is_set = true,
	 .is_optional = true},
	{"max_addresses", NUMBER, ANY, .min = 1, .max = 1 << 24},
	{"max_clients", NUMBER, ANY, .min = 1, .max = 65536,
	 .is_optional = true, .number = 1},
	{"queue", NUMBER, ANY, .min = VNET_POOL_BLOCK, .max = 1 << 30},
	{"depth", NUMBER, ANY, .min = 0, .max = VNET_GRANT_MAX_DEPTH - 1,
	 .is_optional = true},
	{"until", TEXT, ANY, .form = form_time},
	{"rate", GROUP, ANY, .of = rate_keys},
	{.name = NULL},
};

/* What a row does not say, the port does. */
const struct key allow_keys[] = {
	{"user", TEXT, ANY, .form = form_user, .is_number = true},
	{"group", TEXT, ANY, .form = form_group, .is_number = true},
	{"max_clients", NUMBER, ANY, .min = 1, .max = 65536},
	{"queue_octets", NUMBER, ANY, .min = VNET_POOL_BLOCK, .max = 1 << 30},
	{"weight", NUMBER, ANY, .min = 1, .max = 1024},
	{"max_addresses", NUMBER, ANY, .min = 1, .max = 1 << 24},
	{"accept", CHOICE, ANY, .choices = accepts, .is_optional = true,
	 .text = "all"},
	{"receive_out", BOOL, ANY, .is_optional = true},
	{"limits", GROUPS, ANY, .max = 8, .kind = SCHEMA_LIMIT,
	 .is_optional = true},
	{"grant", TEXT, ANY, .form = form_grant},
	{.name = NULL},
};

/* What can be changed of a session while it lasts. */
const struct key client_keys[] = {
	{"queue_octets", NUMBER, ANY, .min = VNET_POOL_BLOCK, .max = 1 << 30},
	{"weight", NUMBER, ANY, .min = 1, .max = 1024},
	{"max_addresses", NUMBER, ANY, .min = 0, .max = 1 << 24},
	{"accept", CHOICE, ANY, .choices = accepts},
	{"default_receive_in", CHOICE, ANY, .choices = verdicts},
	{"default_receive_out", CHOICE, ANY, .choices = verdicts},
	{.name = NULL},
};

const struct key port_keys[] = {
	{"name", TEXT, ANY, .form = form_name},
	{"type", CHOICE, ANY, .choices = port_types},
	{"role", CHOICE, TAP | STREAM | UNKNOWN, .choices = roles,
	 .is_optional = true, .text = "vif"},
	{"role", CHOICE, UPLINK, .choices = roles, .is_optional = true,
	 .text = "uplink"},
	{"role", CHOICE, ATTACH, .choices = vif_role, .is_optional = true,
	 .text = "vif"},
	{"interface", TEXT, TAP | UPLINK | UNKNOWN, .form = form_interface},
	{"netns", TEXT, TAP | UPLINK | UNKNOWN, .form = form_netns,
	 .is_number = true},
	{"path", TEXT, UPLINK | STREAM | ATTACH | UNKNOWN,
	 .form = form_socket_path},
	{"vif", TEXT, UPLINK | UNKNOWN, .form = form_name},
	{"mode", CHOICE, TAP, .choices = tap_modes, .is_optional = true,
	 .text = "any"},
	{"mode", CHOICE, STREAM, .choices = stream_modes, .is_optional = true,
	 .text = "listen"},
	{"mode", CHOICE, UNKNOWN, .choices = all_modes},
	{"mac", TEXT, TAP | ATTACH | UNKNOWN, .form = form_mac},
	{"mtu", NUMBER, TAP, .min = VNET_MTU_MIN, .max = VNET_TAP_MTU_MAX},
	{"mtu", NUMBER, UPLINK | STREAM | ATTACH | UNKNOWN, .min = VNET_MTU_MIN,
	 .max = VNET_MTU_MAX},
	{"addresses", SCALARS, TAP | UNKNOWN, .max = 256, .of = &address,
	 .is_optional = true},
	{"addresses", CHOICE, ATTACH, .choices = address_modes,
	 .is_optional = true, .text = "shared"},
	{"up", BOOL, .ports = TAP | UNKNOWN},
	{"persist", BOOL, TAP | UNKNOWN, .is_optional = true},
	{"owner", TEXT, TAP | UNKNOWN, .form = form_user, .is_number = true},
	{"own_only", BOOL, UPLINK | UNKNOWN, .is_optional = true},
	{"without", SCALARS, TAP | UPLINK | UNKNOWN, .max = 4, .of = &offload,
	 .is_set = true, .is_optional = true},
	{"siblings", BOOL, ATTACH | UNKNOWN, .is_optional = true, .number = 1},
	{"max_clients", NUMBER, ATTACH | UNKNOWN, .min = 1, .max = 65536,
	 .is_optional = true, .number = 16},
	/* An empty list lets nobody in, none whoever runs the switch. */
	{"allow", GROUPS, ATTACH | UNKNOWN, .max = 1024, .kind = SCHEMA_ALLOW},
	{"queue_octets", NUMBER, ANY, .min = VNET_POOL_BLOCK, .max = 1 << 30},
	{"weight", NUMBER, ANY, .min = 1, .max = 1024, .is_optional = true,
	 .number = 1},
	{"max_addresses", NUMBER, ANY, .min = 1, .max = 1 << 24},
	{"grant", TEXT, TAP | STREAM | ATTACH | UNKNOWN, .form = form_grant},
	{"sticky", BOOL, ANY, .is_optional = true},
	{"loop_guard", BOOL, ANY, .is_optional = true},
	{"default_in", CHOICE, ANY, .choices = verdicts, .is_optional = true,
	 .text = "pass"},
	{"default_out", CHOICE, ANY, .choices = verdicts, .is_optional = true,
	 .text = "pass"},
	{"limits", GROUPS, ANY, .max = 8, .kind = SCHEMA_LIMIT,
	 .is_optional = true},
	{"filters", GROUPS, ANY, .max = 1 << 20, .kind = SCHEMA_FILTER,
	 .is_optional = true},
	{.name = NULL},
};

const struct key fdb_keys[] = {
	{"mac", TEXT, ANY, .form = form_mac, .is_required = true},
	{"port", TEXT, ANY, .form = form_name, .is_required = true},
	{.name = NULL},
};

/* Bounds and defaults are those of struct vnet_switch_config. That of
 * pool_octets depends on max_clients, and so is not one here. */
const struct key switch_keys[] = {
	{"max_ports", NUMBER, ANY, .min = 1, .max = 65536, .is_optional = true,
	 .number = 64},
	{"max_clients", NUMBER, ANY, .min = 0, .max = 65536,
	 .is_optional = true},
	{"fdb_entries", NUMBER, ANY, .min = 1, .max = 1 << 24,
	 .is_optional = true, .number = 8192},
	{"ageing_s", NUMBER, ANY, .min = 1, .max = 1000000, .is_optional = true,
	 .number = 300},
	{"pool_octets", NUMBER, ANY, .min = UINT64_C(64) * VNET_POOL_BLOCK,
	 .max = 1 << 30},
	{"queue_octets", NUMBER, ANY, .min = 65536, .max = 1 << 30,
	 .is_optional = true, .number = 256 << 10},
	{"max_rules", NUMBER, ANY, .min = 1, .max = 1 << 20,
	 .is_optional = true, .number = 1024},
	{"max_insns", NUMBER, ANY, .min = 1, .max = 1 << 24,
	 .is_optional = true, .number = 262144},
	{"max_grants", NUMBER, ANY, .min = 0, .max = 65535,
	 .is_optional = true},
	{"forward_reserved", SCALARS, ANY, .max = 16, .of = &reserved,
	 .is_set = true, .is_optional = true},
	{"uplink_transit", BOOL, ANY, .is_optional = true},
	{"flap_moves", NUMBER, ANY, .min = 2, .max = 255, .is_optional = true,
	 .number = 16},
	{"loop_probe_s", NUMBER, ANY, .min = 1, .max = 3600,
	 .is_optional = true, .number = 2},
	{.name = NULL},
};

const struct key config_keys[] = {
	{"socket", TEXT, ANY, .form = form_socket_path},
	{"log", CHOICE, ANY, .choices = levels, .is_optional = true,
	 .text = "info"},
	{"cpu", NUMBER, ANY, .min = 0, .max = 65535},
	{"switch", GROUP, ANY, .of = switch_keys, .is_optional = true},
	{"grants", NAMED, ANY, .max = 65535, .kind = SCHEMA_GRANT,
	 .form = form_grant, .is_optional = true},
	{"ports", GROUPS, ANY, .max = 65536, .kind = SCHEMA_PORT,
	 .is_optional = true},
	{"fdb", GROUPS, ANY, .max = 1 << 24, .kind = SCHEMA_FDB,
	 .is_optional = true},
	{.name = NULL},
};

const struct key *
key_find(const struct key *keys, const char *name, unsigned int ports)
{
	for (; keys->name; keys++)
		if (keys->ports & ports && !strcmp(keys->name, name))
			return keys;
	return NULL;
}

size_t
key_choice(const char *const *choices, const char *text)
{
	size_t i = 0;

	while (choices[i] && strcmp(choices[i], text) != 0)
		i++;
	return i;
}

bool
key_is_default(const struct key *key, const json_t *value)
{
	if (!key->is_optional)
		return false;
	switch (key->type) {
	case NUMBER:
		return (uint64_t)json_integer_value(value) == key->number;
	case BOOL:
		return json_is_true(value) == (key->number != 0);
	case CHOICE:
	case TEXT:
	case EXPRESSION:
		return !strcmp(json_string_value(value), key->text);
	case SCALARS:
	case GROUPS:
		return json_array_size(value) == 0;
	case GROUP:
	case NAMED:
		return json_object_size(value) == 0;
	}
	return false;
}

/* Letters to put in, to leave out, to replace or to swap with the next to make
 * one of the other; SIZE_MAX if one is longer than any key. */
static size_t
distance(const char *a, const char *b)
{
	enum { MAX = 24 };
	const size_t na = strlen(a), nb = strlen(b);
	size_t d[MAX + 1][MAX + 1];

	if (na > MAX || nb > MAX)
		return SIZE_MAX;
	for (size_t i = 0; i <= na; i++)
		for (size_t j = 0; j <= nb; j++) {
			size_t least = i + j; /* along an edge */

			if (i && j) {
				least = d[i - 1][j - 1] +
					(a[i - 1] != b[j - 1]);
				if (d[i - 1][j] + 1 < least)
					least = d[i - 1][j] + 1;
				if (d[i][j - 1] + 1 < least)
					least = d[i][j - 1] + 1;
			}
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < least)
				least = d[i - 2][j - 2] + 1;
			d[i][j] = least;
		}
	return d[na][nb];
}

const struct key *
key_guess(const struct key *keys, const char *name)
{
	const struct key *best = NULL;
	size_t least = SIZE_MAX;

	for (; keys->name; keys++) {
		const size_t d = distance(keys->name, name);

		if (d <= 1 + strlen(keys->name) / 4 && d < least) {
			best = keys;
			least = d;
		}
	}
	return best;
}
