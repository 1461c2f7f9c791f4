/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two and four clients, on one vif and on several: each has filters in both
 * languages and in both directions, and hears by each what it is to hear, once,
 * and nothing else.
 *
 *	this task: up to 4 clients of 6 filters --device RPC-- server: vifs
 */
#include <string.h>

#include <device/bpf.h>
#include <device/device.h>
#include <mach/mach_port.h>

#include "guest/guest.h"
#include "guest/service.h"

#define CLIENTS 4
#define RIGHTS  6

/* Frames of experiments, IEEE 802. The third nobody wants. */
static const uint16_t types[] = {0x88b5, 0x88b6, 0x88b7};
#define TYPES 3

enum vif_number { ONE, OWN, QUIET, V0, V1, V2, V3, VIFS };

static const struct vif vifs[VIFS] = {
	[ONE] = {.name = "one"},
	[OWN] = {.name = "own", .port_flags = VNET_PORT_PER_CLIENT},
	[QUIET] = {.name = "quiet", .port_flags = VNET_PORT_NO_SIBLINGS},
	[V0] = {.name = "v0"},
	[V1] = {.name = "v1"},
	[V2] = {.name = "v2"},
	[V3] = {.name = "v3"},
};

static struct service service = {.vifs = vifs, .nvifs = VIFS};

/* A receive right, and what is to arrive there. */
static const struct listener {
	bool is_bpf;
	uint16_t directions;
} listeners[RIGHTS] = {
	{true, NETF_IN},  {true, NETF_OUT},  {true, NETF_IN | NETF_OUT},
	{false, NETF_IN}, {false, NETF_OUT}, {false, NETF_IN | NETF_OUT},
};

struct client {
	enum vif_number vif;
	mach_port_t device;
	uint8_t mac[6];
	mach_port_t rights[RIGHTS];
};

static struct client clients[CLIENTS];
static size_t nclients;
static uint32_t sequence;
static uint8_t frame[1514], got[1514];
static uint32_t nheard;

/*
 * Filters
 */

/* Which type a client's filter of either language passes: neighbours differ. */
static uint16_t
wanted(size_t client, bool is_bpf)
{
	return types[(client & 1) ^ is_bpf];
}

static kern_return_t
listen_bpf(const struct client *c, mach_port_t right, uint16_t directions,
	   uint16_t type)
{
	/* Each instruction: code, jt and jf, k low and high. */
	filter_t words[] = {
		NETF_BPF | directions,     0,          0,    0,
		BPF_LD | BPF_H | BPF_ABS,  0,          12,   0,
		BPF_JMP | BPF_JEQ | BPF_K, 0 | 1 << 8, type, 0,
		BPF_RET | BPF_K,           0,          1500, 0,
		BPF_RET | BPF_K,           0,          0,    0,
	};

	return device_set_filter(c->device, right, MACH_MSG_TYPE_MAKE_SEND, 0,
				 words, sizeof(words) / sizeof(words[0]));
}

static kern_return_t
listen_stack(const struct client *c, mach_port_t right, uint16_t directions,
	     uint16_t type)
{
	/* The type is the second word of what is in the place of the header,
	 * as it is in the frame. */
	const uint16_t swapped = (uint16_t)(type << 8 | type >> 8);
	filter_t words[] = {
		directions,
		NETF_PUSHWORD + 1,
		NETF_PUSHLIT | NETF_EQ,
		swapped,
	};

	return device_set_filter(c->device, right, MACH_MSG_TYPE_MAKE_SEND, 0,
				 words, sizeof(words) / sizeof(words[0]));
}

static void
add_client(enum vif_number vif)
{
	const size_t number = nclients++;
	struct client *c = &clients[number];
	mach_msg_type_number_t n = 2;
	int address[2];

	c->vif = vif;
	c->device = client_open(service.master, vifs[vif].name);
	CHECK_OK(device_get_status(c->device, NET_ADDRESS, address, &n));
	for (size_t i = 0; i < 6; i++)
		c->mac[i] =
			(uint8_t)((uint32_t)address[i / 4] >> (24 - i % 4 * 8));
	for (size_t i = 0; i < RIGHTS; i++) {
		const struct listener *l = &listeners[i];
		const uint16_t type = wanted(number, l->is_bpf);

		c->rights[i] = client_receiver(MACH_PORT_QLIMIT_MAX);
		CHECK_OK((l->is_bpf ? listen_bpf : listen_stack)(
			c, c->rights[i], l->directions, type));
	}
}

/* The receive rights go first; then some close the device, some let go of it. */
static void
remove_clients(void)
{
	const mach_port_t self = mach_task_self();

	for (size_t i = 0; i < nclients; i++) {
		for (size_t j = 0; j < RIGHTS; j++)
			CHECK_OK(mach_port_mod_refs(self, clients[i].rights[j],
						    MACH_PORT_RIGHT_RECEIVE,
						    -1));
		if (i & 1)
			CHECK_OK(device_close(clients[i].device));
		CHECK_OK(mach_port_deallocate(self, clients[i].device));
	}
	nclients = 0;
}

