/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "control.h"
#include "fake_plant.h"
#include "listener.h"
#include "pcapng_reader.h"
#include "support.h"

struct net {
	char folder[32];
	char path[64];
	struct event_base *base;
	struct plant plant;
	struct control_config config;
	struct control *control;
	int reload_result;
	unsigned int reload_complaints;
};

/* One who asks; @in is what was read and not looked at. */
struct client {
	struct net *net;
	int fd;
	struct evbuffer *in;
	bool has_eof;
};

static int
reload(void *ctx, json_t *complaints)
{
	struct net *net = ctx;

	for (unsigned int i = 0; i < net->reload_complaints; i++)
		json_array_append_new(complaints,
				      json_sprintf("complaint %u", i));
	return net->reload_result;
}

static void
begin_control(struct net *net)
{
	struct complaint c;

	if (control_create(&net->control, net->base, &net->config, &c))
		fail_msg("%s", c.text);
}

static int
setup(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	assert_non_null(net);
	strcpy(net->folder, "/tmp/vnet-control-XXXXXX");
	assert_non_null(mkdtemp(net->folder));
	(void)snprintf(net->path, sizeof(net->path), "%s/socket", net->folder);
	net->base = event_base_new();
	assert_non_null(net->base);
	assert_true(fake_plant_init(&net->plant));
	net->config = (struct control_config){
		.path = net->path,
		.plant = &net->plant,
		.version = "1.2.3",
		.reload = reload,
		.ctx = net,
	};
	begin_control(net);
	*state = net;
	return 0;
}

static int
teardown(void **state)
{
	struct net *net = *state;
	struct stat st;

	control_destroy(net->control);
	assert_null(net->plant.captures);
	assert_null(net->plant.listener);
	fake_plant_fini(&net->plant);
	event_base_free(net->base);
	assert_int_equal(lstat(net->path, &st), -1);
	assert_int_equal(rmdir(net->folder), 0);
	free(net);
	return 0;
}

static void
turn(struct net *net)
{
	assert_true(event_base_loop(net->base, EVLOOP_NONBLOCK | EVLOOP_ONCE) >=
		    0);
}

/* Until nothing comes of it any more. */
static void
settle(struct net *net)
{
	for (int i = 0; i < 20; i++)
		turn(net);
}

static int
connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	strcpy(a.sun_path, path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -errno;
}

static struct client
begin_client(struct net *net)
{
	struct client c = {.net = net, .fd = connect_to(net->path)};

	assert_true(c.fd >= 0);
	c.in = evbuffer_new();
	turn(net);
	return c;
}

static void
end_client(struct client *c)
{
	close(c->fd);
	evbuffer_free(c->in);
	settle(c->net);
}

static void
write_octets(struct client *c, const char *p, size_t len)
{
	while (len) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);

		/* We may have hung up. */
		if (n < 0 && errno == EPIPE)
			return;
		assert_true(n > 0 || errno == EAGAIN);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
		turn(c->net);
	}
}

static void
write_line(struct client *c, const char *line)
{
	write_octets(c, line, strlen(line));
	write_octets(c, "\n", 1);
}

static bool
read_some(struct client *c)
{
	int n = evbuffer_read(c->in, c->fd, 65536);

	c->has_eof |= n == 0 || (n < 0 && errno != EAGAIN);
	return n > 0;
}

/* The next line, to be freed; NULL if it hangs up. */
static char *
read_line(struct client *c)
{
	for (int i = 0; i < 10000; i++) {
		char *line = evbuffer_readln(c->in, NULL, EVBUFFER_EOL_LF);

		if (line || c->has_eof)
			return line;
		turn(c->net);
		read_some(c);
	}
	fail_msg("no answer");
	return NULL;
}

static json_t *
read_answer(struct client *c)
{
	char *line = read_line(c);
	json_t *answer;

	assert_non_null(line);
	answer = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	if (!answer)
		fail_msg("no JSON: %s", line);
	free(line);
	return answer;
}

static void
assert_answer(struct client *c, const char *want)
{
	char *line = read_line(c);

	assert_non_null(line);
	assert_string_equal(line, want);
	free(line);
}

static void
assert_ask(struct client *c, const char *request, const char *want)
{
	write_line(c, request);
	assert_answer(c, want);
}

static void
assert_hung_up(struct client *c)
{
	char *line = read_line(c);

	if (line)
		fail_msg("not expected: %s", line);
}

/* The answer is an error that has @text in it. */
static void
assert_error(struct client *c, const char *text)
{
	json_t *answer = read_answer(c);
	const char *error = json_string_value(json_object_get(answer, "error"));

	assert_true(json_is_false(json_object_get(answer, "ok")));
	assert_non_null(error);
	if (!strstr(error, text))
		fail_msg("found \"%s\", expected \"%s\"", error, text);
	json_decref(answer);
}

/*
 * The socket
 */

