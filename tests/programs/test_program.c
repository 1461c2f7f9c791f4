/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "program.h"
#include "support.h"

/* The longest that compiling may take a processor, under sanitizers; without
 * these it is a fifth of a second. */
#define PATIENCE_NS INT64_C(2000000000)

static struct complaint c;

static void
assert_refused(const char *text, const char *why)
{
	struct program p = {0};

	c.text[0] = '\0';
	assert_int_equal(program_compile(&p, text, &c), -EINVAL);
	assert_null(p.insns);
	if (!strstr(c.text, why))
		fail_msg("\"%s\" does not say \"%s\"", c.text, why);
}

static bool
matches(const char *text, const uint8_t *octets, size_t len)
{
	const struct vnet_frame f = {.data = octets, .len = (uint32_t)len};
	struct program p;
	bool is_match;

	if (program_compile(&p, text, &c))
		fail_msg("%s", c.text);
	is_match = vnet_bpf_match(p.insns, p.ninsns, &f);
	program_fini(&p);
	assert_null(p.insns);
	return is_match;
}

/* UDP from 10.0.0.1, port 1000, to 10.0.0.2, port 53. */
static const uint8_t dns[60] = {
	2,    0, 0,  0,  0, 2, 2,    0,    0,  0,  0, 1, 0x08, 0x00,
	0x45, 0, 0,  28, 0, 0, 0,    0,    64, 17, 0, 0, 10,   0,
	0,    1, 10, 0,  0, 2, 0x03, 0xe8, 0,  53, 0, 8,
};

static void
test_a_program_matches_what_its_text_says(void **state)
{
	(void)state;
	assert_true(matches("udp port 53", dns, sizeof(dns)));
	assert_true(
		matches("src host 10.0.0.1 and dst port 53", dns, sizeof(dns)));
	assert_true(matches("ether src 02:00:00:00:00:01", dns, sizeof(dns)));
	assert_false(matches("tcp", dns, sizeof(dns)));
	assert_false(matches("udp port 54", dns, sizeof(dns)));
}

static void
test_the_empty_text_matches_all(void **state)
{
	(void)state;
	assert_true(matches("", dns, sizeof(dns)));
	assert_true(matches("", dns, 0));
}

static void
test_names_of_services_and_protocols_are_known(void **state)
{
	(void)state;
	assert_true(matches("udp port domain", dns, sizeof(dns)));
	assert_false(matches("tcp port http", dns, sizeof(dns)));
	assert_true(matches("ip proto \\udp", dns, sizeof(dns)));
}

/* "localhost" is in every /etc/hosts, "loopback" in Debian's /etc/networks. */
static void
test_names_of_hosts_are_not_looked_up(void **state)
{
	(void)state;
	assert_refused("host localhost", "localhost");
	assert_refused("host nowhere.invalid", "nowhere.invalid");
	assert_refused("ip6 host localhost", "localhost");
	assert_refused("net loopback", "loopback");
	assert_refused("ether host localhost", "localhost");
	assert_refused("gateway localhost", "localhost");
}

static void
test_addresses_of_hosts_are_no_names(void **state)
{
	(void)state;
	assert_true(matches("host 10.0.0.1", dns, sizeof(dns)));
	assert_true(matches("net 10.0.0.0/8", dns, sizeof(dns)));
	assert_false(matches("host fd00::1", dns, sizeof(dns)));
	assert_false(matches("net fd00::/64", dns, sizeof(dns)));
}

static void
test_an_error_is_libpcaps_and_names_the_expression(void **state)
{
	(void)state;
	assert_refused("udp prot 53", "expression \"udp prot 53\": ");
	assert_refused("udp prot 53", "syntax error");
	assert_refused("tcp and udp", "rejects all packets");
	assert_refused("\x1b[31m", "expression \"?[31m\"");
}

static void
test_what_linux_keeps_beside_a_packet_is_refused(void **state)
{
	(void)state;
	assert_refused("inbound", "beside a packet");
	assert_refused("outbound and ip", "beside a packet");
	assert_refused("ifindex 1", "beside a packet");
	assert_refused("not inbound", "beside a packet");
}

static void
test_a_loop_is_refused(void **state)
{
	(void)state;
	assert_refused("ip6 protochain 6", "\"protochain\" takes a loop");
}

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Compiled or refused, but soon. */
static int
soon(const char *text)
{
	const int64_t begin = now();
	struct program p = {0};
	const int r = program_compile(&p, text, &c);
	const int64_t took = now() - begin;

	program_fini(&p);
	if (took > PATIENCE_NS)
		fail_msg("%.40s... took %lld ms of a processor", text,
			 (long long)took / 1000000);
	return r;
}

/* @first, and then @next as often as there is room, at most @n times. */
static const char *
repeat(const char *first, const char *next, unsigned int n)
{
	static char text[PROGRAM_TEXT_MAX + 64];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", first);

	for (unsigned int i = 0; i < n; i++) {
		char one[64];
		const int added = snprintf(one, sizeof(one), next, i % 250 + 1,
					   i / 250 + 1);

		if (len + (size_t)added > PROGRAM_TEXT_MAX)
			break;
		memcpy(text + len, one, (size_t)added + 1);
		len += (size_t)added;
	}
	return text;
}

static void
test_a_text_is_bounded(void **state)
{
	static char text[PROGRAM_TEXT_MAX + 2];
	struct program p;

	(void)state;
	memset(text, ' ', PROGRAM_TEXT_MAX);
	memcpy(text, "ip", 2);
	assert_int_equal(program_compile(&p, text, &c), 0);
	program_fini(&p);
	text[PROGRAM_TEXT_MAX] = ' ';
	assert_refused(text, "has 4096 octets, expected at most 4095");
}

