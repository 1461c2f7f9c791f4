/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A proxy in a task of its own, before a test that plays the proc server, the auth
 * server and the programs.
 */
#ifndef PROXIED_H
#define PROXIED_H

#include <vnet/mach_proxy.h>

#include "guest/post.h"

/* msgh_id of requests. */
enum {
	PROC_GETPRIVPORTS = 24004,
	PROC_REAUTHENTICATE = 24011,
	PROC_TASK2PROC = 24031,
	PROC_PID2PROC = 24033,
	PROC_REAUTHENTICATE_REASSIGN = 24063,
	PROC_REAUTHENTICATE_COMPLETE = 24064,
	AUTH_MAKEAUTH = 25001,
	AUTH_USER_AUTHENTICATE = 25002,
	AUTH_SERVER_AUTHENTICATE = 25003,
};

#define PROXIED_AUTH_TIMEOUT_MS 300

/* What the proxy was made with: receive rights of the test. */
extern mach_port_t proxied_master, proxied_host, proxied_auth;
/* Its task. */
extern mach_port_t proxied_task;

/* Start it; how many names it has then is remembered. */
void proxied_start(void);
/* It has as many names now, and no memory but what it had; waits for that. */
void proxied_check(void);
/* End it: vnet_proxy_destroy(), and look at what is left. */
void proxied_end(void);

/* A wrapper of @real, whose program is root, or not. */
mach_port_t proxied_wrap(mach_port_t real, bool is_root);
/* The same, MACH_PORT_NULL if it is refused. */
mach_port_t proxied_try_wrap(mach_port_t real, bool is_root);
struct vnet_proxy_stats proxied_stats(void);
/* Have the @n-th of what may fail in the proxy fail, from 0: memory, rights, and
 * sends. Return: how many there were since the last time. */
uint32_t proxied_fail(uint32_t n);
#define PROXIED_FAIL_NEVER UINT32_MAX

/* Let the proxy's own loop run, until it has no wrapper any more. */
void proxied_serve(void);

/* getprivports on a wrapper: it gives our master, and the host's right if
 * @is_root. */
void proxied_check_privports(mach_port_t wrapper, bool is_root);

/* The parts of the test. */
void check_forwarding(void);
void check_order(void);
void check_lookups(void);
void check_reauthentication(void);
void check_endings(void);
void check_faults(void);

#endif
