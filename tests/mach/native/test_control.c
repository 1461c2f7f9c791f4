/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "control_session.h"
#include "fake_host.h"
#include "support.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct test {
	struct test_alloc alloc;
	struct vnet_switch *sw;
	struct fake_host host;
	struct vnet_control_session session;
	char answer[1 << 20];
};

static int
set_up(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	test_alloc_init(&t->alloc);
	t->sw = test_switch(&t->alloc, 200);
	fake_host_init(&t->host, t->sw, &t->alloc.alloc);
	vnet_control_init(&t->session, &t->host.host);
	*state = t;
	return 0;
}

/* Behind a session that has been asked and has answered, nothing is held. */
static int
tear_down(void **state)
{
	struct test *t = *state;

	assert_null(t->session.input);
	assert_null(t->session.output);
	test_switch_end(t->sw, &t->alloc);
	free(t);
	return 0;
}

static char *
copy_of(const char *text)
{
	char *copy = malloc(strlen(text) + 1);

	assert_non_null(copy);
	return strcpy(copy, text);
}

/* All that is to be read, terminated. */
static const char *
read_all(struct test *t, size_t piece)
{
	size_t len = 0, n;

	do {
		n = fake_host_read(&t->session, t->answer + len, piece);
		len += n;
		assert_true(len < sizeof(t->answer));
	} while (n);
	t->answer[len] = '\0';
	return t->answer;
}

static const char *
ask(struct test *t, const char *request)
{
	assert_int_equal(
		vnet_control_write(&t->session, request, strlen(request)), 0);
	assert_int_equal(vnet_control_write(&t->session, "\n", 1), 0);
	return read_all(t, 4096);
}

static void
assert_answer(struct test *t, const char *request, const char *answer)
{
	const char *found = ask(t, request);
	size_t len = strlen(answer);

	if (strncmp(found, answer, len) != 0 || strcmp(found + len, "\n") != 0)
		fail_msg("%s: %s, expected %s", request, found, answer);
}

static void
assert_done(struct test *t, const char *request)
{
	assert_answer(t, request, "{\"ok\":true}");
}

/* Refused, in these words. */
static void
assert_error(struct test *t, const char *request, const char *error)
{
	char line[4096];

	snprintf(line, sizeof(line), "{\"ok\":false,\"error\":\"%s\"}", error);
	assert_answer(t, request, line);
}

/* In the answer, a line of JSON, there is that. */
static void
assert_tells(struct test *t, const char *request, const char *text)
{
	const char *answer = ask(t, request);
	struct vnet_json v;

	assert_int_equal(vnet_json_check(&v, answer, strlen(answer), NULL), 0);
	if (!strstr(answer, text))
		fail_msg("%s: %s: there is no %s", request, answer, text);
}

static struct vnet_json
result_of(const char *answer)
{
	struct vnet_json v = {NULL, NULL};

	assert_int_equal(vnet_json_check(&v, answer, strlen(answer), NULL), 0);
	assert_int_equal(vnet_json_type(vnet_json_get(v, "ok")),
			 VNET_JSON_TRUE);
	return vnet_json_get(v, "result");
}

static uint64_t
number_at(struct vnet_json v, const char *key)
{
	uint64_t n = 0;

	if (!vnet_json_number(vnet_json_get(v, key), &n))
		fail_msg("%s is no number", key);
	return n;
}

#define ADD_A                                                                 \
	"{\"do\":\"port "                                                     \
	"add\",\"port\":{\"type\":\"vif\",\"name\":\"a\",\"mac\":\"02:00:00:" \
	"00:00:0a\"}}"
#define ADD_B                                                                 \
	"{\"do\":\"port "                                                     \
	"add\",\"port\":{\"type\":\"vif\",\"name\":\"b\",\"mac\":\"02:00:00:" \
	"00:00:0b\"}}"

/*
 * Requests
 */

static void
test_what_is_no_request_is_refused_and_said(void **state)
{
	static const struct {
		const char *request;
		const char *error;
	} wrong[] = {
		{"{", "octet 1: found no key, expected one in quotes, "
		      "expected a JSON object on one line"},
		{"[]", "found no object, expected {\\\"do\\\": ...}"},
		{"7", "found no object, expected {\\\"do\\\": ...}"},
		{"{}", "\\\"do\\\": found nothing, expected a string"},
		{"{\"do\":1}", "\\\"do\\\": found a number, expected a string"},
		{"{\"do\":\"show\",\"x\":1}",
		 "show: found the key \\\"x\\\", expected none but "
		 "\\\"do\\\" and \\\"id\\\""},
		{"{\"do\":\"port del\",\"prot\":\"a\"}",
		 "port del: found the key \\\"prot\\\", expected port, "
		 "if_exists"},
		{"{\"do\":\"port del\"}", "port del: there is no \\\"port\\\""},
		{"{\"do\":\"port del\",\"port\":7}",
		 "port del.port: found 7, expected a text of 1 to 31 octets"},
		{"{\"do\":\"port del\",\"port\":\"\"}",
		 "port del.port: found \\\"\\\", expected a text of 1 to 31 "
		 "octets"},
		{"{\"do\":\"port del\",\"port\":"
		 "\"0123456789012345678901234567890123456789012345678\"}",
		 "port del.port: found "
		 "\\\"0123456789012345678901234567890123456789...\\\", "
		 "expected a text of 1 to 31 octets"},
		{"{\"do\":\"port del\",\"port\":\"a\"}", "there is no port a"},
		{"{\"do\":\"port del\",\"port\":\"\\u001b[2J\"}",
		 "there is no port ?[2J"},
		{"{\"do\":\"port del\",\"port\":\"a\",\"if_exists\":1}",
		 "port del.if_exists: found 1, expected true or false"},
	};
	struct test *t = *state;

	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_error(t, wrong[i].request, wrong[i].error);
	assert_tells(t, "{\"do\":\"portshow\"}",
		     "\\\"do\\\": found \\\"portshow\\\", expected one of "
		     "show, port show, ");
	assert_tells(t, "{\"do\":\"portshow\"}", ", stats\"");
}

