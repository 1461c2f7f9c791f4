/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong with what somebody asked for, in words for them. */
#ifndef COMPLAINT_H
#define COMPLAINT_H

#include <vnet/types.h>

/* Octets of a message, with the terminating NUL; a longer one is cut. */
#define COMPLAINT_SIZE 512

/* One line without its end, and without the name of the program. */
struct complaint {
	char text[COMPLAINT_SIZE];
};

/* Write one, and return @error (-errno). Octets that do not print (from
 * outside) become '?'. */
int complain(struct complaint *c, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What libvnet said: "WHAT: TEXT: found N, bound N: strerror", as far as these
 * say something. */
int complain_why(struct complaint *c, int error, const char *what,
		 const struct vnet_why *why);

#endif
