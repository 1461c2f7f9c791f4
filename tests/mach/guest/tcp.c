/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "tcp.h"
#include "host_packet.h"

#define HEADER       20
#define SYN_HEADER   24 /* with the MSS */
#define RTO_MS       100
#define RTO_MAX_MS   1600
#define LINGER_MS    1000
#define PATIENCE_MS  30000
#define WINDOW       8192
#define WINDOW_MAX   65535
#define FLIGHT       8
#define CWND_FIRST   2
#define MSS4         1460
#define MSS6         1440
#define MSS4_DEFAULT 536 /* where the other side does not say */
#define MSS6_DEFAULT 1220

#define FIN          0x01
#define SYN          0x02
#define RST          0x04
#define PSH          0x08
#define ACK          0x10

/* A segment that came in. */
struct segment {
	uint16_t src;
	uint16_t dst;
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	uint16_t window;
	uint16_t mss; /* 0: it does not say */
	const uint8_t *data;
	uint32_t len;
};

uint8_t
tcp_octet(uint32_t seed, uint32_t i)
{
	return (uint8_t)(host_mix((i >> 2) + seed) >> (i & 3) * 8);
}

/* As numbers modulo 2^32 compare that are less than 2^31 apart. */
static bool
is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static uint32_t
smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The sequence numbers of the FIN, and behind it. */
static uint32_t
fin_at(const struct tcp *t)
{
	return t->config.iss + 1 + t->config.send_octets;
}

static uint32_t
end_of(const struct tcp *t)
{
	return fin_at(t) + 1;
}

static uint16_t
mss_of(const struct host_addr *addr)
{
	return addr->len == 4 ? MSS4 : MSS6;
}

/* Send the header that is made, and what is behind it. */
static void
send_segment(struct tcp *t, const struct host_addr *src,
	     const struct host_addr *dst, size_t len, host_msec now)
{
	t->counts.out++;
	host_transmit(t->host,
		      &(struct host_out){
			      .src = *src,
			      .dst = *dst,
			      .protocol = PROTOCOL_TCP,
			      .hop_limit = 64,
			      .len = len,
			      .checksum_at = 16,
		      },
		      now);
}

/* @octets of the stream from sequence number @seq on. */
static void
send_from(struct tcp *t, uint32_t seq, uint8_t flags, uint32_t octets,
	  host_msec now)
{
	const size_t header = flags & SYN ? SYN_HEADER : HEADER;
	const uint32_t offset = seq - (t->config.iss + 1);
	uint8_t *p = host_payload(t->host, &t->peer);

	memset(p, 0, header);
	put16(p, t->self_port);
	put16(p + 2, t->peer_port);
	put32(p + 4, seq);
	if (flags & ACK)
		put32(p + 8, t->rcv_nxt);
	p[12] = (uint8_t)(header / 4 << 4);
	p[13] = flags;
	put16(p + 14, (uint16_t)t->config.window);
	if (flags & SYN) {
		p[20] = 2;
		p[21] = 4;
		put16(p + 22, mss_of(&t->peer));
	}
	for (uint32_t i = 0; i < octets; i++)
		p[header + i] = tcp_octet(t->config.send_seed, offset + i);
	if (is_before(seq, t->max))
		t->counts.again += smaller(octets, t->max - seq);
	send_segment(t, &t->self, &t->peer, header + octets, now);
}

static void
send_ack(struct tcp *t, host_msec now)
{
	/* Not from nxt, which goes back: the other side would not look at it. */
	send_from(t, t->max, ACK, 0, now);
}

/* Answer a segment of no connection (RFC 9293, 3.10.7.1). */
static void
refuse(struct tcp *t, const struct host_packet *packet, const struct segment *s,
       host_msec now)
{
	uint8_t *p = host_payload(t->host, &packet->src);

	t->counts.strays++;
	if (s->flags & RST)
		return;
	memset(p, 0, HEADER);
	put16(p, s->dst);
	put16(p + 2, s->src);
	p[12] = HEADER / 4 << 4;
	if (s->flags & ACK) {
		put32(p + 4, s->ack);
		p[13] = RST;
	} else {
		put32(p + 8, s->seq + s->len + !!(s->flags & SYN) +
				     !!(s->flags & FIN));
		p[13] = RST | ACK;
	}
	send_segment(t, &packet->dst, &packet->src, HEADER, now);
}

