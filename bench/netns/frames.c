/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends frames of 60 octets from a host to another as fast as the first one's
 * kernel takes them, and counts what arrives.
 *
 *	frames FROM INTERFACE CPU TO INTERFACE CPU SECONDS
 *
 * Prints lines of a name and a number:
 *
 *	sent	offered to the sender's interface, which may have dropped them
 *	received, dropped
 *		by the receiver's socket
 *	seconds	in which the sender was sending
 *
 * The receiver first says hello, so that the switch knows where it is. It reads
 * a ring, which wakes it once for some thousand frames; each must be newer than
 * the one before.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

#define BATCH      64

#define BLOCK_SIZE (1u << 20)
#define NBLOCKS    32

/* Of silence, after which nothing more is on its way. */
#define SILENCE_NS 200000000

struct end {
	const char *host, *interface, *cpu;
	uint8_t mac[ETH_ALEN];
};

struct counter {
	const struct end *at;
	int fd;
	uint8_t *ring;
	atomic_bool is_sent; /* all: ends when it is silent */
	uint64_t received;
	uint64_t last; /* number */
};

static void
open_ring(struct counter *c)
{
	struct tpacket_req3 req = {
		.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = NBLOCKS,
		.tp_frame_size = 2048,
		.tp_frame_nr = BLOCK_SIZE / 2048 * NBLOCKS,
		.tp_retire_blk_tov = 10,
	};
	int version = TPACKET_V3;

	if (setsockopt(c->fd, SOL_PACKET, PACKET_VERSION, &version,
		       sizeof(version)) < 0 ||
	    setsockopt(c->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) <
		    0)
		host_fail("no ring for the receiver: %s", strerror(errno));
	c->ring = mmap(NULL, (size_t)BLOCK_SIZE * NBLOCKS,
		       PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->ring == MAP_FAILED)
		host_fail("cannot map the receiver's ring: %s",
			  strerror(errno));
}

static void
count_block(struct counter *c, const struct tpacket_block_desc *block)
{
	const uint8_t *at =
		(const uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;

	for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; i++) {
		const struct tpacket3_hdr *hdr = (const void *)at;
		const struct host_frame *f = (const void *)(at + hdr->tp_mac);

		if (hdr->tp_len != HOST_FRAME)
			host_fail("a frame of %u octets arrived", hdr->tp_len);
		if (f->number <= c->last)
			host_fail("frame %" PRIu64 " arrived after %" PRIu64,
				  f->number, c->last);
		c->last = f->number;
		c->received++;
		at += hdr->tp_next_offset;
	}
}

static void *
count(void *arg)
{
	struct counter *c = arg;
	struct pollfd pollfd = {.fd = c->fd, .events = POLLIN};
	uint64_t heard = host_now();

	host_pin(c->at->cpu);
	for (unsigned int i = 0;; i = (i + 1) % NBLOCKS) {
		struct tpacket_block_desc *block =
			(void *)(c->ring + (size_t)i * BLOCK_SIZE);
		_Atomic uint32_t *status =
			(_Atomic uint32_t *)&block->hdr.bh1.block_status;

		while (!(atomic_load(status) & TP_STATUS_USER)) {
			if (!atomic_load(&c->is_sent))
				heard = host_now();
			else if (host_now() - heard > SILENCE_NS)
				return NULL;
			poll(&pollfd, 1, 20);
		}
		count_block(c, block);
		atomic_store(status, TP_STATUS_KERNEL);
		heard = host_now();
	}
}

static struct host_frame
make_frame(const uint8_t *dst, const uint8_t *src)
{
	struct host_frame f = {
		.eth.ether_type = htons(HOST_ETHERTYPE),
	};

	memcpy(f.eth.ether_dhost, dst, ETH_ALEN);
	memcpy(f.eth.ether_shost, src, ETH_ALEN);
	return f;
}

/* Until it is heard: the switch may not be awake yet. */
static void
say_hello(int fd, int listener, const struct host_frame *f)
{
	struct pollfd pollfd = {.fd = listener, .events = POLLIN};

	for (int i = 0; i < 50; i++) {
		if (send(fd, f, sizeof(*f), 0) < 0)
			host_fail("cannot send: %s", strerror(errno));
		if (poll(&pollfd, 1, 100) > 0)
			return;
	}
	host_fail("no frame arrives");
}

/* Returns how many were sent. A call that takes fewer than it was given has
 * also tried one that the interface dropped; sendmmsg() says so for the first
 * one only. */
static uint64_t
send_batch(int fd, struct mmsghdr *msgs)
{
	for (unsigned int i = 0; i < BATCH; i++) {
		int n = sendmmsg(fd, &msgs[i], BATCH - i, 0);

		if (n < 0 && errno != ENOBUFS)
			host_fail("cannot send: %s", strerror(errno));
		if (n > 0)
			i += (unsigned int)n;
	}
	return BATCH;
}

static uint64_t
send_for(int fd, const struct host_frame *model, uint64_t ns, uint64_t *took)
{
	static struct host_frame frames[BATCH];
	static struct iovec iov[BATCH];
	static struct mmsghdr msgs[BATCH];
	uint64_t sent = 0, start, now;

	for (int i = 0; i < BATCH; i++) {
		frames[i] = *model;
		iov[i] = (struct iovec){&frames[i], sizeof(frames[i])};
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	start = now = host_now();
	while (now - start < ns) {
		for (unsigned int i = 0; i < BATCH; i++)
			frames[i].number = sent + i + 1;
		sent += send_batch(fd, msgs);
		now = host_now();
	}
	*took = now - start;
	return sent;
}

int
main(int argc, char **argv)
{
	struct counter c = {0};
	struct tpacket_stats_v3 stats;
	socklen_t len = sizeof(stats);
	struct host_frame hello, model;
	struct end from, to;
	uint64_t sent, took;
	pthread_t thread;
	int fd, back, listener;

	if (argc != 8) {
		fprintf(stderr, "usage: frames FROM INTERFACE CPU TO INTERFACE "
				"CPU SECONDS\n");
		return 2;
	}
	from = (struct end){argv[1], argv[2], argv[3], {0}};
	to = (struct end){argv[4], argv[5], argv[6], {0}};

	host_enter(to.host);
	back = host_socket(to.interface, false);
	host_mac(back, to.interface, to.mac);
	host_enter(from.host);
	fd = host_socket(from.interface, false);
	host_mac(fd, from.interface, from.mac);
	listener = host_socket(from.interface, true);
	hello = make_frame(from.mac, to.mac);
	say_hello(back, listener, &hello);
	close(listener);

	host_enter(to.host);
	c.at = &to;
	c.fd = host_socket(to.interface, true);
	open_ring(&c);
	host_start(&thread, count, &c);
	host_pin(from.cpu);
	model = make_frame(to.mac, from.mac);
	sent = send_for(fd, &model, strtoull(argv[7], NULL, 10) * 1000000000,
			&took);
	atomic_store(&c.is_sent, true);
	pthread_join(thread, NULL);

	if (getsockopt(c.fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
		host_fail("no counters of the receiver: %s", strerror(errno));
	if (stats.tp_packets != c.received + stats.tp_drops)
		host_fail("%" PRIu64 " frames in the ring, %u says the kernel",
			  c.received, stats.tp_packets - stats.tp_drops);
	printf("sent %" PRIu64 "\nreceived %" PRIu64
	       "\ndropped %u\nseconds %.6f\n",
	       sent, c.received, stats.tp_drops, (double)took / 1e9);
	return 0;
}
