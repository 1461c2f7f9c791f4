/* SPDX-License-Identifier: BSD-2-Clause */
/* The arguments of vnet-mach: what each says, and what is wrong with others. */
#include "options.h"
#include "support.h"
#include "value.h"

static struct options o;
static struct options_complaint wrong;

/* An argument is in a list up to NULL. */
#define PARSE(...) \
	options_parse(&o, (const char *const[]){__VA_ARGS__, NULL}, &wrong)

/* That @argument is refused, behind a vif, for a reason that has @text in it. */
static void
assert_refused(const char *argument, const char *text)
{
	assert_false(PARSE("--vif=vif0", argument));
	assert_string_equal(wrong.argument, argument);
	if (!strstr(wrong.text, text))
		fail_msg("%s: %s", argument, wrong.text);
}

static void
test_nothing_to_do_is_refused(void **state)
{
	const char *none[] = {NULL};

	(void)state;
	assert_false(options_parse(&o, none, &wrong));
	assert_null(wrong.argument);
	assert_non_null(strstr(wrong.text, "nothing to do"));
}

static void
test_options_of_a_port_are_of_the_one_before(void **state)
{
	static const struct vnet_mac mac = {{2, 0, 0, 0, 0, 0xaf}};

	(void)state;
	assert_true(PARSE(
		"--device-master-port=7", "--vif=a", "--mtu=4087",
		"--mac=02:00:00:00:00:aF", "--may-promisc", "--per-client",
		"--vif=b", "--device=eth0", "--device=eth1", "--max-opens=5",
		"--no-siblings", "--may-set-address", "--prefix=guest",
		"--may-create=9", "--sticky", "--uplink=eth0", "--name=wire",
		"--mtu=1500", "--may-share", "--loop-guard", "--uplink=eth1",
		"--no-promisc", "--shared"));
	assert_int_equal(o.nports, 5);
	assert_int_equal(o.device_master, 7);

	assert_int_equal(o.port[0].kind, OPTIONS_VIF);
	assert_string_equal(o.port[0].name, "a");
	assert_int_equal(o.port[0].mtu, 4087);
	assert_memory_equal(&o.port[0].mac, &mac, sizeof(mac));
	assert_true(o.port[0].may_promisc);
	assert_false(o.port[0].may_set_address);
	assert_int_equal(o.port[0].flags, VNET_PORT_PER_CLIENT);

	assert_string_equal(o.port[1].name, "b");
	assert_false(o.port[1].may_promisc);
	assert_true(o.port[1].may_set_address);
	assert_int_equal(o.port[1].mtu, 0);
	assert_int_equal(o.port[1].max_opens, 5);
	assert_int_equal(o.port[1].flags, VNET_PORT_NO_SIBLINGS);
	assert_int_equal(o.nnames, 2);
	assert_int_equal(o.name[0].port, 1);
	assert_string_equal(o.name[0].name, "eth0");
	assert_string_equal(o.name[1].name, "eth1");

	assert_int_equal(o.port[2].kind, OPTIONS_PREFIX);
	assert_string_equal(o.port[2].name, "guest");
	assert_int_equal(o.port[2].may_create, 9);
	assert_int_equal(o.port[2].flags, VNET_PORT_STICKY);

	assert_int_equal(o.port[3].kind, OPTIONS_UPLINK);
	assert_string_equal(o.port[3].device, "eth0");
	assert_string_equal(o.port[3].name, "wire");
	assert_true(o.port[3].may_share);
	assert_int_equal(o.port[3].flags, VNET_PORT_LOOP_GUARD);

	assert_string_equal(o.port[4].device, "eth1");
	assert_null(o.port[4].name);
	assert_true(o.port[4].no_promisc);
	assert_true(o.port[4].shared);
}

