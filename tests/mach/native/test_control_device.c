/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control device as its clients see it, on a kernel that may refuse: requests
 * in and out of line, answers, rights that come along, and the counters of a vif.
 * What the requests themselves do is in test_control.c.
 *
 * Every test ends with no name, reference or memory left at the server.
 */
#include <vnet/mach_control.h>

#include "json.h"
#include "rig.h"

/* Octets of memory that is sent at once. */
#define WRITE_MAX 65536

struct test {
	struct rig r;
	struct client a, b;
	mach_port_t control; /* of a */
	char answer[1 << 16];
};

static void
begin(struct test *t)
{
	memset(t, 0, sizeof(*t));
	assert_int_equal(rig_begin(&t->r, NULL), 0);
	client_begin(&t->a, &t->r);
	client_begin(&t->b, &t->r);
	assert_int_equal(client_open(&t->a, "control"), 0);
	t->control = t->a.device;
	assert_true(t->control != MACH_PORT_NULL);
}

static void
end(struct test *t)
{
	if (t->a.task)
		client_kill(&t->a);
	if (t->b.task)
		client_kill(&t->b);
	rig_serve(&t->r);
	rig_end(&t->r);
}

/*
 * Asking
 */

static int
write_all(struct client *c, mach_port_t device, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		size_t n = len > 100 ? 100 : len;
		int k = client_write_inband(c, device, text, n);

		if (k)
			return k;
		text += n;
		len -= n;
	}
	return 0;
}

/* The octets of a reply that has come, behind its RetCode. */
static size_t
octets_of(struct client *c, bool is_inband, char *text, size_t room)
{
	struct vnet_wire_header h;
	struct vnet_wire_reader r;
	const uint8_t *octets;
	uintptr_t address;
	uint32_t n;

	vnet_wire_open(&r, &c->msg, c->msg.head.msgh_size, VNET_WIRE_HERE, &h);
	assert_int_equal(vnet_wire_get_int32(&r), 0);
	if (is_inband) {
		octets = vnet_wire_get_octets(&r, VNET_WIRE_CHAR, &n);
		assert_true(n < room);
		memcpy(text, octets, n);
	} else {
		address = vnet_wire_get_memory(&r, &n);
		assert_true(n < room);
		fake_enter(c->task);
		fake_peek(address, text, n);
		fake_kernel.vm_deallocate(address, n);
	}
	assert_true(vnet_wire_close(&r));
	return n;
}

/* One line. */
static const char *
read_line(struct test *t, struct client *c, mach_port_t device, bool is_inband)
{
	size_t len = 0;

	do {
		assert_true(client_read(c, device, is_inband, D_NOWAIT));
		rig_serve(&t->r);
		assert_int_equal(client_reply(c), 0);
		len += octets_of(c, is_inband, t->answer + len,
				 sizeof(t->answer) - len);
		t->answer[len] = '\0';
	} while (!len || t->answer[len - 1] != '\n');
	return t->answer;
}

static const char *
ask(struct test *t, const char *request)
{
	assert_int_equal(write_all(&t->a, t->control, request), 0);
	assert_int_equal(write_all(&t->a, t->control, "\n"), 0);
	return read_line(t, &t->a, t->control, false);
}

