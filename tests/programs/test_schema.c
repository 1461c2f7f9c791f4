/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <unistd.h>

#include "program.h"
#include "schema.h"
#include "support.h"

static struct complaint c;

/* With "'" for '"', for texts in C. */
static json_t *
parse(const char *text)
{
	char *json = strdup(text);
	json_error_t error;
	json_t *value;

	assert_non_null(json);
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (!value)
		fail_msg("%s: %s", json, error.text);
	free(json);
	return value;
}

static json_t *
check(enum schema_kind kind, const char *text)
{
	json_t *value = parse(text), *copy = json_deep_copy(value);
	json_t *normal;

	c.text[0] = '\0';
	normal = schema_check(kind, value, NULL, NULL, &c);
	assert_true(json_equal(value, copy));
	json_decref(value);
	json_decref(copy);
	return normal;
}

static void
assert_normal_as(enum schema_kind kind, const char *text, const char *expected)
{
	json_t *normal = check(kind, text), *value = parse(expected), *again;
	char *dump;

	if (!normal)
		fail_msg("%s", c.text);
	dump = json_dumps(normal, 0);
	if (!json_equal(normal, value))
		fail_msg("%s is not %s", dump, expected);
	free(dump);
	again = schema_check(kind, normal, NULL, NULL, &c);
	assert_true(json_equal(normal, again));
	json_decref(again);
	json_decref(normal);
	json_decref(value);
}

static void
assert_normal(enum schema_kind kind, const char *text)
{
	assert_normal_as(kind, text, text);
}

static void
assert_refused(enum schema_kind kind, const char *text, const char *complaint)
{
	assert_null(check(kind, text));
	assert_string_equal(c.text, complaint);
}

static void
assert_port_refused(const char *text, const char *complaint)
{
	assert_refused(SCHEMA_PORT, text, complaint);
}

static void
test_defaults_are_left_out(void **state)
{
	(void)state;
	assert_normal(SCHEMA_CONFIG, "{}");
	assert_normal_as(SCHEMA_CONFIG,
			 "{'log': 'info', 'switch': {'max_ports': 64,"
			 " 'fdb_entries': 8192, 'ageing_s': 300,"
			 " 'queue_octets': 262144, 'max_rules': 1024,"
			 " 'max_insns': 262144, 'forward_reserved': [],"
			 " 'uplink_transit': false, 'max_clients': 0,"
			 " 'flap_moves': 16, 'loop_probe_s': 2},"
			 " 'ports': [], 'fdb': []}",
			 "{}");
	assert_normal_as(SCHEMA_PORT,
			 "{'type': 'tap', 'name': 'a', 'interface': 'a',"
			 " 'role': 'vif', 'mode': 'any', 'addresses': [],"
			 " 'up': true, 'persist': false, 'without': [],"
			 " 'weight': 1, 'default_in': 'pass',"
			 " 'default_out': 'pass', 'filters': [],"
			 " 'sticky': false, 'loop_guard': false}",
			 "{'type': 'tap', 'name': 'a'}");
	assert_normal_as(SCHEMA_PORT,
			 "{'type': 'uplink', 'name': 'a', 'role': 'uplink',"
			 " 'own_only': false}",
			 "{'type': 'uplink', 'name': 'a'}");
	assert_normal_as(SCHEMA_PORT,
			 "{'type': 'stream', 'path': '/a', 'role': 'vif',"
			 " 'mode': 'listen'}",
			 "{'type': 'stream', 'name': 'a', 'path': '/a'}");
	assert_normal_as(SCHEMA_FILTER,
			 "{'name': 'a', 'side': 'in', 'priority': 0,"
			 " 'verdict': 'drop', 'expr': ''}",
			 "{'name': 'a', 'side': 'in', 'verdict': 'drop'}");
}

static void
test_a_limit_has_a_rate_and_each_traffic_one_limit_a_side(void **state)
{
	(void)state;
	assert_normal_as(SCHEMA_LIMIT,
			 "{'side': 'in', 'traffic': 'all', 'frames_per_s': 1}",
			 "{'side': 'in', 'frames_per_s': 1}");
	assert_normal(SCHEMA_LIMIT,
		      "{'side': 'out', 'traffic': 'unknown',"
		      " 'frames_per_s': 1099511627776, 'octets_per_s': 1,"
		      " 'burst_frames': 2147483648, 'burst_octets': 1}");
	assert_normal(SCHEMA_PORT, "{'type': 'tap', 'name': 'a', 'limits': ["
				   "{'side': 'in', 'octets_per_s': 1},"
				   " {'side': 'out', 'octets_per_s': 1},"
				   " {'side': 'in', 'traffic': 'broadcast',"
				   " 'frames_per_s': 1}]}");
	assert_refused(SCHEMA_LIMIT, "{'side': 'in'}",
		       "there is no \"frames_per_s\" and no "
		       "\"octets_per_s\"");
	assert_refused(SCHEMA_LIMIT, "{'frames_per_s': 1}",
		       "there is no \"side\"");
	assert_refused(SCHEMA_LIMIT,
		       "{'side': 'in', 'frames_per_s': 1, 'burst_octets': 1}",
		       "burst_octets: there is no \"octets_per_s\" beside it");
	assert_refused(SCHEMA_LIMIT,
		       "{'side': 'in', 'frames_per_s': 1099511627777}",
		       "frames_per_s: found 1099511627777, expected 1 to "
		       "1099511627776");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'limits': ["
			    "{'side': 'in', 'octets_per_s': 1},"
			    " {'side': 'in', 'traffic': 'all',"
			    " 'frames_per_s': 1}]}",
			    "limits[1].traffic: found \"in all\", which "
			    "limits[0] has as well");
	assert_refused(SCHEMA_PORT_CHANGES, "{'limits': [{'side': 'in'}]}",
		       "limits[0]: there is no \"frames_per_s\" and no "
		       "\"octets_per_s\"");
}

static void
test_a_port_to_attach_at_has_keys_of_its_own(void **state)
{
	(void)state;
	assert_normal_as(SCHEMA_PORT,
			 "{'type': 'attach', 'name': 'a', 'role': 'vif',"
			 " 'addresses': 'shared', 'siblings': true,"
			 " 'max_clients': 16, 'weight': 1}",
			 "{'type': 'attach', 'name': 'a'}");
	assert_normal(SCHEMA_PORT,
		      "{'type': 'attach', 'name': 'a', 'path': '/a',"
		      " 'mac': '02:00:00:00:00:0a', 'mtu': 9000,"
		      " 'addresses': 'per-client', 'siblings': false,"
		      " 'max_clients': 65536, 'max_addresses': 1,"
		      " 'allow': []}");
	assert_port_refused("{'type': 'attach', 'path': '/a'}",
			    "there is no \"name\"");
	assert_port_refused("{'type': 'attach', 'name': 'a', 'role': 'uplink'}",
			    "role: found \"uplink\", expected vif");
	assert_port_refused("{'type': 'attach', 'name': 'a',"
			    " 'addresses': ['10.0.0.1/24']}",
			    "addresses: found a list, expected shared or "
			    "per-client");
	assert_port_refused("{'type': 'attach', 'name': 'a',"
			    " 'max_clients': 0}",
			    "max_clients: found 0, expected 1 to 65536");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'allow': []}",
			    "allow: only a port of type attach has this");
	assert_port_refused("{'type': 'attach', 'name': 'a', 'mode': 'listen'}",
			    "mode: only a port of type tap or stream has this");
}

