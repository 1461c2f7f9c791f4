/* SPDX-License-Identifier: BSD-2-Clause */
#include "support.h"

static void *
get(void *ctx, size_t size, size_t align)
{
	struct test_alloc *a = ctx;
	void *p;

	if (++a->calls == a->fail_at)
		return NULL;
	p = aligned_alloc(align, (size + align - 1) / align * align);
	if (!p)
		return NULL;
	memset(p, 0xa5, size);
	a->used += size;
	a->blocks++;
	if (a->used > a->peak)
		a->peak = a->used;
	return p;
}

static void
put(void *ctx, void *p, size_t size)
{
	struct test_alloc *a = ctx;

	assert_non_null(p);
	assert_true(size <= a->used);
	a->used -= size;
	a->blocks--;
	free(p);
}

void
test_alloc_init(struct test_alloc *a)
{
	*a = (struct test_alloc){
		.alloc = {.get = get, .put = put, .ctx = a},
	};
}

/* xorshift64* (Vigna, 2016). */
uint32_t
test_random(struct test_random *r)
{
	uint64_t x = r->state ? r->state : 1;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	r->state = x;
	return (uint32_t)((x * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

uint32_t
test_random_below(struct test_random *r, uint32_t n)
{
	return (uint32_t)((uint64_t)test_random(r) * n >> 32);
}

int
test_trial_tear_down(void **state)
{
	const struct test_trial *trial = *state;

	if (!trial->is_done)
		print_error("seed %u, step %d\n", (unsigned int)trial->seed,
			    trial->step);
	free(*state);
	return 0;
}

/* FNV-1a, 64 bits. */
uint64_t
test_hash(uint64_t hash, const void *p, size_t len)
{
	const uint8_t *octet = p;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ octet[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t
hash_number(uint64_t hash, uint32_t n)
{
	const uint8_t octets[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16),
				   (uint8_t)(n >> 8), (uint8_t)n};

	return test_hash(hash, octets, sizeof(octets));
}

uint64_t
test_hash_frame(uint64_t hash, const struct vnet_frame *f)
{
	hash = hash_number(hash, f->len);
	hash = hash_number(hash, (uint32_t)f->flags << 16 | f->gso_type << 8 |
					 f->ntags);
	hash = hash_number(hash,
			   (uint32_t)f->csum_start << 16 | f->csum_offset);
	hash = hash_number(hash, (uint32_t)f->gso_size << 16 | f->hdr_len);
	hash = hash_number(hash, f->nsegs);
	for (int i = 0; i < f->ntags; i++)
		hash = hash_number(hash, (uint32_t)f->tag[i].tpid << 16 |
						 f->tag[i].tci);
	return test_hash(hash, f->data, f->len);
}

static int
fake_send(void *ctx, const struct vnet_frame *frames, size_t n, size_t *refused)
{
	struct fake *fake = ctx;
	size_t k = n;

	fake->nsends++;
	assert_true(n > 0);
	if (fake->on_send)
		fake->on_send(fake, frames, n);
	if (fake->error)
		return fake->error;
	if (fake->room != FAKE_ENDLESS && (size_t)fake->room < k)
		k = (size_t)fake->room;
	if (fake->room != FAKE_ENDLESS)
		fake->room -= (long)k;
	for (size_t i = 0; i < k; i++) {
		const struct vnet_frame *f = &frames[i];

		assert_true(f->len <= sizeof(fake->data));
		assert_true(f->nsegs >= 1);
		assert_true(f->depth >= 1);
		assert_int_equal(f->reserved32, 0);
		assert_true(!f->reserved64[0] && !f->reserved64[1] &&
			    !f->reserved64[2]);
		if (fake->on_take)
			fake->on_take(fake, f);
		fake->stream = test_hash_frame(fake->stream, f);
		fake->octets += f->len + 4u * f->ntags;
		fake->last = *f;
		memcpy(fake->data, f->data, f->len);
		fake->last.data = fake->data;
	}
	fake->nsent += k;
	*refused = fake->refuse < k ? fake->refuse : k;
	return (int)k;
}

static void
fake_close(void *ctx)
{
	struct fake *fake = ctx;

	fake->nclosed++;
}

int
fake_attach(struct fake *fake, struct vnet_switch *sw, vnet_port_id port,
	    uint32_t carries, uint32_t queue_octets)
{
	const struct vnet_client_config config = {
		.size = sizeof(config),
		.ops = &fake->ops,
		.ctx = fake,
		.queue_octets = queue_octets,
	};

	memset(fake, 0, sizeof(*fake));
	fake->sw = sw;
	fake->port = port;
	fake->room = FAKE_ENDLESS;
	fake->stream = TEST_HASH_INIT;
	fake->ops = (struct vnet_driver_ops){
		.size = sizeof(fake->ops),
		.carries = carries,
		.send = fake_send,
		.close = fake_close,
	};
	return vnet_client_add(sw, port, &config, &fake->id, NULL);
}

int
fake_open(struct fake *fake, struct vnet_switch *sw, const char *name,
	  enum vnet_role role, uint32_t carries)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
		.role = role,
	};
	vnet_port_id port;
	int r = vnet_port_add(sw, &config, &port, NULL);

	if (r)
		return r;
	r = fake_attach(fake, sw, port, carries, 0);
	if (r)
		vnet_port_remove(sw, port);
	return r;
}

vnet_port_id
test_port(struct vnet_switch *sw, const char *name)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
	};
	vnet_port_id port;

	assert_int_equal(vnet_port_add(sw, &config, &port, NULL), 0);
	return port;
}

