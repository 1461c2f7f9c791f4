/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "netf.h"
#include "netf_model.h"
#include "support.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Words of a stack program, in the names of <device/net_status.h>. */
enum {
	IN = 1,
	OUT = 2,
	BPF = 1 << 10,

	PUSHLIT = 1,
	PUSHZERO = 2,
	PUSHIND = 14,
	PUSHHDRIND = 15,
	PUSHWORD = 16,
	PUSHHDR = 960,
	PUSHSTK = 992,

	NOPUSH = 0,
	NOP = 0,
	EQ = 1 << 10,
	LT = 2 << 10,
	LE = 3 << 10,
	GT = 4 << 10,
	GE = 5 << 10,
	AND = 6 << 10,
	OR = 7 << 10,
	XOR = 8 << 10,
	COR = 9 << 10,
	CAND = 10 << 10,
	CNOR = 11 << 10,
	CNAND = 12 << 10,
	NEQ = 13 << 10,
	LSH = 14 << 10,
	RSH = 15 << 10,
	ADD = 16 << 10,
	SUB = 17 << 10,
};

/* Words of an instruction of BPF. */
#define INSN(code, jt, jf, k)                                       \
	(code), (jt) | (jf) << 8, (uint16_t)((uint32_t)(k)&0xffff), \
		(uint16_t)((uint32_t)(k) >> 16)
#define BPF_HEADER(directions) INSN(BPF | (directions), 0, 0, 0)

#define LD_W_ABS               0x20
#define LD_H_ABS               0x28
#define LD_LEN                 0x80
#define JEQ                    0x15
#define RET                    0x06
#define RET_A                  0x16

/* What pfinet sets: where it has found the device by a path, and where by name
 * (filters of a real one, reference of its sizes: 28 words and 3). */
static const uint16_t pfinet_bpf[] = {
	BPF_HEADER(IN),          INSN(LD_H_ABS, 0, 0, 12),
	INSN(JEQ, 2, 0, 0x0806), INSN(JEQ, 1, 0, 0x0800),
	INSN(JEQ, 0, 1, 0x86dd), INSN(RET, 0, 0, 1500),
	INSN(RET, 0, 0, 0),
};
static const uint16_t pfinet_stack[] = {0x0001, 0x0001, 0x0001};

/* What libpcap sets where no filter is wanted. */
static const uint16_t libpcap_all[] = {
	BPF_HEADER(IN | OUT),
	INSN(RET, 0, 0, 262144),
};

/* To 01:02:03:04:05:06 from 0a:0b:0c:0d:0e:0f, IPv4, 46 octets and a half word
 * of payload. */
static const uint8_t ipv4[61] = {
	1,    2,    3,    4,    5,           6,    0x0a, 0x0b,
	0x0c, 0x0d, 0x0e, 0x0f, 0x08,        0x00, 0x45, 0x00,
	0x12, 0x34, 0xff, 0x80, [58] = 0x77, 0x88, 0x99,
};

static bool
match(const uint16_t *words, size_t nwords, const uint8_t *octets, size_t len)
{
	const struct vnet_frame f = {.data = octets, .len = (uint32_t)len};
	struct vnet_why why = {0};
	struct vnet_netf netf;

	if (vnet_netf_check(&netf, words, nwords, &why) != 0)
		fail_msg("refused: %s, word %zu", why.text, why.index);
	return vnet_netf_match(&netf, &f);
}

#define MATCH(words, octets, len) match(words, COUNT(words), octets, len)

/* Set octets 12 and 13. */
static void
set_type(uint8_t *octets, unsigned type)
{
	octets[12] = (uint8_t)(type >> 8);
	octets[13] = (uint8_t)type;
}

static void
test_filter_that_pfinet_sets_by_path(void **state)
{
	uint8_t f[1514] = {0};
	unsigned wanted = 0;

	(void)state;
	assert_int_equal(COUNT(pfinet_bpf), 28);
	assert_int_equal(pfinet_bpf[0], 0x0401);
	for (unsigned type = 0; type < 65536; type++) {
		set_type(f, type);
		wanted += MATCH(pfinet_bpf, f, 14);
	}
	assert_int_equal(wanted, 3);
	set_type(f, 0x0806);
	assert_true(MATCH(pfinet_bpf, f, 42));
	set_type(f, 0x0800);
	assert_true(MATCH(pfinet_bpf, f, 1514));
	set_type(f, 0x86dd);
	assert_true(MATCH(pfinet_bpf, f, 14));
	assert_false(MATCH(pfinet_bpf, f, 13));
}