static void
test_options_of_the_program_stand_anywhere(void **state)
{
	(void)state;
	assert_true(PARSE("--max-ports=65536", "--vif=a", "--max-clients=12",
			  "--addresses=0x1000", "--ageing=60", "--pool=65536",
			  "--threads=3", "--control=ctl",
			  "--seed=000102030405060708090a0b0c0d0e0F",
			  "--host-priv-port=4294967295", "--supervised"));
	assert_int_equal(o.max_ports, 65536);
	assert_int_equal(o.max_clients, 12);
	assert_int_equal(o.addresses, 4096);
	assert_int_equal(o.ageing_s, 60);
	assert_int_equal(o.pool_octets, 65536);
	assert_int_equal(o.threads, 3);
	assert_string_equal(o.control, "ctl");
	assert_int_equal(o.host_priv, UINT32_MAX);
	assert_true(o.is_supervised);
	for (unsigned int i = 0; i < sizeof(o.seed); i++)
		assert_int_equal(o.seed[i], i);
}

static void
test_what_boot_scripts_pass_is_understood(void **state)
{
	(void)state;
	assert_true(PARSE("--host-priv-port=1", "--device-master-port=2",
			  "--next-task=3", "--vif=eth0", "--uplink=eth0"));
	assert_int_equal(o.host_priv, 1);
	assert_int_equal(o.device_master, 2);
	assert_int_equal(o.next_task, 3);
	/* In the middle of a chain. */
	assert_true(PARSE("--next-task=3", "--vif=eth0", "--uplink=eth0"));
}

static void
test_unknown_arguments_are_refused(void **state)
{
	(void)state;
	assert_refused("vif1", "unknown");
	assert_refused("-vif", "unknown");
	assert_refused("--", "unknown");
	assert_refused("--vi=x", "unknown");
	assert_refused("--vifs=x", "unknown");
	assert_refused("", "unknown");
}

static void
test_options_that_stand_at_the_wrong_place_are_refused(void **state)
{
	(void)state;
	assert_false(PARSE("--mtu=1500", "--vif=a"));
	assert_string_equal(wrong.argument, "--mtu=1500");
	assert_refused("--shared", "no option of ports of this kind");
	assert_refused("--may-create=3", "no option of ports of this kind");
	assert_false(PARSE("--prefix=a", "--mac=02:00:00:00:00:01"));
	assert_false(PARSE("--prefix=a", "--in-filter=drop/1/6/0/0/0"));
	assert_false(
		PARSE("--device-master-port=1", "--uplink=a", "--may-promisc"));
	assert_string_equal(wrong.argument, "--may-promisc");
}

static void
test_what_is_said_twice_is_refused(void **state)
{
	(void)state;
	assert_false(PARSE("--vif=a", "--mtu=1500", "--mtu=1500"));
	assert_string_equal(wrong.text, "twice for one port");
	assert_true(PARSE("--vif=a", "--mtu=1500", "--vif=b", "--mtu=1500"));
	assert_false(PARSE("--vif=a", "--threads=2", "--threads=2"));
	assert_string_equal(wrong.text, "twice");
}

static void
test_what_does_not_fit_together_is_refused(void **state)
{
	(void)state;
	assert_false(PARSE("--vif=a", "--uplink=eth0"));
	assert_null(wrong.argument);
	assert_false(PARSE("--vif=a", "--supervised", "--next-task=1"));
	assert_null(wrong.argument);
	assert_false(PARSE("--vif=a", "--forward"));
	assert_null(wrong.argument);
	assert_true(PARSE("--vif=a", "--forward", "--device-master-port=1"));
	assert_true(o.forwards);
}

static void
test_values_out_of_bounds_are_refused(void **state)
{
	(void)state;
	assert_refused("--mtu", "expected 68 to 4087");
	assert_refused("--mtu=", "expected");
	assert_refused("--mtu=67", "expected");
	assert_refused("--mtu=4088", "expected");
	assert_refused("--mtu=1500x", "expected");
	assert_refused("--mtu=0x", "expected");
	assert_refused("--mtu=-1", "expected");
	assert_refused("--mtu=99999999999999999999999", "expected");
	assert_refused("--may-promisc=yes", "has no value");
	assert_refused("--vif=", "1 to 31");
	assert_refused("--vif=0123456789012345678901234567890x", "1 to 31");
	assert_refused("--seed=00", "32 hexadecimal digits");
	assert_refused("--seed=000102030405060708090a0b0c0d0e0f0", "32");
	assert_refused("--mac=02:00:00:00:00", "address");
	assert_refused("--mac=02:00:00:00:00:1", "address");
	assert_refused("--mac=02:00:00:00:00:01:", "address");
	assert_refused("--mac=01:00:00:00:00:01", "address");
	assert_refused("--mac=00:00:00:00:00:00", "address");
	assert_refused("--in-default=maybe", "pass or drop");
	assert_refused("--in-default=pass/", "pass or drop");
}