static void
test_an_answer_has_the_id_of_its_request(void **state)
{
	struct test *t = *state;
	char request[1024], id[300];

	assert_answer(t, "{\"do\":\"fdb flush\",\"id\":7}",
		      "{\"id\":7,\"ok\":true}");
	assert_answer(t, "{\"id\":[1,{\"a\":null}],\"do\":\"fdb flush\"}",
		      "{\"id\":[1,{\"a\":null}],\"ok\":true}");
	assert_answer(t, "{\"do\":\"nothing\",\"id\":\"x\\n\"}",
		      "{\"id\":\"x\\n\",\"ok\":false,\"error\":\"\\\"do\\\": "
		      "found \\\"nothing\\\", expected one of show, port show, "
		      "port add, port del, port set, uplink give, client show, "
		      "client set, client del, fdb show, fdb add, fdb del, "
		      "fdb flush, filter show, filter add, filter set, "
		      "filter del, grant show, grant add, grant revoke, "
		      "limit show, limit set, limit del, stats\"}");
	memset(id, '1', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	snprintf(request, sizeof(request), "{\"do\":\"fdb flush\",\"id\":%s}",
		 id);
	assert_error(t, request, "id: found 299 octets, expected at most 256");
	id[256] = '\0';
	snprintf(request, sizeof(request), "{\"do\":\"fdb flush\",\"id\":%s}",
		 id);
	assert_non_null(strstr(ask(t, request), ",\"ok\":true}"));
}

/* Whatever the pieces, the same answers: of requests, and of answers. */
static void
test_requests_and_answers_come_in_any_pieces(void **state)
{
	static const char requests[] = ADD_A
		"\n\n" ADD_B "\n{\"do\":\"port show\",\"id\":1}\n{\"x\n{\"do\":"
		"\"stats\"}\n{\"do\":\"port del\",\"port\":\"a\"}\n"
		"{\"do\":\"port del\",\"port\":\"b\"}\n";
	struct test *t = *state;
	char *expected;

	assert_int_equal(
		vnet_control_write(&t->session, requests, strlen(requests)), 0);
	expected = copy_of(read_all(t, sizeof(t->answer) / 2));
	for (size_t in = 1; in < 40; in += 6)
		for (size_t out = 1; out < 300; out += 97) {
			/* The ids of ports have another generation. */
			char *id = strstr(expected, "\"id\":");
			const char *answer;

			for (size_t at = 0; at < strlen(requests); at += in) {
				size_t n = strlen(requests) - at;

				assert_int_equal(
					vnet_control_write(&t->session,
							   requests + at,
							   n < in ? n : in),
					0);
			}
			answer = read_all(t, out);
			assert_non_null(id);
			assert_int_equal(strlen(answer) > 1000, true);
			assert_memory_equal(answer, expected,
					    (size_t)(id - expected));
			assert_string_equal(strstr(answer, "{\"ok\":false"),
					    strstr(expected, "{\"ok\":false"));
		}
	free(expected);
}

static void
test_a_request_that_is_too_long_is_refused_and_the_next_one_is_not(void **state)
{
	struct test *t = *state;
	char *text = malloc(VNET_CONTROL_WRITE_MAX + 1);
	static const char error[] =
		"{\"ok\":false,\"error\":\"found a request of more than 65535 "
		"octets, expected a line\"}\n";

	memset(text, ' ', VNET_CONTROL_WRITE_MAX + 1);
	assert_int_equal(vnet_control_write(&t->session, text,
					    VNET_CONTROL_WRITE_MAX + 1),
			 -EMSGSIZE);
	/* At once, in pieces, and for ever. */
	for (int i = 0; i < 40; i++)
		assert_int_equal(vnet_control_write(&t->session, text,
						    VNET_CONTROL_WRITE_MAX / 4),
				 0);
	assert_string_equal(read_all(t, 100), error);
	assert_int_equal(vnet_control_write(&t->session, "x\n", 2), 0);
	assert_string_equal(read_all(t, 100), "");
	assert_done(t, "{\"do\":\"fdb flush\"}");
	/* The longest. */
	memcpy(text, "{\"do\":\"fdb flush\"}", 18);
	text[VNET_CONTROL_REQUEST_MAX] = '\n';
	assert_int_equal(vnet_control_write(&t->session, text,
					    VNET_CONTROL_REQUEST_MAX + 1),
			 0);
	assert_string_equal(read_all(t, 100), "{\"ok\":true}\n");
	text[VNET_CONTROL_REQUEST_MAX] = ' ';
	assert_int_equal(vnet_control_write(&t->session, text,
					    VNET_CONTROL_REQUEST_MAX + 1),
			 0);
	assert_int_equal(vnet_control_write(&t->session, "\n", 1), 0);
	assert_string_equal(read_all(t, 100), error);
	free(text);
}

/* Who asks and does not read is held up in the end, and holds a bounded piece of
 * memory; nothing of what was taken is lost. */
static void
test_who_does_not_read_is_held_up(void **state)
{
	static const char stats[] = "{\"do\":\"stats\"}\n";
	struct test *t = *state;
	unsigned int taken = 0, told = 0;
	size_t n;
	int r;

	while (!(r = vnet_control_write(&t->session, stats, strlen(stats)))) {
		taken++;
		assert_true(taken < 10000);
	}
	assert_int_equal(r, -ENOSPC);
	assert_true(taken > 100);
	assert_true(t->session.room <= 2 * VNET_CONTROL_WRITE_MAX);
	do {
		n = fake_host_read(&t->session, t->answer, 4096);
		for (size_t i = 0; i < n; i++)
			told += t->answer[i] == '\n';
	} while (n);
	assert_int_equal(told, taken);
}

static void
test_want_of_memory_is_said_and_nothing_is_lost(void **state)
{
	struct test *t = *state;

	for (unsigned long i = 1; i <= 2; i++) {
		t->alloc.fail_at = t->alloc.calls + i;
		assert_int_equal(vnet_control_write(&t->session, "{\"do\":", 6),
				 -ENOMEM);
		assert_int_equal(t->session.len, 0);
	}
	assert_int_equal(vnet_control_write(&t->session, "{\"do\":", 6), 0);
	assert_string_equal(ask(t, "\"fdb flush\"}"), "{\"ok\":true}\n");
}

/*
 * Ports
 */

static void
test_a_vif_is_added_shown_changed_and_removed(void **state)
{
	struct test *t = *state;
	struct vnet_json port;
	vnet_port_id id;
	const char *answer;

	assert_answer(t, "{\"do\":\"port show\"}",
		      "{\"ok\":true,\"result\":[]}");
	assert_done(t, "{\"do\":\"port add\",\"port\":{\"type\":\"vif\","
		       "\"name\":\"web0\",\"mac\":\"02-00-00-00-AB-01\","
		       "\"mtu\":1400,\"promisc\":true,\"max_clients\":3,"
		       "\"sticky\":true,\"siblings\":false,"
		       "\"default_out\":\"drop\"}}");
	id = vnet_port_find(t->sw, "web0");
	assert_true(id != VNET_NO_ID);
	assert_true(test_has_link(t->sw, id));
	answer = ask(t, "{\"do\":\"port show\",\"port\":\"web0\"}");
	port = result_of(answer);
	assert_int_equal(vnet_json_count(port), 1);
	assert_true(number_at((struct vnet_json){port.at + 1, port.end - 1},
			      "id") == id);
	assert_true(!strncmp(
		port.at,
		"[{\"name\":\"web0\",\"type\":\"vif\",\"role\":\"vif\","
		"\"mac\":\"02:00:00:00:ab:01\",\"mtu\":1400,"
		"\"addresses\":\"shared\",\"siblings\":false,"
		"\"max_clients\":3,\"promisc\":true,\"set_address\":false,"
		"\"grant\":null,\"sticky\":true,\"loop_guard\":false,"
		"\"default_in\":\"pass\",\"default_out\":\"drop\","
		"\"link\":\"up\",",
		strlen("[{\"name\":\"web0\",\"type\":\"vif\",\"role\":\"vif\","
		       "\"mac\":\"02:00:00:00:ab:01\",\"mtu\":1400,"
		       "\"addresses\":\"shared\",\"siblings\":false,"
		       "\"max_clients\":3,\"promisc\":true,"
		       "\"set_address\":false,\"grant\":null,"
		       "\"sticky\":true,"
		       "\"loop_guard\":false,\"default_in\":\"pass\","
		       "\"default_out\":\"drop\",\"link\":\"up\",")));

	assert_done(t, "{\"do\":\"port set\",\"port\":\"web0\",\"set\":{"
		       "\"mtu\":1500,\"up\":false,\"sticky\":false,"
		       "\"siblings\":true,\"loop_guard\":true,"
		       "\"default_out\":\"pass\",\"default_in\":\"drop\","
		       "\"promisc\":false,\"set_address\":true,"
		       "\"max_clients\":7}}");
	assert_tells(t, "{\"do\":\"port show\"}",
		     "\"mtu\":1500,\"addresses\":\"shared\","
		     "\"siblings\":true,\"max_clients\":7,\"promisc\":false,"
		     "\"set_address\":true,\"grant\":null,\"sticky\":false,"
		     "\"loop_guard\":true,\"default_in\":\"drop\","
		     "\"default_out\":\"pass\",\"link\":\"down\",");
	assert_false(test_has_link(t->sw, id));

	assert_done(t, "{\"do\":\"port del\",\"port\":\"web0\"}");
	assert_true(vnet_port_find(t->sw, "web0") == VNET_NO_ID);
	assert_int_equal(t->host.vifs[0].port, VNET_NO_ID);
	assert_error(t, "{\"do\":\"port del\",\"port\":\"web0\"}",
		     "there is no port web0");
	assert_done(t, "{\"do\":\"port del\",\"port\":\"web0\","
		       "\"if_exists\":true}");
}

static void
test_a_port_that_is_wrong_leaves_nothing_behind(void **state)
{
	static const struct {
		const char *port;
		const char *error;
	} wrong[] = {
		{"{}", "there is no \\\"name\\\""},
		{"{\"name\":\"a\"}", "there is no \\\"type\\\""},
		{"{\"name\":\"a\",\"type\":\"tap\"}",
		 "type: found \\\"tap\\\", expected vif or uplink"},
		{"{\"name\":\"a/0\",\"type\":\"vif\"}",
		 "name: found \\\"a/0\\\", expected 1 to 31 of A-Z a-z 0-9 . _ "
		 ": @ -"},
		{"{\"name\":\"a\",\"type\":\"vif\"}",
		 "there is no \\\"mac\\\" and no \\\"grant\\\""},
		{"{\"name\":\"a\",\"type\":\"vif\",\"mac\":\"01:00:00:00:00:"
		 "00\"}",
		 "mac: found \\\"01:00:00:00:00:00\\\", expected an address as "
		 "02:00:00:00:00:01, of a station and not zero"},
		{"{\"name\":\"a\",\"type\":\"vif\",\"mac\":\"02:00:00:00:00:"
		 "0a\",\"mtu\":67}",
		 "mtu: found 67, expected 68 to 65535"},
		{"{\"name\":\"a\",\"type\":\"vif\",\"mac\":\"02:00:00:00:00:"
		 "0a\",\"mtu\":-1500}",
		 "mtu: found -1500, expected 68 to 65535"},
		{"{\"name\":\"a\",\"type\":\"vif\",\"mac\":\"02:00:00:00:00:"
		 "0a\",\"interface\":\"eth0\"}",
		 "interface: only a port of type uplink has this"},
		{"{\"name\":\"a\",\"type\":\"uplink\",\"mac\":\"02:00:00:00:"
		 "00:0a\"}",
		 "mac: only a port of type vif has this"},
		{"{\"name\":\"a\",\"type\":\"uplink\"}",
		 "there is no \\\"interface\\\""},
		{"{\"name\":\"a\",\"type\":\"uplink\",\"interface\":\"eth0\"}",
		 "an uplink needs a send right to its device, or to what opens "
		 "it: it comes in a message with the request"},
		{"{\"name\":\"a\",\"type\":\"vif\",\"mac\":\"02:00:00:00:00:"
		 "0a\",\"filters\":[{\"name\":\"f\",\"side\":\"in\","
		 "\"verdict\":\"drop\"},{\"name\":\"g\",\"side\":\"in\","
		 "\"verdict\":\"drop\",\"insns\":[[6,0,0]]}]}",
		 "filters[1].insns[0]: expected an instruction as "
		 "[code, jt, jf, k], of 16, 8, 8 and 32 bits"},
		{"{\"name\":\"a\",\"type\":\"vif\",\"mac\":\"02:00:00:00:00:"
		 "0a\",\"limits\":[{\"side\":\"in\"}]}",
		 "limits[0]: there is no \\\"frames_per_s\\\" and no "
		 "\\\"octets_per_s\\\""},
	};
	struct test *t = *state;
	char request[1024];

	for (size_t i = 0; i < COUNT(wrong); i++) {
		snprintf(request, sizeof(request),
			 "{\"do\":\"port add\",\"port\":%s}", wrong[i].port);
		assert_error(t, request, wrong[i].error);
		assert_true(vnet_port_next(t->sw, VNET_NO_ID) == VNET_NO_ID);
	}
	t->host.refuse = -EINVAL;
	assert_error(t, ADD_A, "port a: the test has it so: found 2, bound 3");
	assert_true(vnet_port_next(t->sw, VNET_NO_ID) == VNET_NO_ID);
	assert_done(t, ADD_A);
	assert_error(t, ADD_A, "port a exists");
	assert_done(t, "{\"do\":\"port add\",\"may_exist\":true,\"port\":{"
		       "\"type\":\"uplink\",\"name\":\"a\","
		       "\"interface\":\"eth0\"}}");
	assert_error(t,
		     "{\"do\":\"port set\",\"port\":\"a\","
		     "\"set\":{\"mtu\":4088}}",
		     "mtu: found 4088, expected no more than 4087 of a vif");
	assert_error(t,
		     "{\"do\":\"port set\",\"port\":\"a\","
		     "\"set\":{\"name\":\"b\"}}",
		     "found the key \\\"name\\\", expected mtu, siblings, "
		     "max_clients, promisc, set_address, grant, up, sticky, "
		     "loop_guard, default_in, default_out");
}

static void
test_many_ports_are_told_in_several_lines(void **state)
{
	struct test *t = *state;
	unsigned int rows = 0, lines = 0;
	const char *answer;
	char name[32];

	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "port%d", i);
		test_port(t->sw, name);
	}
	answer = ask(t, "{\"do\":\"port show\",\"id\":\"x\"}");
	while (*answer) {
		const char *end = strchr(answer, '\n');
		struct vnet_json v;
		bool more;

		assert_non_null(end);
		assert_int_equal(vnet_json_check(&v, answer,
						 (size_t)(end - answer), NULL),
				 0);
		assert_true(vnet_json_is(vnet_json_get(v, "id"), "x"));
		rows += (unsigned int)vnet_json_count(
			vnet_json_get(v, "result"));
		lines++;
		more = vnet_json_type(vnet_json_get(v, "more")) ==
		       VNET_JSON_TRUE;
		assert_int_equal(more, end[1] != '\0');
		answer = end + 1;
	}
	assert_int_equal(rows, 150);
	assert_int_equal(lines, 3);
}

