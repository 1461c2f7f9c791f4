/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwip-host: a host that is a process. lwIP is its network stack, a client of a
 * vif of a running vnet-switch its interface; it takes no privilege.
 *
 * Three threads: lwIP's own, for what it does in time; one that reads frames; and
 * this one, for what the host is there for. Whoever calls lwIP holds its core
 * lock.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <lwip/ethip6.h>
#include <lwip/init.h>
#include <lwip/sys.h>
#include <lwip/tcpip.h>
#include <netif/ethernet.h>

#include "address.h"
#include "attachif.h"
#include "echo.h"
#include "options.h"
#include "own_filter.h"
#include "ping.h"
#include "transfer.h"

#if NO_SYS || !LWIP_TCPIP_CORE_LOCKING || !LWIP_IPV4 || !LWIP_IPV6
#error "this takes an lwIP with threads, a core lock, IPv4 and IPv6"
#endif

/* How often to look whether addresses may be used: this lwIP does not tell. */
#define LOOK_MS 20

static void
read_frames(void *ctx)
{
	struct attachif *nic = ctx;
	struct pollfd p = {
		.fd = vnet_attach_fd(nic->attach),
		.events = POLLIN,
	};
	int r = 0;

	while (!r) {
		(void)poll(&p, 1, -1);
		LOCK_TCPIP_CORE();
		r = attachif_read(nic);
		UNLOCK_TCPIP_CORE();
	}
	fprintf(stderr, "lwip-host: %s\n",
		r == -EPIPE ? "the switch has ended the session"
			    : strerror(-r));
	exit(1);
}

static int
open_client(struct vnet_attach **attach, const struct options *o)
{
	char text[VNET_ATTACH_TEXT_SIZE];
	const struct vnet_attach_config config = {
		.size = sizeof(config),
		.path = o->socket,
		.vif = o->vif,
		.text = text,
	};
	struct vnet_why why = {.text = NULL};
	int r = vnet_attach_open(attach, &config, &why);

	if (r) {
		fprintf(stderr, "lwip-host: %s: %s (%s)\n", o->socket, why.text,
			strerror(-r));
		return r;
	}
	if (!ip4_addr_isany_val(o->ip4))
		r = own_filter_set(*attach, &o->ip4, &why);
	if (r) {
		fprintf(stderr, "lwip-host: its filter: %s (%s)\n", why.text,
			strerror(-r));
		vnet_attach_close(*attach);
	}
	return r;
}

static void
has_started(void *ctx)
{
	sys_sem_signal(ctx);
}

static int
start_lwip(void)
{
	unsigned int seed;
	sys_sem_t started;

	/* lwIP takes its ports and sequence numbers from rand(). */
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed) ||
	    sys_sem_new(&started, 0) != ERR_OK) {
		fprintf(stderr, "lwip-host: no start: %s\n", strerror(errno));
		return -1;
	}
	srand(seed);
	tcpip_init(has_started, &started);
	sys_sem_wait(&started);
	sys_sem_free(&started);
	return 0;
}

/* With the core lock held. */
static err_t
set_up(struct attachif *nic, const struct options *o)
{
	struct netif *netif = &nic->netif;
	err_t r = ERR_OK;

	/* Not tcpip_input(), which is for who does not hold the lock. */
	if (!netif_add(netif, &o->ip4, &o->mask, &o->gateway, nic,
		       attachif_init, ethernet_input))
		return ERR_IF;
	netif_set_default(netif);
	if (!o->no_ip6) {
		netif_create_ip6_linklocal_address(netif, 1);
		netif_set_ip6_autoconfig_enabled(netif, 1);
	}
	for (unsigned int i = 0; r == ERR_OK && i < o->nip6; i++)
		r = netif_add_ip6_address(netif, &o->ip6[i], NULL);
	netif_set_up(netif);
	return r == ERR_OK ? echo_start() : r;
}

/* Is an address of ours tentative? With the core lock held. */
static bool
is_tentative(const struct netif *netif)
{
	for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
		if (ip6_addr_istentative(netif_ip6_addr_state(netif, i)))
			return true;
	return false;
}

/* IPv6 makes sure that nobody else has an address (RFC 4862, 5.4), which takes a
 * second or two. */
static void
wait_until_usable(const struct netif *netif)
{
	bool is_usable = false;

	while (!is_usable) {
		LOCK_TCPIP_CORE();
		is_usable = !is_tentative(netif);
		UNLOCK_TCPIP_CORE();
		if (!is_usable)
			sys_msleep(LOOK_MS);
	}
}

/* Return: are all of them ours? */
static bool
say_ready(const struct netif *netif)
{
	char text[IPADDR_STRLEN_MAX];
	bool good = true;

	LOCK_TCPIP_CORE();
	for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
		if (!ip6_addr_isduplicated(netif_ip6_addr_state(netif, i)))
			continue;
		fprintf(stderr, "lwip-host: another host has %s\n",
			address_text(netif_ip_addr6(netif, i), text));
		good = false;
	}
	if (good) {
		printf("ready");
		if (!ip4_addr_isany(netif_ip4_addr(netif)))
			printf(" %s",
			       address_text(netif_ip_addr4(netif), text));
		for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
			if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)))
				printf(" %s",
				       address_text(netif_ip_addr6(netif, i),
						    text));
		printf("\n");
	}
	UNLOCK_TCPIP_CORE();
	return good;
}

static void
say_late(int number)
{
	static const char text[] = "lwip-host: not in time\n";

	(void)number;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

static bool
do_task(const struct options *o, const sigset_t *ends)
{
	int number;

	if (o->task == SERVE) {
		(void)sigwait(ends, &number);
		return true;
	}
	(void)signal(SIGALRM, say_late);
	(void)alarm(o->seconds);
	(void)pthread_sigmask(SIG_UNBLOCK, ends, NULL);
	return o->task == PING ? ping(&o->to, o->number)
			       : transfer(&o->to, o->number);
}

static bool
run(struct attachif *nic, const struct options *o, const sigset_t *ends)
{
	err_t r;

	LOCK_TCPIP_CORE();
	r = set_up(nic, o);
	UNLOCK_TCPIP_CORE();
	if (r != ERR_OK) {
		fprintf(stderr, "lwip-host: no interface: %s\n",
			strerror(err_to_errno(r)));
		return false;
	}
	sys_thread_new("frames", read_frames, nic, DEFAULT_THREAD_STACKSIZE,
		       DEFAULT_THREAD_PRIO);
	wait_until_usable(&nic->netif);
	return say_ready(&nic->netif) && do_task(o, ends);
}

int
main(int argc, char **argv)
{
	static struct attachif nic;
	struct options o;
	sigset_t ends;
	int status;

	if (!options_parse(&o, argc, argv, &status))
		return status;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	/* The threads to come inherit it: signals are for this one. */
	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigaddset(&ends, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &ends, NULL);

	if (open_client(&nic.attach, &o) || start_lwip())
		return 1;
	status = run(&nic, &o, &ends) ? 0 : 1;
	/* lwIP cannot be stopped: keep its lock, and it does no more. */
	LOCK_TCPIP_CORE();
	vnet_attach_close(nic.attach);
	return status;
}
