/* SPDX-License-Identifier: BSD-2-Clause */
#include "congestion.h"

#include <stdlib.h>
#include <string.h>

#include <vnet/libvnet.h>
#include <vnet/malloc.h>

#define PS_PER_NS    1000
#define NS_PER_MS    1000000
#define NS_PER_OCTET (1000000000 / CONGESTION_RATE)
#define MAX_LEN      1514
#define MAX_DEAF     8

/* The wire's own ring: it takes a frame as long as no more than this waits to
 * be sent on it. */
#define RING_NS ((vnet_nsec)2 * MAX_LEN * NS_PER_OCTET)

/* It is pulled this many frames at a time. */
#define PULL 4

/* Who has which address. Sources have their own numbers. */
#define WIRE_ADDRESS 0x40
#define DEAF_ADDRESS 0x50

/* What a frame says of itself, behind its header. */
struct label {
	uint32_t source;
	uint32_t sequence;
	vnet_nsec sent;
};
#define LABEL 14

struct source {
	const struct congestion_source *config;
	vnet_client_id id;
	uint64_t ps_per_octet;
	uint64_t next_ps; /* when it sends next */
	uint64_t random;
	uint32_t sent;
};

struct wire {
	vnet_client_id id;
	vnet_nsec busy_until;
	bool is_owed; /* it was full: it is to be pulled when it has room */
	uint32_t taken[CONGESTION_SOURCES];
	uint32_t next[CONGESTION_SOURCES]; /* sequence */
};

struct run {
	struct vnet_alloc alloc;
	struct vnet_switch *sw;
	struct source source[CONGESTION_SOURCES];
	struct wire wire;
	vnet_client_id deaf[MAX_DEAF];
	uint32_t ndeaf;
	vnet_nsec now, start, end;
	struct vnet_frame frame[CONGESTION_BURST];
	uint8_t octets[CONGESTION_BURST][MAX_LEN];
	struct congestion_result *result;
};

/* The first fault is the one that counts. */
static void
fault(struct run *run, const char *text)
{
	if (!run->result->fault)
		run->result->fault = text;
}

static bool
is_measured(const struct run *run)
{
	return run->now >= run->start && run->now < run->end;
}

/* The wire */

static void
take(struct run *run, const struct vnet_frame *f)
{
	struct wire *w = &run->wire;
	struct congestion_share *share;
	struct label label;

	memcpy(&label, f->data + LABEL, sizeof(label));
	if (label.source >= CONGESTION_SOURCES ||
	    label.sequence < w->next[label.source]) {
		fault(run, "a frame came out of order, or twice");
		return;
	}
	if (w->busy_until < run->now)
		w->busy_until = run->now;
	w->busy_until += (vnet_nsec)f->len * NS_PER_OCTET;
	w->next[label.source] = label.sequence + 1;
	w->taken[label.source]++;
	share = &run->result->share[label.source];
	if (is_measured(run))
		share->got += f->len;
	if (share->delay < w->busy_until - label.sent)
		share->delay = w->busy_until - label.sent;
}

static int
send_on_wire(void *ctx, const struct vnet_frame *frames, size_t n,
	     size_t *refused)
{
	struct run *run = ctx;
	size_t i;

	(void)refused;
	for (i = 0; i < n && run->wire.busy_until <= run->now + RING_NS; i++)
		take(run, &frames[i]);
	run->wire.is_owed = i < n;
	return (int)i;
}

static int
never_read(void *ctx, const struct vnet_frame *frames, size_t n,
	   size_t *refused)
{
	(void)ctx;
	(void)frames;
	(void)n;
	(void)refused;
	return 0;
}

/* Who is there */

static vnet_port_id
add_port(struct run *run, char letter, uint32_t number)
{
	const char name[] = {letter, (char)('0' + number), 0};
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
	};
	vnet_port_id port = VNET_NO_ID;

	if (vnet_port_add(run->sw, &config, &port, NULL))
		fault(run, "no port");
	return port;
}

static vnet_client_id
add_client(struct run *run, vnet_port_id port,
	   const struct vnet_driver_ops *ops)
{
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = ops,
		.ctx = run,
	};
	vnet_client_id id = VNET_NO_ID;

	if (vnet_client_add(run->sw, port, &config, &id, NULL))
		fault(run, "no client");
	return id;
}

