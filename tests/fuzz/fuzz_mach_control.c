/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of any kind to a control device, in pieces of any size, with clients
 * and frames between them.
 *
 * Whatever is sent, every line is answered by objects on lines of their own,
 * all but the last of which say that there is more; a right is taken once at the
 * most; the sums of the switch agree; and no memory is held in the end.
 *
 * Input: lines. One that begins with '!' is no request: its second octet says
 * what is done in its place.
 */
#include <stdlib.h>
#include <string.h>

#include <vnet/malloc.h>

#include "control_session.h"
#include "fake_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                          \
	do {                              \
		if (!(x))                 \
			__builtin_trap(); \
	} while (0)

struct net {
	struct vnet_alloc alloc;
	struct vnet_switch *sw;
	struct fake_host host;
	struct vnet_control_session session;
	unsigned int asked;
	unsigned int told;
	char line[1 << 20]; /* of an answer */
	size_t len;
};

static struct net net;

static void
begin(void)
{
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &net.alloc,
		.seed = 1,
		.max_ports = 8,
		.max_clients = 16,
		.fdb_entries = 16,
		.max_rules = 16,
		.max_insns = 64,
		.pool_octets = 1 << 18,
	};

	memset(&net, 0, sizeof(net));
	net.alloc = vnet_malloc();
	CHECK(!vnet_switch_create(&net.sw, &config, NULL));
	fake_host_init(&net.host, net.sw, &net.alloc);
	vnet_control_init(&net.session, &net.host.host);
}

static void
check_line(void)
{
	struct vnet_json v;

	CHECK(!vnet_json_check(&v, net.line, net.len, NULL));
	CHECK(vnet_json_type(v) == VNET_JSON_OBJECT);
	if (vnet_json_type(vnet_json_get(v, "ok")) == VNET_JSON_FALSE)
		CHECK(vnet_json_type(vnet_json_get(v, "error")) ==
		      VNET_JSON_STRING);
	net.told += vnet_json_type(vnet_json_get(v, "more")) != VNET_JSON_TRUE;
	net.len = 0;
}

static bool
read_some(size_t room)
{
	char text[4096];
	size_t n = fake_host_read(&net.session, text, room);

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n') {
			check_line();
			continue;
		}
		CHECK(net.len < sizeof(net.line));
		net.line[net.len++] = text[i];
	}
	return n != 0;
}

static void
send_frame(uint8_t what)
{
	uint8_t octets[60] = {2, 0, 0, 0, 0, (uint8_t)(what >> 4),
			      2, 0, 0, 0, 0, (uint8_t)(what & 15),
			      8, 0};
	const struct vnet_frame f = {.data = octets, .len = sizeof(octets)};

	vnet_switch_input(net.sw,
			  net.host.facets[what % FAKE_HOST_CLIENTS].client, &f,
			  1, net.host.now);
}

/* A request that brings a right, and is told at once. */
static void
run_with_right(const char *line, size_t len)
{
	struct vnet_control_right right = {.name = 7};
	unsigned int taken = net.host.ntaken;
	char answer[2048];
	size_t n = vnet_control_run(&net.host.host, line, len, &right, answer,
				    sizeof(answer));
	struct vnet_json v;

	CHECK(n && answer[n - 1] == '\n');
	CHECK(!vnet_json_check(&v, answer, n, NULL));
	CHECK(right.name == (net.host.ntaken == taken ? 7 : 0));
	CHECK(net.host.ntaken <= taken + 1);
}

static void
act(const char *line, size_t len)
{
	const uint8_t what = len > 1 ? (uint8_t)line[1] : 0;

	net.host.now += UINT64_C(1000000) << (what & 15);
	switch (what >> 5) {
	case 0:
		fake_host_open(&net.host, what & 1 ? "a" : "b");
		break;
	case 1:
		send_frame(what);
		break;
	case 2:
		vnet_switch_tick(net.sw, net.host.now);
		break;
	case 3:
		if (len > 2)
			run_with_right(line + 2, len - 2);
		break;
	default:
		read_some(what);
		break;
	}
}

static void
ask(const char *line, size_t len)
{
	bool is_empty = len == 1;

	while (len) {
		size_t n = len > 700 ? 700 : len;

		while (vnet_control_write(&net.session, line, n))
			CHECK(read_some(4096));
		line += n;
		len -= n;
	}
	net.asked += !is_empty;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data, *end;

	begin();
	while (size && (end = memchr(line, '\n', size))) {
		size_t len = (size_t)(end - line);

		if (*line == '!')
			act(line, len);
		else
			ask(line, len + 1);
		line += len + 1;
		size -= len + 1;
	}
	while (read_some(1000))
		;
	CHECK(net.told == net.asked && !net.len);
	CHECK(!net.session.input && !net.session.output);
	CHECK(vnet_switch_check(net.sw, NULL));
	vnet_control_fini(&net.session);
	vnet_switch_destroy(net.sw);
	return 0;
}
