/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "frame_file.h"

struct frame_file {
	const char *path;
	pcap_t *pcap;
};

/* What libpcap says of it does not tell these apart from others. */
static enum status
check_file(FILE *f, const char *path, struct complaint *c)
{
	int first = getc(f);

	if (first == EOF && ferror(f))
		return complain(c, FAILED, "%s: %s", path, strerror(errno));
	if (first == EOF)
		return complain(c, FAILED, "%s: it is empty", path);
	ungetc(first, f);
	return DONE;
}

static enum status
open_pcap(struct frame_file *file, FILE *f, struct complaint *c)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	const char *type;

	file->pcap = pcap_fopen_offline_with_tstamp_precision(
		f, PCAP_TSTAMP_PRECISION_NANO, error);
	if (!file->pcap) {
		if (f != stdin)
			fclose(f);
		return complain(c, FAILED, "%s: it is no capture: %s",
				file->path, error);
	}
	if (pcap_datalink(file->pcap) == DLT_EN10MB)
		return DONE;
	type = pcap_datalink_val_to_name(pcap_datalink(file->pcap));
	return complain(c, FAILED,
			"%s: its frames are %s, expected Ethernet (EN10MB)",
			file->path, type ? type : "of an unknown kind");
}

enum status
frame_file_open(struct frame_file **file, const char *path, struct complaint *c)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "rbe");
	struct frame_file *new;
	enum status status;

	if (!f)
		return complain(c, FAILED, "%s: %s", path, strerror(errno));
	status = check_file(f, path, c);
	new = status ? NULL : calloc(1, sizeof(*new));
	if (!new) {
		if (!is_stdin)
			fclose(f);
		if (!status)
			complain(c, FAILED, "no memory for a file");
		return FAILED;
	}
	new->path = path;
	status = open_pcap(new, f, c);
	if (status)
		frame_file_close(new);
	else
		*file = new;
	return status;
}

enum status
frame_file_next(struct frame_file *file, struct captured *frame, bool *end,
		struct complaint *c)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int r = pcap_next_ex(file->pcap, &header, &data);

	*end = r == PCAP_ERROR_BREAK;
	if (*end)
		return DONE;
	if (r != 1)
		return complain(c, FAILED, "%s: %s", file->path,
				pcap_geterr(file->pcap));
	*frame = (struct captured){
		.data = data,
		.kept = header->caplen,
		.len = header->len,
		/* With that precision, tv_usec has nanoseconds. */
		.time = (uint64_t)header->ts.tv_sec * 1000000000 +
			(uint64_t)header->ts.tv_usec,
	};
	/* A file may say anything. */
	if (frame->len < frame->kept)
		frame->len = frame->kept;
	return DONE;
}

void
frame_file_close(struct frame_file *file)
{
	if (!file)
		return;
	if (file->pcap)
		pcap_close(file->pcap);
	free(file);
}
