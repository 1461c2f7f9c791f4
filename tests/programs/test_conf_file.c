/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_file.h"
#include "schema.h"
#include "support.h"

static struct complaint c;

/* A folder of its own for each test, which is the working directory. */
static int
enter_folder(void **state)
{
	static char folder[64];

	(void)snprintf(folder, sizeof(folder), "/tmp/conf_file.XXXXXX");
	*state = folder;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int
leave_folder(void **state)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r %s",
		       (const char *)*state);
	return chdir("/") || system(command);
}

static void
write_octets(const char *name, const char *octets, size_t len)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void
write_file(const char *name, const char *text)
{
	write_octets(name, text, strlen(text));
}

static void
assert_refused(const char *name, const char *complaint)
{
	c.text[0] = '\0';
	assert_null(conf_file_read(name, &c));
	assert_string_equal(c.text, complaint);
}

static void
assert_text_refused(const char *text, const char *complaint)
{
	c.text[0] = '\0';
	assert_null(conf_file_parse(text, "x", &c));
	assert_string_equal(c.text, complaint);
}

static json_t *
parse(const char *text)
{
	json_t *config = conf_file_parse(text, "x", &c);

	if (!config)
		fail_msg("%s", c.text);
	return config;
}

static void
assert_means(const char *text, const char *json)
{
	json_t *config = parse(text), *expected = json_loads(json, 0, NULL);

	assert_non_null(expected);
	assert_true(json_equal(config, expected));
	json_decref(expected);
	json_decref(config);
}

/* A port with one more line, or more. */
#define PORT(lines) "ports = (\n{ type = \"tap\"; name = \"a\";\n" lines "});"

static void
test_a_configuration_is_read(void **state)
{
	json_t *config;

	(void)state;
	write_file("a.conf",
		   "# All of it.\n"
		   "socket = \"/s\"; log : \"debug\" // and\n"
		   "cpu = 0, /* one\n more */ switch = { max_ports = 0x80;\n"
		   "pool_octets = 1073741824L; uplink_transit = TRUE;\n"
		   "forward_reserved = [ 14, 0 ]; };\n"
		   "ports = ({ type = \"tap\"; name = \"a\";\n"
		   "addresses = (\"10.0.0.1/\" \"24\");\n"
		   "filters = ({ name = \"f\"; side = \"in\";\n"
		   "verdict = \"drop\"; priority = 0xFFFFFFFF;\n"
		   "expr = \"ip\\x20and\\ttcp\"; }); });\n"
		   "fdb = ({ mac = \"02:00:00:00:00:01\"; port = \"a\"; }); #");
	config = conf_file_read("a.conf", &c);
	if (!config)
		fail_msg("%s", c.text);
	assert_string_equal(schema_string(config, "socket"), "/s");
	json_decref(config);
	assert_means("", "{}");
	assert_means("switch = { max_ports = 0x80; forward_reserved = "
		     "[14, 0]; };",
		     "{\"switch\": {\"max_ports\": 128,"
		     " \"forward_reserved\": [0, 14]}}");
	assert_means(PORT("filters = ({ name = \"f\"; side = \"in\";"
			  "verdict = \"drop\"; priority = 0xFFFFFFFF;"
			  "expr = \"ip\\x20and\\ttcp\"; });"),
		     "{\"ports\": [{\"type\": \"tap\", \"name\": \"a\","
		     "\"filters\": [{\"name\": \"f\", \"side\": \"in\","
		     "\"verdict\": \"drop\", \"priority\": 4294967295,"
		     "\"expr\": \"ip and\\ttcp\"}]}]}");
}

