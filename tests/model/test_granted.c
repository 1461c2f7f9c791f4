/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random grants on the clients of a switch, changed, divided and revoked while
 * frames go through it. What a frame comes to is known beforehand, from the
 * naive model of guard.h and from a list of who has used which address: it gets
 * to those that it may get to, and to nobody else.
 *
 * VNET_GUARD_FRAMES says how many frames are tried, if not the number below.
 */
#include <errno.h>

#include "packet.h"

#include "eth.h"
#include "guard_model.h"
#include "made_grants.h"
#include "offload.h"

#define NFRAMES 200000

/* Frames through one switch. */
#define PER_SWITCH 2000

/* The last has an uplink, the others have vifs: one each, but for two pairs.
 * The last two have never a grant, and send what they like. */
#define NCLIENTS   10
#define NGRANTED   8
#define NGRANTS    16
#define NADDRESSES 4096
#define NPERMITS   4096

struct test;

/* A grant as we know it. */
struct node {
	bool is_there;
	vnet_grant_id id;
	struct node *parent;
	struct grants_made made;
	uint32_t max_addresses;
	unsigned long refused; /* source addresses */
};

struct station {
	struct fake fake;
	struct test *test;
	struct vnet_mac own;
	struct node *node; /* its grant */
	bool is_revoked;
	/* What it may still be sent, by hash. */
	uint64_t permit[NPERMITS];
	size_t npermits;
};

/* Who has an address. */
struct address {
	uint8_t mac[6];
	struct station *at;
};

struct test {
	struct test_trial trial;
	struct tape tape;
	struct test_alloc alloc;
	struct vnet_switch *sw;
	vnet_nsec now;
	struct station station[NCLIENTS];
	struct node node[NGRANTS];
	struct address address[NADDRESSES];
	size_t naddresses;
	uint8_t octets[GRANTS_FRAME_MAX];
	unsigned long frames;
	unsigned long passed;
	unsigned long refused;
	unsigned long delivered;
	unsigned long to_granted;
	unsigned long ended;      /* frames of clients whose grant has */
	unsigned long addresses;  /* frames from too many, or another's */
	unsigned long segments;   /* frames of too small ones */
	unsigned long unknown;    /* to one that a prefix does not use */
	unsigned long divided;    /* grants made below others */
	unsigned long not_within; /* that were refused */
	unsigned long revoked;
	unsigned long changed;
};

static uint32_t
below(struct test *t, uint32_t n)
{
	return tape_argument(&t->tape, n);
}

/*
 * What is known
 */

static struct address *
find_address(struct test *t, const uint8_t *mac)
{
	for (size_t i = 0; i < t->naddresses; i++)
		if (!memcmp(t->address[i].mac, mac, 6))
			return &t->address[i];
	return NULL;
}

static struct station *
who_has(struct test *t, const uint8_t *mac)
{
	struct address *a = find_address(t, mac);

	return a ? a->at : NULL;
}

/* Are these beside each other on one vif? */
static bool
are_siblings(const struct station *a, const struct station *b)
{
	return a != b && a->fake.port == b->fake.port;
}

/* Do they have that address between them, being one or not? */
static bool
have_both(const struct station *a, const struct station *b, const uint8_t *mac)
{
	return a == b || (are_siblings(a, b) && !memcmp(a->own.octet, mac, 6));
}

static void
learn(struct test *t, const uint8_t *mac, struct station *at)
{
	struct address *a = find_address(t, mac);

	if (a && have_both(a->at, at, mac))
		return;
	if (!a) {
		assert_true(t->naddresses < NADDRESSES);
		a = &t->address[t->naddresses++];
		memcpy(a->mac, mac, 6);
	}
	a->at = at;
}

static void
forget(struct test *t, const struct station *at)
{
	size_t n = 0;

	for (size_t i = 0; i < t->naddresses; i++)
		if (t->address[i].at != at)
			t->address[n++] = t->address[i];
	t->naddresses = n;
}

