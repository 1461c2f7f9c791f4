/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "json.h"
#include "json_writer.h"
#include "support.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct vnet_json
parse(const char *text)
{
	struct vnet_json v = {NULL, NULL};
	struct vnet_why why = {0};

	if (vnet_json_check(&v, text, strlen(text), &why))
		fail_msg("%s: octet %zu: %s", text, why.index, why.text);
	return v;
}

/* Refused, at that octet, and with a complaint that has @word in it. */
static void
assert_refused(const char *text, size_t len, size_t at, const char *word)
{
	struct vnet_json v = {NULL, NULL};
	struct vnet_why why = {0};
	/* Of exactly that size, so that a sanitizer sees what is read beyond. */
	char *copy = malloc(len ? len : 1);

	memcpy(copy, text, len);
	assert_int_equal(vnet_json_check(&v, copy, len, &why), -EINVAL);
	free(copy);
	assert_null(v.at);
	assert_non_null(why.text);
	if (!strstr(why.text, word) || why.index != at)
		fail_msg("%.*s: octet %zu: %s, expected octet %zu: %s",
			 (int)len, text, why.index, why.text, at, word);
}

static void
test_json_that_is_right_is_accepted(void **state)
{
	static const char *const right[] = {
		"{}",
		"[]",
		"\"\"",
		"0",
		"-0",
		"true",
		"false",
		"null",
		" \t\r\n{ \"a\" : [ 1 , 2 ] } \n",
		"[0, 1, -1, 10, 1.5, -1.5e3, 1E+2, 1e-2]",
		"123456789012345678901",
		"\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0041 \\uD83D\\uDE00\"",
		"\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \x7f\"",
		"{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}",
		"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++)
		parse(right[i]);
}

static void
test_json_that_is_wrong_is_refused_at_its_octet(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *word;
	} wrong[] = {
		{"", 0, "end"},
		{"   ", 3, "end"},
		{"[1,]", 3, "no value"},
		{"{\"a\":1,}", 7, "no key"},
		{"{,}", 1, "no key"},
		{"{\"a\" \"b\"}", 5, "colon"},
		{"{\"a\"}", 4, "colon"},
		{"{\"a\":}", 5, "no value"},
		{"{\"a\":1 \"b\":2}", 7, "comma"},
		{"{1:2}", 1, "no key"},
		{"{\"a\":1", 6, "end"},
		{"[1 2]", 3, "comma"},
		{"[1}", 2, "comma"},
		{"[", 1, "end"},
		{"[1,", 3, "end"},
		{"{\"a\":1]", 6, "comma"},
		{"01", 0, "begins with 0"},
		{"-01", 1, "begins with 0"},
		{"-", 1, "digit"},
		{"1.", 2, "digit"},
		{".5", 0, "no value"},
		{"+1", 0, "no value"},
		{"1e", 2, "digit"},
		{"1e+", 3, "digit"},
		{"0x10", 1, "behind"},
		{"tru", 0, "no value"},
		{"truth", 0, "no value"},
		{"True", 0, "no value"},
		{"nul", 0, "no value"},
		{"NaN", 0, "no value"},
		{"'a'", 0, "no value"},
		{"{}{}", 2, "behind"},
		{"[1]x", 3, "behind"},
		{"1 2", 2, "behind"},
		{"\"", 1, "end"},
		{"\"a", 2, "end"},
		{"\"\\", 1, "end"},
		{"\"\\\"", 3, "end"},
		{"\"\\x\"", 1, "escape"},
		{"\"\\u12\"", 3, "four digits"},
		{"\"\\u12G4\"", 3, "four digits"},
		{"\"\\u0000\"", 3, "NUL"},
		{"\"\\ud800\"", 3, "surrogates"},
		{"\"\\ud800\\u0041\"", 3, "surrogates"},
		{"\"\\ud800\\ud800\"", 3, "surrogates"},
		{"\"\\udc00\"", 3, "surrogates"},
		{"\"a\tb\"", 2, "control"},
		{"\"a\nb\"", 2, "control"},
		{"\"\x80\"", 1, "UTF-8"},
		{"\"\xff\"", 1, "UTF-8"},
		{"\"\xc0\x80\"", 1, "UTF-8"},
		{"\"\xc3\"", 1, "UTF-8"},
		{"\"\xe0\x80\x80\"", 1, "UTF-8"},
		{"\"\xed\xa0\x80\"", 1, "UTF-8"},
		{"\"\xf0\x80\x80\x80\"", 1, "UTF-8"},
		{"\"\xf4\x90\x80\x80\"", 1, "UTF-8"},
		{"\"\xf5\x80\x80\x80\"", 1, "UTF-8"},
		{"\"\xe2\x82", 1, "UTF-8"},
		{"\xef\xbb\xbf{}", 0, "no value"},
		{"{\"a\":1,\"a\":2}", 8, "already"},
		{"{\"a\":1,\"\\u0061\":2}", 8, "already"},
		{"{\"b\":1,\"a\":{\"a\":1,\"a\":1}}", 19, "already"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_refused(wrong[i].text, strlen(wrong[i].text),
			       wrong[i].at, wrong[i].word);
	assert_refused("\"a\0b\"", 5, 2, "control");
	assert_refused("[\0]", 3, 1, "no value");
}

/* Every beginning of a text that is right is wrong, or another text. */
static void
test_a_text_that_was_cut_is_refused(void **state)
{
	static const char text[] =
		"{\"do\":\"filter add\",\"id\":[1.5e-3,\"\\ud83d\\ude00\"],"
		"\"filter\":{\"insns\":[[40,0,0,12],[6,0,0,65535]],"
		"\"deep\":{\"a\":[true,false,null,\"\xe2\x82\xac\"]}}}";
	struct vnet_json v;

	(void)state;
	assert_int_equal(vnet_json_check(&v, text, strlen(text), NULL), 0);
	for (size_t n = 0; n < strlen(text); n++) {
		char *copy = malloc(n ? n : 1);

		memcpy(copy, text, n);
		assert_int_equal(vnet_json_check(&v, copy, n, NULL), -EINVAL);
		free(copy);
	}
}

static void
test_depth_and_keys_are_bounded(void **state)
{
	char text[8192];
	struct vnet_why why = {0};
	struct vnet_json v;
	size_t len = 0;

	(void)state;
	memset(text, '[', 17);
	memset(text + 17, ']', 17);
	assert_int_equal(vnet_json_check(&v, text, 34, &why), -EINVAL);
	assert_int_equal(why.index, 16);
	assert_int_equal(why.found, 17);
	assert_int_equal(why.bound, VNET_JSON_MAX_DEPTH);
	/* However deep: our stack is not the sender's to use. */
	memset(text, '[', sizeof(text));
	assert_int_equal(vnet_json_check(&v, text, sizeof(text), NULL),
			 -EINVAL);

	for (int i = 0; i < VNET_JSON_MAX_KEYS; i++)
		len += (size_t)sprintf(text + len, "%c\"%d\":%d", i ? ',' : '{',
				       i, i);
	text[len] = '}';
	assert_int_equal(vnet_json_check(&v, text, len + 1, NULL), 0);
	assert_int_equal(vnet_json_count(v), VNET_JSON_MAX_KEYS);
	len += (size_t)sprintf(text + len, ",\"more\":1}");
	assert_int_equal(vnet_json_check(&v, text, len, &why), -EINVAL);
	assert_non_null(strstr(why.text, "too many keys"));
	/* Those of objects that are behind us do not count. */
	len = 0;
	for (int i = 0; i < 4 * VNET_JSON_MAX_KEYS; i++)
		len += (size_t)sprintf(text + len, "%c{\"a\":1}",
				       i ? ',' : '[');
	text[len] = ']';
	assert_int_equal(vnet_json_check(&v, text, len + 1, NULL), 0);
}

static void
test_values_are_found_by_their_keys(void **state)
{
	struct vnet_json v = parse("{\"a\" : {\"b\":[1,{\"c\":\"x\"}]} , "
				   "\"s\":\"]}\\\"\",\"b\":2,\"n\":null}");
	struct vnet_json list = vnet_json_get(vnet_json_get(v, "a"), "b");
	struct vnet_json_walk w;
	uint64_t n = 0;

	(void)state;
	assert_int_equal(vnet_json_type(v), VNET_JSON_OBJECT);
	assert_int_equal(vnet_json_count(v), 4);
	assert_true(vnet_json_number(vnet_json_get(v, "b"), &n));
	assert_int_equal(n, 2);
	assert_true(vnet_json_is(vnet_json_get(v, "s"), "]}\""));
	assert_int_equal(vnet_json_type(vnet_json_get(v, "n")), VNET_JSON_NULL);
	assert_int_equal(vnet_json_type(vnet_json_get(v, "c")), VNET_JSON_NONE);
	assert_int_equal(vnet_json_type(vnet_json_get(list, "c")),
			 VNET_JSON_NONE);
	assert_int_equal(vnet_json_count(list), 2);
	vnet_json_begin(&w, list);
	assert_true(vnet_json_next(&w));
	assert_int_equal(w.value.end - w.value.at, 1);
	assert_true(vnet_json_next(&w));
	assert_true(vnet_json_is(vnet_json_get(w.value, "c"), "x"));
	assert_false(vnet_json_next(&w));
	assert_false(vnet_json_next(&w));
	assert_int_equal(vnet_json_count(vnet_json_get(v, "b")), 0);
	assert_int_equal(vnet_json_count((struct vnet_json){NULL, NULL}), 0);
}

static void
test_strings_are_what_they_mean(void **state)
{
	struct vnet_json v =
		parse("\"a\\n\\u00e4\\u20ac\\ud83d\\ude00\\/\xc3\xa4\"");
	static const char meant[] =
		"a\n\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80/\xc3\xa4";
	char text[32];

	(void)state;
	assert_true(vnet_json_is(v, meant));
	assert_false(vnet_json_is(v, "a"));
	assert_false(vnet_json_is(parse("\"a\""), "ab"));
	assert_false(vnet_json_is(parse("\"\""), "a"));
	assert_false(vnet_json_is(parse("1"), "1"));
	assert_true(vnet_json_text(v, text, sizeof(text)));
	assert_string_equal(text, meant);
	assert_true(vnet_json_text(v, text, strlen(meant) + 1));
	/* No piece of a character is given. */
	assert_false(vnet_json_text(v, text, strlen(meant)));
	assert_memory_equal(text, meant, strlen(meant) - 2);
	assert_int_equal(strlen(text), strlen(meant) - 2);
	assert_false(vnet_json_text(parse("1"), text, sizeof(text)));
	assert_string_equal(text, "");
}

static void
test_numbers_are_whole_and_of_64_bits(void **state)
{
	uint64_t n = 1;

	(void)state;
	assert_true(vnet_json_number(parse("0"), &n));
	assert_int_equal(n, 0);
	assert_true(vnet_json_number(parse("18446744073709551615"), &n));
	assert_true(n == UINT64_MAX);
	assert_false(vnet_json_number(parse("18446744073709551616"), &n));
	assert_false(vnet_json_number(parse("99999999999999999999"), &n));
	assert_false(
		vnet_json_number(parse("100000000000000000000000000"), &n));
	assert_false(vnet_json_number(parse("-1"), &n));
	assert_false(vnet_json_number(parse("1.0"), &n));
	assert_false(vnet_json_number(parse("1e3"), &n));
	assert_false(vnet_json_number(parse("true"), &n));
	assert_string_equal(vnet_json_type_name(parse("1e3")), "a fraction");
	assert_string_equal(vnet_json_type_name(parse("-7")), "a number");
	assert_string_equal(vnet_json_type_name((struct vnet_json){NULL, NULL}),
			    "nothing");
}

/*
 * Writing
 */

static void
test_what_is_written_is_json(void **state)
{
	const struct vnet_mac mac = {{2, 0, 0xab, 0, 0xcd, 1}};
	char text[512];
	struct vnet_json_writer w = {.text = text, .room = sizeof(text)};

	(void)state;
	vnet_json_open(&w, NULL, '{');
	vnet_json_put_string(&w, "a\"b\\\n", "\xc3\xa4\x01\xff/\x7f");
	vnet_json_put_number(&w, "n", UINT64_MAX);
	vnet_json_open(&w, "list", '[');
	vnet_json_open(&w, NULL, '{');
	vnet_json_close(&w, '}');
	vnet_json_put_bool(&w, NULL, true);
	vnet_json_put_bool(&w, NULL, false);
	vnet_json_put_null(&w, NULL);
	vnet_json_put_mac(&w, NULL, mac);
	vnet_json_put_value(&w, NULL, "[1]", 3);
	vnet_json_close(&w, ']');
	vnet_json_open(&w, "o", '{');
	vnet_json_close(&w, '}');
	vnet_json_put_number(&w, "z", 0);
	vnet_json_close(&w, '}');
	vnet_json_end_line(&w);
	assert_false(w.is_full);
	text[w.len] = '\0';
	assert_string_equal(
		text,
		"{\"a\\\"b\\\\\\u000a\":\"\xc3\xa4\\u0001\\ufffd/\\u007f\","
		"\"n\":18446744073709551615,"
		"\"list\":[{},true,false,null,\"02:00:ab:00:cd:01\",[1]],"
		"\"o\":{},\"z\":0}\n");
	parse(text);
}

static void
test_numbers_are_written_in_all_their_digits(void **state)
{
	char text[VNET_NUMBER_SIZE], expected[32];
	struct test_random r = {.state = 1};

	(void)state;
	for (uint64_t n = UINT64_MAX; n; n /= 3) {
		snprintf(expected, sizeof(expected), "%llu",
			 (unsigned long long)n);
		assert_string_equal(vnet_number_text(n, text), expected);
	}
	for (uint64_t n = 1; n < UINT64_MAX / 10; n *= 10)
		for (uint64_t m = n - 1; m <= n + 1; m++) {
			snprintf(expected, sizeof(expected), "%llu",
				 (unsigned long long)m);
			assert_string_equal(vnet_number_text(m, text),
					    expected);
		}
	for (int i = 0; i < 1000; i++) {
		uint64_t n = (uint64_t)test_random(&r) << 32 | test_random(&r);

		snprintf(expected, sizeof(expected), "%llu",
			 (unsigned long long)n);
		assert_string_equal(vnet_number_text(n, text), expected);
	}
}

/* Of no room is more used than there is, and that it was too little is said. */
static void
test_a_writer_keeps_to_its_room(void **state)
{
	static const char whole[] = "{\"key\":\"\\u0001\\ufffd\",\"n\":[12]}";

	(void)state;
	for (size_t room = 0; room <= strlen(whole); room++) {
		char *text = malloc(room ? room : 1);
		struct vnet_json_writer w = {.text = text, .room = room};

		vnet_json_open(&w, NULL, '{');
		vnet_json_put_string(&w, "key", "\x01\xff");
		vnet_json_open(&w, "n", '[');
		vnet_json_put_number(&w, NULL, 12);
		vnet_json_close(&w, ']');
		vnet_json_close(&w, '}');
		assert_int_equal(w.is_full, room < strlen(whole));
		assert_true(w.len <= room);
		assert_memory_equal(text, whole, w.len);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_that_is_right_is_accepted),
		cmocka_unit_test(
			test_json_that_is_wrong_is_refused_at_its_octet),
		cmocka_unit_test(test_a_text_that_was_cut_is_refused),
		cmocka_unit_test(test_depth_and_keys_are_bounded),
		cmocka_unit_test(test_values_are_found_by_their_keys),
		cmocka_unit_test(test_strings_are_what_they_mean),
		cmocka_unit_test(test_numbers_are_whole_and_of_64_bits),
		cmocka_unit_test(test_what_is_written_is_json),
		cmocka_unit_test(test_numbers_are_written_in_all_their_digits),
		cmocka_unit_test(test_a_writer_keeps_to_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
