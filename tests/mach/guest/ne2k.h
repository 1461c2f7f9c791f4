/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The NE2000 on an ISA bus, by its ports: no DMA, no memory. Its user has the
 * permission to use them, and gives it its interrupts.
 */
#ifndef VNET_TEST_NE2K_H
#define VNET_TEST_NE2K_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NE2K_PORTS     0x20
#define NE2K_FRAME_MIN 60
#define NE2K_FRAME_MAX 1514

/**
 * struct ne2k_counts - what it did
 * @in:		frames received
 * @bad:	that were not good, or of no good length
 * @resets:	times that the ring made no sense and was emptied
 * @overruns:	times that the ring was full
 * @out:	frames sent
 * @interrupts:	times that it was asked to look
 */
struct ne2k_counts {
	unsigned long in;
	unsigned long bad;
	unsigned long resets;
	unsigned long overruns;
	unsigned long out;
	unsigned long interrupts;
};

/**
 * struct ne2k - a card
 * @base:	its first port
 * @mac:	its address
 * @next:	the page of the ring to be read next
 * @receive:	takes a frame, without its FCS
 */
struct ne2k {
	uint16_t base;
	uint8_t mac[6];
	uint8_t next;
	bool is_promisc;
	void (*receive)(void *ctx, const uint8_t *frame, size_t len);
	void *ctx;
	struct ne2k_counts counts;
	uint8_t frame[NE2K_FRAME_MAX + 2];
};

/* Find the card at @base, and read its address. False if there is none. */
bool ne2k_open(struct ne2k *n, uint16_t base);

/* Send and receive, with interrupts. */
void ne2k_start(struct ne2k *n);

void ne2k_set_promisc(struct ne2k *n, bool on);

/* Send a frame of 14 to 1514 octets; it is filled with zeros up to 60. */
void ne2k_send(struct ne2k *n, const uint8_t *frame, size_t len);

/*
 * An interrupt has come, or is waiting to be seen: take all that there is, with the card's interrupts
 * off. Once the interrupt is acknowledged, ne2k_enable() puts them on: what has
 * come meanwhile makes a new edge, so that none is lost.
 */
bool ne2k_is_waiting(const struct ne2k *n);
void ne2k_interrupt(struct ne2k *n);
void ne2k_enable(struct ne2k *n);

#endif