static void
write_addresses(uint8_t *octets, uint32_t dst, uint32_t src)
{
	const uint8_t header[LABEL] = {
		2,    0,    0, 0, 0, (uint8_t)dst, 2, 0, 0, 0, 0, (uint8_t)src,
		0x88, 0xb5, /* for experiments (IEEE 802, 9.2.4) */
	};

	memcpy(octets, header, sizeof(header));
}

/* To source 0, which keeps nothing. */
static void
say_hello(struct run *run, vnet_client_id id, uint32_t address)
{
	struct vnet_frame f = {.data = run->octets[0], .len = 60};

	write_addresses(run->octets[0], 0, address);
	vnet_switch_input(run->sw, id, &f, 1, run->now);
}

static void
add_sources(struct run *run, const struct congestion *c)
{
	vnet_port_id port = VNET_NO_ID;

	for (uint32_t i = 0; i < CONGESTION_SOURCES; i++) {
		struct source *s = &run->source[i];

		s->config = &c->source[i];
		s->random = i + 1;
		s->ps_per_octet = UINT64_C(1000) * NS_PER_OCTET *
				  CONGESTION_WHOLE / s->config->offered;
		/* Not all at the same moment. */
		s->next_ps = i * s->ps_per_octet * MAX_LEN / CONGESTION_SOURCES;
		if (!i || !c->on_one_vif)
			port = add_port(run, 's', i);
		if (vnet_null_open(run->sw, port, &s->id) ||
		    vnet_client_set_weight(run->sw, s->id, s->config->weight))
			fault(run, "no source");
		say_hello(run, s->id, i);
	}
}

static void
add_receivers(struct run *run)
{
	static const struct vnet_driver_ops wire_ops = {
		.size = sizeof(wire_ops),
		.send = send_on_wire,
	};
	static const struct vnet_driver_ops deaf_ops = {
		.size = sizeof(deaf_ops),
		.send = never_read,
	};

	run->wire.id = add_client(run, add_port(run, 'w', 0), &wire_ops);
	say_hello(run, run->wire.id, WIRE_ADDRESS);
	for (uint32_t i = 0; i < run->ndeaf; i++) {
		run->deaf[i] =
			add_client(run, add_port(run, 'd', i), &deaf_ops);
		say_hello(run, run->deaf[i], DEAF_ADDRESS + i);
	}
}

static void
open_run(struct run *run, const struct congestion *c)
{
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &run->alloc,
		.seed = 1,
		.max_ports = 32,
		.pool_octets = c->pool_octets,
		.queue_octets = CONGESTION_QUEUE,
	};

	run->alloc = vnet_malloc();
	run->ndeaf = c->ndeaf;
	run->start = (vnet_nsec)c->warm_up_ms * NS_PER_MS;
	run->end = run->start + (vnet_nsec)c->measured_ms * NS_PER_MS;
	if (vnet_switch_create(&run->sw, &config, NULL)) {
		fault(run, "no switch");
		return;
	}
	add_sources(run, c);
	add_receivers(run);
}

/* What happens */

/* xorshift64* (Vigna, 2016). */
static uint32_t
random_below(uint64_t *x, uint32_t n)
{
	*x ^= *x >> 12;
	*x ^= *x << 25;
	*x ^= *x >> 27;
	return (uint32_t)((*x * UINT64_C(0x2545f4914f6cdd1d) >> 32) * n >> 32);
}

/* Of the next frame of @s, at @octets. */
static uint32_t
write_frame(struct run *run, struct source *s, uint8_t *octets)
{
	const struct label label = {
		.source = (uint32_t)(s - run->source),
		.sequence = s->sent++,
		.sent = run->now,
	};

	write_addresses(octets, WIRE_ADDRESS, label.source);
	memcpy(octets + LABEL, &label, sizeof(label));
	return s->config->min_len +
	       random_below(&s->random,
			    s->config->max_len - s->config->min_len + 1);
}