static void
test_a_complaint_says_file_and_line(void **state)
{
	(void)state;
	write_file("a.conf", PORT("mtu = 20;"));
	assert_refused("a.conf", "a.conf:3: ports[0].mtu: found 20, expected "
				 "68 to 65521");
	assert_text_refused("\n\nport = 1;",
			    "x:3: port: no such key; did you mean \"ports\"?");
	assert_text_refused("ports = (\n{type = \"tap\"; name = \"a\";},\n"
			    "{type = \"tap\";\nname = \"b\";\nfilters = (\n"
			    "{name = \"f\"; side = \"in\";\nverdict = "
			    "\"dorp\";})});",
			    "x:7: ports[1].filters[0].verdict: found "
			    "\"dorp\", expected pass or drop");
	assert_text_refused("ports = (\n\n{ name = \"a\"; });",
			    "x:3: ports[0]: there is no \"type\": tap, uplink, "
			    "stream or attach");
	assert_text_refused(PORT("addresses = [\n\"10.0.0.1/8\",\n\"b\" ];"),
			    "x:5: ports[0].addresses[1]: found \"b\", "
			    "expected ADDRESS/PREFIX, as in 10.0.0.1/24 or "
			    "fd00::1/64");
}

static void
test_errors_of_syntax_say_file_and_line(void **state)
{
	(void)state;
	assert_text_refused("log = \"info\";\n\ncpu 3;", "x:3: syntax error");
	assert_text_refused("cpu = 1;\ncpu = 1;",
			    "x:2: duplicate setting name");
	assert_text_refused("switch = {\nmax_ports = 3;\n",
			    "x:4: syntax error");
	assert_text_refused("cpu = 1;\n\"abc\ndef", "x:2: a text that does "
						    "not end");
	assert_text_refused("\n/* abc\ndef", "x:2: a comment that does not "
					     "end");
	assert_text_refused("fdb = [ 1, \"a\" ];",
			    "x:1: mismatched element type in array");
}

static void
test_numbers_that_libconfig_would_cut_are_refused(void **state)
{
	static const char *const wrong[] = {
		"4294968796",           "2147483648",
		"0x1000005DC",          "0X1000005dc",
		"9223372036854775808L", "99999999999999999999",
		"0x8000000000000000L"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(text, sizeof(text), "cpu =\n%s;", wrong[i]);
		assert_text_refused(text, "x:2: a number out of bounds: one of "
					  "more than 31 bits needs an \"L\" at "
					  "its end");
	}
	assert_text_refused("cpu = 2147483647;",
			    "x:1: cpu: found 2147483647, expected 0 to 65535");
	assert_text_refused("cpu = 0x00000000FFFFFFFF;",
			    "x:1: cpu: found 4294967295, expected 0 to 65535");
	assert_text_refused("cpu = 0x7FFFFFFFFFFFFFFFL;",
			    "x:1: cpu: found 9223372036854775807, expected 0 "
			    "to 65535");
	assert_text_refused("cpu = 1.5;", "x:1: cpu: found 1.5, expected a "
					  "number from 0 to 65535");
	assert_text_refused("cpu = 1e999;", "x:1: a number that is none");
	assert_text_refused("cpu = -1;",
			    "x:1: cpu: found -1, expected 0 to 65535");
}

static void
test_text_that_libconfig_would_cut_is_refused(void **state)
{
	(void)state;
	assert_text_refused("\nsocket = \"/a\\x00b\";", "x:2: a NUL in a text");
	assert_text_refused("\nsocket = \"/a\n\\X00b\";",
			    "x:3: a NUL in a text");
	assert_means("socket = \"/a\\\\x00b\";",
		     "{\"socket\": \"/a\\\\x00b\"}");
	assert_text_refused("\nsocket = \"/a\xff\";",
			    "x:2: text that is not UTF-8");
	write_octets("a.conf", "\ncpu = 1;\n\0 cpu = 2;", 20);
	assert_refused("a.conf", "a.conf:3: a NUL");
}

static void
test_brackets_in_texts_and_comments_are_none(void **state)
{
	(void)state;
	assert_means("/*/ ((((((((((((((((((((((( */", "{}");
	assert_means("# ((((((((((((((((((((((\n"
		     "// ((((((((((((((((((((((\n"
		     "/* (((((((((((((((((((((( \" */\n"
		     "socket = \"\\\"((((((((((((((((((((((@\\\\\"; # \"",
		     "{\"socket\": \"\\\"((((((((((((((((((((((@\\\\\"}");
}