static void
test_socket_is_for_its_owner_alone(void **state)
{
	struct net *net = *state;
	mode_t mask = umask(0);
	struct stat st;

	control_destroy(net->control);
	begin_control(net);
	umask(mask);
	assert_int_equal(lstat(net->path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
}

static void
assert_refused(struct net *net, const char *path, int error, const char *text)
{
	struct control_config config = net->config;
	struct control *control = NULL;
	struct complaint c = {""};

	config.path = path;
	assert_int_equal(control_create(&control, net->base, &config, &c),
			 error);
	if (!strstr(c.text, text))
		fail_msg("found \"%s\", expected \"%s\"", c.text, text);
}

static void
test_one_that_is_served_is_refused(void **state)
{
	struct net *net = *state;
	struct client c = begin_client(net);

	assert_refused(net, net->path, -EADDRINUSE,
		       "somebody listens there: is another vnet-switch");
	assert_ask(&c, "{\"do\":\"fdb flush\"}", "{\"ok\":true}");
	end_client(&c);
}

/* Whoever is not accepted yet fills the backlog. */
static void
test_one_that_is_served_slowly_is_refused(void **state)
{
	struct net *net = *state;
	int fds[200], n = 0;

	do
		fds[n] = connect_to(net->path);
	while (fds[n] >= 0 && ++n < 200);
	assert_int_equal(fds[n], -EAGAIN);
	assert_refused(net, net->path, -EADDRINUSE, "somebody listens");
	while (n)
		close(fds[--n]);
	settle(net);
}

static void
test_a_stale_one_is_replaced(void **state)
{
	struct net *net = *state;
	struct listener stale;
	struct complaint c;
	struct client client;

	control_destroy(net->control);
	assert_int_equal(listener_open(&stale, net->path, &c), 0);
	close(stale.fd);
	begin_control(net);
	client = begin_client(net);
	assert_ask(&client, "{\"do\":\"fdb flush\"}", "{\"ok\":true}");
	end_client(&client);
}

static void
test_other_files_are_left_alone(void **state)
{
	struct net *net = *state;
	char path[80];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/file", net->folder);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_refused(net, path, -EEXIST, "is no socket");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/nowhere", path), 0);
	assert_refused(net, path, -EEXIST, "is no socket");
	assert_int_equal(unlink(path), 0);
	assert_refused(net, net->folder, -EEXIST, "is no socket");
}

static void
test_paths_that_cannot_be_are_refused(void **state)
{
	char path[200];

	memset(path, 'x', sizeof(path));
	path[108] = '\0';
	assert_refused(*state, path, -ENAMETOOLONG, "108 octets");
	assert_refused(*state, "", -EINVAL, "0 octets");
	assert_refused(*state, "/nowhere/socket", -ENOENT, "/nowhere");
}

/* Somebody has removed ours, and made one of theirs. */
static void
test_the_socket_of_others_is_not_removed(void **state)
{
	struct net *net = *state;
	struct listener other;
	struct complaint c;
	struct stat st;

	assert_int_equal(unlink(net->path), 0);
	assert_int_equal(listener_open(&other, net->path, &c), 0);
	control_destroy(net->control);
	net->control = NULL;
	assert_int_equal(lstat(net->path, &st), 0);
	listener_close(&other);
}

struct racer {
	const char *path;
	struct listener l;
	pthread_t thread;
	int result;
};

static void *
race(void *ctx)
{
	struct racer *r = ctx;
	struct complaint c;

	r->result = listener_open(&r->l, r->path, &c);
	return NULL;
}

static void
assert_one_wins(struct racer *racers, int n)
{
	int winners = 0;

	for (int i = 0; i < n; i++)
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race,
						&racers[i]),
				 0);
	for (int i = 0; i < n; i++)
		pthread_join(racers[i].thread, NULL);
	for (int i = 0; i < n; i++) {
		if (racers[i].result) {
			assert_int_equal(racers[i].result, -EADDRINUSE);
			continue;
		}
		winners++;
		listener_close(&racers[i].l);
	}
	assert_int_equal(winners, 1);
}

static void
test_of_those_who_start_at_once_one_serves(void **state)
{
	struct net *net = *state;
	struct racer racers[6];
	struct listener stale;
	struct complaint c;

	control_destroy(net->control);
	net->control = NULL;
	for (int i = 0; i < 6; i++)
		racers[i] = (struct racer){.path = net->path};
	for (int turns = 0; turns < 20; turns++) {
		assert_int_equal(listener_open(&stale, net->path, &c), 0);
		close(stale.fd);
		assert_one_wins(racers, 6);
	}
}

/*
 * Requests
 */

