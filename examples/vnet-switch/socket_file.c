/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>
#include <unistd.h>

#include "socket_file.h"

void
socket_file_note(struct socket_file *file, const char *path)
{
	struct stat st;

	*file = (struct socket_file){0};
	if (lstat(path, &st) == 0)
		*file = (struct socket_file){
			.dev = st.st_dev,
			.ino = st.st_ino,
		};
}

void
socket_file_remove(const struct socket_file *file, const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && st.st_dev == file->dev &&
	    st.st_ino == file->ino)
		(void)unlink(path);
}
