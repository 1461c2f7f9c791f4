/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants of a configuration: their keys, what fits below what, and what libvnet
 * is told of them. */
#include "conf_file.h"
#include "grant_read.h"
#include "schema.h"
#include "support.h"

static struct complaint c;

static json_t *
parse(const char *text)
{
	json_t *config = conf_file_parse(text, "x", &c);

	if (!config)
		fail_msg("%s: %s", text, c.text);
	return config;
}

/* A grant "a" with one more key, in a file. */
static void
assert_key(const char *key, const char *complaint)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "grants = { a = {\nmac = [ \"02:00:00:00:00:01\" ];\n%s "
		       "}; };",
		       key);
	c.text[0] = '\0';
	assert_null(conf_file_parse(text, "x", &c));
	assert_string_equal(c.text, complaint);
}

static void
assert_refused(const char *text, const char *complaint)
{
	json_t *config;

	c.text[0] = '\0';
	config = conf_file_parse(text, "x", &c);
	assert_null(config);
	assert_string_equal(c.text, complaint);
}

/* What a grant "a" with one more key is read as. */
static struct grant_read
read_key(const char *key)
{
	struct grant_read g;
	char text[512];
	json_t *config;

	(void)snprintf(
		text, sizeof(text),
		"grants = { a = { mac = [ \"02:00:00:00:00:01\" ]; %s }; "
		"};",
		key);
	config = parse(text);
	grant_read(&g, "a",
		   json_object_get(json_object_get(config, "grants"), "a"), 0);
	json_decref(config);
	return g;
}