/* Likewise; but the address that it has had for its vif goes to a sibling, if
 * that may send from it. */
static void
forget_changed(struct test *t, struct station *at)
{
	const bool has_own = who_has(t, at->own.octet) == at;

	forget(t, at);
	for (int i = 0; has_own && i < NCLIENTS; i++) {
		struct station *s = &t->station[i];

		if (are_siblings(s, at) && !s->is_revoked && !s->node)
			learn(t, at->own.octet, s);
	}
}

static uint32_t
count_used(struct test *t, const struct node *node)
{
	uint32_t n = 0;

	for (size_t i = 0; i < t->naddresses; i++)
		n += t->address[i].at->node == node;
	return n;
}

/* What grants right below it have of its addresses. */
static uint32_t
count_given(const struct test *t, const struct node *node)
{
	uint32_t n = 0;

	for (int i = 0; i < NGRANTS; i++)
		if (t->node[i].is_there && t->node[i].parent == node)
			n += t->node[i].max_addresses;
	return n;
}

static bool
names(const struct node *node, const uint8_t *mac)
{
	const struct vnet_grant *g = &node->made.grant;

	for (size_t i = 0; i < g->nmacs; i++)
		if (g->macs[i].bits == 48 &&
		    !memcmp(g->macs[i].mac.octet, mac, 6))
			return true;
	return false;
}

/* Does any grant? */
static bool
is_named(const struct test *t, const uint8_t *mac)
{
	for (int i = 0; i < NGRANTS; i++)
		if (t->node[i].is_there && names(&t->node[i], mac))
			return true;
	return false;
}

/* What a grant has by itself from now on, nobody has by a prefix. */
static void
forget_named(struct test *t, const struct node *node)
{
	size_t n = 0;

	for (size_t i = 0; i < t->naddresses; i++) {
		const struct address *a = &t->address[i];

		if (!a->at->node || !names(node, a->mac) ||
		    names(a->at->node, a->mac))
			t->address[n++] = *a;
	}
	t->naddresses = n;
}

static bool
has_ended(const struct test *t, const struct node *node)
{
	const vnet_nsec until = node->made.grant.until;

	return until && t->now >= until;
}

static bool
is_up(const struct test *t, const struct station *s)
{
	return !s->is_revoked && !(s->node && has_ended(t, s->node));
}

/* May @s use that address, which its guard lets pass? */
static bool
may_use(struct test *t, struct station *s, const uint8_t *mac)
{
	const struct station *has = who_has(t, mac);
	const uint32_t n = count_used(t, s->node) + count_given(t, s->node);

	if (has == s)
		return true;
	if (names(s->node, mac))
		return (has &&
			(has->node == s->node || have_both(has, s, mac))) ||
		       n < s->node->max_addresses;
	if (is_named(t, mac))
		return false;
	if (has && have_both(has, s, mac))
		return true;
	if (has || n >= s->node->max_addresses)
		return false;
	for (int i = 0; i < NCLIENTS; i++)
		if (!memcmp(t->station[i].own.octet, mac, 6) &&
		    !have_both(&t->station[i], s, mac))
			return false;
	return true;
}

/* What one grant lets pass, those above it let pass. */
static void
assert_within_parents(const struct node *node, enum vnet_side side,
		      const struct vnet_frame *f)
{
	for (; node; node = node->parent)
		assert_int_equal(model_guard(&node->made.grant, side, f),
				 VNET_GRANT_PASS);
}

static bool
may_send(struct test *t, struct station *s, const struct vnet_frame *f)
{
	if (!is_up(t, s)) {
		t->ended++;
		return false;
	}
	if (!s->node)
		return true;
	if (f->gso_type && f->gso_size < VNET_GRANT_MIN_SEGMENT) {
		t->segments++;
		return false;
	}
	if (model_guard(&s->node->made.grant, VNET_INGRESS, f) !=
	    VNET_GRANT_PASS)
		return false;
	if (!may_use(t, s, f->data + 6)) {
		t->addresses++;
		s->node->refused++;
		return false;
	}
	assert_within_parents(s->node, VNET_INGRESS, f);
	return true;
}

