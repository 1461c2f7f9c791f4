/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server on a kernel that refuses, and against clients that lie, die and hold
 * back. Every test ends with no name, reference, memory or message left over, and
 * no call made that could only be a mistake.
 */
#include <errno.h>

#include <vnet/mach_uplink.h>

#include "net_flags.h"
#include "rig.h"

#define IN  NETF_IN
#define OUT NETF_OUT

/*
 * A life: two clients, everything they can ask for. Where a call of the server's
 * fails, a step of it does, and those behind it do what they can.
 */

struct life {
	struct rig r;
	struct client a, b;
	mach_port_t da, db;      /* devices */
	mach_port_t ra, rb, rb2; /* receive rights of filters */
};

static void
step_open(struct life *l)
{
	client_open(&l->a, "vif0");
	l->da = l->a.device;
	client_open_new(&l->b, "vif1");
	l->db = l->b.device;
}

static void
step_create(struct life *l)
{
	client_open(&l->a, "new0");
	client_open(&l->b, "none");
}

static void
step_status(struct life *l)
{
	client_get_status(&l->a, l->da, NET_STATUS, NET_STATUS_COUNT);
	client_get_status(&l->a, l->da, NET_ADDRESS, 2);
	client_get_status(&l->a, l->da, NET_FLAGS, 1);
	client_set_flags(&l->a, l->da, 0x1243);
	client_get_status(&l->a, l->da, 12345, 100);
}

static void
step_filter(struct life *l)
{
	l->ra = client_receiver(&l->a, 5);
	l->rb = client_receiver(&l->b, 2);
	l->rb2 = client_receiver(&l->b, 16);
	client_filter(&l->a, l->da, l->ra, MACH_MSG_TYPE_MAKE_SEND, 0, IN);
	client_filter(&l->a, l->da, l->ra, MACH_MSG_TYPE_MAKE_SEND, 0, OUT);
	client_filter(&l->b, l->db, l->rb, MACH_MSG_TYPE_MAKE_SEND, 0, IN);
	client_filter(&l->b, l->db, l->rb2, MACH_MSG_TYPE_MAKE_SEND, 3,
		      IN | OUT);
	/* The same right again. */
	client_filter(&l->b, l->db, l->rb, MACH_MSG_TYPE_MAKE_SEND, 7, IN);
}

static void
step_write(struct life *l)
{
	uint8_t frame[60];

	rig_frame(frame, 0xff, 1);
	client_write(&l->a, l->da, frame, sizeof(frame));
	rig_frame(frame, 1, 2);
	client_write_inband(&l->b, l->db, frame, sizeof(frame));
	/* More than a queue of two holds. */
	rig_frame(frame, 2, 1);
	for (int i = 0; i < 4; i++)
		client_send_write(&l->a, l->da, frame, sizeof(frame));
	client_write_inband(&l->a, l->da, frame, sizeof(frame));
	for (int i = 0; i < 5; i++)
		client_reply(&l->a);
	client_frames(&l->a, l->ra);
	client_frames(&l->b, l->rb);
}

static void
step_read(struct life *l)
{
	uint8_t frame[60];

	rig_frame(frame, 2, 1);
	client_read(&l->b, l->db, false, 0);
	client_read(&l->b, l->db, true, 0);
	client_read(&l->b, l->db, true, D_NOWAIT);
	rig_serve(&l->r);
	for (int i = 0; i < 4; i++)
		client_write(&l->a, l->da, frame, sizeof(frame));
	client_reply(&l->b);
	client_read(&l->b, l->db, false, 0);
	client_read(&l->b, l->db, false, 0);
	client_read(&l->b, l->db, false, 0);
	rig_serve(&l->r);
	while (client_reply(&l->b) != NO_REPLY)
		;
}

/* What a client holds goes, one by one. */
static void
step_die(struct life *l)
{
	fake_enter(l->b.task);
	fake_kernel.port_mod_refs(l->rb, MACH_PORT_RIGHT_RECEIVE, -1);
	rig_serve(&l->r);
	client_close(&l->b, l->db);
	client_filter(&l->b, l->db, l->rb2, MACH_MSG_TYPE_MAKE_SEND, 0, IN);
	fake_enter(l->b.task);
	if (l->db)
		fake_kernel.port_deallocate(l->db);
	rig_serve(&l->r);
}

static void
step_revoke(struct life *l)
{
	uint8_t frame[60];

	fake_enter(l->r.server);
	vnet_mach_vif_remove(l->r.m, l->r.vif0);
	rig_frame(frame, 0xff, 1);
	client_write(&l->a, l->da, frame, sizeof(frame));
	client_get_status(&l->a, l->da, NET_STATUS, NET_STATUS_COUNT);
}

static void (*const steps[])(struct life *l) = {
	step_open,  step_create, step_status, step_filter,
	step_write, step_read,   step_die,    step_revoke,
};
#define NSTEPS (sizeof(steps) / sizeof(steps[0]))

static bool
life_begin(struct life *l, const struct rig_plan *plan)
{
	memset(l, 0, sizeof(*l));
	if (rig_begin(&l->r, plan))
		return false;
	client_begin(&l->a, &l->r);
	client_begin(&l->b, &l->r);
	return true;
}

static void
life_go_on(struct life *l, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		steps[i](l);
}

static void
life_end(struct life *l)
{
	if (l->a.task)
		client_kill(&l->a);
	if (l->b.task)
		client_kill(&l->b);
	if (l->r.m)
		rig_serve(&l->r);
	rig_end(&l->r);
}

/* What the server has when it is idle: nobody has anything of it. */
static void
assert_idle(struct life *l)
{
	struct vnet_mach_stats stats = {.size = sizeof(stats)};

	assert_int_equal(vnet_mach_get_stats(l->r.m, &stats), 0);
	assert_int_equal(stats.facets, 0);
	assert_int_equal(stats.masters, 1);
}

