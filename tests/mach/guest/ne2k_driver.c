/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <bare.h>
#include <device/device.h>
#include <device/notify.h>

#include "ne2k.h"
#include "ne2k_driver.h"
#include "nic.h"

struct driver {
	const struct ne2k_driver *config;
	struct ne2k card;
	struct nic nic;
	mach_port_t set;
	mach_port_t irq_device;
	mach_port_t irq;
	unsigned int unlooked; /* messages since the card was looked at */
	bool is_stalled;
	bool has_stalled;
	vnet_nsec stalled_until;
};

static void
send_frame(void *ctx, const uint8_t *frame, size_t len)
{
	struct driver *d = ctx;

	ne2k_send(&d->card, frame, len);
}

static void
receive_frame(void *ctx, const uint8_t *frame, size_t len)
{
	struct driver *d = ctx;

	nic_receive(&d->nic, frame, len);
}

static void
set_promisc(void *ctx, bool on)
{
	struct driver *d = ctx;

	ne2k_set_promisc(&d->card, on);
}

/* The line stays off until the interrupt is acknowledged, and the card's own
 * interrupts until after that. */
static void
take_interrupt(struct driver *d)
{
	ne2k_interrupt(&d->card);
	device_intr_ack(d->irq_device, d->irq, MACH_MSG_TYPE_MAKE_SEND);
	ne2k_enable(&d->card);
}

/*
 * Interrupts may not come: a driver that was killed before it acknowledged one
 * leaves the line off for good, because GNU Mach 1.8 sees that its right is dead
 * only when it delivers another. So the card is looked at now and then.
 */
static void
look_at_card(struct driver *d, bool is_idle)
{
	if (!is_idle && ++d->unlooked < 64)
		return;
	d->unlooked = 0;
	if (ne2k_is_waiting(&d->card)) {
		ne2k_interrupt(&d->card);
		ne2k_enable(&d->card);
	}
}

static void
misbehave(struct driver *d)
{
	const struct ne2k_driver *config = d->config;

	if (config->die_after && d->nic.counts.writes >= config->die_after)
		bare_exit();
	if (config->stall_at && d->nic.counts.writes >= config->stall_at &&
	    !d->has_stalled) {
		d->has_stalled = d->is_stalled = true;
		d->stalled_until =
			bare_now() + config->stall_ms * UINT64_C(1000000);
		mach_port_move_member(mach_task_self(), d->nic.device,
				      MACH_PORT_NULL);
	}
	if (d->is_stalled && config->stall_ms &&
	    bare_now() >= d->stalled_until) {
		d->is_stalled = false;
		mach_port_move_member(mach_task_self(), d->nic.device, d->set);
	}
}

static void
serve(struct driver *d)
{
	static union {
		mach_msg_header_t header;
		uint32_t room[NIC_MSG_SIZE / 4];
	} msg;

	for (;;) {
		mach_msg_return_t err;

		misbehave(d);
		err = mach_msg(&msg.header, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			       sizeof(msg), d->set, 10, MACH_PORT_NULL);
		look_at_card(d, err == MACH_RCV_TIMED_OUT);
		if (err)
			continue;
		if (msg.header.msgh_local_port != d->irq)
			nic_answer(&d->nic, &msg.header);
		else if (msg.header.msgh_id == DEVICE_INTR_NOTIFY)
			take_interrupt(d);
	}
}

static kern_return_t
open_irq(struct driver *d)
{
	const mach_port_t self = mach_task_self();
	kern_return_t err;

	err = mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &d->irq);
	if (err)
		return err;
	mach_port_move_member(self, d->irq, d->set);
	err = device_open(d->config->device_master, 0, "irq", &d->irq_device);
	if (err)
		return err;
	return device_intr_register(d->irq_device, d->config->irq, 0, d->irq,
				    MACH_MSG_TYPE_MAKE_SEND);
}

void
ne2k_driver_run(void *driver)
{
	static struct driver d;
	kern_return_t err;

	d.config = driver;
	err = bare_io_allow(d.config->device_master, d.config->base,
			    d.config->base + NE2K_PORTS - 1);
	if (err) {
		bare_printf("ne2k: no ports: %x\n", err);
		return;
	}
	if (!ne2k_open(&d.card, d.config->base)) {
		bare_printf("ne2k: no card at %x\n", d.config->base);
		return;
	}
	d.card.receive = receive_frame;
	d.card.ctx = &d;
	d.nic = (struct nic){
		.name = d.config->name,
		.send = send_frame,
		.set_promisc = set_promisc,
		.ctx = &d,
		.master = d.config->master,
		.faults.no_promisc = d.config->no_promisc,
		.faults.last_filter = d.config->rumplike,
		.faults.blocks = d.config->rumplike,
	};
	memcpy(d.nic.mac, d.card.mac, sizeof(d.nic.mac));
	mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &d.set);
	nic_open(&d.nic, d.set);
	err = open_irq(&d);
	if (err) {
		bare_printf("ne2k: no interrupt %d: %x\n", d.config->irq, err);
		return;
	}
	ne2k_start(&d.card);
	serve(&d);
}