static bool
may_receive(struct test *t, struct station *s, const struct vnet_frame *f)
{
	const struct station *has;

	if (!is_up(t, s))
		return false;
	if (!s->node)
		return true;
	if (model_guard(&s->node->made.grant, VNET_EGRESS, f) !=
	    VNET_GRANT_PASS)
		return false;
	has = f->data[0] & 1 ? s : who_has(t, f->data);
	if (!names(s->node, f->data) && !(has && have_both(has, s, f->data))) {
		t->unknown++;
		return false;
	}
	assert_within_parents(s->node, VNET_EGRESS, f);
	return true;
}

/* Is it a frame that a switch forwards at all? */
static bool
is_proper(const struct vnet_frame *f)
{
	struct vnet_offload o;

	if (f->len < VNET_ETH_HEADER_LEN || f->ntags > VNET_MAX_TAGS)
		return false;
	for (int i = 0; i < f->ntags; i++)
		if (f->tag[i].tpid != 0x8100 && f->tag[i].tpid != 0x88a8)
			return false;
	if ((f->data[6] & 1) || !memcmp(f->data + 6, "\0\0\0\0\0", 6))
		return false;
	if (!memcmp(f->data, "\x01\x80\xc2\0\0", 5) && f->data[5] < 16)
		return false;
	return !(f->flags || f->gso_type) || vnet_offload_check(f, &o);
}

/*
 * What is delivered
 */

static uint64_t
hash(const struct vnet_frame *f)
{
	uint64_t h = test_hash(TEST_HASH_INIT, f->data, f->len);

	for (int i = 0; i < f->ntags; i++)
		h = test_hash(h, &f->tag[i], sizeof(f->tag[i]));
	return h;
}

static void
permit(struct station *s, const struct vnet_frame *f)
{
	assert_true(s->npermits < NPERMITS);
	s->permit[s->npermits++] = hash(f);
}

static void
show(const struct station *s, const struct vnet_frame *f)
{
	print_error("to %d, %s:\n", (int)(s - s->test->station),
		    s->node ? "granted" : "not granted");
	for (int i = 0; i < f->ntags; i++)
		print_error("tag %04x %04x\n", f->tag[i].tpid, f->tag[i].tci);
	for (uint32_t i = 0; i < f->len; i++)
		print_error("%02x%s", f->data[i], i % 16 == 15 ? "\n" : " ");
	print_error("\n");
}

/* It was one that it may be sent, and is so once. */
static void
take(struct fake *fake, const struct vnet_frame *f)
{
	struct station *s = fake->ctx;
	const uint64_t h = hash(f);
	size_t i = 0;

	while (i < s->npermits && s->permit[i] != h)
		i++;
	if (i == s->npermits)
		show(s, f);
	assert_true(i < s->npermits);
	s->permit[i] = s->permit[--s->npermits];
	s->test->delivered++;
	s->test->to_granted += s->node != NULL;
}

/* All that waits is sent; what is not was dropped. Where a grant has ended
 * nothing is, but who gets another one in time gets it yet. */
static void
drain(struct test *t, struct station *s)
{
	const long room = s->fake.room;

	s->fake.room = FAKE_ENDLESS;
	assert_true(vnet_client_output(t->sw, s->fake.id, SIZE_MAX, t->now) >=
		    0);
	s->fake.room = room;
	if (is_up(t, s))
		s->npermits = 0;
}

/* Its queue is gone. */
static void
purge(struct test *t, struct station *s)
{
	s->npermits = 0;
	forget_changed(t, s);
}

static uint64_t
count_refused(const struct station *s)
{
	return test_in_drops(&s->fake, VNET_DROP_NOT_GRANTED) +
	       test_in_drops(&s->fake, VNET_DROP_UNDECIDED) +
	       test_in_drops(&s->fake, VNET_DROP_REVOKED);
}

