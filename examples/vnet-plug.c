/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet-plug: the cable between a TAP, here in this network namespace, and a vif
 * of a switch that another process runs (vnet-plug(8)).
 *
 *	host [TAP]--- a switch of two ports ---[client] ~~~ [vif] their switch
 *
 * It is itself a switch, since that resolves what the TAP does not carry, and
 * keeps a backlog where the other side is slow.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <vnet/attach.h>
#include <vnet/libvnet.h>
#include <vnet/malloc.h>
#include <vnet/tap.h>

#define SOCKET        "vnet-switch.sock.attach"
#define MAX_ADDRESSES 16

/* Exit status. */
enum { FAILED = 1, WRONG_USE = 2 };

struct plug {
	const char *path;
	int fd; /* -1 for @path */
	const char *vif;
	const char *interface;
	const char *addresses[MAX_ADDRESSES];
	size_t naddresses;

	struct vnet_attach_info info;
	struct vnet_switch *sw;
	struct vnet_media *media;
	struct vnet_medium *client;
	struct vnet_medium *tap;
	int signals;
};

static const char usage[] =
	"usage: vnet-plug [-s SOCKET|-f FD] [-v VIF] [-i INTERFACE] "
	"[-a ADDRESS/LEN]...\n"
	"\n"
	"Makes a TAP interface in this network namespace, and connects it with "
	"a virtual\n"
	"interface of a running vnet-switch.\n"
	"\n"
	"  -s, --socket PATH         where the switch waits for clients\n"
	"  -f, --fd NUMBER           the descriptor of a session that was "
	"handed over\n"
	"  -v, --vif NAME            which interface of the switch; the only "
	"one, if there\n"
	"                            is one\n"
	"  -i, --interface NAME      of the TAP; as that of the switch is "
	"called\n"
	"  -a, --address ADDRESS/LEN of the TAP; may be repeated\n"
	"  -h, --help                say this\n"
	"  -V, --version             print the version\n"
	"\n"
	"Prints \"ready\" when all is, and ends by SIGINT and SIGTERM.\n";

static void
die(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("vnet-plug: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(status);
}

static vnet_nsec
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (vnet_nsec)t.tv_sec * VNET_NSEC_PER_SEC + (vnet_nsec)t.tv_nsec;
}

static int
parse_fd(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (end == text || *end || fd < 0 || fd > INT_MAX)
		die(WRONG_USE, "--fd: found \"%s\", expected a number", text);
	return (int)fd;
}

/* Where vnet-switch waits, if nothing else is said. */
static const char *
default_path(void)
{
	static char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *folder = secure_getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0 || !folder || *folder != '/')
		folder = "/run";
	if (snprintf(path, sizeof(path), "%s/" SOCKET, folder) >=
	    (int)sizeof(path))
		die(WRONG_USE, "XDG_RUNTIME_DIR is too long: use --socket");
	return path;
}

static void
parse(struct plug *p, int argc, char **argv)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'},
		{"fd", required_argument, NULL, 'f'},
		{"vif", required_argument, NULL, 'v'},
		{"interface", required_argument, NULL, 'i'},
		{"address", required_argument, NULL, 'a'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "s:f:v:i:a:hV", options, NULL)) !=
	       -1) {
		switch (c) {
		case 's':
			p->path = optarg;
			break;
		case 'f':
			p->fd = parse_fd(optarg);
			break;
		case 'v':
			p->vif = optarg;
			break;
		case 'i':
			p->interface = optarg;
			break;
		case 'a':
			if (p->naddresses == MAX_ADDRESSES)
				die(WRONG_USE, "more than %d addresses",
				    MAX_ADDRESSES);
			p->addresses[p->naddresses++] = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			printf("vnet-plug %s\n", vnet_version());
			exit(0);
		default:
			exit(WRONG_USE); /* getopt has said why */
		}
	}
	if (optind < argc)
		die(WRONG_USE, "found the argument %s, expected options",
		    argv[optind]);
	if (p->path && p->fd >= 0)
		die(WRONG_USE, "found both --socket and --fd");
	if (!p->path && p->fd < 0)
		p->path = default_path();
}

/* All frames pass, those that bridges keep to themselves included: it is a
 * cable. */
static void
make_switch(struct plug *p)
{
	const struct vnet_alloc alloc = vnet_malloc();
	struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
		.max_ports = 2,
		.forward_reserved = 0xffff,
	};
	sigset_t signals;

	/* The addresses on the network are not ours to trust. */
	if (getrandom(&config.seed, sizeof(config.seed), 0) !=
	    sizeof(config.seed))
		die(FAILED, "no random numbers");
	if (vnet_switch_create(&p->sw, &config, NULL) ||
	    vnet_media_create(&p->media))
		die(FAILED, "no memory, or no descriptors");
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	p->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals < 0)
		die(FAILED, "cannot wait for signals: %s", strerror(errno));
}

/* How it is called in what is said. */
static void
name_session(const struct plug *p, char *text, size_t size)
{
	if (p->fd >= 0)
		snprintf(text, size, "descriptor %d", p->fd);
	else
		snprintf(text, size, "socket %s", p->path);
}