static void
test_every_command_is_answered(void **state)
{
	static const char *const dialogue[][2] = {
		{"{\"do\":\"config reload\"}", "{\"ok\":true}"},
		{"{\"do\":\"config show\"}", NULL},
		{"{\"do\":\"port show\",\"id\":1}",
		 "{\"id\":1,\"ok\":true,\"result\":[{\"id\":0}]}"},
		{"{\"do\":\"port add\",\"port\":{\"name\":\"b\","
		 "\"type\":\"tap\"}}",
		 "{\"ok\":true}"},
		{"{\"do\":\"port add\",\"may_exist\":true,"
		 "\"port\":{\"name\":\"b\",\"type\":\"tap\"}}",
		 "{\"ok\":true}"},
		{"{\"do\":\"port add\",\"may_exist\":false,"
		 "\"port\":{\"name\":\"b\",\"type\":\"tap\"}}",
		 "{\"ok\":false,\"error\":\"there is a port \\\"b\\\"\"}"},
		{"{\"do\":\"port set\",\"port\":\"b\",\"set\":{\"mtu\":9000}}",
		 "{\"ok\":true}"},
		{"{\"do\":\"port del\",\"port\":\"b\",\"id\":[null,{}]}",
		 "{\"id\":[null,{}],\"ok\":true}"},
		{"{\"do\":\"port del\",\"port\":\"b\"}",
		 "{\"ok\":false,\"error\":\"there is no port \\\"b\\\"\"}"},
		{"{\"do\":\"port del\",\"port\":\"b\",\"if_exists\":true}",
		 "{\"ok\":true}"},
		{"{\"do\":\"fdb show\",\"port\":\"web\"}",
		 "{\"ok\":true,\"result\":[]}"},
		{"{\"do\":\"fdb show\",\"port\":\"b\"}",
		 "{\"ok\":false,\"error\":\"there is no port \\\"b\\\"\"}"},
		{"{\"do\":\"fdb add\",\"mac\":\"02:00:00:00:00:09\","
		 "\"port\":\"web\"}",
		 "{\"ok\":true}"},
		{"{\"do\":\"fdb del\",\"mac\":\"02:00:00:00:00:09\","
		 "\"if_exists\":true}",
		 "{\"ok\":true}"},
		{"{\"do\":\"fdb flush\",\"port\":\"web\"}", "{\"ok\":true}"},
		{"{\"do\":\"filter show\"}", "{\"ok\":true,\"result\":[]}"},
		{"{\"do\":\"filter add\",\"port\":\"web\",\"filter\":{"
		 "\"name\":\"f\",\"side\":\"in\",\"priority\":1,"
		 "\"verdict\":\"drop\",\"expr\":\"icmp\"}}",
		 "{\"ok\":true}"},
		{"{\"do\":\"filter del\",\"port\":\"web\",\"side\":\"in\","
		 "\"name\":\"f\"}",
		 "{\"ok\":true}"},
		{"{\"do\":\"filter add\",\"port\":\"web\",\"filter\":{"
		 "\"name\":\"f\",\"side\":\"receive_in\","
		 "\"verdict\":\"drop\"}}",
		 "{\"ok\":true}"},
		{"{\"do\":\"filter del\",\"port\":\"web\","
		 "\"side\":\"receive_out\",\"name\":\"f\"}",
		 "{\"ok\":true}"},
		{"{\"do\":\"client show\",\"port\":\"web\"}",
		 "{\"ok\":true,\"result\":[]}"},
		{"{\"do\":\"client set\",\"client\":\"web\","
		 "\"changes\":{\"weight\":2,\"accept\":\"own\"}}",
		 "{\"ok\":true}"},
		{"{\"do\":\"client del\",\"client\":\"web\"}", "{\"ok\":true}"},
		{"{\"do\":\"client del\",\"client\":\"b\"}",
		 "{\"ok\":false,\"error\":\"there is no port \\\"b\\\"\"}"},
		{"{\"do\":\"client del\",\"client\":\"b\","
		 "\"if_exists\":true}",
		 "{\"ok\":true}"},
		{"{\"do\":\"limit show\",\"owner\":\"web\"}",
		 "{\"ok\":true,\"result\":[]}"},
		{"{\"do\":\"limit set\",\"owner\":\"web\",\"limit\":{"
		 "\"side\":\"in\",\"frames_per_s\":1}}",
		 "{\"ok\":true}"},
		{"{\"do\":\"limit del\",\"owner\":\"web\",\"side\":\"in\","
		 "\"traffic\":\"all\"}",
		 "{\"ok\":false,\"error\":\"web has no limit in all\"}"},
		{"{\"do\":\"limit del\",\"owner\":\"web\",\"side\":\"in\","
		 "\"traffic\":\"all\",\"if_exists\":true}",
		 "{\"ok\":true}"},
		{"{\"do\":\"grant add\",\"name\":\"a\",\"grant\":{"
		 "\"mac\":[\"02-00-00-00-00-0A\"],\"depth\":0}}",
		 "{\"ok\":true}"},
		{"{\"do\":\"grant show\",\"name\":\"a\"}",
		 "{\"ok\":true,\"result\":["
		 "{\"mac\":[\"02:00:00:00:00:0a\"]}]}"},
		{"{\"do\":\"grant add\",\"name\":\"a\",\"grant\":{"
		 "\"mac\":[\"02:00:00:00:00:0a\"]}}",
		 "{\"ok\":false,\"error\":\"there is a grant \\\"a\\\"\"}"},
		{"{\"do\":\"grant add\",\"name\":\"a\",\"grant\":{"
		 "\"mac\":[\"02:00:00:00:00:0a\"]},\"may_exist\":true}",
		 "{\"ok\":true}"},
		{"{\"do\":\"grant set\",\"name\":\"a\",\"set\":{\"depth\":1}}",
		 "{\"ok\":true}"},
		{"{\"do\":\"grant program\",\"name\":\"a\"}",
		 "{\"ok\":true,\"result\":{\"grant\":\"a\"}}"},
		{"{\"do\":\"grant revoke\",\"name\":\"a\"}", "{\"ok\":true}"},
		{"{\"do\":\"grant revoke\",\"name\":\"a\"}",
		 "{\"ok\":false,\"error\":"
		 "\"there is no grant \\\"a\\\"\"}"},
		{"{\"do\":\"grant revoke\",\"name\":\"a\","
		 "\"if_exists\":true}",
		 "{\"ok\":true}"},
		{"{\"do\":\"explain\",\"client\":\"web\",\"frame\":\"00\"}",
		 "{\"ok\":true,\"result\":{\"client\":\"web\","
		 "\"hex\":\"00\"}}"},
		{"{\"do\":\"stats\"}",
		 "{\"ok\":true,\"result\":{\"schema\":1}}"},
		{"{\"do\":\"monitor\",\"id\":\"x\"}",
		 "{\"id\":\"x\",\"ok\":true}"},
	};
	struct client c = begin_client(*state);

	for (size_t i = 0; i < sizeof(dialogue) / sizeof(dialogue[0]); i++) {
		if (dialogue[i][1]) {
			assert_ask(&c, dialogue[i][0], dialogue[i][1]);
		} else {
			write_line(&c, dialogue[i][0]);
			json_decref(read_answer(&c));
		}
	}
	end_client(&c);
}

