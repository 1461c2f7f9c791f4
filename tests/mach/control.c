/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server that is changed while it runs, by a client that holds the control
 * device: a vif that is made, opened, filtered and counted, and an uplink of a
 * driver that starts after the server.
 *
 *	this task --device RPC-- server: vif0, late --- eth0 --device RPC-- NIC
 *	    |                                                                |
 *	    +---------------------------- wire ------------------------------+
 */
#include <string.h>

#include <mach/mach_port.h>

#include <device/device.h>
#include <vnet/client.h>
#include <vnet/mach_control.h>

#include "guest/fake_nic.h"
#include "guest/guest.h"
#include "guest/service.h"

static const struct vif vifs[] = {{.name = "vif0"}};
static struct service service = {
	.vifs = vifs,
	.nvifs = 1,
	.control = "control",
};
static struct fake_nic nic = {
	.name = "eth0",
	.mac = {2, 0, 0, 0, 9, 1},
};
static mach_port_t control;
static uint32_t idle_names; /* the server's, with that one open */
static char answer[32768];
static uint8_t frame[2000], got[2000];

/* Nobody opens that name. */
static void
expect_no_device(const char *name)
{
	dev_name_t padded = "";
	mach_port_t device;

	memcpy(padded, name, strlen(name));
	CHECK_EQ(device_open(service.master, D_READ, padded, &device),
		 D_NO_SUCH_DEVICE);
}

/*
 * Asking
 */

static void
say_inband(const char *text, size_t len)
{
	while (len) {
		mach_msg_type_number_t n = len > 100 ? 100 : len;
		int written = -1;

		CHECK_OK(device_write_inband(control, 0, 0, (char *)text, n,
					     &written));
		CHECK_EQ(written, n);
		text += n;
		len -= n;
	}
}

static void
say_out_of_line(const char *text, size_t len)
{
	vm_address_t at;
	int written = -1;

	CHECK_OK(vm_allocate(mach_task_self(), &at, len, TRUE));
	memcpy((void *)at, text, len);
	CHECK_OK(device_write(control, 0, 0, (char *)at, len, &written));
	CHECK_EQ(written, len);
	CHECK_OK(vm_deallocate(mach_task_self(), at, len));
}

/* Up to the end of a line. It waits. */
static const char *
hear(bool is_inband, int wanted)
{
	size_t len = 0;

	do {
		mach_msg_type_number_t n = IO_INBAND_MAX;
		io_buf_ptr_inband_t piece;
		io_buf_ptr_t data;

		if (is_inband) {
			CHECK_OK(device_read_inband(control, 0, 0, wanted,
						    piece, &n));
			data = piece;
		} else {
			CHECK_OK(device_read(control, 0, 0, wanted, &data, &n));
		}
		CHECK(n >= 1 && n <= (unsigned)wanted &&
		      len + n < sizeof(answer));
		memcpy(answer + len, data, n);
		if (!is_inband)
			CHECK_OK(vm_deallocate(mach_task_self(),
					       (vm_address_t)data, n));
		len += n;
	} while (answer[len - 1] != '\n');
	answer[len - 1] = '\0';
	return answer;
}

static const char *
ask(const char *request)
{
	say_inband(request, strlen(request));
	say_inband("\n", 1);
	return hear(false, 65536);
}

static void
expect(const char *request, const char *expected)
{
	const char *is = ask(request);

	if (strcmp(is, expected) != 0)
		guest_fail("%s: %s", request, is);
}

#define DONE "{\"ok\":true}"

static const char *
find(const char *text, const char *what)
{
	size_t len = strlen(what);

	for (; *text; text++)
		if (!strncmp(text, what, len))
			return text + len;
	return NULL;
}

