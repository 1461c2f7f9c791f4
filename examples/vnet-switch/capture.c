/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of records between two threads, of which one writes and one reads:
 *
 *	head	is written by the thread that forwards, after the records before
 *		it: these belong to the reader
 *	tail	is written by the reader: what is before it belongs to the writer
 *
 * Both count octets from the beginning and are masked on access. A record lies
 * in one piece; where it would not, a filler goes before it. The reader may
 * change the records that are its own: there it completes the checksums.
 *
 * A reader that has found nothing says that it sleeps, and looks again; a
 * writer that finds it asleep wakes it up once.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "program.h"

#define MASK       (CAPTURE_RING_OCTETS - 1)

#define CACHE_LINE 64

/* Where tags are on the wire: behind both addresses. */
#define TAGS_AT         12u

#define UDP_CSUM_OFFSET 6

/* record.kept of a filler, of which nothing but size and kept is there. */
#define FILLER      UINT32_MAX

#define APPLICATION "vnet-switch"

_Static_assert((CAPTURE_RING_OCTETS & MASK) == 0, "a power of two");

/**
 * struct record - a frame, with its octets behind it
 * @size:	of all of it, a multiple of 8
 * @kept:	octets of the frame that are here
 * @time:	nanoseconds since 1970
 * @len:	octets of the frame
 * @lost:	frames that found no room since the record before
 * @csum_start: as in struct vnet_frame, tags counted
 * @csum_offset: likewise
 * @has_csum:	the checksum is to be computed; all of the frame is here
 */
struct record {
	uint32_t size;
	uint32_t kept;
	uint64_t time;
	uint32_t len;
	uint32_t lost;
	uint32_t csum_start;
	uint16_t csum_offset;
	bool has_csum;
	bool out;
};

_Static_assert(sizeof(struct record) == 32, "a multiple of 8");
_Static_assert(sizeof(struct record) + PCAPNG_PACKET_MAX + 8 <
		       CAPTURE_RING_OCTETS / 2,
	       "one fits, whatever filler it needs");

/**
 * struct capture
 * @sleeps:	the reader is to be woken up; set by it, cleared by who does it
 * @ended:	no frames come any more
 * @head:	see above
 * @at:		what head will be when this batch is in
 * @free_to:	up to where the ring was free when we last looked
 * @seen, @accepted, @dropped: frames; written by the writer, read at the end
 * @lost:	frames that found no room since the last record
 * @tail:	see above
 */
struct capture {
	struct capture *next;
	uint8_t *ring;
	struct program program;
	char *port;
	char *expr;
	uint32_t snaplen;
	int fd;
	bool raw;
	atomic_bool sleeps;
	atomic_bool ended;

	/* The writer's. */
	_Alignas(CACHE_LINE) atomic_size_t head;
	size_t at;
	size_t free_to;
	atomic_uint_least64_t seen;
	atomic_uint_least64_t accepted;
	atomic_uint_least64_t dropped;
	uint32_t lost;

	/* The reader's. */
	_Alignas(CACHE_LINE) atomic_size_t tail;
	uint64_t begin;
	bool has_begun;
	bool is_over;
};

