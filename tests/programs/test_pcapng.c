/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include <pcap/pcap.h>

#include "pcapng.h"
#include "pcapng_reader.h"

#define TIME      UINT64_C(1700000000123456789)
#define FULL_SIZE 1514

/* An ARP request, and what would make it longer. */
static const uint8_t octets[FULL_SIZE] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 8, 6,
	0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 1,
	10,   0,    0,    1,    0,    0,    0, 0, 0, 0, 10, 0, 0, 2,
};

static void
write_packet(struct evbuffer *b, uint32_t kept, uint32_t len, bool out,
	     uint64_t lost)
{
	const struct pcapng_packet p = {
		.time = TIME + kept,
		.data = octets,
		.kept = kept,
		.len = len,
		.direction = out ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
		.lost = lost,
	};

	assert_int_equal(pcapng_put_packet(b, &p), 0);
}

/* A capture with three packets. */
static struct evbuffer *
write_all(void)
{
	static const struct pcapng_statistics s = {
		.begin = TIME,
		.end = TIME + 1000,
		.received = 9,
		.accepted = 7,
		.dropped = 4,
	};
	struct evbuffer *b = evbuffer_new();

	assert_non_null(b);
	assert_int_equal(pcapng_begin(b, "vnet-switch", "web", "arp", 262144),
			 0);
	write_packet(b, 42, 42, false, 0);
	write_packet(b, 61, FULL_SIZE, true, 4);
	write_packet(b, FULL_SIZE, FULL_SIZE, false, 0);
	assert_int_equal(pcapng_put_statistics(b, &s), 0);
	return b;
}

static void
assert_text(const struct pcapng_block *b, uint16_t code, const char *text,
	    size_t skip)
{
	uint16_t len;
	const uint8_t *p = pcapng_option(b, code, &len);

	assert_non_null(p);
	assert_int_equal(len, strlen(text) + skip);
	assert_memory_equal(p + skip, text, strlen(text));
}

static void
test_blocks_are_as_specified(void **state)
{
	struct evbuffer *buf = write_all();
	const uint8_t *at = evbuffer_pullup(buf, -1);
	const uint8_t *end = at + evbuffer_get_length(buf);
	struct pcapng_block b;
	uint16_t len;

	(void)state;
	assert_true(pcapng_next(&at, end, &b));
	assert_int_equal(b.type, PCAPNG_SECTION);
	assert_text(&b, 4, "vnet-switch", 0);
	assert_true(pcapng_next(&at, end, &b));
	assert_int_equal(b.type, PCAPNG_INTERFACE);
	assert_int_equal(b.len, 262144);
	assert_text(&b, 2, "web", 0);
	assert_text(&b, 11, "arp", 1);
	assert_int_equal(*pcapng_option(&b, 9, &len), 9);

	assert_true(pcapng_next(&at, end, &b));
	assert_int_equal(b.kept, 42);
	assert_true(b.time == TIME + 42);
	assert_int_equal(pcapng_number(&b, 2), 1);
	assert_null(pcapng_option(&b, 4, &len));
	assert_true(pcapng_next(&at, end, &b));
	assert_int_equal(b.kept, 61);
	assert_int_equal(b.len, FULL_SIZE);
	assert_int_equal(pcapng_number(&b, 2), 2);
	assert_int_equal(pcapng_number(&b, 4), 4);
	assert_true(pcapng_next(&at, end, &b));
	assert_int_equal(b.kept, FULL_SIZE);
	assert_memory_equal(b.data, octets, FULL_SIZE);

	assert_true(pcapng_next(&at, end, &b));
	assert_int_equal(b.type, PCAPNG_STATISTICS);
	assert_true(b.time == TIME + 1000);
	assert_int_equal(pcapng_number(&b, 4), 9);
	assert_int_equal(pcapng_number(&b, 5), 4);
	assert_int_equal(pcapng_number(&b, 6), 7);
	assert_ptr_equal(at, end);
	evbuffer_free(buf);
}

