/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames from a file that somebody has captured: pcap or pcapng, by libpcap. */
#ifndef FRAME_FILE_H
#define FRAME_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

struct frame_file;

/**
 * struct captured - a frame of a file
 * @data:	its octets, @kept of @len; valid until the next one is read
 * @time:	nanoseconds since 1970
 */
struct captured {
	const uint8_t *data;
	uint32_t kept;
	uint32_t len;
	uint64_t time;
};

/* @path of "-" is standard input. Frames that are not Ethernet are refused. */
enum status frame_file_open(struct frame_file **file, const char *path,
			    struct complaint *c);

/* The next frame; *@end is set where there is none. */
enum status frame_file_next(struct frame_file *file, struct captured *frame,
			    bool *end, struct complaint *c);

/* NULL is nothing to do. */
void frame_file_close(struct frame_file *file);

#endif