/* The number behind that text, from the place on where @after is. */
static uint32_t
number(const char *text, const char *after, const char *what)
{
	const char *p = find(text, after);
	uint32_t n = 0;

	if (p)
		p = find(p, what);
	if (!p)
		guest_fail("there is no %s behind %s", what, after);
	for (; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (uint32_t)(*p - '0');
	return n;
}

/*
 * The tests
 */

#define ADD_VIF                                                              \
	"{\"do\":\"port add\",\"port\":{\"type\":\"vif\",\"name\":\"late\"," \
	"\"mac\":\"02:00:00:00:00:02\"}}"

/* Frames of client_frame() to late: of them, those that are longer than 100. */
#define ADD_FILTER                                                       \
	"{\"do\":\"filter add\",\"port\":\"late\",\"filter\":{\"name\":" \
	"\"long\",\"side\":\"out\",\"verdict\":\"drop\",\"insns\":"      \
	"[[128,0,0,0],[37,0,1,100],[6,0,0,65535],[6,0,0,0]]}}"

static uint64_t
counter(mach_port_t vif, dev_flavor_t flavor, uint32_t which)
{
	int status[1024];
	mach_msg_type_number_t n = 1024;

	CHECK_OK(device_get_status(vif, flavor, status, &n));
	CHECK_EQ(status[0], VNET_MACH_COUNTER_DROPS + 4 * VNET_NDROPS);
	CHECK_EQ(n, 1 + 2 * (unsigned)status[0]);
	return vnet_mach_counter(status, n, which);
}

static void
test_a_vif_is_made_opened_filtered_and_counted(void)
{
	const uint32_t dropped =
		VNET_MACH_COUNTER_DROPS + 4 * VNET_DROP_EGRESS_FILTER + 2;
	mach_port_t vif0 = client_open(service.master, "vif0");
	mach_port_t receive = client_receiver(16);
	const char *stats;
	mach_port_t late;

	expect_no_device("late");
	expect(ADD_VIF, DONE);
	late = client_open(service.master, "late");
	client_listen(late, receive, 0, NETF_IN);
	for (uint8_t i = 0; i < 5; i++)
		client_write(vif0, frame,
			     client_frame(frame, 60 + 50 * i, 2, 1, i));
	for (uint8_t i = 0; i < 5; i++)
		CHECK_EQ(client_get(receive, got, sizeof(got), 1000),
			 60 + 50 * i);

	expect(ADD_FILTER, DONE);
	for (uint8_t i = 0; i < 5; i++)
		client_write(vif0, frame,
			     client_frame(frame, 60 + 50 * i, 2, 1, i));
	CHECK_EQ(client_get(receive, got, sizeof(got), 1000), 60);
	CHECK_EQ(client_get(receive, got, sizeof(got), 100), 0);

	/* What control says, what the holder of the vif is told, and what was
	 * sent and received agree. */
	stats = ask("{\"do\":\"stats\",\"port\":\"late\"}");
	CHECK_EQ(number(stats, "\"out\":{", "\"frames\":"), 10);
	CHECK_EQ(number(stats, "\"delivered\":{", "\"frames\":"), 6);
	CHECK_EQ(number(stats, "\"delivered\":{", "\"octets\":"),
		 60 + 110 + 160 + 210 + 260 + 60);
	CHECK_EQ(number(stats, "\"drops\":{", "\"egress_filter\":"), 4);
	CHECK_EQ(number(stats, "\"medium\":{", "\"sent\":"), 6);
	CHECK(find(stats, "\"balanced\":true"));
	CHECK_EQ(counter(late, VNET_MACH_STATUS_VIF,
			 VNET_MACH_COUNTER_OUT_FRAMES),
		 10);
	CHECK_EQ(counter(late, VNET_MACH_STATUS_CLIENT,
			 VNET_MACH_COUNTER_DELIVERED_OCTETS),
		 60 + 110 + 160 + 210 + 260 + 60);
	CHECK_EQ(counter(late, VNET_MACH_STATUS_CLIENT, dropped), 4);
	CHECK_EQ(counter(late, VNET_MACH_STATUS_CLIENT, dropped + 1),
		 110 + 160 + 210 + 260);
	CHECK_EQ(counter(vif0, VNET_MACH_STATUS_VIF, VNET_MACH_COUNTER_WRITES),
		 10);
	stats = ask("{\"do\":\"filter show\",\"port\":\"late\"}");
	CHECK_EQ(number(stats, "\"name\":\"long\"", "\"hits\":"), 4);

	expect("{\"do\":\"port del\",\"port\":\"late\"}", DONE);
	/* A stack that holds it lives on. */
	client_write(late, frame, client_frame(frame, 60, 1, 2, 0));
	expect_no_device("late");
	client_drop(late);
	client_drop(vif0);
	client_drop_receiver(receive);
}

static void
ask_later(void *ctx)
{
	static const char request[] = "{\"do\":\"fdb flush\",\"id\":9}\n";

	(void)ctx;
	bare_sleep_ms(200);
	say_out_of_line(request, strlen(request));
}

/* A read waits for what is asked by another thread. */
static void
test_answers_are_waited_for(void)
{
	mach_msg_type_number_t n = IO_INBAND_MAX;
	io_buf_ptr_inband_t piece;
	struct bare_thread *thread;

	CHECK_EQ(device_read_inband(control, D_NOWAIT, 0, 100, piece, &n),
		 D_WOULD_BLOCK);
	CHECK_OK(bare_thread_create(&thread, 0, ask_later, NULL));
	CHECK(!strcmp(hear(true, 7), "{\"id\":9,\"ok\":true}"));
	bare_thread_join(thread);
}

/* As large as may be, from memory of ours. */
static void
test_large_requests_and_answers_pass(void)
{
	static char request[65536];
	const char *port;
	uint32_t rows = 0;

	memset(request, ' ', sizeof(request));
	memcpy(request, ADD_VIF, strlen(ADD_VIF));
	request[sizeof(request) - 1] = '\n';
	say_out_of_line(request, sizeof(request));
	CHECK(!strcmp(hear(false, 65536), DONE));
	for (int i = 0; i < 40; i++) {
		char add[200];

		bare_snprintf(add, sizeof(add),
			      "{\"do\":\"filter add\",\"port\":\"late\","
			      "\"filter\":{\"name\":\"f%d\",\"side\":\"in\","
			      "\"verdict\":\"pass\"}}",
			      i);
		expect(add, DONE);
	}
	for (port = ask("{\"do\":\"filter show\"}");
	     (port = find(port, "\"hits\":")); port++)
		rows++;
	/* And a default for each chain of two ports. */
	CHECK_EQ(rows, 40 + 4);
	expect("{\"do\":\"port del\",\"port\":\"late\"}", DONE);
}

/* As <vnet/mach_control.h> has it. */
struct control_message {
	mach_msg_header_t head;
	mach_msg_type_t right_type;
	mach_port_t right;
	mach_msg_type_t text_type;
	char text[VNET_MACH_CONTROL_MAX];
	uint32_t room[16];
};

static const mach_msg_type_t char_type = {
	.msgt_name = MACH_MSG_TYPE_CHAR,
	.msgt_size = 8,
	.msgt_inline = TRUE,
};

/* With a copy of a send right; returns the answer. */
static const char *
ask_with(mach_port_t right, const char *request)
{
	struct reply {
		mach_msg_header_t head;
		mach_msg_type_t code_type;
		kern_return_t code;
		mach_msg_type_t text_type;
		char text[VNET_MACH_CONTROL_MAX];
		uint32_t room[16];
	};
	static union {
		struct control_message in;
		struct reply out;
	} m;
	mach_port_t reply = client_receiver(5);
	size_t len = strlen(request);

	memset(&m, 0, sizeof(m));
	m.in.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
					     MACH_MSG_TYPE_MAKE_SEND_ONCE) |
			      MACH_MSGH_BITS_COMPLEX;
	m.in.head.msgh_remote_port = control;
	m.in.head.msgh_local_port = reply;
	m.in.head.msgh_id = VNET_MACH_CONTROL_ID;
	m.in.right_type = (mach_msg_type_t){
		.msgt_name = MACH_MSG_TYPE_COPY_SEND,
		.msgt_size = 32,
		.msgt_number = 1,
		.msgt_inline = TRUE,
	};
	m.in.right = right;
	m.in.text_type = char_type;
	m.in.text_type.msgt_number = len;
	memcpy(m.in.text, request, len);
	m.in.head.msgh_size =
		(offsetof(struct control_message, text) + len + 3) & ~3u;
	CHECK_OK(mach_msg(&m.in.head, MACH_SEND_MSG | MACH_RCV_MSG,
			  m.in.head.msgh_size, sizeof(m), reply, 0,
			  MACH_PORT_NULL));
	client_drop_receiver(reply);
	CHECK_EQ(m.out.head.msgh_id, VNET_MACH_CONTROL_REPLY_ID);
	CHECK_OK(m.out.code);
	len = m.out.text_type.msgt_number;
	CHECK(len >= 1 && len < sizeof(answer));
	CHECK_EQ(m.out.head.msgh_size,
		 (offsetof(struct reply, text) + len + 3) & ~3u);
	CHECK_EQ(m.out.text[len - 1], '\n');
	memcpy(answer, m.out.text, len - 1);
	answer[len - 1] = '\0';
	return answer;
}