/* Is @s one that a frame from @from to somebody known (NULL for nobody, or for
 * a group) is for? */
static bool
is_for(const struct station *s, const struct station *from,
       const struct station *known, const struct vnet_frame *f)
{
	const bool is_group = f->data[0] & 1;

	if (s == from)
		return false;
	if (are_siblings(s, from))
		return is_group ? !vnet_eth_is_dad_probe(f)
				: known == s ||
					  !memcmp(s->own.octet, f->data, 6);
	if (known)
		return !are_siblings(known, from) && known != from &&
		       have_both(known, s, f->data);
	/* To its own vif. */
	if (!is_group && memcmp(f->data, "\0\0\0\0\0", 6) != 0)
		return memcmp(from->own.octet, f->data, 6) != 0;
	return true;
}

static void
permit_all(struct test *t, struct station *from, const struct vnet_frame *f)
{
	struct station *known = f->data[0] & 1 ? NULL : who_has(t, f->data);

	for (int i = 0; i < NCLIENTS; i++) {
		struct station *s = &t->station[i];

		if (is_for(s, from, known, f) && may_receive(t, s, f))
			permit(s, f);
	}
}

/* Some address that somebody has used, or that of a port. */
static void
address_to(struct test *t, uint8_t *mac)
{
	if (t->naddresses && below(t, 8))
		memcpy(mac, t->address[below(t, (uint32_t)t->naddresses)].mac,
		       6);
	else
		memcpy(mac, t->station[below(t, NCLIENTS)].own.octet, 6);
}

/* Leave what can be left of it to a medium. */
static void
ask_of_medium(struct test *t, struct vnet_frame *f)
{
	struct vnet_l4 l4;

	if (!is_proper(f) || !vnet_eth_parse_l4(f, &l4))
		return;
	f->flags = VNET_FRAME_CSUM_PARTIAL;
	f->csum_start = (uint16_t)l4.l4;
	f->csum_offset = l4.proto == VNET_PROTO_TCP ? 16 : 6;
	if (below(t, 2))
		return;
	f->gso_type = l4.proto == VNET_PROTO_UDP ? VNET_GSO_UDP
		      : l4.version == 4          ? VNET_GSO_TCP4
						 : VNET_GSO_TCP6;
	f->gso_size = (uint16_t)(1 + below(t, 100));
}

static struct vnet_frame
make_frame(struct test *t, const struct station *from)
{
	const struct node *to = t->station[below(t, NGRANTED)].node;
	struct vnet_frame f;

	if (from->node)
		f = grants_frame(&t->tape, &from->node->made.grant,
				 VNET_INGRESS, t->octets);
	else if (to)
		f = grants_frame(&t->tape, &to->made.grant,
				 below(t, 4) ? VNET_EGRESS : VNET_INGRESS,
				 t->octets);
	else
		f = grants_frame(&t->tape, &t->node[0].made.grant, VNET_EGRESS,
				 t->octets);
	if (f.len >= 12 && !(t->octets[0] & 1) && below(t, 3))
		address_to(t, t->octets);
	if (f.len >= 12 && tape_seldom(&t->tape, 8))
		address_to(t, t->octets + 6);
	if (below(t, 2))
		ask_of_medium(t, &f);
	return f;
}

static void
input(struct test *t)
{
	struct station *from = &t->station[below(t, NCLIENTS)];
	const struct vnet_frame f = make_frame(t, from);
	const bool is_whole = is_proper(&f);
	const bool passes = is_whole && may_send(t, from, &f);
	const uint64_t before = count_refused(from);

	if (passes) {
		permit_all(t, from, &f);
		learn(t, f.data + 6, from);
		t->passed++;
	}
	vnet_switch_input(t->sw, from->fake.id, &f, 1, t->now);
	if (is_whole) {
		assert_int_equal(count_refused(from) - before, !passes);
		t->refused += !passes;
	}
	t->frames++;
	for (int i = 0; i < NCLIENTS; i++) {
		struct station *s = &t->station[i];

		/* Nothing waits that would be taken. */
		if (s->fake.room == FAKE_ENDLESS)
			assert_int_equal(s->npermits, 0);
		else if (s->npermits > NPERMITS / 2)
			drain(t, s);
	}
}

