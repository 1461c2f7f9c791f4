/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxied.h"

#include <string.h>

#include "sys.h"

/* What the test says to the task of the proxy, beside the proxy's rights. */
enum {
	CONTROL_WRAP = 1, /* a right, and whether it is root's; a right back */
	CONTROL_STATS,    /* stats back, and the memory in use */
	CONTROL_FAIL,     /* which; how many there were back */
	CONTROL_SERVE,
	CONTROL_END,
};

mach_port_t proxied_master, proxied_host, proxied_auth, proxied_task;

static mach_port_t control, reply;
static uint32_t names, memory;

/*
 * In the task of the proxy
 */

static vnet_nsec
now(void *ctx)
{
	(void)ctx;
	return bare_now();
}

/* What may fail, and what does. */
static uint32_t nfaults, fault = PROXIED_FAIL_NEVER;

static bool
fails(void)
{
	return nfaults++ == fault;
}

static mach_msg_return_t
send(mach_msg_header_t *msg, mach_msg_option_t options, mach_msg_size_t size,
     mach_msg_size_t room, mach_port_t at, mach_msg_timeout_t ms,
     mach_port_t notify)
{
	if (options & MACH_SEND_MSG && fails())
		return MACH_SEND_NO_BUFFER;
	return vnet_mach_kernel.msg(msg, options, size, room, at, ms, notify);
}

static kern_return_t
allocate(mach_port_right_t right, mach_port_t *name)
{
	return fails() ? KERN_NO_SPACE
		       : vnet_mach_kernel.port_allocate(right, name);
}

static kern_return_t
insert_right(mach_port_t name, mach_port_t right, mach_msg_type_name_t type)
{
	return fails() ? KERN_UREFS_OVERFLOW
		       : vnet_mach_kernel.port_insert_right(name, right, type);
}

static kern_return_t
request(mach_port_t name, mach_msg_id_t id, mach_port_mscount_t sync,
	mach_port_t at, mach_port_t *previous)
{
	return fails() ? KERN_RESOURCE_SHORTAGE
		       : vnet_mach_kernel.port_request_notification(
				 name, id, sync, at, previous);
}

static void *
get_memory(void *ctx, size_t size, size_t align)
{
	return fails() ? NULL : bare_alloc.get(ctx, size, align);
}

static struct vnet_proxy *
create(void)
{
	static struct vnet_mach_sys sys;
	struct vnet_alloc alloc = bare_alloc;
	const struct vnet_proxy_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
		.sys = &sys,
		.now = now,
		.device_master = proxied_master,
		.host_priv = proxied_host,
		.auth = proxied_auth,
		.auth_timeout = PROXIED_AUTH_TIMEOUT_MS * 1000000ull,
	};
	struct vnet_proxy *p;

	alloc.get = get_memory;
	sys = vnet_mach_kernel;
	sys.msg = send;
	sys.port_allocate = allocate;
	sys.port_insert_right = insert_right;
	sys.port_request_notification = request;
	CHECK_EQ(vnet_proxy_create(&p, &config, NULL), 0);
	return p;
}

static void
put_stats(struct vnet_proxy *p, struct post *answer)
{
	struct vnet_proxy_stats stats = {.size = sizeof(stats)};

	CHECK_EQ(vnet_proxy_get_stats(p, &stats), 0);
	vnet_wire_put_octets(&answer->w, VNET_WIRE_BYTE, &stats, sizeof(stats),
			     false);
	post_int(answer, bare_memory_used());
}

static void
handle_control(struct vnet_proxy *p, struct got *g)
{
	struct vnet_proxy_ids ids = {.n = {1}};
	struct vnet_wire_header h;
	mach_port_t right, wrapper = MACH_PORT_NULL;
	struct post answer;

	vnet_wire_open(&g->r, g->msg, g->head->msgh_size, VNET_WIRE_HERE, &h);
	post_answer(&answer, g, 0);
	switch (g->head->msgh_id) {
	case CONTROL_WRAP:
		right = got_right(g);
		ids.id[0][0] = got_int(g) ? 0 : 1000;
		/* It is taken if it succeeds, and only then. */
		if (vnet_proxy_wrap(p, right, &ids, &wrapper) != 0)
			port_drop(right, 1);
		post_right(&answer, wrapper, MACH_MSG_TYPE_MOVE_SEND);
		break;
	case CONTROL_FAIL:
		post_int(&answer, nfaults);
		fault = got_int(g);
		nfaults = 0;
		break;
	case CONTROL_STATS:
		put_stats(p, &answer);
		break;
	default:
		break;
	}
	post_send(&answer);
}

/* A loop of one's own, which has other rights in the set. */
static bool
turn(struct vnet_proxy *p)
{
	vnet_nsec due = vnet_proxy_deadline(p), t = bare_now();
	mig_reply_header_t out;
	mach_msg_return_t r;
	struct got g;

	g.head = (mach_msg_header_t *)g.msg;
	r = mach_msg(g.head,
		     MACH_RCV_MSG | (due == VNET_NEVER ? 0 : MACH_RCV_TIMEOUT),
		     0, sizeof(g.msg), vnet_proxy_port_set(p),
		     due > t ? (due - t) / 1000000 + 1 : 0, MACH_PORT_NULL);
	vnet_proxy_tick(p);
	if (r == MACH_RCV_TIMED_OUT)
		return true;
	CHECK_OK(r);
	if (vnet_proxy_demux(p, g.head, &out.Head)) {
		CHECK_EQ(out.RetCode, MIG_NO_REPLY);
		return true;
	}
	CHECK_EQ(g.head->msgh_local_port, control);
	handle_control(p, &g);
	if (g.head->msgh_id == CONTROL_SERVE)
		CHECK_EQ(vnet_proxy_serve(p), 0);
	return g.head->msgh_id != CONTROL_END;
}