static void
test_show_says_what_runs(void **state)
{
	struct net *net = *state;
	struct client c = begin_client(net);
	json_t *answer, *result;

	write_line(&c, "{\"do\":\"show\"}");
	answer = read_answer(&c);
	result = json_object_get(answer, "result");
	assert_string_equal(
		json_string_value(json_object_get(result, "version")), "1.2.3");
	assert_string_equal(
		json_string_value(json_object_get(result, "socket")),
		net->path);
	assert_true(json_is_null(json_object_get(result, "config")));
	assert_int_equal(json_integer_value(json_object_get(result, "pid")),
			 getpid());
	assert_true(json_is_integer(json_object_get(result, "uptime_ns")));
	assert_int_equal(json_integer_value(json_object_get(result, "ports")),
			 1);
	json_decref(answer);
	end_client(&c);
}

static void
test_config_show_has_what_is_the_programs(void **state)
{
	struct net *net = *state;
	json_t *settings = json_pack("{s:s}", "log", "debug"), *answer, *result;
	struct client c;

	control_destroy(net->control);
	net->config.settings = settings;
	begin_control(net);
	c = begin_client(net);
	write_line(&c, "{\"do\":\"config show\"}");
	answer = read_answer(&c);
	result = json_object_get(answer, "result");
	assert_string_equal(json_string_value(json_object_get(result, "log")),
			    "debug");
	assert_string_equal(
		json_string_value(json_object_get(result, "socket")),
		net->path);
	assert_non_null(json_object_get(result, "ports"));
	json_decref(answer);
	json_decref(settings);
	end_client(&c);
}

static void
test_what_could_not_be_reloaded_is_told(void **state)
{
	struct net *net = *state;
	struct client c = begin_client(net);

	net->reload_complaints = 2;
	assert_ask(&c, "{\"do\":\"config reload\"}",
		   "{\"ok\":false,\"error\":\"complaint 0 (and 1 more)\","
		   "\"complaints\":[\"complaint 0\",\"complaint 1\"]}");
	net->reload_complaints = 0;
	net->reload_result = -EIO;
	write_line(&c, "{\"do\":\"config reload\"}");
	assert_error(&c, "Input/output error");
	end_client(&c);

	control_destroy(net->control);
	net->config.reload = NULL;
	begin_control(net);
	c = begin_client(net);
	write_line(&c, "{\"do\":\"config reload\"}");
	assert_error(&c, "there is no file to read");
	end_client(&c);
}