static void
test_a_filter_is_what_tcpdump_prints(void **state)
{
	static const struct vnet_bpf_insn arp[] = {{0x28, 0, 0, 12},
						   {0x15, 0, 1, 0x806},
						   {6, 0, 0, 262144},
						   {6, 0, 0, 0}};

	(void)state;
	assert_true(PARSE("--vif=a", "--vif=b",
			  /* tcpdump -ddd arp | tr ' \n' // */
			  "--out-filter=drop/4/40/0/0/12/21/0/1/2054/6/0/0/"
			  "262144/6/0/0/0/",
			  "--in-filter=pass,1,6,0,0,0xffffffff",
			  "--out-default=drop"));
	assert_int_equal(o.nrules, 2);
	assert_int_equal(o.rule[0].port, 1);
	assert_int_equal(o.rule[0].side, VNET_EGRESS);
	assert_int_equal(o.rule[0].verdict, VNET_DROP);
	assert_int_equal(o.rule[0].n, 4);
	assert_memory_equal(&o.insns[o.rule[0].first], arp, sizeof(arp));
	assert_int_equal(vnet_bpf_check(arp, 4, 0, NULL), 0);
	assert_int_equal(o.rule[1].side, VNET_INGRESS);
	assert_int_equal(o.rule[1].verdict, VNET_PASS);
	assert_int_equal(o.rule[1].n, 1);
	assert_int_equal(o.insns[o.rule[1].first].k, UINT32_MAX);
	assert_int_equal(o.port[1].default_verdict[VNET_EGRESS], VNET_DROP);
	assert_int_equal(o.port[1].default_verdict[VNET_INGRESS], VNET_PASS);
	assert_int_equal(o.port[0].default_verdict[VNET_EGRESS], VNET_PASS);
}

static void
test_what_is_no_filter_is_refused(void **state)
{
	(void)state;
	assert_refused("--in-filter=1/6/0/0/0", "pass or drop");
	assert_refused("--in-filter=drop", "pass or drop");
	assert_refused("--in-filter=dropped/1/6/0/0/0", "pass or drop");
	assert_refused("--in-filter=drop/0", "a program is");
	assert_refused("--in-filter=drop/0/", "a program is");
	assert_refused("--in-filter=drop/2/6/0/0/0", "a program is");
	assert_refused("--in-filter=drop/1/6/0/0", "a program is");
	assert_refused("--in-filter=drop/1/6/0/0/0/0", "a program is");
	assert_refused("--in-filter=drop/1/6/0/0/0//", "a program is");
	assert_refused("--in-filter=drop/1/65536/0/0/0", "a program is");
	assert_refused("--in-filter=drop/1/6/256/0/0", "a program is");
	assert_refused("--in-filter=drop/1/6/0/0/4294967296", "a program is");
	assert_refused("--in-filter=drop/4097/6/0/0/0", "too many");
	assert_refused("--in-filter=drop/4294967295/6/0/0/0", "too many");
}