static void
test_who_may_attach_is_a_list_of_rows(void **state)
{
	(void)state;
	assert_normal_as(SCHEMA_ALLOW,
			 "{'user': 'root', 'group': 'root', 'accept': 'all',"
			 " 'limits': []}",
			 "{'user': 0, 'group': 0}");
	/* Otherwise they are the port's. */
	assert_normal(SCHEMA_ALLOW, "{'weight': 1, 'queue_octets': 2048}");
	assert_normal(SCHEMA_PORT,
		      "{'type': 'attach', 'name': 'a', 'allow': ["
		      "{'user': 1000, 'group': 4294967294, 'max_clients': 2,"
		      " 'queue_octets': 65536, 'weight': 2,"
		      " 'max_addresses': 3, 'accept': 'own', 'limits': ["
		      "{'side': 'in', 'frames_per_s': 10}]}, {}]}");
	assert_normal(SCHEMA_PORT_CHANGES,
		      "{'type': 'attach', 'allow': [{'user': 0}]}");
	assert_refused(SCHEMA_ALLOW, "{'user': 'no-such-user'}",
		       "user: found \"no-such-user\", expected a user id from "
		       "0 to 4294967294, or the name of a user in "
		       "/etc/passwd");
	assert_refused(SCHEMA_ALLOW, "{'group': 4294967295}",
		       "group: found 4294967295, expected a group id from 0 "
		       "to 4294967294, or the name of a group in /etc/group");
	assert_refused(SCHEMA_ALLOW, "{'users': 'root'}",
		       "users: no such key; did you mean \"user\"?");
	assert_port_refused("{'type': 'attach', 'name': 'a', 'allow': [{},"
			    " {'limits': [{'side': 'in', 'octets_per_s': 1},"
			    " {'side': 'in', 'octets_per_s': 2}]}]}",
			    "allow[1].limits[1].traffic: found \"in all\", "
			    "which limits[0] has as well");
	assert_refused(SCHEMA_CONFIG,
		       "{'switch': {'queue_octets': 65536}, 'ports': ["
		       "{'type': 'attach', 'name': 'a', 'allow': ["
		       "{'queue_octets': 65537}]}]}",
		       "ports[0].allow[0].queue_octets: found 65537, expected "
		       "at most 65536 (switch.queue_octets)");
}

static void
test_ports_to_attach_at_share_a_path_with_each_other_alone(void **state)
{
	(void)state;
	assert_normal(SCHEMA_CONFIG,
		      "{'ports': [{'type': 'attach', 'name': 'a',"
		      " 'path': '/p'}, {'type': 'attach', 'name': 'b',"
		      " 'path': '/p'}, {'type': 'attach', 'name': 'c'},"
		      " {'type': 'attach', 'name': 'd'}]}");
	assert_refused(SCHEMA_CONFIG,
		       "{'ports': [{'type': 'attach', 'name': 'a',"
		       " 'path': '/p'}, {'type': 'stream', 'name': 'b',"
		       " 'path': '/p'}]}",
		       "ports[1].path: found \"/p\", which ports[0] has as "
		       "well");
	assert_refused(SCHEMA_CONFIG,
		       "{'ports': [{'type': 'stream', 'name': 'a',"
		       " 'path': '/p'}, {'type': 'attach', 'name': 'b',"
		       " 'path': '/p'}]}",
		       "ports[1].path: found \"/p\", which ports[0] has as "
		       "well");
	assert_refused(SCHEMA_CONFIG,
		       "{'socket': '/p', 'ports': [{'type': 'attach',"
		       " 'name': 'a', 'path': '/p'}]}",
		       "socket: found \"/p\", where ports[0] listens");
}

static void
test_a_client_has_sides_and_changes_of_its_own(void **state)
{
	(void)state;
	assert_normal(SCHEMA_CLIENT_FILTER,
		      "{'name': 'a', 'side': 'receive_in', 'verdict': 'drop'}");
	assert_refused(SCHEMA_CLIENT_FILTER,
		       "{'name': 'a', 'side': 'in', 'verdict': 'drop'}",
		       "side: found \"in\", expected receive_in or "
		       "receive_out");
	assert_normal(SCHEMA_CLIENT_CHANGES, "{}");
	assert_normal(SCHEMA_CLIENT_CHANGES,
		      "{'queue_octets': 2048, 'weight': 1, 'max_addresses': 0,"
		      " 'accept': 'all', 'default_receive_in': 'pass',"
		      " 'default_receive_out': 'drop'}");
	assert_refused(SCHEMA_CLIENT_CHANGES, "{'mtu': 1500}",
		       "mtu: no such key");
}

static void
test_a_key_is_set_from_text_as_its_port_has_it(void **state)
{
	json_t *port = parse("{'type': 'attach'}"), *tap = parse("{}");

	(void)state;
	assert_int_equal(
		schema_set(SCHEMA_PORT, port, "addresses=per-client", &c), 0);
	assert_string_equal(
		json_string_value(json_object_get(port, "addresses")),
		"per-client");
	json_object_clear(port);
	assert_int_equal(schema_set(SCHEMA_PORT_CHANGES, port,
				    "addresses=shared", &c),
			 0);
	assert_true(json_is_string(json_object_get(port, "addresses")));
	assert_int_equal(schema_set(SCHEMA_PORT_CHANGES, tap,
				    "addresses=fd00::1/64", &c),
			 0);
	assert_true(json_is_array(json_object_get(tap, "addresses")));
	json_decref(tap);
	json_decref(port);
}