static void
send_burst(struct run *run, struct source *s)
{
	uint32_t n = s->config->burst ? s->config->burst : 1;
	struct congestion_share *share = &run->result->share[s - run->source];
	uint32_t octets = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = write_frame(run, s, run->octets[i]);

		run->frame[i] = (struct vnet_frame){
			.data = run->octets[i],
			.len = len,
		};
		octets += len;
	}
	s->next_ps += octets * s->ps_per_octet;
	if (is_measured(run))
		share->offered += octets;
	vnet_switch_input(run->sw, s->id, run->frame, n, run->now);
	for (uint32_t k = 0; k < run->ndeaf; k++) {
		for (uint32_t i = 0; i < n; i++)
			run->octets[i][5] = (uint8_t)(DEAF_ADDRESS + k);
		vnet_switch_input(run->sw, s->id, run->frame, n, run->now);
	}
}

static void
pull(struct run *run)
{
	int n;

	run->now = run->wire.busy_until - RING_NS;
	do {
		n = vnet_client_output(run->sw, run->wire.id, PULL, run->now);
	} while (n == PULL);
	if (n < 0)
		fault(run, "vnet_client_output() fails");
}

static struct source *
next_source(struct run *run)
{
	struct source *next = &run->source[0];

	for (uint32_t i = 1; i < CONGESTION_SOURCES; i++) {
		if (run->source[i].next_ps < next->next_ps)
			next = &run->source[i];
	}
	return next;
}

static void
see_deaf(struct run *run)
{
	struct vnet_client_stats stats = {.size = sizeof(stats)};

	for (uint32_t i = 0; i < run->ndeaf; i++) {
		if (vnet_client_get_stats(run->sw, run->deaf[i], &stats))
			fault(run, "no counters");
		if (run->result->deaf_memory < stats.queue_memory)
			run->result->deaf_memory = stats.queue_memory;
	}
}

static void
run_to_end(struct run *run)
{
	while (!run->result->fault) {
		struct source *s = next_source(run);
		vnet_nsec at = s->next_ps / PS_PER_NS;

		if (run->wire.is_owed && run->wire.busy_until - RING_NS <= at) {
			pull(run);
		} else if (at < run->end) {
			run->now = at;
			send_burst(run, s);
			see_deaf(run);
		} else {
			break;
		}
		if (vnet_switch_deadline(run->sw) <= run->now)
			vnet_switch_tick(run->sw, run->now);
	}
	while (run->wire.is_owed && !run->result->fault)
		pull(run);
}

void
congestion_run(const struct congestion *c, struct congestion_result *r)
{
	struct run *run = calloc(1, sizeof(*run));

	*r = (struct congestion_result){0};
	if (!run) {
		r->fault = "no memory";
		return;
	}
	run->result = r;
	open_run(run, c);
	run_to_end(run);
	for (uint32_t i = 0; i < CONGESTION_SOURCES; i++)
		r->share[i].lost = run->source[i].sent - run->wire.taken[i];
	if (run->sw && !vnet_switch_check(run->sw, NULL))
		fault(run, "the switch's sums do not agree");
	vnet_switch_destroy(run->sw);
	free(run);
}

/* What it comes to */

static double
all_got(const struct congestion_result *r)
{
	double octets = 0;

	for (uint32_t i = 0; i < CONGESTION_SOURCES; i++)
		octets += (double)r->share[i].got;
	return octets;
}

double
congestion_jain(const struct congestion_result *r, unsigned int n)
{
	double sum = 0, squares = 0;

	for (unsigned int i = 0; i < n; i++) {
		double x =
			(double)r->share[i].got / (double)r->share[i].offered;

		sum += x;
		squares += x * x;
	}
	return sum * sum / (n * squares);
}

uint64_t
congestion_lost(const struct congestion_result *r, unsigned int n)
{
	uint64_t lost = 0;

	for (unsigned int i = 0; i < n; i++)
		lost += r->share[i].lost;
	return lost;
}

double
congestion_weights_off(const struct congestion *c,
		       const struct congestion_result *r)
{
	double weights = 0, most = 0;

	for (uint32_t i = 0; i < CONGESTION_SOURCES; i++)
		weights += c->source[i].weight;
	for (uint32_t i = 0; i < CONGESTION_SOURCES; i++) {
		double due = all_got(r) * c->source[i].weight / weights;
		double off = ((double)r->share[i].got - due) / due;

		if (off < 0)
			off = -off;
		if (most < off)
			most = off;
	}
	return most;
}

double
congestion_use(const struct congestion *c, const struct congestion_result *r)
{
	return all_got(r) / (CONGESTION_RATE / 1000.0 * c->measured_ms);
}
