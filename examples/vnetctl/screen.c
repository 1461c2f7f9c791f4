/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "screen.h"

/* ECMA-48, and xterm's alternate screen, which all have. */
#define ENTER      "\033[?1049h\033[?25l"
#define LEAVE      "\033[?25h\033[?1049l"
#define HOME       "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"

static void
enter(const struct screen *screen)
{
	struct termios raw = screen->before;

	if (screen->has_keys) {
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	fputs(ENTER, stdout);
	fflush(stdout);
}

static void
leave(const struct screen *screen)
{
	fputs(LEAVE, stdout);
	fflush(stdout);
	if (screen->has_keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &screen->before);
}

enum status
screen_open(struct screen *screen, struct complaint *c)
{
	static const int caught[] = {SIGINT,  SIGTERM,  SIGHUP,
				     SIGQUIT, SIGWINCH, SIGTSTP};
	sigset_t set;

	*screen = (struct screen){
		.is_terminal = isatty(STDOUT_FILENO),
		.signals = -1,
	};
	if (!screen->is_terminal)
		return DONE;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		sigaddset(&set, caught[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	screen->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (screen->signals < 0)
		return complain(c, FAILED, "signalfd: %s", strerror(errno));
	screen->has_keys = tcgetattr(STDIN_FILENO, &screen->before) == 0;
	enter(screen);
	return DONE;
}

void
screen_close(struct screen *screen)
{
	if (screen->signals < 0)
		return;
	leave(screen);
	close(screen->signals);
}

void
screen_size(const struct screen *screen, int *columns, int *rows)
{
	struct winsize size;

	*columns = *rows = INT_MAX;
	if (!screen->is_terminal)
		return;
	*columns = 80;
	*rows = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col &&
	    size.ws_row) {
		*columns = size.ws_col;
		*rows = size.ws_row;
	}
}

void
screen_begin(const struct screen *screen)
{
	if (screen->is_terminal)
		fputs(HOME, stdout);
}

void
screen_newline(const struct screen *screen)
{
	fputs(screen->is_terminal ? CLEAR_LINE "\r\n" : "\n", stdout);
}

void
screen_end(const struct screen *screen)
{
	if (screen->is_terminal)
		fputs(CLEAR_LINE CLEAR_REST, stdout);
	fflush(stdout);
}

/* As a shell expects of what it stops; and back. */
static void
stop(const struct screen *screen)
{
	leave(screen);
	raise(SIGSTOP);
	enter(screen);
}

static enum screen_event
take_signal(struct screen *screen)
{
	struct signalfd_siginfo info;

	if (read(screen->signals, &info, sizeof(info)) != sizeof(info))
		return SCREEN_QUIT;
	if (info.ssi_signo == SIGTSTP)
		stop(screen);
	if (info.ssi_signo == SIGTSTP || info.ssi_signo == SIGWINCH)
		return SCREEN_DRAW;
	return SCREEN_QUIT;
}

/* Any other key draws at once. A terminal that has gone has none. */
static enum screen_event
take_key(void)
{
	char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	if (n < 0 || (n == 1 && (key == 'q' || key == 'Q')))
		return SCREEN_QUIT;
	return SCREEN_DRAW;
}

enum screen_event
screen_wait(struct screen *screen, int ms)
{
	struct pollfd p[] = {
		{.fd = screen->signals, .events = POLLIN},
		{.fd = screen->has_keys ? STDIN_FILENO : -1, .events = POLLIN},
	};
	int n = poll(p, 2, ms);

	if (n < 0)
		return SCREEN_QUIT;
	if (p[0].revents)
		return take_signal(screen);
	if (p[1].revents & POLLHUP)
		return SCREEN_QUIT;
	if (p[1].revents)
		return take_key();
	return SCREEN_TIME;
}