/* Ports come and go while they are shown: those that stay are all there, once. */
static void
test_ports_come_and_go_while_they_are_shown(void **state)
{
	static const char request[] = "{\"do\":\"stats\"}\n";
	struct test *t = *state;
	vnet_port_id ids[150];
	char name[32], *p;
	size_t len = 0, n;

	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "port%d", i);
		ids[i] = test_port(t->sw, name);
	}
	assert_int_equal(
		vnet_control_write(&t->session, request, strlen(request)), 0);
	for (int i = 0; i < 150; i += 2) {
		n = fake_host_read(&t->session, t->answer + len, 1000);
		assert_int_equal(n, 1000);
		len += n;
		vnet_port_remove(t->sw, ids[i]);
	}
	do {
		n = fake_host_read(&t->session, t->answer + len, 1000);
		len += n;
	} while (n);
	t->answer[len] = '\0';
	assert_int_equal(
		vnet_json_type(vnet_json_get(result_of(t->answer), "balanced")),
		VNET_JSON_TRUE);
	for (int i = 1; i < 150; i += 2) {
		snprintf(name, sizeof(name), "\"name\":\"port%d\"", i);
		p = strstr(t->answer, name);
		assert_non_null(p);
		assert_null(strstr(p + 1, name));
	}
}

/*
 * Uplinks
 */

