/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "capture.h"
#include "packet.h"
#include "pcapng_reader.h"

/* What a reader has, and how far it has looked. */
struct reader {
	struct capture *capture;
	struct evbuffer *buf;
	const uint8_t *at;
	const uint8_t *end;
};

static struct capture *
create(const struct capture_config *config)
{
	struct capture_config filled = *config;
	struct capture *capture;
	struct complaint c;

	filled.port = "web";
	if (capture_create(&capture, &filled, &c))
		fail_msg("%s", c.text);
	return capture;
}

/* Read all there is, its head too. */
static struct reader
read_all(struct capture *capture, int want)
{
	struct reader r = {.capture = capture, .buf = evbuffer_new()};
	struct pcapng_block b;

	assert_int_equal(capture_read(capture, r.buf, SIZE_MAX / 2), want);
	r.at = evbuffer_pullup(r.buf, -1);
	r.end = r.at + evbuffer_get_length(r.buf);
	assert_true(pcapng_next(&r.at, r.end, &b));
	assert_int_equal(b.type, PCAPNG_SECTION);
	assert_true(pcapng_next(&r.at, r.end, &b));
	assert_int_equal(b.type, PCAPNG_INTERFACE);
	return r;
}

static void
next_packet(struct reader *r, struct pcapng_block *b)
{
	assert_true(pcapng_next(&r->at, r->end, b));
	assert_int_equal(b->type, PCAPNG_PACKET);
}

static void
end_reader(struct reader *r)
{
	assert_ptr_equal(r->at, r->end);
	evbuffer_free(r->buf);
	capture_destroy(r->capture);
}