/* @len sequence numbers were sent. */
static void
advance(struct tcp *t, uint32_t len, host_msec now)
{
	if (t->nxt == t->una)
		t->timer = now + t->rto;
	if (t->max == t->una)
		t->progress = now;
	t->nxt += len;
	if (is_before(t->max, t->nxt))
		t->max = t->nxt;
}

/* Send what may be sent. True if something was, which acknowledges, too. */
static bool
output(struct tcp *t, host_msec now)
{
	bool is_sent = false;

	if (t->state == TCP_SYN_SENT || t->state == TCP_SYN_RECEIVED) {
		if (t->nxt != t->una)
			return false;
		send_from(t, t->nxt, t->state == TCP_SYN_SENT ? SYN : SYN | ACK,
			  0, now);
		advance(t, 1, now);
		return true;
	}
	while (t->state == TCP_OPEN && is_before(t->nxt, end_of(t))) {
		const uint32_t in_flight = t->nxt - t->una;
		const uint32_t window =
			smaller(t->peer_window, t->cwnd * t->mss);
		const uint32_t left = fin_at(t) - t->nxt;
		uint32_t len = smaller(left, t->mss);

		if (!left) {
			send_from(t, t->nxt, FIN | ACK, 0, now);
			advance(t, 1, now);
			return true;
		}
		if (in_flight >= window)
			break;
		/* Not in bits, unless nothing comes that opens the window. */
		if (window - in_flight < len) {
			if (in_flight)
				break;
			len = window;
		}
		send_from(t, t->nxt, len == left ? PSH | ACK : ACK, len, now);
		advance(t, len, now);
		is_sent = true;
	}
	return is_sent;
}

/* Send all again that is not acknowledged. */
static void
go_back(struct tcp *t, uint32_t cwnd)
{
	const uint32_t flight = (t->max - t->una) / t->mss;

	t->ssthresh = flight / 2 > 2 ? flight / 2 : 2;
	t->cwnd = cwnd < t->ssthresh ? cwnd : t->ssthresh;
	t->grown = 0;
	t->duplicate_acks = 0;
	t->recover = t->max;
	t->nxt = t->una;
}

static void
fail(struct tcp *t, enum tcp_error error)
{
	t->state = TCP_FAILED;
	t->error = error;
}

static void
start(struct tcp *t, enum tcp_state state, host_msec now)
{
	t->state = state;
	t->una = t->nxt = t->max = t->recover = t->config.iss;
	t->mss = t->peer.len == 4 ? MSS4_DEFAULT : MSS6_DEFAULT;
	t->cwnd = smaller(CWND_FIRST, t->config.flight);
	t->ssthresh = t->config.flight;
	t->rto = RTO_MS;
	t->progress = now;
}

static void
take_mss(struct tcp *t, const struct segment *s)
{
	if (s->mss)
		t->mss = (uint16_t)smaller(s->mss, mss_of(&t->peer));
}

static void
check_done(struct tcp *t, host_msec now)
{
	if (t->state == TCP_OPEN && t->fin_received && t->una == end_of(t)) {
		t->state = TCP_DONE;
		t->done_at = now;
	}
}

static void
grow(struct tcp *t)
{
	if (t->cwnd >= t->config.flight)
		return;
	if (t->cwnd < t->ssthresh || ++t->grown >= t->cwnd) {
		t->cwnd++;
		t->grown = 0;
	}
}

static void
take_ack(struct tcp *t, const struct segment *s, host_msec now)
{
	if (is_before(t->una, s->ack) && !is_before(t->max, s->ack)) {
		t->una = s->ack;
		if (is_before(t->nxt, t->una))
			t->nxt = t->una;
		t->rto = RTO_MS;
		t->timer = now + t->rto;
		t->progress = now;
		t->duplicate_acks = 0;
		grow(t);
	} else if (s->ack == t->una && t->nxt != t->una && !s->len &&
		   !(s->flags & (SYN | FIN)) && s->window == t->peer_window) {
		if (++t->duplicate_acks == 3 &&
		    !is_before(t->una, t->recover)) {
			t->counts.duplicates++;
			go_back(t, t->cwnd);
		}
	}
	if (!is_before(s->ack, t->una) && !is_before(t->max, s->ack))
		t->peer_window = s->window;
}

