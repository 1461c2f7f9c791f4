/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <net/if.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <vnet/port.h>

#include "forms.h"

#define DIGITS "0123456789"
#define LETTERS                      \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Octets of a path that is opened (PATH_MAX), and of a file's name. */
#define PATH_SIZE      4096
#define FILE_NAME_SIZE 256

/* Of a struct sockaddr_un; Linux needs a NUL at its end. */
#define SOCKET_PATH_MAX 107

_Static_assert(SOCKET_PATH_MAX + 1 ==
		       sizeof(((struct sockaddr_un *)NULL)->sun_path),
	       "the text below says 107");
_Static_assert(VNET_PORT_NAME_SIZE == 32 && IFNAMSIZ == 16,
	       "the texts below say 31 and 15");

static bool
is_of(const char *text, const char *characters, size_t max)
{
	const size_t len = strspn(text, characters);

	return len >= 1 && len <= max && !text[len];
}

json_t *
form_name(const char *text, const char **expected)
{
	if (is_of(text, LETTERS DIGITS "._:@-", VNET_PORT_NAME_SIZE - 1))
		return json_string(text);
	*expected = "1 to 31 of A-Z a-z 0-9 . _ : @ -";
	return NULL;
}

/* dev_valid_name() of Linux, less what does not print; a "%" would have it make
 * up a name. */
json_t *
form_interface(const char *text, const char **expected)
{
	const size_t len = strlen(text);

	*expected = "the name of an interface: 1 to 15 octets without spaces, "
		    "\"/\", \":\" and \"%\"";
	if (len < 1 || len >= IFNAMSIZ || !strcmp(text, ".") ||
	    !strcmp(text, "..") || strpbrk(text, "/:%"))
		return NULL;
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return NULL;
	return json_string(text - len);
}

json_t *
form_netns(const char *text, const char **expected)
{
	const size_t max = strchr(text, '/') ? PATH_SIZE : FILE_NAME_SIZE;

	if (*text && strlen(text) < max && strcmp(text, ".") != 0 &&
	    strcmp(text, "..") != 0)
		return json_string(text);
	*expected = "a network namespace: a name, a process id or a path";
	return NULL;
}

/* Of the same characters, but that each "x" is a digit of base 16. */
static bool
is_like(const char *text, const char *pattern)
{
	for (; *pattern; pattern++, text++)
		if (*pattern == 'x' ? !isxdigit((unsigned char)*text)
				    : *text != *pattern)
			return false;
	return !*text;
}

json_t *
form_mac(const char *text, const char **expected)
{
	char normal[] = "xx:xx:xx:xx:xx:xx", *to = normal;

	*expected = "an address of one station, as in 02:00:00:00:00:01";
	if (!is_like(text, "xx:xx:xx:xx:xx:xx") &&
	    !is_like(text, "xx-xx-xx-xx-xx-xx") &&
	    !is_like(text, "xxxx.xxxx.xxxx"))
		return NULL;
	for (; *text; text++) {
		if (!isxdigit((unsigned char)*text))
			continue;
		to += *to == ':';
		*to++ = (char)tolower((unsigned char)*text);
	}
	/* The last bit of the first octet says that it is a group's. */
	if (!strcmp(normal, "00:00:00:00:00:00") ||
	    strchr("13579bdf", normal[1]))
		return NULL;
	return json_string(normal);
}

json_t *
form_address(const char *text, const char **expected)
{
	const size_t len = strcspn(text, "/");
	char host[INET6_ADDRSTRLEN] = "", normal[INET6_ADDRSTRLEN];
	unsigned char octets[16];
	unsigned long bits;
	int family = AF_INET;

	*expected = "ADDRESS/PREFIX, as in 10.0.0.1/24 or fd00::1/64";
	if (len >= sizeof(host) || !text[len] ||
	    !is_of(text + len + 1, DIGITS, 3))
		return NULL;
	memcpy(host, text, len);
	if (inet_pton(AF_INET, host, octets) != 1) {
		family = AF_INET6;
		if (inet_pton(AF_INET6, host, octets) != 1)
			return NULL;
	}
	bits = strtoul(text + len + 1, NULL, 10);
	if (bits > (family == AF_INET ? 32 : 128))
		return NULL;
	inet_ntop(family, octets, normal, sizeof(normal));
	return json_sprintf("%s/%lu", normal, bits);
}

/* Only in the file: elsewhere (nsswitch.conf) the answer may be waited for. */
static json_t *
find_user(const char *name)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd entry, *found = NULL;
	json_t *id = NULL;
	char text[4096];

	if (!f)
		return NULL;
	while (!id && fgetpwent_r(f, &entry, text, sizeof(text), &found) == 0)
		if (!strcmp(found->pw_name, name))
			id = json_integer(found->pw_uid);
	(void)fclose(f);
	return id;
}

/* Likewise. */
static json_t *
find_group(const char *name)
{
	FILE *f = fopen("/etc/group", "re");
	struct group entry, *found = NULL;
	json_t *id = NULL;
	char text[65536]; /* a line has all members */

	if (!f)
		return NULL;
	while (!id && fgetgrent_r(f, &entry, text, sizeof(text), &found) == 0)
		if (!strcmp(found->gr_name, name))
			id = json_integer(found->gr_gid);
	(void)fclose(f);
	return id;
}

/* An id in digits, or what @find knows by that name. */
static json_t *
find_id(const char *text, json_t *(*find)(const char *name))
{
	unsigned long long id;

	if (!is_of(text, DIGITS, 10))
		return find(text);
	id = strtoull(text, NULL, 10);
	/* The last one stands for none. */
	return id < UINT32_MAX ? json_integer((json_int_t)id) : NULL;
}

json_t *
form_user(const char *text, const char **expected)
{
	*expected = "a user id from 0 to 4294967294, or the name of a user in "
		    "/etc/passwd";
	return find_id(text, find_user);
}

json_t *
form_group(const char *text, const char **expected)
{
	*expected = "a group id from 0 to 4294967294, or the name of a group "
		    "in /etc/group";
	return find_id(text, find_group);
}

json_t *
form_socket_path(const char *text, const char **expected)
{
	if (*text && strlen(text) <= SOCKET_PATH_MAX)
		return json_string(text);
	*expected = "the path of a Unix socket, 1 to 107 octets";
	return NULL;
}
