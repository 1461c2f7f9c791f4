/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake NIC answers as the kernel's own network device was seen to, call by
 * call: what is tested against it is tested against that.
 */
#include <string.h>

#include <device/device.h>
#include <device/net_status.h>

#include "guest/fake_nic.h"
#include "guest/guest.h"
#include "guest/if_flags.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};

static struct fake_nic fake;
static mach_port_t device;
static uint8_t frame[NIC_FRAME_MAX + 1];

/* What arrived at a right. */
static struct {
	struct net_rcv_msg msg;
	uint32_t room[16];
} got;

static void
make_frame(void)
{
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 5 + 1);
	frame[12] = 0x08;
	frame[13] = 0x00;
}

static mach_port_t
make_right(void)
{
	return mach_reply_port();
}

static void
destroy_right(mach_port_t right)
{
	CHECK_OK(mach_port_mod_refs(mach_task_self(), right,
				    MACH_PORT_RIGHT_RECEIVE, -1));
}

static kern_return_t
open_mode(dev_mode_t mode, const char *name, mach_port_t *right)
{
	dev_name_t padded = "";

	for (size_t i = 0; name[i]; i++)
		padded[i] = name[i];
	return device_open(fake.task.master, mode, padded, right);
}

static kern_return_t
set_filter(mach_port_t right, int priority, const filter_t *words, unsigned n)
{
	return device_set_filter(device, right, MACH_MSG_TYPE_MAKE_SEND,
				 priority, (filter_t *)words, n);
}

static kern_return_t
take_all(mach_port_t right, unsigned directions, int priority)
{
	const filter_t all[] = {(filter_t)directions};

	return set_filter(right, priority, all, 1);
}

/* How many messages wait at a right; the last of them stays in @got. */
static unsigned int
drain(mach_port_t right)
{
	unsigned int n = 0;

	/* What was injected before has been delivered when this is answered. */
	struct nic_counts counts;
	int flags;

	CHECK_OK(fake_nic_counts(fake.task.control, &counts, &flags));
	while (!mach_msg(&got.msg.msg_hdr, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			 sizeof(got), right, 0, MACH_PORT_NULL))
		n++;
	return n;
}

static struct nic_counts
counts(void)
{
	struct nic_counts c;
	int flags;

	CHECK_OK(fake_nic_counts(fake.task.control, &c, &flags));
	return c;
}

static void
inject(size_t len)
{
	CHECK_OK(fake_nic_inject(fake.task.control, frame, len));
}

static kern_return_t
write_len(size_t len)
{
	int written = -1;
	kern_return_t err;

	err = device_write(device, D_NOWAIT, 0, (io_buf_ptr_t)frame,
			   (mach_msg_type_number_t)len, &written);
	if (!err)
		CHECK_EQ(written, len);
	return err;
}

static void
check_open(void)
{
	mach_port_t right;

	for (dev_mode_t mode = 0; mode <= 3; mode++) {
		CHECK_OK(open_mode(mode, "eth0", &right));
		CHECK(!device || right == device);
		if (device)
			mach_port_deallocate(mach_task_self(), right);
		device = right;
	}
	CHECK_EQ(open_mode(3, "eth1", &right), D_NO_SUCH_DEVICE);
	CHECK_EQ(open_mode(3, "eth", &right), D_NO_SUCH_DEVICE);
	CHECK_EQ(open_mode(3, "", &right), D_NO_SUCH_DEVICE);
	CHECK_OK(device_close(device));
	CHECK_OK(write_len(60));
}

static kern_return_t
get(dev_flavor_t flavor, mach_msg_type_number_t count, int *status,
    mach_msg_type_number_t *n)
{
	*n = count;
	return device_get_status(device, flavor, status, n);
}

static void
check_status(void)
{
	static const int expected[] = {14, 1514, 1, 14, 6, 0x41, 0};
	int status[16];
	mach_msg_type_number_t n;

	CHECK_EQ(get(NET_STATUS, 6, status, &n), D_INVALID_OPERATION);
	for (mach_msg_type_number_t count = 7; count < 16; count++) {
		CHECK_OK(get(NET_STATUS, count, status, &n));
		CHECK_EQ(n, 7);
		CHECK(memcmp(status, expected, sizeof(expected)) == 0);
	}
	CHECK_EQ(get(NET_ADDRESS, 1, status, &n), D_INVALID_OPERATION);
	CHECK_OK(get(NET_ADDRESS, 5, status, &n));
	CHECK_EQ(n, 2);
	CHECK_EQ((unsigned int)status[0], 0x02112233);
	CHECK_EQ((unsigned int)status[1], 0x44550000);
	CHECK_EQ(get(NET_FLAGS, 2, status, &n), D_INVALID_SIZE);
	CHECK_EQ(get(NET_DSTADDR, 8, status, &n), D_INVALID_OPERATION);
	CHECK_EQ(device_set_status(device, NET_ADDRESS, status, 2),
		 D_INVALID_OPERATION);
	CHECK_EQ(device_set_status(device, NET_FLAGS, status, 0),
		 D_INVALID_SIZE);
	CHECK_EQ(device_set_status(device, NET_FLAGS, status, 2),
		 D_INVALID_SIZE);
}