static void
repeat(char *text, const char *piece, size_t n)
{
	const size_t len = strlen(piece);

	for (size_t i = 0; i < n; i++)
		memcpy(text + i * len, piece, len);
	text[n * len] = '\0';
}

static void
test_what_would_take_long_is_refused(void **state)
{
	static char text[(1 << 20) + 64];

	(void)state;
	repeat(text, "a=(", 1000);
	assert_text_refused(text, "x:1: groups and lists nested more than 16 "
				  "deep");
	repeat(text, "a={", 17);
	assert_text_refused(text, "x:1: groups and lists nested more than 16 "
				  "deep");
	repeat(text, "a={", 16);
	repeat(text + strlen(text), "};", 16);
	assert_text_refused(text, "x:1: a: no such key");
	repeat(text, "a=1;", 1025);
	assert_text_refused(text, "x:1: more than 1024 settings in a group");
	text[0] = '\0';
	for (int i = 0; i < 1024; i++)
		(void)sprintf(text + strlen(text), "%c%d=1;", 'a' + i % 26, i);
	assert_text_refused(text, "x:1: a0: no such key");
	memcpy(text, "fdb=(", 5);
	repeat(text + 5, "1,", 65536);
	memcpy(text + strlen(text), "1);", 4);
	assert_text_refused(text, "x:1: more than 65536 elements in a list");
	memcpy(text + 5 + 2 * 65535, "1);", 4);
	assert_text_refused(text, "x:1: fdb[0]: found 1, expected a group");
	memcpy(text, "a=((", 4);
	repeat(text + 4, "1,", 40000);
	memcpy(text + strlen(text), "1),(", 5);
	repeat(text + strlen(text), "1,", 40000);
	memcpy(text + strlen(text), "1));", 5);
	assert_text_refused(text, "x:1: a: no such key");
}

static void
test_what_is_no_file_is_refused(void **state)
{
	(void)state;
	assert_refused("none.conf", "none.conf: No such file or directory");
	assert_refused(".", ".: a directory, expected a file");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_refused("fifo", "fifo: no regular file");
	assert_refused("/dev/zero", "/dev/zero: no regular file");
	write_file("a.conf", "cpu = 1;");
	assert_int_equal(chmod("a.conf", 0), 0);
	if (geteuid() != 0)
		assert_refused("a.conf", "a.conf: Permission denied");
	/* One with holes. */
	assert_int_equal(chmod("a.conf", 0600), 0);
	assert_int_equal(truncate("a.conf", (16 << 20) + 1), 0);
	assert_refused("a.conf", "a.conf: more than 16 MiB");
	assert_int_equal(truncate("a.conf", INT64_C(1) << 40), 0);
	assert_refused("a.conf", "a.conf: more than 16 MiB");
}

static void
test_a_file_includes_others(void **state)
{
	char absolute[128];
	json_t *config;

	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(mkdir("d/e", 0700), 0);
	write_file("a.conf", "socket = \"/s\";\n"
			     "\t @include\t \"d/ports.conf\" log = \"debug\";\n"
			     "switch = {\n@include \"d/e/switch.conf\"\n};\n"
			     "# @include \"none\"\n"
			     "/*\n@include \"none\"\n*/");
	write_file("d/ports.conf", "ports = (\n@include \"e/port.conf\"\n);");
	write_file("d/e/port.conf", "{ type = \"tap\"; name = \"a\";"
				    "\nmtu = 100; }");
	write_file("d/e/switch.conf", "max_ports = 3;");
	config = conf_file_read("a.conf", &c);
	if (!config)
		fail_msg("%s", c.text);
	assert_string_equal(schema_string(config, "socket"), "/s");
	assert_string_equal(schema_string(config, "log"), "debug");
	assert_int_equal(schema_number(json_object_get(config, "switch"),
				       "max_ports"),
			 3);
	assert_int_equal(json_array_size(json_object_get(config, "ports")), 1);
	json_decref(config);

	(void)snprintf(absolute, sizeof(absolute),
		       "@include \"%s/d/ports.conf\"", (const char *)*state);
	write_file("d/e/absolute.conf", absolute);
	config = conf_file_read("d/e/absolute.conf", &c);
	if (!config)
		fail_msg("%s", c.text);
	json_decref(config);
}