static const char *
run(struct test *t, const char *request, struct vnet_control_right *right,
    size_t room)
{
	size_t n = vnet_control_run(&t->host.host, request, strlen(request),
				    right, t->answer, room);

	assert_true(n <= room);
	t->answer[n] = '\0';
	return t->answer;
}

static void
test_an_uplink_takes_the_right_that_its_request_brings(void **state)
{
	static const char add[] =
		"{\"do\":\"port add\",\"id\":1,\"port\":{\"type\":\"uplink\","
		"\"name\":\"ext\",\"interface\":\"eth0\","
		"\"share_address\":\"fallback\",\"own_only\":true}}";
	static const char give[] = "{\"do\":\"uplink give\",\"port\":\"ext\","
				   "\"right\":\"device\"}";
	struct test *t = *state;
	struct vnet_control_right right = {.name = 77};

	t->host.refuse = -EINVAL;
	assert_string_equal(run(t, add, &right, 1024),
			    "{\"id\":1,\"ok\":false,\"error\":\"port ext: the "
			    "test has it so: found 2, bound 3\"}\n");
	assert_int_equal(right.name, 77);
	assert_true(vnet_port_find(t->sw, "ext") == VNET_NO_ID);
	assert_string_equal(run(t, add, &right, 1024),
			    "{\"id\":1,\"ok\":true}\n");
	assert_int_equal(right.name, 0);
	assert_int_equal(t->host.uplinks[0].right.name, 77);
	assert_false(t->host.uplinks[0].right.is_device);
	assert_string_equal(t->host.uplinks[0].uplink.name, "eth0");
	assert_true(t->host.uplinks[0].uplink.may_share);
	assert_true(t->host.uplinks[0].uplink.no_promisc);
	assert_false(t->host.uplinks[0].uplink.is_shared);
	assert_tells(t, "{\"do\":\"port show\"}",
		     "\"type\":\"uplink\",\"role\":\"uplink\"");
	assert_tells(t, "{\"do\":\"port show\"}",
		     "\"medium\":{\"kind\":\"device\",\"interface\":\"eth0\","
		     "\"mac\":\"00:00:00:00:00:00\",\"mtu\":0,\"up\":false,"
		     "\"state\":\"opening\",\"error\":0,");
	assert_tells(t, "{\"do\":\"client show\"}",
		     "{\"client\":\"ext\",\"port\":\"ext\",\"index\":0,");

	assert_error(t, give,
		     "there is no right: it comes in a message with the "
		     "request");
	right.name = 78;
	t->host.refuse = -EINVAL;
	assert_string_equal(run(t, give, &right, 1024),
			    "{\"ok\":false,\"error\":\"port ext: that is no "
			    "send right to another\"}\n");
	assert_int_equal(right.name, 78);
	assert_string_equal(run(t, give, &right, 1024), "{\"ok\":true}\n");
	assert_int_equal(right.name, 0);
	assert_int_equal(t->host.uplinks[0].right.name, 78);
	assert_true(t->host.uplinks[0].right.is_device);
	/* A right that is not needed is not taken. */
	right.name = 79;
	run(t, ADD_A, &right, 1024);
	assert_int_equal(right.name, 79);
	run(t, "{\"do\":\"uplink give\",\"port\":\"a\"}", &right, 1024);
	assert_string_equal(t->answer, "{\"ok\":false,\"error\":\"port a is no "
				       "uplink of a device\"}\n");
	assert_int_equal(right.name, 79);
	assert_int_equal(t->host.ntaken, 2);
	assert_error(t,
		     "{\"do\":\"port set\",\"port\":\"ext\","
		     "\"set\":{\"up\":true}}",
		     "up: only a port of type vif has this");
	assert_error(t, "{\"do\":\"client del\",\"client\":\"ext\"}",
		     "client ext goes with its port");
	assert_done(t, "{\"do\":\"port del\",\"port\":\"ext\"}");
	assert_int_equal(t->host.uplinks[0].port, VNET_NO_ID);
	assert_done(t, "{\"do\":\"port del\",\"port\":\"a\"}");
}

static void
test_an_answer_that_does_not_fit_a_message_is_an_error(void **state)
{
	struct vnet_control_right right = {.name = 0};
	struct test *t = *state;

	assert_done(t, ADD_A);
	assert_string_equal(
		run(t, "{\"do\":\"stats\",\"id\":9}", &right, 512),
		"{\"id\":9,\"ok\":false,\"error\":\"the answer is too long for "
		"a message\"}\n");
	assert_string_equal(run(t, "{\"do\":\"stats\"}", &right, 10), "");
	assert_int_equal(vnet_json_type(result_of(
				 run(t, "{\"do\":\"stats\"}", &right, 65536))),
			 VNET_JSON_OBJECT);
	assert_done(t, "{\"do\":\"port del\",\"port\":\"a\"}");
}

/*
 * Filters
 */

#define IPV4 "[[40,0,0,12],[21,0,1,2048],[6,0,0,65535],[6,0,0,0]]"

static void
send_ipv4(struct test *t, vnet_client_id from)
{
	struct vnet_frame f = test_frame(0xb, 0xa, 60);
	uint8_t octets[60];

	memcpy(octets, f.data, 60);
	octets[12] = 0x08;
	octets[13] = 0x00;
	f.data = octets;
	vnet_switch_input(t->sw, from, &f, 1, t->host.now);
}