static int
flags_after(int flags)
{
	mach_msg_type_number_t n;

	CHECK_OK(device_set_status(device, NET_FLAGS, &flags, 1));
	CHECK_OK(get(NET_FLAGS, 1, &flags, &n));
	return flags;
}

/* Of the NIC, and absolute: who opened it last clears what another had set. */
static void
check_flags(void)
{
	CHECK_EQ(flags_after(PFINET_FLAGS | IFF_PROMISC),
		 PFINET_FLAGS | IFF_PROMISC);
	CHECK_EQ(flags_after(PFINET_FLAGS), PFINET_FLAGS);
	CHECK_EQ(flags_after(0), IFF_RUNNING);
	CHECK_OK(write_len(60));
	CHECK_EQ(flags_after(IFF_UP | IFF_RUNNING), IFF_UP | IFF_RUNNING);
}

static void
check_refused(void)
{
	io_buf_ptr_inband_t data;
	mach_msg_type_number_t n = sizeof(data);
	mach_port_t pager;
	int written;

	CHECK_EQ(write_len(0), D_INVALID_SIZE);
	CHECK_EQ(write_len(1515), D_INVALID_SIZE);
	CHECK_EQ(device_write_inband(device, 0, 0, data, 60, &written),
		 D_INVALID_OPERATION);
	CHECK_EQ(device_read_inband(device, 0, 0, 60, data, &n),
		 D_INVALID_OPERATION);
	CHECK_EQ(device_map(device, 1, 0, 4096, &pager, 0),
		 D_INVALID_OPERATION);
	CHECK_EQ(counts().deadly, 0);
	/* The kernel's would have panicked. */
	CHECK_EQ(write_len(1), D_INVALID_SIZE);
	CHECK_EQ(device_set_filter(device, MACH_PORT_NULL,
				   MACH_MSG_TYPE_COPY_SEND, 0,
				   (filter_t[]){NETF_IN}, 1),
		 D_INVALID_OPERATION);
	CHECK_EQ(counts().deadly, 2);
}

/* All lengths that there are go to the wire as they are. */
static void
check_wire(void)
{
	static uint8_t taken[NIC_FRAME_MAX];
	const mach_port_t wire = make_right();

	CHECK_OK(fake_nic_listen(fake.task.control, wire));
	for (size_t len = 14; len <= NIC_FRAME_MAX; len += 25) {
		CHECK_OK(write_len(len));
		CHECK_EQ(fake_nic_take(wire, taken, sizeof(taken), 1000), len);
		CHECK(memcmp(taken, frame, len) == 0);
	}
	CHECK_EQ(fake_nic_take(wire, taken, sizeof(taken), 0), -1);
	destroy_right(wire);
	CHECK_OK(write_len(60));
	CHECK_EQ(counts().wire_lost, 1);
}

static void
check_bad_filters(mach_port_t right)
{
	static const struct {
		filter_t words[12];
		unsigned int n;
	} bad[] = {
		{{0}, 0},
		{{0}, 1},
		{{NETF_IN, NETF_PUSHLIT}, 2},
		{{NETF_IN | NETF_BPF}, 1},
		{{NETF_IN | NETF_BPF, 0, 0, 0}, 4},
		{{NETF_IN | NETF_BPF, 0, 0, 0, 6, 0, 1}, 7},
		{{NETF_IN | NETF_BPF, 0, 0, 0, 0xff, 0, 0, 0}, 8},
		{{NETF_IN | NETF_BPF, 0, 0, 0, 0, 0, 0, 0}, 8},
		{{NETF_IN | NETF_BPF, 0, 0, 0, 5, 0, 1, 0, 6, 0, 1, 0}, 12},
	};
	static filter_t long_one[129] = {NETF_IN};

	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK_EQ(set_filter(right, 0, bad[i].words, bad[i].n),
			 D_INVALID_OPERATION);
	CHECK_EQ(set_filter(right, 0, long_one, 129), -307);
}