static uint64_t
time_of_day(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* What is counted has one writer. */
static void
add(atomic_uint_least64_t *count, uint64_t n)
{
	atomic_store_explicit(
		count, atomic_load_explicit(count, memory_order_relaxed) + n,
		memory_order_relaxed);
}

static uint64_t
counted(atomic_uint_least64_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

static void
wake(struct capture *c)
{
	const uint64_t one = 1;

	/* Fails only where it is awake already. */
	(void)!write(c->fd, &one, sizeof(one));
}

/*
 * The thread that forwards
 */

/* Room for a record of @size octets in one piece, or NULL. */
static struct record *
reserve(struct capture *c, uint32_t size)
{
	size_t to_end = CAPTURE_RING_OCTETS - (c->at & MASK);
	size_t filler = to_end < size ? to_end : 0;
	struct record *r;

	if (c->free_to - c->at < filler + size) {
		/* Pairs with discard(): it has read what we overwrite. */
		c->free_to =
			atomic_load_explicit(&c->tail, memory_order_acquire) +
			CAPTURE_RING_OCTETS;
		if (c->free_to - c->at < filler + size)
			return NULL;
	}
	if (filler) {
		r = (struct record *)(c->ring + (c->at & MASK));
		r->size = (uint32_t)filler;
		r->kept = FILLER;
		c->at += filler;
	}
	r = (struct record *)(c->ring + (c->at & MASK));
	r->size = size;
	c->at += size;
	return r;
}

/* Tags that can be put in. Others make a frame malformed, and there is no
 * saying what it would look like. */
static unsigned int
tags_of(const struct vnet_frame *f)
{
	return f->ntags <= VNET_MAX_TAGS && f->len >= TAGS_AT ? f->ntags : 0;
}

/* Can its checksum be computed? What a client hands in may say anything. */
static bool
lacks_csum(const struct vnet_frame *f)
{
	return f->flags & VNET_FRAME_CSUM_PARTIAL &&
	       f->csum_start >= VNET_ETH_HEADER_LEN &&
	       (uint32_t)f->csum_start + f->csum_offset + 2 <= f->len;
}

/* Copy the first @len octets of a frame as it is on the wire. */
static void
copy(uint8_t *to, const struct vnet_frame *f, unsigned int ntags, uint32_t len)
{
	uint8_t head[TAGS_AT + 4 * VNET_MAX_TAGS];
	uint32_t head_len = TAGS_AT + 4 * ntags;
	uint8_t *tag = head + TAGS_AT;

	if (!ntags) {
		if (len)
			memcpy(to, f->data, len);
		return;
	}
	memcpy(head, f->data, TAGS_AT);
	for (unsigned int i = 0; i < ntags; i++, tag += 4) {
		tag[0] = (uint8_t)(f->tag[i].tpid >> 8);
		tag[1] = (uint8_t)f->tag[i].tpid;
		tag[2] = (uint8_t)(f->tag[i].tci >> 8);
		tag[3] = (uint8_t)f->tag[i].tci;
	}
	memcpy(to, head, len < head_len ? len : head_len);
	if (len > head_len)
		memcpy(to + head_len, f->data + TAGS_AT, len - head_len);
}

static void
push(struct capture *c, bool out, const struct vnet_frame *f, uint64_t now)
{
	unsigned int ntags = tags_of(f);
	/* It may be near 2^32, and tags come on top. */
	uint64_t whole = f->len + UINT64_C(4) * ntags;
	uint32_t len = whole < UINT32_MAX ? (uint32_t)whole : UINT32_MAX;
	bool has_csum = !c->raw && len <= PCAPNG_PACKET_MAX && lacks_csum(f);
	/* A checksum needs all of the frame; the reader cuts it afterwards. */
	uint32_t kept = has_csum || len < c->snaplen ? len : c->snaplen;
	struct record *r =
		reserve(c, (uint32_t)sizeof(*r) + ((kept + 7) & ~7u));

	if (!r) {
		c->lost += c->lost < UINT32_MAX;
		add(&c->dropped, 1);
		return;
	}
	r->kept = kept;
	r->time = now;
	r->len = len;
	r->lost = c->lost;
	r->csum_start = f->csum_start + 4 * ntags;
	r->csum_offset = f->csum_offset;
	r->has_csum = has_csum;
	r->out = out;
	copy((uint8_t *)(r + 1), f, ntags, kept);
	c->lost = 0;
}

void
capture_frames(struct capture *c, bool out, const struct vnet_frame *frames,
	       size_t n)
{
	const uint64_t now = time_of_day();
	size_t accepted = 0;

	for (size_t i = 0; i < n; i++)
		if (vnet_bpf_match(c->program.insns, c->program.ninsns,
				   &frames[i])) {
			push(c, out, &frames[i], now);
			accepted++;
		}
	add(&c->seen, n);
	add(&c->accepted, accepted);
	if (c->at == atomic_load_explicit(&c->head, memory_order_relaxed))
		return;
	/* Pairs with find(): the records are whole before they are seen. Pairs
	 * with is_idle() too, which writes @sleeps, then reads @head: in the
	 * one order of these four one of the two sees what the other wrote. */
	atomic_store(&c->head, c->at);
	if (atomic_load(&c->sleeps) && atomic_exchange(&c->sleeps, false))
		wake(c);
}

/*
 * The reader
 */

/* The next record, or NULL. */
static struct record *
find(struct capture *c)
{
	size_t tail = atomic_load_explicit(&c->tail, memory_order_relaxed);

	/* Pairs with capture_frames(). */
	if (tail == atomic_load_explicit(&c->head, memory_order_acquire))
		return NULL;
	return (struct record *)(c->ring + (tail & MASK));
}

static void
discard(struct capture *c, const struct record *r)
{
	size_t tail = atomic_load_explicit(&c->tail, memory_order_relaxed);

	/* Pairs with reserve(). */
	atomic_store_explicit(&c->tail, tail + r->size, memory_order_release);
}

/* Ones' complement sum (RFC 1071) in the byte order of the machine. */
static uint16_t
sum(const uint8_t *p, size_t len)
{
	uint64_t s = 0;
	uint32_t word;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		s += word;
	}
	word = 0;
	memcpy(&word, p, len);
	s += word;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

/*
 * The field holds the sum of the pseudo-header, as its sender knows it (virtio
 * 1.2, 5.1.6.2). What stands for segments gets a checksum over the whole, as
 * its own headers have it.
 */
static void
complete_csum(const struct record *r, uint8_t *data)
{
	uint16_t s =
		(uint16_t)~sum(data + r->csum_start, r->kept - r->csum_start);

	/* Of UDP, zero would mean that there is none. */
	if (s == 0 && r->csum_offset == UDP_CSUM_OFFSET)
		s = 0xffff;
	memcpy(data + r->csum_start + r->csum_offset, &s, sizeof(s));
}

/* A port sees what comes into the switch as its interface receives it: that is
 * inbound; what goes out, as sent. */
static int
put(const struct capture *c, struct record *r, struct evbuffer *to)
{
	uint8_t *data = (uint8_t *)(r + 1);
	const struct pcapng_packet p = {
		.time = r->time,
		.data = data,
		.kept = r->kept < c->snaplen ? r->kept : c->snaplen,
		.len = r->len,
		.direction = r->out ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
		.lost = r->lost,
	};

	if (r->has_csum)
		complete_csum(r, data);
	return pcapng_put_packet(to, &p);
}

static int
put_begin(struct capture *c, struct evbuffer *to)
{
	int r = pcapng_begin(to, APPLICATION, c->port, c->expr, c->snaplen);

	c->has_begun = !r;
	return r;
}

static int
put_end(struct capture *c, struct evbuffer *to)
{
	const struct pcapng_statistics s = {
		.begin = c->begin,
		.end = time_of_day(),
		.received = counted(&c->seen),
		.accepted = counted(&c->accepted),
		.dropped = counted(&c->dropped),
	};
	int r = pcapng_put_statistics(to, &s);

	c->is_over = !r;
	return r;
}

/* Is there nothing to read? Then the writer wakes us up. */
static bool
is_idle(struct capture *c)
{
	/* Pairs with capture_frames(). */
	atomic_store(&c->sleeps, true);
	if (atomic_load(&c->head) ==
	    atomic_load_explicit(&c->tail, memory_order_relaxed))
		return true;
	atomic_store(&c->sleeps, false);
	return false;
}

int
capture_read(struct capture *c, struct evbuffer *to, size_t max)
{
	const size_t end = evbuffer_get_length(to) + max;
	uint64_t woken;
	int r = 0;

	if (c->is_over)
		return CAPTURE_OVER;
	(void)!read(c->fd, &woken, sizeof(woken));
	if (!c->has_begun)
		r = put_begin(c, to);
	while (!r && evbuffer_get_length(to) < end) {
		/* Before we look: what was written first is then seen. Pairs
		 * with capture_end(). */
		bool ended =
			atomic_load_explicit(&c->ended, memory_order_acquire);
		struct record *record = find(c);

		if (record) {
			if (record->kept != FILLER)
				r = put(c, record, to);
			if (!r)
				discard(c, record);
		} else if (ended) {
			r = put_end(c, to);
			return r ? r : CAPTURE_OVER;
		} else if (is_idle(c)) {
			return CAPTURE_EMPTY;
		}
	}
	return r ? r : CAPTURE_MORE;
}

int
capture_fd(const struct capture *c)
{
	return c->fd;
}

void
capture_end(struct capture *c)
{
	/* Pairs with capture_read(). */
	atomic_store_explicit(&c->ended, true, memory_order_release);
	wake(c);
}

struct capture **
capture_next(struct capture *c)
{
	return &c->next;
}

static int
compile(struct capture *capture, const char *expr, struct complaint *c)
{
	if (!expr || !*expr)
		return 0;
	capture->expr = strdup(expr);
	if (!capture->expr)
		return complain(c, -ENOMEM, "capture: no memory");
	return program_compile(&capture->program, expr, c);
}

int
capture_create(struct capture **capture, const struct capture_config *config,
	       struct complaint *c)
{
	struct capture *new = aligned_alloc(CACHE_LINE, sizeof(*new));
	int r;

	if (!new)
		return complain(c, -ENOMEM, "capture: no memory");
	memset(new, 0, sizeof(*new));
	new->snaplen = config->snaplen && config->snaplen < PCAPNG_PACKET_MAX
			       ? config->snaplen
			       : PCAPNG_PACKET_MAX;
	new->raw = config->raw;
	new->begin = time_of_day();
	new->free_to = CAPTURE_RING_OCTETS;
	atomic_init(&new->head, 0);
	atomic_init(&new->tail, 0);
	atomic_init(&new->seen, 0);
	atomic_init(&new->accepted, 0);
	atomic_init(&new->dropped, 0);
	atomic_init(&new->sleeps, false);
	atomic_init(&new->ended, false);

	new->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (new->fd < 0) {
		r = complain(c, -errno, "capture: cannot make an eventfd: %s",
			     strerror(errno));
		goto destroy;
	}
	r = compile(new, config->expr, c);
	if (r)
		goto destroy;
	new->port = strdup(config->port);
	new->ring = malloc(CAPTURE_RING_OCTETS);
	if (!new->port || !new->ring) {
		r = complain(c, -ENOMEM, "capture: no memory");
		goto destroy;
	}
	*capture = new;
	return 0;

destroy:
	capture_destroy(new);
	return r;
}

void
capture_destroy(struct capture *c)
{
	if (!c)
		return;
	program_fini(&c->program);
	if (c->fd >= 0)
		close(c->fd);
	free(c->ring);
	free(c->expr);
	free(c->port);
	free(c);
}