static void
test_filters_are_added_run_shown_and_removed(void **state)
{
	struct test *t = *state;
	vnet_client_id a, b;

	assert_done(t, ADD_A);
	assert_done(t, ADD_B);
	a = fake_host_open(&t->host, "a");
	b = fake_host_open(&t->host, "b");
	assert_true(a != VNET_NO_ID && b != VNET_NO_ID);
	send_ipv4(t, a);
	assert_int_equal(t->host.facets[1].frames, 1);

	assert_done(t, "{\"do\":\"filter add\",\"port\":\"a\",\"filter\":{"
		       "\"name\":\"no-ip\",\"side\":\"in\",\"priority\":10,"
		       "\"verdict\":\"drop\",\"insns\":" IPV4 "}}");
	send_ipv4(t, a);
	assert_int_equal(t->host.facets[1].frames, 1);
	assert_answer(
		t, "{\"do\":\"filter show\",\"port\":\"a\"}",
		"{\"ok\":true,\"result\":[{\"name\":\"no-ip\",\"priority\":10,"
		"\"verdict\":\"drop\",\"hits\":1,\"insns\":4,\"port\":\"a\","
		"\"side\":\"in\"},{\"verdict\":\"pass\",\"hits\":0,"
		"\"default\":true,\"port\":\"a\",\"side\":\"in\"},"
		"{\"verdict\":\"pass\",\"hits\":0,\"default\":true,"
		"\"port\":\"a\",\"side\":\"out\"}]}");
	assert_error(t,
		     "{\"do\":\"filter add\",\"port\":\"a\",\"filter\":{"
		     "\"name\":\"no-ip\",\"side\":\"in\","
		     "\"verdict\":\"drop\"}}",
		     "port a has a filter no-ip on this side");
	assert_done(t, "{\"do\":\"filter add\",\"may_exist\":true,"
		       "\"port\":\"a\",\"filter\":{\"name\":\"no-ip\","
		       "\"side\":\"in\",\"verdict\":\"drop\"}}");
	assert_done(t, "{\"do\":\"filter del\",\"port\":\"a\","
		       "\"side\":\"in\",\"name\":\"no-ip\"}");
	assert_error(t,
		     "{\"do\":\"filter del\",\"port\":\"a\",\"side\":\"in\","
		     "\"name\":\"no-ip\"}",
		     "port a has no filter no-ip on side in");
	assert_done(t, "{\"do\":\"filter del\",\"port\":\"a\","
		       "\"side\":\"in\",\"name\":\"no-ip\","
		       "\"if_exists\":true}");
	send_ipv4(t, a);
	assert_int_equal(t->host.facets[1].frames, 2);

	/* Of all ports those that are theirs. */
	assert_int_equal(
		vnet_json_count(result_of(ask(t, "{\"do\":\"filter show\"}"))),
		4);

	/* What a client gets itself. */
	assert_done(t, "{\"do\":\"filter add\",\"port\":\"b/0\",\"filter\":{"
		       "\"name\":\"own\",\"side\":\"receive_in\","
		       "\"verdict\":\"drop\",\"insns\":" IPV4 "}}");
	send_ipv4(t, a);
	assert_int_equal(t->host.facets[1].frames, 2);
	assert_tells(t, "{\"do\":\"filter show\",\"port\":\"b/0\"}",
		     "[{\"name\":\"own\",\"priority\":0,\"verdict\":\"drop\","
		     "\"hits\":1,\"insns\":4,\"port\":\"b/0\","
		     "\"side\":\"receive_in\"},{");
	assert_error(t,
		     "{\"do\":\"filter add\",\"port\":\"b/0\",\"filter\":{"
		     "\"name\":\"x\",\"side\":\"in\",\"verdict\":\"drop\"}}",
		     "side: found \\\"in\\\", expected \\\"receive_in\\\" or "
		     "\\\"receive_out\\\"");
	assert_error(t, "{\"do\":\"filter show\",\"port\":\"b/1\"}",
		     "there is no client \\\"b/1\\\"");
	assert_error(t, "{\"do\":\"filter show\",\"port\":\"b/00x\"}",
		     "there is no client \\\"b/00x\\\"");
	assert_error(t, "{\"do\":\"filter show\",\"port\":\"b/4294967296\"}",
		     "there is no client \\\"b/4294967296\\\"");
}

static void
test_a_chain_is_replaced_as_a_whole_or_not_at_all(void **state)
{
	struct test *t = *state;
	const char *chain = "{\"do\":\"filter show\",\"port\":\"a\"}";
	char *before;

	assert_done(t, ADD_A);
	assert_done(t, "{\"do\":\"filter set\",\"port\":\"a\","
		       "\"side\":\"out\",\"default\":\"drop\",\"filters\":["
		       "{\"name\":\"two\",\"priority\":2,\"verdict\":\"pass\","
		       "\"insns\":" IPV4 "},"
		       "{\"name\":\"one\",\"priority\":1,\"verdict\":\"drop\","
		       "\"insns\":[[6,0,0,1]]}]}");
	assert_tells(t, chain,
		     "{\"name\":\"one\",\"priority\":1,\"verdict\":\"drop\","
		     "\"hits\":0,\"insns\":1,\"port\":\"a\",\"side\":\"out\"},"
		     "{\"name\":\"two\",\"priority\":2,\"verdict\":\"pass\","
		     "\"hits\":0,\"insns\":4,\"port\":\"a\",\"side\":\"out\"},"
		     "{\"verdict\":\"drop\",\"hits\":0,\"default\":true,");
	before = copy_of(ask(t, chain));
	assert_tells(t,
		     "{\"do\":\"filter set\",\"port\":\"a\",\"side\":\"out\","
		     "\"filters\":[{\"name\":\"x\",\"verdict\":\"pass\"},"
		     "{\"name\":\"y\",\"verdict\":\"pass\","
		     "\"insns\":[[40,0,0,12]]}]}",
		     "\"port a: filter y: ");
	assert_error(t,
		     "{\"do\":\"filter set\",\"port\":\"a\",\"side\":\"out\","
		     "\"filters\":[{\"name\":\"x\",\"verdict\":\"pass\"},"
		     "{\"name\":\"x\",\"verdict\":\"pass\"}]}",
		     "port a has a filter x on this side");
	assert_error(t,
		     "{\"do\":\"filter set\",\"port\":\"a\",\"side\":\"out\","
		     "\"filters\":[{\"name\":\"x\",\"side\":\"in\","
		     "\"verdict\":\"pass\"}]}",
		     "filters[0]: found the key \\\"side\\\", expected name, "
		     "priority, verdict, insns");
	assert_string_equal(ask(t, chain), before);
	/* The default stays, where none is said. */
	assert_done(t, "{\"do\":\"filter set\",\"port\":\"a\","
		       "\"side\":\"out\",\"filters\":[]}");
	assert_tells(t, chain,
		     "\"side\":\"in\"},{\"verdict\":\"drop\",\"hits\":0,"
		     "\"default\":true,\"port\":\"a\",\"side\":\"out\"}]");
	free(before);
}

/*
 * Limits, clients, addresses
 */

static void
test_limits_are_set_shown_and_taken_away(void **state)
{
	struct test *t = *state;
	vnet_client_id a;

	assert_done(t, ADD_A);
	assert_done(t, ADD_B);
	a = fake_host_open(&t->host, "a");
	fake_host_open(&t->host, "b");
	assert_done(t, "{\"do\":\"limit set\",\"owner\":\"a/0\",\"limit\":{"
		       "\"side\":\"in\",\"frames_per_s\":1,"
		       "\"burst_frames\":2}}");
	assert_done(t, "{\"do\":\"limit set\",\"owner\":\"a\",\"limit\":{"
		       "\"side\":\"out\",\"traffic\":\"broadcast\","
		       "\"octets_per_s\":1000,\"burst_octets\":70000}}");
	for (int i = 0; i < 5; i++)
		send_ipv4(t, a);
	assert_int_equal(t->host.facets[1].frames, 2);
	assert_answer(
		t, "{\"do\":\"limit show\"}",
		"{\"ok\":true,\"result\":[{\"owner\":\"a\",\"side\":\"out\","
		"\"traffic\":\"broadcast\",\"octets_per_s\":1000,"
		"\"burst_octets\":70000,\"dropped\":{\"frames\":0,"
		"\"octets\":0}},{\"owner\":\"a/0\",\"side\":\"in\","
		"\"traffic\":\"all\",\"frames_per_s\":1,\"burst_frames\":2,"
		"\"dropped\":{\"frames\":3,\"octets\":180}}]}");
	assert_tells(t, "{\"do\":\"limit show\",\"owner\":\"a/0\"}",
		     "\"result\":[{\"owner\":\"a/0\"");
	assert_answer(t, "{\"do\":\"limit show\",\"owner\":\"b\"}",
		      "{\"ok\":true,\"result\":[]}");
	assert_error(t,
		     "{\"do\":\"limit set\",\"owner\":\"a\",\"limit\":{"
		     "\"side\":\"in\",\"frames_per_s\":1,"
		     "\"burst_octets\":2}}",
		     "burst_octets: there is no \\\"octets_per_s\\\" beside "
		     "it");
	assert_error(t,
		     "{\"do\":\"limit set\",\"owner\":\"a\",\"limit\":{"
		     "\"side\":\"in\",\"frames_per_s\":0}}",
		     "frames_per_s: found 0, expected 1 to 1099511627776");
	assert_error(t,
		     "{\"do\":\"limit set\",\"owner\":\"a\",\"limit\":{"
		     "\"side\":\"in\",\"frames_per_s\":"
		     "99999999999999999999}}",
		     "frames_per_s: found 99999999999999999999, expected 1 to "
		     "1099511627776");
	assert_error(t,
		     "{\"do\":\"limit set\",\"owner\":\"c\",\"limit\":{"
		     "\"side\":\"in\",\"frames_per_s\":1}}",
		     "there is no port c");
	assert_done(t, "{\"do\":\"limit del\",\"owner\":\"a/0\","
		       "\"side\":\"in\",\"traffic\":\"all\"}");
	assert_error(t,
		     "{\"do\":\"limit del\",\"owner\":\"a/0\",\"side\":\"in\","
		     "\"traffic\":\"all\"}",
		     "a/0 has no limit in all");
	assert_done(t, "{\"do\":\"limit del\",\"owner\":\"a/0\","
		       "\"side\":\"in\",\"traffic\":\"all\","
		       "\"if_exists\":true}");
	assert_error(t,
		     "{\"do\":\"limit del\",\"owner\":\"a\",\"side\":\"in\","
		     "\"traffic\":\"some\"}",
		     "limit del.traffic: found \\\"some\\\", expected all, "
		     "broadcast, multicast or unknown");
	send_ipv4(t, a);
	assert_int_equal(t->host.facets[1].frames, 3);
}