/* A refused filter leaves the one before. */
static void
check_filters(void)
{
	static const filter_t none[] = {
		NETF_IN | NETF_BPF, 0, 0, 0, 6, 0, 0, 0};
	static const filter_t under[] = {NETF_IN, NETF_EQ, NETF_EQ};
	const mach_port_t right = make_right();

	CHECK_OK(take_all(right, NETF_IN, 0));
	inject(60);
	CHECK_EQ(drain(right), 1);
	check_bad_filters(right);
	inject(60);
	CHECK_EQ(drain(right), 1);
	CHECK_OK(set_filter(right, 0, under, COUNT(under)));
	inject(60);
	CHECK_EQ(drain(right), 0);
	CHECK_OK(set_filter(right, 0, none, COUNT(none)));
	inject(60);
	CHECK_EQ(drain(right), 0);
	/* Not those of the other direction. */
	CHECK_OK(take_all(right, NETF_IN, 0));
	CHECK_OK(take_all(right, NETF_OUT, 0));
	inject(60);
	CHECK_EQ(drain(right), 1);
	CHECK_OK(write_len(60));
	CHECK_EQ(drain(right), 1);
	/* Once, where it is replaced. */
	CHECK_OK(take_all(right, NETF_IN | NETF_OUT, 0));
	inject(60);
	CHECK_OK(write_len(60));
	CHECK_EQ(drain(right), 2);
	destroy_right(right);
	inject(60);
	CHECK_OK(write_len(60));
	CHECK_EQ(counts().dead, 2);
	inject(60);
	CHECK_EQ(counts().dead, 2);
}

static void
check_priorities(void)
{
	const mach_port_t first = make_right();
	const mach_port_t second = make_right();
	const mach_port_t third = make_right();

	CHECK_OK(take_all(first, NETF_IN, 0));
	CHECK_OK(take_all(second, NETF_IN, 99));
	CHECK_OK(take_all(third, NETF_IN, 1));
	inject(60);
	CHECK_EQ(drain(first), 1);
	CHECK_EQ(drain(second), 1);
	CHECK_EQ(drain(third), 1);
	CHECK_OK(take_all(second, NETF_IN, 100)); /* the last to be set */
	CHECK_OK(take_all(third, NETF_IN, 1));    /* after it */
	inject(60);
	CHECK_EQ(drain(first), 1);
	CHECK_EQ(drain(second), 1);
	CHECK_EQ(drain(third), 0);
	destroy_right(first);
	destroy_right(second);
	destroy_right(third);
}

/* The message, and what RET leaves of it. */
static void
check_message(void)
{
	static const filter_t ret20[] = {
		NETF_IN | NETF_BPF, 0, 0, 0, 6, 0, 20, 0};
	const mach_port_t right = make_right();
	struct packet_header header;

	CHECK_OK(take_all(right, NETF_IN, 0));
	for (size_t len = 14; len <= 70; len++) {
		inject(len);
		CHECK_EQ(drain(right), 1);
		CHECK_EQ(got.msg.msg_hdr.msgh_id, 2999);
		CHECK_EQ(got.msg.msg_hdr.msgh_remote_port, MACH_PORT_NULL);
		CHECK_EQ(got.msg.msg_hdr.msgh_size,
			 (101 + len - 14 + 4) & ~(size_t)3);
		CHECK_EQ(got.msg.header_type.msgt_number, 64);
		CHECK_EQ(got.msg.packet_type.msgt_number, len - 14 + 4);
		CHECK(memcmp(got.msg.header, frame, 14) == 0);
		for (size_t i = 14; i < 64; i++)
			CHECK_EQ(got.msg.header[i], 0);
		memcpy(&header, got.msg.packet, 4);
		CHECK_EQ(header.length, len - 14 + 4);
		CHECK(memcmp(&header.type, frame + 12, 2) == 0);
		CHECK(memcmp(got.msg.packet + 4, frame + 14, len - 14) == 0);
	}
	CHECK_OK(set_filter(right, 0, ret20, COUNT(ret20)));
	inject(1514);
	CHECK_EQ(drain(right), 1);
	CHECK_EQ(got.msg.packet_type.msgt_number, 24);
	memcpy(&header, got.msg.packet, 4);
	CHECK_EQ(header.length, 1504);
	destroy_right(right);
}