static bool
is_readable(const struct capture *c)
{
	struct pollfd p = {.fd = capture_fd(c), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void
test_frames_are_read_in_order(void **state)
{
	static const uint8_t octets[60] = {2, 1, 2, 3, 4, 5, 6};
	const struct vnet_frame frames[] = {
		{.data = octets, .len = 60},
		{.data = octets, .len = 14},
		{.data = NULL, .len = 0},
	};
	struct capture *c = create(&(struct capture_config){0});
	struct timespec before, after;
	struct pcapng_block b;
	struct reader r;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &before);
	capture_frames(c, false, frames, 3);
	capture_frames(c, true, frames, 1);
	clock_gettime(CLOCK_REALTIME, &after);
	r = read_all(c, CAPTURE_EMPTY);
	for (unsigned int i = 0; i < 4; i++) {
		next_packet(&r, &b);
		assert_int_equal(b.len, frames[i % 3].len);
		assert_int_equal(b.kept, b.len);
		assert_int_equal(pcapng_number(&b, 2), i == 3 ? 2 : 1);
		assert_true(b.time / 1000000000 >= (uint64_t)before.tv_sec);
		assert_true(b.time / 1000000000 <= (uint64_t)after.tv_sec);
		assert_memory_equal(b.data, octets, b.len);
	}
	end_reader(&r);
}

static void
test_frames_are_cut_to_snaplen(void **state)
{
	static const uint8_t octets[2000] = {2};
	const struct vnet_frame f = {.data = octets, .len = sizeof(octets)};
	struct capture *c = create(&(struct capture_config){.snaplen = 96});
	struct pcapng_block b;
	struct reader r;

	(void)state;
	capture_frames(c, false, &f, 1);
	r = read_all(c, CAPTURE_EMPTY);
	next_packet(&r, &b);
	assert_int_equal(b.kept, 96);
	assert_int_equal(b.len, 2000);
	end_reader(&r);
}

/* Longer than any reader takes. */
static void
test_a_huge_frame_is_cut(void **state)
{
	const uint32_t len = 2 * PCAPNG_PACKET_MAX;
	uint8_t *octets = calloc(1, len);
	const struct vnet_frame f = {
		.data = octets,
		.len = len,
		.flags = VNET_FRAME_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 16,
	};
	struct capture *c = create(&(struct capture_config){0});
	struct pcapng_block b;
	struct reader r;

	(void)state;
	assert_non_null(octets);
	/* It goes round the ring. */
	for (int i = 0; i < 40; i++)
		capture_frames(c, false, &f, 1);
	r = read_all(c, CAPTURE_EMPTY);
	next_packet(&r, &b);
	assert_int_equal(b.kept, PCAPNG_PACKET_MAX);
	assert_int_equal(b.len, len);
	while (r.at < r.end)
		next_packet(&r, &b);
	end_reader(&r);
	free(octets);
}

static void
test_only_what_the_filter_matches_is_kept(void **state)
{
	static uint8_t udp[PACKET_MAX], tcp[PACKET_MAX];
	const struct vnet_frame frames[] = {
		packet_make(tcp, &(struct packet){.kind = PACKET_TCP4,
						  .payload = 10}),
		packet_make(udp, &(struct packet){.kind = PACKET_UDP4,
						  .payload = 10}),
	};
	struct capture *c = create(&(struct capture_config){.expr = "udp"});
	struct pcapng_block b;
	struct reader r;
	uint16_t len;

	(void)state;
	capture_frames(c, false, frames, 2);
	capture_end(c);
	r = read_all(c, CAPTURE_OVER);
	next_packet(&r, &b);
	assert_int_equal(b.len, frames[1].len);
	assert_memory_equal(b.data, udp, b.len);
	assert_true(pcapng_next(&r.at, r.end, &b));
	assert_int_equal(b.type, PCAPNG_STATISTICS);
	assert_int_equal(pcapng_number(&b, 4), 2);
	assert_int_equal(pcapng_number(&b, 5), 0);
	assert_int_equal(pcapng_number(&b, 6), 1);
	assert_non_null(pcapng_option(&b, 2, &len));
	end_reader(&r);
}

static void
test_a_bad_filter_is_refused(void **state)
{
	const struct capture_config config = {.port = "web", .expr = "udp and"};
	struct capture *capture;
	struct complaint c;

	(void)state;
	assert_int_equal(capture_create(&capture, &config, &c), -EINVAL);
	assert_true(strlen(c.text) > 0);
}

/* A packet as it would be on the wire: checksum computed, tags in it. Returns
 * its length. */
static uint32_t
on_the_wire(uint8_t *wire, const struct packet *p)
{
	static uint8_t buf[PACKET_MAX];
	struct packet whole = *p;
	struct vnet_frame f;
	uint32_t at = 12;

	whole.gso_size = 0;
	f = packet_make(buf, &whole);
	memcpy(wire, f.data, 12);
	for (unsigned int i = 0; i < f.ntags; i++) {
		wire[at++] = (uint8_t)(f.tag[i].tpid >> 8);
		wire[at++] = (uint8_t)f.tag[i].tpid;
		wire[at++] = (uint8_t)(f.tag[i].tci >> 8);
		wire[at++] = (uint8_t)f.tag[i].tci;
	}
	memcpy(wire + at, f.data + 12, f.len - 12);
	return at + f.len - 12;
}

static void
check_completed(const struct packet *p, uint32_t snaplen)
{
	static uint8_t buf[PACKET_MAX], wire[PACKET_MAX + 8];
	struct capture *c =
		create(&(struct capture_config){.snaplen = snaplen});
	struct vnet_frame f = packet_make(buf, p);
	uint32_t len = on_the_wire(wire, p);
	struct pcapng_block b;
	struct reader r;

	capture_frames(c, true, &f, 1);
	r = read_all(c, CAPTURE_EMPTY);
	next_packet(&r, &b);
	assert_int_equal(b.len, len);
	assert_int_equal(b.kept, snaplen && snaplen < len ? snaplen : len);
	assert_memory_equal(b.data, wire, b.kept);
	end_reader(&r);
}

static void
test_checksums_are_completed(void **state)
{
	struct packet p = {.dst = 1, .src = 2};

	(void)state;
	for (p.kind = 0; p.kind < PACKET_KINDS; p.kind++)
		for (p.ntags = 0; p.ntags <= 2; p.ntags++)
			for (p.ninner = 0; p.ninner <= 1; p.ninner++)
				for (p.payload = 1; p.payload < 20000;
				     p.payload = p.payload * 3 + 1) {
					p.gso_size = 1000;
					check_completed(&p, 0);
					check_completed(&p, 100);
				}
}

/* The payload is such that the sum comes to 0. */
static void
test_a_udp_checksum_of_zero_is_sent_as_ones(void **state)
{
	static uint8_t buf[PACKET_MAX];
	const struct packet p = {
		.kind = PACKET_UDP4, .payload = 100, .gso_size = 1000};
	struct vnet_frame f = packet_make(buf, &p);
	struct capture *c = create(&(struct capture_config){0});
	uint8_t *last = buf + f.len - 2;
	struct pcapng_block b;
	struct reader r;
	uint32_t sum = 0;

	(void)state;
	memset(last, 0, 2);
	for (uint32_t i = f.csum_start; i < f.len; i += 2)
		sum += (uint32_t)buf[i] << 8 | buf[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	last[0] = (uint8_t)(~sum >> 8);
	last[1] = (uint8_t)~sum;

	capture_frames(c, false, &f, 1);
	r = read_all(c, CAPTURE_EMPTY);
	next_packet(&r, &b);
	assert_memory_equal(b.data + f.csum_start + f.csum_offset, "\xff\xff",
			    2);
	end_reader(&r);
}

static void
test_raw_leaves_checksums(void **state)
{
	static uint8_t buf[PACKET_MAX];
	const struct packet p = {
		.kind = PACKET_TCP4, .payload = 100, .gso_size = 1000};
	struct vnet_frame f = packet_make(buf, &p);
	struct capture *c = create(&(struct capture_config){.raw = true});
	struct pcapng_block b;
	struct reader r;

	(void)state;
	capture_frames(c, false, &f, 1);
	r = read_all(c, CAPTURE_EMPTY);
	next_packet(&r, &b);
	assert_int_equal(b.len, f.len);
	assert_memory_equal(b.data, buf, f.len);
	end_reader(&r);
}

/* A client hands in what it likes, and it is seen before it is checked. */
static void
test_malformed_frames_are_kept_as_they_are(void **state)
{
	static const uint8_t octets[60] = {2};
	const struct vnet_frame frames[] = {
		{.data = octets, .len = 60, .ntags = 3},
		{.data = octets, .len = 60, .ntags = 255},
		{.data = octets, .len = 11, .ntags = 2},
		{.data = octets,
		 .len = 60,
		 .flags = VNET_FRAME_CSUM_PARTIAL,
		 .csum_start = 57,
		 .csum_offset = 2},
		{.data = octets,
		 .len = 60,
		 .flags = VNET_FRAME_CSUM_PARTIAL,
		 .csum_start = 65535,
		 .csum_offset = 65535},
		{.data = octets,
		 .len = 60,
		 .flags = VNET_FRAME_CSUM_PARTIAL,
		 .csum_start = 2,
		 .csum_offset = 2},
	};
	const size_t n = sizeof(frames) / sizeof(frames[0]);
	struct capture *c = create(&(struct capture_config){0});
	struct pcapng_block b;
	struct reader r;

	(void)state;
	capture_frames(c, false, frames, n);
	r = read_all(c, CAPTURE_EMPTY);
	for (size_t i = 0; i < n; i++) {
		next_packet(&r, &b);
		assert_int_equal(b.len, frames[i].len);
		assert_memory_equal(b.data, octets, b.len);
	}
	end_reader(&r);
}

static void
test_what_finds_no_room_is_counted(void **state)
{
	static const uint8_t octets[1514] = {2};
	const struct vnet_frame f = {.data = octets, .len = sizeof(octets)};
	struct capture *c = create(&(struct capture_config){0});
	struct evbuffer *rest = evbuffer_new();
	uint64_t kept = 0, lost = 0;
	struct pcapng_block b;
	struct reader r;

	(void)state;
	for (int i = 0; i < 5000; i++)
		capture_frames(c, false, &f, 1);
	/* Room for one is made. */
	assert_int_equal(capture_read(c, rest, 1000), CAPTURE_MORE);
	capture_frames(c, false, &f, 1);
	capture_end(c);
	capture_end(c);
	assert_int_equal(capture_read(c, rest, 0), CAPTURE_MORE);
	assert_int_equal(capture_read(c, rest, SIZE_MAX / 2), CAPTURE_OVER);
	assert_int_equal(capture_read(c, rest, SIZE_MAX / 2), CAPTURE_OVER);

	r.at = evbuffer_pullup(rest, -1);
	r.end = r.at + evbuffer_get_length(rest);
	while (pcapng_next(&r.at, r.end, &b)) {
		kept += b.type == PCAPNG_PACKET;
		if (b.type == PCAPNG_PACKET)
			lost += pcapng_number(&b, 4);
	}
	assert_int_equal(b.type, PCAPNG_STATISTICS);
	assert_int_equal(pcapng_number(&b, 4), 5001);
	assert_int_equal(pcapng_number(&b, 5), lost);
	assert_int_equal(kept + lost, 5001);
	/* The ring is well used. */
	assert_true(kept * (1514 + 40) > CAPTURE_RING_OCTETS * 99 / 100);
	evbuffer_free(rest);
	capture_destroy(c);
}

/* Once for all that comes until it has looked. */
static void
test_a_reader_that_sleeps_is_woken_up(void **state)
{
	static const uint8_t octets[60] = {2};
	const struct vnet_frame f = {.data = octets, .len = 60};
	struct capture *c = create(&(struct capture_config){0});
	struct evbuffer *buf = evbuffer_new();

	(void)state;
	capture_frames(c, false, &f, 1);
	assert_false(is_readable(c));
	assert_int_equal(capture_read(c, buf, 100000), CAPTURE_EMPTY);
	assert_false(is_readable(c));
	capture_frames(c, false, &f, 1);
	assert_true(is_readable(c));
	assert_int_equal(capture_read(c, buf, 1), CAPTURE_MORE);
	assert_false(is_readable(c));
	capture_frames(c, false, &f, 1);
	assert_false(is_readable(c));
	assert_int_equal(capture_read(c, buf, 100000), CAPTURE_EMPTY);
	capture_end(c);
	assert_true(is_readable(c));
	assert_int_equal(capture_read(c, buf, 100000), CAPTURE_OVER);
	evbuffer_free(buf);
	capture_destroy(c);
}

/*
 * Two threads: frames carry their number and have octets that follow from it.
 * The reader now and then does not look for a while.
 */
#define RUN_FRAMES 300000

static void
number_frame(uint8_t *octets, struct vnet_frame *f, uint32_t i)
{
	*f = (struct vnet_frame){.data = octets};
	f->len = 60 + i * 7919 % 1455;
	if (i % 1000 == 0)
		f->len = 60000;
	memcpy(octets + 14, &i, sizeof(i));
	octets[f->len - 1] = (uint8_t)i;
	octets[18] = (uint8_t)i;
}

static void *
write_frames(void *ctx)
{
	static uint8_t octets[4][60000];
	struct capture *c = ctx;
	struct vnet_frame f[4];

	for (uint32_t i = 0; i < RUN_FRAMES; i += 4) {
		for (uint32_t k = 0; k < 4; k++)
			number_frame(octets[k], &f[k], i + k);
		capture_frames(c, false, f, 4);
		if (i % 4096 == 0)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	capture_end(c);
	return NULL;
}

static void
read_numbered(const struct pcapng_block *b, uint32_t *next, uint64_t *lost)
{
	uint8_t *octets = malloc(60000);
	struct vnet_frame want;
	uint32_t i;

	assert_non_null(octets);
	memcpy(&i, b->data + 14, sizeof(i));
	assert_int_equal(i, *next + pcapng_number(b, 4));
	number_frame(octets, &want, i);
	assert_int_equal(b->len, want.len);
	assert_int_equal(b->data[b->len - 1], (uint8_t)i);
	*lost += pcapng_number(b, 4);
	*next = i + 1;
	free(octets);
}

static void
test_a_reader_and_a_writer_agree(void **state)
{
	struct capture *c = create(&(struct capture_config){0});
	struct pollfd p = {.fd = capture_fd(c), .events = POLLIN};
	struct evbuffer *buf = evbuffer_new();
	uint64_t lost = 0, seen = 0, dropped = 0;
	uint32_t next = 0, turn = 0;
	struct pcapng_block b;
	pthread_t writer;
	int r;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, write_frames, c), 0);
	do {
		const uint8_t *at, *end;

		r = capture_read(c, buf, 100000);
		assert_true(r >= 0);
		at = evbuffer_pullup(buf, -1);
		end = at + evbuffer_get_length(buf);
		while (pcapng_next(&at, end, &b))
			if (b.type == PCAPNG_PACKET) {
				read_numbered(&b, &next, &lost);
			} else if (b.type == PCAPNG_STATISTICS) {
				seen = pcapng_number(&b, 4);
				dropped = pcapng_number(&b, 5);
			}
		assert_ptr_equal(at, end);
		evbuffer_drain(buf, evbuffer_get_length(buf));
		if (r == CAPTURE_EMPTY)
			assert_int_equal(poll(&p, 1, 60000), 1);
		if (++turn % 64 == 0)
			nanosleep(&(struct timespec){.tv_nsec = 20000000},
				  NULL);
	} while (r != CAPTURE_OVER);
	pthread_join(writer, NULL);

	assert_int_equal(seen, RUN_FRAMES);
	assert_int_equal(dropped, lost + RUN_FRAMES - next);
	evbuffer_free(buf);
	capture_destroy(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_are_read_in_order),
		cmocka_unit_test(test_frames_are_cut_to_snaplen),
		cmocka_unit_test(test_a_huge_frame_is_cut),
		cmocka_unit_test(test_only_what_the_filter_matches_is_kept),
		cmocka_unit_test(test_a_bad_filter_is_refused),
		cmocka_unit_test(test_checksums_are_completed),
		cmocka_unit_test(test_a_udp_checksum_of_zero_is_sent_as_ones),
		cmocka_unit_test(test_raw_leaves_checksums),
		cmocka_unit_test(test_malformed_frames_are_kept_as_they_are),
		cmocka_unit_test(test_what_finds_no_room_is_counted),
		cmocka_unit_test(test_a_reader_that_sleeps_is_woken_up),
		cmocka_unit_test(test_a_reader_and_a_writer_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