static void
test_a_complaint_says_which_included_file(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	write_file("a.conf", "log = \"info\";\n@include \"d/b.conf\"\n"
			     "\ncpu = \"c\";");
	write_file("d/b.conf", "\n\nsocket = 3;\n");
	assert_refused("a.conf", "d/b.conf:3: socket: found 3, expected the "
				 "path of a Unix socket, 1 to 107 octets");
	write_file("d/b.conf", "socket = \"/s\";\n\n");
	assert_refused("a.conf", "a.conf:4: cpu: found \"c\", expected a "
				 "number from 0 to 65535");
	write_file("d/b.conf", "\nsocket 3;\n");
	assert_refused("a.conf", "d/b.conf:2: syntax error");
	write_file("d/b.conf", "\n\"");
	assert_refused("a.conf", "d/b.conf:2: a text that does not end");
	assert_int_equal(unlink("d/b.conf"), 0);
	assert_refused("a.conf", "a.conf:2: d/b.conf: No such file or "
				 "directory");
	assert_int_equal(mkfifo("d/b.conf", 0600), 0);
	assert_refused("a.conf", "a.conf:2: d/b.conf: no regular file");
}

static void
test_what_includes_itself_is_refused(void **state)
{
	(void)state;
	write_file("a.conf", "\n@include \"a.conf\"\n@include \"a.conf\"\n");
	assert_refused("a.conf", "a.conf:2: a.conf: files include one another "
				 "more than 8 deep");
	write_file("a.conf", "");
	write_file("b.conf", "");
	for (int i = 0; i < 40; i++) {
		FILE *f = fopen("a.conf", "a");

		assert_non_null(f);
		(void)fputs("@include \"b.conf\"\n", f);
		(void)fclose(f);
		f = fopen("b.conf", "a");
		assert_non_null(f);
		(void)fputs("@include \"c.conf\"\n", f);
		(void)fclose(f);
	}
	write_file("c.conf", "");
	assert_refused("a.conf", "b.conf:15: c.conf: more than 1000 files");
}

static void
test_an_include_has_a_form(void **state)
{
	(void)state;
	assert_text_refused("@include\n", "x:1: a \"@\" that begins no "
					  "@include");
	assert_text_refused("\n@include <a>\n", "x:2: expected @include "
						"\"PATH\"");
	assert_text_refused("@include \"a\n\"", "x:1: expected @include "
						"\"PATH\"");
	assert_text_refused("@include \"\"", "x:1: expected @include \"PATH\"");
	assert_text_refused("log = \"info\"; @include \"a\"",
			    "x:1: a \"@\" that begins no @include");
	assert_text_refused("@includes \"a\"", "x:1: a \"@\" that begins no "
					       "@include");
}

/* Random configurations, right by construction. */
struct draw {
	struct test_random random;
	json_t *config;
};

static bool
may(struct draw *d)
{
	return test_random_below(&d->random, 2);
}

static json_int_t
number(struct draw *d, json_int_t min, json_int_t max)
{
	const uint64_t r = (uint64_t)test_random(&d->random) << 32 |
			   test_random(&d->random);

	return may(d) ? (may(d) ? min : max)
		      : min + (json_int_t)(r % (uint64_t)(max - min + 1));
}

static void
may_set(struct draw *d, json_t *object, const char *key, json_t *value)
{
	assert_non_null(value);
	if (may(d))
		json_object_set(object, key, value);
	json_decref(value);
}

static json_t *
choice(struct draw *d, const char *a, const char *b)
{
	return json_string(may(d) ? a : b);
}

static json_t *
random_mac(struct draw *d)
{
	return json_sprintf("%02X:%02x:%02x:00:%02x:%02x",
			    2 + 4 * test_random_below(&d->random, 60),
			    test_random_below(&d->random, 256),
			    test_random_below(&d->random, 256),
			    test_random_below(&d->random, 256),
			    test_random_below(&d->random, 256));
}