static void
test_limits(void **state)
{
	(void)state;
	assert_true(PARSE("--vif=a", "--in-limit=frames_per_s=100",
			  "--out-limit=broadcast/octets_per_s=1000000/"
			  "burst_octets=65536",
			  "--out-limit=all/frames_per_s=1,burst_frames=2"));
	assert_int_equal(o.nlimits, 3);
	assert_int_equal(o.limit[0].side, VNET_INGRESS);
	assert_int_equal(o.limit[0].traffic, VNET_TRAFFIC_ALL);
	assert_int_equal(o.limit[0].limit.frames_per_s, 100);
	assert_int_equal(o.limit[0].limit.octets_per_s, 0);
	assert_int_equal(o.limit[1].side, VNET_EGRESS);
	assert_int_equal(o.limit[1].traffic, VNET_TRAFFIC_BROADCAST);
	assert_int_equal(o.limit[1].limit.octets_per_s, 1000000);
	assert_int_equal(o.limit[1].limit.burst_octets, 65536);
	assert_int_equal(o.limit[2].limit.burst_frames, 2);
	assert_refused("--in-limit=", "expected all");
	assert_refused("--in-limit=all", "expected all");
	assert_refused("--in-limit=all/", "expected all");
	assert_refused("--in-limit=frames_per_s=0", "expected all");
	assert_refused("--in-limit=burst_frames=3", "expected all");
	assert_refused("--in-limit=frames_per_s=3/", "expected all");
	assert_refused("--in-limit=frames_per_s=3x", "expected all");
	assert_refused("--in-limit=some/frames_per_s=3", "expected all");
	assert_refused("--in-limit=frames_per_s=1099511627777", "expected all");
}

static void
test_grants(void **state)
{
	struct vnet_grant g;

	(void)state;
	assert_true(PARSE(
		"--add-grant=lab/mac=02:00:00:00:aa:00/40/ipv4=10.9.0.0/24/"
		"ipv6=2001:db8:9::/64,ipv6=fd00::1/group=ff02::fb/vlan=100-200/"
		"ethertype=0x88b5/may=broadcast/may=llc/max_addresses=8/"
		"max_clients=4/queue=65536/depth=1/for_s=10/frames_per_s=100",
		"--add-grant=alice/parent=lab/mac=02:00:00:00:aa:01", "--vif=a",
		"--grant=alice", "--prefix=b", "--grant=lab", "--vif=c"));
	assert_int_equal(o.ngrants, 2);
	g = vnet_grant_form_get(&o.grant[0].form, 5);
	assert_string_equal(g.name, "lab");
	assert_string_equal(o.grant[0].parent, "");
	assert_int_equal(g.nmacs, 1);
	assert_int_equal(g.macs[0].bits, 40);
	assert_int_equal(g.macs[0].mac.octet[4], 0xaa);
	assert_int_equal(g.nipv4, 1);
	assert_int_equal(g.ipv4[0].bits, 24);
	assert_int_equal(g.nipv6, 2);
	assert_int_equal(g.ipv6[0].bits, 64);
	assert_int_equal(g.ipv6[0].octet[5], 9);
	assert_int_equal(g.ipv6[1].bits, 128);
	assert_int_equal(g.ipv6[1].octet[15], 1);
	assert_int_equal(g.ngroups, 1);
	assert_int_equal(g.groups[0].bits, 48);
	assert_int_equal(g.groups[0].mac.octet[5], 0xfb);
	assert_int_equal(g.vlans[0].first, 100);
	assert_int_equal(g.vlans[0].last, 200);
	assert_int_equal(g.ethertypes[0], 0x88b5);
	assert_int_equal(g.may, VNET_MAY_BROADCAST | VNET_MAY_LLC);
	assert_int_equal(g.max_addresses, 8);
	assert_int_equal(g.max_clients, 4);
	assert_int_equal(g.queue_octets, 65536);
	assert_int_equal(g.depth, 1);
	assert_true(g.until == 10 * VNET_NSEC_PER_SEC + 5);
	assert_int_equal(g.rate.frames_per_s, 100);
	assert_int_equal(g.rate.octets_per_s, 0);
	g = vnet_grant_form_get(&o.grant[1].form, 5);
	assert_string_equal(g.name, "alice");
	assert_string_equal(o.grant[1].parent, "lab");
	assert_true(g.until == 0);
	assert_int_equal(g.rate.size, 0);
	assert_string_equal(o.port[0].grant, "alice");
	assert_string_equal(o.port[1].grant, "lab");
	assert_null(o.port[2].grant);
}