static void
check_queue(void)
{
	const mach_port_t right = make_right();
	const unsigned int full = counts().full;

	CHECK_OK(take_all(right, NETF_IN, 0));
	for (int i = 0; i < 40; i++)
		inject(60);
	CHECK_EQ(drain(right), 5);
	CHECK_EQ(counts().full - full, 35);
	CHECK_OK(mach_port_set_qlimit(mach_task_self(), right, 16));
	for (int i = 0; i < 40; i++)
		inject(60);
	CHECK_EQ(drain(right), 16);
	inject(60);
	CHECK_EQ(drain(right), 1);
	destroy_right(right);
}

static void
fault(enum fake_nic_fault what, int arg)
{
	CHECK_OK(fake_nic_fault(fake.task.control, what, arg));
}

static void
check_faults_of_answers(void)
{
	int status[7], written;
	mach_msg_type_number_t n;

	fault(FAKE_NIC_WRITE_ERROR, D_NO_MEMORY);
	CHECK_EQ(write_len(60), D_NO_MEMORY);
	fault(FAKE_NIC_WELL, 0);
	CHECK_OK(write_len(60));
	fault(FAKE_NIC_SHORT_WRITE, 0);
	CHECK_OK(device_write(device, 0, 0, (io_buf_ptr_t)frame, 60, &written));
	CHECK_EQ(written, 30);
	fault(FAKE_NIC_SHORT_STATUS, 0);
	CHECK_OK(get(NET_STATUS, 7, status, &n));
	CHECK_EQ(n, 6);
	fault(FAKE_NIC_WELL, 0);
	fault(FAKE_NIC_NO_PROMISC, 0);
	CHECK_EQ(flags_after(PFINET_FLAGS | IFF_PROMISC), PFINET_FLAGS);
	fault(FAKE_NIC_WELL, 0);
	CHECK_EQ(flags_after(PFINET_FLAGS | IFF_PROMISC),
		 PFINET_FLAGS | IFF_PROMISC);
	fault(FAKE_NIC_CLEAR_FLAGS, PFINET_FLAGS);
	CHECK_OK(get(NET_FLAGS, 1, status, &n));
	CHECK_EQ(status[0], PFINET_FLAGS);
}

/* Send a write and do not wait for the answer. */
static mach_msg_return_t
write_later(mach_port_t reply)
{
	struct {
		mach_msg_header_t header;
		mach_msg_type_t mode_type;
		int mode;
		mach_msg_type_t recnum_type;
		int recnum;
		mach_msg_type_long_t data_type;
		const void *data;
	} m = {
		.header = {.msgh_bits =
				   MACH_MSGH_BITS_COMPLEX |
				   MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
						  MACH_MSG_TYPE_MAKE_SEND_ONCE),
			   .msgh_size = sizeof(m),
			   .msgh_remote_port = device,
			   .msgh_local_port = reply,
			   .msgh_id = 2802},
		.mode_type = {MACH_MSG_TYPE_INTEGER_32, 32, 1, TRUE, FALSE,
			      FALSE, 0},
		.recnum_type = {MACH_MSG_TYPE_INTEGER_32, 32, 1, TRUE, FALSE,
				FALSE, 0},
		.data_type = {{.msgt_longform = TRUE},
			      MACH_MSG_TYPE_BYTE,
			      8,
			      60},
		.data = frame,
	};
	mach_msg_return_t err;

	err = mach_msg(&m.header, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof(m),
		       0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
	if (err == MACH_SEND_TIMED_OUT) {
		/* All of it was given back. */
		mach_port_deallocate(mach_task_self(),
				     m.header.msgh_remote_port);
		mach_port_deallocate(mach_task_self(),
				     m.header.msgh_local_port);
		vm_deallocate(mach_task_self(), (vm_address_t)m.data, 60);
	}
	return err;
}

/* A right for a reply that is given back unused leaves a notification. */
static unsigned int
count_replies(mach_port_t right)
{
	unsigned int n = 0;

	while (!mach_msg(&got.msg.msg_hdr, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			 sizeof(got), right, 100, MACH_PORT_NULL))
		n += got.msg.msg_hdr.msgh_id == 2902;
	return n;
}

/* The queue of the device is full after five, and it goes on where it was. */
static void
check_stall(void)
{
	const mach_port_t reply = make_right();
	unsigned int sent = 0;

	fault(FAKE_NIC_STALL, 0);
	while (sent < 100 && !write_later(reply))
		sent++;
	CHECK_EQ(sent, 5);
	CHECK_EQ(count_replies(reply), 0);
	fault(FAKE_NIC_WELL, 0);
	CHECK_EQ(count_replies(reply), 5);
	destroy_right(reply);
}