static void
test_a_life_goes_as_it_should(void **state)
{
	struct fake_holdings before, after;
	struct client *b;
	uint8_t frame[60];
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	b = &l.b;
	before = fake_holdings(l.r.server);
	assert_int_equal(client_open(&l.a, "vif0"), 0);
	assert_int_equal(client_open_new(b, "vif1"), 0);
	l.da = l.a.device;
	l.db = b->device;
	assert_int_equal(client_open(b, "none"), D_NO_SUCH_DEVICE);
	step_filter(&l);
	rig_frame(frame, 2, 1);
	assert_int_equal(client_write(&l.a, l.da, frame, 60), 0);
	assert_int_equal(client_frames(b, l.rb), 1);
	assert_int_equal(client_frames(b, l.rb2), 1);
	assert_int_equal(client_frames(&l.a, l.ra), 1); /* OUT */
	rig_frame(frame, 1, 2);
	assert_int_equal(client_write_inband(b, l.db, frame, 60), 0);
	assert_int_equal(client_frames(&l.a, l.ra), 1);
	assert_int_equal(client_frames(b, l.rb2), 1);
	assert_int_equal(client_frames(b, l.rb), 0);

	/* A read that waits, one that does not, and one of what was kept. */
	assert_true(client_read(b, l.db, true, 0));
	rig_serve(&l.r);
	assert_int_equal(client_reply(b), NO_REPLY);
	rig_frame(frame, 2, 1);
	client_write(&l.a, l.da, frame, 60);
	assert_int_equal(client_reply(b), 0);
	client_read(b, l.db, true, D_NOWAIT);
	rig_serve(&l.r);
	assert_int_equal(client_reply(b), D_WOULD_BLOCK);
	client_write(&l.a, l.da, frame, 60);
	client_read(b, l.db, false, D_NOWAIT);
	rig_serve(&l.r);
	assert_int_equal(client_reply(b), 0);
	{
		mach_msg_header_t *h = &b->msg.head;
		struct vnet_wire_header head;
		struct vnet_wire_reader r;
		uint8_t got[60];
		uintptr_t at;
		uint32_t n;

		vnet_wire_open(&r, h, h->msgh_size, VNET_WIRE_HERE, &head);
		vnet_wire_get_int32(&r);
		at = vnet_wire_get_memory(&r, &n);
		assert_true(vnet_wire_close(&r));
		assert_int_equal(n, 60);
		fake_peek(at, got, 60);
		assert_memory_equal(got, frame, 60);
	}
	client_kill(&l.a);
	client_kill(b);
	rig_serve(&l.r);
	assert_idle(&l);
	after = fake_holdings(l.r.server);
	/* Each client has a send right to the master, which is no name here. */
	assert_memory_equal(&before, &after, sizeof(before));
	rig_end(&l.r);
}

static void
test_clients_killed_after_each_step_leave_nothing(void **state)
{
	struct life l;

	(void)state;
	for (size_t at = 0; at <= NSTEPS; at++)
		for (int which = 0; which < 3; which++) {
			struct fake_holdings before, after;

			assert_true(life_begin(&l, NULL));
			before = fake_holdings(l.r.server);
			life_go_on(&l, 0, at);
			if (which & 1)
				client_kill(&l.a);
			else
				client_kill(&l.b);
			rig_serve(&l.r);
			if (l.a.task)
				client_kill(&l.a);
			if (l.b.task)
				client_kill(&l.b);
			rig_serve(&l.r);
			assert_idle(&l);
			after = fake_holdings(l.r.server);
			assert_memory_equal(&before, &after, sizeof(before));
			life_end(&l);
		}
}

/*
 * Calls that fail
 */

/* The whole of it. Did it come to that? */
static bool
live(const struct rig_plan *plan)
{
	struct life l;
	bool has_failed;

	if (life_begin(&l, plan))
		life_go_on(&l, 0, NSTEPS);
	has_failed = fake.has_failed;
	life_end(&l);
	return has_failed;
}

static void
fail_each(enum fake_call call, int code)
{
	unsigned long at = 1;

	while (live(&(struct rig_plan){.call = call, .at = at, .code = code}))
		at++;
	/* None of it would show nothing. */
	if (at == 1)
		fail_msg("call %d is never made", (int)call);
}