/* What prints and what does not, but is UTF-8 without a NUL. */
static json_t *
random_path(struct draw *d)
{
	static const char *const pieces[] = {
		"/",  "a",  " ",  "\"", "\\",       "\n",   "\t", "\r",
		"\f", "\a", "\1", "#",  "\xc3\xbc", "\x7f", "@",  "\\x41",
		"//", "/*", "*/", "\v", "\x1b",     "%s"};
	char path[108] = "";

	for (uint32_t n = 1 + test_random_below(&d->random, 20); n; n--)
		strcat(path, pieces[test_random_below(
				     &d->random,
				     sizeof(pieces) / sizeof(pieces[0]))]);
	return json_string(path);
}

static json_t *
random_filters(struct draw *d)
{
	static const char *const exprs[] = {"", "ip and\n\ttcp",
					    "ip proto \\udp", "host 10.0.0.1",
					    "not (arp or ip6)"};
	json_t *filters = json_array();

	for (uint32_t i = test_random_below(&d->random, 4); i; i--) {
		json_t *filter = json_object();

		json_object_set_new(filter, "name", json_sprintf("f%u", i));
		json_object_set_new(filter, "side", choice(d, "in", "out"));
		json_object_set_new(filter, "verdict",
				    choice(d, "pass", "drop"));
		may_set(d, filter, "priority",
			json_integer(number(d, 0, UINT32_MAX)));
		may_set(d, filter, "expr",
			json_string(exprs[test_random_below(&d->random, 5)]));
		json_array_append_new(filters, filter);
	}
	return filters;
}

static json_t *
random_port(struct draw *d, unsigned int i)
{
	static const char *const types[] = {"tap", "uplink", "stream"};
	const uint32_t type = test_random_below(&d->random, 3);
	json_t *port = json_object();

	json_object_set_new(port, "name", json_sprintf("p%u", i));
	json_object_set_new(port, "type", json_string(types[type]));
	may_set(d, port, "role", choice(d, "vif", "uplink"));
	may_set(d, port, "mtu", json_integer(number(d, 68, 65521)));
	may_set(d, port, "queue_octets", json_integer(number(d, 2048, 65536)));
	may_set(d, port, "weight", json_integer(number(d, 1, 1024)));
	may_set(d, port, "default_in", choice(d, "pass", "drop"));
	may_set(d, port, "default_out", choice(d, "pass", "drop"));
	may_set(d, port, "filters", random_filters(d));
	if (type == 2) {
		json_object_set_new(port, "path", random_path(d));
		json_object_set_new(port, "mode", json_string("connect"));
		return port;
	}
	may_set(d, port, "interface", json_sprintf("i%u", i));
	may_set(d, port, "netns", random_path(d));
	may_set(d, port, "without", json_pack("[ss]", "uso", "csum"));
	if (type == 1) {
		may_set(d, port, "own_only", json_boolean(may(d)));
		return port;
	}
	may_set(d, port, "mode", choice(d, "create", "attach"));
	may_set(d, port, "mac", random_mac(d));
	may_set(d, port, "addresses",
		json_pack("[ss]", "FD00::1/64", "10.0.0.1/08"));
	may_set(d, port, "up", json_boolean(may(d)));
	may_set(d, port, "persist", json_boolean(may(d)));
	may_set(d, port, "owner", json_integer(number(d, 0, UINT32_MAX - 1)));
	return port;
}

static json_t *
random_config(struct draw *d)
{
	const unsigned int n = test_random_below(&d->random, 6);
	json_t *config = json_object(), *sw = json_object();
	json_t *ports = json_array(), *fdb = json_array();

	may_set(d, config, "socket", random_path(d));
	may_set(d, config, "log", choice(d, "info", "debug"));
	may_set(d, config, "cpu", json_integer(0));
	may_set(d, sw, "max_ports", json_integer(number(d, 6, 64)));
	may_set(d, sw, "fdb_entries", json_integer(number(d, 10, 1 << 24)));
	may_set(d, sw, "ageing_s", json_integer(number(d, 1, 1000000)));
	may_set(d, sw, "pool_octets",
		json_integer(number(d, 1 << 18, 1 << 30)));
	may_set(d, sw, "queue_octets", json_integer(number(d, 65536, 1 << 30)));
	may_set(d, sw, "forward_reserved", json_pack("[iii]", 14, 2, 0));
	may_set(d, sw, "uplink_transit", json_boolean(may(d)));
	for (unsigned int i = 0; i < n; i++)
		json_array_append_new(ports, random_port(d, i));
	for (unsigned int i = 0; i < n; i++)
		json_array_append_new(fdb, json_pack("{soso}", "mac",
						     random_mac(d), "port",
						     json_sprintf("p%u", i)));
	may_set(d, config, "switch", sw);
	if (may(d)) {
		json_object_set(config, "ports", ports);
		may_set(d, config, "fdb", json_incref(fdb));
	}
	json_decref(ports);
	json_decref(fdb);
	return config;
}

