/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of a request, by tables of the keys that they may have: each value of
 * its form and within its bounds, nothing unknown, nothing left out that has to
 * be there.
 */
#ifndef VNET_CONTROL_KEYS_H
#define VNET_CONTROL_KEYS_H

#include "complaint.h"

enum vnet_control_form {
	VNET_FORM_NUMBER, /* into a uint64_t */
	VNET_FORM_BOOL,   /* a bool */
	VNET_FORM_CHOICE, /* a size_t, the index of the choice */
	VNET_FORM_TEXT,   /* a char[max + 1], 1 to max octets */
	VNET_FORM_NAME,   /* likewise: one that something new may have */
	VNET_FORM_MAC,    /* a struct vnet_mac: no group, not zero */
	VNET_FORM_OBJECT, /* a struct vnet_json */
	VNET_FORM_LIST,   /* likewise */
	VNET_FORM_GRANT,  /* a struct vnet_grant_form: one value, or a list */
	VNET_FORM_ANY,    /* nowhere: others look at it */
};

/**
 * struct vnet_control_key - what an object may hold
 * @form:	which type the place has that it is read into
 * @offset:	of that place
 * @min, @max:	of a number; @max of a text, its octets
 * @choices:	of a choice, ended by NULL
 * @is_required: it must be there
 */
struct vnet_control_key {
	const char *name;
	enum vnet_control_form form;
	size_t offset;
	uint64_t min;
	uint64_t max;
	const char *const *choices;
	bool is_required;
};

/* The first three, of a key that is called as the member it is read into. */
#define VNET_KEY(FORM, type, member)               \
	.name = #member, .form = VNET_FORM_##FORM, \
	.offset = offsetof(type, member)

/**
 * vnet_control_read() - read an object
 * @keys:	ended by one without a name
 * @p:		where the object is, for complaints; may be NULL
 * @to:		whose places are filled of the keys that are there; the others
 *		stay as they are
 * @given:	bit i is set if the i-th key is there, if not NULL
 *
 * Return: 0, or -EINVAL with @c.
 */
int vnet_control_read(struct vnet_json object,
		      const struct vnet_control_key *keys,
		      const struct vnet_place *p, void *to, uint32_t *given,
		      struct vnet_complaint *c);

/* "a, b or c". */
struct vnet_choices {
	char text[128];
};
struct vnet_choices vnet_control_choices(const char *const *choices);

/* The index of a choice, that of the NULL at the end where it is none. */
size_t vnet_control_choice(const char *const *choices, const char *text);

/* "02:00:00:00:00:01", digits of any case, colons or hyphens. */
bool vnet_control_read_mac(const char *text, struct vnet_mac *mac);

#endif