static void
test_any_send_may_fail(void **state)
{
	static const int codes[] = {
		MACH_SEND_TIMED_OUT,      MACH_SEND_INTERRUPTED,
		MACH_SEND_NO_BUFFER,      MACH_SEND_INVALID_DEST,
		MACH_SEND_INVALID_MEMORY,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		fail_each(FAKE_SEND, codes[i]);
}

static void
test_any_receive_may_fail(void **state)
{
	(void)state;
	fail_each(FAKE_RECEIVE, MACH_RCV_INTERRUPTED);
	fail_each(FAKE_RECEIVE, MACH_RCV_PORT_CHANGED);
}

static void
test_any_call_about_rights_may_fail(void **state)
{
	static const enum fake_call calls[] = {
		FAKE_PORT_ALLOCATE,
		FAKE_PORT_TYPE,
		FAKE_PORT_SET_QLIMIT,
		FAKE_PORT_MOVE_MEMBER,
		FAKE_PORT_REQUEST_NOTIFICATION,
		FAKE_PORT_GET_RECEIVE_STATUS,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		fail_each(calls[i], KERN_RESOURCE_SHORTAGE);
		fail_each(calls[i], KERN_NO_SPACE);
	}
}

static void
test_any_call_about_memory_may_fail(void **state)
{
	(void)state;
	fail_each(FAKE_VM_ALLOCATE, KERN_RESOURCE_SHORTAGE);
	fail_each(FAKE_COPY, KERN_FAILURE);
}

static void
test_memory_may_run_out_anywhere(void **state)
{
	unsigned long at;

	(void)state;
	for (at = 1;; at++) {
		const struct rig_plan plan = {.memory_at = at};
		struct life l;
		bool is_over;

		if (life_begin(&l, &plan))
			life_go_on(&l, 0, NSTEPS);
		is_over = l.r.alloc.calls < l.r.alloc.fail_at;
		life_end(&l);
		if (is_over)
			break;
	}
	assert_true(at > 10);
}

static void
test_messages_whose_memory_has_no_room_are_nothing(void **state)
{
	(void)state;
	for (unsigned torn = 1; torn < 10; torn++) {
		struct life l;

		assert_true(life_begin(&l, &(struct rig_plan){.torn = torn}));
		life_go_on(&l, 0, NSTEPS);
		life_end(&l);
	}
}

/* What the kernel gives back it gives back in part. */
static void
test_a_send_that_fails_may_be_torn(void **state)
{
	(void)state;
	for (unsigned long at = 1; at < 100; at++)
		live(&(struct rig_plan){
			.call = FAKE_SEND,
			.at = at,
			.code = MACH_SEND_TIMED_OUT,
			.torn = 1000,
		});
}

/* An answer with memory, to a queue that is full, and no room for the memory that
 * comes back. */
static void
test_an_answer_that_comes_back_torn_leaves_nothing(void **state)
{
	struct fake_holdings before, after;
	uint8_t frame[60];
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	client_read(&l.b, l.db, true, D_NOWAIT); /* opens the queue */
	rig_serve(&l.r);
	before = fake_holdings(l.r.server);
	client_read(&l.b, l.db, false, 0);
	rig_serve(&l.r);
	fake.fail_call = FAKE_SEND;
	fake.fail_at = fake.calls[FAKE_SEND] + 1;
	fake.fail_code = MACH_SEND_TIMED_OUT;
	fake.torn = 1;
	rig_frame(frame, 2, 1);
	client_write_inband(&l.a, l.da, frame, 60);
	assert_true(fake.has_failed);
	assert_int_equal(fake.torn, 0);
	after = fake_holdings(l.r.server);
	assert_memory_equal(&before, &after, sizeof(before));
	life_end(&l);
}

/* With all that waits in it, and clients that live on. */
static void
test_the_server_may_end_at_any_time(void **state)
{
	struct life l;

	(void)state;
	for (size_t at = 0; at <= NSTEPS; at++)
		for (int works = 0; works < 2; works++) {
			assert_true(life_begin(&l, NULL));
			l.r.is_working = works;
			life_go_on(&l, 0, at);
			rig_end(&l.r);
		}
}

/*
 * Facets
 */

/* A translator may make send rights of a facet whenever it likes. */
static void
test_a_facet_lives_while_it_has_senders(void **state)
{
	struct vnet_mach_stats stats = {.size = sizeof(stats)};
	struct fake_holdings before, after;
	mach_port_t right, at_a;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	before = fake_holdings(l.r.server);
	fake_enter(l.r.server);
	assert_int_equal(
		vnet_mach_vif_open(l.r.m, l.r.vif0, 3, NULL, NULL, &right), 0);
	at_a = fake_give(l.r.server, right, l.a.task);
	fake_enter(l.a.task);
	fake_kernel.port_deallocate(at_a);
	/* Another one, before the server reads that there is none. */
	at_a = fake_give(l.r.server, right, l.a.task);
	rig_serve(&l.r);
	vnet_mach_get_stats(l.r.m, &stats);
	assert_int_equal(stats.facets, 1);
	assert_int_equal(client_get_status(&l.a, at_a, NET_FLAGS, 1), 0);
	fake_enter(l.a.task);
	fake_kernel.port_deallocate(at_a);
	rig_serve(&l.r);
	assert_idle(&l);
	after = fake_holdings(l.r.server);
	assert_memory_equal(&before, &after, sizeof(before));
	life_end(&l);
}

/* What a translator's access check lets through: @ctx. */
static uint32_t
grant(void *ctx, uint32_t mode)
{
	assert_int_equal(mode, D_READ | D_WRITE);
	return *(uint32_t *)ctx;
}

static void
test_a_translator_says_what_a_facet_may_do(void **state)
{
	uint32_t may[] = {0, VNET_MACH_READ, VNET_MACH_WRITE};
	uint8_t frame[60];

	(void)state;
	for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
		bool reads = may[i] & VNET_MACH_READ;
		bool writes = may[i] & VNET_MACH_WRITE;
		mach_port_t right, at_a, ra;
		struct life l;

		assert_true(life_begin(&l, NULL));
		client_open(&l.b, "vif1");
		l.db = l.b.device;
		l.rb = client_receiver(&l.b, 16);
		client_filter(&l.b, l.db, l.rb, MACH_MSG_TYPE_MAKE_SEND, 0, IN);
		fake_enter(l.r.server);
		assert_int_equal(vnet_mach_vif_open(l.r.m, l.r.vif0,
						    D_READ | D_WRITE, grant,
						    &may[i], &right),
				 may[i] ? 0 : -EACCES);
		if (!may[i]) {
			life_end(&l);
			continue;
		}
		at_a = fake_give(l.r.server, right, l.a.task);
		ra = client_receiver(&l.a, 16);
		assert_int_equal(client_filter(&l.a, at_a, ra,
					       MACH_MSG_TYPE_MAKE_SEND, 0, IN),
				 reads ? 0 : D_INVALID_OPERATION);
		rig_frame(frame, 0xff, 1);
		assert_int_equal(client_write(&l.a, at_a, frame, 60), 0);
		assert_int_equal(client_frames(&l.b, l.rb), writes);
		rig_frame(frame, 0xff, 2);
		assert_int_equal(client_write(&l.b, l.db, frame, 60), 0);
		assert_int_equal(client_frames(&l.a, ra), reads);
		life_end(&l);
	}
}

static void
test_a_port_that_pfinet_would_mistake_is_no_vif(void **state)
{
	static const char *const names[] = {"tun0", "dummy", "a/tunnel"};
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct vnet_port_config port = {
			.size = sizeof(port),
			.name = names[i],
			.mac = {{2, 0, 0, 0, 1, (uint8_t)i}},
		};
		struct vnet_mach_vif_config vif = {.size = sizeof(vif)};

		assert_int_equal(vnet_port_add(l.r.sw, &port, &vif.port, NULL),
				 0);
		assert_int_equal(vnet_mach_vif_add(l.r.m, &vif, NULL), -EINVAL);
	}
	life_end(&l);
}

/* Messages that have arrived at a right, which are destroyed. */
static unsigned
take_all(struct fake_task *task, mach_port_t right)
{
	static union rig_message m;
	struct fake_task *before = fake_enter(task);
	unsigned n = 0;

	while (!fake_kernel.msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
				sizeof(m), right, 0, MACH_PORT_NULL)) {
		vnet_mach_msg_destroy(&fake_kernel, &m.head);
		n++;
	}
	fake_enter(before);
	return n;
}

/* One task is the kernel's device master here. */
static void
test_a_master_passes_on_what_is_not_ours_nor_an_uplink(void **state)
{
	const struct vnet_port_config port = {
		.size = sizeof(port),
		.name = "out",
		.role = VNET_ROLE_UPLINK,
	};
	struct vnet_mach_uplink_config uplink = {
		.size = sizeof(uplink),
		.name = "eth0",
	};
	struct vnet_mach_master_config config = {.size = sizeof(config)};
	struct vnet_mach_master *master;
	mach_port_t real;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	real = client_receiver(&l.b, 16);
	config.real = fake_give(l.b.task, real, l.r.server);
	uplink.master = fake_give(l.b.task, real, l.r.server);
	fake_enter(l.r.server);
	assert_int_equal(vnet_mach_master_add(l.r.m, &config, &master, NULL),
			 0);
	assert_int_equal(vnet_port_add(l.r.sw, &port, &uplink.port, NULL), 0);
	assert_int_equal(vnet_mach_uplink_add(l.r.m, &uplink, NULL), 0);
	l.a.master =
		fake_give(l.r.server, vnet_mach_master_right(master), l.a.task);
	rig_serve(&l.r);
	take_all(l.b.task, real); /* the uplink's own */
	assert_int_equal(client_open(&l.a, "eth0"), D_NO_SUCH_DEVICE);
	assert_int_equal(take_all(l.b.task, real), 0);
	client_open(&l.a, "hd0");
	assert_int_equal(take_all(l.b.task, real), 1);
	life_end(&l);
}

