/* SPDX-License-Identifier: BSD-2-Clause */
/* Having something changed. */
#ifndef ORDER_H
#define ORDER_H

#include <jansson.h>

#include "command.h"

/* Ask for it, with the wishes --may-exist and --if-exists, and say nothing when
 * all is well. @request is consumed, and may be NULL as in client_ask(). */
enum status order(const struct command_line *line, json_t *request,
		  struct complaint *c);

#endif