static void
test_bad_requests_are_told_what_is_wrong(void **state)
{
	static const char *const dialogue[][2] = {
		{"rubbish", "expected a JSON object"},
		{"{", "expected a JSON object"},
		{"{}", "\"do\": found nothing"},
		{"[]", "found no object"},
		{"7", "found no object"},
		{"{\"do\":7}", "\"do\": found something else"},
		{"{\"do\":\"dance\"}", "found \"dance\", expected one of show"},
		{"{\"do\":\"show\",\"do\":\"stats\"}", "duplicate"},
		{"{\"do\":\"show\",\"x\":1}", "found the key \"x\""},
		{"{\"do\":\"show\",\"port\":\"web\"}",
		 "expected none but \"do\" and \"id\""},
		{"{\"do\":\"port del\"}", "\"port\": found nothing"},
		{"{\"do\":\"port del\",\"port\":\"web\",\"if_exist\":true}",
		 "found the key \"if_exist\", expected port, if_exists"},
		{"{\"do\":\"port del\",\"port\":\"web\",\"if_exists\":1}",
		 "found a number, expected true or false"},
		{"{\"do\":\"port show\",\"port\":null}",
		 "found null, expected a string"},
		{"{\"do\":\"port show\",\"port\":\"nobody\"}",
		 "no port \"nobody\""},
		{"{\"do\":\"port add\",\"port\":\"web\"}",
		 "found a string, expected an object"},
		{"{\"do\":\"port set\",\"port\":\"web\",\"set\":[]}",
		 "found a list, expected an object"},
		{"{\"do\":\"filter del\",\"port\":\"web\",\"name\":\"x\","
		 "\"side\":\"up\"}",
		 "side: found \"up\", expected \"in\" or \"out\""},
		{"{\"do\":\"filter del\",\"port\":\"web/0\",\"name\":\"x\","
		 "\"side\":\"in\"}",
		 "side: found \"in\", expected \"receive_in\" or "
		 "\"receive_out\""},
		{"{\"do\":\"filter add\",\"port\":\"web/0\",\"filter\":{"
		 "\"name\":\"f\",\"side\":\"in\",\"verdict\":\"drop\"}}",
		 "side: found \"in\", expected receive_in or receive_out"},
		{"{\"do\":\"client set\",\"client\":\"web\","
		 "\"changes\":{\"weight\":0}}",
		 "weight: found 0, expected 1 to 1024"},
		{"{\"do\":\"client set\",\"client\":\"web\","
		 "\"changes\":{\"mtu\":1500}}",
		 "mtu: no such key"},
		{"{\"do\":\"limit "
		 "del\",\"owner\":\"web\",\"side\":\"receive_in\","
		 "\"traffic\":\"all\"}",
		 "side: found \"receive_in\", expected \"in\" or \"out\""},
		{"{\"do\":\"limit set\",\"owner\":\"web\",\"limit\":{"
		 "\"side\":\"in\",\"frames_per_s\":0}}",
		 "frames_per_s: found 0, expected 1 to 1099511627776"},
		{"{\"do\":\"limit set\",\"owner\":\"web\",\"limit\":{"
		 "\"side\":\"in\",\"traffic\":\"tcp\",\"frames_per_s\":1}}",
		 "traffic: found \"tcp\", expected all, broadcast, multicast "
		 "or "
		 "unknown"},
		{"{\"do\":\"grant add\",\"name\":\"7\",\"grant\":{}}",
		 "name: found \"7\", expected a letter"},
		{"{\"do\":\"grant add\",\"name\":\"a\",\"grant\":{}}",
		 "there is no \"mac\""},
		{"{\"do\":\"grant add\",\"name\":\"a\",\"grant\":{"
		 "\"mac\":[\"02:00:00:00:00:00/47\"],\"mtu\":1}}",
		 "mtu: no such key"},
		{"{\"do\":\"grant set\",\"name\":\"b\",\"set\":{}}",
		 "there is no grant \"b\""},
		{"{\"do\":\"grant program\",\"name\":\"b\"}",
		 "there is no grant \"b\""},
		{"{\"do\":\"explain\",\"client\":\"web\"}",
		 "\"frame\": found nothing, expected a string"},
		{"{\"do\":\"capture\",\"port\":\"web\",\"snaplen\":1.5}",
		 "found a fraction, expected a whole number"},
		{"{\"do\":\"capture\",\"port\":\"web\",\"snaplen\":-1}",
		 "snaplen: found -1"},
		{"{\"do\":\"capture\",\"port\":\"web\",\"snaplen\":262145}",
		 "expected 0 to 262144"},
		{"{\"do\":\"capture\",\"port\":\"web\",\"expr\":\"udp and\"}",
		 ""},
		{"{\"do\":\"capture\",\"port\":\"nobody\"}",
		 "no port \"nobody\""},
		{"{\"do\":\"\xff\"}", "unable to decode byte 0xff"},
		{"{\"do\":\"a\\u0000b\"}", "expected a JSON object"},
		{"{\"do\":\"show\"} {\"do\":\"show\"}", "end of file expected"},
	};
	struct net *net = *state;
	struct client c = begin_client(net);

	for (size_t i = 0; i < sizeof(dialogue) / sizeof(dialogue[0]); i++) {
		write_line(&c, dialogue[i][0]);
		assert_error(&c, dialogue[i][1]);
	}
	write_octets(&c, "{\"do\":\0\"show\"}\n", 15);
	assert_error(&c, "expected a JSON object");
	write_octets(&c, "\0\0\n", 3);
	assert_error(&c, "expected a JSON object");
	assert_int_equal(net->plant.calls, 0);
	assert_ask(&c, "\n\n{\"do\":\"fdb flush\"}", "{\"ok\":true}");
	end_client(&c);
}

static void
test_deep_nesting_is_refused(void **state)
{
	struct client c = begin_client(*state);
	char *line = malloc(100001);

	assert_non_null(line);
	memset(line, '[', 100000);
	line[100000] = '\0';
	write_line(&c, line);
	assert_error(&c, "maximum parsing depth");
	assert_ask(&c, "{\"do\":\"fdb flush\"}", "{\"ok\":true}");
	free(line);
	end_client(&c);
}

static void
test_requests_come_in_pieces_of_any_size(void **state)
{
	static const char two[] = "{\"do\":\"fdb flush\",\"id\":1}\n"
				  "{\"do\":\"fdb flush\",\"id\":2}\n";
	struct client c = begin_client(*state);

	for (size_t i = 0; i < strlen(two); i++)
		write_octets(&c, two + i, 1);
	write_octets(&c, two, strlen(two));
	for (int i = 0; i < 2; i++) {
		assert_answer(&c, "{\"id\":1,\"ok\":true}");
		assert_answer(&c, "{\"id\":2,\"ok\":true}");
	}
	end_client(&c);
}

/* A request of @len octets. */
static char *
long_request(size_t len)
{
	static const char head[] = "{\"do\":\"fdb flush\",\"id\":\"";
	char *line = malloc(len + 1);

	assert_non_null(line);
	memset(line, 'x', len);
	memcpy(line, head, strlen(head));
	memcpy(line + len - 2, "\"}", 3);
	return line;
}

static void
test_requests_may_be_as_long_as_said(void **state)
{
	struct net *net = *state;
	char *line = long_request(CONTROL_REQUEST_MAX);
	struct client c = begin_client(net);
	json_t *answer;

	write_line(&c, line);
	answer = read_answer(&c);
	assert_true(json_is_true(json_object_get(answer, "ok")));
	json_decref(answer);
	free(line);
	end_client(&c);
}