/* Behind our back. */
static void
test_an_mtu_that_is_raised_is_not_ours(void **state)
{
	static uint8_t frame[9014];
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	fake_enter(l.r.server);
	assert_int_equal(vnet_port_set_mtu(l.r.sw, l.r.vif0, 9000), 0);
	assert_int_equal(vnet_port_set_mtu(l.r.sw, l.r.vif1, 9000), 0);
	step_open(&l);
	step_filter(&l);
	rig_frame(frame, 0xff, 1);
	assert_int_equal(client_write(&l.a, l.da, frame, sizeof(frame)), 0);
	assert_int_equal(client_frames(&l.b, l.rb), 0);
	assert_int_equal(client_write(&l.a, l.da, frame, 14 + 4087), 0);
	assert_int_equal(client_frames(&l.b, l.rb), 1);
	life_end(&l);
}

static mach_port_t named_by_payload;

static mach_port_t
name_of(void *ctx, unsigned long payload)
{
	(void)ctx;
	return payload == 0x1234 ? named_by_payload : MACH_PORT_NULL;
}

static vnet_nsec
no_time(void *ctx)
{
	(void)ctx;
	return 1;
}

/* As libports of the Hurd does it. */
static void
test_a_right_may_be_known_by_its_payload(void **state)
{
	struct vnet_mach_config config = {
		.size = sizeof(config),
		.sys = &fake_kernel,
		.now = no_time,
		.payload_to_port = name_of,
	};
	struct vnet_mach_master_config master = {.size = sizeof(master)};
	static union rig_message in, out;
	struct vnet_mach_master *s;
	struct vnet_mach *m;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	fake_enter(l.r.server);
	config.sw = l.r.sw;
	config.alloc = &l.r.alloc.alloc;
	config.max_rights = 4097;
	assert_int_equal(vnet_mach_create(&m, &config, NULL), -EINVAL);
	config.max_rights = 4096;
	assert_int_equal(vnet_mach_create(&m, &config, NULL), 0);
	assert_int_equal(vnet_mach_master_add(m, &master, &s, NULL), 0);
	named_by_payload = vnet_mach_master_right(s);
	for (unsigned long payload = 0x1233; payload <= 0x1234; payload++) {
		memset(&in, 0, sizeof(in));
		in.head.msgh_bits =
			MACH_MSGH_BITS(0, MACH_MSG_TYPE_PROTECTED_PAYLOAD);
		in.head.msgh_size = sizeof(in.head);
		in.head.msgh_protected_payload = payload;
		in.head.msgh_id = 12345;
		assert_int_equal(vnet_mach_demux(m, &in.head, &out.head),
				 payload == 0x1234);
	}
	vnet_mach_destroy(m);
	life_end(&l);
}

static void
test_so_many_reads_wait_and_no_more(void **state)
{
	struct life l;
	int k;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	/* Those that nobody would hear the answer of do not count. */
	for (int i = 0; i < 20; i++) {
		struct vnet_wire_writer w = client_request(&l.b, l.db, 2804);

		l.b.msg.head.msgh_local_port = MACH_PORT_NULL;
		vnet_wire_put_int32(&w, &(uint32_t){0}, 1);
		vnet_wire_put_natural(&w, 0);
		vnet_wire_put_int32(&w, &(uint32_t){100}, 1);
		assert_true(client_send(&l.b, &w));
		rig_serve(&l.r);
	}
	for (int i = 0; i < 8; i++) {
		client_read(&l.b, l.db, i & 1, 0);
		rig_serve(&l.r);
		assert_int_equal(client_reply(&l.b), NO_REPLY);
	}
	client_read(&l.b, l.db, true, 0);
	rig_serve(&l.r);
	assert_int_equal(client_reply(&l.b), D_NO_MEMORY);
	assert_int_equal(client_close(&l.b, l.db), D_DEVICE_DOWN);
	for (int i = 0; i < 7; i++)
		assert_int_equal(client_reply(&l.b), D_DEVICE_DOWN);
	k = client_reply(&l.b); /* of the close */
	assert_int_equal(k, 0);
	assert_int_equal(client_reply(&l.b), NO_REPLY);
	life_end(&l);
}

static void
test_a_facet_has_so_many_filters_and_no_more(void **state)
{
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	for (int i = 0; i < 6; i++)
		assert_int_equal(client_filter(&l.a, l.da,
					       client_receiver(&l.a, 5),
					       MACH_MSG_TYPE_MAKE_SEND, 0, IN),
				 i < 4 ? 0 : D_NO_MEMORY);
	life_end(&l);
}

static void
test_so_many_facets_and_no_more(void **state)
{
	mach_port_t first;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	for (int i = 0; i < 32; i++)
		assert_int_equal(client_open(&l.a, "vif0"), 0);
	first = l.a.device;
	assert_int_not_equal(client_open(&l.a, "vif0"), 0);
	/* Of 64 rights one is the master. */
	for (int i = 0; i < 31; i++)
		assert_int_equal(client_open(&l.b, i % 2 ? "vif1" : "new0"), 0);
	assert_int_not_equal(client_open(&l.b, "vif1"), 0);
	fake_enter(l.a.task);
	fake_kernel.port_deallocate(first);
	rig_serve(&l.r);
	assert_int_equal(client_open(&l.b, "vif1"), 0);
	assert_int_not_equal(client_open(&l.a, "vif0"), 0);
	life_end(&l);
}

/* MIG's stubs take longer ones. */
static void
test_arrays_longer_than_they_may_be_are_refused(void **state)
{
	static const uint16_t words[2000] = {IN};
	struct vnet_wire_writer w;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	assert_int_equal(client_write_inband(&l.a, l.da, words, 128), 0);
	for (uint32_t n = 129; n < 4000; n += 1 + n / 3) {
		assert_int_equal(client_write_inband(&l.a, l.da, words, n),
				 D_INVALID_SIZE);
		w = client_request(&l.a, l.da, 2812);
		vnet_wire_put_right(&w, client_receiver(&l.a, 1),
				    MACH_MSG_TYPE_MAKE_SEND);
		vnet_wire_put_int32(&w, &(uint32_t){0}, 1);
		vnet_wire_put_octets(&w, VNET_WIRE_INT16, words, n / 2 + 65,
				     false);
		assert_int_equal(client_call(&l.a, &w), D_INVALID_SIZE);
	}
	life_end(&l);
}