/*
 * What changes
 */

/* Nothing that is drawn may end before it is seen, nor for other reasons. */
static void
bend(struct test *t, struct grants_made *made)
{
	struct vnet_grant *g = &made->grant;

	g->rate.size = 0;
	if (g->until)
		g->until = t->now + 1 + below(t, 200) * SECONDS(1);
	if (!below(t, 4))
		g->max_addresses = 1 + below(t, 3);
	/* By itself, what somebody may have by a prefix. */
	if (t->naddresses && !below(t, 4)) {
		struct vnet_mac_prefix *p = &made->lists.macs[0];

		p->bits = 48;
		memcpy(p->mac.octet,
		       t->address[below(t, (uint32_t)t->naddresses)].mac, 6);
	}
}

static void
set(struct node *node, const struct grants_made *made)
{
	struct vnet_grant *g = &node->made.grant;

	node->made = *made;
	g->name = node->made.name;
	vnet_grant_use_lists(g, &node->made.lists);
	node->max_addresses =
		g->max_addresses ? g->max_addresses : (uint32_t)g->nmacs;
}

static void
make_grant(struct test *t, const struct node *parent, struct grants_made *made)
{
	vnet_nsec until;

	if (!parent) {
		grants_make(&t->tape, made);
		bend(t, made);
		return;
	}
	grants_narrow(&t->tape, &parent->made.grant, made);
	until = made->grant.until;
	bend(t, made);
	if (until == parent->made.grant.until || made->grant.until > until)
		made->grant.until = until;
}

static void
assert_share(struct test *t, const struct node *node)
{
	struct vnet_grant_info info = {.size = sizeof(info)};

	assert_int_equal(vnet_grant_get(t->sw, node->id, &info), 0);
	assert_int_equal(info.naddresses, count_used(t, node));
	assert_int_equal(info.given_addresses, count_given(t, node));
	assert_true(info.naddresses + info.given_addresses <=
		    node->max_addresses);
}

static void
add_grant(struct test *t)
{
	struct node *node = &t->node[below(t, NGRANTS)], *parent = NULL;
	static struct grants_made made;
	int r;

	if (node->is_there)
		return;
	if (below(t, 3)) {
		parent = &t->node[below(t, NGRANTS)];
		if (!parent->is_there)
			parent = NULL;
	}
	make_grant(t, parent, &made);
	r = vnet_grant_add(t->sw, parent ? parent->id : VNET_NO_ID, &made.grant,
			   &node->id, NULL, NULL);
	assert_true(!r || (parent && r == -EPERM) || r == -EEXIST ||
		    r == -ENOSPC);
	t->not_within += r == -EPERM;
	if (r)
		return;
	set(node, &made);
	node->is_there = true;
	node->parent = parent;
	node->refused = 0;
	forget_named(t, node);
	t->divided += parent != NULL;
	assert_share(t, node);
	if (parent)
		assert_share(t, parent);
}

static void
change_grant(struct test *t)
{
	struct node *node = &t->node[below(t, NGRANTS)];
	static struct grants_made made;
	int r;

	if (!node->is_there)
		return;
	/* Mostly to what those below it still fit into. */
	if (below(t, 2)) {
		make_grant(t, node->parent, &made);
	} else {
		made = node->made;
		made.grant = node->made.grant;
		made.grant.may |= below(t, 128);
		made.grant.max_addresses = node->max_addresses + below(t, 3);
	}
	r = vnet_grant_set(t->sw, node->id, &made.grant, NULL, NULL);
	assert_true(!r || r == -EPERM || r == -EEXIST || r == -ENOSPC);
	if (r)
		return;
	set(node, &made);
	forget_named(t, node);
	for (int i = 0; i < NCLIENTS; i++)
		if (t->station[i].node == node)
			forget_changed(t, &t->station[i]);
	t->changed++;
	assert_share(t, node);
}

