/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "socket_path.h"

#define NAME   "vnet-switch.sock"
#define FOLDER "/tmp/vnet-switch-"

static bool
is_root(void)
{
	struct stat st;

	return geteuid() == 0 && stat("/run", &st) == 0 && st.st_uid == 0;
}

/* Who we are outside of the user namespace that we are in: in theirs all users
 * are 0, and /tmp is the same for all. */
static unsigned int
outer_uid(void)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	const unsigned long uid = geteuid();
	unsigned long inside, outside, count, found = uid;

	while (map &&
	       fscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3)
		if (uid >= inside && uid - inside < count)
			found = outside + (uid - inside);
	if (map)
		fclose(map);
	return (unsigned int)found;
}

void
socket_path(char *path, size_t size)
{
	const char *folder = secure_getenv("XDG_RUNTIME_DIR");
	int n = -1;

	if (is_root()) {
		(void)snprintf(path, size, "/run/" NAME);
		return;
	}
	/* A relative one is to be ignored (XDG Base Directory, "Basics"). */
	if (folder && *folder == '/')
		n = snprintf(path, size, "%s/" NAME, folder);
	if (n < 0 || (size_t)n >= size)
		(void)snprintf(path, size, FOLDER "%u/" NAME, outer_uid());
}

int
socket_path_check(const char *path, bool make, struct complaint *c)
{
	char folder[sizeof(FOLDER "4294967295")];
	struct stat st;

	(void)snprintf(folder, sizeof(folder), FOLDER "%u", outer_uid());
	if (strncmp(path, folder, strlen(folder)) != 0 ||
	    strcmp(path + strlen(folder), "/" NAME) != 0)
		return 0;
	if (make && mkdir(folder, 0700) < 0 && errno != EEXIST)
		return complain(c, -errno, "socket %s: cannot make %s: %s",
				path, folder, strerror(errno));
	if (lstat(folder, &st) < 0)
		return errno == ENOENT && !make
			       ? 0
			       : complain(c, -errno,
					  "socket %s: cannot look at %s: %s",
					  path, folder, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_mode & (S_IRWXG | S_IRWXO))
		return complain(c, -EPERM,
				"socket %s: found %s of user %u, mode %04o, at "
				"%s, expected a folder of user %u, mode 0700: "
				"set XDG_RUNTIME_DIR, or use --socket",
				path,
				S_ISDIR(st.st_mode) ? "a folder" : "no folder",
				(unsigned int)st.st_uid,
				(unsigned int)st.st_mode & 07777, folder,
				(unsigned int)geteuid());
	return 0;
}