static void
test_filter_that_pfinet_sets_by_name(void **state)
{
	uint8_t f[1514] = {0};
	struct vnet_netf netf;

	(void)state;
	assert_int_equal(vnet_netf_check(&netf, pfinet_stack, 3, NULL), 0);
	assert_int_equal(netf.directions, VNET_NETF_IN);
	assert_false(netf.is_bpf);
	assert_true(MATCH(pfinet_stack, f, 14));
	assert_true(MATCH(pfinet_stack, f, 1514));
	assert_true(MATCH(pfinet_stack, ipv4, sizeof(ipv4)));
}

static void
test_filter_that_libpcap_sets(void **state)
{
	uint8_t f[4105] = {0};
	struct vnet_netf netf;

	(void)state;
	assert_int_equal(libpcap_all[0], 0x0403);
	assert_int_equal(vnet_netf_check(&netf, libpcap_all, COUNT(libpcap_all),
					 NULL),
			 0);
	assert_int_equal(netf.directions, VNET_NETF_IN | VNET_NETF_OUT);
	assert_true(netf.is_bpf);
	assert_int_equal(netf.n, 1);
	assert_true(MATCH(libpcap_all, f, 14));
	assert_true(MATCH(libpcap_all, f, sizeof(f)));
}

static void
test_header_alone_wants_everything(void **state)
{
	static const uint16_t in[] = {IN}, out[] = {OUT}, both[] = {IN | OUT};
	/* Bits that say nothing, which the kernel lets pass. */
	static const uint16_t odd[] = {0x3fc | IN};
	struct vnet_netf netf;

	(void)state;
	assert_true(MATCH(in, ipv4, 14));
	assert_true(MATCH(out, ipv4, sizeof(ipv4)));
	assert_true(MATCH(both, ipv4, sizeof(ipv4)));
	assert_int_equal(vnet_netf_check(&netf, out, 1, NULL), 0);
	assert_int_equal(netf.directions, VNET_NETF_OUT);
	assert_int_equal(vnet_netf_check(&netf, odd, 1, NULL), 0);
	assert_int_equal(netf.directions, VNET_NETF_IN);
}

static void
test_frame_without_a_header_is_wanted_by_nobody(void **state)
{
	static const uint16_t all[] = {IN};
	struct vnet_frame f = {.data = ipv4, .len = sizeof(ipv4)};
	struct vnet_netf netf;

	(void)state;
	for (size_t len = 0; len < 14; len++) {
		assert_false(MATCH(all, ipv4, len));
		assert_false(MATCH(libpcap_all, ipv4, len));
	}
	assert_false(MATCH(all, NULL, 0));
	/* Tags would be in the octets, for a driver that carries none. */
	assert_int_equal(vnet_netf_check(&netf, all, 1, NULL), 0);
	assert_true(vnet_netf_match(&netf, &f));
	f.ntags = 1;
	assert_false(vnet_netf_match(&netf, &f));
}

/* tcpdump's meaning: other than the kernel's, where LEN counts the payload, and
 * a load that straddles the header is read from elsewhere. */
