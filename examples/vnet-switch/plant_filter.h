/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filters of a port: a list that is planned beside the one that the port
 * has, and then put in its place.
 */
#ifndef PLANT_FILTER_H
#define PLANT_FILTER_H

#include <jansson.h>
#include <vnet/filter.h>

#include "plant.h"

struct plant_port;
struct plant_program;

/* @config is in normal form. */
struct plant_filter {
	struct plant_filter *next;
	json_t *config;
	enum plant_origin origin;
	struct plant_program *program;
};

/* Of "in", "out", "receive_in", "receive_out"; and back. */
enum vnet_side plant_side(const char *name);
const char *plant_side_name(enum vnet_side side);

/* A filter as the switch takes it, but for its program; what it points to is the
 * filter's. */
struct vnet_rule plant_rule(const json_t *filter);

/**
 * plant_filters_plan() - the filters that a port is to have
 * @wanted:	a list of them in normal form, in the order in which those of
 *		one priority run
 * @by:		who says so: PLANT_START keeps those of PLANT_CONTROL that
 *		@wanted does not have, behind the others
 * @list:	set on success
 *
 * Return: 0, or -errno with @c.
 */
int plant_filters_plan(const struct plant_port *p, const json_t *wanted,
		       enum plant_origin by, struct plant_filter **list,
		       struct complaint *c);

/**
 * plant_filters_swap() - put a list in the place of the one that a port has
 * @list:	*@list is then that one
 * @config:	with the default verdicts that go with it
 *
 * All at once: a frame meets the old filters or the new ones.
 *
 * Return: 0; -errno with @c, and all is as it was.
 */
int plant_filters_swap(struct plant_port *p, struct plant_filter **list,
		       const json_t *config, struct complaint *c);

void plant_filters_free(struct plant_filter *list);

/* "filters" as configured; NULL if there are none. New reference. */
json_t *plant_filters_config(const struct plant_port *p);

int plant_port_add_filter(struct plant_port *port, const json_t *filter,
			  enum plant_origin origin, struct complaint *c);
int plant_port_del_filter(struct plant_port *port, const char *side,
			  const char *name, struct complaint *c);

#endif