static struct vnet_json
result_of(const char *answer)
{
	struct vnet_json v = {NULL, NULL};

	assert_int_equal(vnet_json_check(&v, answer, strlen(answer), NULL), 0);
	if (vnet_json_type(vnet_json_get(v, "ok")) != VNET_JSON_TRUE)
		fail_msg("%s", answer);
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

static struct vnet_json
first_of(struct vnet_json list)
{
	struct vnet_json_walk w;

	vnet_json_begin(&w, list);
	assert_true(vnet_json_next(&w));
	return w.value;
}

#define ADD_VIF                                                              \
	"{\"do\":\"port add\",\"port\":{\"type\":\"vif\",\"name\":\"late\"," \
	"\"mac\":\"02:00:00:00:00:03\"}}"

/* A filter for IPv4 that drops, in 802.3 of the rig: 0x88b5. */
#define ADD_FILTER                                                        \
	"{\"do\":\"filter add\",\"port\":\"late\",\"filter\":{"           \
	"\"name\":\"f\",\"side\":\"out\",\"verdict\":\"drop\",\"insns\":" \
	"[[40,0,0,12],[21,0,1,34997],[6,0,0,65535],[6,0,0,0]]}}"

/*
 * The device
 */

static void
test_only_a_master_that_may_control_opens_it(void **state)
{
	struct vnet_mach_master_config config = {.size = sizeof(config)};
	struct vnet_mach_master *other;
	struct test t;

	(void)state;
	begin(&t);
	fake_enter(t.r.server);
	assert_int_equal(vnet_mach_master_add(t.r.m, &config, &other, NULL), 0);
	t.b.master =
		fake_give(t.r.server, vnet_mach_master_right(other), t.b.task);
	assert_int_equal(client_open(&t.b, "control"), D_NO_SUCH_DEVICE);
	assert_int_equal(client_open_new(&t.b, "control"), D_NO_SUCH_DEVICE);
	/* Nor does a message of control say anything to another right. */
	{
		struct vnet_wire_writer w =
			client_request(&t.b, t.b.master, VNET_MACH_CONTROL_ID);

		vnet_wire_put_right(&w, t.b.reply, VNET_WIRE_MAKE_SEND);
		vnet_wire_put_octets(&w, VNET_WIRE_CHAR, "{}", 2, false);
		assert_int_equal(client_call(&t.b, &w), MIG_BAD_ID);
	}
	end(&t);
}

static void
test_a_vif_is_made_opened_filtered_and_counted_while_it_runs(void **state)
{
	struct vnet_json stats, port;
	uint8_t frame[60];
	mach_port_t vif, late, right;
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(client_open(&t.b, "late"), D_NO_SUCH_DEVICE);
	assert_string_equal(ask(&t, ADD_VIF), "{\"ok\":true}\n");
	assert_int_equal(client_open(&t.b, "late"), 0);
	late = t.b.device;
	assert_int_equal(client_open(&t.b, "vif0"), 0);
	vif = t.b.device;
	right = client_receiver(&t.b, 5);
	assert_int_equal(client_filter(&t.b, late, right,
				       MACH_MSG_TYPE_MAKE_SEND, 0, NETF_IN),
			 0);
	rig_frame(frame, 3, 1);
	assert_int_equal(client_write(&t.b, vif, frame, sizeof(frame)), 0);
	assert_int_equal(client_frames(&t.b, right), 1);

	assert_string_equal(ask(&t, ADD_FILTER), "{\"ok\":true}\n");
	assert_int_equal(client_write(&t.b, vif, frame, sizeof(frame)), 0);
	assert_int_equal(client_frames(&t.b, right), 0);
	stats = result_of(ask(&t, "{\"do\":\"stats\",\"port\":\"late\"}"));
	port = first_of(vnet_json_get(stats, "ports"));
	assert_int_equal(number_at(vnet_json_get(port, "out"), "frames"), 2);
	assert_int_equal(number_at(vnet_json_get(vnet_json_get(port, "out"),
						 "delivered"),
				   "octets"),
			 60);
	assert_int_equal(
		number_at(vnet_json_get(vnet_json_get(port, "drops"), "out"),
			  "egress_filter"),
		1);
	assert_int_equal(number_at(vnet_json_get(port, "medium"), "sent"), 1);
	assert_int_equal(vnet_json_type(vnet_json_get(stats, "balanced")),
			 VNET_JSON_TRUE);
	stats = result_of(ask(&t, "{\"do\":\"show\"}"));
	assert_int_equal(number_at(vnet_json_get(stats, "server"), "facets"),
			 2);
	stats = first_of(result_of(
		ask(&t, "{\"do\":\"client show\",\"port\":\"late\"}")));
	assert_int_equal(number_at(stats, "filters"), 1);
	assert_int_equal(number_at(stats, "flags"), 0x1243);

	/* Its open answers on. */
	assert_string_equal(ask(&t, "{\"do\":\"port del\",\"port\":\"late\"}"),
			    "{\"ok\":true}\n");
	assert_int_equal(client_write(&t.b, late, frame, sizeof(frame)), 0);
	assert_int_equal(client_open(&t.b, "late"), D_NO_SUCH_DEVICE);
	end(&t);
}

/* A master of "new...", of which two may be made, and of all vifs. */
static void
test_a_vif_is_opened_by_the_name_of_its_device(void **state)
{
	static const char add[] =
		"{\"do\":\"port add\",\"port\":{\"type\":\"vif\","
		"\"name\":\"late\",\"device\":\"new7\","
		"\"mac\":\"02:00:00:00:00:03\"}}";
	static const char other[] =
		"{\"do\":\"port add\",\"port\":{\"type\":\"vif\","
		"\"name\":\"other\",\"device\":\"new7\","
		"\"mac\":\"02:00:00:00:00:04\"}}";
	struct test t;

	(void)state;
	begin(&t);
	assert_string_equal(ask(&t, add), "{\"ok\":true}\n");
	assert_int_equal(client_open(&t.b, "new7"), 0);
	assert_non_null(strstr(ask(&t, "{\"do\":\"client show\"}"),
			       "\"client\":\"late/0\""));
	assert_string_equal(ask(&t, other),
			    "{\"ok\":false,\"error\":\"port other: name of "
			    "the device: there is one already\"}\n");
	assert_string_equal(ask(&t, "{\"do\":\"port del\",\"port\":\"late\"}"),
			    "{\"ok\":true}\n");
	assert_string_equal(ask(&t, other), "{\"ok\":true}\n");
	assert_int_equal(client_open(&t.b, "new7"), 0);
	assert_non_null(strstr(ask(&t, "{\"do\":\"client show\"}"),
			       "\"client\":\"other/0\""));
	/* What is made without a master is there all the same. */
	fake_enter(t.r.server);
	vnet_mach_master_remove(t.r.master);
	assert_string_equal(ask(&t, ADD_VIF), "{\"ok\":true}\n");
	assert_string_equal(ask(&t, "{\"do\":\"port del\",\"port\":\"other\"}"),
			    "{\"ok\":true}\n");
	end(&t);
}

static void
test_an_open_is_told_what_has_changed(void **state)
{
	struct vnet_wire_header h;
	struct vnet_wire_reader r;
	mach_port_t vif, right;
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(client_open(&t.b, "vif0"), 0);
	vif = t.b.device;
	right = client_receiver(&t.b, 5);
	assert_int_equal(client_filter(&t.b, vif, right,
				       MACH_MSG_TYPE_MAKE_SEND, 0, NETF_IN),
			 0);
	assert_int_equal(client_set_flags(&t.b, vif, 0x1343), 0);
	assert_string_equal(
		ask(&t, "{\"do\":\"port set\",\"port\":\"vif0\",\"set\":{"
			"\"mtu\":1000,\"promisc\":false}}"),
		"{\"ok\":true}\n");
	assert_int_equal(
		client_get_status(&t.b, vif, NET_STATUS, NET_STATUS_COUNT), 0);
	vnet_wire_open(&r, &t.b.msg, t.b.msg.head.msgh_size, VNET_WIRE_HERE,
		       &h);
	/* RetCode, the descriptor, and then what struct net_status has. */
	assert_int_equal(t.b.msg.words[0] != 0, true);
	assert_int_equal(*(uint32_t *)((char *)&t.b.msg + 40), 1014);
	assert_int_equal(client_get_status(&t.b, vif, NET_FLAGS, 1), 0);
	assert_int_equal(*(uint32_t *)((char *)&t.b.msg + 36), 0x1243);
	/* A facet that is ended comes back by its next filter. */
	assert_string_equal(
		ask(&t, "{\"do\":\"client del\",\"client\":\"vif0/0\"}"),
		"{\"ok\":true}\n");
	assert_int_equal(fake_senders(t.b.task, right), 0);
	assert_int_equal(client_get_status(&t.b, vif, NET_FLAGS, 1), 0);
	assert_int_equal(*(uint32_t *)((char *)&t.b.msg + 36), 0x1203);
	assert_int_equal(client_filter(&t.b, vif, right,
				       MACH_MSG_TYPE_MAKE_SEND, 0, NETF_IN),
			 0);
	assert_int_equal(client_get_status(&t.b, vif, NET_FLAGS, 1), 0);
	assert_int_equal(*(uint32_t *)((char *)&t.b.msg + 36), 0x1243);
	end(&t);
}

static void
test_answers_are_read_in_any_way(void **state)
{
	struct test t;

	(void)state;
	begin(&t);
	/* Nothing is there yet: read, and then ask. */
	assert_true(client_read(&t.a, t.control, true, 0));
	assert_true(client_read(&t.a, t.control, false, 0));
	rig_serve(&t.r);
	assert_int_equal(client_reply(&t.a), NO_REPLY);
	assert_int_equal(write_all(&t.a, t.control, "{\"do\":\"fdb "), 0);
	assert_true(client_read(&t.a, t.control, true, D_NOWAIT));
	rig_serve(&t.r);
	assert_int_equal(client_reply(&t.a), D_WOULD_BLOCK);
	/* Their answers come before the one to the write. */
	assert_int_equal(write_all(&t.a, t.control, "flush\"}\n"), 0);
	assert_int_equal(octets_of(&t.a, true, t.answer, 100), 12);
	assert_int_equal(client_reply(&t.a), 0);
	end(&t);
}

static void
test_reads_wait_in_line_and_are_ended_by_close(void **state)
{
	struct test t;

	(void)state;
	begin(&t);
	for (int i = 0; i < 9; i++)
		assert_true(client_read(&t.a, t.control, i & 1, 0));
	rig_serve(&t.r);
	assert_int_equal(client_reply(&t.a), D_NO_MEMORY);
	assert_int_equal(client_reply(&t.a), NO_REPLY);
	assert_int_equal(client_close(&t.a, t.control), D_DEVICE_DOWN);
	for (int i = 1; i < 8; i++)
		assert_int_equal(client_reply(&t.a), D_DEVICE_DOWN);
	assert_int_equal(client_reply(&t.a), 0);
	/* It answers on. */
	assert_int_equal(write_all(&t.a, t.control, "x"), D_DEVICE_DOWN);
	assert_int_equal(client_write(&t.a, t.control, "x", 1), D_DEVICE_DOWN);
	assert_true(client_read(&t.a, t.control, false, 0));
	rig_serve(&t.r);
	assert_int_equal(client_reply(&t.a), D_DEVICE_DOWN);
	assert_int_equal(client_close(&t.a, t.control), 0);
	/* What is not a device's is refused. */
	assert_int_equal(client_get_status(&t.a, t.control, NET_STATUS, 7),
			 D_INVALID_OPERATION);
	assert_int_equal(client_set_flags(&t.a, t.control, 1),
			 D_INVALID_OPERATION);
	end(&t);
}

static void
test_requests_come_out_of_line(void **state)
{
	static const char flush[] = "{\"do\":\"fdb flush\",\"id\":1}\n";
	struct test t;
	char *text = malloc(WRITE_MAX + 1);

	(void)state;
	begin(&t);
	memset(text, ' ', WRITE_MAX + 1);
	memcpy(text + WRITE_MAX - strlen(flush), flush, strlen(flush));
	assert_int_equal(client_write(&t.a, t.control, text, WRITE_MAX), 0);
	assert_string_equal(read_line(&t, &t.a, t.control, true),
			    "{\"id\":1,\"ok\":true}\n");
	assert_int_equal(client_write(&t.a, t.control, text, WRITE_MAX + 1),
			 D_INVALID_SIZE);
	assert_int_equal(client_write(&t.a, t.control, text, 0), 0);
	/* One behind the other, of both kinds, in the order they came. */
	t.r.is_working = false;
	assert_true(client_send_write(&t.a, t.control, "{\"do\":\"fdb fl", 13));
	rig_serve(&t.r);
	assert_int_equal(client_reply(&t.a), 0);
	assert_int_equal(write_all(&t.a, t.control, "ush\",\"i"), 0);
	assert_true(client_send_write(&t.a, t.control, "d\":2}\n", 6));
	t.r.is_working = true;
	rig_serve(&t.r);
	assert_int_equal(client_reply(&t.a), 0);
	assert_string_equal(read_line(&t, &t.a, t.control, false),
			    "{\"id\":2,\"ok\":true}\n");
	free(text);
	end(&t);
}

static void
test_writes_that_nobody_reads_the_answers_of_are_held_up(void **state)
{
	static const char stats[] = "{\"do\":\"stats\"}\n";
	unsigned int asked = 0, told = 0;
	struct test t;
	char *text = malloc(WRITE_MAX);
	size_t n;
	int k;

	(void)state;
	begin(&t);
	for (size_t i = 0; i < WRITE_MAX; i += 15)
		memcpy(text + i, stats, i + 15 > WRITE_MAX ? 1 : 15);
	do {
		k = client_write(&t.a, t.control, text, 15 * 1000);
		asked += k ? 0 : 1000;
		assert_true(asked < 100000);
	} while (!k);
	assert_int_equal(k, D_WOULD_BLOCK);
	assert_true(asked >= 4000);
	for (int i = 0; i < 200; i++) {
		client_read(&t.a, t.control, false, D_NOWAIT);
		rig_serve(&t.r);
		assert_int_equal(client_reply(&t.a), 0);
		n = octets_of(&t.a, false, t.answer, sizeof(t.answer));
		for (size_t j = 0; j < n; j++)
			told += t.answer[j] == '\n';
	}
	assert_true(told >= 30);
	/* It may die with all of that. */
	free(text);
	end(&t);
}

static void
test_memory_that_cannot_be_read_ends_one_session_alone(void **state)
{
	vm_address_t at;
	struct vnet_wire_writer w;
	uint32_t mode = 0;
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(client_open(&t.b, "control"), 0);
	assert_true(client_read(&t.a, t.control, false, 0));
	rig_serve(&t.r);
	w = client_request(&t.a, t.control, 2802);
	fake_enter(t.a.task);
	fake_kernel.vm_allocate(&at, 100);
	fake_spoil(at);
	vnet_wire_put_int32(&w, &mode, 1);
	vnet_wire_put_natural(&w, 0);
	vnet_wire_put_memory(&w, at, 100, true);
	assert_int_equal(client_call(&t.a, &w), 0);
	assert_int_equal(client_reply(&t.a), D_DEVICE_DOWN);
	assert_int_equal(write_all(&t.a, t.control, "{}\n"), D_DEVICE_DOWN);
	assert_int_equal(write_all(&t.b, t.b.device, "{}\n"), 0);
	assert_non_null(strstr(read_line(&t, &t.b, t.b.device, false),
			       "found nothing, expected a string"));
	end(&t);
}

static struct test *of_copy;

static void
die_in_copy(void *ctx)
{
	(void)ctx;
	fake.on_copy = NULL;
	client_kill(&of_copy->a);
	of_copy->r.is_working = false;
	rig_serve(&of_copy->r);
	of_copy->r.is_working = true;
}

/* Its right has gone while a thread was at its memory. */
static void
test_who_dies_while_its_memory_is_touched_leaves_nothing(void **state)
{
	struct fake_holdings before;
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(client_open(&t.b, "vif0"), 0);
	before = fake_holdings(t.r.server);
	of_copy = &t;
	assert_true(client_send_write(&t.a, t.control, "{}\n", 3));
	assert_true(client_send_write(&t.a, t.control, "{}\n", 3));
	fake.on_copy = die_in_copy;
	rig_serve(&t.r);
	assert_null(fake.on_copy);
	assert_int_equal(fake_holdings(t.r.server).names, before.names - 1);
	assert_int_equal(fake_holdings(t.r.server).pieces, before.pieces);
	end(&t);
}

/* And while nobody has come to it yet. */
static void
test_who_dies_before_its_memory_is_touched_leaves_nothing(void **state)
{
	struct fake_holdings before;
	struct test t;

	(void)state;
	begin(&t);
	before = fake_holdings(t.r.server);
	t.r.is_working = false;
	assert_true(client_send_write(&t.a, t.control, "{}\n", 3));
	rig_serve(&t.r);
	client_kill(&t.a);
	rig_serve(&t.r);
	assert_int_equal(fake_holdings(t.r.server).names, before.names - 1);
	/* Another one takes the place in memory, if that is free. */
	assert_int_equal(client_open(&t.b, "control"), 0);
	assert_int_equal(client_write(&t.b, t.b.device, "{\"do\":", 6), 0);
	t.r.is_working = true;
	rig_serve(&t.r);
	assert_int_equal(fake_holdings(t.r.server).pieces, before.pieces);
	assert_int_equal(write_all(&t.b, t.b.device, "1}\n"), 0);
	assert_non_null(strstr(read_line(&t, &t.b, t.b.device, false),
			       "found a number"));
	end(&t);
}

/* What waits for a thread takes room, too: nothing that was taken is lost. */
static void
test_memory_that_waits_is_bounded(void **state)
{
	static const char flush[] = "{\"do\":\"fdb flush\",\"id\":1}\n";
	char *text = malloc(WRITE_MAX);
	struct test t;

	(void)state;
	begin(&t);
	memset(text, '\n', WRITE_MAX);
	memcpy(text + WRITE_MAX - strlen(flush), flush, strlen(flush));
	t.r.is_working = false;
	assert_int_equal(client_write(&t.a, t.control, text, WRITE_MAX), 0);
	assert_int_equal(client_write(&t.a, t.control, text, WRITE_MAX), 0);
	assert_int_equal(client_write(&t.a, t.control, text, 1), D_WOULD_BLOCK);
	assert_int_equal(write_all(&t.a, t.control, "\n"), D_WOULD_BLOCK);
	t.r.is_working = true;
	rig_serve(&t.r);
	assert_int_equal(write_all(&t.a, t.control, "\n"), 0);
	assert_string_equal(read_line(&t, &t.a, t.control, false),
			    "{\"id\":1,\"ok\":true}\n{\"id\":1,\"ok\":true}\n");
	/* Writes, however small. */
	t.r.is_working = false;
	for (int i = 0; i < 16; i++)
		assert_int_equal(client_write(&t.a, t.control, "\n", 1), 0);
	assert_int_equal(client_write(&t.a, t.control, "\n", 1), D_WOULD_BLOCK);
	t.r.is_working = true;
	free(text);
	end(&t);
}

static void
test_there_are_only_so_many_sessions(void **state)
{
	struct test t;
	int n = 1;

	(void)state;
	begin(&t);
	while (client_open(&t.b, "control") == 0)
		assert_true(++n <= 16);
	assert_int_equal(n, 16);
	client_kill(&t.b);
	rig_serve(&t.r);
	assert_int_equal(client_open(&t.a, "control"), 0);
	end(&t);
}

/*
 * Rights
 */

/* A message of control: returns its RetCode, the answer is t->answer. */
static int
send_right(struct test *t, mach_port_t to, mach_port_t right, uint32_t type,
	   const char *request)
{
	struct vnet_wire_writer w =
		client_request(&t->a, to, VNET_MACH_CONTROL_ID);
	int k;

	vnet_wire_put_right(&w, right, type);
	vnet_wire_put_octets(&w, VNET_WIRE_CHAR, request,
			     (uint32_t)strlen(request), false);
	k = client_call(&t->a, &w);
	t->answer[0] = '\0';
	if (!k) {
		size_t n = octets_of(&t->a, true, t->answer, sizeof(t->answer));

		t->answer[n] = '\0';
	}
	return k;
}

#define ADD_UPLINK                                            \
	"{\"do\":\"port add\",\"port\":{\"type\":\"uplink\"," \
	"\"name\":\"ext\",\"interface\":\"eth0\"}}"

static void
test_an_uplink_is_made_of_a_right_that_comes_with_its_request(void **state)
{
	struct fake_holdings before;
	mach_port_t nic, other;
	struct test t;

	(void)state;
	begin(&t);
	nic = client_receiver(&t.a, 16);
	before = fake_holdings(t.r.server);
	assert_int_equal(send_right(&t, t.control, nic, VNET_WIRE_MAKE_SEND,
				    ADD_UPLINK),
			 0);
	assert_string_equal(t.answer, "{\"ok\":true}\n");
	assert_true(fake_senders(t.a.task, nic) >= 1);
	rig_serve(&t.r);
	/* It is asked to open a device of that name. */
	assert_int_equal(fake_queued(t.a.task, nic), 1);
	assert_non_null(strstr(ask(&t, "{\"do\":\"port show\","
				       "\"port\":\"ext\"}"),
			       "\"interface\":\"eth0\",\"mac\":\"00:00:00:00:"
			       "00:00\",\"mtu\":0,\"up\":false,"
			       "\"state\":\"opening\""));
	/* That name is not passed on to anybody. */
	assert_int_equal(client_open(&t.b, "eth0"), D_NO_SUCH_DEVICE);

	other = client_receiver(&t.a, 16);
	assert_int_equal(send_right(&t, t.control, other, VNET_WIRE_MAKE_SEND,
				    "{\"do\":\"uplink give\",\"port\":\"ext\","
				    "\"right\":\"device\"}"),
			 0);
	assert_string_equal(t.answer, "{\"ok\":true}\n");
	rig_serve(&t.r);
	assert_int_equal(fake_queued(t.a.task, other), 1);
	assert_string_equal(ask(&t, "{\"do\":\"port del\",\"port\":\"ext\"}"),
			    "{\"ok\":true}\n");
	rig_serve(&t.r);
	assert_int_equal(fake_holdings(t.r.server).names, before.names);
	end(&t);
}

static void
test_a_right_that_is_not_taken_is_released(void **state)
{
	static const char *const requests[] = {
		"{",
		"{\"do\":\"show\"}",
		"{\"do\":\"port add\",\"port\":{\"type\":\"uplink\","
		"\"name\":\"vif0\",\"interface\":\"eth0\"}}",
		"{\"do\":\"uplink give\",\"port\":\"vif0\"}",
		"{\"do\":\"port add\",\"may_exist\":true,\"port\":{"
		"\"type\":\"uplink\",\"name\":\"vif0\","
		"\"interface\":\"eth0\"}}",
		"{\"do\":\"stats\"}",
	};
	struct fake_holdings before, after;
	mach_port_t right;
	struct test t;

	(void)state;
	begin(&t);
	right = client_receiver(&t.a, 16);
	before = fake_holdings(t.r.server);
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		assert_int_equal(send_right(&t, t.control, right,
					    VNET_WIRE_MAKE_SEND, requests[i]),
				 0);
		assert_true(strlen(t.answer) > 5);
		assert_int_equal(fake_senders(t.a.task, right), 0);
		after = fake_holdings(t.r.server);
		assert_int_equal(after.names, before.names);
		assert_int_equal(after.refs, before.refs);
	}
	/* None at all, and a dead one. */
	assert_int_equal(send_right(&t, t.control, MACH_PORT_NULL,
				    VNET_WIRE_COPY_SEND, ADD_UPLINK),
			 0);
	assert_non_null(strstr(t.answer, "an uplink needs a send right"));
	assert_int_equal(send_right(&t, t.control, MACH_PORT_DEAD,
				    VNET_WIRE_COPY_SEND, ADD_UPLINK),
			 0);
	assert_non_null(strstr(t.answer, "an uplink needs a send right"));
	end(&t);
}