static void
run(void *arg)
{
	struct vnet_proxy *p = create();

	(void)arg;
	control = port_new();
	guest_publish("proxy", control);
	CHECK_OK(mach_port_move_member(mach_task_self(), control,
				       vnet_proxy_port_set(p)));
	while (turn(p))
		;
	vnet_proxy_destroy(p);
	/* It waits to be looked at. */
	for (;;)
		bare_sleep_ms(1000);
}

/*
 * In the test
 */

static uint32_t
ask_memory(struct vnet_proxy_stats *stats)
{
	const uint8_t *octets;
	struct post p;
	struct got g;
	uint32_t n;

	post_request(&p, control, reply, CONTROL_STATS);
	post_send(&p);
	got_at(&g, reply, CONTROL_STATS + 100);
	CHECK_EQ(got_int(&g), 0);
	octets = vnet_wire_get_octets(&g.r, VNET_WIRE_BYTE, &n);
	CHECK_EQ(n, sizeof(*stats));
	memcpy(stats, octets, n);
	return got_int(&g);
}

void
proxied_start(void)
{
	struct vnet_proxy_stats stats;

	proxied_master = port_new();
	proxied_host = port_new();
	proxied_auth = port_new();
	reply = port_new();
	CHECK_OK(bare_task_fork(&proxied_task, run, NULL));
	CHECK_OK(bare_task_give(proxied_task, proxied_master));
	CHECK_OK(bare_task_give(proxied_task, proxied_host));
	CHECK_OK(bare_task_give(proxied_task, proxied_auth));
	CHECK_OK(bare_task_start(proxied_task));
	control = guest_lookup("proxy");
	memory = ask_memory(&stats);
	names = guest_count_names(proxied_task);
}

void
proxied_check(void)
{
	struct vnet_proxy_stats stats;
	uint32_t is = 0, used = 0;

	for (int i = 0; i < 50; i++) {
		used = ask_memory(&stats);
		is = guest_count_names(proxied_task);
		if (is == names && used == memory && stats.wrappers == 0 &&
		    stats.held == 0)
			return;
		bare_sleep_ms(20);
	}
	guest_print_names(proxied_task);
	guest_fail("%u names, not %u; %u octets, not %u; %u wrappers, %u held",
		   is, names, used, memory, stats.wrappers, stats.held);
}

void
proxied_end(void)
{
	struct post p;
	struct got g;

	post_request(&p, control, reply, CONTROL_END);
	post_send(&p);
	got_at(&g, reply, CONTROL_END + 100);
	port_wait_deserted(proxied_master, 1);
	port_wait_deserted(proxied_host, 1);
	port_wait_deserted(proxied_auth, 1);
}

mach_port_t
proxied_wrap(mach_port_t real, bool is_root)
{
	mach_port_t wrapper = proxied_try_wrap(real, is_root);

	CHECK(MACH_PORT_VALID(wrapper));
	return wrapper;
}

uint32_t
proxied_fail(uint32_t n)
{
	struct post p;
	struct got g;

	post_request(&p, control, reply, CONTROL_FAIL);
	post_int(&p, n);
	post_send(&p);
	got_at(&g, reply, CONTROL_FAIL + 100);
	CHECK_EQ(got_int(&g), 0);
	return got_int(&g);
}

mach_port_t
proxied_try_wrap(mach_port_t real, bool is_root)
{
	mach_port_t wrapper;
	struct post p;
	struct got g;

	post_request(&p, control, reply, CONTROL_WRAP);
	post_right(&p, real, MACH_MSG_TYPE_COPY_SEND);
	post_int(&p, is_root);
	post_send(&p);
	got_at(&g, reply, CONTROL_WRAP + 100);
	CHECK_EQ(got_int(&g), 0);
	wrapper = got_right(&g);
	got_all(&g);
	return wrapper;
}

struct vnet_proxy_stats
proxied_stats(void)
{
	struct vnet_proxy_stats stats;

	(void)ask_memory(&stats);
	return stats;
}

void
proxied_serve(void)
{
	struct post p;
	struct got g;

	post_request(&p, control, reply, CONTROL_SERVE);
	post_send(&p);
	got_at(&g, reply, CONTROL_SERVE + 100);
}

void
proxied_check_privports(mach_port_t wrapper, bool is_root)
{
	mach_port_t host;
	struct post p;
	struct got g;

	post_request(&p, wrapper, reply, PROC_GETPRIVPORTS);
	post_send(&p);
	got_at(&g, reply, PROC_GETPRIVPORTS + 100);
	CHECK_EQ(g.head->msgh_size, 48);
	CHECK_EQ(got_int(&g), 0);
	host = got_right(&g);
	CHECK_EQ(host, is_root ? proxied_host : MACH_PORT_NULL);
	CHECK_EQ(got_right(&g), proxied_master);
	got_all(&g);
	port_drop(proxied_master, 1);
	if (is_root)
		port_drop(host, 1);
}