/*
 * Who hears what
 */

static bool
is_in(const struct client *from, const struct client *c)
{
	if (c == from)
		return false;
	if (c->vif == from->vif &&
	    vifs[c->vif].port_flags & VNET_PORT_NO_SIBLINGS)
		return false;
	return frame[0] & 1 || !memcmp(frame, c->mac, 6);
}

static bool
is_heard(const struct client *from, size_t number, const struct listener *l,
	 uint16_t type)
{
	const struct client *c = &clients[number];

	if (type != wanted(number, l->is_bpf))
		return false;
	if (l->directions & NETF_OUT && c->vif == from->vif)
		return true;
	return l->directions & NETF_IN && is_in(from, c);
}

static size_t
make_frame(const struct client *from, const uint8_t *dst, uint16_t type)
{
	const size_t len = 18 + sequence * 37 % (sizeof(frame) - 18);

	memcpy(frame, dst, 6);
	memcpy(frame + 6, from->mac, 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	memcpy(frame + 14, &sequence, sizeof(sequence));
	for (size_t i = 18; i < len; i++)
		frame[i] = (uint8_t)(sequence + i);
	sequence++;
	return len;
}

/* One that arrives where it should not is found here by the next that should. */
static void
expect(const struct client *from, size_t len, uint16_t type)
{
	for (size_t i = 0; i < nclients; i++)
		for (size_t j = 0; j < RIGHTS; j++) {
			if (!is_heard(from, i, &listeners[j], type))
				continue;
			nheard++;
			if (client_get(clients[i].rights[j], got, sizeof(got),
				       2000) == len &&
			    !memcmp(got, frame, len))
				continue;
			guest_fail("frame %u of client %u, type %x, to %x..%x:"
				   " client %u of %s has another, or none, at "
				   "right %u",
				   sequence - 1, (unsigned int)(from - clients),
				   type, frame[0], frame[5], (unsigned int)i,
				   vifs[clients[i].vif].name, (unsigned int)j);
		}
}

static void
expect_silence(void)
{
	for (size_t i = 0; i < nclients; i++)
		for (size_t j = 0; j < RIGHTS; j++)
			CHECK_EQ(client_get(clients[i].rights[j], got,
					    sizeof(got), i || j ? 0 : 50),
				 0);
}

static void
write_to(const struct client *from, const uint8_t *dst)
{
	for (size_t t = 0; t < TYPES; t++) {
		const size_t len = make_frame(from, dst, types[t]);

		client_write(from->device, frame, len);
		expect(from, len, types[t]);
	}
}

/* Everybody writes to everybody, to all, to a group, and to nobody. */
static void
try(const char *name, size_t n, const enum vif_number *of)
{
	static const uint8_t others[][6] = {
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01},
		{0x02, 0x00, 0x00, 0x00, 0x00, 0x63},
	};

	nheard = 0;
	for (size_t i = 0; i < n; i++)
		add_client(of[i]);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < sizeof(others) / 6; j++)
			write_to(&clients[i], others[j]);
		for (size_t j = 0; j < n; j++)
			write_to(&clients[i], clients[j].mac);
	}
	expect_silence();
	bare_printf("%s: %u heard\n", name, nheard);
	remove_clients();
}

#define TRY(...)                                                     \
	do {                                                         \
		static const enum vif_number of[] = {__VA_ARGS__};   \
                                                                     \
		try(#__VA_ARGS__, sizeof(of) / sizeof(of[0]), of);   \
		service_expect_names(&service, names);               \
		service_check(&service);                             \
		CHECK_EQ(guest_count_names(mach_task_self()), mine); \
	} while (0)

int
main(int argc, char **argv)
{
	static const enum vif_number pair[] = {ONE, V0};
	uint32_t names, mine;

	(void)argc;
	(void)argv;
	service_start(&service);
	/* Whatever is made at first use is there after this. */
	try("first", 2, pair);
	names = service_settle(&service);
	mine = guest_count_names(mach_task_self());

	TRY(ONE, ONE);
	TRY(OWN, OWN);
	TRY(QUIET, QUIET);
	TRY(V0, V1);
	TRY(ONE, ONE, ONE, ONE);
	TRY(OWN, OWN, OWN, OWN);
	TRY(QUIET, QUIET, QUIET, QUIET);
	TRY(V0, V1, V2, V3);
	TRY(ONE, ONE, V0, V0);
	TRY(ONE, OWN, ONE, OWN);
	TRY(QUIET, OWN, QUIET, ONE);
	TRY(OWN, V0, V1, OWN);
	guest_pass();
}
