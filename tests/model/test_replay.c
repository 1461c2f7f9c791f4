/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Same calls, times, seed and answers of the drivers: same outputs, bit for
 * bit. Random runs are recorded and replayed, see tape.h and run.h:
 *
 *	model_replay			the tests
 *	model_replay record FILE	write the logs of some runs
 *	model_replay replay FILE	replay them, here or on another machine
 *	model_replay seeds FOLDER	write them as inputs of fuzz_api
 */
#include "run.h"
#include "support.h"
#include "tape.h"

#define NCALLS 400
#define NSEEDS 60

static struct tape
record(unsigned int seed, struct run_summary *sum)
{
	struct tape t;

	tape_record(&t, seed);
	run_calls(&t, NCALLS, sum);
	return t;
}

static struct tape
replay(const uint8_t *log, size_t len)
{
	struct tape t;

	tape_replay(&t, log, len);
	run_calls(&t, NCALLS, NULL);
	return t;
}

static void
test_random_runs_are_replayed_to_the_same_octets(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= NSEEDS; seed++) {
		struct tape was = record(seed, NULL), is;

		if (was.has_failed)
			fail_msg("seed %u: %s", seed, was.why);
		is = replay(was.log, was.len);
		if (is.has_failed)
			fail_msg("seed %u, replayed: %s", seed, is.why);
		assert_int_equal(is.ncalls, was.ncalls);
		assert_true(is.ncalls >= NCALLS);
		free(was.log);
	}
}

/* A run that meets nothing would also be replayed. */
static void
test_random_runs_meet_every_drop_and_event(void **state)
{
	struct run_summary sum = {0};

	(void)state;
	for (unsigned int seed = 1; seed <= NSEEDS; seed++)
		free(record(seed, &sum).log);
	assert_true(sum.delivered > 1000);
	assert_true(sum.segments > 100);
	for (int i = VNET_DROP_NONE + 1; i < VNET_NDROPS; i++)
		if (!sum.drops[i])
			fail_msg("none was dropped as %s",
				 vnet_drop_name((enum vnet_drop)i));
	for (int i = 0; i < VNET_NEVENTS; i++)
		if (!sum.events[i])
			fail_msg("there was no event %s",
				 vnet_event_name((enum vnet_event_type)i));
}

/* Replay @was with @octet of it changed. */
static struct tape
replay_with(const struct tape *was, const uint8_t *octet, uint8_t to)
{
	size_t at = (size_t)(octet - was->log);
	uint8_t before = was->log[at];
	struct tape is;

	was->log[at] = to;
	is = replay(was->log, was->len);
	was->log[at] = before;
	return is;
}

/* Each number and each text that was said, one at a time, up to some. */
static void
test_replay_sees_any_output_that_differs(void **state)
{
	struct tape was = record(7, NULL);
	struct tape_item item;
	unsigned long ncalls = 0;
	unsigned int n = 0, tried = 0;
	size_t pos = 0;

	(void)state;
	while (tape_next(was.log, was.len, &pos, &item)) {
		const uint8_t *octet = item.octets + item.noctets - 1;
		struct tape is;

		ncalls += item.kind == TAPE_CALL;
		if (item.kind != TAPE_NUMBER && item.kind != TAPE_OCTETS)
			continue;
		if (item.kind == TAPE_OCTETS && item.number)
			octet = was.log + pos - 1;
		else if (!item.noctets)
			continue;
		if (n++ % 17)
			continue;
		tried++;
		is = replay_with(&was, octet, *octet ^ 1);
		assert_true(is.has_failed);
		assert_int_equal(is.ncalls, ncalls);
	}
	assert_true(tried > 50);
	free(was.log);
}

/* What a driver answers decides what comes of it, so the log must have it. */
static void
test_replay_sees_a_driver_that_answers_otherwise(void **state)
{
	struct tape was = record(7, NULL);
	struct tape_item item;
	unsigned int tried = 0, seen = 0;
	size_t pos = 0;

	(void)state;
	while (tape_next(was.log, was.len, &pos, &item)) {
		/* It took all; now it takes what it takes next. */
		if (item.kind != TAPE_ANSWER || item.number > 11)
			continue;
		if (tried == 50)
			break;
		seen += replay_with(&was, item.octets, 12).has_failed;
		tried++;
	}
	assert_true(tried > 10);
	/* Some it makes no difference to: what is refused of nothing. */
	assert_true(seen > tried / 3);
	free(was.log);
}

static void
test_replay_sees_a_log_that_is_cut_short_or_goes_on(void **state)
{
	struct tape was = record(7, NULL);

	(void)state;
	assert_false(replay(was.log, was.len).has_failed);
	for (size_t n = 0; n < was.len; n += was.len / 29)
		assert_true(replay(was.log, n).has_failed);
	was.log = realloc(was.log, was.len + 1);
	assert_non_null(was.log);
	was.log[was.len] = TAPE_NUMBER << 4;
	assert_true(replay(was.log, was.len + 1).has_failed);
	free(was.log);
}

