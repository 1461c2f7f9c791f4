/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet-translator: a switch whose vifs are files (a translator of the GNU Hurd).
 *
 *	settrans -a /dev/vif0 /hurd/vnet-translator -i /dev/eth0 -b /dev/vif1
 *
 *	/dev/vif0 --- vif0 ---+
 *	/dev/vif1 --- vif1 ---+--- uplink --- /dev/eth0
 *
 * Its options are those of eth-multiplexer, and more. Two loops serve it: that of
 * libports the files (nodes.c), that of glibc the devices (threads.c).
 */
#include <argp.h>
#include <argz.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <hurd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <hurd/fsys.h>

#include <vnet/libvnet.h>
#include <vnet/mach.h>
#include <vnet/mach_uplink.h>
#include <vnet/malloc.h>

#include "nodes.h"
#include "threads.h"

#define MAX_FILES   32
#define MAX_UPLINKS 8

enum { MTU = 256, PER_CLIENT, NO_SIBLINGS, MAY_PROMISC, SHARED, MASTER };

struct options {
	const char *uplinks[MAX_UPLINKS];
	unsigned int nuplinks;
	const char *name;
	const char *files[MAX_FILES];
	unsigned int nfiles;
	const char *master;
	uint32_t mtu;
	uint32_t port_flags;
	uint32_t vif_flags;
	uint32_t uplink_flags;
};

static const struct argp_option list[] = {
	{"interface", 'i', "DEVICE", 0,
	 "The way to the outside: a file, or a device of the kernel. May be "
	 "repeated; without, there is none",
	 0},
	{"name", 'n', "NAME", 0,
	 "Of the vif of the file that the translator is set on (vif0)", 0},
	{"bind", 'b', "FILE", 0,
	 "A further vif, which is called as the last part of FILE, and set on "
	 "it",
	 0},
	{"master", MASTER, "FILE", 0,
	 "Set on FILE what opens each of them by name: for vnet-run", 0},
	{"mtu", MTU, "OCTETS", 0, "Of the vifs (1500)", 1},
	{"per-client", PER_CLIENT, NULL, 0,
	 "Each opener of a vif has an address of its own", 1},
	{"no-siblings", NO_SIBLINGS, NULL, 0,
	 "Openers of one vif do not hear each other", 1},
	{"may-promisc", MAY_PROMISC, NULL, 0,
	 "Openers may ask for frames to other addresses", 1},
	{"shared", SHARED, NULL, 0,
	 "Outside, all use the address of the device", 1},
	{0},
};

/* The command line, for fsysopts. */
static char *arguments;
static size_t arguments_size;

static struct vnet_mach *server;

