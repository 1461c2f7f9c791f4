/* SPDX-License-Identifier: BSD-2-Clause */
#include "client.h"
#include "order.h"
#include "print_json.h"

/* What is wanted anyway is asked for: "may_exist", "if_exists". */
static json_t *
add_wishes(json_t *request, const struct command_line *line)
{
	int r = request ? 0 : -1;

	if (!r && line->options & OPTION_MAY_EXIST)
		r = json_object_set_new(request, "may_exist", json_true());
	if (!r && line->options & OPTION_IF_EXISTS)
		r = json_object_set_new(request, "if_exists", json_true());
	if (r) {
		json_decref(request);
		return NULL;
	}
	return request;
}

enum status
order(const struct command_line *line, json_t *request, struct complaint *c)
{
	json_t *result = NULL;
	enum status status;

	request = add_wishes(request, line);
	if (line->json)
		return print_json(line, request, c);
	status = client_ask_once(line, request, &result, c);
	json_decref(result);
	return status;
}