/* The one before is gone, and feeds nobody. */
static void
test_the_same_right_replaces_its_filter(void **state)
{
	mach_port_t right;
	uint8_t frame[60];
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	right = client_receiver(&l.b, 5);
	for (int i = 0; i < 3; i++)
		assert_int_equal(client_filter(&l.b, l.db, right,
					       MACH_MSG_TYPE_MAKE_SEND, i, IN),
				 0);
	/* Only OUT is left of it then. */
	assert_int_equal(client_filter(&l.b, l.db, right,
				       MACH_MSG_TYPE_MAKE_SEND, 0, IN | OUT),
			 0);
	rig_frame(frame, 2, 1);
	assert_int_equal(client_write(&l.a, l.da, frame, 60), 0);
	assert_int_equal(client_frames(&l.b, right), 1);
	life_end(&l);
}

/*
 * Replies
 */

/* Whoever opens and wants no answer has opened nothing. */
static void
test_an_open_without_a_reply_leaves_no_facet(void **state)
{
	static const mach_port_t replies[] = {MACH_PORT_NULL, MACH_PORT_DEAD};
	char name[VNET_MACH_NAME_SIZE] = "vif0";
	struct life l;

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct fake_holdings before, after;
		struct vnet_wire_writer w;

		assert_true(life_begin(&l, NULL));
		before = fake_holdings(l.r.server);
		w = client_request(&l.a, l.a.master, 2800);
		vnet_wire_put_int32(&w, &(uint32_t){3}, 1);
		vnet_wire_put_octets(&w, VNET_WIRE_STRING, name, sizeof(name),
				     true);
		l.a.msg.head.msgh_local_port = replies[i & 1];
		if (i & 2)
			l.a.msg.head.msgh_bits = MACH_MSGH_BITS(
				MACH_MSG_TYPE_COPY_SEND,
				i & 1 ? MACH_MSG_TYPE_MAKE_SEND : 0);
		assert_true(client_send(&l.a, &w));
		rig_serve(&l.r);
		assert_idle(&l);
		after = fake_holdings(l.r.server);
		assert_memory_equal(&before, &after, sizeof(before));
		life_end(&l);
	}
}

/* A right to reply to that is no send-once right, and to a queue that is full. */
static void
test_a_reply_to_a_full_queue_is_lost(void **state)
{
	struct vnet_mach_stats stats = {.size = sizeof(stats)};
	struct vnet_wire_writer w;
	mach_port_t full;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	assert_int_equal(client_open(&l.a, "vif0"), 0);
	full = client_receiver(&l.a, 1);
	for (uint32_t id = 2800; id < 2815; id++)
		for (int i = 0; i < 2; i++) {
			w = client_request(&l.a, l.a.device, id);
			l.a.msg.head.msgh_local_port = full;
			l.a.msg.head.msgh_bits =
				MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
					       MACH_MSG_TYPE_MAKE_SEND);
			assert_true(client_send(&l.a, &w));
			rig_serve(&l.r);
		}
	assert_int_equal(fake_queued(l.a.task, full), 1);
	vnet_mach_get_stats(l.r.m, &stats);
	assert_int_equal(stats.replies_lost, 2 * 15 - 1);
	/* It answers others. */
	assert_int_equal(client_open(&l.b, "vif1"), 0);
	life_end(&l);
}

/*
 * Memory that others have a say in
 */

struct held {
	struct life *l;
	void (*meanwhile)(struct life *l);
	unsigned n;
};

static void
on_copy(void *ctx)
{
	struct held *h = ctx;
	struct fake_task *before;

	if (h->n++)
		return;
	/* Another thread of the server sees to what comes now. */
	before = fake_enter(NULL);
	h->l->r.is_working = false;
	h->meanwhile(h->l);
	rig_serve(&h->l->r);
	h->l->r.is_working = true;
	fake_enter(before);
}

static void
others_go_on(struct life *l)
{
	uint8_t frame[60];

	rig_frame(frame, 0xff, 2);
	assert_int_equal(client_write_inband(&l->b, l->db, frame, 60), 0);
	assert_int_equal(client_frames(&l->a, l->ra), 1);
}

static void
it_closes(struct life *l)
{
	assert_int_equal(client_close(&l->a, l->da), 0);
}

static void
it_writes_on(struct life *l)
{
	uint8_t frame[60];

	rig_frame(frame, 0xff, 1);
	for (int i = 0; i < 40; i++)
		assert_int_equal(client_write(&l->a, l->da, frame, 60), 0);
}

static void
it_dies(struct life *l)
{
	client_kill(&l->a);
}

static void
its_vif_goes(struct life *l)
{
	struct fake_task *before = fake_enter(l->r.server);

	assert_int_equal(vnet_mach_vif_remove(l->r.m, l->r.vif0), 0);
	fake_enter(before);
}

static void
it_stops(struct life *l)
{
	struct fake_task *before = fake_enter(l->r.server);

	vnet_mach_stop(l->r.m);
	fake_enter(before);
}

static void
all_at_once(struct life *l)
{
	its_vif_goes(l);
	it_writes_on(l);
	it_closes(l);
	it_dies(l);
}

static void
test_whatever_happens_while_memory_is_touched(void **state)
{
	static void (*const meanwhile[])(struct life * l) = {
		others_go_on, it_closes,    it_writes_on,
		it_dies,      its_vif_goes, all_at_once,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(meanwhile) / sizeof(meanwhile[0]); i++)
		for (int spoilt = 0; spoilt < 2; spoilt++) {
			struct life l;
			struct held h = {&l, meanwhile[i], 0};
			uint8_t frame[60];

			assert_true(life_begin(&l, NULL));
			step_open(&l);
			step_filter(&l);
			rig_frame(frame, 0xff, 1);
			if (spoilt) {
				fake.fail_call = FAKE_COPY;
				fake.fail_at = fake.calls[FAKE_COPY] + 1;
				fake.fail_code = KERN_FAILURE;
			}
			fake.on_copy = on_copy;
			fake.ctx = &h;
			client_send_write(&l.a, l.da, frame, 60);
			rig_serve(&l.r);
			assert_true(h.n > 0);
			fake.on_copy = NULL;
			if (l.a.task)
				client_kill(&l.a);
			client_kill(&l.b);
			rig_serve(&l.r);
			assert_idle(&l);
			life_end(&l);
		}
}

