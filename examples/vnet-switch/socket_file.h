/* SPDX-License-Identifier: BSD-2-Clause */
/* The file of a Unix socket that we listen at: ours to remove, while nobody has
 * put another one in its place. */
#ifndef SOCKET_FILE_H
#define SOCKET_FILE_H

#include <sys/types.h>

/* Zero for none. */
struct socket_file {
	dev_t dev;
	ino_t ino;
};

/* Keep in mind which file is at @path, where we have just made it. */
void socket_file_note(struct socket_file *file, const char *path);

/* Remove it, if it is still that. */
void socket_file_remove(const struct socket_file *file, const char *path);

#endif
