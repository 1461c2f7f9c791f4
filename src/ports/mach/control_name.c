/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "control_name.h"

/* Octets before the last '/', SIZE_MAX if there is none. */
static size_t
last_slash(const char *name)
{
	size_t at = SIZE_MAX;

	for (size_t i = 0; name[i]; i++)
		if (name[i] == '/')
			at = i;
	return at;
}

/* The number that a text is, UINT64_MAX if it is none. */
static uint64_t
read_index(const char *text)
{
	uint64_t n = 0;

	if (!*text)
		return UINT64_MAX;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || n > UINT32_MAX)
			return UINT64_MAX;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	return n;
}

static void
append(char *to, size_t size, const char *text)
{
	size_t len = 0;

	while (to[len])
		len++;
	while (*text && len < size - 1)
		to[len++] = *text++;
	to[len] = '\0';
}

void
vnet_control_port_name(const struct vnet_switch *sw, vnet_port_id id,
		       char name[VNET_PORT_NAME_SIZE])
{
	struct vnet_port_info info = {.size = sizeof(info)};

	name[0] = '\0';
	if (!vnet_port_get(sw, id, &info))
		memcpy(name, info.name, VNET_PORT_NAME_SIZE);
}

void
vnet_control_client_name(const struct vnet_switch *sw, vnet_client_id id,
			 char name[VNET_CLIENT_NAME_SIZE])
{
	struct vnet_client_info client = {.size = sizeof(client)};
	struct vnet_port_info port = {.size = sizeof(port)};

	name[0] = '\0';
	if (vnet_client_get(sw, id, &client) ||
	    vnet_port_get(sw, client.port, &port))
		return;
	append(name, VNET_CLIENT_NAME_SIZE, port.name);
	if (port.role == VNET_ROLE_UPLINK)
		return;
	append(name, VNET_CLIENT_NAME_SIZE, "/");
	append(name, VNET_CLIENT_NAME_SIZE,
	       vnet_text_of_number(client.index).text);
}

vnet_port_id
vnet_control_find_port(const struct vnet_switch *sw, const char *name,
		       struct vnet_complaint *c)
{
	vnet_port_id id = vnet_port_find(sw, name);

	if (id == VNET_NO_ID)
		vnet_complain(c, -ENOENT, "there is no port ", name, NULL);
	return id;
}

vnet_client_id
vnet_control_client_from(const struct vnet_switch *sw, vnet_port_id port,
			 uint32_t *index)
{
	struct vnet_client_info info = {.size = sizeof(info)};
	vnet_client_id id = VNET_NO_ID;

	while ((id = vnet_client_next(sw, port, id)) != VNET_NO_ID)
		if (!vnet_client_get(sw, id, &info) && info.index >= *index) {
			*index = info.index;
			return id;
		}
	return VNET_NO_ID;
}

static vnet_client_id
only_client(const struct vnet_switch *sw, vnet_port_id port, const char *name,
	    struct vnet_complaint *c)
{
	vnet_client_id id = vnet_client_next(sw, port, VNET_NO_ID);
	char one[VNET_CLIENT_NAME_SIZE];

	if (id == VNET_NO_ID) {
		vnet_complain(c, -ENOENT, "port ", name, " has no client",
			      NULL);
	} else if (vnet_client_next(sw, port, id) != VNET_NO_ID) {
		vnet_control_client_name(sw, id, one);
		vnet_complain(c, -ENOENT, "port ", name,
			      " has several clients: which one? ", one,
			      " is one", NULL);
		id = VNET_NO_ID;
	}
	return id;
}

/* By PORT/INDEX; VNET_NO_ID if it is not called so. */
static vnet_client_id
find_numbered(const struct vnet_switch *sw, const char *name)
{
	char port[VNET_PORT_NAME_SIZE];
	size_t slash = last_slash(name);
	vnet_client_id id;
	uint64_t wanted;
	uint32_t index;

	if (slash >= sizeof(port))
		return VNET_NO_ID;
	memcpy(port, name, slash);
	port[slash] = '\0';
	wanted = read_index(name + slash + 1);
	if (wanted > UINT32_MAX)
		return VNET_NO_ID;
	index = (uint32_t)wanted;
	id = vnet_control_client_from(sw, vnet_port_find(sw, port), &index);
	return index == wanted ? id : VNET_NO_ID;
}

vnet_client_id
vnet_control_find_client(const struct vnet_switch *sw, const char *name,
			 struct vnet_complaint *c)
{
	vnet_port_id port = vnet_port_find(sw, name);
	vnet_client_id id;

	if (port != VNET_NO_ID)
		return only_client(sw, port, name, c);
	id = find_numbered(sw, name);
	if (id == VNET_NO_ID)
		vnet_complain(c, -ENOENT, "there is no client ",
			      vnet_text_quoted(name).text, NULL);
	return id;
}

bool
vnet_control_is_client(const struct vnet_switch *sw, const char *name)
{
	return vnet_port_find(sw, name) == VNET_NO_ID &&
	       last_slash(name) != SIZE_MAX;
}