static void
test_what_is_written_reads_back(void **state)
{
	struct draw d = {.random = {.state = 1}};
	unsigned int nports = 0;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		json_t *drawn = random_config(&d), *again;
		json_t *config =
			schema_check(SCHEMA_CONFIG, drawn, NULL, NULL, &c);
		char *text;

		if (!config)
			fail_msg("%d: %s", i, c.text);
		text = conf_file_text(config);
		assert_non_null(text);
		assert_null(strstr(text, " \n"));
		again = parse(text);
		if (!json_equal(config, again))
			fail_msg("%d: not the same: %s", i, text);
		nports += (unsigned int)json_array_size(
			json_object_get(again, "ports"));
		free(text);
		json_decref(drawn);
		json_decref(config);
		json_decref(again);
	}
	assert_true(nports > 1000);
}

static void
test_what_is_no_configuration_has_no_text(void **state)
{
	json_t *value = json_pack("{sn}", "socket");

	(void)state;
	assert_null(conf_file_text(NULL));
	assert_null(conf_file_text(value));
	json_decref(value);
}

static void
test_a_thousand_ports_are_read(void **state)
{
	FILE *f = fopen("a.conf", "w");
	json_t *config;

	(void)state;
	assert_non_null(f);
	(void)fputs("switch = { max_ports = 1000; max_rules = 2000; };\n"
		    "ports = (\n",
		    f);
	for (int i = 0; i < 1000; i++)
		(void)fprintf(
			f,
			"%s{ name = \"tap%d\"; type = \"tap\"; netns = \"ns\";"
			"  mac = \"02:00:00:00:%02x:%02x\"; mtu = 1500;\n"
			"  addresses = [ \"10.%d.%d.1/24\" ];\n"
			"  filters = (\n"
			"    { name = \"a\"; side = \"in\"; verdict = "
			"\"drop\";\n"
			"      expr = \"icmp or (tcp port 80 and host "
			"10.0.%d.%d)\"; },\n"
			"    { name = \"b\"; side = \"out\"; verdict = "
			"\"pass\";\n"
			"      expr = \"not (udp and dst port %d)\"; } ); }",
			i ? ",\n" : "", i, i >> 8, i & 255, i >> 8, i & 255,
			i >> 8, i & 255, i + 1);
	(void)fputs(");\n", f);
	assert_int_equal(fclose(f), 0);
	config = conf_file_read("a.conf", &c);
	if (!config)
		fail_msg("%s", c.text);
	assert_int_equal(json_array_size(json_object_get(config, "ports")),
			 1000);
	json_decref(config);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_configuration_is_read),
		TEST(test_a_complaint_says_file_and_line),
		TEST(test_errors_of_syntax_say_file_and_line),
		TEST(test_numbers_that_libconfig_would_cut_are_refused),
		TEST(test_text_that_libconfig_would_cut_is_refused),
		TEST(test_brackets_in_texts_and_comments_are_none),
		TEST(test_what_would_take_long_is_refused),
		TEST(test_what_is_no_file_is_refused),
		TEST(test_a_file_includes_others),
		TEST(test_a_complaint_says_which_included_file),
		TEST(test_what_includes_itself_is_refused),
		TEST(test_an_include_has_a_form),
		TEST(test_what_is_written_reads_back),
		TEST(test_what_is_no_configuration_has_no_text),
		TEST(test_a_thousand_ports_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