/* One goes between two pieces: those of the next one are all there. */
static void
test_clients_go_while_their_limits_are_shown(void **state)
{
	static const char request[] = "{\"do\":\"limit show\"}";
	struct vnet_control_right none = {.name = 0};
	struct vnet_control_walk walk;
	struct vnet_json_writer w;
	struct vnet_complaint c;
	struct vnet_json id;
	struct test *t = *state;
	char limit[128];

	assert_done(t, ADD_A);
	for (int i = 0; i < 4; i++) {
		if (i < 2)
			fake_host_open(&t->host, "a");
		snprintf(limit, sizeof(limit),
			 "{\"do\":\"limit set\",\"owner\":\"a/%d\",\"limit\":{"
			 "\"side\":\"%s\",\"frames_per_s\":1}}",
			 i % 2, i < 2 ? "in" : "out");
		assert_done(t, limit);
	}
	assert_int_equal(vnet_control_request(&t->host.host, request,
					      strlen(request), &none, &id,
					      &walk, &c),
			 0);
	for (int i = 0; i < 2; i++) {
		enum vnet_control_step step;

		w = (struct vnet_json_writer){.text = t->answer, .room = 4096};
		do
			step = walk.next(&t->host.host, &walk, &w);
		while (step == VNET_CONTROL_AGAIN);
		assert_int_equal(step, VNET_CONTROL_PUT);
		t->answer[w.len] = '\0';
		assert_non_null(
			strstr(t->answer, i ? "\"a/1\",\"side\":\"in\""
					    : "\"a/0\",\"side\":\"in\""));
		if (!i)
			assert_done(t, "{\"do\":\"client del\","
				       "\"client\":\"a/0\"}");
	}
}

static void
test_clients_are_shown_changed_and_ended(void **state)
{
	struct test *t = *state;
	vnet_client_id first, second;

	assert_done(t, ADD_A);
	assert_answer(t, "{\"do\":\"client show\",\"port\":\"a\"}",
		      "{\"ok\":true,\"result\":[]}");
	assert_error(t, "{\"do\":\"client del\",\"client\":\"a\"}",
		     "port a has no client");
	first = fake_host_open(&t->host, "a");
	second = fake_host_open(&t->host, "a");
	assert_error(t, "{\"do\":\"client del\",\"client\":\"a\"}",
		     "port a has several clients: which one? a/0 is one");
	assert_done(t, "{\"do\":\"client set\",\"client\":\"a/1\","
		       "\"changes\":{\"queue_octets\":4096,\"weight\":7,"
		       "\"max_addresses\":3}}");
	assert_answer(
		t, "{\"do\":\"client show\",\"port\":\"a/1\"}",
		"{\"ok\":true,\"result\":[{\"client\":\"a/1\",\"port\":\"a\","
		"\"index\":1,\"mac\":\"02:00:00:00:00:0a\",\"filters\":1,"
		"\"reads\":2,\"flags\":4675,\"queue_octets\":4096,"
		"\"weight\":7,\"max_addresses\":3,\"accept\":\"all\","
		"\"grant\":null}]}");
	assert_int_equal(
		vnet_json_count(result_of(ask(t, "{\"do\":\"client show\"}"))),
		2);
	assert_error(t,
		     "{\"do\":\"client set\",\"client\":\"a/1\","
		     "\"changes\":{\"accept\":\"own\"}}",
		     "found the key \\\"accept\\\", expected queue_octets, "
		     "weight, max_addresses");
	assert_error(t,
		     "{\"do\":\"client set\",\"client\":\"a/1\","
		     "\"changes\":{\"queue_octets\":1000000000}}",
		     "queue_octets: found 1000000000, expected no more than "
		     "the switch's");
	assert_done(t, "{\"do\":\"client del\",\"client\":\"a/0\"}");
	assert_true(vnet_client_port(t->sw, first) == VNET_NO_ID);
	assert_true(vnet_client_port(t->sw, second) != VNET_NO_ID);
	assert_error(t, "{\"do\":\"client del\",\"client\":\"a/0\"}",
		     "there is no client \\\"a/0\\\"");
	assert_done(t, "{\"do\":\"client del\",\"client\":\"a/0\","
		       "\"if_exists\":true}");
}

static void
test_addresses_are_pinned_shown_and_forgotten(void **state)
{
	struct test *t = *state;
	vnet_client_id a;

	assert_done(t, ADD_A);
	assert_done(t, ADD_B);
	a = fake_host_open(&t->host, "a");
	fake_host_open(&t->host, "b");
	send_ipv4(t, a);
	assert_done(t, "{\"do\":\"fdb add\",\"mac\":\"02:00:00:00:00:99\","
		       "\"port\":\"b/0\"}");
	assert_answer(t, "{\"do\":\"fdb show\",\"port\":\"b\"}",
		      "{\"ok\":true,\"result\":[{\"mac\":\"02:00:00:00:00:99\","
		      "\"port\":\"b\",\"static\":true,\"age_s\":0,"
		      "\"client\":\"b/0\"}]}");
	assert_int_equal(
		vnet_json_count(result_of(ask(t, "{\"do\":\"fdb show\"}"))), 2);
	assert_done(t, "{\"do\":\"fdb flush\",\"port\":\"a\"}");
	assert_int_equal(
		vnet_json_count(result_of(ask(t, "{\"do\":\"fdb show\"}"))), 1);
	assert_done(t, "{\"do\":\"fdb del\",\"mac\":\"02:00:00:00:00:99\"}");
	assert_error(t, "{\"do\":\"fdb del\",\"mac\":\"02:00:00:00:00:99\"}",
		     "there is no address 02:00:00:00:00:99");
	assert_done(t, "{\"do\":\"fdb del\",\"mac\":\"02:00:00:00:00:99\","
		       "\"if_exists\":true}");
	assert_error(t,
		     "{\"do\":\"fdb add\",\"mac\":\"02:00:00:00:00:9\","
		     "\"port\":\"b\"}",
		     "fdb add.mac: found \\\"02:00:00:00:00:9\\\", expected an "
		     "address as 02:00:00:00:00:01, of a station and not zero");
	assert_error(t, "{\"do\":\"fdb flush\",\"port\":\"c\"}",
		     "there is no port c");
}

