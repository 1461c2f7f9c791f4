/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the switch have in common: an allocator that counts and can
 * fail, a driver that does what it is told and remembers what it was sent,
 * frames, and the conservation check that every test ends with.
 */
#ifndef VNET_TEST_SUPPORT_H
#define VNET_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vnet/libvnet.h>

#define SECONDS(n) ((n)*VNET_NSEC_PER_SEC)

/**
 * struct test_alloc - an allocator that counts
 * @alloc:	what a switch is given
 * @used:	octets out now
 * @peak:	the most that ever were
 * @blocks:	pieces out now
 * @calls:	how often it was asked
 * @fail_at:	the call (counted from 1) that it answers with NULL; 0 for none
 *
 * What it hands out is filled with rubbish: it is not zeroed.
 */
struct test_alloc {
	struct vnet_alloc alloc;
	size_t used;
	size_t peak;
	size_t blocks;
	unsigned long calls;
	unsigned long fail_at;
};

void test_alloc_init(struct test_alloc *a);

/* Numbers that are the same on every machine. */
struct test_random {
	uint64_t state;
};

uint32_t test_random(struct test_random *r);                   /* 32 bits */
uint32_t test_random_below(struct test_random *r, uint32_t n); /* 0 to n-1 */

/**
 * struct test_trial - random steps, from one seed after another
 * @random:	what decides them
 * @seed:	the seed it is at
 * @step:	the step of that
 * @is_done:	all went well
 */
struct test_trial {
	struct test_random random;
	uint64_t seed;
	int step;
	bool is_done;
};

/* A teardown, for a state of which a trial is the first member: says where it
 * failed, and frees it. */
int test_trial_tear_down(void **state);

/* A hash of octets that is the same on every machine. */
uint64_t test_hash(uint64_t hash, const void *p, size_t len);
#define TEST_HASH_INIT UINT64_C(0xcbf29ce484222325)

/* Of a frame's octets and fields. */
uint64_t test_hash_frame(uint64_t hash, const struct vnet_frame *f);

/**
 * struct fake - a client whose driver does what the test tells it
 * @sw:		the switch, @port and @id: where it is
 * @room:	frames that its medium still takes; FAKE_ENDLESS for any number
 * @refuse:	of the frames it takes in one send, how many it refuses
 * @error:	-errno: broken
 * @on_send:	called from inside send, if not NULL
 * @on_take:	called from inside send for each frame taken, if not NULL
 * @nsends:	calls of send
 * @nsent:	frames taken
 * @octets:	octets of these, tags included
 * @stream:	hash over the octets and fields of all frames taken, in order,
 *		whatever the grouping
 * @last:	the last frame taken; its data points to @data
 * @nclosed:	calls of close
 */
struct fake {
	struct vnet_switch *sw;
	vnet_port_id port;
	vnet_client_id id;
	struct vnet_driver_ops ops;
	long room;
	size_t refuse;
	int error;
	void (*on_send)(struct fake *fake, const struct vnet_frame *frames,
			size_t n);
	void (*on_take)(struct fake *fake, const struct vnet_frame *f);
	void *ctx; /* of both */
	unsigned long nsends;
	unsigned long nsent;
	uint64_t octets;
	uint64_t stream;
	struct vnet_frame last;
	uint8_t data[70000];
	unsigned int nclosed;
};

#define FAKE_ENDLESS (-1L)

/* Add a port of that name and role, and a fake client that takes everything and
 * carries @carries. 0 or -errno. */
int fake_open(struct fake *fake, struct vnet_switch *sw, const char *name,
	      enum vnet_role role, uint32_t carries);

/* The same for a port that is there. @queue_octets may be 0. */
int fake_attach(struct fake *fake, struct vnet_switch *sw, vnet_port_id port,
		uint32_t carries, uint32_t queue_octets);

/* Add a virtual interface of that name, which has no client. */
vnet_port_id test_port(struct vnet_switch *sw, const char *name);

/* Add an uplink that has a client, and so no room for another one. */
vnet_port_id test_taken_port(struct vnet_switch *sw);

/* A switch with the defaults, but @max_ports, from @a. Fails the test if it
 * cannot be had. */
struct vnet_switch *test_switch(struct test_alloc *a, uint32_t max_ports);

/* A switch of @config, of which size and allocator are filled in. */
struct vnet_switch *test_switch_of(struct test_alloc *a,
				   const struct vnet_switch_config *config);

/* Destroy it after assert_conserved(), and see that all memory came back. */
void test_switch_end(struct vnet_switch *sw, const struct test_alloc *a);

/* The address 02:00 and then the four octets of @number. */
struct vnet_mac test_mac(unsigned int number);
#define TEST_BROADCAST 0xffffffffu

/*
 * A frame from address @src to address @dst (numbers as above, TEST_BROADCAST
 * for all), @len octets long (60 where it is 0), in static memory that the next
 * 256 calls leave alone. What follows the header depends on the arguments.
 */
struct vnet_frame test_frame(unsigned int dst, unsigned int src, size_t len);

/* Send such a frame in the name of @from, at @now. */
void test_send(const struct fake *from, unsigned int dst, unsigned int src,
	       vnet_nsec now);

/* What is counted of a client, and of a switch. */
struct vnet_client_stats test_stats(const struct fake *fake);
struct vnet_switch_stats test_switch_stats(const struct vnet_switch *sw);

/* Is the link of that port up? */
bool test_has_link(const struct vnet_switch *sw, vnet_port_id port);

/* The frames of a client dropped for @reason, on either way. */
uint64_t test_in_drops(const struct fake *fake, enum vnet_drop reason);
uint64_t test_out_drops(const struct fake *fake, enum vnet_drop reason);

void assert_conserved(const struct vnet_switch *sw);

#endif
