/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking a control device, a line at a time.
 */
#ifndef VNET_TEST_CONTROLLER_H
#define VNET_TEST_CONTROLLER_H

#include <stdint.h>

#include <mach/port.h>

/* Ask, and wait for the answer, which is good until the next one is asked for. */
const char *controller_ask(mach_port_t control, const char *request);

/* Ask for something that is to be done. */
void controller_do(mach_port_t control, const char *request);

/* Of an answer: the number behind @what, from the place on where @after is; 0 if
 * there is none. */
uint32_t controller_number(const char *answer, const char *after,
			   const char *what);

#endif