vnet_port_id
test_taken_port(struct vnet_switch *sw)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = "taken",
		.role = VNET_ROLE_UPLINK,
	};
	vnet_client_id id;
	vnet_port_id port;

	assert_int_equal(vnet_port_add(sw, &config, &port, NULL), 0);
	assert_int_equal(vnet_null_open(sw, port, &id), 0);
	return port;
}

struct vnet_switch *
test_switch_of(struct test_alloc *a, const struct vnet_switch_config *config)
{
	struct vnet_switch_config c = *config;
	struct vnet_switch *sw = NULL;

	test_alloc_init(a);
	c.size = sizeof(c);
	c.alloc = &a->alloc;
	assert_int_equal(vnet_switch_create(&sw, &c, NULL), 0);
	return sw;
}

struct vnet_switch *
test_switch(struct test_alloc *a, uint32_t max_ports)
{
	return test_switch_of(a, &(struct vnet_switch_config){
					 .seed = 1,
					 .max_ports = max_ports,
				 });
}

void
test_switch_end(struct vnet_switch *sw, const struct test_alloc *a)
{
	assert_conserved(sw);
	vnet_switch_destroy(sw);
	assert_int_equal(a->blocks, 0);
	assert_int_equal(a->used, 0);
}

struct vnet_mac
test_mac(unsigned int number)
{
	if (number == TEST_BROADCAST)
		return (struct vnet_mac){{255, 255, 255, 255, 255, 255}};
	return (struct vnet_mac){{0x02, 0, (uint8_t)(number >> 24),
				  (uint8_t)(number >> 16),
				  (uint8_t)(number >> 8), (uint8_t)number}};
}

struct vnet_frame
test_frame(unsigned int dst, unsigned int src, size_t len)
{
	static uint8_t octets[256][2048];
	static unsigned int next;
	uint8_t *p = octets[next++ % 256];
	struct vnet_mac mac;

	if (!len)
		len = 60;
	assert_true(len <= sizeof(octets[0]));
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i + 7 * src + 13 * dst);
	mac = test_mac(dst);
	memcpy(p, mac.octet, len < 6 ? len : 6);
	mac = test_mac(src);
	if (len >= 12)
		memcpy(p + 6, mac.octet, 6);
	if (len >= 14)
		memcpy(p + 12, "\x88\xb5", 2);
	return (struct vnet_frame){.data = p, .len = (uint32_t)len};
}

void
test_send(const struct fake *from, unsigned int dst, unsigned int src,
	  vnet_nsec now)
{
	struct vnet_frame f = test_frame(dst, src, 0);

	vnet_switch_input(from->sw, from->id, &f, 1, now);
}

struct vnet_client_stats
test_stats(const struct fake *fake)
{
	struct vnet_client_stats s = {.size = sizeof(s)};

	assert_int_equal(vnet_client_get_stats(fake->sw, fake->id, &s), 0);
	return s;
}

struct vnet_switch_stats
test_switch_stats(const struct vnet_switch *sw)
{
	struct vnet_switch_stats s = {.size = sizeof(s)};

	assert_int_equal(vnet_switch_get_stats(sw, &s), 0);
	return s;
}

bool
test_has_link(const struct vnet_switch *sw, vnet_port_id port)
{
	struct vnet_port_info info = {.size = sizeof(info)};

	assert_int_equal(vnet_port_get(sw, port, &info), 0);
	return info.link;
}

uint64_t
test_in_drops(const struct fake *fake, enum vnet_drop reason)
{
	struct vnet_count in;

	assert_int_equal(
		vnet_client_drops(fake->sw, fake->id, reason, &in, NULL), 0);
	return in.frames;
}

uint64_t
test_out_drops(const struct fake *fake, enum vnet_drop reason)
{
	struct vnet_count out;

	assert_int_equal(
		vnet_client_drops(fake->sw, fake->id, reason, NULL, &out), 0);
	return out.frames;
}

void
assert_conserved(const struct vnet_switch *sw)
{
	struct vnet_why why = {0};

	if (!vnet_switch_check(sw, &why))
		fail_msg("%s at slot %zu: %llu, %llu", why.text, why.index,
			 (unsigned long long)why.found,
			 (unsigned long long)why.bound);
}