/* Names are bounded elsewhere, but not here. */
static void
test_a_text_of_any_length_is_cut(void **state)
{
	char *text = malloc(200001);
	struct evbuffer *buf = evbuffer_new();
	const uint8_t *at, *end;
	struct pcapng_block b;
	uint16_t len;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 200000);
	text[200000] = '\0';
	assert_int_equal(pcapng_begin(buf, text, text, text, 96), 0);
	at = evbuffer_pullup(buf, -1);
	end = at + evbuffer_get_length(buf);
	assert_true(pcapng_next(&at, end, &b));
	assert_non_null(pcapng_option(&b, 4, &len));
	assert_int_equal(len, 65000);
	assert_true(pcapng_next(&at, end, &b));
	assert_non_null(pcapng_option(&b, 11, &len));
	assert_int_equal(len, 65001);
	assert_ptr_equal(at, end);
	evbuffer_free(buf);
	free(text);
}

/* Every length from none on, so that all paddings occur. */
static void
test_padding_keeps_blocks_aligned(void **state)
{
	struct evbuffer *buf = evbuffer_new();
	struct pcapng_block b;
	const uint8_t *at, *end;

	(void)state;
	for (uint32_t len = 0; len < 64; len++)
		write_packet(buf, len, len, false, len % 3);
	at = evbuffer_pullup(buf, -1);
	end = at + evbuffer_get_length(buf);
	for (uint32_t len = 0; len < 64; len++) {
		assert_true(pcapng_next(&at, end, &b));
		assert_int_equal(b.kept, len);
		assert_memory_equal(b.data, octets, len);
		assert_int_equal(pcapng_number(&b, 4), len % 3);
	}
	assert_ptr_equal(at, end);
	evbuffer_free(buf);
}

static void
write_file(char *path)
{
	struct evbuffer *buf = write_all();
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	while (evbuffer_get_length(buf))
		assert_true(evbuffer_write(buf, fd) > 0);
	close(fd);
	evbuffer_free(buf);
}

static void
test_libpcap_reads_it(void **state)
{
	char path[] = "/tmp/vnet-pcapng-XXXXXX", error[PCAP_ERRBUF_SIZE];
	static const unsigned int kept[] = {42, 61, FULL_SIZE};
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p;

	(void)state;
	write_file(path);
	p = pcap_open_offline_with_tstamp_precision(
		path, PCAP_TSTAMP_PRECISION_NANO, error);
	unlink(path);
	if (!p)
		fail_msg("%s", error);
	assert_int_equal(pcap_datalink(p), DLT_EN10MB);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(pcap_next_ex(p, &h, &data), 1);
		assert_int_equal(h->caplen, kept[i]);
		assert_int_equal(h->len, i ? FULL_SIZE : 42);
		assert_int_equal(h->ts.tv_sec, 1700000000);
		assert_int_equal(h->ts.tv_usec, 123456789 + kept[i]);
		assert_memory_equal(data, octets, kept[i]);
	}
	assert_int_equal(pcap_next_ex(p, &h, &data), PCAP_ERROR_BREAK);
	pcap_close(p);
}

/* How many lines of what @command says have @text in them; -1 if there is no
 * such command. */
static int
count_lines(const char *command, const char *text)
{
	char line[1024];
	FILE *f = popen(command, "r");
	int n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	return pclose(f) ? -1 : n;
}

static void
test_other_programs_read_it(void **state)
{
	char path[] = "/tmp/vnet-pcapng-XXXXXX", command[128];
	int tcpdump, tshark;

	(void)state;
	write_file(path);
	(void)snprintf(command, sizeof(command), "tcpdump -nr %s 2>/dev/null",
		       path);
	tcpdump = count_lines(command, "who-has 10.0.0.2");
	(void)snprintf(command, sizeof(command), "tshark -nr %s 2>/dev/null",
		       path);
	tshark = count_lines(command, "ARP");
	unlink(path);
	if (tcpdump < 0 && tshark < 0)
		skip();
	assert_true(tcpdump < 0 || tcpdump == 3);
	assert_true(tshark < 0 || tshark == 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_are_as_specified),
		cmocka_unit_test(test_a_text_of_any_length_is_cut),
		cmocka_unit_test(test_padding_keeps_blocks_aligned),
		cmocka_unit_test(test_libpcap_reads_it),
		cmocka_unit_test(test_other_programs_read_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
