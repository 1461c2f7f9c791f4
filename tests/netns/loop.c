/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A switch of the ports given, in the shortest loop there can be: what the
 * tests in namespaces put between their hosts.
 *
 *	loop [OPTION]...
 *	  --tap NAME[,netns=WHERE][,mac=MAC][,mtu=N][,addr=A/P]...[,up][,attach]
 *	      [,without=CARRIES]
 *	  --uplink NAME[,netns=WHERE][,without=CARRIES]
 *	  --listen PATH, --connect PATH
 *	  --attach PATH	a local client, one at a time, of any vif it likes
 *	  --ready-fd N	a line is written here when all ports are open
 *
 * A line for each event goes to stdout as it comes; SIGUSR1, and the end by
 * SIGTERM, print lines of counters. Exits with 1 if a port cannot be opened,
 * or if the sums do not agree in the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <vnet/attach.h>
#include <vnet/libvnet.h>
#include <vnet/malloc.h>
#include <vnet/stream.h>
#include <vnet/tap.h>
#include <vnet/uplink.h>

#define MAX_PORTS 1100

struct port {
	struct vnet_medium *m; /* NULL while nobody has connected */
	int listen_fd;         /* or -1 */
	bool is_local;         /* for a local client, of this session */
	struct vnet_session *session;
	vnet_port_id id;
	char name[VNET_PORT_NAME_SIZE];
};

static struct vnet_switch *sw;
static struct vnet_media *media;
static struct port ports[MAX_PORTS];
static struct pollfd fds[2 + MAX_PORTS]; /* signals, interfaces, ports */
static size_t nports;

static void
die(const char *what, const char *which, int error, const struct vnet_why *why)
{
	fprintf(stderr, "loop: %s %s: %s%s%s\n", what, which,
		why && why->text ? why->text : "", why && why->text ? ": " : "",
		strerror(-error));
	exit(1);
}

static vnet_nsec
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (vnet_nsec)t.tv_sec * VNET_NSEC_PER_SEC + (vnet_nsec)t.tv_nsec;
}

static struct vnet_mac
parse_mac(const char *text)
{
	struct vnet_mac mac;
	unsigned int o[6];

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &o[0], &o[1], &o[2], &o[3], &o[4],
		   &o[5]) != 6)
		die("no MAC address:", text, -EINVAL, NULL);
	for (int i = 0; i < 6; i++)
		mac.octet[i] = (uint8_t)o[i];
	return mac;
}

/* The next "key=value" of a list, NULL at its end. */
static char *
next_option(char **list, char **value)
{
	char *key = strsep(list, ",");

	if (key) {
		*value = key;
		strsep(value, "=");
	}
	return key;
}

static struct vnet_medium *
open_tap(char *spec)
{
	struct vnet_tap_config config = {
		.size = sizeof(config),
		.name = strsep(&spec, ","),
	};
	const char *addresses[8];
	struct vnet_medium *m;
	struct vnet_why why;
	char *key, *value;
	int r;

	config.addresses = addresses;
	while ((key = next_option(&spec, &value))) {
		if (!strcmp(key, "netns"))
			config.netns = value;
		else if (!strcmp(key, "mac"))
			config.mac = parse_mac(value);
		else if (!strcmp(key, "mtu"))
			config.mtu = (uint32_t)atoi(value);
		else if (!strcmp(key, "addr") && config.naddresses < 8)
			addresses[config.naddresses++] = value;
		else if (!strcmp(key, "up"))
			config.up = true;
		else if (!strcmp(key, "attach"))
			config.mode = VNET_TAP_ATTACH;
		else if (!strcmp(key, "without"))
			config.without = (uint32_t)strtoul(value, NULL, 0);
		else
			die("no such option:", key, -EINVAL, NULL);
	}
	r = vnet_tap_open(&m, media, &config, &why);
	if (r)
		die("tap", config.name, r, &why);
	return m;
}

static struct vnet_medium *
open_uplink(char *spec)
{
	struct vnet_uplink_config config = {
		.size = sizeof(config),
		.name = strsep(&spec, ","),
	};
	struct vnet_medium *m;
	struct vnet_why why;
	char *key, *value;
	int r;

	while ((key = next_option(&spec, &value))) {
		if (!strcmp(key, "netns"))
			config.netns = value;
		else if (!strcmp(key, "without"))
			config.without = (uint32_t)strtoul(value, NULL, 0);
		else
			die("no such option:", key, -EINVAL, NULL);
	}
	r = vnet_uplink_open(&m, media, &config, &why);
	if (r)
		die("uplink", config.name, r, &why);
	return m;
}