/* A server that would open its uplink by itself would wait for itself. */
static void
test_rights_of_the_server_are_refused(void **state)
{
	struct fake_holdings before, after;
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(client_open(&t.a, "vif0"), 0);
	before = fake_holdings(t.r.server);
	assert_int_equal(send_right(&t, t.control, t.a.master,
				    VNET_WIRE_COPY_SEND, ADD_UPLINK),
			 0);
	assert_non_null(strstr(t.answer, "an uplink needs a send right"));
	assert_int_equal(send_right(&t, t.control, t.control,
				    VNET_WIRE_COPY_SEND, ADD_UPLINK),
			 0);
	assert_non_null(strstr(t.answer, "an uplink needs a send right"));
	assert_int_equal(send_right(&t, t.control, t.a.device,
				    VNET_WIRE_COPY_SEND,
				    "{\"do\":\"port add\",\"port\":{"
				    "\"type\":\"uplink\",\"name\":\"x\","
				    "\"interface\":\"e\","
				    "\"right\":\"device\"}}"),
			 0);
	assert_non_null(strstr(t.answer, "an uplink needs a send right"));
	after = fake_holdings(t.r.server);
	assert_int_equal(after.names, before.names);
	assert_int_equal(after.refs, before.refs);
	end(&t);
}

static void
test_messages_that_are_none_are_refused_and_leave_nothing(void **state)
{
	struct fake_holdings before;
	struct vnet_wire_writer w;
	static char text[VNET_MACH_CONTROL_MAX + 1];
	mach_port_t right;
	uint32_t number = 7;
	struct test t;

	(void)state;
	begin(&t);
	right = client_receiver(&t.a, 16);
	before = fake_holdings(t.r.server);
	/* A right that is none, or another. */
	assert_int_equal(send_right(&t, t.control, right,
				    VNET_WIRE_MAKE_SEND_ONCE, ADD_UPLINK),
			 MIG_BAD_ARGUMENTS);
	w = client_request(&t.a, t.control, VNET_MACH_CONTROL_ID);
	vnet_wire_put_octets(&w, VNET_WIRE_CHAR, "{}", 2, false);
	assert_int_equal(client_call(&t.a, &w), MIG_BAD_ARGUMENTS);
	w = client_request(&t.a, t.control, VNET_MACH_CONTROL_ID);
	assert_int_equal(client_call(&t.a, &w), MIG_BAD_ARGUMENTS);
	w = client_request(&t.a, t.control, VNET_MACH_CONTROL_ID);
	vnet_wire_put_right(&w, right, VNET_WIRE_MAKE_SEND);
	vnet_wire_put_int32(&w, &number, 1);
	assert_int_equal(client_call(&t.a, &w), MIG_BAD_ARGUMENTS);
	/* More behind it. */
	w = client_request(&t.a, t.control, VNET_MACH_CONTROL_ID);
	vnet_wire_put_right(&w, right, VNET_WIRE_MAKE_SEND);
	vnet_wire_put_octets(&w, VNET_WIRE_CHAR, "{}", 2, false);
	vnet_wire_put_right(&w, right, VNET_WIRE_MAKE_SEND);
	assert_int_equal(client_call(&t.a, &w), MIG_BAD_ARGUMENTS);
	/* Too long. */
	memset(text, ' ', sizeof(text));
	w = client_request(&t.a, t.control, VNET_MACH_CONTROL_ID);
	vnet_wire_put_right(&w, right, VNET_WIRE_MAKE_SEND);
	vnet_wire_put_octets(&w, VNET_WIRE_CHAR, text, sizeof(text), false);
	assert_int_equal(client_call(&t.a, &w), D_INVALID_SIZE);
	assert_int_equal(client_close(&t.a, t.control), 0);
	assert_int_equal(send_right(&t, t.control, right, VNET_WIRE_MAKE_SEND,
				    ADD_UPLINK),
			 D_DEVICE_DOWN);
	assert_int_equal(fake_senders(t.a.task, right), 0);
	assert_int_equal(fake_holdings(t.r.server).names, before.names);
	end(&t);
}