static void
test_what_is_no_default_stays(void **state)
{
	(void)state;
	assert_normal(SCHEMA_CONFIG,
		      "{'socket': '/s', 'log': 'debug', 'cpu': 0,"
		      " 'switch': {'max_ports': 1, 'fdb_entries': 1,"
		      " 'ageing_s': 1, 'pool_octets': 131072,"
		      " 'queue_octets': 65536, 'max_rules': 1,"
		      " 'max_insns': 1, 'forward_reserved': [0, 15],"
		      " 'uplink_transit': true, 'max_clients': 1,"
		      " 'flap_moves': 2, 'loop_probe_s': 1},"
		      " 'ports': [{'type': 'tap', 'name': 'a'}],"
		      " 'fdb': [{'mac': '02:00:00:00:00:01', 'port': 'a'}]}");
	assert_normal(SCHEMA_PORT,
		      "{'type': 'tap', 'name': 'a', 'interface': 'b',"
		      " 'netns': 'n', 'role': 'uplink', 'mode': 'create',"
		      " 'mac': '02:00:00:00:00:0a', 'mtu': 1500,"
		      " 'addresses': ['10.0.0.1/24', 'fd00::1/64'],"
		      " 'up': false, 'persist': true, 'owner': 0,"
		      " 'without': ['csum', 'uso'], 'queue_octets': 2048,"
		      " 'weight': 1024, 'default_in': 'drop',"
		      " 'default_out': 'drop', 'sticky': true,"
		      " 'loop_guard': true}");
	assert_normal(SCHEMA_PORT, "{'type': 'uplink', 'name': 'a',"
				   " 'role': 'vif', 'own_only': true,"
				   " 'mtu': 65535}");
	assert_normal(SCHEMA_PORT, "{'type': 'stream', 'name': 'a',"
				   " 'path': '/b', 'mode': 'connect'}");
	assert_normal(SCHEMA_FILTER,
		      "{'name': 'a', 'side': 'out', 'priority': 4294967295,"
		      " 'verdict': 'pass', 'expr': 'ip'}");
}

static void
test_up_has_no_default_for_a_tap_that_is_there(void **state)
{
	(void)state;
	assert_normal(SCHEMA_PORT, "{'type': 'tap', 'name': 'a',"
				   " 'mode': 'attach', 'up': true}");
	assert_normal(SCHEMA_PORT,
		      "{'type': 'tap', 'name': 'a', 'mode': 'attach'}");
	assert_normal_as(SCHEMA_PORT,
			 "{'type': 'tap', 'name': 'a', 'mode': 'create',"
			 " 'up': true}",
			 "{'type': 'tap', 'name': 'a', 'mode': 'create'}");
}

static void
test_values_are_written_as_they_usually_are(void **state)
{
	(void)state;
	assert_normal_as(SCHEMA_PORT,
			 "{'type': 'tap', 'name': 'a',"
			 " 'mac': '0A:bC:00:00:00:0F',"
			 " 'addresses': ['FD00:0:0::1/64', '10.0.0.1/08'],"
			 " 'without': ['uso', 'tso6', 'tso4', 'csum'],"
			 " 'owner': 'root', 'netns': 77}",
			 "{'type': 'tap', 'name': 'a',"
			 " 'mac': '0a:bc:00:00:00:0f',"
			 " 'addresses': ['fd00::1/64', '10.0.0.1/8'],"
			 " 'without': ['csum', 'tso4', 'tso6', 'uso'],"
			 " 'owner': 0, 'netns': '77'}");
	assert_normal_as(
		SCHEMA_PORT,
		"{'type': 'tap', 'name': 'a', 'mac': '0A00.b000.0c0D'}",
		"{'type': 'tap', 'name': 'a',"
		" 'mac': '0a:00:b0:00:0c:0d'}");
	assert_normal_as(SCHEMA_FDB,
			 "{'mac': '0A-00-b0-00-0c-0D', 'port': 'a'}",
			 "{'mac': '0a:00:b0:00:0c:0d', 'port': 'a'}");
	assert_normal_as(SCHEMA_PORT,
			 "{'type': 'tap', 'name': 'a', 'owner': '1000'}",
			 "{'type': 'tap', 'name': 'a', 'owner': 1000}");
	assert_normal_as(SCHEMA_CONFIG,
			 "{'switch': {'forward_reserved': [14, 0, 3]}}",
			 "{'switch': {'forward_reserved': [0, 3, 14]}}");
}

static void
test_a_port_is_called_after_its_interface_or_path(void **state)
{
	(void)state;
	assert_normal_as(SCHEMA_PORT, "{'type': 'tap', 'interface': 'web0'}",
			 "{'type': 'tap', 'name': 'web0'}");
	assert_normal_as(SCHEMA_PORT, "{'type': 'stream', 'path': '/run/vm.s'}",
			 "{'type': 'stream', 'name': 'vm.s',"
			 " 'path': '/run/vm.s'}");
	assert_normal_as(SCHEMA_PORT, "{'type': 'stream', 'path': 'vm'}",
			 "{'type': 'stream', 'name': 'vm', 'path': 'vm'}");
	assert_port_refused("{'type': 'tap'}",
			    "there is no \"name\" and no \"interface\"");
	assert_port_refused("{'type': 'stream'}",
			    "there is no \"name\" and no \"path\"");
	assert_port_refused("{'type': 'stream', 'name': 'a'}",
			    "there is no \"path\"");
	assert_port_refused("{'type': 'stream', 'path': '/run/'}",
			    "name: found \"\", expected 1 to 31 of A-Z a-z "
			    "0-9 . _ : @ -");
	assert_port_refused("{'type': 'tap', 'name': 'a234567890123456'}",
			    "there is no \"interface\", and "
			    "\"a234567890123456\" cannot be one");
	assert_normal(SCHEMA_PORT, "{'type': 'tap', 'interface': 'b',"
				   " 'name': 'a234567890123456'}");
}

static void
test_a_value_of_another_type_is_refused(void **state)
{
	(void)state;
	assert_port_refused("[]", "found a list, expected a group");
	assert_port_refused(
		"{'type': 3}",
		"type: found 3, expected tap, uplink, stream or attach");
	assert_port_refused("{'type': 'tap', 'name': 3}",
			    "name: found 3, expected 1 to 31 of A-Z a-z 0-9 "
			    ". _ : @ -");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'mtu': 'abc'}",
			    "mtu: found \"abc\", expected a number from 68 to "
			    "65521");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'mtu': 1500.0}",
			    "mtu: found 1500.0, expected a number from 68 to "
			    "65521");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'mtu': null}",
			    "mtu: found null, expected a number from 68 to "
			    "65521");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'up': 1}",
			    "up: found 1, expected true or false");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'up': {}}",
			    "up: found a group, expected true or false");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'addresses': 'x'}",
			    "addresses: found \"x\", expected a list");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'filters': [3]}",
			    "filters[0]: found 3, expected a group");
	assert_refused(SCHEMA_CONFIG, "{'ports': {}}",
		       "ports: found a group, expected a list");
	assert_refused(SCHEMA_FILTER,
		       "{'name': 'a', 'side': 'in', 'verdict': 'drop',"
		       " 'expr': 4}",
		       "expr: found 4, expected an expression");
}

