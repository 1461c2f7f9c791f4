/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with what somebody asked for, in words for them: those of
 * vnet-switch, where it would say the same.
 */
#ifndef VNET_COMPLAINT_H
#define VNET_COMPLAINT_H

#include "json.h"
#include "json_writer.h"

/* Octets of a message, with the terminating NUL; a longer one is cut. */
#define VNET_COMPLAINT_SIZE 512

/* Octets of what somebody has sent that a complaint quotes. */
#define VNET_QUOTED 40

/* One line without its end. Octets that do not print are '?' in it. */
struct vnet_complaint {
	char text[VNET_COMPLAINT_SIZE];
};

/* Write one of texts, up to a NULL; returns @error (-errno). */
int vnet_complain(struct vnet_complaint *c, int error, const char *first, ...)
	__attribute__((sentinel));

/* What libvnet said: "WHAT: TEXT: found N, bound N: ERROR", as far as these say
 * something. */
int vnet_complain_why(struct vnet_complaint *c, int error, const char *what,
		      const struct vnet_why *why);

/* Where in a request: "filters[2].insns", of places from the outermost. */
struct vnet_place {
	const struct vnet_place *up;
	const char *key; /* or NULL: an element of a list */
	size_t index;
};

/* "PLACE: TEXTS". @p may be NULL. Returns -EINVAL. */
int vnet_complain_at(struct vnet_complaint *c, const struct vnet_place *p,
		     const char *first, ...) __attribute__((sentinel));

/* Pieces of these texts, as values: vnet_text_of(v).text. */
struct vnet_text {
	char text[VNET_QUOTED + 8];
};

struct vnet_text vnet_text_of_number(uint64_t n);
/* As it was sent, and strings in quotes: a long one is cut. */
struct vnet_text vnet_text_of(struct vnet_json v);
/* A name in quotes, likewise. */
struct vnet_text vnet_text_quoted(const char *text);

#endif