/*
 * The counters of a vif
 */

/* The words of a status that has come. */
static const int *
status_of(const struct client *c)
{
	return (const int *)((const char *)&c->msg + 36);
}

static uint64_t
counter(struct client *c, mach_port_t device, uint32_t flavor, uint32_t which)
{
	uint32_t n;

	assert_int_equal(client_get_status(c, device, flavor, 1024), 0);
	n = (c->msg.head.msgh_size - 36) / 4;
	assert_int_equal(status_of(c)[0], (n - 1) / 2);
	assert_int_equal((n - 1) / 2,
			 VNET_MACH_COUNTER_DROPS + 4 * VNET_NDROPS);
	return vnet_mach_counter(status_of(c), n, which);
}

static void
test_whoever_holds_a_vif_reads_its_counters(void **state)
{
	const uint32_t no_destination =
		VNET_MACH_COUNTER_DROPS + 4 * VNET_DROP_NO_DESTINATION;
	mach_port_t first, second, other;
	uint8_t frame[60];
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(client_open(&t.b, "vif0"), 0);
	first = t.b.device;
	assert_int_equal(client_open(&t.b, "vif0"), 0);
	second = t.b.device;
	assert_int_equal(client_open(&t.b, "vif1"), 0);
	other = t.b.device;
	rig_frame(frame, 2, 1);
	for (int i = 0; i < 3; i++)
		client_write(&t.b, first, frame, sizeof(frame));
	client_write(&t.b, second, frame, sizeof(frame));
	client_write(&t.b, second, frame, 10);
	assert_int_equal(counter(&t.b, first, VNET_MACH_STATUS_CLIENT,
				 VNET_MACH_COUNTER_IN_FRAMES),
			 3);
	assert_int_equal(counter(&t.b, first, VNET_MACH_STATUS_CLIENT,
				 VNET_MACH_COUNTER_IN_OCTETS),
			 180);
	assert_int_equal(counter(&t.b, second, VNET_MACH_STATUS_CLIENT,
				 VNET_MACH_COUNTER_WRITES),
			 2);
	assert_int_equal(counter(&t.b, second, VNET_MACH_STATUS_CLIENT,
				 VNET_MACH_COUNTER_WRITE_LENGTH),
			 1);
	assert_int_equal(counter(&t.b, second, VNET_MACH_STATUS_VIF,
				 VNET_MACH_COUNTER_IN_FRAMES),
			 4);
	assert_int_equal(counter(&t.b, other, VNET_MACH_STATUS_VIF,
				 VNET_MACH_COUNTER_OUT_FRAMES),
			 4);
	assert_int_equal(counter(&t.b, other, VNET_MACH_STATUS_VIF,
				 VNET_MACH_COUNTER_IN_FRAMES),
			 0);
	/* Those of a client that has gone stay the vif's. */
	fake_enter(t.b.task);
	fake_kernel.port_deallocate(first);
	rig_serve(&t.r);
	assert_int_equal(counter(&t.b, second, VNET_MACH_STATUS_VIF,
				 VNET_MACH_COUNTER_IN_FRAMES),
			 4);
	assert_int_equal(counter(&t.b, second, VNET_MACH_STATUS_VIF,
				 VNET_MACH_COUNTER_WRITES),
			 5);
	/* And of one that was closed, and opened again by a filter. */
	client_close(&t.b, second);
	assert_int_equal(counter(&t.b, second, VNET_MACH_STATUS_VIF,
				 VNET_MACH_COUNTER_IN_FRAMES),
			 4);
	assert_int_equal(counter(&t.b, second, VNET_MACH_STATUS_CLIENT,
				 VNET_MACH_COUNTER_IN_FRAMES),
			 0);
	client_filter(&t.b, second, client_receiver(&t.b, 5),
		      MACH_MSG_TYPE_MAKE_SEND, 0, NETF_IN);
	client_close(&t.b, other);
	fake_enter(t.r.server);
	vnet_mach_vif_remove(t.r.m, t.r.vif1);
	vnet_mach_lock(t.r.m);
	vnet_port_remove(t.r.sw, t.r.vif1);
	vnet_mach_unlock(t.r.m);
	client_write(&t.b, second, frame, sizeof(frame));
	assert_int_equal(counter(&t.b, second, VNET_MACH_STATUS_CLIENT,
				 no_destination),
			 1);
	assert_int_equal(counter(&t.b, second, VNET_MACH_STATUS_CLIENT,
				 no_destination + 1),
			 60);
	/* A vif that has gone has none. */
	assert_int_equal(client_get_status(&t.b, other, VNET_MACH_STATUS_VIF,
					   1024),
			 D_INVALID_OPERATION);
	end(&t);
}