static void
test_requests_that_are_too_long_end_it(void **state)
{
	struct net *net = *state;
	char *line = long_request(CONTROL_REQUEST_MAX + 1);
	struct client c = begin_client(net);

	write_line(&c, line);
	assert_error(&c, "more than 1048576 octets");
	assert_hung_up(&c);
	end_client(&c);

	/* One that does not end. */
	c = begin_client(net);
	for (size_t sent = 0; sent <= CONTROL_REQUEST_MAX; turn(net)) {
		ssize_t n = send(c.fd, line, 65536, MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
	}
	assert_error(&c, "more than 1048576 octets");
	assert_hung_up(&c);
	free(line);
	end_client(&c);
}

static void
test_who_sends_no_more_still_gets_the_answer(void **state)
{
	struct net *net = *state;
	struct client c = begin_client(net);

	net->plant.fdb_rows = 20000;
	write_octets(&c, "{\"do\":\"fdb show\"}\n{\"do\":\"fdb flush\"}", 36);
	assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
	for (int row = 0; row < 20000; row += 50)
		json_decref(read_answer(&c));
	assert_answer(&c, "{\"ok\":true}");
	assert_hung_up(&c);
	end_client(&c);
}

/*
 * Bounds
 */

static void
test_long_lists_come_in_pieces(void **state)
{
	struct net *net = *state;
	struct client c = begin_client(net);
	size_t rows = 0, pieces = 0;
	bool more;

	net->plant.port_rows = 1000;
	net->plant.fdb_rows = 101;
	net->plant.empty_pieces = 100;
	write_line(&c, "{\"do\":\"port show\",\"id\":5}");
	write_line(&c, "{\"do\":\"fdb show\",\"id\":6}");
	do {
		json_t *answer = read_answer(&c);

		assert_int_equal(
			json_integer_value(json_object_get(answer, "id")), 5);
		rows += json_array_size(json_object_get(answer, "result"));
		more = json_is_true(json_object_get(answer, "more"));
		pieces++;
		json_decref(answer);
	} while (more);
	assert_int_equal(rows, 1000);
	assert_int_equal(pieces, 16);

	rows = 0;
	for (int i = 0; i < 3; i++) {
		json_t *answer = read_answer(&c);

		assert_int_equal(
			json_integer_value(json_object_get(answer, "id")), 6);
		rows += json_array_size(json_object_get(answer, "result"));
		more = json_is_true(json_object_get(answer, "more"));
		assert_int_equal(more, i < 2);
		json_decref(answer);
	}
	assert_int_equal(rows, 101);
	end_client(&c);
}

static void
test_lists_are_made_as_they_are_read(void **state)
{
	struct net *net = *state;
	struct client c = begin_client(net);
	struct client other = begin_client(net);
	uint64_t rows = 0;
	bool more;

	net->plant.fdb_rows = 100000;
	write_line(&c, "{\"do\":\"fdb show\"}");
	for (int i = 0; i < 3000; i++)
		turn(net);
	/* A piece is 1,300 octets and more, the socket holds some, too. */
	assert_true(net->plant.pieces <
		    (CONTROL_OUTPUT_MAX + (512 << 10)) / 1300);
	assert_ask(&other, "{\"do\":\"fdb flush\"}", "{\"ok\":true}");
	do {
		json_t *answer = read_answer(&c);

		rows += json_array_size(json_object_get(answer, "result"));
		more = json_is_true(json_object_get(answer, "more"));
		json_decref(answer);
	} while (more);
	assert_int_equal(rows, 100000);
	end_client(&other);
	end_client(&c);
}

static void
test_who_does_not_read_is_not_served(void **state)
{
	static const char request[] = "{\"do\":\"fdb flush\"}\n";
	struct net *net = *state;
	struct client c = begin_client(net);
	unsigned long asked = 0, answered = 0;
	int idle = 0;

	/* Until no more is taken. */
	while (idle < 100) {
		if (send(c.fd, request, strlen(request), MSG_NOSIGNAL) ==
		    (ssize_t)strlen(request)) {
			asked++;
			idle = 0;
		} else {
			idle++;
		}
		turn(net);
	}
	assert_true(net->plant.calls < asked);
	for (; answered < asked; answered++)
		assert_answer(&c, "{\"ok\":true}");
	assert_int_equal(net->plant.calls, asked);
	end_client(&c);
}

/* Nobody waits for those who ask for more than is done in a turn. */
static void
test_a_turn_is_short(void **state)
{
	struct net *net = *state;
	struct client c = begin_client(net);
	struct evbuffer *many = evbuffer_new();
	unsigned long before;

	for (int i = 0; i < 500; i++)
		evbuffer_add_printf(many, "{\"do\":\"fdb flush\"}\n");
	assert_true(evbuffer_write(many, c.fd) > 0);
	for (int i = 0; i < 100; i++) {
		before = net->plant.calls;
		turn(net);
		assert_true(net->plant.calls - before <= 8);
	}
	evbuffer_free(many);
	end_client(&c);
}

static void
test_connections_are_bounded(void **state)
{
	struct client c[CONTROL_CONNECTIONS_MAX], more;
	struct net *net = *state;

	for (int i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		c[i] = begin_client(net);
	more = begin_client(net);
	assert_error(&more, "64 connections already");
	assert_hung_up(&more);
	end_client(&more);

	end_client(&c[5]);
	c[5] = begin_client(net);
	for (int i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		assert_ask(&c[i], "{\"do\":\"fdb flush\"}", "{\"ok\":true}");
	for (int i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		end_client(&c[i]);
}

static void
test_a_reader_that_dies_is_forgotten(void **state)
{
	struct net *net = *state;

	net->plant.fdb_rows = 100000;
	for (int i = 0; i < 2 * CONTROL_CONNECTIONS_MAX; i++) {
		struct client c = begin_client(net);

		write_line(&c, i % 2 ? "{\"do\":\"fdb show\"}"
				     : "{\"do\":\"monitor\"}");
		turn(net);
		end_client(&c);
	}
}

/*
 * Events
 */

static void
test_events_are_told_to_who_monitors(void **state)
{
	struct net *net = *state;
	struct client c = begin_client(net), other = begin_client(net);

	assert_ask(&c, "{\"do\":\"monitor\"}", "{\"ok\":true}");
	fake_plant_raise(&net->plant, 3, 0);
	assert_answer(&c, "{\"event\":\"link_up\",\"port\":\"web\",\"count\":3,"
			  "\"padding\":\"\"}");
	assert_ask(&c, "{\"do\":\"fdb flush\"}", "{\"ok\":true}");
	assert_ask(&other, "{\"do\":\"fdb flush\"}", "{\"ok\":true}");
	assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
	assert_hung_up(&c);
	fake_plant_raise(&net->plant, 4, 0);
	end_client(&c);
	end_client(&other);
}

static void
test_events_that_are_not_read_are_counted(void **state)
{
	struct net *net = *state;
	struct client c = begin_client(net);
	unsigned int told = 0, lost = 0;

	assert_ask(&c, "{\"do\":\"monitor\"}", "{\"ok\":true}");
	for (unsigned int i = 0; i < 5000; i++) {
		fake_plant_raise(&net->plant, i, 1000);
		turn(net);
	}
	while (read_some(&c))
		turn(net);
	fake_plant_raise(&net->plant, 5000, 0);
	while (told + lost < 5001) {
		json_t *e = read_answer(&c);

		lost += (unsigned int)json_integer_value(
			json_object_get(e, "lost"));
		assert_int_equal(
			json_integer_value(json_object_get(e, "count")),
			told + lost);
		told++;
		json_decref(e);
	}
	assert_true(lost > 1000);
	end_client(&c);
}

/*
 * Captures
 */

static const uint8_t octets[1000] = {2};
static const struct vnet_frame frame = {.data = octets, .len = sizeof(octets)};

struct counted {
	uint64_t packets;
	uint64_t dropped;
	bool has_end;
};

/* Read until it hangs up, or until @packets are there. */
static struct counted
read_capture(struct client *c, uint64_t packets)
{
	struct counted n = {0};
	struct pcapng_block b;

	for (int i = 0; i < 100000 && !n.has_end; i++) {
		size_t len = evbuffer_get_length(c->in);
		const uint8_t *begin = evbuffer_pullup(c->in, -1);
		const uint8_t *at = begin;

		while (len && pcapng_next(&at, begin + len, &b)) {
			n.packets += b.type == PCAPNG_PACKET;
			n.has_end |= b.type == PCAPNG_STATISTICS;
			if (b.type == PCAPNG_STATISTICS)
				n.dropped = pcapng_number(&b, 5);
		}
		evbuffer_drain(c->in, (size_t)(at - begin));
		if (c->has_eof || (packets && n.packets == packets))
			return n;
		turn(c->net);
		read_some(c);
	}
	return n;
}

static struct client
begin_reader(struct net *net)
{
	struct client c = begin_client(net);

	assert_ask(&c, "{\"do\":\"capture\",\"port\":\"web\",\"id\":1}",
		   "{\"id\":1,\"ok\":true}");
	return c;
}

static void
test_a_capture_ends_with_its_port(void **state)
{
	struct net *net = *state;
	struct client c = begin_reader(net);
	struct counted n;

	fake_plant_frames(&net->plant, &frame, 1);
	n = read_capture(&c, 1);
	assert_int_equal(n.packets, 1);
	fake_plant_frames(&net->plant, &frame, 1);
	fake_plant_end_captures(&net->plant);
	n = read_capture(&c, 0);
	assert_int_equal(n.packets, 1);
	assert_true(n.has_end);
	assert_hung_up(&c);
	end_client(&c);
}

/* What has been captured by then is read to the end. */
static void
test_a_reader_says_that_it_wants_no_more(void **state)
{
	struct net *net = *state;
	struct client c = begin_reader(net);
	struct counted n;

	for (int i = 0; i < 2000; i++)
		fake_plant_frames(&net->plant, &frame, 1);
	assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
	settle(net);
	assert_null(net->plant.captures);
	n = read_capture(&c, 0);
	assert_int_equal(n.packets, 2000);
	assert_true(n.has_end);
	assert_hung_up(&c);
	end_client(&c);
}

static void
test_a_reader_hangs_up(void **state)
{
	struct net *net = *state;
	struct client c = begin_reader(net);

	end_client(&c);
	assert_null(net->plant.captures);

	/* While there is more than it can take. */
	c = begin_reader(net);
	for (int i = 0; i < 10000; i++) {
		fake_plant_frames(&net->plant, &frame, 1);
		turn(net);
	}
	end_client(&c);
	assert_null(net->plant.captures);
}

static void
test_a_slow_reader_loses_what_its_ring_cannot_hold(void **state)
{
	struct net *net = *state;
	struct client c = begin_reader(net);
	struct counted n;

	for (int i = 0; i < 20000; i++) {
		fake_plant_frames(&net->plant, &frame, 1);
		turn(net);
	}
	fake_plant_end_captures(&net->plant);
	n = read_capture(&c, 0);
	assert_true(n.has_end);
	assert_true(n.dropped > 10000);
	assert_int_equal(n.packets + n.dropped, 20000);
	end_client(&c);
}

static void
test_the_end_of_the_program_ends_a_capture(void **state)
{
	struct net *net = *state;
	struct client c = begin_reader(net);
	struct counted n;

	fake_plant_frames(&net->plant, &frame, 1);
	control_destroy(net->control);
	net->control = NULL;
	n = read_capture(&c, 0);
	assert_int_equal(n.packets, 1);
	assert_true(n.has_end);
	end_client(&c);
}

static void
test_what_a_reader_sends_is_ignored(void **state)
{
	struct net *net = *state;
	struct client c = begin_client(net);
	char *line = long_request(CONTROL_REQUEST_MAX);

	write_line(&c, "{\"do\":\"capture\",\"port\":\"web\"}\nrubbish");
	assert_answer(&c, "{\"ok\":true}");
	for (int i = 0; i < 4; i++)
		write_line(&c, line);
	fake_plant_end_captures(&net->plant);
	assert_true(read_capture(&c, 0).has_end);
	free(line);
	end_client(&c);
}

static void
test_captures_are_bounded(void **state)
{
	struct client c[CONTROL_CAPTURES_MAX], more;
	struct net *net = *state;

	for (int i = 0; i < CONTROL_CAPTURES_MAX; i++)
		c[i] = begin_reader(net);
	more = begin_client(net);
	write_line(&more, "{\"do\":\"capture\",\"port\":\"web\"}");
	assert_error(&more, "there are 16 already");
	end_client(&c[3]);
	assert_ask(&more, "{\"do\":\"capture\",\"port\":\"web\"}",
		   "{\"ok\":true}");
	end_client(&more);
	for (int i = 0; i < CONTROL_CAPTURES_MAX; i++)
		if (i != 3)
			end_client(&c[i]);
}

static void *
write_frames(void *ctx)
{
	struct vnet_frame frames[8];

	for (int i = 0; i < 8; i++)
		frames[i] = frame;
	for (int i = 0; i < 20000; i++)
		fake_plant_frames(ctx, frames, 8);
	fake_plant_end_captures(ctx);
	return NULL;
}

static void
test_a_capture_is_read_while_another_thread_forwards(void **state)
{
	struct net *net = *state;
	struct client c = begin_reader(net), dying = begin_reader(net);
	struct counted n;
	pthread_t writer;

	assert_int_equal(
		pthread_create(&writer, NULL, write_frames, &net->plant), 0);
	end_client(&dying);
	n = read_capture(&c, 0);
	pthread_join(writer, NULL);
	assert_true(n.has_end);
	assert_int_equal(n.packets + n.dropped, 160000);
	end_client(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_socket_is_for_its_owner_alone),
		TEST(test_one_that_is_served_is_refused),
		TEST(test_one_that_is_served_slowly_is_refused),
		TEST(test_a_stale_one_is_replaced),
		TEST(test_other_files_are_left_alone),
		TEST(test_paths_that_cannot_be_are_refused),
		TEST(test_the_socket_of_others_is_not_removed),
		TEST(test_of_those_who_start_at_once_one_serves),
		TEST(test_every_command_is_answered),
		TEST(test_show_says_what_runs),
		TEST(test_config_show_has_what_is_the_programs),
		TEST(test_what_could_not_be_reloaded_is_told),
		TEST(test_bad_requests_are_told_what_is_wrong),
		TEST(test_deep_nesting_is_refused),
		TEST(test_requests_come_in_pieces_of_any_size),
		TEST(test_requests_may_be_as_long_as_said),
		TEST(test_requests_that_are_too_long_end_it),
		TEST(test_who_sends_no_more_still_gets_the_answer),
		TEST(test_long_lists_come_in_pieces),
		TEST(test_lists_are_made_as_they_are_read),
		TEST(test_who_does_not_read_is_not_served),
		TEST(test_a_turn_is_short),
		TEST(test_connections_are_bounded),
		TEST(test_a_reader_that_dies_is_forgotten),
		TEST(test_events_are_told_to_who_monitors),
		TEST(test_events_that_are_not_read_are_counted),
		TEST(test_a_capture_ends_with_its_port),
		TEST(test_a_reader_says_that_it_wants_no_more),
		TEST(test_a_reader_hangs_up),
		TEST(test_a_slow_reader_loses_what_its_ring_cannot_hold),
		TEST(test_the_end_of_the_program_ends_a_capture),
		TEST(test_what_a_reader_sends_is_ignored),
		TEST(test_captures_are_bounded),
		TEST(test_a_capture_is_read_while_another_thread_forwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