static void
test_keys_are_checked_one_by_one(void **state)
{
	static const char *const table[][2] = {
		{"mac = [ \"02:00:00:00:01:00/39\" ];",
		 "x:3: duplicate setting name"},
		{"ipv4 = [ \"10.0.0.1/24\" ];",
		 "x:3: grants.a.ipv4[0]: found \"10.0.0.1/24\", expected "
		 "addresses of IPv4, as in 10.0.0.1 or 10.0.0.0/24, zero "
		 "behind "
		 "the prefix"},
		{"ipv4 = [ \"10.0.0.1\", \"10.0.0.1/32\" ];",
		 "x:3: grants.a.ipv4[1]: found \"10.0.0.1\", which is there "
		 "already"},
		{"ipv4 = [ \"10.0.0.0/33\" ];",
		 "x:3: grants.a.ipv4[0]: found \"10.0.0.0/33\", expected "
		 "addresses of IPv4, as in 10.0.0.1 or 10.0.0.0/24, zero "
		 "behind "
		 "the prefix"},
		{"ipv6 = [ \"fd00::1/64\" ];",
		 "x:3: grants.a.ipv6[0]: found \"fd00::1/64\", expected "
		 "addresses of IPv6, as in fd00::1 or fd00::/64, zero behind "
		 "the "
		 "prefix"},
		{"ipv6 = [ \"10.0.0.1\" ];",
		 "x:3: grants.a.ipv6[0]: found \"10.0.0.1\", expected "
		 "addresses "
		 "of IPv6, as in fd00::1 or fd00::/64, zero behind the prefix"},
		{"group = [ \"10.0.0.1\" ];",
		 "x:3: grants.a.group[0]: found \"10.0.0.1\", expected groups, "
		 "as in 224.0.0.251, ff02::fb, 01:00:5e:00:00:fb or "
		 "239.1.0.0/16, zero behind the prefix"},
		{"group = [ \"224.0.0.0/3\" ];",
		 "x:3: grants.a.group[0]: found \"224.0.0.0/3\", expected "
		 "groups, "
		 "as in 224.0.0.251, ff02::fb, 01:00:5e:00:00:fb or "
		 "239.1.0.0/16, zero behind the prefix"},
		{"group = [ \"02:00:00:00:00:01\" ];",
		 "x:3: grants.a.group[0]: found \"02:00:00:00:00:01\", "
		 "expected "
		 "groups, as in 224.0.0.251, ff02::fb, 01:00:5e:00:00:fb or "
		 "239.1.0.0/16, zero behind the prefix"},
		{"vlan = [ 4095 ];", "x:3: grants.a.vlan[0]: found 4095, "
				     "expected 0 (without a tag), "
				     "a VLAN id up to 4094, or FIRST-LAST"},
		{"vlan = [ \"20-10\" ];",
		 "x:3: grants.a.vlan[0]: found \"20-10\", expected 0 (without "
		 "a "
		 "tag), a VLAN id up to 4094, or FIRST-LAST"},
		{"ethertype = [ 0x5ff ];",
		 "x:3: grants.a.ethertype[0]: found 1535, expected 1536 to "
		 "65535"},
		{"ethertype = [ 0x9000, 0x8100 ];",
		 "x:3: grants.a.ethertype[1]: ethertypes: EtherType of another "
		 "part: found 33024"},
		{"may = [ \"fly\" ];",
		 "x:3: grants.a.may[0]: found \"fly\", expected broadcast, "
		 "multicast, dhcp, route, vrrp, tunnel or llc"},
		{"depth = 8;", "x:3: grants.a.depth: found 8, expected 0 to 7"},
		{"queue = 2047;", "x:3: grants.a.queue: found 2047, expected "
				  "2048 to 1073741824"},
		{"max_clients = 0;",
		 "x:3: grants.a.max_clients: found 0, expected 1 to 65536"},
		{"max_addresses = 0;", "x:3: grants.a.max_addresses: found 0, "
				       "expected 1 to 16777216"},
		{"until = \"2027-01-31T12:00:00\";",
		 "x:3: grants.a.until: found \"2027-01-31T12:00:00\", expected "
		 "a "
		 "time with its zone, as in 2027-01-31T12:00:00Z or "
		 "2027-01-31T13:00:00+01:00"},
		{"until = \"2027-02-29T12:00:00Z\";",
		 "x:3: grants.a.until: found \"2027-02-29T12:00:00Z\", "
		 "expected a "
		 "time with its zone, as in 2027-01-31T12:00:00Z or "
		 "2027-01-31T13:00:00+01:00"},
		{"rate = { burst_frames = 1; };",
		 "x:3: grants.a.rate.burst_frames: there is no "
		 "\"frames_per_s\" "
		 "beside it"},
		{"rate = { };",
		 "x:3: grants.a.rate: there is no \"frames_per_s\" and no "
		 "\"octets_per_s\""},
		{"rates = { };",
		 "x:3: grants.a.rates: no such key; did you mean \"rate\"?"},
		{"parent = \"a\";",
		 "x:3: grants.a.parent: found \"a\", which is below a"},
		{"parent = \"b\";",
		 "x:3: grants.a.parent: there is no grant b, and no uplink "
		 "with a \"path\" of that name"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_key(table[i][0], table[i][1]);
	assert_refused("grants = { a = { ipv4 = [ \"10.0.0.1\" ]; }; };",
		       "x:1: grants.a: there is no \"mac\"");
	assert_refused("grants = { a = { mac = [ ]; }; };",
		       "x:1: grants.a.mac: macs: grant without a source "
		       "address: found 0, bound 1");
	assert_refused("grants = { *a = { }; };",
		       "x:1: grants: found the name \"*a\", expected a letter, "
		       "and up to 30 of A-Z a-z 0-9 _ -");
	assert_refused("grants = ( );",
		       "x:1: grants: found a list, expected a group");
}

static void
test_values_are_written_as_they_usually_are(void **state)
{
	json_t *config = parse(
		"grants = { a = { mac = [ \"02-00-00-00-AA-00/40\","
		" \"0200.0000.0001/48\" ]; ipv4 = [ \"10.0.0.1/32\" ];"
		" ipv6 = [ \"FD00:0:0::/64\" ]; group = [ \"FF02:0::FB\","
		" \"01-00-5E-00-00-12\" ]; vlan = [ \"5-5\", \"10-20\" ];"
		" may = [ \"llc\", \"dhcp\" ]; depth = 0; max_clients = 1;"
		" until = \"2027-01-31T13:00:00+01:00\"; }; };");
	json_t *expected = json_loads(
		"{\"grants\": {\"a\": {\"mac\": [\"02:00:00:00:aa:00/40\","
		" \"02:00:00:00:00:01\"], \"ipv4\": [\"10.0.0.1\"],"
		" \"ipv6\": [\"fd00::/64\"], \"group\": [\"ff02::fb\","
		" \"01:00:5e:00:00:12\"], \"vlan\": [5, \"10-20\"],"
		" \"may\": [\"dhcp\", \"llc\"],"
		" \"until\": \"2027-01-31T12:00:00Z\"}}}",
		0, NULL);
	char *text;
	json_t *again;

	(void)state;
	assert_non_null(expected);
	assert_true(json_equal(config, expected));
	text = conf_file_text(config);
	again = parse(text);
	assert_true(json_equal(again, expected));
	free(text);
	json_decref(again);
	json_decref(expected);
	json_decref(config);
}

static void
assert_group(const char *text, const uint8_t *mac, unsigned int bits)
{
	struct grant_read g;
	char key[128];

	(void)snprintf(key, sizeof(key), "group = [ \"%s\" ];", text);
	g = read_key(key);
	assert_int_equal(g.grant.ngroups, 1);
	assert_memory_equal(g.lists.groups[0].mac.octet, mac, 6);
	assert_int_equal(g.lists.groups[0].bits, bits);
}

static void
test_groups_are_addresses_of_ethernet(void **state)
{
	(void)state;
	/* RFC 1112, 6.4, and RFC 2464, 7. */
	assert_group("224.0.0.251", (uint8_t[]){1, 0, 0x5e, 0, 0, 251}, 48);
	assert_group("239.129.2.3", (uint8_t[]){1, 0, 0x5e, 1, 2, 3}, 48);
	assert_group("239.129.2.0/24", (uint8_t[]){1, 0, 0x5e, 1, 2, 0}, 40);
	assert_group("239.128.0.0/9", (uint8_t[]){1, 0, 0x5e, 0, 0, 0}, 25);
	assert_group("224.0.0.0/4", (uint8_t[]){1, 0, 0x5e, 0, 0, 0}, 25);
	assert_group("ff02::fb", (uint8_t[]){0x33, 0x33, 0, 0, 0, 0xfb}, 48);
	assert_group("ff02::1:ff00:0/104",
		     (uint8_t[]){0x33, 0x33, 0xff, 0, 0, 0}, 24);
	assert_group("ff00::/8", (uint8_t[]){0x33, 0x33, 0, 0, 0, 0}, 16);
	assert_group("01:00:5e:00:00:12", (uint8_t[]){1, 0, 0x5e, 0, 0, 0x12},
		     48);
	assert_group("01:00:5e:00:00:00/25", (uint8_t[]){1, 0, 0x5e, 0, 0, 0},
		     25);
}

static void
test_a_grant_is_read_as_it_is_said(void **state)
{
	struct grant_read g = read_key(
		"ipv4 = [ \"10.9.0.0/24\", \"10.8.0.1\" ];"
		" ipv6 = [ \"2001:db8:9::/64\" ]; vlan = ( 0, \"100-200\" );"
		" ethertype = [ 0x88b5 ]; max_addresses = 8; max_clients = 4;"
		" queue = 65536; depth = 1; rate = { octets_per_s = 1000000L;"
		" burst_octets = 5000; };"
		" may = [ \"broadcast\", \"multicast\", \"dhcp\", \"route\","
		" \"vrrp\", \"tunnel\", \"llc\" ];");

	(void)state;
	assert_int_equal(g.grant.nmacs, 1);
	assert_memory_equal(g.lists.macs[0].mac.octet, "\2\0\0\0\0\1", 6);
	assert_int_equal(g.lists.macs[0].bits, 48);
	assert_int_equal(g.grant.nipv4, 2);
	assert_memory_equal(g.lists.ipv4[0].octet, "\12\11\0\0", 4);
	assert_int_equal(g.lists.ipv4[0].bits, 24);
	assert_int_equal(g.lists.ipv4[1].bits, 32);
	assert_int_equal(g.grant.nipv6, 1);
	assert_memory_equal(g.lists.ipv6[0].octet, "\x20\1\xd\xb8\0\x9\0", 7);
	assert_int_equal(g.lists.ipv6[0].bits, 64);
	assert_int_equal(g.grant.nvlans, 2);
	assert_int_equal(g.lists.vlans[0].first, 0);
	assert_int_equal(g.lists.vlans[0].last, 0);
	assert_int_equal(g.lists.vlans[1].first, 100);
	assert_int_equal(g.lists.vlans[1].last, 200);
	assert_int_equal(g.grant.nethertypes, 1);
	assert_int_equal(g.lists.ethertypes[0], 0x88b5);
	assert_int_equal(g.grant.may, VNET_MAY_BROADCAST | VNET_MAY_MULTICAST |
					      VNET_MAY_DHCP | VNET_MAY_ROUTE |
					      VNET_MAY_VRRP | VNET_MAY_TUNNEL |
					      VNET_MAY_LLC);
	assert_int_equal(g.grant.max_addresses, 8);
	assert_int_equal(g.grant.max_clients, 4);
	assert_int_equal(g.grant.queue_octets, 65536);
	assert_int_equal(g.grant.depth, 1);
	assert_int_equal(g.grant.rate.octets_per_s, 1000000);
	assert_int_equal(g.grant.rate.burst_octets, 5000);
	assert_int_equal(g.grant.rate.frames_per_s, 0);
	assert_int_equal(read_key("").grant.rate.size, 0);
	assert_int_equal(read_key("may = [ \"route\" ];").grant.may,
			 VNET_MAY_ROUTE);
}

static void
test_until_is_a_time_anywhere(void **state)
{
	json_t *grant = json_pack("{s:s}", "until", "1970-01-01T00:01:00Z");

	(void)state;
	assert_true(grant_until(grant) == 60 * VNET_NSEC_PER_SEC);
	json_object_set_new(grant, "until",
			    json_string("2026-11-23T05:00:00Z"));
	assert_true(grant_until(grant) ==
		    UINT64_C(1795410000) * VNET_NSEC_PER_SEC);
	json_object_del(grant, "until");
	assert_true(grant_until(grant) == 0);
	json_decref(grant);
}

#define LAB                                                       \
	"lab = {\nmac = [ \"02:00:00:00:aa:00/40\" ];\n"          \
	"ipv4 = [ \"10.9.0.0/24\" ]; vlan = [ 5 ];\n"             \
	"may = [ \"dhcp\", \"vrrp\" ]; group = [ \"ff02::fb\" ];" \
	"queue = 65536;\nuntil = \"2027-01-31T12:00:00Z\";"       \
	"rate = { frames_per_s = 10; };"                          \
	"max_clients = 2; max_addresses = 3; depth = 2; };\n"

/* A grant below LAB with one more key. */
static void
assert_does_not_fit(const char *key, const char *complaint)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		       "grants = { a = { parent = \"lab\"; vlan = [ 5 ];\n"
		       "mac = [ \"02:00:00:00:aa:01\" ];\n%s };\n" LAB "};",
		       key);
	assert_refused(text, complaint);
}