static void
add(struct vnet_medium *m, int listen_fd, const char *name, enum vnet_role role)
{
	struct vnet_medium_info info = {.size = sizeof(info)};
	struct vnet_port_config config = {
		.size = sizeof(config),
		.role = role,
		.link_down = !m,
	};
	struct port *p = &ports[nports];
	struct vnet_why why = {0};
	int r = 0;

	if (nports == MAX_PORTS)
		die("too many ports:", name, -ENOSPC, NULL);
	if (m)
		r = vnet_medium_get(m, &info);
	if (r)
		die("get", name, r, NULL);
	snprintf(p->name, sizeof(p->name), "%s", name);
	config.name = p->name;
	config.mac = info.mac;
	config.mtu = info.mtu;
	r = vnet_port_add(sw, &config, &p->id, &why);
	if (!r && m)
		r = vnet_medium_attach(m, sw, p->id, 0, 0, &why);
	if (r)
		die("port", name, r, &why);
	p->m = m;
	p->listen_fd = listen_fd;
	nports++;
}

static void
open_port(const char *option, char *spec)
{
	char name[VNET_PORT_NAME_SIZE];
	struct vnet_medium *m;
	struct vnet_why why;
	int fd, r;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(spec, ","), spec);
	if (!strcmp(option, "--tap")) {
		add(open_tap(spec), -1, name, VNET_ROLE_VIF);
	} else if (!strcmp(option, "--uplink")) {
		add(open_uplink(spec), -1, name, VNET_ROLE_UPLINK);
	} else if (!strcmp(option, "--connect")) {
		r = vnet_stream_connect(&m, media, spec, &why);
		if (r)
			die("connect", spec, r, &why);
		add(m, -1, name, VNET_ROLE_VIF);
	} else if (!strcmp(option, "--listen")) {
		r = vnet_stream_listen(spec, &fd, &why);
		if (r)
			die("listen", spec, r, &why);
		add(NULL, fd, name, VNET_ROLE_VIF);
	} else if (!strcmp(option, "--attach")) {
		r = vnet_attach_listen(spec, 0600, &fd, &why);
		if (r)
			die("attach", spec, r, &why);
		add(NULL, fd, name, VNET_ROLE_VIF);
		ports[nports - 1].is_local = true;
	} else {
		die("no such option:", option, -EINVAL, NULL);
	}
}

/* What it asks for is waited for: there is nobody else. */
static int
accept_client(struct port *p)
{
	struct vnet_request request = {.size = sizeof(request)};
	struct vnet_attach_info info = {.size = sizeof(info), .mtu = 1500};
	struct pollfd fd = {.events = POLLIN};
	int r = vnet_attach_accept(&p->session, p->listen_fd, NULL);

	if (r)
		return r;
	fd.fd = vnet_session_fd(p->session);
	if (poll(&fd, 1, 5000) != 1)
		return -ETIMEDOUT;
	r = vnet_session_next(p->session, &request);
	if (r != 1)
		return r;
	r = vnet_session_open(p->session, &p->m, media, 0, NULL);
	if (r)
		return r;
	info.mac.octet[0] = 0x02;
	info.mac.octet[5] = (uint8_t)(p - ports);
	strcpy(info.vif, *request.vif ? request.vif : "vif0");
	return vnet_session_welcome(p->session, &info);
}

/* One peer at a time. */
static void
accept_peer(struct port *p)
{
	int r = p->is_local
			? accept_client(p)
			: vnet_stream_accept(&p->m, media, p->listen_fd, NULL);

	if (!r)
		r = vnet_medium_attach(p->m, sw, p->id, 0, 0, NULL);
	if (r)
		die("accept", p->name, r, NULL);
	vnet_port_set_link(sw, p->id, true);
}

static void
medium_ready(struct port *p, short got)
{
	int r = vnet_medium_ready(p->m, got & (POLLIN | POLLERR | POLLHUP),
				  got & POLLOUT, now());

	if (r >= 0)
		return;
	printf("gone %s: %s\n", p->name, strerror(-r));
	if (p->listen_fd >= 0) {
		vnet_medium_close(p->m);
		vnet_session_close(p->session);
		p->m = NULL;
		p->session = NULL;
	}
}

