/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet-mach: a switch as a task of GNU Mach, without a C library (vnet-mach(8)).
 *
 *	serve		it gives its master right to its bootstrap port
 *	principals	(--add-principal) each of their tasks gets a master right of
 *			its own
 *	boot chain	(--next-task) it becomes the device master of the system
 *			that the next task begins
 */
#include <mach/task_special_ports.h>

#include <bare.h>

#include "boot_chain.h"
#include "crew.h"
#include "handover.h"
#include "plant.h"

static _Noreturn void
die(const char *what, kern_return_t kr)
{
	if (kr)
		bare_printf("vnet-mach: %s: 0x%x\n", what, (unsigned int)kr);
	else
		bare_printf("vnet-mach: %s\n", what);
	bare_exit();
}

static void
parse(struct options *o, char *const *argv)
{
	struct options_complaint complaint;

	if (options_parse(o, (const char *const *)argv, &complaint))
		return;
	if (complaint.argument)
		bare_printf("vnet-mach: %s: %s\n", complaint.argument,
			    complaint.text);
	else
		bare_printf("vnet-mach: %s\n", complaint.text);
	bare_exit();
}

static mach_port_t
bootstrap_port(void)
{
	mach_port_t port = MACH_PORT_NULL;

	task_get_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT, &port);
	return MACH_PORT_VALID(port) ? port : MACH_PORT_NULL;
}

/* Whoever has started us gets the master, or has it already. */
static void
serve(struct plant *p, const struct options *o, mach_port_t bootstrap)
{
	mach_port_t receive = MACH_PORT_NULL;
	kern_return_t kr;

	if (bootstrap == MACH_PORT_NULL && !o->nprincipals)
		die("nobody to give the master to: no bootstrap port, and no "
		    "--next-task and no --add-principal",
		    0);
	if (o->is_supervised) {
		kr = handover_claim(bootstrap, &receive);
		if (kr)
			die("no receive right for the master", kr);
	}
	if (!plant_open(p, receive, o->device_master, o->forwards))
		bare_exit();
	if (o->is_supervised || bootstrap == MACH_PORT_NULL)
		return;
	kr = handover_give(bootstrap, vnet_mach_master_right(p->master));
	if (kr)
		die("nobody takes the master", kr);
}

/* A send right to the master that the whole system gets, for which the one that
 * there was, @real, is lent. */
static mach_port_t
make_master(struct plant *p, mach_port_t real)
{
	mach_port_t right;

	if (!plant_open(p, MACH_PORT_NULL, real, true))
		bare_exit();
	right = vnet_mach_master_right(p->master);
	if (mach_port_insert_right(mach_task_self(), right, right,
				   MACH_MSG_TYPE_MAKE_SEND))
		die("no right to the master", 0);
	return right;
}

static mach_port_t
ready(void *ctx, mach_port_t host_priv, mach_port_t real)
{
	(void)host_priv;
	if (real == MACH_PORT_NULL)
		die("those before us in the boot chain have no device master",
		    0);
	return make_master(ctx, real);
}

/* First where the arguments say the device master; else behind @bootstrap. */
static void
join_chain(struct plant *p, const struct options *o, mach_port_t bootstrap)
{
	struct vnet_boot_config config = {.ctx = p};
	const char *wrong;

	if (o->device_master) {
		config.host_priv = o->host_priv;
		config.master = make_master(p, o->device_master);
	} else if (bootstrap != MACH_PORT_NULL) {
		config.bootstrap = bootstrap;
		config.ready = ready;
	} else {
		die("--next-task needs --device-master-port, or somebody "
		    "before us in the boot chain",
		    0);
	}
	wrong = boot_chain_start(&config, o->next_task);
	if (wrong)
		die(wrong, 0);
}

int
main(int argc, char **argv)
{
	static struct options options;
	static struct plant plant;
	static struct crew crew;
	mach_port_t bootstrap = bootstrap_port();

	(void)argc;
	parse(&options, argv + 1);
	if (options.device_master)
		bare_clock_map(options.device_master);
	if (!plant_create(&plant, &options, crew_want, &crew))
		bare_exit();
	if (options.next_task)
		join_chain(&plant, &options, bootstrap);
	else
		serve(&plant, &options, bootstrap);
	/* Any client may hold one up. */
	crew.max = options.threads ? options.threads
				   : plant.max_clients + CREW_ALWAYS;
	crew.m = plant.m;
	crew_run(&crew);
}