static void
open_client(struct plug *p)
{
	char name[160];
	char text[VNET_ATTACH_TEXT_SIZE];
	const struct vnet_attach_config config = {
		.size = sizeof(config),
		.path = p->path,
		.vif = p->vif,
		.carries = VNET_CARRIES_CSUM | VNET_CARRIES_TSO4 |
			   VNET_CARRIES_TSO6 | VNET_CARRIES_USO,
		.text = text,
	};
	struct vnet_why why = {0};
	struct vnet_attach *a;
	int r = p->fd >= 0 ? vnet_attach_adopt(&a, p->fd, &config, &why)
			   : vnet_attach_open(&a, &config, &why);

	name_session(p, name, sizeof(name));
	if (r)
		die(FAILED, "%s%s%s: %s: %s", name, p->vif ? ", vif " : "",
		    p->vif ? p->vif : "", why.text, strerror(-r));
	p->info.size = sizeof(p->info);
	vnet_attach_get(a, &p->info);
	r = vnet_attach_medium(&p->client, p->media, a, &why);
	if (r)
		die(FAILED, "%s: %s", name, why.text);
}

/* With the address and the MTU that the switch says. */
static void
open_tap(struct plug *p)
{
	const struct vnet_tap_config config = {
		.size = sizeof(config),
		.name = p->interface ? p->interface : p->info.vif,
		.mac = p->info.mac,
		.mtu = p->info.mtu > VNET_TAP_MTU_MAX ? VNET_TAP_MTU_MAX
						      : p->info.mtu,
		.addresses = p->addresses,
		.naddresses = p->naddresses,
		.up = true,
	};
	struct vnet_why why = {0};
	int r = vnet_tap_open(&p->tap, p->media, &config, &why);

	if (r && p->naddresses && strstr(why.text, "IP address"))
		die(FAILED, "interface %s, address %s: %s: %s", config.name,
		    p->addresses[why.index], why.text, strerror(-r));
	if (r)
		die(FAILED, "interface %s: %s: %s", config.name, why.text,
		    strerror(-r));
}

static void
attach(struct plug *p, struct vnet_medium *m, const char *name)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
		.mtu = VNET_MTU_MAX,
	};
	struct vnet_why why = {0};
	vnet_port_id port;
	int r = vnet_port_add(p->sw, &config, &port, &why);

	if (!r)
		r = vnet_medium_attach(m, p->sw, port, 0, 0, &why);
	if (r)
		die(FAILED, "%s: %s: %s", name, why.text, strerror(-r));
}

static struct pollfd
wanted(const struct vnet_medium *m)
{
	unsigned int wants = vnet_medium_wants(m);

	return (struct pollfd){
		.fd = wants ? vnet_medium_fd(m) : -1,
		.events = (short)((wants & VNET_MEDIUM_READ ? POLLIN : 0) |
				  (wants & VNET_MEDIUM_WRITE ? POLLOUT : 0)),
	};
}

static void
medium_ready(struct vnet_medium *m, short got, const char *gone)
{
	int r = 0;

	if (got)
		r = vnet_medium_ready(m, got & (POLLIN | POLLERR | POLLHUP),
				      got & POLLOUT, now());
	if (r == 0)
		r = vnet_medium_error(m);
	if (r < 0)
		die(FAILED, "%s: %s", gone, strerror(-r));
}

static int
timeout(const struct plug *p)
{
	vnet_nsec at = vnet_switch_deadline(p->sw), t = now();

	if (at == VNET_NEVER)
		return -1;
	return at <= t ? 0 : (int)((at - t) / 1000000 + 1);
}

/* Until a signal comes. */
static void
run(struct plug *p)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = p->signals, .events = POLLIN},
			{.fd = vnet_media_fd(p->media), .events = POLLIN},
			wanted(p->client),
			wanted(p->tap),
		};

		if (poll(fds, sizeof(fds) / sizeof(fds[0]), timeout(p)) < 0)
			die(FAILED, "poll: %s", strerror(errno));
		if (fds[0].revents)
			return;
		if (fds[1].revents)
			vnet_media_ready(p->media);
		medium_ready(p->client, fds[2].revents,
			     "the switch has ended the session");
		medium_ready(p->tap, fds[3].revents, "the interface has gone");
		vnet_switch_tick(p->sw, now());
	}
}

int
main(int argc, char **argv)
{
	struct plug p = {.fd = -1};

	parse(&p, argc, argv);
	make_switch(&p);
	open_client(&p);
	open_tap(&p);
	attach(&p, p.client, "switch");
	attach(&p, p.tap, "interface");
	if (puts("ready") < 0 || fflush(stdout) != 0)
		die(FAILED, "cannot write: %s", strerror(errno));
	run(&p);
	vnet_switch_destroy(p.sw);
	vnet_medium_close(p.tap);
	vnet_medium_close(p.client);
	vnet_media_destroy(p.media);
	return 0;
}