static void
test_counters_are_as_many_as_fit(void **state)
{
	mach_port_t vif;
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(client_open(&t.b, "vif0"), 0);
	vif = t.b.device;
	assert_int_equal(client_get_status(&t.b, vif, VNET_MACH_STATUS_CLIENT,
					   0),
			 D_INVALID_OPERATION);
	for (uint32_t n = 1; n < 8; n++) {
		assert_int_equal(client_get_status(&t.b, vif,
						   VNET_MACH_STATUS_CLIENT, n),
				 0);
		assert_int_equal(status_of(&t.b)[0], (n - 1) / 2);
		assert_int_equal(t.b.msg.head.msgh_size,
				 36 + 4 * (1 + (n - 1) / 2 * 2));
	}
	assert_int_equal(vnet_mach_counter(status_of(&t.b), 7, 3), 0);
	end(&t);
}

/*
 * A kernel, and an allocator, that refuse
 */

static void
live(struct test *t)
{
	mach_port_t right;

	client_begin(&t->a, &t->r);
	client_open(&t->a, "control");
	t->control = t->a.device;
	if (t->control) {
		write_all(&t->a, t->control, ADD_VIF "\n");
		client_read(&t->a, t->control, true, 0);
		client_read(&t->a, t->control, false, 0);
		rig_serve(&t->r);
		write_all(&t->a, t->control, ADD_FILTER "\n");
		client_write(&t->a, t->control, "{\"do\":\"stats\"}\n", 15);
		client_read(&t->a, t->control, false, 0);
		rig_serve(&t->r);
		while (client_reply(&t->a) != NO_REPLY)
			;
		right = client_receiver(&t->a, 16);
		{
			struct vnet_wire_writer w = client_request(
				&t->a, t->control, VNET_MACH_CONTROL_ID);

			vnet_wire_put_right(&w, right, VNET_WIRE_MAKE_SEND);
			vnet_wire_put_octets(&w, VNET_WIRE_CHAR, ADD_UPLINK,
					     sizeof(ADD_UPLINK) - 1, false);
			client_call(&t->a, &w);
		}
		client_close(&t->a, t->control);
	}
	client_kill(&t->a);
	rig_serve(&t->r);
}