static void
expect_state(const char *state)
{
	const char *shown = "";

	for (int i = 0; i < 100; i++) {
		shown = ask("{\"do\":\"port show\",\"port\":\"ext\"}");
		if (!strncmp(find(shown, "\"state\":\""), state, strlen(state)))
			return;
		bare_sleep_ms(50);
	}
	guest_fail("it is not %s: %s", state, shown);
}

#define ADD_UPLINK                                            \
	"{\"do\":\"port add\",\"port\":{\"type\":\"uplink\"," \
	"\"name\":\"ext\",\"interface\":\"eth0\"}}"

static void
expect_frames(mach_port_t wire, mach_port_t vif0, mach_port_t receive)
{
	size_t len = client_frame(frame, 100, 0xff, 1, 7);

	while (fake_nic_take(wire, got, sizeof(got), 10) >= 0)
		;
	client_write(vif0, frame, len);
	CHECK_EQ(fake_nic_take(wire, got, sizeof(got), 1000), len);
	CHECK(!memcmp(got, frame, len));
	len = client_frame(frame, 200, 0xff, 9, 8);
	CHECK_OK(fake_nic_inject(nic.task.control, frame, len));
	CHECK_EQ(client_get(receive, got, sizeof(got), 1000), len);
	CHECK(!memcmp(got, frame, len));
}

