/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "complaint.h"
#include "text.h"

/* A text that is put together in @size octets. */
struct builder {
	char *text;
	size_t size;
	size_t len;
};

/* A terminal must not obey what somebody has sent. */
static char
printable(char c)
{
	if (c < ' ' || c > '~')
		return '?';
	return c;
}

static void
append(struct builder *b, const char *text)
{
	for (; *text && b->len < b->size - 1; text++)
		b->text[b->len++] = printable(*text);
	b->text[b->len] = '\0';
}

static void
append_all(struct builder *b, const char *text, va_list args)
{
	for (; text; text = va_arg(args, const char *))
		append(b, text);
}

int
vnet_complain(struct vnet_complaint *c, int error, const char *first, ...)
{
	struct builder b = {.text = c->text, .size = sizeof(c->text)};
	va_list args;

	va_start(args, first);
	append_all(&b, first, args);
	va_end(args);
	return error;
}

static void
append_place(struct builder *b, const struct vnet_place *p)
{
	if (!p)
		return;
	append_place(b, p->up);
	if (!p->key) {
		append(b, "[");
		append(b, vnet_text_of_number(p->index).text);
		append(b, "]");
		return;
	}
	if (b->len)
		append(b, ".");
	append(b, p->key);
}

int
vnet_complain_at(struct vnet_complaint *c, const struct vnet_place *p,
		 const char *first, ...)
{
	struct builder b = {.text = c->text, .size = sizeof(c->text)};
	va_list args;

	append_place(&b, p);
	if (b.len)
		append(&b, ": ");
	va_start(args, first);
	append_all(&b, first, args);
	va_end(args);
	return -EINVAL;
}

/* As an error number may say it: those that the library returns. */
static const char *
error_text(int error)
{
	switch (error) {
	case -EBUSY:
		return "the switch is busy";
	case -EEXIST:
		return "there is one already";
	case -ENOENT:
		return "there is no such thing";
	case -ENOMEM:
		return "no memory";
	case -ENOSPC:
		return "no room";
	case -EPERM:
		return "it does not fit";
	case -EUSERS:
		return "there are as many as there may be";
	default:
		return "it cannot be done";
	}
}

int
vnet_complain_why(struct vnet_complaint *c, int error, const char *what,
		  const struct vnet_why *why)
{
	struct builder b = {.text = c->text, .size = sizeof(c->text)};
	bool has_text = why && why->text;

	append(&b, what);
	if (has_text) {
		append(&b, ": ");
		append(&b, why->text);
	}
	if (why && (why->found || why->bound)) {
		append(&b, ": found ");
		append(&b, vnet_text_of_number(why->found).text);
	}
	if (why && why->bound) {
		append(&b, ", bound ");
		append(&b, vnet_text_of_number(why->bound).text);
	}
	/* That it is wrong is said by what is wrong. */
	if (error != -EINVAL || !has_text) {
		append(&b, ": ");
		append(&b, error_text(error));
	}
	return error;
}

/*
 * Pieces
 */

struct vnet_text
vnet_text_of_number(uint64_t n)
{
	struct vnet_text t;

	_Static_assert(sizeof(t.text) >= VNET_NUMBER_SIZE, "room for digits");
	vnet_number_text(n, t.text);
	return t;
}

/* @len octets, or as many as are quoted. */
static void
append_cut(struct builder *b, const char *text, size_t len)
{
	size_t n = len > VNET_QUOTED ? VNET_QUOTED : len;

	memcpy(b->text + b->len, text, n);
	b->len += n;
	b->text[b->len] = '\0';
	if (n < len)
		append(b, "...");
}

struct vnet_text
vnet_text_quoted(const char *text)
{
	struct vnet_text t;
	struct builder b = {.text = t.text, .size = sizeof(t.text)};

	append(&b, "\"");
	append_cut(&b, text, length(text, SIZE_MAX));
	append(&b, "\"");
	return t;
}

struct vnet_text
vnet_text_of(struct vnet_json v)
{
	char text[VNET_QUOTED + 2];
	struct vnet_text t;
	struct builder b = {.text = t.text, .size = sizeof(t.text)};

	switch (vnet_json_type(v)) {
	case VNET_JSON_STRING:
		/* What does not fit is cut anyway. */
		(void)vnet_json_text(v, text, sizeof(text));
		return vnet_text_quoted(text);
	case VNET_JSON_NUMBER:
	case VNET_JSON_FRACTION:
		append_cut(&b, v.at, (size_t)(v.end - v.at));
		return t;
	default:
		append(&b, vnet_json_type_name(v));
		return t;
	}
}