static void
test_numbers_have_bounds(void **state)
{
	static const struct {
		enum schema_kind kind;
		const char *before;
		const char *after;
		const char *place;
		long long min;
		long long max;
	} bounds[] = {
		{SCHEMA_PORT, "{'type': 'tap', 'name': 'a', 'mtu': ", "}",
		 "mtu", 68, 65521},
		{SCHEMA_PORT, "{'type': 'uplink', 'name': 'a', 'mtu': ", "}",
		 "mtu", 68, 65535},
		{SCHEMA_PORT, "{'type': 'tap', 'name': 'a', 'weight': ", "}",
		 "weight", 1, 1024},
		{SCHEMA_PORT, "{'type': 'tap', 'name': 'a', 'queue_octets': ",
		 "}", "queue_octets", 2048, 1 << 30},
		{SCHEMA_PORT_CHANGES, "{'mtu': ", "}", "mtu", 68, 65535},
		{SCHEMA_FILTER,
		 "{'name': 'a', 'side': 'in', 'verdict': 'drop',"
		 " 'priority': ",
		 "}", "priority", 0, 4294967295},
		{SCHEMA_CONFIG, "{'switch': {'max_ports': ", "}}",
		 "switch.max_ports", 1, 65536},
		{SCHEMA_CONFIG, "{'switch': {'max_clients': ", "}}",
		 "switch.max_clients", 0, 65536},
		{SCHEMA_CONFIG, "{'switch': {'flap_moves': ", "}}",
		 "switch.flap_moves", 2, 255},
		{SCHEMA_CONFIG, "{'switch': {'loop_probe_s': ", "}}",
		 "switch.loop_probe_s", 1, 3600},
		{SCHEMA_CONFIG, "{'switch': {'fdb_entries': ", "}}",
		 "switch.fdb_entries", 1, 1 << 24},
		{SCHEMA_CONFIG, "{'switch': {'ageing_s': ", "}}",
		 "switch.ageing_s", 1, 1000000},
		{SCHEMA_CONFIG, "{'switch': {'pool_octets': ", "}}",
		 "switch.pool_octets", 131072, 1 << 30},
		{SCHEMA_CONFIG, "{'switch': {'queue_octets': ", "}}",
		 "switch.queue_octets", 65536, 1 << 30},
		{SCHEMA_CONFIG, "{'switch': {'max_rules': ", "}}",
		 "switch.max_rules", 1, 1 << 20},
		{SCHEMA_CONFIG, "{'switch': {'max_insns': ", "}}",
		 "switch.max_insns", 1, 1 << 24},
		{SCHEMA_CONFIG, "{'switch': {'forward_reserved': [", "]}}",
		 "switch.forward_reserved[0]", 0, 15},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		const long long tried[] = {bounds[i].min - 1, bounds[i].min,
					   bounds[i].max,     bounds[i].max + 1,
					   INT64_MIN,         INT64_MAX};

		for (size_t j = 0; j < sizeof(tried) / sizeof(tried[0]); j++) {
			char text[128], expected[128];
			json_t *normal;

			(void)snprintf(text, sizeof(text), "%s%lld%s",
				       bounds[i].before, tried[j],
				       bounds[i].after);
			(void)snprintf(expected, sizeof(expected),
				       "%s: found %lld, expected %lld to %lld",
				       bounds[i].place, tried[j], bounds[i].min,
				       bounds[i].max);
			normal = check(bounds[i].kind, text);
			assert_string_equal(c.text,
					    j == 1 || j == 2 ? "" : expected);
			assert_int_equal(!!normal, j == 1 || j == 2);
			json_decref(normal);
		}
	}
}

static void
test_texts_have_forms(void **state)
{
	static const struct {
		const char *key;
		const char *right[4];
		const char *wrong[16];
	} forms[] = {
		{"name",
		 {"a", "A.z_0:9@-", "a234567890123456789012345678901"},
		 {"", "a b", "a/b", "\\u00fc", "a\\n", "x\\u0000y",
		  "a2345678901234567890123456789012"}},
		{"interface",
		 {"a", "a23456789012345", "tap_0.1-x"},
		 {"", ".", "..", "a/b", "a b", "a:b", "tap%d", "a\\tb",
		  "\\u00fc", "a234567890123456"}},
		{"netns", {"web", "1", "/proc/1/ns/net"}, {"", ".", ".."}},
		{"mac",
		 {"02:00:00:00:00:01", "FE:ff:ff:ff:ff:ff", "02-00-00-00-00-01",
		  "0200.0000.0001"},
		 {"", "00:00:00:00:00:00", "01:00:00:00:00:00",
		  "ff:ff:ff:ff:ff:ff", "0B:00:00:00:00:01", "02:00:00:00:00",
		  "02:00:00:00:00:01:", "2:0:0:0:0:1", "02:00:00-00-00-01",
		  "02:00:00:00:00:0g", " 2:00:00:00:00:01", "020000000001",
		  "0200.0000.001", "0200.0000.0001.", "0100.0000.0001"}},
		{"owner",
		 {"0", "4294967294", "root"},
		 {"", "4294967295", "-1", "99999999999", "no such user", "1x"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char text[128], begin[64];

		for (size_t j = 0; j < 20; j++) {
			const char *value = j < 4 ? forms[i].right[j]
						  : forms[i].wrong[j - 4];
			json_t *normal;

			if (!value)
				continue;
			(void)snprintf(text, sizeof(text), "{'%s': '%s'}",
				       forms[i].key, value);
			(void)snprintf(begin, sizeof(begin), "%s: found ",
				       forms[i].key);
			normal = check(SCHEMA_PORT_CHANGES, text);
			if (!normal != (j >= 4))
				fail_msg("%s: %s", text, c.text);
			if (!normal)
				assert_memory_equal(c.text, begin,
						    strlen(begin));
			json_decref(normal);
		}
	}
}

static void
test_addresses_have_a_prefix(void **state)
{
	static const char *const wrong[] = {
		"10.0.0.1",     "10.0.0.1/",   "10.0.0.1/33", "10.0.0/8",
		"fd00::1/129",  "fd00::1",     "/8",          "10.0.0.1/ 8",
		"10.0.0.1/+8",  "fe80::1%1/8", "web/8",       "",
		"10.0.0.1/8/8", "10.0.0.1/0x8"};
	char text[64], expected[128];

	(void)state;
	assert_normal(SCHEMA_PORT_CHANGES,
		      "{'addresses': ['10.0.0.1/0', '10.0.0.1/32', '::1/0',"
		      " '::1/128']}");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(text, sizeof(text), "{'addresses': ['%s']}",
			       wrong[i]);
		(void)snprintf(expected, sizeof(expected),
			       "addresses[0]: found \"%s\", expected "
			       "ADDRESS/PREFIX, as in 10.0.0.1/24 or "
			       "fd00::1/64",
			       wrong[i]);
		assert_refused(SCHEMA_PORT_CHANGES, text, expected);
	}
}

/* Bounded as the kernel bounds it. */
static void
test_the_path_of_a_socket_has_a_length(void **state)
{
	char path[109], text[160];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[108] = '\0';
	(void)snprintf(text, sizeof(text), "{'socket': '%s'}", path);
	assert_refused(
		SCHEMA_CONFIG, text,
		"socket: found \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"...\", expected the path of a Unix socket, 1 to 107 "
		"octets");
	path[107] = '\0';
	(void)snprintf(text, sizeof(text), "{'socket': '%s'}", path);
	assert_normal(SCHEMA_CONFIG, text);
}

static void
test_text_that_c_cannot_hold_is_refused(void **state)
{
	json_t *value;

	(void)state;
	assert_refused(SCHEMA_CONFIG, "{'socket': '/a\\u0000b'}",
		       "socket: found a NUL in a text");
	assert_refused(SCHEMA_FILTER,
		       "{'name': 'a', 'side': 'in', 'verdict': 'drop',"
		       " 'expr': 'ip\\u0000and tcp'}",
		       "expr: found a NUL in a text");
	value = json_pack("{so}", "socket", json_string_nocheck("/\xff"));
	assert_null(schema_check(SCHEMA_CONFIG, value, NULL, NULL, &c));
	assert_string_equal(c.text, "socket: found text that is not UTF-8");
	json_decref(value);
}

static void
test_an_unknown_key_is_refused_and_the_known_one_is_said(void **state)
{
	(void)state;
	assert_port_refused("{'type': 'tap', 'name': 'a', 'mut': 1500}",
			    "mut: no such key; did you mean \"mtu\"?");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'address': []}",
			    "address: no such key; did you mean "
			    "\"addresses\"?");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'colour': 1}",
			    "colour: no such key");
	assert_refused(SCHEMA_CONFIG, "{'port': []}",
		       "port: no such key; did you mean \"ports\"?");
	assert_refused(SCHEMA_CONFIG, "{'mtu': 1500}", "mtu: no such key");
	assert_refused(SCHEMA_CONFIG, "{'switch': {'aging_s': 3}}",
		       "switch.aging_s: no such key; did you mean "
		       "\"ageing_s\"?");
	assert_refused(
		SCHEMA_CONFIG,
		"{'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx':1}",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: no such key");
}