static void
test_no_vif_is_made_of_a_name_that_nobody_can_read(void **state)
{
	static const char *const names[] = {"new ", "new\n", "new\x7f",
					    "new\xe4"};
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(client_open(&l.a, names[i]), D_NO_SUCH_DEVICE);
	assert_int_equal(client_open(&l.a, "new0"), 0);
	life_end(&l);
}

/* What is held up by a pager is not held up for ever. */
static void
test_stop_ends_what_waits_for_memory(void **state)
{
	struct life l;
	struct held h = {&l, it_stops, 0};
	uint8_t frame[60];

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	step_filter(&l);
	rig_frame(frame, 0xff, 1);
	l.r.is_working = false;
	client_send_write(&l.a, l.da, frame, 60);
	client_send_write(&l.a, l.da, frame, 60);
	rig_serve(&l.r);
	fake.on_copy = on_copy;
	fake.ctx = &h;
	l.r.is_working = true;
	rig_serve(&l.r);
	fake.on_copy = NULL;
	/* The second was not touched. */
	assert_int_equal(h.n, 1);
	assert_int_equal(client_frames(&l.b, l.rb), 0);
	client_kill(&l.a);
	client_kill(&l.b);
	life_end(&l);
}

static void
test_memory_that_cannot_be_read_ends_its_client_alone(void **state)
{
	struct vnet_wire_writer w;
	vm_address_t at;
	uint8_t frame[60];
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	step_filter(&l);
	fake_enter(l.a.task);
	fake_kernel.vm_allocate(&at, 60);
	fake_spoil(at);
	w = client_request(&l.a, l.da, 2802);
	vnet_wire_put_int32(&w, &(uint32_t){D_NOWAIT}, 1);
	vnet_wire_put_natural(&w, 0);
	vnet_wire_put_memory(&w, at, 60, true);
	assert_int_equal(client_call(&l.a, &w), 0);
	assert_int_equal(client_frames(&l.b, l.rb), 0);
	rig_frame(frame, 0xff, 2);
	assert_int_equal(client_write(&l.b, l.db, frame, 60), 0);
	assert_int_equal(client_frames(&l.b, l.rb2), 1); /* OUT: b lives */
	/* It is inert, and answers. */
	rig_frame(frame, 0xff, 1);
	assert_int_equal(client_write(&l.a, l.da, frame, 60), 0);
	assert_int_equal(client_frames(&l.b, l.rb), 0);
	life_end(&l);
}

/* Counts that the stubs do not look at, and memory of any length. */
static void
test_writes_of_any_length_are_answered_in_full(void **state)
{
	static const size_t lengths[] = {0,    1,     13,     14,   15,
					 1514, 1518,  1519,   4095, 4096,
					 4097, 65536, 1 << 20};
	static uint8_t frame[1 << 20];
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	step_filter(&l);
	rig_frame(frame, 0xff, 1);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct vnet_wire_header h;
		struct vnet_wire_reader r;
		bool is_frame = lengths[i] >= 14 && lengths[i] <= 1518;

		assert_int_equal(client_write(&l.a, l.da, frame, lengths[i]),
				 0);
		vnet_wire_open(&r, &l.a.msg, 40, VNET_WIRE_HERE, &h);
		vnet_wire_get_int32(&r);
		assert_int_equal(vnet_wire_get_int32(&r), lengths[i]);
		/* 1518 is one with a tag alone, which this one has not. */
		if (lengths[i] != 1518)
			assert_int_equal(client_frames(&l.b, l.rb), is_frame);
		else
			client_frames(&l.b, l.rb);
	}
	life_end(&l);
}

/*
 * Grants
 */

/* A vif "leased" with a grant of these addresses, and so many clients. */
static vnet_grant_id
add_leased(struct life *l, const struct vnet_mac_prefix *macs, size_t nmacs,
	   uint32_t max_clients, uint32_t flags)
{
	const uint16_t ethertype = 0x88b5;
	const struct vnet_grant grant = {
		.size = sizeof(grant),
		.name = "leased",
		.macs = macs,
		.nmacs = nmacs,
		.ethertypes = &ethertype,
		.nethertypes = 1,
		.may = VNET_MAY_BROADCAST,
		.max_clients = max_clients,
	};
	const struct vnet_port_config port = {
		.size = sizeof(port),
		.name = "leased",
		.mac = macs[0].mac,
		.flags = flags,
	};
	struct vnet_mach_vif_config vif = {.size = sizeof(vif)};
	struct vnet_mach_name name = {.size = sizeof(name), .name = "leased"};

	assert_int_equal(vnet_grant_add(l->r.sw, VNET_NO_ID, &grant, &vif.grant,
					NULL, NULL),
			 0);
	assert_int_equal(vnet_port_add(l->r.sw, &port, &vif.port, NULL), 0);
	assert_int_equal(vnet_mach_vif_add(l->r.m, &vif, NULL), 0);
	name.port = vif.port;
	assert_int_equal(vnet_mach_master_name(l->r.master, &name, NULL), 0);
	return vif.grant;
}

/* How many frames from @src of a's @device reach b. */
static unsigned
count_sent(struct life *l, mach_port_t device, uint8_t src)
{
	uint8_t frame[60];

	rig_frame(frame, 0xff, src);
	frame[12] = 0x88;
	frame[13] = 0xb5;
	assert_int_equal(client_write(&l->a, device, frame, sizeof(frame)), 0);
	return client_frames(&l->b, l->rb);
}

static uint32_t
flags_of(const struct life *l, vnet_client_id id)
{
	struct vnet_mach_facet_info info = {.size = sizeof(info)};

	assert_int_equal(vnet_mach_facet_get(l->r.m, id, &info), 0);
	return info.flags;
}