/*
 * Counters
 */

static struct vnet_json
element(struct vnet_json list, size_t i)
{
	struct vnet_json_walk w;

	vnet_json_begin(&w, list);
	do
		assert_true(vnet_json_next(&w));
	while (i--);
	return w.value;
}

static void
test_counters_are_those_of_the_switch(void **state)
{
	struct test *t = *state;
	struct vnet_json stats, ports, b, drops;
	vnet_client_id a, one;

	assert_done(t, ADD_A);
	assert_done(t, ADD_B);
	a = fake_host_open(&t->host, "a");
	one = fake_host_open(&t->host, "b");
	fake_host_open(&t->host, "b");
	for (int i = 0; i < 5; i++)
		send_ipv4(t, a);
	assert_done(t, "{\"do\":\"port set\",\"port\":\"b\","
		       "\"set\":{\"up\":false}}");
	send_ipv4(t, a);

	stats = result_of(ask(t, "{\"do\":\"stats\"}"));
	assert_int_equal(number_at(stats, "schema"), 1);
	assert_int_equal(vnet_json_type(vnet_json_get(stats, "balanced")),
			 VNET_JSON_TRUE);
	ports = vnet_json_get(stats, "ports");
	assert_int_equal(vnet_json_count(ports), 2);
	assert_int_equal(
		number_at(vnet_json_get(element(ports, 0), "in"), "frames"), 6);
	b = element(ports, 1);
	assert_int_equal(number_at(vnet_json_get(b, "out"), "frames"), 10);
	assert_int_equal(vnet_json_count(vnet_json_get(b, "clients")), 2);
	assert_int_equal(
		number_at(vnet_json_get(element(vnet_json_get(b, "clients"), 1),
					"out"),
			  "octets"),
		300);
	assert_int_equal(number_at(vnet_json_get(b, "medium"), "in_dropped"),
			 8);
	drops = vnet_json_get(
		vnet_json_get(vnet_json_get(stats, "totals"), "drops"), "in");
	assert_int_equal(number_at(drops, "no_destination"), 1);
	/* All reasons, by their names, and each only where it can be. */
	for (int i = VNET_DROP_NONE + 1; i < VNET_NDROPS; i++)
		assert_int_equal(
			vnet_json_type(vnet_json_get(
				drops, vnet_drop_name((enum vnet_drop)i))) ==
				VNET_JSON_NUMBER,
			vnet_drop_is_on((enum vnet_drop)i, false));

	/* Those of a client that has gone are in its port's. */
	assert_true(one != VNET_NO_ID);
	assert_done(t, "{\"do\":\"client del\",\"client\":\"b/0\"}");
	stats = result_of(ask(t, "{\"do\":\"stats\",\"port\":\"b\"}"));
	ports = vnet_json_get(stats, "ports");
	assert_int_equal(vnet_json_count(ports), 1);
	b = element(ports, 0);
	assert_int_equal(number_at(vnet_json_get(b, "out"), "frames"), 10);
	assert_int_equal(vnet_json_count(vnet_json_get(b, "clients")), 1);
	assert_error(t, "{\"do\":\"stats\",\"port\":\"c\"}",
		     "there is no port c");
}

/* Names as long as may be, of characters that take the most room, and figures
 * of the most digits: what a piece has room for. */
static void
test_the_largest_piece_fits(void **state)
{
	struct test *t = *state;
	struct vnet_port_config config = {
		.size = sizeof(config),
		.name = "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
			"\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
			"\x01\x01\x01\x01\x01",
	};
	struct vnet_json_writer w;
	struct vnet_figures f;
	vnet_port_id id;
	char *text = malloc(VNET_CONTROL_PIECE);

	assert_int_equal(vnet_port_add(t->sw, &config, &id, NULL), 0);
	assert_tells(t, "{\"do\":\"stats\"}", "\"balanced\":true");
	assert_tells(t, "{\"do\":\"port show\"}", "\\u0001\"");
	memset(&f, 0xff, sizeof(f));
	w = (struct vnet_json_writer){
		.text = text,
		.room = VNET_CONTROL_PIECE - VNET_CONTROL_NUMBERS * 48 -
			VNET_PORT_NAME_SIZE * 6 - 128,
	};
	vnet_json_open(&w, NULL, '{');
	assert_false(vnet_figures_show(&f, &w));
	assert_false(w.is_full);
	free(text);
}

#define ADD_LAB                                                                \
	"{\"do\":\"grant add\",\"name\":\"lab\",\"grant\":{\"mac\":"           \
	"[\"02:00:00:00:aa:00/40\"],\"ipv4\":\"10.9.0.0/24\",\"ipv6\":"        \
	"[\"2001:db8:9::/64\",\"fd00::1\",\"::\"],\"group\":[\"224.0.0.251\"," \
	"\"ff02::fb\",\"01:00:5e:00:00:12\"],\"vlan\":[0,\"100-200\"],"        \
	"\"ethertype\":[\"0x88b5\"],\"may\":[\"broadcast\",\"llc\"],"          \
	"\"max_addresses\":8,\"max_clients\":4,\"queue\":65536,\"depth\":1,"   \
	"\"for_s\":100,\"rate\":{\"frames_per_s\":1000,\"burst_frames\":10}}}"

#define ADD_ALICE                                                         \
	"{\"do\":\"grant add\",\"name\":\"alice\",\"grant\":{\"parent\":" \
	"\"lab\",\"mac\":\"02:00:00:00:aa:01\",\"ipv4\":\"10.9.0.1\"}}"

static void
test_grants_are_made_shown_and_revoked(void **state)
{
	struct test *t = *state;

	t->host.now = SECONDS(1);
	assert_answer(t, "{\"do\":\"grant show\"}",
		      "{\"ok\":true,\"result\":[]}");
	assert_done(t, ADD_LAB);
	assert_tells(t, "{\"do\":\"grant show\",\"name\":\"lab\"}",
		     "{\"ok\":true,\"result\":[{\"name\":\"lab\",\"state\":"
		     "\"active\","
		     "\"parent\":null,"
		     "\"mac\":[\"02:00:00:00:aa:00/40\"],"
		     "\"ipv4\":[\"10.9.0.0/24\"],"
		     "\"ipv6\":[\"2001:db8:9::/64\",\"fd00::1\",\"::\"],"
		     "\"group\":[\"01:00:5e:00:00:fb\",\"33:33:00:00:00:fb\","
		     "\"01:00:5e:00:00:12\"],\"vlan\":[\"0\",\"100-200\"],"
		     "\"ethertype\":[34997],\"may\":[\"broadcast\",\"llc\"],"
		     "\"max_addresses\":8,\"max_clients\":4,\"queue\":65536,"
		     "\"depth\":1,\"until_ns\":101000000000,"
		     "\"rate\":{\"frames_per_s\":1000,\"burst_frames\":10},"
		     "\"clients\":0,\"addresses\":0,\"given_clients\":0,"
		     "\"given_addresses\":0,\"insns\":{\"in\":");
	assert_tells(t, "{\"do\":\"grant show\",\"name\":\"lab\"}",
		     "},\"refused\":{\"in\":{},\"out\":{}}}]}");
	assert_done(t, ADD_ALICE);
	/* What it does not say is its parent's. */
	assert_tells(t, "{\"do\":\"grant show\"}",
		     "\"queue\":65536,\"depth\":0,\"until_ns\":101000000000,"
		     "\"rate\":{\"frames_per_s\":1000,\"burst_frames\":10},"
		     "\"clients\":0");
	assert_tells(t, "{\"do\":\"grant show\",\"name\":\"alice\"}",
		     "\"parent\":\"lab\"");
	assert_done(t, "{\"do\":\"grant revoke\",\"name\":\"lab\"}");
	assert_answer(t, "{\"do\":\"grant show\"}",
		      "{\"ok\":true,\"result\":[]}");
	assert_error(t, "{\"do\":\"grant revoke\",\"name\":\"alice\"}",
		     "there is no grant alice");
	assert_done(t, "{\"do\":\"grant revoke\",\"name\":\"alice\","
		       "\"if_exists\":true}");
}