static void
test_a_key_of_other_ports_is_refused(void **state)
{
	(void)state;
	assert_port_refused(
		"{'type': 'tap', 'name': 'a', 'path': '/x'}",
		"path: only a port of type uplink, stream or attach has this");
	assert_port_refused("{'type': 'stream', 'path': '/x', 'netns': 'a'}",
			    "netns: only a port of type tap or uplink has "
			    "this");
	assert_port_refused("{'type': 'uplink', 'name': 'a', 'mac':"
			    " '02:00:00:00:00:01'}",
			    "mac: only a port of type tap or attach has this");
	assert_port_refused("{'type': 'uplink', 'name': 'a', 'mode': 'any'}",
			    "mode: only a port of type tap or stream has "
			    "this");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'mode': 'listen'}",
			    "mode: found \"listen\", expected any, create or "
			    "attach");
	assert_port_refused("{'type': 'stream', 'path': 'a', 'mode': 'any'}",
			    "mode: found \"any\", expected listen or connect");
}

static void
test_an_uplink_is_an_interface_or_attaches_to_a_switch(void **state)
{
	static const char *const keys[] = {"interface': 'b'", "netns': 'b'",
					   "own_only': true",
					   "without': ['csum']"};

	(void)state;
	assert_normal_as(SCHEMA_PORT, "{'type': 'uplink', 'path': '/x/a.b'}",
			 "{'type': 'uplink', 'name': 'a.b',"
			 " 'path': '/x/a.b'}");
	assert_normal_as(SCHEMA_PORT,
			 "{'type': 'uplink', 'path': '/x', 'vif': 'v'}",
			 "{'type': 'uplink', 'name': 'v', 'path': '/x',"
			 " 'vif': 'v'}");
	assert_port_refused("{'type': 'uplink', 'name': 'a', 'vif': 'v'}",
			    "vif: there is no \"path\" beside it");
	assert_port_refused("{'type': 'stream', 'path': '/x', 'vif': 'v'}",
			    "vif: only a port of type uplink has this");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		char text[128], expected[128];

		(void)snprintf(text, sizeof(text),
			       "{'type': 'uplink', 'path': '/x', '%s}",
			       keys[i]);
		(void)snprintf(expected, sizeof(expected),
			       "%.*s: an uplink with a \"path\" has no such "
			       "key",
			       (int)strcspn(keys[i], "'"), keys[i]);
		assert_port_refused(text, expected);
	}
	/* Several may attach to one. */
	assert_normal(SCHEMA_CONFIG,
		      "{'ports': [{'type': 'uplink', 'name': 'a',"
		      " 'path': '/x'}, {'type': 'uplink', 'name': 'b',"
		      " 'path': '/x'}]}");
}

