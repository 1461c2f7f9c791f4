/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON (RFC 8259) that is read where it lies: checked once, strictly, and then
 * looked at value by value. No memory is taken, and none of it is changed.
 *
 * Strictly: UTF-8 that is none, the character NUL, halves of surrogate pairs,
 * keys that occur twice in an object and text behind the value are refused, as
 * vnet-switch's control socket does (jansson, JSON_REJECT_DUPLICATES).
 */
#ifndef VNET_JSON_H
#define VNET_JSON_H

#include <vnet/types.h>

/* Objects and lists within each other, at the most. */
#define VNET_JSON_MAX_DEPTH 16

/* Keys of an object, and of all those that it lies in together, at the most. */
#define VNET_JSON_MAX_KEYS 128

enum vnet_json_type {
	VNET_JSON_NONE = 0, /* struct vnet_json of zeros: there is no value */
	VNET_JSON_OBJECT,
	VNET_JSON_LIST,
	VNET_JSON_STRING,
	VNET_JSON_NUMBER,   /* whole */
	VNET_JSON_FRACTION, /* any other number */
	VNET_JSON_TRUE,
	VNET_JSON_FALSE,
	VNET_JSON_NULL,
};

/* A value: from its first octet to behind its last. */
struct vnet_json {
	const char *at;
	const char *end;
};

/**
 * vnet_json_check() - is this one JSON value?
 * @v:		set on success; it is looked at where it is, in @text
 * @why:	filled on failure, its index the octet that is wrong; may be NULL
 *
 * Everything below is for values that come from here.
 *
 * Return: 0, or -EINVAL.
 */
int vnet_json_check(struct vnet_json *v, const char *text, size_t len,
		    struct vnet_why *why);

enum vnet_json_type vnet_json_type(struct vnet_json v);

/* "an object", "a list", ...; "nothing" where there is no value. */
const char *vnet_json_type_name(struct vnet_json v);

/* The value of a key of an object; none if it has no such key, or is none. */
struct vnet_json vnet_json_get(struct vnet_json object, const char *key);

/**
 * struct vnet_json_walk - a walk through an object or a list
 * @key:	of an object, the key as a string
 * @value:	what vnet_json_next() has found
 */
struct vnet_json_walk {
	struct vnet_json key;
	struct vnet_json value;
	const char *at;
	const char *end;
	bool is_object;
};

/* Of what is neither, there is nothing to be walked through. */
void vnet_json_begin(struct vnet_json_walk *w, struct vnet_json v);

/* Go to the next one. False behind the last. */
bool vnet_json_next(struct vnet_json_walk *w);

/* How many there are in an object or a list. */
size_t vnet_json_count(struct vnet_json v);

/* Is it that string? */
bool vnet_json_is(struct vnet_json string, const char *text);

/* The octets of a string, terminated by NUL. False if they do not fit into
 * @size octets with it; what is there then is as much as fits of its
 * characters. */
bool vnet_json_text(struct vnet_json string, char *text, size_t size);

/* False unless it is a whole number, not below 0, of 64 bits. */
bool vnet_json_number(struct vnet_json v, uint64_t *n);

/* The length of the character in UTF-8 (RFC 3629) that @len octets, one at the
 * least, begin with; 0 if they begin with none. */
size_t vnet_json_utf8(const char *p, size_t len);

#endif
