/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A terminal that is drawn on in place, and left as it was: on its alternate
 * screen, without echo. Where standard output is none, nothing is done to it
 * and signals end the program as usual.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <termios.h>

#include "status.h"

struct screen {
	bool is_terminal;
	bool has_keys; /* standard input is a terminal as well */
	int signals;
	struct termios before;
};

/* What ended a wait. */
enum screen_event {
	SCREEN_TIME, /* nothing did */
	SCREEN_DRAW, /* the window has another size, or is back */
	SCREEN_QUIT, /* a signal, or q */
};

enum status screen_open(struct screen *screen, struct complaint *c);
void screen_close(struct screen *screen);

/* Columns and rows as they are now; very many where there is no terminal. */
void screen_size(const struct screen *screen, int *columns, int *rows);

/* Begin to draw anew: lines end with screen_newline(), and screen_end() clears
 * what is below. */
void screen_begin(const struct screen *screen);
void screen_newline(const struct screen *screen);
void screen_end(const struct screen *screen);

enum screen_event screen_wait(struct screen *screen, int ms);

#endif