static error_t
parse(int key, char *value, struct argp_state *state)
{
	struct options *o = state->input;
	char *end;

	switch (key) {
	case 'i':
		if (o->nuplinks == MAX_UPLINKS)
			argp_error(state, "too many interfaces");
		o->uplinks[o->nuplinks++] = value;
		return 0;
	case 'n':
		o->name = value;
		return 0;
	case 'b':
		if (o->nfiles == MAX_FILES)
			argp_error(state, "too many files");
		o->files[o->nfiles++] = value;
		return 0;
	case MASTER:
		o->master = value;
		return 0;
	case MTU:
		o->mtu = (uint32_t)strtoul(value, &end, 10);
		if (*end || o->mtu < VNET_MTU_MIN || o->mtu > VNET_MACH_MTU_MAX)
			argp_error(state, "--mtu: expected %d to %d",
				   VNET_MTU_MIN, VNET_MACH_MTU_MAX);
		return 0;
	case PER_CLIENT:
		o->port_flags |= VNET_PORT_PER_CLIENT;
		return 0;
	case NO_SIBLINGS:
		o->port_flags |= VNET_PORT_NO_SIBLINGS;
		return 0;
	case MAY_PROMISC:
		o->vif_flags |= VNET_MACH_MAY_PROMISC;
		return 0;
	case SHARED:
		o->uplink_flags |= VNET_MACH_UPLINK_SHARED;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/*
 * What libtrivfs asks
 */

error_t
trivfs_append_args(struct trivfs_control *control, char **argz, size_t *size)
{
	(void)control;
	return argz_append(argz, size, arguments, arguments_size);
}

/* Not while somebody has a device open. */
error_t
trivfs_goaway(struct trivfs_control *control, int flags)
{
	struct vnet_mach_stats stats = {.size = sizeof(stats)};

	(void)control;
	vnet_mach_lock(server);
	vnet_mach_get_stats(server, &stats);
	vnet_mach_unlock(server);
	if (stats.facets && !(flags & FSYS_GOAWAY_FORCE))
		return EBUSY;
	exit(0);
}

/*
 * The switch
 */

static vnet_nsec
now(void *ctx)
{
	struct timespec t;

	(void)ctx;
	if (clock_gettime(CLOCK_MONOTONIC, &t))
		clock_gettime(CLOCK_REALTIME, &t);
	return (vnet_nsec)t.tv_sec * VNET_NSEC_PER_SEC + (vnet_nsec)t.tv_nsec;
}

static _Noreturn void
die(const char *what, int err, const struct vnet_why *why)
{
	if (why)
		error(1, 0, "%s: %s", what, why->text);
	error(1, err, "%s", what);
	abort();
}

/* Addresses are made of the host's name, so that they are always the same. */
static struct vnet_mac
address_of(const char *name)
{
	char host[256] = "";
	uint8_t seed[16] = {0};

	gethostname(host, sizeof(host) - 1);
	for (size_t i = 0; host[i]; i++)
		seed[i % sizeof(seed)] ^= (uint8_t)host[i];
	return vnet_mac_derive(seed, name);
}

static struct node *
add_vif(struct vnet_switch *sw, const struct options *o, const char *name)
{
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
		.mac = address_of(name),
		.mtu = o->mtu,
		.flags = o->port_flags,
	};
	struct vnet_mach_vif_config vif = {
		.size = sizeof(vif),
		.flags = o->vif_flags,
	};
	struct node *node = malloc(sizeof(*node));
	struct vnet_why why;

	if (!node)
		die(name, ENOMEM, NULL);
	if (vnet_port_add(sw, &config, &vif.port, &why) ||
	    vnet_mach_vif_add(server, &vif, &why))
		die(name, 0, &why);
	*node = (struct node){.m = server, .sw = sw, .port = vif.port};
	return node;
}

/* A file that opens a device, or the name of a device of the kernel. */
static void
add_uplink(struct vnet_switch *sw, const struct options *o, const char *device,
	   unsigned int i)
{
	char name[VNET_PORT_NAME_SIZE] = "uplink0";
	const struct vnet_port_config config = {
		.size = sizeof(config),
		.name = name,
		.role = VNET_ROLE_UPLINK,
	};
	struct vnet_mach_uplink_config uplink = {
		.size = sizeof(uplink),
		.name = "eth",
		.flags = o->uplink_flags,
	};
	struct vnet_why why;
	error_t err;

	name[6] = (char)('0' + i);
	uplink.master = file_name_lookup(device, O_READ | O_WRITE, 0);
	if (uplink.master == MACH_PORT_NULL) {
		uplink.name = device;
		err = get_privileged_ports(NULL, &uplink.master);
		if (err)
			die(device, err, NULL);
	}
	if (vnet_port_add(sw, &config, &uplink.port, &why) ||
	    vnet_mach_uplink_add(server, &uplink, &why))
		die(device, 0, &why);
}

static struct vnet_switch *
create(void)
{
	static struct vnet_alloc alloc;
	struct vnet_switch_config config = {
		.size = sizeof(config),
		.alloc = &alloc,
		.max_clients = 256,
	};
	struct vnet_mach_config m = {
		.size = sizeof(m),
		.alloc = &alloc,
		.now = now,
		.want_worker = threads_want,
	};
	struct vnet_why why;

	alloc = vnet_malloc();
	if (getrandom(&config.seed, sizeof(config.seed), GRND_NONBLOCK) < 0)
		config.seed = now(NULL);
	if (vnet_switch_create(&m.sw, &config, &why) ||
	    vnet_mach_create(&server, &m, &why))
		die("the switch", 0, &why);
	return m.sw;
}

static void
bind_to(const char *file, struct node *node)
{
	error_t err = nodes_bind(file, node);

	if (err)
		die(file, err, NULL);
}

static const char *
last_part(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {
		list, parse,
		NULL, "A switch whose virtual interfaces are files.",
		NULL, NULL,
		NULL};
	static struct node by_name;
	struct options o = {.name = "vif0"};
	struct vnet_switch *sw;
	error_t err;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	argz_create(argv + 1, &arguments, &arguments_size);
	sw = create();
	by_name = (struct node){.m = server, .sw = sw, .port = VNET_NO_ID};
	for (unsigned int i = 0; i < o.nuplinks; i++)
		add_uplink(sw, &o, o.uplinks[i], i);
	err = nodes_init();
	if (!err)
		err = nodes_start(add_vif(sw, &o, o.name));
	if (err)
		die("must be started as a translator", err, NULL);
	for (unsigned int i = 0; i < o.nfiles; i++)
		bind_to(o.files[i], add_vif(sw, &o, last_part(o.files[i])));
	if (o.master)
		bind_to(o.master, &by_name);
	err = threads_start(server);
	if (err)
		die("no threads", err, NULL);
	for (;;)
		ports_manage_port_operations_multithread(
			nodes_bucket, nodes_demux, 30 * 1000, 0, NULL);
}
