/* SPDX-License-Identifier: BSD-2-Clause */
/* A server that sends back what it is sent, over TCP (RFC 862). */
#ifndef ECHO_H
#define ECHO_H

#include <lwip/err.h>

#define ECHO_PORT 7

/* Listen on all addresses, with the core lock held. */
err_t echo_start(void);

#endif
