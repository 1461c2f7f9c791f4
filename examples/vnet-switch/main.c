/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet-switch: a switch as a program. This thread controls: it hears signals
 * and the control socket. The one that forwards is plant_create()'s.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef VNET_SWITCH_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "control.h"
#include "log.h"
#include "options.h"
#include "plant.h"
#include "schema.h"
#include "socket_path.h"

enum { TERM, INT, HUP, NSIGNALS };

static const int numbers[NSIGNALS] = {
	[TERM] = SIGTERM,
	[INT] = SIGINT,
	[HUP] = SIGHUP,
};

#define PLURAL(n) ((n) == 1 ? "" : "s")

/**
 * struct program
 * @socket:	where the control socket is
 * @settings:	"log" and "cpu", as they are
 */
struct program {
	struct options options;
	struct event_base *base;
	struct event *signals[NSIGNALS];
	struct plant *plant;
	struct control *control;
	json_t *settings;
	char socket[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

/* The service manager, if there is one. */
static void
notify(const char *state)
{
#ifdef VNET_SWITCH_SYSTEMD
	(void)sd_notify(0, state);
#else
	(void)state;
#endif
}

static void
notify_reloading(void)
{
	struct timespec t;
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &t);
	(void)snprintf(
		text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		(uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
	notify(text);
}

/*
 * Reload
 */

static void
find_socket(const json_t *config, char *path, size_t size)
{
	const char *said = json_string_value(json_object_get(config, "socket"));

	if (said)
		(void)snprintf(path, size, "%s", said);
	else
		socket_path(path, size);
}

static void
take_setting(struct program *p, const json_t *config, const char *key)
{
	json_t *value = json_object_get(config, key);

	if (value)
		json_object_set(p->settings, key, value);
	else
		json_object_del(p->settings, key);
}

/* What is the program's, and can change. */
static void
take_settings(struct program *p, const json_t *config)
{
	take_setting(p, config, "log");
	log_set_level(json_string_value(json_object_get(config, "log")));
}

/* @ctx is a list of texts. */
static void
collect(void *ctx, const struct complaint *c)
{
	log_write(LOG_ERROR, "reload: %s", c->text);
	json_array_append_new(ctx, json_string(c->text));
}

static int
reload(void *ctx, json_t *complaints)
{
	struct program *p = ctx;
	char socket[sizeof(p->socket)];
	struct complaint c;
	json_t *config;
	size_t n;
	int r = 0;

	notify_reloading();
	config = options_join(&p->options, &c);
	if (config && plant_apply_grants(p->plant, config, &c)) {
		json_decref(config);
		config = NULL;
	}
	if (config) {
		find_socket(config, socket, sizeof(socket));
		take_settings(p, config);
		plant_apply(p->plant, config, collect, complaints);
		if (strcmp(socket, p->socket) != 0) {
			complain(&c, 0, "socket: a change takes a restart");
			collect(complaints, &c);
		}
		json_decref(config);
		n = json_array_size(complaints);
		if (n)
			log_write(LOG_INFO, "reloaded, with %zu complaint%s", n,
				  PLURAL(n));
		else
			log_write(LOG_INFO, "reloaded");
	} else {
		r = -EINVAL;
		collect(complaints, &c);
		log_write(LOG_INFO, "not reloaded: all is as before");
	}
	notify("READY=1");
	return r;
}

/*
 * Signals
 */

static void
on_hangup(struct program *p)
{
	json_t *complaints;

	if (!p->options.config) {
		log_write(LOG_WARNING, "SIGHUP: there is no file to read: "
				       "started without -c");
		return;
	}
	complaints = json_array();
	reload(p, complaints);
	json_decref(complaints);
}

static void
on_signal(evutil_socket_t number, short what, void *ctx)
{
	struct program *p = ctx;

	(void)what;
	if (number == SIGHUP) {
		on_hangup(p);
		return;
	}
	log_write(LOG_INFO, "ending: %s",
		  number == SIGTERM ? "SIGTERM" : "SIGINT");
	event_base_loopbreak(p->base);
}

static int
hear_signals(struct program *p, struct complaint *c)
{
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < NSIGNALS; i++) {
		p->signals[i] = evsignal_new(p->base, numbers[i], on_signal, p);
		if (!p->signals[i] || event_add(p->signals[i], NULL))
			return complain(c, -ENOMEM, "no memory");
	}
	return 0;
}

/*
 * Beginning and end
 */

/* A port takes one descriptor or two. */
static void
raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

/* What is opened must never take the place of a standard descriptor: the log
 * would be written to it. */
static void
fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void
say_ready(struct program *p, const json_t *config)
{
	static const char line[] = "ready\n";
	const size_t n = json_array_size(json_object_get(config, "ports"));
	int fd = p->options.ready_fd;

	log_write(LOG_INFO, "ready: %zu port%s, control socket %s", n,
		  PLURAL(n), p->socket);
	notify("READY=1");
	if (fd < 0)
		return;
	if (write(fd, line, sizeof(line) - 1) < 0)
		log_write(LOG_WARNING, "--ready-fd %d: %s", fd,
			  strerror(errno));
	close(fd);
	fill_standard();
}

/* In this order, so that what fails leaves nothing behind, and another switch
 * that is running is found before anything is touched. */
static int
start(struct program *p, const json_t *config, struct complaint *c)
{
	struct control_config control = {
		.path = p->socket,
		.version = VNET_SWITCH_VERSION,
		.file = p->options.config,
		.settings = p->settings,
		.reload = p->options.config ? reload : NULL,
		.ctx = p,
	};
	int r;

	find_socket(config, p->socket, sizeof(p->socket));
	take_settings(p, config);
	take_setting(p, config, "cpu");
	raise_files();
	p->base = event_base_new();
	if (!p->base)
		return complain(c, -ENOMEM, "no memory");
	r = hear_signals(p, c);
	if (!r)
		r = plant_create(&p->plant, p->base, config, p->socket, c);
	if (r)
		return r;
	control.plant = p->plant;
	r = socket_path_check(p->socket, true, c);
	if (!r)
		r = control_create(&p->control, p->base, &control, c);
	return r ? r : plant_open(p->plant, c);
}

static bool
end(struct program *p)
{
	bool balanced;

	control_destroy(p->control);
	balanced = plant_destroy(p->plant);
	for (int i = 0; i < NSIGNALS; i++)
		if (p->signals[i])
			event_free(p->signals[i]);
	if (p->base)
		event_base_free(p->base);
	json_decref(p->settings);
	options_fini(&p->options);
	libevent_global_shutdown();
	return balanced;
}

int
main(int argc, char **argv)
{
	struct program p = {.settings = json_object()};
	struct complaint c;
	json_t *config;
	int r = 0;

	fill_standard();
	options_parse(&p.options, argc, argv);
	config = options_join(&p.options, &c);
	if (!config)
		r = -EINVAL;
	if (!r && !p.options.check) {
		r = start(&p, config, &c);
		if (!r) {
			say_ready(&p, config);
			event_base_dispatch(p.base);
			notify("STOPPING=1");
		}
	}
	if (r)
		log_write(LOG_ERROR, "%s", c.text);
	json_decref(config);
	return end(&p) && !r ? 0 : 1;
}
