/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vnet/attach.h>
#include <vnet/stream.h>
#include <vnet/tap.h>
#include <vnet/uplink.h>

#include "opener.h"

/* How long another switch may take to answer. Whoever asks this one waits
 * meanwhile. */
#define ANSWER_MS 1000

/* Octets of a value that a complaint quotes: those of a socket's path. */
#define QUOTED 107

static const char *
string(const json_t *port, const char *key, const char *otherwise)
{
	const char *value = json_string_value(json_object_get(port, key));

	return value ? value : otherwise;
}

static const char *
name_of(const json_t *port)
{
	return string(port, "name", "?");
}

static const char *
interface_of(const json_t *port)
{
	return string(port, "interface", name_of(port));
}

static bool
is_type(const json_t *port, const char *type)
{
	return !strcmp(opener_type(port), type);
}

const char *
opener_type(const json_t *port)
{
	return string(port, "type", "tap");
}

const char *
opener_role(const json_t *port)
{
	return string(port, "role", is_type(port, "uplink") ? "uplink" : "vif");
}

bool
opener_listens(const json_t *port)
{
	return is_type(port, "stream") &&
	       !strcmp(string(port, "mode", "listen"), "listen");
}

bool
opener_is_session(const json_t *port)
{
	return is_type(port, "uplink") && string(port, "path", NULL);
}

/* "port NAME (KEY VALUE, ...)": with what the kernel may have to say about. */
static int
complain_port(const json_t *port, int r, const struct vnet_why *why,
	      struct complaint *c)
{
	static const char *const keys[] = {"interface", "netns", "path", "vif"};
	char what[COMPLAINT_SIZE];
	const char *before = " (";
	size_t len;

	len = (size_t)snprintf(what, sizeof(what), "port %s", name_of(port));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *value = string(port, keys[i], NULL);

		if (!value)
			continue;
		len += (size_t)snprintf(what + len, sizeof(what) - len,
					"%s%s %.*s", before, keys[i], QUOTED,
					value);
		before = ", ";
	}
	if (*before == ',')
		snprintf(what + len, sizeof(what) - len, ")");
	return complain_why(c, r, what, why);
}

/* Of an address; zero where there is none. */
static struct vnet_mac
mac_of(const json_t *port)
{
	const char *text = string(port, "mac", "00:00:00:00:00:00");
	struct vnet_mac mac = {{0}};

	for (int i = 0; i < 6 && strlen(text) >= 2; i++) {
		mac.octet[i] = (uint8_t)strtoul(text, NULL, 16);
		text += text[2] ? 3 : 2;
	}
	return mac;
}

static uint32_t
without_of(const json_t *port)
{
	static const struct {
		const char *name;
		uint32_t carries;
	} offloads[] = {
		{"csum", VNET_CARRIES_CSUM},
		{"tso4", VNET_CARRIES_TSO4},
		{"tso6", VNET_CARRIES_TSO6},
		{"uso", VNET_CARRIES_USO},
	};
	const json_t *name;
	uint32_t without = 0;
	size_t i;

	json_array_foreach(json_object_get(port, "without"), i, name)
		for (size_t k = 0; k < sizeof(offloads) / sizeof(*offloads);
		     k++)
			if (!strcmp(json_string_value(name), offloads[k].name))
				without |= offloads[k].carries;
	return without;
}

static bool
has(const json_t *list, const json_t *element)
{
	const json_t *other;
	size_t i;

	json_array_foreach(list, i, other)
		if (json_equal(other, element))
			return true;
	return false;
}

/* The texts of a list that another one does not have. They stay whose they are;
 * NULL if there is no memory. */
static const char **
texts(const json_t *list, const json_t *but, size_t *n)
{
	const char **all = calloc(json_array_size(list) + 1, sizeof(*all));
	const json_t *text;
	size_t i;

	*n = 0;
	if (!all)
		return NULL;
	json_array_foreach(list, i, text)
		if (!has(but, text))
			all[(*n)++] = json_string_value(text);
	return all;
}