static void
print_counters(void)
{
	for (size_t i = 0; i < nports; i++) {
		struct port *p = &ports[i];
		struct vnet_client_stats s = {.size = sizeof(s)};
		struct vnet_medium_stats ms = {.size = sizeof(ms)};

		if (!p->m ||
		    vnet_client_get_stats(sw, vnet_medium_client(p->m), &s))
			continue;
		vnet_medium_get_stats(p->m, &ms);
		printf("port %s in %" PRIu64 " out %" PRIu64
		       " delivered %" PRIu64 " segments %" PRIu64
		       " queued %" PRIu64 " medium_in_dropped %" PRIu64
		       " medium_out_dropped %" PRIu64
		       " medium_in_errors %" PRIu64,
		       p->name, s.in.frames, s.out.frames, s.delivered.frames,
		       s.segments.frames, s.queued.frames, ms.in_dropped,
		       ms.out_dropped, ms.in_errors);
		for (int d = 1; d < VNET_NDROPS; d++) {
			struct vnet_count in, out;

			vnet_client_drops(sw, vnet_medium_client(p->m),
					  (enum vnet_drop)d, &in, &out);
			if (in.frames)
				printf(" in:%s %" PRIu64, vnet_drop_name(d),
				       in.frames);
			if (out.frames)
				printf(" out:%s %" PRIu64, vnet_drop_name(d),
				       out.frames);
		}
		printf("\n");
	}
	fflush(stdout);
}

static void
print_events(void)
{
	struct vnet_event e = {.size = sizeof(e)};

	while (vnet_switch_event(sw, &e) == 1) {
		struct vnet_port_info info = {.size = sizeof(info)};

		if (vnet_port_get(sw, e.port, &info))
			strcpy(info.name, "-");
		printf("event %s %s\n", vnet_event_name(e.type), info.name);
	}
	fflush(stdout);
}

static int
timeout(void)
{
	vnet_nsec at = vnet_switch_deadline(sw), t = now();

	if (at == VNET_NEVER)
		return -1;
	return at <= t ? 0 : (int)((at - t) / 1000000 + 1);
}

/* Returns false at the end. */
static bool
turn(void)
{
	struct signalfd_siginfo s;

	for (size_t i = 0; i < nports; i++) {
		struct port *p = &ports[i];
		unsigned int wants =
			p->m ? vnet_medium_wants(p->m) : VNET_MEDIUM_READ;

		fds[2 + i].fd = p->m ? vnet_medium_fd(p->m) : p->listen_fd;
		if (!wants)
			fds[2 + i].fd = -1;
		fds[2 + i].events =
			(short)((wants & VNET_MEDIUM_READ ? POLLIN : 0) |
				(wants & VNET_MEDIUM_WRITE ? POLLOUT : 0));
	}
	if (poll(fds, 2 + nports, timeout()) < 0)
		die("poll", "", -errno, NULL);
	vnet_switch_tick(sw, now());
	if (fds[1].revents)
		vnet_media_ready(media);
	for (size_t i = 0; i < nports; i++) {
		short got = fds[2 + i].revents;

		if (got && ports[i].m)
			medium_ready(&ports[i], got);
		else if (got)
			accept_peer(&ports[i]);
	}
	print_events();
	if (fds[0].revents && read(fds[0].fd, &s, sizeof(s)) == sizeof(s)) {
		print_counters();
		return s.ssi_signo == SIGUSR1;
	}
	return true;
}

int
main(int argc, char **argv)
{
	const struct vnet_alloc alloc = vnet_malloc();
	const struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
		.max_ports = MAX_PORTS,
	};
	struct rlimit files;
	struct vnet_why why = {0};
	int ready_fd = -1;
	sigset_t signals;
	bool balanced;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fds[0].fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	fds[0].events = POLLIN;

	if (vnet_switch_create(&sw, &config, NULL) || vnet_media_create(&media))
		die("no memory", "", -ENOMEM, NULL);
	fds[1].fd = vnet_media_fd(media);
	fds[1].events = POLLIN;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--ready-fd"))
			ready_fd = atoi(argv[i + 1]);
		else
			open_port(argv[i], argv[i + 1]);
	}
	if (ready_fd >= 0) {
		if (write(ready_fd, "ready\n", 6) != 6)
			die("ready-fd", "", -errno, NULL);
		close(ready_fd);
	}

	while (turn())
		;
	balanced = vnet_switch_check(sw, &why);
	printf("balanced %s\n", balanced ? "yes" : why.text);
	/* The switch goes first: media outlive it. */
	vnet_switch_destroy(sw);
	for (size_t i = 0; i < nports; i++) {
		vnet_medium_close(ports[i].m);
		vnet_session_close(ports[i].session);
	}
	vnet_media_destroy(media);
	return !balanced;
}