/* One call of the server's after another fails: nothing is left behind, whatever
 * comes of it (rig_end() sees to that). */
static void
test_any_call_may_fail(void **state)
{
	static const struct {
		enum fake_call call;
		int code;
	} calls[] = {
		{FAKE_SEND, MACH_SEND_TIMED_OUT},
		{FAKE_SEND, MACH_SEND_INVALID_DEST},
		{FAKE_SEND, MACH_SEND_NO_BUFFER},
		{FAKE_PORT_ALLOCATE, KERN_RESOURCE_SHORTAGE},
		{FAKE_PORT_SET_QLIMIT, KERN_INVALID_NAME},
		{FAKE_PORT_MOVE_MEMBER, KERN_INVALID_NAME},
		{FAKE_PORT_TYPE, KERN_INVALID_NAME},
		{FAKE_PORT_REQUEST_NOTIFICATION, KERN_RESOURCE_SHORTAGE},
		{FAKE_VM_ALLOCATE, KERN_NO_SPACE},
		{FAKE_COPY, 1},
	};
	static struct test t;

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		for (unsigned long at = 1;; at++) {
			const struct rig_plan plan = {
				.call = calls[i].call,
				.at = at,
				.code = calls[i].code,
			};
			bool has_failed;

			memset(&t, 0, sizeof(t));
			if (!rig_begin(&t.r, &plan))
				live(&t);
			has_failed = fake.has_failed;
			rig_end(&t.r);
			if (!has_failed)
				break;
			assert_true(at < 1000);
		}
}