static void
test_deep_nesting_does_no_harm(void **state)
{
	static char text[PROGRAM_TEXT_MAX + 1];

	(void)state;
	memset(text, '(', PROGRAM_TEXT_MAX);
	assert_int_equal(soon(text), -EINVAL);
	memset(text + 2046, 0, sizeof(text) - 2046);
	memcpy(text + 2046, "ip", 2);
	memset(text + 2048, ')', 2046);
	assert_int_equal(soon(text), 0);

	memset(text, '!', PROGRAM_TEXT_MAX - 2);
	memcpy(text + PROGRAM_TEXT_MAX - 2, "ip", 2);
	assert_int_equal(soon(text), 0);
	assert_int_equal(soon(repeat("not ip", "", 0)), 0);
	assert_int_equal(soon(repeat("not", " not", 1000)), -EINVAL);
	assert_int_equal(soon(repeat("len = 1", "+1*1", 1000)), -EINVAL);
}

static void
test_many_terms_take_no_long_time(void **state)
{
	(void)state;
	assert_int_equal(soon(repeat("host 10.0.0.0", " or host 10.0.%u.%u",
				     PROGRAM_TERMS_MAX - 1)),
			 0);
	assert_int_equal(soon(repeat("host 10.0.0.0", " or host 10.0.%u.%u",
				     PROGRAM_TERMS_MAX)),
			 -EINVAL);
	assert_non_null(strstr(c.text, "has 101 terms, expected at most 100"));
	assert_int_equal(soon(repeat("ip", "||ip", 99)), 0);
	assert_refused(repeat("ip", "||ip", 100), "has 101 terms");
	assert_refused(repeat("ip", "&&ip", 100), "has 101 terms");
	assert_refused(repeat("ip", " and ip", 100), "has 101 terms");
	soon(repeat("portrange 1-2", " or %u-999%u", 1000));
	soon(repeat("portrange 1-2", " or %u-999%u", PROGRAM_TERMS_MAX - 1));
	soon(repeat("portrange 1-2", " or %u-999%u", 40));
	soon(repeat("port 1", " or %u%u", PROGRAM_TERMS_MAX - 1));
	soon(repeat("port 1", " and not port %u%u", PROGRAM_TERMS_MAX - 1));
	soon(repeat("ether host 1:2:3:4:5:6", "or 1:2:3:4:%x:%x", 1000));
}

static void
test_what_was_compiled_before_is_known(void **state)
{
	/* Static; nothing else is repeated meanwhile. */
	const char *text = repeat("host 10.1.0.0", " or host 10.1.%u.%u", 90);
	struct program first, second;
	int64_t at, once, again;

	(void)state;
	at = now();
	assert_int_equal(program_compile(&first, text, &c), 0);
	once = now() - at;
	at = now();
	assert_int_equal(program_compile(&second, text, &c), 0);
	again = now() - at;
	assert_true(again < once / 4);
	assert_ptr_not_equal(first.insns, second.insns);
	assert_int_equal(first.ninsns, second.ninsns);
	assert_memory_equal(first.insns, second.insns,
			    first.ninsns * sizeof(*first.insns));
	program_fini(&second);

	/* A MiB of texts is more than is remembered. */
	for (int i = 0; i < 400; i++) {
		char other[3000];

		(void)snprintf(other, sizeof(other), "len %*s %d", 2900,
			       "!=", i);
		assert_int_equal(program_compile(&second, other, &c), 0);
		assert_int_equal(second.insns[1].k, i);
		program_fini(&second);
	}
	assert_int_equal(program_compile(&second, text, &c), 0);
	assert_memory_equal(first.insns, second.insns,
			    first.ninsns * sizeof(*first.insns));
	program_fini(&second);
	program_fini(&first);
}

static void *
compile_often(void *ctx)
{
	uintptr_t wrong = 0;

	for (int i = 0; i < 200; i++) {
		struct complaint mine;
		struct program p;
		char text[64];

		/* New every other time: what is known is not compiled. */
		(void)snprintf(text, sizeof(text), "(%s) and len != %d",
			       (const char *)ctx, i / 2);
		wrong += program_compile(&p, text, &mine) != 0 || p.ninsns < 4;
		program_fini(&p);
		wrong += program_compile(&p, "host localhost", &mine) == 0;
	}
	return (void *)wrong;
}

static void
test_threads_do_not_disturb_one_another(void **state)
{
	static const char *const texts[] = {"ip", "udp port domain",
					    "host fd00::1"};
	pthread_t threads[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						compile_often,
						(void *)texts[i]),
				 0);
	for (size_t i = 0; i < 3; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_program_matches_what_its_text_says),
		cmocka_unit_test(test_the_empty_text_matches_all),
		cmocka_unit_test(
			test_names_of_services_and_protocols_are_known),
		cmocka_unit_test(test_names_of_hosts_are_not_looked_up),
		cmocka_unit_test(test_addresses_of_hosts_are_no_names),
		cmocka_unit_test(
			test_an_error_is_libpcaps_and_names_the_expression),
		cmocka_unit_test(
			test_what_linux_keeps_beside_a_packet_is_refused),
		cmocka_unit_test(test_a_loop_is_refused),
		cmocka_unit_test(test_a_text_is_bounded),
		cmocka_unit_test(test_deep_nesting_does_no_harm),
		cmocka_unit_test(test_many_terms_take_no_long_time),
		cmocka_unit_test(test_what_was_compiled_before_is_known),
		cmocka_unit_test(test_threads_do_not_disturb_one_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