static void
test_what_does_not_fit_is_refused_by_its_first_part(void **state)
{
	static const char *const table[][2] = {
		{"ipv4 = [ \"10.9.0.5\",\n\"10.9.1.5\" ];",
		 "x:4: grants.a.ipv4[1]: does not fit into grant lab: ipv4: "
		 "address of IPv4 beyond"},
		{"ipv6 = [ \"fd00::/64\" ];",
		 "x:3: grants.a.ipv6[0]: does not fit into grant lab: ipv6: "
		 "address of IPv6 beyond"},
		{"ethertype = [ 0x88b5 ];",
		 "x:3: grants.a.ethertype[0]: does not fit into grant lab: "
		 "ethertypes: EtherType beyond: found 34997"},
		{"group = [ \"224.0.0.251\" ];",
		 "x:3: grants.a.group[0]: does not fit into grant lab: groups: "
		 "group beyond"},
		{"may = [ \"dhcp\",\n\"route\", \"vrrp\" ];",
		 "x:4: grants.a.may[1]: does not fit into grant lab: route: "
		 "may "
		 "do what is not granted: found 28, bound 20"},
		{"may = [ \"multicast\" ];",
		 "x:3: grants.a.may[0]: does not fit into grant lab: groups: "
		 "may "
		 "do what is not granted: found 2, bound 20"},
		{"max_addresses = 4;",
		 "x:3: grants.a.max_addresses: does not fit into grant lab: "
		 "addresses: more addresses: found 4, bound 3"},
		{"max_clients = 3;",
		 "x:3: grants.a.max_clients: does not fit into grant lab: "
		 "clients: more clients: found 3, bound 2"},
		{"queue = 65537;",
		 "x:3: grants.a.queue: does not fit into grant lab: queue: "
		 "longer queue: found 65537, bound 65536"},
		{"rate = { frames_per_s = 11; };",
		 "x:3: grants.a.rate: does not fit into grant lab: rate: rate "
		 "of "
		 "frames beyond: found 11, bound 10"},
		{"depth = 2;",
		 "x:3: grants.a.depth: does not fit into grant lab: "
		 "depth: more levels: found 3, bound 2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_does_not_fit(table[i][0], table[i][1]);
	/* In nanoseconds. */
	c.text[0] = '\0';
	assert_null(conf_file_parse(
		"grants = { a = { parent = \"lab\"; vlan = [ 5 ];\n"
		"mac = [ \"02:00:00:00:aa:01\" ];\n"
		"until = \"2027-01-31T12:00:01Z\"; };\n" LAB "};",
		"x", &c));
	assert_non_null(strstr(c.text, "x:3: grants.a.until: does not fit into "
				       "grant lab: until: ends later: found "));
	/* Two that each fit alone. */
	assert_refused(
		"grants = {\n" LAB
		"a = { parent = \"lab\"; mac = [ \"02:00:00:00:aa:01\" ]; "
		"vlan = [ 5 ]; max_clients = 1; };\n"
		"b = { parent = \"lab\"; mac = [ \"02:00:00:00:aa:02\" ]; "
		"vlan = [ 5 ]; max_clients = 2; }; };",
		"x:8: grants.b.max_clients: does not fit into grant lab: "
		"clients: clients are given or in use: found 2, bound 1");
}

static void
test_what_is_not_said_is_the_parents(void **state)
{
	json_t *config = parse(
		"grants = { b = { parent = \"a\"; vlan = [ 5 ];"
		" mac = [ \"02:00:00:00:aa:01\" ]; };"
		" a = { parent = \"lab\"; vlan = [ 5 ]; depth = 1;"
		" queue = 4096; mac = [ \"02:00:00:00:aa:00/40\" ]; };" LAB
		" };");
	const json_t *grants = json_object_get(config, "grants");
	json_t *whole = grant_whole(grants, json_object_get(grants, "b"));

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(whole, "queue")),
			 4096);
	assert_string_equal(json_string_value(json_object_get(whole, "until")),
			    "2027-01-31T12:00:00Z");
	assert_true(json_equal(json_object_get(whole, "rate"),
			       json_object_get(json_object_get(grants, "lab"),
					       "rate")));
	assert_null(json_object_get(whole, "ipv4"));
	json_decref(whole);
	json_decref(config);
}