/* The driver starts when the server is there already. */
static void
test_an_uplink_is_attached_while_it_runs(void)
{
	mach_port_t vif0 = client_open(service.master, "vif0");
	mach_port_t receive = client_receiver(16);
	mach_port_t wire = client_receiver(16);
	uint32_t names;

	client_listen(vif0, receive, 0, NETF_IN);
	expect(ADD_UPLINK, "{\"ok\":false,\"error\":\"an uplink needs a send "
			   "right to its device, or to what opens it: it comes "
			   "in a message with the request\"}");
	names = service_names(&service);
	/* Its own rights it is not to open. */
	CHECK(find(ask_with(service.master, ADD_UPLINK),
		   "an uplink needs a send right"));
	CHECK(find(ask_with(vif0, ADD_UPLINK), "an uplink needs a send right"));
	CHECK_EQ(service_names(&service), names);

	CHECK_OK(nic_task_init(&nic.task));
	CHECK_OK(fake_nic_start(&nic));
	CHECK_OK(fake_nic_listen(nic.task.control, wire));
	CHECK(!strcmp(ask_with(nic.task.master, ADD_UPLINK), DONE));
	expect_state("up");
	CHECK(find(ask("{\"do\":\"port show\",\"port\":\"ext\"}"),
		   "\"mac\":\"02:00:00:00:09:01\",\"mtu\":1500,\"up\":true"));
	expect_frames(wire, vif0, receive);
	CHECK_EQ(number(ask("{\"do\":\"stats\",\"port\":\"ext\"}"),
			"\"medium\":{", "\"written\":"),
		 1);

	/* Another right to the same device: it is opened again. */
	CHECK(!strcmp(ask_with(nic.task.master,
			       "{\"do\":\"uplink give\",\"port\":\"ext\"}"),
		      DONE));
	expect_state("up");
	CHECK_EQ(number(ask("{\"do\":\"stats\",\"port\":\"ext\"}"),
			"\"medium\":{", "\"opens\":"),
		 2);
	expect_frames(wire, vif0, receive);
	nic_task_kill(&nic.task);
	expect_state("waiting");
	expect("{\"do\":\"port del\",\"port\":\"ext\"}", DONE);
	nic_task_fini(&nic.task);
	CHECK_EQ(service_names(&service), names);
	client_drop(vif0);
	client_drop_receiver(wire);
	client_drop_receiver(receive);
}

/* Who holds control and dies leaves nothing, whatever was under way. */
static void
die(void *ctx)
{
	static const char stats[] = "{\"do\":\"stats\"}\n{\"do\":";

	(void)ctx;
	control = client_open(service.master, "control");
	for (int i = 0; i < 50; i++)
		say_inband(stats, strlen(stats));
	say_out_of_line(stats, strlen(stats));
	bare_exit();
}

static void
test_who_controls_and_dies_leaves_nothing(void)
{
	mach_port_t task;

	for (int i = 0; i < 20; i++) {
		CHECK_OK(bare_task_fork(&task, die, NULL));
		CHECK_OK(bare_task_give(task, service.master));
		CHECK_OK(bare_task_start(task));
		bare_task_join(task);
	}
	service_expect_names(&service, idle_names);
}

int
main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	service_start(&service);
	control = client_open(service.master, "control");
	/* Whatever is made at first use is there: threads. */
	say_out_of_line("\n", 1);
	expect("{\"do\":\"fdb flush\"}", DONE);
	idle_names = service_settle(&service);
	test_a_vif_is_made_opened_filtered_and_counted();
	service_expect_names(&service, idle_names);
	test_answers_are_waited_for();
	test_large_requests_and_answers_pass();
	test_an_uplink_is_attached_while_it_runs();
	service_expect_names(&service, idle_names);
	test_who_controls_and_dies_leaves_nothing();
	service_check(&service);
	CHECK_OK(device_close(control));
	client_drop(control);
	service_expect_names(&service, idle_names - 1);
	guest_pass();
}