static void
test_grants_that_are_wrong(void **state)
{
	(void)state;
	assert_refused("--add-grant=", "expected a name");
	assert_refused("--add-grant=/mac=02:00:00:00:00:01", "expected a name");
	assert_refused("--add-grant=a/mac", "expected a name");
	assert_refused("--add-grant=a/colour=red", "unknown key");
	assert_refused("--add-grant=a/mac=02:00:00:00:00:01/49",
		       "address as 02:");
	assert_refused("--add-grant=a/mac=02:00:00:00:00", "address as 02:");
	assert_refused("--add-grant=a/mac=2:0:0:0:0:1", "address as 02:");
	assert_refused("--add-grant=a/ipv4=10.0.0", "address as 10.");
	assert_refused("--add-grant=a/ipv4=10.0.0.1/33", "address as 10.");
	assert_refused("--add-grant=a/ipv4=10.0.0.300", "address as 10.");
	assert_refused("--add-grant=a/ipv6=1:2:3", "address as fd00::1");
	assert_refused("--add-grant=a/ipv6=1::2::3", "address as fd00::1");
	assert_refused("--add-grant=a/ipv6=1:2:3:4:5:6:7:8:9",
		       "address as fd00::1");
	assert_refused("--add-grant=a/ipv6=:1", "address as fd00::1");
	assert_refused("--add-grant=a/ipv6=1:", "address as fd00::1");
	assert_refused("--add-grant=a/ipv6=12345::", "address as fd00::1");
	assert_refused("--add-grant=a/ipv6=::/129", "address as fd00::1");
	assert_refused("--add-grant=a/group=10.0.0.1", "expected one as 224");
	assert_refused("--add-grant=a/group=fd00::1", "expected one as 224");
	assert_refused("--add-grant=a/vlan=4095", "expected 0 to 4094");
	assert_refused("--add-grant=a/vlan=5-4", "expected 0 to 4094");
	assert_refused("--add-grant=a/ethertype=65536", "as 0x88b5");
	assert_refused("--add-grant=a/may=fly", "expected broadcast");
	assert_refused("--add-grant=a/depth=9", "expected a number");
	assert_refused("--add-grant=a/for_s=0", "seconds of for_s");
	assert_refused("--add-grant=a/parent=b", "no grant that was there");
	assert_refused("--grant=a", "no --add-grant of that name");
	assert_false(PARSE("--add-grant=a", "--add-grant=a", "--vif=a"));
	assert_non_null(strstr(wrong.text, "was there before"));
}

static void
test_principals(void **state)
{
	(void)state;
	assert_true(PARSE("--add-principal=ann/right=0x9000/max_opens=3/task=7",
			  "--add-principal=bob", "--vif=a", "--principal=bob",
			  "--prefix=b", "--principal=ann", "--vif=c"));
	assert_int_equal(o.nprincipals, 2);
	assert_string_equal(o.principal[0].name, "ann");
	assert_int_equal(o.principal[0].task, 7);
	assert_int_equal(o.principal[0].right, 0x9000);
	assert_int_equal(o.principal[0].max_opens, 3);
	assert_int_equal(o.principal[1].task, 0);
	assert_ptr_equal(options_principal(&o, o.port[0].principal),
			 &o.principal[1]);
	assert_ptr_equal(options_principal(&o, o.port[1].principal),
			 &o.principal[0]);
	assert_null(options_principal(&o, o.port[2].principal));
	assert_refused("--add-principal=ann/task=7", "expected a name");
	assert_refused("--add-principal=ann/right=7", "expected a name");
	assert_refused("--add-principal=ann/task=0/right=1", "expected a name");
	assert_refused("--add-principal=ann/task=1x/right=1",
		       "expected a name");
	assert_refused("--principal=ann", "no --add-principal of that name");
	assert_false(PARSE("--add-principal=a", "--vif=a", "--supervised"));
	assert_non_null(strstr(wrong.text, "one of them"));
}