/* What of it comes next, is looked at. Is it to be acknowledged? */
static bool
take_data(struct tcp *t, const struct segment *s)
{
	const uint32_t len = s->len + !!(s->flags & (SYN | FIN));
	const uint32_t old = t->rcv_nxt - s->seq;
	uint32_t n = s->len;

	/* Nor is an acknowledgment acknowledged: it would never end. */
	if (!len)
		return false;
	if (is_before(t->rcv_nxt, s->seq) || old >= len || t->fin_received ||
	    s->flags & SYN) {
		t->counts.disordered++;
		return true;
	}
	for (uint32_t i = old; i < n; i++, t->received++) {
		/* A probe of a window that is closed, is not taken. */
		if (!t->config.window)
			return true;
		t->rcv_nxt++;
		if (s->data[i] ==
		    tcp_octet(t->config.receive_seed, t->received))
			continue;
		if (!t->wrong++)
			t->wrong_at = t->received;
	}
	if (s->flags & FIN) {
		t->rcv_nxt++;
		t->fin_received = true;
	}
	return true;
}

static bool
is_ours(const struct tcp *t, const struct host_packet *p,
	const struct segment *s)
{
	return t->state >= TCP_SYN_SENT && t->state <= TCP_DONE &&
	       host_addr_equal(&p->src, &t->peer) &&
	       host_addr_equal(&p->dst, &t->self) && s->src == t->peer_port &&
	       s->dst == t->self_port;
}

static void
take_syn(struct tcp *t, const struct host_packet *p, const struct segment *s,
	 host_msec now)
{
	t->self = p->dst;
	t->peer = p->src;
	t->peer_port = s->src;
	start(t, TCP_SYN_RECEIVED, now);
	take_mss(t, s);
	t->rcv_nxt = s->seq + 1;
	t->peer_window = s->window;
	output(t, now);
}

static void
take_syn_sent(struct tcp *t, const struct segment *s, host_msec now)
{
	if (!(s->flags & ACK) || s->ack != t->config.iss + 1)
		return;
	if (s->flags & RST) {
		fail(t, TCP_REFUSED);
		return;
	}
	if (!(s->flags & SYN))
		return;
	t->state = TCP_OPEN;
	take_mss(t, s);
	t->rcv_nxt = s->seq + 1;
	t->peer_window = s->window;
	take_ack(t, s, now);
	if (!output(t, now))
		send_ack(t, now);
}

static void
take_segment(struct tcp *t, const struct segment *s, host_msec now)
{
	const uint32_t seen = t->rcv_nxt;
	const unsigned long disordered = t->counts.disordered;
	bool is_ack_due;

	if (s->flags & RST) {
		if (s->seq == t->rcv_nxt && t->state != TCP_DONE)
			fail(t, TCP_RESET);
		return;
	}
	/* The answer to our SYN was lost. */
	if (t->state == TCP_SYN_RECEIVED && s->flags & SYN) {
		t->nxt = t->una;
		output(t, now);
		return;
	}
	if (!(s->flags & ACK))
		return;
	if (t->state == TCP_SYN_RECEIVED) {
		if (s->ack == t->una || is_before(t->max, s->ack))
			return;
		t->state = TCP_OPEN;
	}
	take_ack(t, s, now);
	is_ack_due = take_data(t, s);
	/* Duplicate acknowledgments count only if they are without data. */
	if (t->counts.disordered != disordered) {
		send_ack(t, now);
		is_ack_due = false;
	}
	if (!output(t, now) && (is_ack_due || t->rcv_nxt != seen))
		send_ack(t, now);
	check_done(t, now);
}

/* Options: the MSS is taken, others are passed over. */
static bool
parse_options(const uint8_t *p, size_t len, struct segment *s)
{
	while (len && *p) {
		size_t n = 1;

		if (*p != 1) {
			if (len < 2 || p[1] < 2 || p[1] > len)
				return false;
			n = p[1];
			if (*p == 2 && n == 4)
				s->mss = get16(p + 2);
		}
		p += n;
		len -= n;
	}
	return true;
}