static void
test_bpf_counts_from_the_destination_address(void **state)
{
	static const uint16_t len[] = {
		BPF_HEADER(IN),
		INSN(LD_LEN, 0, 0, 0),
		INSN(JEQ, 0, 1, sizeof(ipv4)),
		INSN(RET, 0, 0, 1),
		INSN(RET, 0, 0, 0),
	};
	static const uint16_t straddling[] = {
		BPF_HEADER(IN),
		INSN(LD_W_ABS, 0, 0, 12),
		INSN(JEQ, 1, 0, 0x08004500),
		INSN(RET, 0, 0, 0),
		INSN(RET_A, 0, 0, 0),
	};
	static const uint16_t last[] = {
		BPF_HEADER(IN),
		INSN(LD_W_ABS, 0, 0, 57),
		INSN(RET, 0, 0, 1),
	};
	static const uint16_t beyond[] = {
		BPF_HEADER(IN),
		INSN(LD_W_ABS, 0, 0, 58),
		INSN(RET, 0, 0, 1),
	};
	static const uint16_t none[] = {BPF_HEADER(IN), INSN(RET, 0, 0, 0)};

	(void)state;
	assert_true(MATCH(len, ipv4, sizeof(ipv4)));
	assert_false(MATCH(len, ipv4, sizeof(ipv4) - 1));
	assert_true(MATCH(straddling, ipv4, sizeof(ipv4)));
	assert_true(MATCH(last, ipv4, sizeof(ipv4)));
	assert_false(MATCH(beyond, ipv4, sizeof(ipv4)));
	assert_false(MATCH(none, ipv4, sizeof(ipv4)));
}

static void
test_longest_bpf_is_taken(void **state)
{
	uint16_t words[128] = {BPF_HEADER(OUT)};
	struct vnet_netf netf;

	(void)state;
	for (size_t i = 4; i < 128; i += 4)
		words[i] = RET_A;
	words[124] = RET;
	words[126] = 1;
	words[4] = 0;    /* LD IMM */
	words[8] = 0x05; /* JA, to the last */
	words[10] = 28;
	assert_int_equal(vnet_netf_check(&netf, words, 128, NULL), 0);
	assert_int_equal(netf.n, 31);
	assert_true(match(words, 128, ipv4, sizeof(ipv4)));
	/* Half a number has its place. */
	words[4 + 3] = 0x8000;
	words[8] = RET_A;
	assert_true(match(words, 128, ipv4, sizeof(ipv4)));
	words[4 + 3] = 0;
	assert_false(match(words, 128, ipv4, sizeof(ipv4)));
}

/* Is @value what a program that ends in @push leaves on the stack? */
static bool
pushes(uint16_t push, unsigned value, const uint8_t *octets, size_t len)
{
	const uint16_t words[] = {IN, push, PUSHLIT | EQ, (uint16_t)value};

	return MATCH(words, octets, len);
}

static void
test_packet_begins_with_its_length_and_type(void **state)
{
	uint8_t f[4105] = {0};

	(void)state;
	assert_true(pushes(PUSHWORD + 0, 4 + 47, ipv4, sizeof(ipv4)));
	assert_true(pushes(PUSHWORD + 0, 4, ipv4, 14));
	assert_true(pushes(PUSHWORD + 0, 4095, f, sizeof(f)));
	/* Octets 08 00 of the wire, little-endian. */
	assert_true(pushes(PUSHWORD + 1, 0x0008, ipv4, sizeof(ipv4)));
	assert_true(pushes(PUSHWORD + 1, 0x0008, ipv4, 14));
	assert_true(pushes(PUSHWORD + 2, 0x0045, ipv4, sizeof(ipv4)));
	assert_true(pushes(PUSHWORD + 3, 0x3412, ipv4, sizeof(ipv4)));
	/* Words have no sign. */
	assert_true(pushes(PUSHWORD + 4, 0x80ff, ipv4, sizeof(ipv4)));
}

static void
test_half_a_word_at_the_end_is_out_of_reach(void **state)
{
	static const uint16_t last[] = {IN, PUSHWORD + 24, PUSHLIT, 1};
	static const uint16_t half[] = {IN, PUSHWORD + 25, PUSHLIT, 1};
	static const uint16_t payload[] = {IN, PUSHWORD + 2, PUSHLIT, 1};

	(void)state;
	assert_true(pushes(PUSHWORD + 24, 0x8877, ipv4, 60));
	assert_true(MATCH(last, ipv4, 60));
	assert_false(MATCH(last, ipv4, 59));
	assert_true(MATCH(last, ipv4, 61));
	assert_false(MATCH(half, ipv4, 60));
	assert_false(MATCH(half, ipv4, 61));
	for (size_t len = 14; len < 20; len++)
		assert_int_equal(MATCH(payload, ipv4, len), len >= 16);
}