static enum vnet_tap_mode
tap_mode(const json_t *port)
{
	const char *mode = string(port, "mode", "any");

	if (!strcmp(mode, "create"))
		return VNET_TAP_CREATE;
	return strcmp(mode, "attach") ? VNET_TAP_ANY : VNET_TAP_ATTACH;
}

/* One that others have set up is left as it is. */
static bool
wants_up(const json_t *port)
{
	const json_t *up = json_object_get(port, "up");

	return up ? json_is_true(up) : tap_mode(port) != VNET_TAP_ATTACH;
}

/* Does it say nothing of this, of an interface that others have set up? */
static bool
leaves(const json_t *port, const char *key)
{
	return tap_mode(port) == VNET_TAP_ATTACH && !json_object_get(port, key);
}

static int
open_tap(struct vnet_media *media, const json_t *port, struct vnet_medium **m,
	 struct complaint *c)
{
	struct vnet_tap_config config = {
		.size = sizeof(config),
		.name = interface_of(port),
		.mode = tap_mode(port),
		.netns = string(port, "netns", NULL),
		.mac = mac_of(port),
		.mtu = (uint32_t)json_integer_value(
			json_object_get(port, "mtu")),
		.up = wants_up(port),
		.persist = json_is_true(json_object_get(port, "persist")),
		.without = without_of(port),
	};
	const char **addresses;
	struct vnet_why why = {0};
	const uint32_t owner =
		(uint32_t)json_integer_value(json_object_get(port, "owner"));
	int r;

	if (json_object_get(port, "owner"))
		config.owner = &owner;
	addresses = texts(json_object_get(port, "addresses"), NULL,
			  &config.naddresses);
	if (!addresses)
		return complain(c, -ENOMEM, "no memory");
	config.addresses = addresses;
	r = vnet_tap_open(m, media, &config, &why);
	free(addresses);
	return r ? complain_port(port, r, &why, c) : 0;
}

static int
open_uplink(struct vnet_media *media, const json_t *port,
	    struct vnet_medium **m, struct complaint *c)
{
	const struct vnet_uplink_config config = {
		.size = sizeof(config),
		.name = interface_of(port),
		.netns = string(port, "netns", NULL),
		.own_only = json_is_true(json_object_get(port, "own_only")),
		.without = without_of(port),
	};
	struct vnet_why why = {0};
	int r = vnet_uplink_open(m, media, &config, &why);

	return r ? complain_port(port, r, &why, c) : 0;
}

/* What the switch there grants. One that knows of none grants all. */
static int
ask_grant(struct vnet_attach *a, struct vnet_grant *above, struct vnet_why *why)
{
	int r;

	above->size = sizeof(*above);
	r = vnet_attach_grant(a, above, why);
	if (r)
		above->size = 0;
	return r == -ENOENT || r == -EOPNOTSUPP ? 0 : r;
}

static int
open_session(struct vnet_media *media, const json_t *port,
	     struct vnet_medium **m, struct vnet_grant *above,
	     struct complaint *c)
{
	char text[VNET_ATTACH_TEXT_SIZE];
	const struct vnet_attach_config config = {
		.size = sizeof(config),
		.path = string(port, "path", ""),
		.vif = string(port, "vif", NULL),
		.carries = VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 |
			   VNET_CARRIES_TSO6 | VNET_CARRIES_USO,
		.timeout_ms = ANSWER_MS,
		.text = text,
	};
	struct vnet_attach *a = NULL;
	struct vnet_why why = {0};
	int r = vnet_attach_open(&a, &config, &why);

	if (!r) {
		r = ask_grant(a, above, &why);
		if (!r)
			r = vnet_attach_medium(m, media, a, &why);
		if (r)
			vnet_attach_close(a);
	}
	return r ? complain_port(port, r, &why, c) : 0;
}