/* What each type of port has, key by key. */
static void
test_each_type_of_port_has_its_keys(void **state)
{
	static const char *const whole[] = {
		"{'type': 'tap', 'name': 'a', %s}",
		"{'type': 'uplink', 'name': 'a', %s}",
		"{'type': 'stream', 'name': 'a', 'path': '/b', %s}"};
	static const struct {
		const char *text;
		const char *types;
	} keys[] = {
		{"'role': 'vif'", "tus"},
		{"'interface': 'b'", "tu-"},
		{"'netns': 'b'", "tu-"},
		{"'path': '/a'", "-us"},
		{"'mac': '02:00:00:00:00:01'", "t--"},
		{"'mtu': 1500", "tus"},
		{"'addresses': []", "t--"},
		{"'up': true", "t--"},
		{"'persist': true", "t--"},
		{"'owner': 1", "t--"},
		{"'own_only': true", "-u-"},
		{"'without': []", "tu-"},
		{"'queue_octets': 4096", "tus"},
		{"'weight': 2", "tus"},
		{"'default_in': 'drop'", "tus"},
		{"'default_out': 'drop'", "tus"},
		{"'filters': []", "tus"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		for (size_t j = 0; j < 3; j++) {
			char text[128];
			json_t *port;

			(void)snprintf(text, sizeof(text), whole[j],
				       keys[i].text);
			port = check(SCHEMA_PORT, text);
			if (!port != (keys[i].types[j] == '-'))
				fail_msg("%s: %s", text, c.text);
			json_decref(port);
		}
}

static void
test_a_key_that_is_needed_is_missed(void **state)
{
	(void)state;
	assert_port_refused(
		"{'name': 'a'}",
		"there is no \"type\": tap, uplink, stream or attach");
	assert_refused(SCHEMA_FILTER, "{'side': 'in', 'verdict': 'drop'}",
		       "there is no \"name\"");
	assert_refused(SCHEMA_FILTER, "{'name': 'a', 'verdict': 'drop'}",
		       "there is no \"side\"");
	assert_refused(SCHEMA_FILTER, "{'name': 'a', 'side': 'in'}",
		       "there is no \"verdict\"");
	assert_refused(SCHEMA_FDB, "{'mac': '02:00:00:00:00:01'}",
		       "there is no \"port\"");
	assert_refused(SCHEMA_FDB, "{'port': 'a'}", "there is no \"mac\"");
	assert_refused(SCHEMA_CONFIG,
		       "{'ports': [{'type': 'tap', 'name': 'a',"
		       " 'filters': [{'name': 'b'}]}]}",
		       "ports[0].filters[0]: there is no \"side\"");
}

static void
test_changes_keep_what_is_a_default(void **state)
{
	(void)state;
	assert_normal(SCHEMA_PORT_CHANGES, "{}");
	assert_normal(SCHEMA_PORT_CHANGES,
		      "{'up': true, 'weight': 1, 'addresses': [],"
		      " 'default_in': 'pass', 'without': []}");
	assert_normal(SCHEMA_PORT_CHANGES, "{'mode': 'connect'}");
	assert_normal(SCHEMA_PORT_CHANGES, "{'mode': 'create'}");
	assert_normal(SCHEMA_PORT_CHANGES, "{'interface': 'a', 'path': 'b'}");
	assert_normal_as(SCHEMA_PORT_CHANGES,
			 "{'filters': [{'name': 'a', 'side': 'in',"
			 " 'verdict': 'drop', 'priority': 0}]}",
			 "{'filters': [{'name': 'a', 'side': 'in',"
			 " 'verdict': 'drop'}]}");
	assert_refused(SCHEMA_PORT_CHANGES, "{'filters': [{}]}",
		       "filters[0]: there is no \"name\"");
	assert_refused(
		SCHEMA_PORT_CHANGES, "{'type': 'tap', 'path': '/a'}",
		"path: only a port of type uplink, stream or attach has this");
}

static void
test_null_gives_a_key_its_default(void **state)
{
	(void)state;
	assert_normal(SCHEMA_PORT_CHANGES,
		      "{'mtu': null, 'netns': null, 'up': null, 'filters':"
		      " null, 'addresses': null, 'name': null}");
	assert_refused(
		SCHEMA_PORT_CHANGES, "{'type': null}",
		"type: found null, expected tap, uplink, stream or attach");
	assert_refused(
		SCHEMA_PORT_CHANGES, "{'type': 'tap', 'path': null}",
		"path: only a port of type uplink, stream or attach has this");
	assert_refused(SCHEMA_PORT_CHANGES, "{'addresses': [null]}",
		       "addresses[0]: found null, expected ADDRESS/PREFIX, as "
		       "in 10.0.0.1/24 or fd00::1/64");
	assert_refused(SCHEMA_PORT_CHANGES,
		       "{'filters': [{'name': 'a', 'side': 'in',"
		       " 'verdict': 'drop', 'priority': null}]}",
		       "filters[0].priority: found null, expected a number "
		       "from 0 to 4294967295");
}

/* As the type of the port says, where changes have it. */
static void
test_changes_have_bounds(void **state)
{
	(void)state;
	assert_refused(SCHEMA_PORT_CHANGES, "{'type': 'tap', 'mtu': 65535}",
		       "mtu: found 65535, expected 68 to 65521");
	assert_normal(SCHEMA_PORT_CHANGES, "{'type': 'uplink', 'mtu': 65535}");
}

static void
test_what_occurs_twice_is_refused(void **state)
{
	(void)state;
	assert_refused(SCHEMA_CONFIG,
		       "{'ports': [{'type': 'tap', 'name': 'a'},"
		       " {'type': 'tap', 'name': 'b'},"
		       " {'type': 'stream', 'name': 'a', 'path': '/x'}]}",
		       "ports[2].name: found \"a\", which ports[0] has as "
		       "well");
	assert_refused(SCHEMA_CONFIG,
		       "{'ports': [{'type': 'tap', 'name': 'a'},"
		       " {'type': 'uplink', 'name': 'b', 'interface': 'a'}]}",
		       "ports[1].interface: found \"a\", which ports[0] has "
		       "as well");
	assert_refused(SCHEMA_CONFIG,
		       "{'ports': [{'type': 'tap', 'name': 'a', 'netns': 'n'},"
		       " {'type': 'tap', 'name': 'b', 'interface': 'a',"
		       " 'netns': 'n'}]}",
		       "ports[1].interface: found \"a in n\", which ports[0] "
		       "has as well");
	assert_normal(SCHEMA_CONFIG,
		      "{'ports': [{'type': 'tap', 'name': 'a'},"
		      " {'type': 'tap', 'name': 'b', 'interface': 'a',"
		      " 'netns': 'n'}, {'type': 'tap', 'name': 'c',"
		      " 'interface': 'a', 'netns': 'm'}]}");
	assert_refused(SCHEMA_CONFIG,
		       "{'ports': [{'type': 'stream', 'path': '/a'},"
		       " {'type': 'stream', 'name': 'b', 'path': '/a'}]}",
		       "ports[1].path: found \"/a\", which ports[0] has as "
		       "well");
	assert_normal(SCHEMA_CONFIG,
		      "{'ports': [{'type': 'stream', 'path': '/a',"
		      " 'name': 'a', 'mode': 'connect'}, {'type': 'stream',"
		      " 'name': 'b', 'path': '/a', 'mode': 'connect'}]}");
	assert_refused(SCHEMA_CONFIG,
		       "{'socket': '/a', 'ports': [{'type': 'stream',"
		       " 'path': '/a'}]}",
		       "socket: found \"/a\", where ports[0] listens");
	assert_refused(SCHEMA_CONFIG,
		       "{'ports': [{'type': 'tap', 'name': 'a'}], 'fdb': ["
		       " {'mac': '02:00:00:00:00:0A', 'port': 'a'},"
		       " {'mac': '02:00:00:00:00:0a', 'port': 'a'}]}",
		       "fdb[1].mac: found \"02:00:00:00:00:0a\", which fdb[0] "
		       "has as well");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'filters': ["
			    "{'name': 'f', 'side': 'in', 'verdict': 'drop'},"
			    "{'name': 'f', 'side': 'out', 'verdict': 'drop'},"
			    "{'name': 'f', 'side': 'in', 'verdict': 'pass'}]}",
			    "filters[2].name: found \"in f\", which "
			    "filters[0] has as well");
	assert_port_refused("{'type': 'tap', 'name': 'a',"
			    " 'without': ['uso', 'uso']}",
			    "without[1]: found \"uso\", which is there "
			    "already");
	assert_port_refused("{'type': 'tap', 'name': 'a', 'addresses':"
			    " ['fd00::1/64', 'FD00::1/64']}",
			    "addresses[1]: found \"fd00::1/64\", which is "
			    "there already");
}

static void
test_what_needs_something_else_is_refused_without(void **state)
{
	(void)state;
	assert_refused(SCHEMA_CONFIG,
		       "{'fdb': [{'mac': '02:00:00:00:00:01', 'port': 'a'}]}",
		       "fdb[0].port: there is no port a");
	assert_refused(SCHEMA_CONFIG,
		       "{'switch': {'max_ports': 65, 'pool_octets': 131072}}",
		       "switch.pool_octets: found 131072, expected 133120 at "
		       "least: 2048 for each of max_ports");
	assert_refused(SCHEMA_CONFIG,
		       "{'switch': {'max_clients': 65, 'max_ports': 1,"
		       " 'pool_octets': 131072}}",
		       "switch.pool_octets: found 131072, expected 133120 at "
		       "least: 2048 for each of max_clients");
	assert_refused(SCHEMA_CONFIG,
		       "{'switch': {'max_clients': 1}, 'ports': ["
		       "{'type': 'tap', 'name': 'a'},"
		       "{'type': 'attach', 'name': 'b'},"
		       "{'type': 'tap', 'name': 'c'}]}",
		       "ports: found 2 ports with a client each, expected at "
		       "most 1 (switch.max_clients)");
	assert_refused(SCHEMA_CONFIG,
		       "{'switch': {'max_ports': 1}, 'ports': ["
		       "{'type': 'tap', 'name': 'a'},"
		       "{'type': 'tap', 'name': 'b'}]}",
		       "ports: found 2 ports, expected at most 1 "
		       "(switch.max_ports)");
	assert_refused(SCHEMA_CONFIG,
		       "{'ports': [{'type': 'tap', 'name': 'a',"
		       " 'queue_octets': 262145}]}",
		       "ports[0].queue_octets: found 262145, expected at most "
		       "262144 (switch.queue_octets)");
	assert_refused(SCHEMA_CONFIG,
		       "{'switch': {'max_rules': 2}, 'ports': [{'type': 'tap',"
		       " 'name': 'a', 'filters': ["
		       "{'name': 'f', 'side': 'in', 'verdict': 'drop'},"
		       "{'name': 'f', 'side': 'out', 'verdict': 'drop'}]},"
		       "{'type': 'tap', 'name': 'b', 'filters': ["
		       "{'name': 'f', 'side': 'in', 'verdict': 'drop'}]}]}",
		       "ports: found 3 filters, expected at most 2 "
		       "(switch.max_rules)");
	assert_refused(SCHEMA_CONFIG,
		       "{'switch': {'max_insns': 3}, 'ports': [{'type': 'tap',"
		       " 'name': 'a', 'filters': [{'name': 'f', 'side': 'in',"
		       " 'verdict': 'drop', 'expr': 'ip'}]}]}",
		       "ports: found 4 instructions of filters, expected at "
		       "most 3 (switch.max_insns)");
	assert_refused(SCHEMA_CONFIG,
		       "{'switch': {'fdb_entries': 1}, 'ports': [{'type':"
		       " 'tap', 'name': 'a'}], 'fdb': ["
		       " {'mac': '02:00:00:00:00:01', 'port': 'a'},"
		       " {'mac': '02:00:00:00:00:02', 'port': 'a'}]}",
		       "fdb: found 2 addresses, expected at most 1 "
		       "(switch.fdb_entries)");
}

static void
test_a_processor_that_there_is_not_is_refused(void **state)
{
	const long n = sysconf(_SC_NPROCESSORS_CONF);
	char text[64], expected[64];

	(void)state;
	(void)snprintf(text, sizeof(text), "{'cpu': %ld}", n - 1);
	assert_normal(SCHEMA_CONFIG, text);
	(void)snprintf(text, sizeof(text), "{'cpu': %ld}", n);
	(void)snprintf(expected, sizeof(expected),
		       "cpu: found %ld, expected 0 to %ld", n, n - 1);
	assert_refused(SCHEMA_CONFIG, text, expected);
}

static void
test_expressions_are_compiled(void **state)
{
	(void)state;
	assert_refused(SCHEMA_CONFIG,
		       "{'ports': [{'type': 'tap', 'name': 'a'},"
		       " {'type': 'tap', 'name': 'b', 'filters': [{'name': 'f',"
		       " 'side': 'in', 'verdict': 'drop', 'expr': 'icmq'}]}]}",
		       c.text);
	assert_non_null(strstr(c.text, "ports[1].filters[0].expr: expression "
				       "\"icmq\": "));
}

static void
say_where(void *ctx, const char *path, char *text, size_t size)
{
	(void)snprintf(ctx, 64, "%s", path);
	(void)snprintf(text, size, "FILE:%zu", strlen(path));
}

static void
test_a_complaint_says_where(void **state)
{
	json_t *value = parse("{'ports': [{'type': 'tap', 'name': 'a'},"
			      " {'type': 'tap', 'name': 'b', 'mtu': 20}]}");
	char path[64] = "";

	(void)state;
	assert_null(schema_check(SCHEMA_CONFIG, value, say_where, path, &c));
	assert_string_equal(path, "ports[1].mtu");
	assert_string_equal(c.text, "FILE:12: ports[1].mtu: found 20, expected "
				    "68 to 65521");
	json_decref(value);
}

static void
assert_set(json_t *object, const char *text, const char *expected)
{
	json_t *value = parse(expected);

	if (schema_set(SCHEMA_PORT, object, text, &c))
		fail_msg("%s: %s", text, c.text);
	if (!json_equal(object, value))
		fail_msg("%s does not give %s", text, expected);
	json_decref(value);
}

static void
test_a_key_is_set_from_text(void **state)
{
	json_t *port = json_object();

	(void)state;
	assert_set(port, "mtu=9000", "{'mtu': 9000}");
	assert_set(port, "mtu=0x5dc", "{'mtu': 1500}");
	assert_set(port, "mtu=-1", "{'mtu': -1}");
	assert_set(port, "mtu=010", "{'mtu': 10}");
	assert_set(port, "mtu=1k", "{'mtu': '1k'}");
	assert_set(port, "mtu=99999999999999999999",
		   "{'mtu': '99999999999999999999'}");
	assert_set(port, "mtu=", "{'mtu': ''}");
	json_object_clear(port);
	assert_set(port, "up", "{'up': true}");
	assert_set(port, "up=false", "{'up': false}");
	assert_set(port, "up=yes", "{'up': true}");
	assert_set(port, "up=0", "{'up': false}");
	assert_set(port, "up=maybe", "{'up': 'maybe'}");
	json_object_clear(port);
	assert_set(port, "owner=1000", "{'owner': '1000'}");
	assert_set(port, "netns=/a=b", "{'owner': '1000', 'netns': '/a=b'}");
	json_decref(port);
}

static void
test_a_list_is_appended_to_from_text(void **state)
{
	json_t *port = json_object();

	(void)state;
	assert_set(port, "address=10.0.0.1/24",
		   "{'addresses':"
		   " ['10.0.0.1/24']}");
	assert_set(port, "addresses=a,b",
		   "{'addresses': ['10.0.0.1/24', 'a', 'b']}");
	assert_set(port,
		   "addresses=", "{'addresses': ['10.0.0.1/24', 'a', 'b']}");
	json_object_clear(port);
	assert_set(port, "without=tso4", "{'without': ['tso4']}");
	assert_set(port, "without=csum,,uso",
		   "{'without': ['tso4', 'csum', '', 'uso']}");
	json_object_clear(port);
	assert_set(port, "without=", "{'without': []}");
	json_decref(port);
}

static void
assert_changed(json_t *changes, const char *text, const char *expected)
{
	json_t *value = parse(expected);

	if (schema_set(SCHEMA_PORT_CHANGES, changes, text, &c))
		fail_msg("%s: %s", text, c.text);
	if (!json_equal(changes, value))
		fail_msg("%s does not give %s", text, expected);
	json_decref(value);
}

static void
test_a_change_to_nothing_is_one_to_the_default(void **state)
{
	json_t *changes = json_object();

	(void)state;
	assert_changed(changes, "mtu=", "{'mtu': null}");
	assert_changed(changes, "mtu=1500", "{'mtu': 1500}");
	assert_changed(changes, "mtu=", "{'mtu': null}");
	json_object_clear(changes);
	assert_changed(changes, "up=", "{'up': null}");
	assert_changed(changes, "up", "{'up': true}");
	json_object_clear(changes);
	assert_changed(changes, "addresses=", "{'addresses': null}");
	assert_changed(changes, "address=a", "{'addresses': ['a']}");
	assert_changed(changes, "addresses=", "{'addresses': null}");
	assert_int_equal(schema_set(SCHEMA_PORT_CHANGES, changes,
				    "filters=", &c),
			 -EINVAL);
	json_decref(changes);
}

static void
test_what_cannot_be_set_from_text_is_refused(void **state)
{
	static const char *const wrong[][2] = {
		{"mut=3", "mut: no such key; did you mean \"mtu\"?"},
		{"", "expected KEY=VALUE"},
		{"=3", "expected KEY=VALUE"},
		{"mtu", "mtu: has no value, expected mtu=VALUE"},
		{"address", "address: has no value, expected address=VALUE"},
		{"filters=a", "filters: cannot be set so"},
		{"netns=\xff", "netns: found text that is not UTF-8"},
		{"addresses=a,\xff", "addresses: found text that is not UTF-8"},
	};
	json_t *port = json_object();

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(schema_set(SCHEMA_PORT, port, wrong[i][0], &c),
				 -EINVAL);
		assert_string_equal(c.text, wrong[i][1]);
		assert_int_equal(json_object_size(port), 0);
	}
	json_decref(port);
}

static void
test_the_default_is_read_where_there_is_no_key(void **state)
{
	json_t *tap = parse("{'type': 'tap', 'name': 'a', 'weight': 3}");
	json_t *uplink = parse("{'type': 'uplink', 'name': 'a',"
			       " 'interface': 'b', 'own_only': true}");
	json_t *stream = parse("{'type': 'stream', 'name': 'a', 'path': 'b'}");
	json_t *filter = parse("{'name': 'a', 'side': 'in',"
			       " 'verdict': 'drop'}");

	(void)state;
	assert_int_equal(schema_number(tap, "weight"), 3);
	assert_int_equal(schema_number(uplink, "weight"), 1);
	assert_int_equal(schema_number(tap, "mtu"), 0);
	assert_int_equal(schema_number(tap, "queue_octets"), 0);
	assert_int_equal(schema_number(NULL, "queue_octets"), 262144);
	assert_int_equal(schema_number(NULL, "max_ports"), 64);
	assert_int_equal(schema_number(NULL, "pool_octets"), 0);
	assert_int_equal(schema_number(filter, "priority"), 0);
	assert_string_equal(schema_string(tap, "role"), "vif");
	assert_string_equal(schema_string(uplink, "role"), "uplink");
	assert_string_equal(schema_string(stream, "role"), "vif");
	assert_string_equal(schema_string(tap, "mode"), "any");
	assert_string_equal(schema_string(stream, "mode"), "listen");
	assert_string_equal(schema_string(tap, "interface"), "a");
	assert_string_equal(schema_string(uplink, "interface"), "b");
	assert_null(schema_string(stream, "interface"));
	assert_null(schema_string(tap, "netns"));
	assert_string_equal(schema_string(tap, "default_in"), "pass");
	assert_string_equal(schema_string(filter, "expr"), "");
	assert_string_equal(schema_string(filter, "verdict"), "drop");
	assert_string_equal(schema_string(NULL, "log"), "info");
	assert_true(schema_bool(uplink, "own_only", false));
	assert_true(schema_bool(tap, "up", true));
	assert_false(schema_bool(tap, "up", false));
	json_decref(tap);
	json_decref(uplink);
	json_decref(stream);
	json_decref(filter);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_left_out),
		cmocka_unit_test(
			test_a_limit_has_a_rate_and_each_traffic_one_limit_a_side),
		cmocka_unit_test(test_a_port_to_attach_at_has_keys_of_its_own),
		cmocka_unit_test(test_who_may_attach_is_a_list_of_rows),
		cmocka_unit_test(
			test_ports_to_attach_at_share_a_path_with_each_other_alone),
		cmocka_unit_test(
			test_a_client_has_sides_and_changes_of_its_own),
		cmocka_unit_test(
			test_a_key_is_set_from_text_as_its_port_has_it),
		cmocka_unit_test(test_what_is_no_default_stays),
		cmocka_unit_test(
			test_up_has_no_default_for_a_tap_that_is_there),
		cmocka_unit_test(test_values_are_written_as_they_usually_are),
		cmocka_unit_test(
			test_a_port_is_called_after_its_interface_or_path),
		cmocka_unit_test(test_a_value_of_another_type_is_refused),
		cmocka_unit_test(test_numbers_have_bounds),
		cmocka_unit_test(test_texts_have_forms),
		cmocka_unit_test(test_addresses_have_a_prefix),
		cmocka_unit_test(test_the_path_of_a_socket_has_a_length),
		cmocka_unit_test(test_text_that_c_cannot_hold_is_refused),
		cmocka_unit_test(
			test_an_unknown_key_is_refused_and_the_known_one_is_said),
		cmocka_unit_test(test_a_key_of_other_ports_is_refused),
		cmocka_unit_test(
			test_an_uplink_is_an_interface_or_attaches_to_a_switch),
		cmocka_unit_test(test_each_type_of_port_has_its_keys),
		cmocka_unit_test(test_a_key_that_is_needed_is_missed),
		cmocka_unit_test(test_changes_keep_what_is_a_default),
		cmocka_unit_test(test_null_gives_a_key_its_default),
		cmocka_unit_test(test_changes_have_bounds),
		cmocka_unit_test(test_what_occurs_twice_is_refused),
		cmocka_unit_test(
			test_what_needs_something_else_is_refused_without),
		cmocka_unit_test(test_a_processor_that_there_is_not_is_refused),
		cmocka_unit_test(test_expressions_are_compiled),
		cmocka_unit_test(test_a_complaint_says_where),
		cmocka_unit_test(test_a_key_is_set_from_text),
		cmocka_unit_test(test_a_list_is_appended_to_from_text),
		cmocka_unit_test(
			test_a_change_to_nothing_is_one_to_the_default),
		cmocka_unit_test(test_what_cannot_be_set_from_text_is_refused),
		cmocka_unit_test(
			test_the_default_is_read_where_there_is_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
