/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and sequences are those of the data sheet of the DP8390, and of the
 * NE2000's two additions: the data port, and a port that resets it.
 *
 * Its memory of 16 KiB begins at page 0x40 (of 256 octets): six pages for the
 * frame that is sent, the rest is the ring of those received.
 */
#include <string.h>

#include "ne2k.h"

#define CR    0x00 /* command */
#define DATA  0x10
#define RESET 0x1f

/* Page 0. */
#define PSTART 0x01
#define PSTOP  0x02
#define BNRY   0x03
#define TPSR   0x04
#define TBCR0  0x05
#define TBCR1  0x06
#define ISR    0x07
#define RSAR0  0x08
#define RSAR1  0x09
#define RBCR0  0x0a
#define RBCR1  0x0b
#define RCR    0x0c
#define TCR    0x0d
#define DCR    0x0e
#define IMR    0x0f

/* Page 1. */
#define PAR0            0x01
#define CURR            0x07
#define MAR0            0x08

#define CR_STOP         0x01
#define CR_START        0x02
#define CR_TRANSMIT     0x04
#define CR_READ         0x08
#define CR_WRITE        0x10
#define CR_NO_DMA       0x20
#define CR_PAGE1        0x40

#define ISR_RECEIVED    0x01
#define ISR_RECEIVE_BAD 0x04
#define ISR_OVERRUN     0x10
#define ISR_DMA_DONE    0x40
#define ISR_RESET       0x80
#define ISR_INTERESTING (ISR_RECEIVED | ISR_RECEIVE_BAD | ISR_OVERRUN)

#define RCR_BROADCAST   0x04
#define RCR_MULTICAST   0x08
#define RCR_PROMISC     0x10
#define RCR_MONITOR     0x20

#define TCR_LOOPBACK    0x02
#define DCR_WORDS       0x49 /* 16 bits, FIFO threshold of 8 octets */

#define SEND_PAGE       0x40
#define RING            0x46
#define RING_END        0x80

/* How often a register is looked at before it is given up. */
#define PATIENCE 100000

static void
out8(const struct ne2k *n, unsigned int reg, unsigned int value)
{
	__asm__ volatile("outb %0, %1"
			 :
			 : "a"((uint8_t)value),
			   "Nd"((uint16_t)(n->base + reg)));
}

static uint8_t
in8(const struct ne2k *n, unsigned int reg)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0"
			 : "=a"(value)
			 : "Nd"((uint16_t)(n->base + reg)));
	return value;
}

static void
wait_for(const struct ne2k *n, unsigned int reg, uint8_t bit, bool is_set)
{
	for (int i = 0; i < PATIENCE; i++)
		if (!!(in8(n, reg) & bit) == is_set)
			return;
}

/* Set up a transfer of an even number of octets. */
static void
start_dma(const struct ne2k *n, uint16_t at, size_t len, uint8_t command)
{
	out8(n, CR, CR_START | CR_NO_DMA);
	out8(n, ISR, ISR_DMA_DONE);
	out8(n, RBCR0, (uint8_t)len);
	out8(n, RBCR1, (uint8_t)(len >> 8));
	out8(n, RSAR0, (uint8_t)at);
	out8(n, RSAR1, (uint8_t)(at >> 8));
	out8(n, CR, CR_START | command);
}

static void
read_memory(const struct ne2k *n, uint16_t at, void *to, size_t len)
{
	size_t words = (len + 1) / 2;

	start_dma(n, at, words * 2, CR_READ);
	__asm__ volatile("rep insw"
			 : "+D"(to), "+c"(words)
			 : "d"((uint16_t)(n->base + DATA))
			 : "memory");
	out8(n, ISR, ISR_DMA_DONE);
}

static void
write_memory(const struct ne2k *n, uint16_t at, const void *from, size_t len)
{
	size_t words = (len + 1) / 2;

	start_dma(n, at, words * 2, CR_WRITE);
	__asm__ volatile("rep outsw"
			 : "+S"(from), "+c"(words)
			 : "d"((uint16_t)(n->base + DATA))
			 : "memory");
	wait_for(n, ISR, ISR_DMA_DONE, true);
	out8(n, ISR, ISR_DMA_DONE);
}

/* @to has room for @len octets and one more. */
static void
read_ring(const struct ne2k *n, uint16_t at, uint8_t *to, size_t len)
{
	const size_t to_end = (size_t)(RING_END << 8) - at;

	if (len <= to_end) {
		read_memory(n, at, to, len);
		return;
	}
	read_memory(n, at, to, to_end);
	read_memory(n, RING << 8, to + to_end, len - to_end);
}

/* The page that the card writes next. */
static uint8_t
current(const struct ne2k *n)
{
	uint8_t page;

	out8(n, CR, CR_START | CR_NO_DMA | CR_PAGE1);
	page = in8(n, CURR);
	out8(n, CR, CR_START | CR_NO_DMA);
	return page;
}

/* The card stops at this page: one before the next to be read, since it cannot
 * tell a full ring from an empty one. */
static void
set_boundary(const struct ne2k *n)
{
	out8(n, BNRY, n->next == RING ? RING_END - 1 : n->next - 1);
}

static void
empty_ring(struct ne2k *n)
{
	n->counts.resets++;
	n->next = current(n);
	set_boundary(n);
}

