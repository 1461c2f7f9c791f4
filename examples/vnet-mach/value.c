/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "value.h"

/* What a digit is worth, 16 if it is none. */
static unsigned int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

/* Read a number, and go on behind it. */
static bool
read_number(const char **s, uint64_t max, uint64_t *number)
{
	const char *p = *s, *first;
	unsigned int base = 10;
	uint64_t n = 0;

	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	for (first = p; digit(*p) < base; p++) {
		/* No further than this is anything asked for: n * 16 fits. */
		if (n > UINT64_C(1) << 56)
			return false;
		n = n * base + digit(*p);
	}
	if (p == first || n > max)
		return false;
	*number = n;
	*s = p;
	return true;
}

bool
value_number(const char *s, uint64_t min, uint64_t max, uint64_t *number)
{
	uint64_t n;

	if (!read_number(&s, max, &n) || *s || n < min)
		return false;
	*number = n;
	return true;
}

static bool
read_octet(const char **s, uint8_t *octet)
{
	unsigned int high = digit((*s)[0]), low = 16;

	if (high < 16)
		low = digit((*s)[1]);
	if (low == 16)
		return false;
	*octet = (uint8_t)(high << 4 | low);
	*s += 2;
	return true;
}

bool
value_octets(const char *s, uint8_t *octets, size_t n)
{
	while (n && read_octet(&s, octets)) {
		octets++;
		n--;
	}
	return !n && !*s;
}

bool
value_mac(const char *s, struct vnet_mac *mac)
{
	static const struct vnet_mac none;
	struct vnet_mac read;

	for (int i = 0; i < 6; i++) {
		if (i && *s++ != ':')
			return false;
		if (!read_octet(&s, &read.octet[i]))
			return false;
	}
	if (*s || read.octet[0] & 1 || !memcmp(&read, &none, sizeof(none)))
		return false;
	*mac = read;
	return true;
}

static bool
is_separator(char c)
{
	return c == '/' || c == ',';
}

/* Go on behind @word, if that is what is there: up to the end, or a separator. */
static bool
skip_word(const char **s, const char *word)
{
	const char *p = *s;

	while (*word && *p == *word) {
		p++;
		word++;
	}
	if (*word || (*p && !is_separator(*p)))
		return false;
	*s = p;
	return true;
}

static bool
read_verdict(const char **s, enum vnet_verdict *verdict)
{
	if (skip_word(s, "pass"))
		*verdict = VNET_PASS;
	else if (skip_word(s, "drop"))
		*verdict = VNET_DROP;
	else
		return false;
	return true;
}

bool
value_verdict(const char *s, enum vnet_verdict *verdict)
{
	enum vnet_verdict read;

	if (!read_verdict(&s, &read) || *s)
		return false;
	*verdict = read;
	return true;
}

/* A separator and a number. */
static bool
read_next(const char **s, uint32_t max, uint64_t *number)
{
	if (!is_separator(**s))
		return false;
	(*s)++;
	return read_number(s, max, number);
}

static bool
read_insn(const char **s, struct vnet_bpf_insn *insn)
{
	uint64_t code, jt, jf, k;

	if (!read_next(s, UINT16_MAX, &code) || !read_next(s, UINT8_MAX, &jt) ||
	    !read_next(s, UINT8_MAX, &jf) || !read_next(s, UINT32_MAX, &k))
		return false;
	*insn = (struct vnet_bpf_insn){
		.code = (uint16_t)code,
		.jt = (uint8_t)jt,
		.jf = (uint8_t)jf,
		.k = (uint32_t)k,
	};
	return true;
}

bool
value_filter(const char *s, enum vnet_verdict *verdict,
	     struct vnet_bpf_insn *insns, size_t max, size_t *n,
	     const char **why)
{
	uint64_t count;

	*why = "expected pass or drop, and behind a slash a program";
	if (!read_verdict(&s, verdict) || !read_next(&s, UINT32_MAX, &count))
		return false;
	*why = "too many instructions";
	if (count > max)
		return false;
	*why = "a program is a number, and four for each of so many "
	       "instructions";
	for (size_t i = 0; i < count; i++)
		if (!read_insn(&s, &insns[i]))
			return false;
	/* What a newline at the end became. */
	if (is_separator(*s))
		s++;
	*n = (size_t)count;
	return count && !*s;
}