static void
test_header_has_64_octets_of_which_14_are_the_frames(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 7; i++)
		assert_true(pushes((uint16_t)(PUSHHDR + i),
				   ipv4[2 * i] | ipv4[2 * i + 1] << 8, ipv4,
				   14));
	for (unsigned i = 7; i < 32; i++)
		assert_true(
			pushes((uint16_t)(PUSHHDR + i), 0, ipv4, sizeof(ipv4)));
}

static void
test_word_of_an_index_on_the_stack(void **state)
{
	static const struct {
		uint16_t push;
		uint16_t index;
		bool is_there;
		uint16_t value;
	} cases[] = {
		{PUSHIND, 1, true, 0x0008},    {PUSHIND, 3, true, 0x3412},
		{PUSHIND, 24, true, 0x8877},   {PUSHIND, 25, false, 0},
		{PUSHIND, 65535, false, 0},    {PUSHHDRIND, 6, true, 0x0008},
		{PUSHHDRIND, 0, true, 0x0201}, {PUSHHDRIND, 31, true, 0},
		{PUSHHDRIND, 32, false, 0},    {PUSHHDRIND, 65535, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint16_t words[] = {
			IN,
			PUSHLIT,
			cases[i].index,
			cases[i].push,
			PUSHLIT | EQ,
			cases[i].value,
		};
		/* An index of 32 bits, which twice makes 0. */
		const uint16_t wraps[] = {
			IN, PUSHLIT,       0x8000,  PUSHLIT | LSH,
			16, cases[i].push, PUSHLIT, 1,
		};
		/* The index is gone: what lies below is the 1. */
		const uint16_t below[] = {
			IN,
			PUSHLIT,
			cases[i].index,
			cases[i].push | AND,
		};

		assert_int_equal(MATCH(words, ipv4, sizeof(ipv4)),
				 cases[i].is_there);
		assert_false(MATCH(wraps, ipv4, sizeof(ipv4)));
		assert_int_equal(MATCH(below, ipv4, sizeof(ipv4)),
				 cases[i].is_there && cases[i].value & 1);
	}
}

static void
test_value_of_the_stack(void **state)
{
	static const uint16_t top[] = {IN,      PUSHLIT,      7,
				       PUSHSTK, PUSHLIT | EQ, 7};
	static const uint16_t second[] = {
		IN, PUSHLIT, 7, PUSHLIT, 8, PUSHSTK + 1, PUSHLIT | EQ, 7};
	static const uint16_t bottom[] = {
		IN, PUSHLIT, 7, PUSHLIT, 8, PUSHSTK + 2, PUSHLIT | EQ, 1};
	/* CAND has taken more than the check has counted. */
	static const uint16_t gone[] = {IN, PUSHLIT | CAND, 1, PUSHSTK};

	(void)state;
	assert_true(MATCH(top, ipv4, 14));
	assert_true(MATCH(second, ipv4, 14));
	assert_true(MATCH(bottom, ipv4, 14));
	assert_false(MATCH(gone, ipv4, 14));
}

/* Does @a @op @b leave @value? Numbers are made of two words. */
static bool
computes(uint32_t a, uint16_t op, uint32_t b, uint32_t value)
{
	const uint16_t words[] = {
		IN,
		PUSHLIT,
		(uint16_t)(a >> 16),
		PUSHLIT | LSH,
		16,
		PUSHLIT | OR,
		(uint16_t)a,
		PUSHLIT,
		(uint16_t)(b >> 16),
		PUSHLIT | LSH,
		16,
		PUSHLIT | OR,
		(uint16_t)b,
		op,
		PUSHLIT,
		(uint16_t)(value >> 16),
		PUSHLIT | LSH,
		16,
		PUSHLIT | OR,
		(uint16_t)value,
		EQ,
	};

	return MATCH(words, ipv4, 14);
}

static void
test_each_operation_does_what_it_says(void **state)
{
	static const struct {
		uint32_t a;
		uint16_t op;
		uint32_t b;
		uint32_t value;
	} cases[] = {
		{5, EQ, 5, 1},
		{5, EQ, 6, 0},
		{0x10005, EQ, 5, 0},
		{5, NEQ, 5, 0},
		{5, NEQ, 6, 1},
		{5, LT, 6, 1},
		{5, LT, 5, 0},
		{6, LT, 5, 0},
		{5, LE, 6, 1},
		{5, LE, 5, 1},
		{6, LE, 5, 0},
		{5, GT, 6, 0},
		{5, GT, 5, 0},
		{6, GT, 5, 1},
		{5, GE, 6, 0},
		{5, GE, 5, 1},
		{6, GE, 5, 1},
		/* without a sign */
		{0xffffffff, LT, 1, 0},
		{0xffffffff, LE, 1, 0},
		{0xffffffff, GT, 1, 1},
		{0xffffffff, GE, 1, 1},
		{1, LT, 0x80000000, 1},
		{0xff00ff, AND, 0x0ff0f0, 0x0f00f0},
		{2, AND, 1, 0},
		{0xff00ff, OR, 0x0ff0f0, 0xfff0ff},
		{2, OR, 1, 3},
		{0xff00ff, XOR, 0x0ff0f0, 0xf0f00f},
		{0xfffffffe, ADD, 3, 1},
		{3, SUB, 5, 0xfffffffe},
		{7, SUB, 7, 0},
		{3, LSH, 0, 3},
		{3, LSH, 31, 0x80000000},
		{3, LSH, 32, 0},
		{3, LSH, 33, 0},
		{3, LSH, 0xffffffff, 0},
		{0x7fffffff, RSH, 0, 0x7fffffff},
		{0x7fffffff, RSH, 30, 1},
		{0x7fffffff, RSH, 31, 0},
		{0x7fffffff, RSH, 32, 0},
		/* It keeps the sign. */
		{0x80000000, RSH, 0, 0x80000000},
		{0x80000000, RSH, 4, 0xf8000000},
		{0x80000000, RSH, 31, 0xffffffff},
		{0x80000000, RSH, 32, 0},
		{0x80000000, RSH, 0xffffffff, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (!computes(cases[i].a, cases[i].op, cases[i].b,
			      cases[i].value))
			fail_msg("case %zu", i);
		assert_false(computes(cases[i].a, cases[i].op, cases[i].b,
				      cases[i].value ^ 1));
		assert_false(computes(cases[i].a, cases[i].op, cases[i].b,
				      cases[i].value ^ 0x80000000));
	}
}

static void
test_conditional_operations_end_the_program(void **state)
{
	static const struct {
		uint16_t op;
		bool is_equal;
		bool ends;
		bool wanted;
	} cases[] = {
		{COR, true, true, true},    {COR, false, false, false},
		{CNAND, false, true, true}, {CNAND, true, false, false},
		{CNOR, true, true, false},  {CNOR, false, false, false},
		{CAND, false, true, false}, {CAND, true, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint16_t b = cases[i].is_equal ? 7 : 8;
		/* What would be if it went on: wanted, and not wanted. */
		const uint16_t or_wanted[] = {
			IN, PUSHLIT, 7, PUSHLIT | cases[i].op, b, PUSHLIT, 1};
		const uint16_t or_not[] = {
			IN, PUSHLIT, 7, PUSHLIT | cases[i].op, b, PUSHZERO};
		/* Both values are gone: the 1 at the bottom decides. */
		const uint16_t bottom[] = {IN,         PUSHZERO | AND, PUSHLIT,
					   7,          PUSHLIT,        b,
					   cases[i].op};
		const bool on = !cases[i].ends;

		assert_int_equal(MATCH(or_wanted, ipv4, 14),
				 on || cases[i].wanted);
		assert_int_equal(MATCH(or_not, ipv4, 14),
				 !on && cases[i].wanted);
		assert_int_equal(MATCH(bottom, ipv4, 14),
				 !on && cases[i].wanted);
	}
}

/* "Is it IP from port 67?", as such programs were written. */
static void
test_program_of_several_conditions(void **state)
{
	static const uint16_t words[] = {
		IN,           PUSHWORD + 1,  PUSHLIT | CAND, 0x0008,
		PUSHWORD + 2, PUSHLIT | AND, 0x00ff,         PUSHLIT | CAND,
		0x0045,       PUSHWORD + 3,  PUSHLIT | EQ,   0x3412,
	};
	uint8_t f[61];

	(void)state;
	assert_true(MATCH(words, ipv4, sizeof(ipv4)));
	for (size_t i = 12; i < 18; i++) {
		memcpy(f, ipv4, sizeof(f));
		f[i] ^= 1;
		/* The type of service is masked out. */
		assert_int_equal(MATCH(words, f, sizeof(f)), i == 15);
	}
}

static void
test_program_that_underflows_wants_nothing(void **state)
{
	static const uint16_t pop_two[] = {IN, EQ};
	static const uint16_t pop_all[] = {IN, PUSHLIT | CAND, 1};
	static const uint16_t and_go_on[] = {IN, EQ, PUSHLIT, 1};
	static const uint16_t nothing[] = {IN, PUSHLIT | CAND, 1, NOPUSH | NOP};
	static const uint16_t index[] = {IN, PUSHLIT | CAND, 1, PUSHIND};
	static const uint16_t before[] = {IN, PUSHLIT | COR, 1, EQ, EQ};
	uint16_t many[128] = {IN};

	(void)state;
	assert_false(MATCH(pop_two, ipv4, 14));
	assert_false(MATCH(pop_all, ipv4, 14));
	assert_false(MATCH(and_go_on, ipv4, 14));
	assert_false(MATCH(nothing, ipv4, 14));
	assert_false(MATCH(index, ipv4, 14));
	/* It comes to its end before. */
	assert_true(MATCH(before, ipv4, 14));
	for (size_t i = 1; i < 128; i++)
		many[i] = SUB;
	assert_false(match(many, 128, ipv4, 14));
	/* Nothing is pushed, nothing is gone. */
	many[1] = NOPUSH | NOP;
	assert_true(match(many, 2, ipv4, 14));
}

static void
assert_refused(const uint16_t *words, size_t n, const char *text, size_t index,
	       uint64_t found, uint64_t bound)
{
	struct vnet_netf netf, untouched;
	struct vnet_why why = {0};

	memset(&netf, 0x5a, sizeof(netf));
	untouched = netf;
	assert_int_equal(vnet_netf_check(&netf, words, n, &why), -EINVAL);
	if (!why.text)
		fail_msg("does not say why");
	assert_string_equal(why.text, text);
	assert_int_equal(why.index, index);
	assert_int_equal(why.found, found);
	assert_int_equal(why.bound, bound);
	assert_memory_equal(&netf, &untouched, sizeof(netf));
	assert_int_equal(vnet_netf_check(&netf, words, n, NULL), -EINVAL);
}

static void
test_wrong_headers_are_refused(void **state)
{
	uint16_t words[129] = {IN};
	unsigned taken = 0;

	(void)state;
	assert_refused(words, 0, "filter without words", 0, 0, 1);
	assert_refused(NULL, 0, "filter without words", 0, 0, 1);
	assert_refused(words, 129, "filter too long", 0, 129, 128);
	assert_refused(words, SIZE_MAX, "filter too long", 0, SIZE_MAX, 128);
	for (unsigned header = 0; header < 65536; header++) {
		words[0] = (uint16_t)header;
		if (!(header & (IN | OUT)))
			assert_refused(words, 1, "filter for no direction", 0,
				       header, 3);
		else if (header >> 10 > 1)
			assert_refused(words, 1,
				       "filter in an unknown language", 0,
				       header & 0xfc00, BPF);
		else if (header >> 10 == 0)
			taken += vnet_netf_check(&(struct vnet_netf){0}, words,
						 1, NULL) == 0;
	}
	assert_int_equal(taken, 768);
}

static void
test_wrong_bpf_is_refused(void **state)
{
	static const char text[] = "BPF is not whole instructions";
	uint16_t words[12] = {BPF_HEADER(IN), INSN(RET, 0, 0, 1),
			      INSN(RET, 0, 0, 1)};
	struct vnet_netf netf;

	(void)state;
	for (size_t n = 1; n <= 12; n++) {
		if (n == 8 || n == 12)
			assert_int_equal(vnet_netf_check(&netf, words, n, NULL),
					 0);
		else
			assert_refused(words, n, text, 0, n, 4);
	}
	/* BPF_RET | BPF_MATCH_IMM, BPF_MISC | BPF_KEY, BPF_RET | BPF_X */
	words[4] = 0x1e;
	assert_refused(words, 12, "unknown opcode", 4, 0x1e, 0);
	words[4] = 0x0e;
	assert_refused(words, 12, "unknown opcode", 4, 0x0e, 0);
	words[4] = RET;
	words[8] = 0x17;
	assert_refused(words, 12, "unknown opcode", 8, 0x17, 0);
	words[8] = 0; /* no return */
	assert_refused(words, 12, "program does not end in a return", 8, 0, 0);
	words[8] = RET;
	words[4] = JEQ;
	words[5] = 1 << 8; /* jf: outside */
	assert_refused(words, 12, "jump beyond the end of the program", 4, 2,
		       2);
	words[5] = 1; /* jt: outside */
	assert_refused(words, 12, "jump beyond the end of the program", 4, 2,
		       2);
	words[4] = 0x05; /* JA, backward */
	words[6] = words[7] = 0xffff;
	assert_refused(words, 12, "jump beyond the end of the program", 4,
		       UINT32_MAX + UINT64_C(1), 2);
	words[4] = 0x03; /* STX, which the kernel does not look at */
	words[6] = 16;
	words[7] = 0;
	assert_refused(words, 12, "no such word of scratch memory", 4, 16, 16);
}

static void
test_wrong_stack_programs_are_refused(void **state)
{
	static const uint16_t no_literal[] = {IN, PUSHLIT, 1, PUSHLIT | EQ};
	static const uint16_t below[] = {IN, PUSHZERO, PUSHSTK + 2};
	static const uint16_t far_below[] = {IN, EQ, EQ, PUSHSTK};

	(void)state;
	assert_refused(no_literal, 2, "no literal behind its push", 1, 2, 3);
	assert_refused(no_literal, 4, "no literal behind its push", 3, 4, 5);
	assert_refused(below, 3, "push of a value below the stack", 2, 2, 2);
	assert_refused(far_below, 4, "push of a value below the stack", 3, 0,
		       0);
	for (unsigned op = 0; op < 64; op++) {
		const uint16_t words[] = {IN, PUSHZERO,
					  (uint16_t)(op << 10 | PUSHZERO)};
		struct vnet_netf netf;

		if (op < 18)
			assert_int_equal(vnet_netf_check(&netf, words, 3, NULL),
					 0);
		else
			assert_refused(words, 3, "unknown operation", 2, op,
				       17);
	}
	for (unsigned arg = 0; arg < 1024; arg++) {
		const uint16_t words[] = {IN, PUSHZERO, (uint16_t)arg, 0};
		struct vnet_netf netf;

		if (arg >= 3 && arg < 14)
			assert_refused(words, 4, "unknown operand", 2, arg, 0);
		else if (arg >= PUSHSTK + 2)
			assert_refused(words, 4,
				       "push of a value below the stack", 2,
				       arg - PUSHSTK, 2);
		else
			assert_int_equal(vnet_netf_check(&netf, words, 4, NULL),
					 0);
	}
}

/* As deep as the kernel's check lets it be: 30 values above the first. */
static void
test_deepest_stack(void **state)
{
	uint16_t words[128] = {IN};
	struct vnet_netf netf;

	(void)state;
	for (size_t i = 1; i <= 31; i++)
		words[i] = PUSHZERO;
	assert_int_equal(vnet_netf_check(&netf, words, 31, NULL), 0);
	assert_refused(words, 32, "too many values on the stack", 31, 32, 31);
	/* An operand has its place, too, before the operation takes it. */
	words[31] = PUSHZERO | EQ;
	assert_refused(words, 32, "too many values on the stack", 31, 32, 31);
	words[31] = PUSHSTK + 30;
	assert_refused(words, 32, "too many values on the stack", 31, 32, 31);
	words[31] = NOPUSH | NOP;
	assert_int_equal(vnet_netf_check(&netf, words, 32, NULL), 0);
	words[31] = PUSHHDRIND;
	assert_int_equal(vnet_netf_check(&netf, words, 32, NULL), 0);

	/* From the deepest value up to the top of all. */
	words[30] = PUSHSTK + 29;
	for (size_t i = 31; i < 31 + 29; i++)
		words[i] = OR;
	assert_true(match(words, 31 + 29, ipv4, 14));
	words[1] = PUSHZERO | AND;
	words[30] = PUSHSTK + 28;
	assert_false(match(words, 31 + 28, ipv4, 14));
}

/* A word that most programs could have. */
static uint16_t
make_word(struct test_random *r)
{
	static const uint16_t args[] = {NOPUSH,  PUSHLIT,    PUSHLIT,  PUSHZERO,
					PUSHIND, PUSHHDRIND, PUSHWORD, PUSHHDR,
					PUSHSTK, PUSHWORD};
	uint16_t arg = args[test_random_below(r, COUNT(args))];
	uint16_t op = 0;

	if (arg == PUSHWORD)
		arg += (uint16_t)test_random_below(r, 12);
	else if (arg == PUSHHDR)
		arg += (uint16_t)test_random_below(r, 9);
	else if (arg == PUSHSTK)
		arg += (uint16_t)test_random_below(r, 4);
	if (test_random_below(r, 2))
		op = (uint16_t)test_random_below(r, 18);
	return (uint16_t)(op << 10 | arg);
}

static size_t
make_program(struct test_random *r, uint16_t *words)
{
	size_t n = 2 + test_random_below(r, test_random_below(r, 4) ? 12 : 60);

	words[0] = IN;
	for (size_t i = 1; i < n; i++) {
		words[i] = make_word(r);
		if (words[i] % 1024 == PUSHLIT && i + 1 < n) {
			words[++i] = (uint16_t)test_random_below(r, 40);
			if (test_random_below(r, 8) == 0)
				words[i] = (uint16_t)test_random(r);
		}
	}
	return n;
}

static void
test_random_programs_do_what_the_model_does(void **state)
{
	struct test_random r = {.state = 5};
	unsigned wanted = 0, taken = 0;

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		uint16_t words[64];
		uint8_t octets[40];
		size_t n = make_program(&r, words);
		size_t len = 14 + test_random_below(&r, 27);
		struct vnet_frame f = {.data = octets, .len = (uint32_t)len};
		struct vnet_netf netf;
		bool want;

		for (size_t i = 0; i < len; i++)
			octets[i] = (uint8_t)test_random_below(
				&r, test_random_below(&r, 2) ? 256 : 3);
		if (vnet_netf_check(&netf, words, n, NULL) != 0)
			continue;
		taken++;
		want = netf_model_match(words, n, octets, len);
		wanted += want;
		if (vnet_netf_match(&netf, &f) != want)
			fail_msg("round %u: not %d", round, want);
	}
	/* Programs that are all refused, or all alike, would show nothing. */
	assert_in_range(taken, 50000, 200000);
	assert_in_range(wanted, taken / 5, taken / 5 * 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_that_pfinet_sets_by_path),
		cmocka_unit_test(test_filter_that_pfinet_sets_by_name),
		cmocka_unit_test(test_filter_that_libpcap_sets),
		cmocka_unit_test(test_header_alone_wants_everything),
		cmocka_unit_test(
			test_frame_without_a_header_is_wanted_by_nobody),
		cmocka_unit_test(test_bpf_counts_from_the_destination_address),
		cmocka_unit_test(test_longest_bpf_is_taken),
		cmocka_unit_test(test_packet_begins_with_its_length_and_type),
		cmocka_unit_test(test_half_a_word_at_the_end_is_out_of_reach),
		cmocka_unit_test(
			test_header_has_64_octets_of_which_14_are_the_frames),
		cmocka_unit_test(test_word_of_an_index_on_the_stack),
		cmocka_unit_test(test_value_of_the_stack),
		cmocka_unit_test(test_each_operation_does_what_it_says),
		cmocka_unit_test(test_conditional_operations_end_the_program),
		cmocka_unit_test(test_program_of_several_conditions),
		cmocka_unit_test(test_program_that_underflows_wants_nothing),
		cmocka_unit_test(test_wrong_headers_are_refused),
		cmocka_unit_test(test_wrong_bpf_is_refused),
		cmocka_unit_test(test_wrong_stack_programs_are_refused),
		cmocka_unit_test(test_deepest_stack),
		cmocka_unit_test(test_random_programs_do_what_the_model_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