/* Gone is a grant, and all that hangs below it. */
static void
end(struct test *t, struct node *node)
{
	node->is_there = false;
	for (int i = 0; i < NCLIENTS; i++) {
		struct station *s = &t->station[i];

		if (s->node != node)
			continue;
		s->node = NULL;
		s->is_revoked = true;
		purge(t, s);
	}
	for (int i = 0; i < NGRANTS; i++)
		if (t->node[i].is_there && t->node[i].parent == node)
			end(t, &t->node[i]);
	t->revoked++;
}

static void
revoke(struct test *t)
{
	struct node *node = &t->node[below(t, NGRANTS)];
	struct vnet_count refused;

	if (!node->is_there)
		return;
	assert_int_equal(vnet_grant_refused(t->sw, node->id, VNET_INGRESS,
					    VNET_GRANT_ADDRESSES, &refused),
			 0);
	assert_int_equal(refused.frames, node->refused);
	assert_int_equal(vnet_grant_revoke(t->sw, node->id), 0);
	end(t, node);
}

static void
give(struct test *t)
{
	struct station *s = &t->station[below(t, NGRANTED)];
	struct node *node = &t->node[below(t, NGRANTS)];
	int r;

	if (!node->is_there)
		return;
	if (tape_seldom(&t->tape, 8))
		node = NULL;
	r = vnet_client_set_grant(t->sw, s->fake.id,
				  node ? node->id : VNET_NO_ID, NULL);
	assert_true(!r || r == -EUSERS);
	if (r)
		return;
	forget_changed(t, s);
	s->node = node;
	if (node)
		s->is_revoked = false;
}

static void
tick(struct test *t)
{
	struct vnet_grant_info info = {.size = sizeof(info)};

	t->now += below(t, 4) * SECONDS(1);
	vnet_switch_tick(t->sw, t->now);
	for (int i = 0; i < NGRANTS; i++)
		if (t->node[i].is_there && has_ended(t, &t->node[i]))
			end(t, &t->node[i]);
	for (int i = 0; i < NGRANTS; i++)
		assert_int_equal(vnet_grant_get(t->sw, t->node[i].id, &info),
				 t->node[i].is_there ? 0 : -ENOENT);
}

static void
change(struct test *t)
{
	struct station *s = &t->station[below(t, NCLIENTS)];

	switch (below(t, 16)) {
	case 0:
	case 1:
	case 2:
		add_grant(t);
		break;
	case 3:
	case 4:
		change_grant(t);
		break;
	case 5:
		revoke(t);
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		give(t);
		break;
	case 10:
		assert_int_equal(vnet_fdb_flush(t->sw, s->fake.port), 0);
		for (int i = 0; i < NCLIENTS; i++)
			if (t->station[i].fake.port == s->fake.port)
				forget(t, &t->station[i]);
		break;
	case 11:
	case 12:
		if (s->fake.room != FAKE_ENDLESS)
			s->fake.room = (long)below(t, 20);
		break;
	case 13:
		drain(t, s);
		break;
	default:
		tick(t);
		break;
	}
	assert_conserved(t->sw);
}

/*
 * One switch after the other
 */