static void
test_a_grant_that_is_wrong_is_not_made(void **state)
{
	static const char *const wrong[][2] = {
		{"\"grant\":{\"mac\":\"02:00:00:00:aa:01\"}",
		 "grant add: there is no \\\"name\\\""},
		{"\"name\":\"g\",\"grant\":{\"mac\":\"02:00:00:00:aa\"}",
		 "mac: found \\\"02:00:00:00:aa\\\", expected an address"
		 " as 02:00:00:00:00:01, and perhaps behind a slash 0 to 48"},
		{"\"name\":\"g\",\"grant\":{\"ipv4\":[\"10.0.0.1\",\"10.0.0."
		 "256\"]}",
		 "ipv4[1]: found \\\"10.0.0.256\\\", expected an "
		 "address as 10.0.0.1, and perhaps behind a slash 0 to 32"},
		{"\"name\":\"g\",\"grant\":{\"may\":\"everything\"}",
		 "may: found \\\"everything\\\", expected broadcast, "
		 "multicast, dhcp, route, vrrp, tunnel or llc"},
		{"\"name\":\"g\",\"grant\":{\"may\":true}",
		 "may: found true, expected a string or a number"},
		{"\"name\":\"g\",\"grant\":{\"rate\":{\"depth\":1}}",
		 "rate: found the key \\\"depth\\\", expected frames_per_s, "
		 "octets_per_s, burst_frames, burst_octets"},
		{"\"name\":\"g\",\"grant\":{\"parent\":\"nobody\",\"mac\":"
		 "\"02:00:00:00:aa:01\"}",
		 "there is no grant nobody"},
		{"\"name\":\"lab\",\"grant\":{\"mac\":\"02:00:00:00:aa:01\"}",
		 "grant lab exists"},
	};
	struct test *t = *state;
	char request[512];

	assert_done(t, ADD_LAB);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		snprintf(request, sizeof(request), "{\"do\":\"grant add\",%s}",
			 wrong[i][0]);
		assert_error(t, request, wrong[i][1]);
	}
	/* The part that does not fit is said. */
	assert_tells(t,
		     "{\"do\":\"grant add\",\"name\":\"g\",\"grant\":{"
		     "\"parent\":\"lab\",\"mac\":\"02:00:00:00:aa:01\","
		     "\"ipv4\":\"10.9.1.1\"}}",
		     "grant g: ipv4: ");
	assert_true(vnet_grant_find(t->sw, "g") == VNET_NO_ID);
}

static void
test_a_vif_has_an_address_of_its_grant(void **state)
{
	struct test *t = *state;
	vnet_client_id id;

	assert_done(t, ADD_LAB);
	assert_done(t, ADD_ALICE);
	assert_done(t, "{\"do\":\"port add\",\"port\":{\"type\":\"vif\","
		       "\"name\":\"v\",\"grant\":\"alice\"}}");
	assert_tells(t, "{\"do\":\"port show\",\"port\":\"v\"}",
		     "\"mac\":\"02:00:00:00:aa:01\"");
	id = fake_host_open(&t->host, "v");
	assert_true(id != VNET_NO_ID);
	assert_true(fake_host_open(&t->host, "v") == VNET_NO_ID);
	assert_tells(t, "{\"do\":\"client show\",\"port\":\"v\"}",
		     "\"grant\":\"alice\"");
	assert_tells(t, "{\"do\":\"port show\",\"port\":\"v\"}",
		     "\"grant\":\"alice\"");
	assert_error(t,
		     "{\"do\":\"port set\",\"port\":\"v\",\"set\":{\"grant\":"
		     "\"bob\"}}",
		     "there is no grant bob");
	assert_done(t, "{\"do\":\"port set\",\"port\":\"v\",\"set\":{"
		       "\"grant\":\"lab\"}}");
	assert_tells(t, "{\"do\":\"port show\",\"port\":\"v\"}",
		     "\"grant\":\"lab\"");
	assert_done(t, "{\"do\":\"grant revoke\",\"name\":\"lab\"}");
	assert_tells(t, "{\"do\":\"client show\",\"port\":\"v\"}",
		     "\"grant\":null");
}

static void
test_the_whole_is_shown(void **state)
{
	struct test *t = *state;

	t->host.now = 12345;
	assert_done(t, ADD_A);
	fake_host_open(&t->host, "a");
	assert_tells(t, "{\"do\":\"show\"}",
		     "{\"ok\":true,\"result\":{\"version\":\"0.0\","
		     "\"time_ns\":12345,\"ports\":1,\"clients\":1,"
		     "\"fdb_entries\":0,\"pool_used\":0,\"pool_octets\":");
	assert_tells(t, "{\"do\":\"show\"}",
		     ",\"server\":{\"masters\":1,\"facets\":2}}}");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_no_request_is_refused_and_said),
		TEST(test_an_answer_has_the_id_of_its_request),
		TEST(test_requests_and_answers_come_in_any_pieces),
		TEST(test_a_request_that_is_too_long_is_refused_and_the_next_one_is_not),
		TEST(test_who_does_not_read_is_held_up),
		TEST(test_want_of_memory_is_said_and_nothing_is_lost),
		TEST(test_a_vif_is_added_shown_changed_and_removed),
		TEST(test_a_port_that_is_wrong_leaves_nothing_behind),
		TEST(test_many_ports_are_told_in_several_lines),
		TEST(test_ports_come_and_go_while_they_are_shown),
		TEST(test_an_uplink_takes_the_right_that_its_request_brings),
		TEST(test_an_answer_that_does_not_fit_a_message_is_an_error),
		TEST(test_filters_are_added_run_shown_and_removed),
		TEST(test_a_chain_is_replaced_as_a_whole_or_not_at_all),
		TEST(test_limits_are_set_shown_and_taken_away),
		TEST(test_clients_go_while_their_limits_are_shown),
		TEST(test_grants_are_made_shown_and_revoked),
		TEST(test_a_grant_that_is_wrong_is_not_made),
		TEST(test_a_vif_has_an_address_of_its_grant),
		TEST(test_clients_are_shown_changed_and_ended),
		TEST(test_addresses_are_pinned_shown_and_forgotten),
		TEST(test_counters_are_those_of_the_switch),
		TEST(test_the_largest_piece_fits),
		TEST(test_the_whole_is_shown),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
