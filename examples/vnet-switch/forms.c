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
#include <time.h>

#include <vnet/grant.h>
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
_Static_assert(VNET_GRANT_NAME_SIZE == 32, "the text below says 31");

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

#define MAC_SIZE sizeof("xx:xx:xx:xx:xx:xx")

/* Write an address as it usually is. */
static bool
normalize_mac(const char *text, char normal[MAC_SIZE])
{
	char *to = normal;

	if (!is_like(text, "xx:xx:xx:xx:xx:xx") &&
	    !is_like(text, "xx-xx-xx-xx-xx-xx") &&
	    !is_like(text, "xxxx.xxxx.xxxx"))
		return false;
	memcpy(normal, "xx:xx:xx:xx:xx:xx", MAC_SIZE);
	for (; *text; text++) {
		if (!isxdigit((unsigned char)*text))
			continue;
		to += *to == ':';
		*to++ = (char)tolower((unsigned char)*text);
	}
	return true;
}

json_t *
form_mac(const char *text, const char **expected)
{
	char normal[MAC_SIZE];

	*expected = "an address of one station, as in 02:00:00:00:00:01";
	if (!normalize_mac(text, normal))
		return NULL;
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

json_t *
form_grant(const char *text, const char **expected)
{
	if (is_of(text, LETTERS DIGITS "_-", VNET_GRANT_NAME_SIZE - 1) &&
	    isalpha((unsigned char)*text))
		return json_string(text);
	*expected = "a letter, and up to 30 of A-Z a-z 0-9 _ -";
	return NULL;
}

/*
 * Prefixes
 */

/* An address of some family, and its bits that count. */
struct prefix {
	unsigned char octet[16];
	char host[INET6_ADDRSTRLEN]; /* as it is usually written */
	unsigned int bits;
	unsigned int width; /* of the whole address, in bits */
};

static bool
parse_mac(const char *text, struct prefix *p)
{
	p->width = 48;
	if (!normalize_mac(text, p->host))
		return false;
	for (size_t i = 0; i < 6; i++)
		p->octet[i] = (unsigned char)strtoul(p->host + 3 * i, NULL, 16);
	return true;
}

static bool
parse_ip(const char *text, int family, struct prefix *p)
{
	p->width = family == AF_INET ? 32 : 128;
	return inet_pton(family, text, p->octet) == 1 &&
	       inet_ntop(family, p->octet, p->host, sizeof(p->host));
}

static bool
parse_ipv4(const char *text, struct prefix *p)
{
	return parse_ip(text, AF_INET, p);
}

static bool
parse_ipv6(const char *text, struct prefix *p)
{
	return parse_ip(text, AF_INET6, p);
}

static bool
parse_any(const char *text, struct prefix *p)
{
	return parse_mac(text, p) || parse_ipv4(text, p) || parse_ipv6(text, p);
}

static bool
is_zero_behind(const struct prefix *p)
{
	for (unsigned int i = p->bits; i < p->width; i++)
		if (p->octet[i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

static bool
parse_prefix(const char *text,
	     bool (*parse)(const char *text, struct prefix *p),
	     struct prefix *p)
{
	const size_t len = strcspn(text, "/");
	char host[INET6_ADDRSTRLEN] = "";

	if (len >= sizeof(host) ||
	    (text[len] && !is_of(text + len + 1, DIGITS, 3)))
		return false;
	memcpy(host, text, len);
	if (!parse(host, p))
		return false;
	p->bits = text[len] ? (unsigned int)strtoul(text + len + 1, NULL, 10)
			    : p->width;
	return p->bits <= p->width && is_zero_behind(p);
}

static json_t *
prefix_text(const struct prefix *p)
{
	return p->bits == p->width ? json_string(p->host)
				   : json_sprintf("%s/%u", p->host, p->bits);
}

/* The last bit of the first octet says that it is a group's. */
static bool
is_group(const struct prefix *p)
{
	return p->bits >= 8 && p->octet[0] & 1;
}

json_t *
form_mac_prefix(const char *text, const char **expected)
{
	struct prefix p;

	*expected = "addresses of stations, as in 02:00:00:00:00:01 or "
		    "02:00:00:00:01:00/40, zero behind the prefix";
	return parse_prefix(text, parse_mac, &p) && !is_group(&p)
		       ? prefix_text(&p)
		       : NULL;
}

json_t *
form_ipv4_prefix(const char *text, const char **expected)
{
	struct prefix p;

	*expected = "addresses of IPv4, as in 10.0.0.1 or 10.0.0.0/24, zero "
		    "behind the prefix";
	return parse_prefix(text, parse_ipv4, &p) ? prefix_text(&p) : NULL;
}

json_t *
form_ipv6_prefix(const char *text, const char **expected)
{
	struct prefix p;

	*expected = "addresses of IPv6, as in fd00::1 or fd00::/64, zero "
		    "behind the prefix";
	return parse_prefix(text, parse_ipv6, &p) ? prefix_text(&p) : NULL;
}

/* Is all of it groups (RFC 5771, RFC 4291, 2.7)? */
static bool
has_groups_alone(const struct prefix *p)
{
	switch (p->width) {
	case 32:
		return p->bits >= 4 && p->octet[0] >> 4 == 14;
	case 48:
		return is_group(p);
	default:
		return p->bits >= 8 && p->octet[0] == 0xff;
	}
}

json_t *
form_multicast(const char *text, const char **expected)
{
	struct prefix p;

	*expected = "groups, as in 224.0.0.251, ff02::fb, 01:00:5e:00:00:fb or "
		    "239.1.0.0/16, zero behind the prefix";
	return parse_prefix(text, parse_any, &p) && has_groups_alone(&p)
		       ? prefix_text(&p)
		       : NULL;
}

json_t *
form_vlans(const char *text, const char **expected)
{
	const size_t len = strcspn(text, "-");
	unsigned long first, last;
	char digits[8] = "";

	*expected = "0 (without a tag), a VLAN id up to 4094, or FIRST-LAST";
	if (len >= sizeof(digits))
		return NULL;
	memcpy(digits, text, len);
	if (!is_of(digits, DIGITS, 4) ||
	    (text[len] && !is_of(text + len + 1, DIGITS, 4)))
		return NULL;
	first = strtoul(digits, NULL, 10);
	last = text[len] ? strtoul(text + len + 1, NULL, 10) : first;
	if (last > 4094 || first > last)
		return NULL;
	return first == last ? json_integer((json_int_t)first)
			     : json_sprintf("%lu-%lu", first, last);
}

/*
 * Time
 */

/* "Z", "+HH:MM" or "-HH:MM": how much is to be taken off, in seconds. */
static bool
parse_zone(const char *text, int *seconds)
{
	int hours, minutes;

	*seconds = 0;
	if (!strcmp(text, "Z"))
		return true;
	if ((*text != '+' && *text != '-') || !is_like(text + 1, "xx:xx") ||
	    sscanf(text + 1, "%2d:%2d", &hours, &minutes) != 2 || hours > 23 ||
	    minutes > 59)
		return false;
	*seconds = (hours * 60 + minutes) * (*text == '+' ? 60 : -60);
	return true;
}

static bool
parse_time(const char *text, time_t *time)
{
	static const char pattern[] = "xxxx-xx-xxTxx:xx:xx";
	const size_t len = sizeof(pattern) - 1;
	char head[sizeof(pattern)] = "";
	struct tm t = {0};
	const char *end;
	int zone, day;

	if (strlen(text) <= len)
		return false;
	memcpy(head, text, len);
	end = strptime(head, "%Y-%m-%dT%H:%M:%S", &t);
	if (!is_like(head, pattern) || !end || *end ||
	    !parse_zone(text + len, &zone))
		return false;
	day = t.tm_mday;
	*time = timegm(&t);
	/* The 31st of June is none: it has become the next day. */
	if (t.tm_mday != day || *time < 0)
		return false;
	*time -= zone;
	return *time > 0 && (int64_t)*time < UINT32_MAX;
}

json_t *
form_time(const char *text, const char **expected)
{
	char normal[sizeof("xxxx-xx-xxTxx:xx:xxZ")];
	struct tm t;
	time_t time;

	*expected = "a time with its zone, as in 2027-01-31T12:00:00Z or "
		    "2027-01-31T13:00:00+01:00";
	if (!parse_time(text, &time) || !gmtime_r(&time, &t) ||
	    !strftime(normal, sizeof(normal), "%Y-%m-%dT%H:%M:%SZ", &t))
		return NULL;
	return json_string(normal);
}

int64_t
form_seconds(const char *text)
{
	time_t time;

	return parse_time(text, &time) ? (int64_t)time : 0;
}