int
opener_open(struct vnet_media *media, const json_t *port,
	    struct vnet_medium **m, int *listen_fd, struct vnet_grant *above,
	    struct complaint *c)
{
	const char *path = string(port, "path", "");
	struct vnet_why why = {0};
	int r;

	*listen_fd = -1;
	above->size = 0;
	if (is_type(port, "tap"))
		return open_tap(media, port, m, c);
	if (opener_is_session(port))
		return open_session(media, port, m, above, c);
	if (is_type(port, "uplink"))
		return open_uplink(media, port, m, c);
	if (!opener_listens(port)) {
		r = vnet_stream_connect(m, media, path, &why);
	} else {
		*m = NULL;
		r = vnet_stream_listen(path, listen_fd, &why);
	}
	return r ? complain_port(port, r, &why, c) : 0;
}

static bool
is_same(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

	return (!x && !y) || (x && y && json_equal(x, y));
}

bool
opener_is_other(const json_t *from, const json_t *to)
{
	static const char *const keys[] = {
		"netns",   "mode",    "path",  "vif",
		"without", "persist", "owner", "own_only",
	};

	if (strcmp(opener_type(from), opener_type(to)) != 0 ||
	    strcmp(interface_of(from), interface_of(to)) != 0)
		return true;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!is_same(from, to, keys[i]))
			return true;
	/* Only a new interface has the address that Linux gives it. */
	return json_object_get(from, "mac") && !json_object_get(to, "mac") &&
	       !leaves(to, "mac");
}

static bool
has_interface(const json_t *port)
{
	return is_type(port, "tap") ||
	       (is_type(port, "uplink") && !opener_is_session(port));
}

/* Where others connect, as far as it says so itself. */
static const char *
entrance_of(const json_t *port)
{
	return is_type(port, "attach") || opener_listens(port)
		       ? string(port, "path", NULL)
		       : NULL;
}

bool
opener_conflicts(const json_t *a, const json_t *b)
{
	if (has_interface(a) && has_interface(b))
		return !strcmp(interface_of(a), interface_of(b)) &&
		       is_same(a, b, "netns");
	return entrance_of(a) && entrance_of(b) &&
	       !strcmp(entrance_of(a), entrance_of(b)) &&
	       !(is_type(a, "attach") && is_type(b, "attach"));
}

/* All that is to be there is added again: with an address Linux may remove
 * others of its network. */
static int
change_tap(struct vnet_medium *m, const json_t *from, const json_t *to,
	   struct complaint *c)
{
	const json_t *before = json_object_get(from, "addresses");
	const json_t *after = json_object_get(to, "addresses");
	const json_t *mtu = json_object_get(to, "mtu");
	struct vnet_tap_change change = {.size = sizeof(change)};
	bool up = wants_up(to);
	const char **remove, **add;
	struct vnet_why why = {0};
	int r;

	if (!is_same(from, to, "mac"))
		change.mac = mac_of(to);
	if (!is_same(from, to, "mtu") && !leaves(to, "mtu"))
		change.mtu = mtu ? (uint32_t)json_integer_value(mtu)
				 : VNET_MTU_DEFAULT;
	if (!is_same(from, to, "up") && !leaves(to, "up"))
		change.up = &up;
	remove = texts(before, after, &change.nremove);
	add = texts(after, NULL, &change.nadd);
	if (!remove || !add) {
		r = complain(c, -ENOMEM, "no memory");
		goto free;
	}
	change.remove = remove;
	change.add = add;
	r = vnet_tap_change(m, &change, &why);
	if (r)
		complain_port(to, r, &why, c);
free:
	free(add);
	free(remove);
	return r;
}

int
opener_change(struct vnet_medium *m, const json_t *from, const json_t *to,
	      struct complaint *c)
{
	if (!is_type(to, "tap") ||
	    (is_same(from, to, "mac") && is_same(from, to, "mtu") &&
	     is_same(from, to, "addresses") && is_same(from, to, "up")))
		return 0;
	return change_tap(m, from, to, c);
}