static void
open_switch(struct test *t)
{
	const struct vnet_switch_config config = {
		.seed = t->trial.seed,
		.max_ports = NCLIENTS,
		.max_grants = NGRANTS,
		.fdb_entries = 2 * NADDRESSES,
		.ageing_s = 1000000,
		.flap_moves = 255,
		.max_insns = 1 << 18,
	};

	t->sw = test_switch_of(&t->alloc, &config);
	t->now = SECONDS(1);
	t->naddresses = 0;
	for (int i = 0; i < NGRANTS; i++) {
		t->node[i].is_there = false;
		t->node[i].id = VNET_NO_ID;
	}
	for (int i = 0; i < NCLIENTS; i++) {
		struct station *s = &t->station[i];
		const char name[] = {(char)('a' + i), '\0'};
		/* Of addresses that may be granted, too. */
		const struct vnet_port_config port_config = {
			.size = sizeof(port_config),
			.name = name,
			.role = i == NCLIENTS - 1 ? VNET_ROLE_UPLINK
						  : VNET_ROLE_VIF,
			.mac = test_mac(17u * (unsigned int)i + 1),
		};
		vnet_port_id port = i ? s[-1].fake.port : VNET_NO_ID;

		if (i != 5 && i != 7)
			assert_int_equal(vnet_port_add(t->sw, &port_config,
						       &port, NULL),
					 0);
		assert_int_equal(
			fake_attach(&s->fake, t->sw, port, CARRIES_ALL, 0), 0);
		s->fake.on_take = take;
		s->fake.ctx = s;
		s->fake.room = i % 3 == 1 ? 10 : FAKE_ENDLESS;
		s->test = t;
		s->node = NULL;
		s->is_revoked = false;
		s->npermits = 0;
	}
}

static void
read_own(struct test *t)
{
	for (int i = 0; i < NCLIENTS; i++) {
		struct vnet_client_info info = {.size = sizeof(info)};

		assert_int_equal(vnet_client_get(t->sw, t->station[i].fake.id,
						 &info),
				 0);
		t->station[i].own = info.mac;
	}
}

static void
run(struct test *t)
{
	tape_draw(&t->tape, t->trial.seed);
	open_switch(t);
	read_own(t);
	grants_make(&t->tape, &t->node[0].made);
	for (int i = 0; i < 24; i++) {
		add_grant(t);
		give(t);
	}
	for (t->trial.step = 0; t->trial.step < PER_SWITCH; t->trial.step++) {
		t->now += SECONDS(1) / 10;
		input(t);
		if (tape_seldom(&t->tape, 16))
			change(t);
	}
	for (int i = 0; i < NCLIENTS; i++)
		drain(t, &t->station[i]);
	test_switch_end(t->sw, &t->alloc);
}

static unsigned long
wanted(void)
{
	const char *text = getenv("VNET_GUARD_FRAMES");

	return text ? strtoul(text, NULL, 10) : NFRAMES;
}

static void
report(const struct test *t)
{
	if (!getenv("VNET_GUARD_FRAMES"))
		return;
	print_message("%lu frames: %lu passed, %lu refused (%lu revoked, %lu "
		      "addresses, %lu segments), %lu deliveries, %lu of them "
		      "to who has a grant "
		      "(%lu not, of an address that is not used)\n",
		      t->frames, t->passed, t->refused, t->ended, t->addresses,
		      t->segments, t->delivered, t->to_granted, t->unknown);
	print_message("%lu grants below others, %lu not within, %lu changed, "
		      "%lu ended\n",
		      t->divided, t->not_within, t->changed, t->revoked);
}

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct test));
	return *state ? 0 : -1;
}

static void
test_nothing_outside_of_a_grant_passes(void **state)
{
	struct test *t = *state;
	const unsigned long n = wanted();

	for (t->trial.seed = 1; t->frames < n; t->trial.seed++)
		run(t);
	report(t);
	/* All that was to happen did. */
	assert_true(t->passed > n / 20);
	assert_true(t->refused > n / 20);
	assert_true(t->to_granted > n / 20);
	assert_true(t->ended > 0 && t->addresses > 0 && t->unknown > 0);
	assert_true(t->segments > 0);
	assert_true(t->divided > 0 && t->not_within > 0);
	assert_true(t->revoked > 0 && t->changed > 0);
	t->trial.is_done = true;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_nothing_outside_of_a_grant_passes, set_up,
			test_trial_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