static void
receive(struct ne2k *n)
{
	/* Bounded, since more may come while these are read. */
	for (int i = 0; i < 256 && n->next != current(n); i++) {
		const uint16_t at = (uint16_t)(n->next << 8);
		uint8_t header[4]; /* status, next page, length */
		size_t len;

		read_memory(n, at, header, sizeof(header));
		len = (size_t)(header[2] | header[3] << 8);
		if (header[1] < RING || header[1] >= RING_END || len < 4) {
			empty_ring(n);
			return;
		}
		len -= 4;
		if (!(header[0] & 1) || len < NE2K_FRAME_MIN ||
		    len > NE2K_FRAME_MAX) {
			n->counts.bad++;
		} else {
			n->counts.in++;
			read_ring(n, at + 4, n->frame, len);
			n->receive(n->ctx, n->frame, len);
		}
		n->next = header[1];
		set_boundary(n);
	}
}

static uint8_t
receive_mode(const struct ne2k *n)
{
	return RCR_BROADCAST | RCR_MULTICAST |
	       (n->is_promisc ? RCR_PROMISC : 0);
}

/* The data sheet's way out of a full ring: stop, empty it in loopback, go on. A
 * frame that was being sent goes out again: here none ever is. */
static void
overrun(struct ne2k *n)
{
	n->counts.overruns++;
	out8(n, CR, CR_STOP | CR_NO_DMA);
	wait_for(n, ISR, ISR_RESET, true);
	out8(n, RBCR0, 0);
	out8(n, RBCR1, 0);
	out8(n, TCR, TCR_LOOPBACK);
	out8(n, CR, CR_START | CR_NO_DMA);
	receive(n);
	out8(n, ISR, ISR_OVERRUN);
	out8(n, TCR, 0);
}

bool
ne2k_is_waiting(const struct ne2k *n)
{
	return in8(n, ISR) & ISR_INTERESTING;
}

void
ne2k_interrupt(struct ne2k *n)
{
	uint8_t why;

	n->counts.interrupts++;
	out8(n, IMR, 0);
	for (int i = 0; i < 16; i++) {
		why = in8(n, ISR) & ISR_INTERESTING;
		if (!why)
			break;
		out8(n, ISR, why);
		if (why & ISR_OVERRUN)
			overrun(n);
		else
			receive(n);
	}
}

void
ne2k_enable(struct ne2k *n)
{
	out8(n, IMR, ISR_INTERESTING);
}

void
ne2k_set_promisc(struct ne2k *n, bool on)
{
	n->is_promisc = on;
	out8(n, RCR, receive_mode(n));
}

void
ne2k_send(struct ne2k *n, const uint8_t *frame, size_t len)
{
	uint8_t padded[NE2K_FRAME_MAX + 1];
	const size_t out = len < NE2K_FRAME_MIN ? NE2K_FRAME_MIN : len;

	memset(padded, 0, NE2K_FRAME_MIN);
	memcpy(padded, frame, len);
	/* The one before is still read from the page. */
	wait_for(n, CR, CR_TRANSMIT, false);
	write_memory(n, SEND_PAGE << 8, padded, out);
	out8(n, TPSR, SEND_PAGE);
	out8(n, TBCR0, (uint8_t)out);
	out8(n, TBCR1, (uint8_t)(out >> 8));
	out8(n, CR, CR_START | CR_TRANSMIT | CR_NO_DMA);
	n->counts.out++;
}

bool
ne2k_open(struct ne2k *n, uint16_t base)
{
	uint8_t prom[32];

	memset(n, 0, sizeof(*n));
	n->base = base;
	if (in8(n, CR) == 0xff)
		return false;
	out8(n, RESET, in8(n, RESET));
	wait_for(n, ISR, ISR_RESET, true);
	if (!(in8(n, ISR) & ISR_RESET))
		return false;
	out8(n, ISR, 0xff);
	out8(n, CR, CR_STOP | CR_NO_DMA);
	out8(n, DCR, DCR_WORDS);
	out8(n, IMR, 0);
	out8(n, RCR, RCR_MONITOR);
	out8(n, TCR, TCR_LOOPBACK);
	/* Each octet of the PROM comes in a word. */
	read_memory(n, 0, prom, sizeof(prom));
	for (size_t i = 0; i < 6; i++)
		n->mac[i] = prom[2 * i];
	return prom[28] == 0x57 && prom[30] == 0x57;
}

void
ne2k_start(struct ne2k *n)
{
	out8(n, CR, CR_STOP | CR_NO_DMA);
	out8(n, DCR, DCR_WORDS);
	out8(n, RBCR0, 0);
	out8(n, RBCR1, 0);
	out8(n, RCR, receive_mode(n));
	out8(n, TCR, TCR_LOOPBACK);
	out8(n, PSTART, RING);
	out8(n, PSTOP, RING_END);
	out8(n, BNRY, RING);
	out8(n, ISR, 0xff);
	out8(n, CR, CR_STOP | CR_NO_DMA | CR_PAGE1);
	for (unsigned int i = 0; i < 6; i++)
		out8(n, PAR0 + i, n->mac[i]);
	for (unsigned int i = 0; i < 8; i++)
		out8(n, MAR0 + i, 0xff);
	n->next = RING + 1;
	out8(n, CURR, n->next);
	out8(n, CR, CR_START | CR_NO_DMA);
	out8(n, TCR, 0);
	ne2k_enable(n);
}