static void
test_parents_are_a_tree(void **state)
{
	char text[2048] = "grants = {";

	(void)state;
	assert_refused("grants = { a = { parent = \"b\";\nmac = [ "
		       "\"02:00:00:00:00:01\" ]; };\nb = { parent = \"a\"; mac "
		       "= [ \"02:00:00:00:00:01\" ]; }; };",
		       "x:1: grants.a.parent: found \"b\", which is below a");
	for (int i = 0; i < 9; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "\ng%d = { %s%.*d%s mac = [ "
			       "\"02:00:00:00:00:01\" ]; depth = %d; };",
			       i, i ? "parent = \"g" : "", i ? 1 : 0,
			       i ? i - 1 : 0, i ? "\";" : "",
			       i < 8 ? 7 - i : 0);
	strcat(text, "};");
	assert_refused(text, "x:10: grants.g8.parent: found more than 7 levels "
			     "of grants above it");
	/* One less is not too many. */
	text[strstr(text, "\ng8") - text] = '\0';
	strcat(text, "};");
	json_decref(parse(text));
}

#define GRANT                                                                 \
	"grants = { a = { mac = [ \"02:00:00:00:00:01\" ]; queue = 4096; }; " \
	"};\n"

static void
test_ports_name_grants_that_there_are(void **state)
{
	static const char *const table[][2] = {
		{GRANT "ports = ({ type = \"tap\"; name = \"t\";\n"
		       "grant = \"b\"; });",
		 "x:3: ports[0].grant: there is no grant b"},
		{"ports = ({ type = \"stream\"; path = \"/s\";\n"
		 "grant = \"b\"; });",
		 "x:2: ports[0].grant: there is no grant b"},
		{GRANT "ports = ({ type = \"attach\"; name = \"t\";\n"
		       "allow = ({ user = 0; }, { user = 1;\n"
		       "grant = \"b\"; }); });",
		 "x:4: ports[0].allow[1].grant: there is no grant b"},
		{GRANT "ports = ({ type = \"uplink\"; name = \"t\";\n"
		       "grant = \"a\"; });",
		 "x:3: ports[0].grant: only a port of type tap, stream or "
		 "attach has this"},
		{GRANT
		 "ports = ({ type = \"tap\"; name = \"t\"; grant = \"a\";\n"
		 "queue_octets = 4097; });",
		 "x:3: ports[0].queue_octets: found 4097, expected at most "
		 "4096: that of grant a"},
		{GRANT
		 "ports = ({ type = \"tap\"; name = \"t\"; grant = \"a\"; "
		 "},\n{ type = \"tap\"; name = \"u\"; grant = \"a\"; });",
		 "x:3: ports[1].grant: found 2 ports with grant a, expected 1: "
		 "its max_clients, less those of grants below it"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_refused(table[i][0], table[i][1]);
	json_decref(parse(GRANT
			  "ports = ({ type = \"attach\"; name = \"t\"; grant = "
			  "\"a\"; allow = ({ user = 0; grant = \"a\"; }, { }); "
			  "}, { type = \"tap\"; name = \"u\"; grant = \"a\"; "
			  "queue_octets = 4096; });"));
}

static void
test_grants_are_bounded_by_the_switch(void **state)
{
	static const char two[] =
		"grants = { a = { mac = [ \"02:00:00:00:00:01\" ]; };\n"
		"b = { mac = [ \"02:00:00:00:00:01\" ]; }; };";
	char text[512];

	(void)state;
	(void)snprintf(text, sizeof(text), "switch = { max_ports = 1; };\n%s",
		       two);
	assert_refused(text, "x:2: grants: found 2 grants, expected at most 1 "
			     "(switch.max_ports)");
	(void)snprintf(text, sizeof(text),
		       "switch = { max_ports = 1; max_grants = 2; };\n%s", two);
	json_decref(parse(text));
	(void)snprintf(text, sizeof(text), "switch = { max_insns = 10; };\n%s",
		       two);
	c.text[0] = '\0';
	assert_null(conf_file_parse(text, "x", &c));
	assert_non_null(strstr(c.text, "x:2: grants.a: no more instructions in "
				       "this switch"));
}

static void
test_a_grant_is_set_from_text(void **state)
{
	json_t *grant = json_object(), *expected;

	(void)state;
	assert_int_equal(schema_set(SCHEMA_GRANT, grant,
				    "mac=02:00:00:00:00:01,02:00:00:00:00:02",
				    &c),
			 0);
	assert_int_equal(schema_set(SCHEMA_GRANT, grant, "may=dhcp", &c), 0);
	assert_int_equal(schema_set(SCHEMA_GRANT, grant, "vlan=5,7-9", &c), 0);
	assert_int_equal(
		schema_set(SCHEMA_GRANT, grant, "ethertype=0x88b5", &c), 0);
	assert_int_equal(
		schema_set(SCHEMA_GRANT, grant, "rate.frames_per_s=7", &c), 0);
	assert_int_equal(
		schema_set(SCHEMA_GRANT, grant, "rate.burst_frames=9", &c), 0);
	expected = json_loads(
		"{\"mac\": [\"02:00:00:00:00:01\", \"02:00:00:00:00:02\"],"
		" \"may\": [\"dhcp\"], \"vlan\": [\"5\", \"7-9\"],"
		" \"ethertype\": [34997], \"rate\": {\"frames_per_s\": 7,"
		" \"burst_frames\": 9}}",
		0, NULL);
	assert_true(json_equal(grant, expected));
	assert_int_not_equal(schema_set(SCHEMA_GRANT, grant, "rate=7", &c), 0);
	assert_string_equal(c.text, "rate: cannot be set so");
	assert_int_not_equal(schema_set(SCHEMA_GRANT, grant, "rate.fps=7", &c),
			     0);
	assert_int_not_equal(schema_set(SCHEMA_GRANT, grant, "mac.x=7", &c), 0);
	assert_int_equal(schema_set(SCHEMA_GRANT_CHANGES, grant, "rate=", &c),
			 0);
	assert_true(json_is_null(json_object_get(grant, "rate")));
	json_decref(expected);
	json_decref(grant);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_checked_one_by_one),
		cmocka_unit_test(test_values_are_written_as_they_usually_are),
		cmocka_unit_test(test_groups_are_addresses_of_ethernet),
		cmocka_unit_test(test_a_grant_is_read_as_it_is_said),
		cmocka_unit_test(test_until_is_a_time_anywhere),
		cmocka_unit_test(
			test_what_does_not_fit_is_refused_by_its_first_part),
		cmocka_unit_test(test_what_is_not_said_is_the_parents),
		cmocka_unit_test(test_parents_are_a_tree),
		cmocka_unit_test(test_ports_name_grants_that_there_are),
		cmocka_unit_test(test_grants_are_bounded_by_the_switch),
		cmocka_unit_test(test_a_grant_is_set_from_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