static void
test_memory_may_run_out(void **state)
{
	static struct test t;

	(void)state;
	for (unsigned long at = 1; at < 60; at++) {
		const struct rig_plan plan = {.memory_at = at};

		memset(&t, 0, sizeof(t));
		if (!rig_begin(&t.r, &plan))
			live(&t);
		rig_end(&t.r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_a_master_that_may_control_opens_it),
		cmocka_unit_test(
			test_a_vif_is_made_opened_filtered_and_counted_while_it_runs),
		cmocka_unit_test(
			test_a_vif_is_opened_by_the_name_of_its_device),
		cmocka_unit_test(test_an_open_is_told_what_has_changed),
		cmocka_unit_test(test_answers_are_read_in_any_way),
		cmocka_unit_test(
			test_reads_wait_in_line_and_are_ended_by_close),
		cmocka_unit_test(test_requests_come_out_of_line),
		cmocka_unit_test(
			test_writes_that_nobody_reads_the_answers_of_are_held_up),
		cmocka_unit_test(
			test_memory_that_cannot_be_read_ends_one_session_alone),
		cmocka_unit_test(
			test_who_dies_while_its_memory_is_touched_leaves_nothing),
		cmocka_unit_test(
			test_who_dies_before_its_memory_is_touched_leaves_nothing),
		cmocka_unit_test(test_memory_that_waits_is_bounded),
		cmocka_unit_test(test_there_are_only_so_many_sessions),
		cmocka_unit_test(
			test_an_uplink_is_made_of_a_right_that_comes_with_its_request),
		cmocka_unit_test(test_a_right_that_is_not_taken_is_released),
		cmocka_unit_test(test_rights_of_the_server_are_refused),
		cmocka_unit_test(
			test_messages_that_are_none_are_refused_and_leave_nothing),
		cmocka_unit_test(test_whoever_holds_a_vif_reads_its_counters),
		cmocka_unit_test(test_counters_are_as_many_as_fit),
		cmocka_unit_test(test_any_call_may_fail),
		cmocka_unit_test(test_memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