static void
check_mute(void)
{
	const mach_port_t reply = make_right();
	const unsigned int writes = counts().writes;

	fault(FAKE_NIC_MUTE, 0);
	for (int i = 0; i < 20; i++) {
		CHECK_OK(write_later(reply));
		CHECK_EQ(count_replies(reply), 0);
	}
	fault(FAKE_NIC_WELL, 0);
	CHECK_EQ(counts().writes, writes);
	destroy_right(reply);
}

static void
check_last_filter(void)
{
	const mach_port_t first = make_right();
	const mach_port_t last = make_right();

	fault(FAKE_NIC_LAST_FILTER, 0);
	CHECK_OK(take_all(first, NETF_IN, 0));
	CHECK_OK(take_all(last, NETF_IN, 0));
	inject(60);
	CHECK_EQ(drain(first), 0);
	CHECK_EQ(drain(last), 1);
	fault(FAKE_NIC_WELL, 0);
	destroy_right(first);
	destroy_right(last);
}

/* It waits for the one who does not look, and nothing is lost. */
static void
check_blocks(void)
{
	const mach_port_t right = make_right();
	unsigned int n = 0;

	fault(FAKE_NIC_BLOCKS, 0);
	CHECK_OK(take_all(right, NETF_IN, 0));
	for (int i = 0; i < 8; i++)
		inject(60);
	bare_sleep_ms(50);
	while (!mach_msg(&got.msg.msg_hdr, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			 sizeof(got), right, 100, MACH_PORT_NULL))
		n++;
	CHECK_EQ(n, 8);
	fault(FAKE_NIC_WELL, 0);
	destroy_right(right);
}

/* It dies, with an answer outstanding; another comes on the same master. */
static void
check_death(void)
{
	const uint32_t before = guest_count_names(mach_task_self());

	fault(FAKE_NIC_DIE_AFTER, 2);
	CHECK_OK(write_len(60));
	CHECK_OK(write_len(60));
	CHECK(nic_task_wait(&fake.task, 5000));
	CHECK_EQ(write_len(60), MACH_SEND_INVALID_DEST);
	CHECK_OK(mach_port_deallocate(mach_task_self(), device));
	device = MACH_PORT_NULL;
	CHECK_OK(fake_nic_start(&fake));
	check_open();
	CHECK_EQ(fake_nic_fault(fake.task.control, FAKE_NIC_DIE, 0),
		 MACH_SEND_INVALID_DEST);
	CHECK(nic_task_wait(&fake.task, 5000));
	CHECK_OK(mach_port_deallocate(mach_task_self(), device));
	device = MACH_PORT_NULL;
	CHECK_OK(fake_nic_start(&fake));
	check_open();
	CHECK_EQ(guest_count_names(mach_task_self()), before);
}

/* The program, as a boot module. */
static void
check_module(void)
{
	const mach_port_t master = guest_lookup("net1");
	const mach_port_t control = guest_lookup("net1 control");
	struct nic_counts c;
	int flags;

	CHECK_OK(device_open(master, 3, (char[128]){"net1"}, &device));
	CHECK_OK(write_len(60));
	CHECK_OK(fake_nic_counts(control, &c, &flags));
	CHECK_EQ(c.writes, 1);
	mach_port_deallocate(mach_task_self(), device);
	mach_port_deallocate(mach_task_self(), master);
	mach_port_deallocate(mach_task_self(), control);
	device = MACH_PORT_NULL;
}

int
main(int argc, char **argv)
{
	const uint32_t before = guest_count_names(mach_task_self());

	(void)argc;
	(void)argv;
	make_frame();
	check_module();
	CHECK_OK(nic_task_init(&fake.task));
	fake.name = "eth0";
	memcpy(fake.mac, mac, sizeof(mac));
	CHECK_OK(fake_nic_start(&fake));
	check_open();
	check_status();
	check_flags();
	check_refused();
	check_wire();
	check_filters();
	check_priorities();
	check_message();
	check_queue();
	check_faults_of_answers();
	check_stall();
	check_mute();
	check_last_filter();
	check_blocks();
	check_death();
	mach_port_deallocate(mach_task_self(), device);
	nic_task_fini(&fake.task);
	CHECK_EQ(guest_count_names(mach_task_self()), before);
	guest_pass();
}