static bool
read_traffic(const char **s, enum vnet_traffic *traffic)
{
	static const char *const kinds[VNET_NTRAFFIC] = {
		[VNET_TRAFFIC_ALL] = "all",
		[VNET_TRAFFIC_BROADCAST] = "broadcast",
		[VNET_TRAFFIC_MULTICAST] = "multicast",
		[VNET_TRAFFIC_UNKNOWN] = "unknown",
	};

	for (unsigned int i = 0; i < VNET_NTRAFFIC; i++) {
		if (skip_word(s, kinds[i])) {
			*traffic = (enum vnet_traffic)i;
			return true;
		}
	}
	return false;
}

/* Go on behind "key=", if that is what is there. */
static bool
skip_key(const char **s, const char *key)
{
	size_t n = strlen(key);

	if (strncmp(*s, key, n) != 0 || (*s)[n] != '=')
		return false;
	*s += n + 1;
	return true;
}

static bool
read_bound(const char **s, struct vnet_limit *l)
{
	uint64_t *field, max = VNET_LIMIT_RATE_MAX;

	if (skip_key(s, "frames_per_s")) {
		field = &l->frames_per_s;
	} else if (skip_key(s, "octets_per_s")) {
		field = &l->octets_per_s;
	} else {
		max = VNET_LIMIT_BURST_MAX;
		if (skip_key(s, "burst_frames"))
			field = &l->burst_frames;
		else if (skip_key(s, "burst_octets"))
			field = &l->burst_octets;
		else
			return false;
	}
	return read_number(s, max, field) && *field;
}

bool
value_limit(const char *s, enum vnet_traffic *traffic, struct vnet_limit *limit)
{
	*traffic = VNET_TRAFFIC_ALL;
	*limit = (struct vnet_limit){.size = sizeof(*limit)};
	if (read_traffic(&s, traffic) && !is_separator(*s++))
		return false;
	while (read_bound(&s, limit))
		if (!is_separator(*s++))
			return !s[-1] &&
			       (limit->frames_per_s || limit->octets_per_s);
	return false;
}

/*
 * Names with keys
 */

/* Octets up to the end or a separator with a letter behind. */
static size_t
length_of_word(const char *s)
{
	size_t n = 0;

	while (s[n] && !(is_separator(s[n]) && digit(s[n + 1]) > 9 &&
			 s[n + 1] >= 'a' && s[n + 1] <= 'z'))
		n++;
	return n;
}

static size_t
length_of_key(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] != '=')
		n++;
	return n;
}

static bool
copy_name(char name[OPTIONS_NAME_SIZE], const char *s, size_t len)
{
	if (!len || len >= OPTIONS_NAME_SIZE)
		return false;
	memcpy(name, s, len);
	name[len] = '\0';
	return true;
}

bool
value_grant(const char *s, struct options_grant *grant, const char **why)
{
	size_t n = length_of_word(s), key;

	*why = "expected a name of 1 to 31 octets, and behind slashes keys "
	       "with their values";
	memset(grant, 0, sizeof(*grant));
	if (!copy_name(grant->form.name, s, n))
		return false;
	for (s += n; *s; s += n) {
		s++;
		n = length_of_word(s);
		key = length_of_key(s, n);
		if (key == n)
			return false;
		if (key == 6 && !strncmp(s, "parent", 6)) {
			if (!copy_name(grant->parent, s + 7, n - 7))
				return false;
			continue;
		}
		*why = vnet_grant_form_add(&grant->form, s, key, s + key + 1,
					   n - key - 1);
		if (*why)
			return false;
	}
	return true;
}

bool
value_principal(const char *s, struct options_principal *principal)
{
	size_t n = length_of_word(s);
	uint64_t number;
	uint32_t *field;

	memset(principal, 0, sizeof(*principal));
	if (!copy_name(principal->name, s, n))
		return false;
	for (s += n; *s;) {
		s++;
		if (skip_key(&s, "task"))
			field = &principal->task;
		else if (skip_key(&s, "right"))
			field = &principal->right;
		else if (skip_key(&s, "max_opens"))
			field = &principal->max_opens;
		else
			return false;
		if (!read_number(&s, UINT32_MAX, &number) || !number ||
		    (*s && !is_separator(*s)))
			return false;
		*field = (uint32_t)number;
	}
	return !principal->task == !principal->right;
}