static void
test_facets_share_a_grant_until_it_ends(void **state)
{
	static const struct vnet_mac_prefix mac = {{{2, 0, 0, 0, 0, 9}}, 48};
	struct fake_holdings before, after;
	vnet_client_id id;
	mach_port_t first;
	struct life l;
	vnet_grant_id grant;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	step_filter(&l);
	grant = add_leased(&l, &mac, 1, 2, 0);
	before = fake_holdings(l.r.server);
	assert_int_equal(client_open(&l.a, "leased"), 0);
	first = l.a.device;
	assert_int_equal(client_open(&l.a, "leased"), 0);
	assert_int_equal(client_open(&l.b, "leased"), D_NO_MEMORY);
	id = vnet_client_next(l.r.sw, vnet_port_find(l.r.sw, "leased"),
			      VNET_NO_ID);
	assert_true(vnet_client_grant(l.r.sw, id) == grant);
	assert_true(flags_of(&l, id) & NET_FLAG_RUNNING);
	assert_int_equal(count_sent(&l, first, 9), 1);
	assert_int_equal(count_sent(&l, first, 8), 0);
	assert_int_equal(count_sent(&l, l.a.device, 9), 1);

	assert_int_equal(vnet_grant_revoke(l.r.sw, grant), 0);
	assert_int_equal(count_sent(&l, first, 9), 0);
	assert_int_equal(count_sent(&l, l.a.device, 9), 0);
	assert_false(flags_of(&l, id) & NET_FLAG_RUNNING);
	assert_int_equal(client_get_status(&l.a, first, NET_FLAGS, 1), 0);
	assert_int_equal(client_set_flags(&l.a, first, 0x1243), 0);
	assert_false(flags_of(&l, id) & NET_FLAG_RUNNING);
	assert_int_equal(client_open(&l.b, "leased"), D_NO_SUCH_DEVICE);
	fake_enter(l.a.task);
	fake_kernel.port_deallocate(first);
	fake_kernel.port_deallocate(l.a.device);
	rig_serve(&l.r);
	after = fake_holdings(l.r.server);
	assert_memory_equal(&before, &after, sizeof(before));
	life_end(&l);
}

/* Each the first that is granted and free. */
static void
test_facets_have_addresses_of_their_grant(void **state)
{
	static const struct vnet_mac_prefix macs[] = {
		{{{2, 0, 0, 0, 0, 9}}, 48},
		{{{2, 0, 0, 0, 0, 0x20}}, 48},
	};
	struct vnet_client_info info = {.size = sizeof(info)};
	vnet_client_id id = VNET_NO_ID;
	vnet_port_id port;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	add_leased(&l, macs, 2, 5, VNET_PORT_PER_CLIENT);
	port = vnet_port_find(l.r.sw, "leased");
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(client_open(&l.a, "leased"), 0);
	assert_int_equal(client_open(&l.a, "leased"), D_NO_MEMORY);
	for (size_t i = 0; i < 2; i++) {
		id = vnet_client_next(l.r.sw, port, id);
		assert_int_equal(vnet_client_get(l.r.sw, id, &info), 0);
		assert_memory_equal(&info.mac, &macs[i].mac, 6);
	}
	life_end(&l);
}

/*
 * Lies
 */

static void
send_bare(struct client *c, mach_port_t to, uint32_t id, uint32_t word)
{
	struct vnet_wire_writer w = client_request(c, to, id);

	c->msg.head.msgh_local_port = MACH_PORT_NULL;
	c->msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
	if (id >= MACH_NOTIFY_FIRST && id <= MACH_NOTIFY_LAST)
		vnet_wire_put_octets(&w, 15, &word, 4, false);
	else
		vnet_wire_put_int32(&w, &word, 1);
	assert_true(client_send(c, &w));
	rig_serve(c->r);
}

static void
test_forged_notifications_change_nothing(void **state)
{
	struct vnet_mach_stats stats = {.size = sizeof(stats)};
	struct fake_holdings before, after;
	uint8_t frame[60];
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	step_filter(&l);
	before = fake_holdings(l.r.server);
	for (uint32_t id = MACH_NOTIFY_FIRST; id <= MACH_NOTIFY_LAST; id++)
		for (unsigned i = 0; i < before.names; i++) {
			uint32_t name = fake_name(l.r.server, i);

			send_bare(&l.a, l.a.master, id, name);
			send_bare(&l.a, l.da, id, name);
		}
	after = fake_holdings(l.r.server);
	assert_memory_equal(&before, &after, sizeof(before));
	vnet_mach_get_stats(l.r.m, &stats);
	assert_int_equal(stats.forged,
			 2 * before.names *
				 (MACH_NOTIFY_LAST - MACH_NOTIFY_FIRST + 1));
	rig_frame(frame, 2, 1);
	assert_int_equal(client_write(&l.a, l.da, frame, 60), 0);
	assert_int_equal(client_frames(&l.b, l.rb), 1);
	life_end(&l);
}

static void
test_frames_that_clients_forge_go_nowhere(void **state)
{
	uint8_t msg[VNET_WIRE_NET_RCV_MAX], frame[60];
	const struct vnet_frame f = {.data = frame, .len = sizeof(frame)};
	struct life l;
	size_t n;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	step_filter(&l);
	rig_frame(frame, 0xff, 1);
	for (int i = 0; i < 2; i++) {
		n = vnet_wire_net_rcv(msg, VNET_WIRE_HERE, &f);
		vnet_wire_set_remote(msg, VNET_WIRE_HERE, i ? l.da : l.a.master,
				     VNET_WIRE_COPY_SEND);
		fake_enter(l.a.task);
		assert_int_equal(fake_kernel.msg((mach_msg_header_t *)msg,
						 MACH_SEND_MSG, n, 0, 0, 0, 0),
				 0);
		rig_serve(&l.r);
	}
	assert_int_equal(client_frames(&l.a, l.ra), 0);
	assert_int_equal(client_frames(&l.b, l.rb), 0);
	life_end(&l);
}

/* What could be a way back into the server, or is nothing. */
static void
test_no_filter_feeds_the_server_itself(void **state)
{
	struct fake_holdings before, after;
	mach_port_t dead;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	before = fake_holdings(l.r.server);
	assert_int_equal(client_filter(&l.a, l.da, l.da,
				       MACH_MSG_TYPE_COPY_SEND, 0, IN),
			 D_INVALID_OPERATION);
	assert_int_equal(client_filter(&l.a, l.da, l.a.master,
				       MACH_MSG_TYPE_COPY_SEND, 0, IN),
			 D_INVALID_OPERATION);
	assert_int_equal(client_filter(&l.a, l.da, MACH_PORT_NULL,
				       MACH_MSG_TYPE_COPY_SEND, 0, IN),
			 D_INVALID_OPERATION);
	assert_int_equal(client_filter(&l.a, l.da, MACH_PORT_DEAD,
				       MACH_MSG_TYPE_COPY_SEND, 0, IN),
			 D_INVALID_OPERATION);
	dead = client_receiver(&l.a, 1);
	client_filter(&l.a, l.da, dead, MACH_MSG_TYPE_MAKE_SEND_ONCE, 0, IN);
	client_filter(&l.a, l.da, dead, MACH_MSG_TYPE_MOVE_RECEIVE, 0, IN);
	after = fake_holdings(l.r.server);
	assert_memory_equal(&before, &after, sizeof(before));
	life_end(&l);
}