static bool
parse(const struct host_packet *p, struct segment *s)
{
	size_t header;

	memset(s, 0, sizeof(*s));
	if (p->len < HEADER)
		return false;
	header = (size_t)(p->data[12] >> 4) * 4;
	if (header < HEADER || header > p->len ||
	    !parse_options(p->data + HEADER, header - HEADER, s))
		return false;
	s->src = get16(p->data);
	s->dst = get16(p->data + 2);
	s->seq = get32(p->data + 4);
	s->ack = get32(p->data + 8);
	s->flags = p->data[13];
	s->window = get16(p->data + 14);
	s->data = p->data + header;
	s->len = (uint32_t)(p->len - header);
	return true;
}

static void
input(void *ctx, const struct host_packet *p, host_msec now)
{
	struct tcp *t = ctx;
	struct segment s;

	t->counts.in++;
	if (!parse(p, &s)) {
		t->counts.malformed++;
		return;
	}
	if (t->state == TCP_LISTEN && s.dst == t->self_port &&
	    (s.flags & (SYN | ACK | RST | FIN)) == SYN && !s.len)
		take_syn(t, p, &s, now);
	else if (!is_ours(t, p, &s))
		refuse(t, p, &s, now);
	else if (t->state == TCP_SYN_SENT)
		take_syn_sent(t, &s, now);
	else
		take_segment(t, &s, now);
}

void
tcp_init(struct tcp *t, struct host *h, const struct tcp_config *config)
{
	memset(t, 0, sizeof(*t));
	t->host = h;
	t->config = *config;
	if (!t->config.window)
		t->config.window = WINDOW;
	t->config.window = smaller(t->config.window, WINDOW_MAX);
	if (!t->config.flight)
		t->config.flight = FLIGHT;
	if (!t->config.patience_ms)
		t->config.patience_ms = PATIENCE_MS;
	h->input = input;
	h->input_ctx = t;
}

void
tcp_listen(struct tcp *t, uint16_t port)
{
	t->state = TCP_LISTEN;
	t->self_port = port;
}

void
tcp_connect(struct tcp *t, const struct host_addr *peer, uint16_t port,
	    uint16_t self_port, host_msec now)
{
	const struct host_addr *self = host_source(t->host, peer);

	if (!self) {
		fail(t, TCP_NO_ANSWER);
		return;
	}
	t->self = *self;
	t->peer = *peer;
	t->self_port = self_port;
	t->peer_port = port;
	start(t, TCP_SYN_SENT, now);
	output(t, now);
}

void
tcp_set_window(struct tcp *t, uint32_t window, host_msec now)
{
	t->config.window = smaller(window, WINDOW_MAX);
	if (t->state == TCP_OPEN)
		send_ack(t, now);
}

/* A closed window is probed with one octet: the other side may have lost what
 * opened it (RFC 9293, 3.8.6.1). */
static void
probe_window(struct tcp *t, host_msec now)
{
	if (now < t->timer)
		return;
	t->timer = now + t->rto;
	t->rto = smaller(t->rto * 2, RTO_MAX_MS);
	t->progress = now;
	send_from(t, t->nxt, ACK, 1, now);
	if (t->max == t->nxt)
		t->max++;
}

void
tcp_tick(struct tcp *t, host_msec now)
{
	if (t->state < TCP_SYN_SENT || t->state > TCP_OPEN)
		return;
	if (t->state == TCP_OPEN && t->nxt == t->una && !t->peer_window &&
	    is_before(t->nxt, fin_at(t))) {
		probe_window(t, now);
		return;
	}
	if (t->nxt == t->una || now < t->timer)
		return;
	if (now - t->progress >= t->config.patience_ms) {
		fail(t, TCP_NO_ANSWER);
		return;
	}
	t->counts.timeouts++;
	t->rto = smaller(t->rto * 2, RTO_MAX_MS);
	go_back(t, 1);
	output(t, now);
}

bool
tcp_may_leave(const struct tcp *t, host_msec now)
{
	return t->state == TCP_DONE && now - t->done_at >= LINGER_MS;
}
