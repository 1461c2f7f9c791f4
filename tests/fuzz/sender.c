/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <vnet/malloc.h>

#include "must.h"
#include "sender.h"

#define LEN_MIN 60
#define LEN_MAX 1514

/* Where the number is. */
#define NUMBER_AT 14

struct vnet_switch *
sender_begin(struct sender *s)
{
	const struct vnet_alloc alloc = vnet_malloc();
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
		.max_ports = 2,
		.fdb_entries = 64,
		.pool_octets = 1 << 20,
		.queue_octets = 65536,
	};
	const struct vnet_port_config port = {
		.size = sizeof(port),
		.name = "program",
	};
	vnet_port_id id;

	MUST(vnet_switch_create(&s->sw, &config, NULL) == 0);
	MUST(vnet_port_add(s->sw, &port, &id, NULL) == 0);
	MUST(vnet_inproc_open(&s->program, s->sw, id, 0, 0) == 0);
	return s->sw;
}

void
sender_sends(struct sender *s, struct tape *t)
{
	static uint8_t octets[LEN_MAX];
	struct vnet_frame f = {
		.data = octets,
		.len = LEN_MIN + tape_argument(t, LEN_MAX - LEN_MIN),
	};
	uint32_t n = 1 + tape_argument(t, 300);

	memset(octets, 0xff, 6);
	octets[6] = 2;
	for (; n; n--) {
		memcpy(octets + NUMBER_AT, &s->sent, sizeof(s->sent));
		s->sent++;
		vnet_switch_input(s->sw, s->program.id, &f, 1, 0);
	}
}

void
sender_heard(struct sender *s, const uint8_t *frame, size_t len)
{
	uint32_t number;

	MUST(len >= LEN_MIN && len <= LEN_MAX);
	memcpy(&number, frame + NUMBER_AT, sizeof(number));
	MUST(number >= s->next && number < s->sent);
	s->next = number + 1;
}
