/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands do; each file says which are its own. */
#ifndef ACTIONS_H
#define ACTIONS_H

#include "command.h"

typedef enum status action(const struct command_line *line,
			   struct complaint *c);

/* show.c */
action show_daemon, show_config, show_ports, show_fdb, show_filters;

/* change.c */
action reload_config;
action add_port, set_port, delete_port;
action add_address, delete_address, flush_addresses;
action add_filter, delete_filter;

/* clients.c */
action show_clients, set_client, delete_client;

/* limits.c */
action show_limits, set_limit, delete_limit;

/* grants.c */
action show_grants, add_grant, set_grant, revoke_grant;

/* complete.c */
action list_port_names, list_port_types, list_port_keys, list_filter_names;
action list_client_names, list_client_keys, list_limit_keys;
action list_grant_names, list_grant_keys;

action prove_grant;   /* prove.c */
action explain_frame; /* explain.c */
action show_stats;    /* stats.c */
action show_top;      /* top.c */
action show_events;   /* monitor.c */
action show_capture;  /* capture_frames.c */

#endif