/* One that dies before the server reads of it. */
static void
test_a_filter_right_that_died_meanwhile_is_none(void **state)
{
	const uint16_t words[] = {IN};
	struct fake_holdings before, after;
	struct vnet_wire_writer w;
	mach_port_t right;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	before = fake_holdings(l.r.server);
	right = client_receiver(&l.a, 1);
	w = client_request(&l.a, l.da, 2812);
	vnet_wire_put_right(&w, right, MACH_MSG_TYPE_MAKE_SEND);
	vnet_wire_put_int32(&w, &(uint32_t){0}, 1);
	vnet_wire_put_octets(&w, VNET_WIRE_INT16, words, 1, false);
	assert_true(client_send(&l.a, &w));
	fake_enter(l.a.task);
	fake_kernel.port_mod_refs(right, MACH_PORT_RIGHT_RECEIVE, -1);
	rig_serve(&l.r);
	assert_int_not_equal(client_reply(&l.a), 0);
	after = fake_holdings(l.r.server);
	assert_memory_equal(&before, &after, sizeof(before));
	life_end(&l);
}

static void
test_the_same_right_may_be_set_for_ever(void **state)
{
	struct fake_holdings after_one, after_many;
	mach_port_t right;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	right = client_receiver(&l.a, 5);
	client_filter(&l.a, l.da, right, MACH_MSG_TYPE_MAKE_SEND, 0, IN);
	after_one = fake_holdings(l.r.server);
	for (int i = 0; i < 70000; i++)
		assert_int_equal(client_filter(&l.a, l.da, right,
					       MACH_MSG_TYPE_MAKE_SEND, i % 7,
					       IN),
				 0);
	after_many = fake_holdings(l.r.server);
	assert_memory_equal(&after_one, &after_many, sizeof(after_one));
	life_end(&l);
}

/* Every request that MIG knows of, with a body that is none, to every right. */
static void
test_requests_without_their_items_are_refused(void **state)
{
	struct fake_holdings before, after;
	struct vnet_wire_writer w;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	step_open(&l);
	before = fake_holdings(l.r.server);
	for (uint32_t id = 2790; id < 2830; id++)
		for (int i = 0; i < 2; i++) {
			w = client_request(&l.a, i ? l.a.master : l.da, id);
			if (id != 2801)
				assert_int_not_equal(client_call(&l.a, &w), 0);
		}
	after = fake_holdings(l.r.server);
	assert_memory_equal(&before, &after, sizeof(before));
	life_end(&l);
}

static void
test_ten_thousand_opens_leave_nothing(void **state)
{
	struct fake_holdings before, after;
	struct life l;

	(void)state;
	assert_true(life_begin(&l, NULL));
	before = fake_holdings(l.r.server);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(client_open(&l.a, "vif0"), 0);
		if (i % 2)
			client_close(&l.a, l.a.device);
		fake_enter(l.a.task);
		fake_kernel.port_deallocate(l.a.device);
		rig_serve(&l.r);
	}
	assert_idle(&l);
	after = fake_holdings(l.r.server);
	assert_memory_equal(&before, &after, sizeof(before));
	life_end(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_life_goes_as_it_should),
		cmocka_unit_test(
			test_clients_killed_after_each_step_leave_nothing),
		cmocka_unit_test(test_any_send_may_fail),
		cmocka_unit_test(test_any_receive_may_fail),
		cmocka_unit_test(test_any_call_about_rights_may_fail),
		cmocka_unit_test(test_any_call_about_memory_may_fail),
		cmocka_unit_test(test_memory_may_run_out_anywhere),
		cmocka_unit_test(
			test_messages_whose_memory_has_no_room_are_nothing),
		cmocka_unit_test(test_a_send_that_fails_may_be_torn),
		cmocka_unit_test(
			test_an_answer_that_comes_back_torn_leaves_nothing),
		cmocka_unit_test(test_so_many_facets_and_no_more),
		cmocka_unit_test(
			test_arrays_longer_than_they_may_be_are_refused),
		cmocka_unit_test(test_the_server_may_end_at_any_time),
		cmocka_unit_test(test_a_facet_lives_while_it_has_senders),
		cmocka_unit_test(
			test_a_master_passes_on_what_is_not_ours_nor_an_uplink),
		cmocka_unit_test(test_an_mtu_that_is_raised_is_not_ours),
		cmocka_unit_test(test_a_right_may_be_known_by_its_payload),
		cmocka_unit_test(test_so_many_reads_wait_and_no_more),
		cmocka_unit_test(test_a_facet_has_so_many_filters_and_no_more),
		cmocka_unit_test(test_the_same_right_replaces_its_filter),
		cmocka_unit_test(test_an_open_without_a_reply_leaves_no_facet),
		cmocka_unit_test(test_a_reply_to_a_full_queue_is_lost),
		cmocka_unit_test(test_whatever_happens_while_memory_is_touched),
		cmocka_unit_test(
			test_no_vif_is_made_of_a_name_that_nobody_can_read),
		cmocka_unit_test(test_a_translator_says_what_a_facet_may_do),
		cmocka_unit_test(
			test_a_port_that_pfinet_would_mistake_is_no_vif),
		cmocka_unit_test(test_stop_ends_what_waits_for_memory),
		cmocka_unit_test(
			test_memory_that_cannot_be_read_ends_its_client_alone),
		cmocka_unit_test(
			test_writes_of_any_length_are_answered_in_full),
		cmocka_unit_test(test_forged_notifications_change_nothing),
		cmocka_unit_test(test_frames_that_clients_forge_go_nowhere),
		cmocka_unit_test(test_no_filter_feeds_the_server_itself),
		cmocka_unit_test(
			test_a_filter_right_that_died_meanwhile_is_none),
		cmocka_unit_test(test_the_same_right_may_be_set_for_ever),
		cmocka_unit_test(test_requests_without_their_items_are_refused),
		cmocka_unit_test(test_facets_share_a_grant_until_it_ends),
		cmocka_unit_test(test_facets_have_addresses_of_their_grant),
		cmocka_unit_test(test_ten_thousand_opens_leave_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