/* The tables are full at some time, and that is said. */
static void
test_there_is_an_end_of_everything(void **state)
{
	static const char *args[2 + OPTIONS_MAX_RULES + 2];
	static char big[64 + 8 * OPTIONS_MAX_INSNS];
	unsigned int n;

	(void)state;
	for (n = 0; n <= OPTIONS_MAX_PORTS; n++)
		args[n] = "--vif=a";
	assert_false(options_parse(&o, args, &wrong));
	assert_string_equal(wrong.text, "too many ports");
	args[OPTIONS_MAX_PORTS] = NULL;
	assert_true(options_parse(&o, args, &wrong));

	for (n = 1; n <= OPTIONS_MAX_RULES; n++)
		args[n] = "--in-filter=drop/1/6/0/0/0";
	args[n] = NULL;
	assert_true(options_parse(&o, args, &wrong));
	args[n] = args[1];
	assert_false(options_parse(&o, args, &wrong));
	assert_string_equal(wrong.text, "too many filters");
	for (n = 1; n <= OPTIONS_MAX_LIMITS + 1; n++)
		args[n] = "--in-limit=frames_per_s=1";
	assert_false(options_parse(&o, args, &wrong));
	assert_string_equal(wrong.text, "too many limits");
	for (n = 1; n <= OPTIONS_MAX_NAMES + 1; n++)
		args[n] = "--device=a";
	assert_false(options_parse(&o, args, &wrong));
	assert_string_equal(wrong.text, "too many names");

	n = (unsigned int)snprintf(big, sizeof(big), "--in-filter=drop/%d",
				   OPTIONS_MAX_INSNS);
	for (int i = 0; i < OPTIONS_MAX_INSNS; i++)
		n += (unsigned int)snprintf(big + n, sizeof(big) - n,
					    "/6/0/0/0");
	assert_true(PARSE("--vif=a", big));
	assert_int_equal(o.ninsns, OPTIONS_MAX_INSNS);
	assert_false(PARSE("--vif=a", big, "--in-filter=drop/1/6/0/0/0"));
	assert_string_equal(wrong.text, "too many instructions");
}

/* With nothing behind it. */
static char *
random_text(struct test_random *random)
{
	static const char *const pieces[] = {"--vif=",
					     "--in-filter=",
					     "--in-limit=",
					     "drop",
					     "pass",
					     "/",
					     ",",
					     "1",
					     "6",
					     "0",
					     "0x",
					     "--mac=",
					     "02:",
					     "--seed=",
					     "broadcast",
					     "frames_per_s=",
					     "--uplink=",
					     "--prefix=",
					     "a",
					     "--device=",
					     "--threads=",
					     "=",
					     "--add-grant=",
					     "mac=",
					     "/ipv6=",
					     "::",
					     "/may=",
					     "--add-principal=",
					     "-",
					     "99999999999"};
	unsigned int n = test_random_below(random, 7);
	char text[128] = "", *exact;

	while (n--)
		strcat(text,
		       pieces[test_random_below(
			       random, sizeof(pieces) / sizeof(*pieces))]);
	exact = malloc(strlen(text) + 1);
	assert_non_null(exact);
	return strcpy(exact, text);
}

/* Whatever it is: it ends, and reads nothing that is not there (under ASan). */
static void
test_random_arguments_do_no_harm(void **state)
{
	struct test_random random = {7};

	(void)state;
	for (int run = 0; run < 20000; run++) {
		unsigned int n = 1 + test_random_below(&random, 8);
		char *args[9] = {NULL};

		for (unsigned int i = 0; i < n; i++)
			args[i] = random_text(&random);
		if (!options_parse(&o, (const char *const *)args, &wrong))
			assert_non_null(wrong.text);
		while (n--)
			free(args[n]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_to_do_is_refused),
		cmocka_unit_test(test_options_of_a_port_are_of_the_one_before),
		cmocka_unit_test(test_options_of_the_program_stand_anywhere),
		cmocka_unit_test(test_what_boot_scripts_pass_is_understood),
		cmocka_unit_test(test_unknown_arguments_are_refused),
		cmocka_unit_test(
			test_options_that_stand_at_the_wrong_place_are_refused),
		cmocka_unit_test(test_what_is_said_twice_is_refused),
		cmocka_unit_test(test_what_does_not_fit_together_is_refused),
		cmocka_unit_test(test_values_out_of_bounds_are_refused),
		cmocka_unit_test(test_a_filter_is_what_tcpdump_prints),
		cmocka_unit_test(test_what_is_no_filter_is_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_grants_that_are_wrong),
		cmocka_unit_test(test_principals),
		cmocka_unit_test(test_there_is_an_end_of_everything),
		cmocka_unit_test(test_random_arguments_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
