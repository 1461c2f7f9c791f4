/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON, written into memory of the caller's. Commas are put in where they belong,
 * quotes and escapes too; that what is opened is closed is the caller's to see
 * to.
 *
 * What does not fit is left out, and said: is_full. A text may be written in
 * pieces: between two values the caller may take what is there, and set len to 0.
 */
#ifndef VNET_JSON_WRITER_H
#define VNET_JSON_WRITER_H

#include <vnet/types.h>

struct vnet_json_writer {
	char *text;
	size_t room;
	size_t len;
	bool is_behind; /* a value of the same object or list */
	bool is_full;
};

/* @open is "{" or "[". @key: in an object its key, in a list NULL; and so
 * below. */
void vnet_json_open(struct vnet_json_writer *w, const char *key, char open);
void vnet_json_close(struct vnet_json_writer *w, char close);

/* Octets that are no UTF-8 are written as U+FFFD each. */
void vnet_json_put_string(struct vnet_json_writer *w, const char *key,
			  const char *text);
void vnet_json_put_number(struct vnet_json_writer *w, const char *key,
			  uint64_t n);
void vnet_json_put_bool(struct vnet_json_writer *w, const char *key, bool b);
void vnet_json_put_null(struct vnet_json_writer *w, const char *key);
void vnet_json_put_mac(struct vnet_json_writer *w, const char *key,
		       struct vnet_mac mac);
/* @len octets that are a value already. */
void vnet_json_put_value(struct vnet_json_writer *w, const char *key,
			 const char *value, size_t len);

/* The end of a line, behind which a new value begins. */
void vnet_json_end_line(struct vnet_json_writer *w);

/* A number in digits, terminated; returns @text. */
#define VNET_NUMBER_SIZE 21
const char *vnet_number_text(uint64_t n, char text[VNET_NUMBER_SIZE]);

/* "02:00:00:00:00:01"; returns @text. */
#define VNET_MAC_TEXT_SIZE 18
const char *vnet_mac_text(struct vnet_mac mac, char text[VNET_MAC_TEXT_SIZE]);

#endif