/*
 * What random runs have found
 */

/* The FDB marks an empty slot with that address, and found "it" there: on the
 * client in slot 0, which need not be. */
static void
test_frame_to_the_zero_address_is_flooded(void **state)
{
	static struct fake fakes[3];
	static const char *const names[] = {"a", "b", "c"};
	uint8_t octets[60] = {0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
	const struct vnet_frame f = {.data = octets, .len = sizeof(octets)};
	struct test_alloc a;
	struct vnet_switch *sw = test_switch(&a, 3);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(fake_open(&fakes[i], sw, names[i],
					   VNET_ROLE_VIF, 0),
				 0);
	vnet_switch_input(sw, fakes[1].id, &f, 1, 0);
	assert_int_equal(fakes[0].nsent, 1);
	assert_int_equal(fakes[2].nsent, 1);

	assert_int_equal(vnet_port_remove(sw, fakes[0].port), 0);
	vnet_switch_input(sw, fakes[1].id, &f, 1, 0);
	assert_int_equal(fakes[2].nsent, 2);
	test_switch_end(sw, &a);
}

/*
 * Logs in a file, each behind its length in 4 octets
 */

static int
record_file(const char *name)
{
	FILE *file = fopen(name, "wb");
	bool ok = file != NULL;

	for (unsigned int seed = 1; ok && seed <= NSEEDS; seed++) {
		struct tape t = record(seed, NULL);
		const uint8_t len[4] = {
			(uint8_t)(t.len >> 24),
			(uint8_t)(t.len >> 16),
			(uint8_t)(t.len >> 8),
			(uint8_t)t.len,
		};

		if (t.has_failed)
			fprintf(stderr, "seed %u: %s\n", seed, t.why);
		ok = !t.has_failed && fwrite(len, sizeof(len), 1, file) == 1 &&
		     fwrite(t.log, t.len, 1, file) == 1;
		free(t.log);
	}
	if (file && fclose(file))
		ok = false;
	if (!ok)
		fprintf(stderr, "%s: not written\n", name);
	return !ok;
}

static int
replay_file(const char *name)
{
	FILE *file = fopen(name, "rb");
	unsigned int n = 0;
	bool ok = file != NULL;
	uint8_t len[4];

	while (ok && fread(len, sizeof(len), 1, file) == 1) {
		size_t size = (size_t)len[0] << 24 | (size_t)len[1] << 16 |
			      (size_t)len[2] << 8 | len[3];
		uint8_t *log = malloc(size);
		struct tape t;

		ok = log && fread(log, size, 1, file) == 1;
		if (ok) {
			t = replay(log, size);
			ok = !t.has_failed;
			if (!ok)
				fprintf(stderr, "log %u: %s\n", n, t.why);
			n++;
		}
		free(log);
	}
	if (file)
		fclose(file);
	printf("%u logs of %d replayed\n", n, NSEEDS);
	return !ok || n != NSEEDS;
}

/* What a run decided is, octet for octet, an input that decides it again. */
static int
write_seeds(const char *folder)
{
	bool ok = true;

	for (unsigned int seed = 1; ok && seed <= 12; seed++) {
		struct tape t = record(seed, NULL);
		struct tape_item item;
		size_t pos = 0, n = 0;
		char name[256];
		FILE *file;

		snprintf(name, sizeof(name), "%s/run_%u", folder, seed);
		file = fopen(name, "wb");
		ok = file != NULL;
		while (ok && n < 2048 && tape_next(t.log, t.len, &pos, &item)) {
			if (item.kind != TAPE_ARGUMENT &&
			    item.kind != TAPE_ANSWER)
				continue;
			n += item.noctets;
			ok = fwrite(item.octets, item.noctets, 1, file) == 1;
		}
		if (file && fclose(file))
			ok = false;
		free(t.log);
	}
	return !ok;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_random_runs_are_replayed_to_the_same_octets),
		cmocka_unit_test(test_random_runs_meet_every_drop_and_event),
		cmocka_unit_test(test_replay_sees_any_output_that_differs),
		cmocka_unit_test(
			test_replay_sees_a_driver_that_answers_otherwise),
		cmocka_unit_test(
			test_replay_sees_a_log_that_is_cut_short_or_goes_on),
		cmocka_unit_test(test_frame_to_the_zero_address_is_flooded),
	};

	if (argc == 1)
		return cmocka_run_group_tests(tests, NULL, NULL);
	if (argc == 3 && !strcmp(argv[1], "record"))
		return record_file(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "replay"))
		return replay_file(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "seeds"))
		return write_seeds(argv[2]);
	fprintf(stderr,
		"usage: %s [record FILE | replay FILE | seeds FOLDER]\n",
		argv[0]);
	return 2;
}
