/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network device of fake_mach's outside, and who opens it. It answers as the
 * kernel's own driver does, and where it is told to as others do, or as nobody
 * should.
 */
#ifndef VNET_FAKE_NIC_H
#define VNET_FAKE_NIC_H

#include <device/device_types.h>
#include <device/net_status.h>

#include "fake_mach.h"

#define NIC_WRITES 64

/* Ids of requests. */
enum {
	NIC_OPEN = 2800,
	NIC_CLOSE = 2801,
	NIC_WRITE = 2802,
	NIC_SET_STATUS = 2810,
	NIC_GET_STATUS = 2811,
	NIC_SET_FILTER = 2812,
};

/* What it does to a request of an id. */
enum nic_manner {
	NIC_ANSWERS = 0,
	NIC_SILENT,   /* keeps it */
	NIC_DROPS,    /* destroys it, and so the right to reply to */
	NIC_WRONG_ID, /* answers with another id */
	NIC_GARBAGE,  /* answers what is no answer */
	NIC_ASKS,     /* answers with a right to reply to */
};

/**
 * struct nic
 * @master, @device: the ports
 * @refused:	errors, by id less 2800, that it answers with
 * @manner:	likewise
 * @status:	NET_STATUS
 * @flags:	NET_FLAGS
 * @fixed_flags: of these, what does not change when it is set
 * @has_no_address, @has_no_flags: NET_ADDRESS is refused, NET_FLAGS cannot be
 *		read
 * @opens_itself: device_open gives this port and not @device
 * @listener:	where frames go, by the last set_filter
 * @log:	what was asked, in order: ids, and of get_status and set_status the
 *		flavour behind it
 * @writes, @nwrites: that were not answered yet, in order
 * @keeps_writes: they wait for nic_answer_writes()
 * @frame, @frame_len: the last one written
 * @nframes:	written in all
 */
struct nic {
	struct fake_port *master;
	struct fake_port *device;
	int refused[16];
	enum nic_manner manner[16];
	int status[NET_STATUS_COUNT];
	uint8_t mac[6];
	uint32_t flags;
	uint32_t fixed_flags;
	bool has_no_address;
	bool has_no_flags;
	struct fake_port *opens_itself;
	struct fake_port *listener;
	uint32_t listener_qlimit;
	uint16_t filter[16];
	uint32_t filter_words;
	char name[128];
	uint32_t mode;
	uint32_t log[1024];
	uint32_t nlog;
	struct fake_msg *kept;
	struct fake_msg *writes[NIC_WRITES];
	uint32_t nwrites;
	bool keeps_writes;
	uint8_t frame[8192];
	size_t frame_len;
	uint32_t write_mode;
	unsigned long nframes;
};

/* Make its ports; the flags are those of a NIC that nobody uses. */
void nic_init(struct nic *n);

/* Answer what has been asked. How many requests there were. */
unsigned int nic_run(struct nic *n);

/* The driver dies, and comes back under the same master. */
void nic_die(struct nic *n);
void nic_revive(struct nic *n);

/* Answer writes that it has kept, the oldest first, with @error. */
void nic_answer_writes(struct nic *n, uint32_t count, int error);

/* Destroy the oldest one that it has kept. */
void nic_drop_write(struct nic *n);

/* Answer the request that it has kept. */
void nic_answer_kept(struct nic *n);

/* Send a frame to its listener. False if there is none, or no room. */
bool nic_frame(struct nic *n, const uint8_t *frame, uint32_t len);

#endif
