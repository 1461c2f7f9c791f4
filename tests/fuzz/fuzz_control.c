/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of any kind on the control socket, in pieces of any size, with
 * events and frames between them.
 *
 * Whatever is sent, every line is answered once, by an object on a line of its
 * own; a capture is whole blocks and has its statistics last; and whoever sends
 * no more and reads all is hung up on.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "control.h"
#include "fake_plant.h"
#include "log.h"
#include "must.h"

/* Turns of the loop in which nothing comes any more. */
#define IDLE_MAX 10000

struct net {
	struct event_base *base;
	struct plant plant;
	struct control *control;
	struct sockaddr_un address;
};

static int
reload(void *ctx, json_t *complaints)
{
	(void)ctx;
	return json_array_append_new(complaints, json_string("no file"));
}

/* One for all inputs: to open a socket takes long. */
static struct net net;

static void
end(void)
{
	control_destroy(net.control);
	fake_plant_fini(&net.plant);
	event_base_free(net.base);
	*strrchr(net.address.sun_path, '/') = '\0';
	rmdir(net.address.sun_path);
}

static void
begin(void)
{
	struct control_config config = {
		.path = net.address.sun_path,
		.plant = &net.plant,
		.version = "0",
		.reload = reload,
	};
	struct complaint c;

	log_set_level("error");
	net.address.sun_family = AF_UNIX;
	strcpy(net.address.sun_path, "/tmp/vnet-fuzz-control-XXXXXX");
	MUST(mkdtemp(net.address.sun_path));
	strcat(net.address.sun_path, "/socket");
	net.base = event_base_new();
	MUST(net.base && fake_plant_init(&net.plant));
	MUST(control_create(&net.control, net.base, &config, &c) == 0);
	atexit(end);
}

static void
turn(void)
{
	static const uint8_t octets[60] = {2};
	const struct vnet_frame f = {
		.data = octets,
		.len = sizeof(octets),
		.flags = VNET_FRAME_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 6,
		.ntags = 1,
	};

	fake_plant_frames(&net.plant, &f, 1);
	MUST(event_base_loop(net.base, EVLOOP_NONBLOCK | EVLOOP_ONCE) >= 0);
}

/* Send all, in pieces, and read what comes until it hangs up. */
static void
talk(int fd, const uint8_t *in, size_t len, size_t piece,
     struct evbuffer *answers)
{
	bool has_ended = false;
	int idle = 0, n;

	while (idle < IDLE_MAX) {
		size_t some = len < piece ? len : piece;
		ssize_t sent =
			len ? send(fd, in, some, MSG_NOSIGNAL | MSG_DONTWAIT)
			    : 0;

		if (sent > 0) {
			in += sent;
			len -= (size_t)sent;
		}
		if (!has_ended && !len) {
			shutdown(fd, SHUT_WR);
			has_ended = true;
		}
		turn();
		n = evbuffer_read(answers, fd, 1 << 20);
		if (n == 0)
			return;
		idle = n > 0 ? 0 : idle + 1;
	}
	__builtin_trap();
}

static unsigned int
count_lines(const uint8_t *in, size_t len)
{
	unsigned int n = 0;
	size_t from = 0;

	for (size_t i = 0; i <= len; i++)
		if (i == len || in[i] == '\n') {
			n += i > from;
			from = i + 1;
		}
	return n;
}

/* A capture, and no more. */
static void
check_capture(const uint8_t *p, size_t len)
{
	uint32_t head[2], last = 0;

	while (len) {
		MUST(len >= 12);
		memcpy(head, p, sizeof(head));
		MUST(head[1] >= 12 && head[1] <= len && head[1] % 4 == 0);
		MUST(memcmp(p + head[1] - 4, &head[1], 4) == 0);
		last = head[0];
		p += head[1];
		len -= head[1];
	}
	MUST(last == 5);
}

static void
check_answers(struct evbuffer *answers, unsigned int asked)
{
	const char *p = (const char *)evbuffer_pullup(answers, -1);
	size_t len = evbuffer_get_length(answers);
	unsigned int answered = 0;

	while (len) {
		const char *end = memchr(p, '\n', len);
		json_t *line;

		MUST(end);
		if (end == p) {
			/* A capture's first octet is an end of line. */
			check_capture((const uint8_t *)p, len);
			MUST(answered && answered <= asked);
			return;
		}
		line = json_loadb(p, (size_t)(end - p), JSON_REJECT_DUPLICATES,
				  NULL);
		MUST(line);
		if (!json_object_get(line, "event")) {
			MUST(json_is_boolean(json_object_get(line, "ok")));
			answered += !json_object_get(line, "more");
		}
		json_decref(line);
		len -= (size_t)(end + 1 - p);
		p = end + 1;
	}
	MUST(answered == asked);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	struct evbuffer *answers = evbuffer_new();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	size_t piece;

	if (!net.base)
		begin();
	MUST(answers && fd >= 0);
	MUST(connect(fd, (const struct sockaddr *)&net.address,
		     sizeof(net.address)) == 0);
	json_object_clear(net.plant.ports);
	json_object_set_new(net.plant.ports, "web", json_object());
	net.plant.fdb_rows = 300;

	/* The first octet says in what pieces the rest comes. */
	piece = size && in[0] % 4 ? in[0] : SIZE_MAX;
	talk(fd, in + !!size, size - !!size, piece, answers);
	check_answers(answers, count_lines(in + !!size, size - !!size));
	MUST(!net.plant.captures);

	close(fd);
	evbuffer_free(answers);
	return 0;
}
