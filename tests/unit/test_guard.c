/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs of a guard let pass, and which part of the grant they name
 * where they do not. Frames are written down in hexadecimal.
 */
#include <ctype.h>
#include <errno.h>

#include "bpf.h"
#include "guard.h"
#include "support.h"

/* The client's own are 02:..:0a, 10.0.0.1 and 2001:db8::/64. */
static const struct vnet_mac_prefix own_mac = {{{2, 0, 0, 0, 0, 0x0a}}, 48};
static const struct vnet_ipv4_prefix own_ipv4 = {{10, 0, 0, 1}, 32};
static const struct vnet_ipv6_prefix own_ipv6 = {{0x20, 1, 0x0d, 0xb8}, 64};

#define A         "02000000000a "
#define B         "02000000000b "
#define BROADCAST "ffffffffffff "
#define FROM_A    B A

static struct vnet_grant
typical(uint32_t may)
{
	return (struct vnet_grant){
		.size = sizeof(struct vnet_grant),
		.name = "typical",
		.macs = &own_mac,
		.nmacs = 1,
		.ipv4 = &own_ipv4,
		.nipv4 = 1,
		.ipv6 = &own_ipv6,
		.nipv6 = 1,
		.may = may,
	};
}

static size_t
octets_of(const char *hex, uint8_t *octets)
{
	size_t n = 0;

	for (; *hex; hex++) {
		char digits[3] = {0};

		if (isspace((unsigned char)*hex))
			continue;
		digits[0] = *hex++;
		digits[1] = *hex;
		octets[n++] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return n;
}

static const char *
run(const struct vnet_grant *g, enum vnet_side side, const struct vnet_frame *f)
{
	static struct vnet_bpf_insn insns[VNET_GRANT_MAX_INSNS];
	static struct vnet_bpf_op ops[VNET_GRANT_MAX_INSNS];
	int n = vnet_grant_compile(g, side, insns, VNET_GRANT_MAX_INSNS, NULL);

	assert_true(n > 0);
	assert_int_equal(n, vnet_grant_compile(g, side, NULL, 0, NULL));
	assert_int_equal(vnet_bpf_check(insns, (size_t)n, VNET_GRANT_MAX_INSNS,
					NULL),
			 0);
	vnet_bpf_translate(ops, insns, (size_t)n);
	return vnet_grant_part_name((enum vnet_grant_part)vnet_bpf_run(ops, f));
}

static const char *
said(const struct vnet_grant *g, enum vnet_side side, const char *hex)
{
	uint8_t octets[512];
	const struct vnet_frame f = {
		.data = octets,
		.len = (uint32_t)octets_of(hex, octets),
	};

	return run(g, side, &f);
}

static const char *
sent(uint32_t may, const char *hex)
{
	const struct vnet_grant g = typical(may);

	return said(&g, VNET_INGRESS, hex);
}

static const char *
got(uint32_t may, const char *hex)
{
	const struct vnet_grant g = typical(may);

	return said(&g, VNET_EGRESS, hex);
}

#define assert_sent(hex, part)     assert_string_equal(sent(0, hex), part)
#define assert_may(may, hex, part) assert_string_equal(sent(may, hex), part)
#define assert_got(may, hex, part) assert_string_equal(got(may, hex), part)

/* Headers. */
#define IPV4_FROM(src, proto) \
	"0800 4500 0064 0000 0000 40 " proto " 0000 " src " 0a000002 "
#define IPV4(proto)             IPV4_FROM("0a000001", proto)
#define UDP(src, dst)           src dst "0008 0000 "
#define PORT(hex)               hex " "
#define OWN_IPV6                "20010db8000000000000000000000001 "
#define OTHER_IPV6              "20010db8000000010000000000000001 "
#define LINK_LOCAL(first, last) "fe80000000000000" first "0000fffe0000" last
#define UNSPECIFIED             "00000000000000000000000000000000 "
#define IPV6_OF(len, src, next) "86dd 60000000 " len next " ff " src OWN_IPV6
#define IPV6(next)              IPV6_OF("0040 ", OWN_IPV6, next)
#define ARP(op, sha, spa, tpa) \
	"0806 0001 0800 0604 " op sha spa "000000000000 " tpa

static void
test_frame_from_another_address_is_refused(void **state)
{
	(void)state;
	assert_sent(FROM_A IPV4("06"), "pass");
	assert_sent(B "02000000000b" IPV4("06"), "macs");
	assert_sent(B "03000000000a" IPV4("06"), "macs");
	assert_sent(B "02000000010a" IPV4("06"), "macs");
}

static void
test_tag_that_is_not_granted_is_refused(void **state)
{
	static const struct vnet_vlan_range some[] = {{7, 7}, {10, 20}};
	struct vnet_grant g = typical(0);

	(void)state;
	assert_sent(FROM_A "8100 0007" IPV4("06"), "vlans");
	/* Nor one that only says a priority. */
	assert_sent(FROM_A "8100 e000" IPV4("06"), "vlans");
	g.vlans = some;
	g.nvlans = 2;
#define assert_tagged(hex, part) \
	assert_string_equal(said(&g, VNET_INGRESS, FROM_A hex), part)
	assert_tagged(IPV4("06"), "vlans");
	assert_tagged("8100 0000" IPV4("06"), "vlans");
	assert_tagged("8100 0007" IPV4("06"), "pass");
	assert_tagged("8100 f007" IPV4("06"), "pass");
	assert_tagged("8100 0008" IPV4("06"), "vlans");
	assert_tagged("8100 0009" IPV4("06"), "vlans");
	assert_tagged("8100 000a" IPV4("06"), "pass");
	assert_tagged("8100 0014" IPV4("06"), "pass");
	assert_tagged("8100 0015" IPV4("06"), "vlans");
	assert_tagged("8100 0007" IPV4_FROM("0a000002", "06"), "ipv4");
	/* A second one, of whatever kind, and a service tag. */
	assert_tagged("8100 0007 8100 0007" IPV4("06"), "vlans");
	assert_tagged("8100 0007 88a8 0007" IPV4("06"), "vlans");
	assert_tagged("8100 0007 9100 0007" IPV4("06"), "vlans");
	assert_tagged("88a8 0007" IPV4("06"), "vlans");
	assert_tagged("9200 0007" IPV4("06"), "vlans");
#undef assert_tagged
}

static void
test_tag_that_travels_out_of_band_is_a_tag(void **state)
{
	static const struct vnet_vlan_range seven = {7, 7};
	struct vnet_grant g = typical(0);
	uint8_t octets[64];
	struct vnet_frame f = {
		.data = octets,
		.len = (uint32_t)octets_of(FROM_A IPV4("06"), octets),
		.ntags = 1,
		.tag = {{0x8100, 7}, {0x8100, 7}},
	};

	(void)state;
	assert_string_equal(run(&g, VNET_INGRESS, &f), "vlans");
	g.vlans = &seven;
	g.nvlans = 1;
	assert_string_equal(run(&g, VNET_INGRESS, &f), "pass");
	f.ntags = 2;
	assert_string_equal(run(&g, VNET_INGRESS, &f), "vlans");
}

static void
test_arp_speaks_of_the_senders_own_addresses(void **state)
{
	(void)state;
#define OWN   "0a000001 "
#define OTHER "0a000002 "
#define ZERO  "00000000 "
#define REQ   "0001 "
#define REPLY "0002 "
	assert_sent(BROADCAST A ARP(REQ, A, OWN, OTHER), "pass");
	assert_sent(FROM_A ARP(REPLY, A, OWN, OTHER), "pass");
	assert_sent(BROADCAST A ARP(REPLY, A, OWN, OWN), "pass");
	assert_sent(BROADCAST A ARP(REQ, A, OTHER, OTHER), "arp");
	assert_sent(FROM_A ARP(REPLY, A, OTHER, OWN), "arp");
	assert_sent(FROM_A ARP(REPLY, B, OWN, OTHER), "arp");
	assert_sent(FROM_A ARP(REQ, "12000000000a ", OWN, OTHER), "arp");
	/* A probe is for one's own address. */
	assert_sent(BROADCAST A ARP(REQ, A, ZERO, OWN), "pass");
	assert_sent(BROADCAST A ARP(REQ, A, ZERO, OTHER), "arp");
	assert_sent(BROADCAST A ARP(REPLY, A, ZERO, OWN), "arp");
	/* RARP's operations, other hardware, other addresses. */
	assert_sent(FROM_A ARP("0003 ", A, OWN, OWN), "arp");
	assert_sent(FROM_A "0806 0006 0800 0604 0001" A OWN A OTHER, "arp");
	assert_sent(FROM_A "0806 0001 86dd 0604 0001" A OWN A OTHER, "arp");
	assert_sent(FROM_A "0806 0001 0800 0610 0001" A OWN A OTHER, "arp");
	assert_sent("01005e000001 " A ARP(REQ, A, OWN, OTHER), "groups");
	assert_sent(FROM_A "0806 0001 0800 0604 0001" A "0a00", "undecided");
}

static void
test_ipv4_comes_from_its_address(void **state)
{
	static const struct vnet_ipv4_prefix some[] = {{{10, 1, 0, 0}, 16},
						       {{192, 168, 7, 8}, 29}};
	struct vnet_grant g = typical(0);

	(void)state;
	assert_sent(FROM_A IPV4_FROM("0a000002", "06"), "ipv4");
	assert_sent(FROM_A IPV4_FROM("00000000", "06"), "ipv4");
	assert_sent(FROM_A "0800 6500 0064", "undecided");
	assert_sent(FROM_A "0800 4400 0064", "undecided");
	assert_sent(FROM_A "0800", "undecided");
	g.ipv4 = some;
	g.nipv4 = 2;
#define assert_from(src, part) \
	assert_string_equal(   \
		said(&g, VNET_INGRESS, FROM_A IPV4_FROM(src, "06")), part)
	assert_from("0a00ffff", "ipv4");
	assert_from("0a010000", "pass");
	assert_from("0a01ffff", "pass");
	assert_from("0a020000", "ipv4");
	assert_from("c0a80707", "ipv4");
	assert_from("c0a80708", "pass");
	assert_from("c0a8070f", "pass");
	assert_from("c0a80710", "ipv4");
	g.nipv4 = 0;
	assert_from("0a010000", "ethertypes");
#undef assert_from
	assert_string_equal(said(&g, VNET_INGRESS,
				 FROM_A ARP(REQ, A, OWN, OTHER)),
			    "ethertypes");
}

static void
test_dhcp_client_needs_no_address_and_no_broadcast(void **state)
{
	(void)state;
#define DISCOVER UDP(PORT("0044"), PORT("0043"))
	assert_sent(BROADCAST A IPV4_FROM("00000000", "11") DISCOVER, "pass");
	assert_sent(BROADCAST A IPV4("11") DISCOVER, "pass");
	assert_sent(BROADCAST A IPV4_FROM("0a000002", "11") DISCOVER, "ipv4");
	assert_sent(BROADCAST A IPV4("11") UDP(PORT("0045"), PORT("0043")),
		    "broadcast");
	assert_sent(BROADCAST A IPV4("06") DISCOVER, "broadcast");
	assert_may(VNET_MAY_BROADCAST, BROADCAST A IPV4("06"), "pass");
	assert_sent(BROADCAST A IPV4_FROM("00000000", "11")
			    UDP(PORT("0044"), PORT("0045")),
		    "ipv4");
	/* In fragments, the ports could be anywhere. */
	assert_sent(BROADCAST A "0800 4500 0064 0000 2000 40 11 0000 00000000 "
				"ffffffff" DISCOVER,
		    "undecided");
}

static void
test_dhcp_server_needs_to_be_granted(void **state)
{
	static const char offer[] =
		FROM_A IPV4("11") UDP(PORT("0043"), PORT("0044"));
	static const char anywhere[] =
		FROM_A IPV4("11") UDP(PORT("1234"), PORT("0044"));
	static const char relayed[] =
		FROM_A IPV4("11") UDP(PORT("0043"), PORT("0043"));
	static const char offer6[] =
		FROM_A IPV6("11") UDP(PORT("0223"), PORT("0222"));
	static const char anywhere6[] =
		FROM_A IPV6("11") UDP(PORT("1234"), PORT("0222"));
	static const char solicit6[] =
		FROM_A IPV6("11") UDP(PORT("0222"), PORT("0223"));

	(void)state;
	assert_sent(offer, "dhcp");
	assert_sent(anywhere, "dhcp");
	assert_sent(relayed, "dhcp");
	assert_sent(offer6, "dhcp");
	assert_sent(anywhere6, "dhcp");
	assert_sent(solicit6, "pass");
	assert_may(VNET_MAY_DHCP, offer, "pass");
	assert_may(VNET_MAY_DHCP, anywhere6, "pass");
	/* Options of IPv4 move it. */
	assert_sent(FROM_A "0800 4600 0064 0000 0000 40 11 0000 0a000001 "
			   "0a000002 01010101" UDP(PORT("0043"), PORT("0044")),
		    "dhcp");
	/* A later fragment has no ports; the first has to have them all. */
	assert_sent(FROM_A "0800 4500 0064 0000 2001 40 11 0000 0a000001 "
			   "0a000002" UDP(PORT("0043"), PORT("0044")),
		    "pass");
	assert_sent(FROM_A "0800 4500 0064 0000 2000 40 11 0000 0a000001 "
			   "0a000002 0041",
		    "undecided");
}

static void
test_routers_need_to_be_granted(void **state)
{
	static const char *const routers[] = {
		FROM_A IPV4("01") "05",
		FROM_A IPV4("01") "09",
		FROM_A IPV4("67") "00",
		FROM_A IPV6("67") "00",
		FROM_A IPV6(
			"3a") "86 00 0000 0000000000000000 0000000000000000 "
			      "00000000 000000000000000000000000 00000000",
		FROM_A IPV6("3a") "89",
		FROM_A IPV6("3a") "82",
		FROM_A IPV6("3a") "97",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(routers) / sizeof(routers[0]); i++) {
		assert_sent(routers[i], "route");
		if (i != 4) /* has options that are none */
			assert_may(VNET_MAY_ROUTE, routers[i], "pass");
	}
	assert_sent(FROM_A IPV4("01") "08", "pass");
	assert_sent(FROM_A IPV6("3a") "80", "pass");
	assert_sent("01005e000001" A IPV4("02") "11", "groups");
	assert_may(VNET_MAY_MULTICAST, "01005e000001" A IPV4("02") "11",
		   "route");
	assert_may(VNET_MAY_MULTICAST, "01005e000001" A IPV4("02") "14",
		   "route");
	assert_may(VNET_MAY_MULTICAST, "01005e000016" A IPV4("02") "22",
		   "pass");
}

static void
test_vrrp_and_tunnels_need_to_be_granted(void **state)
{
	static const char *const tunnels[] = {
		FROM_A IPV4("04"),
		FROM_A IPV4("29"),
		FROM_A IPV4("2f"),
		FROM_A IPV4("61"),
		FROM_A IPV6("2f"),
		FROM_A IPV6("04"),
		FROM_A IPV4("11") UDP(PORT("8000"), PORT("12b5")),
		FROM_A IPV6("11") UDP(PORT("8000"), PORT("17c1")),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		assert_sent(tunnels[i], "tunnel");
		assert_may(VNET_MAY_TUNNEL, tunnels[i], "pass");
	}
	assert_sent(FROM_A IPV4("11") UDP(PORT("12b5"), PORT("8000")), "pass");
	assert_sent(FROM_A IPV4("70"), "vrrp");
	assert_sent(FROM_A IPV6("70"), "vrrp");
	assert_may(VNET_MAY_VRRP, FROM_A IPV6("70"), "pass");
	assert_sent(FROM_A IPV4("84"), "pass"); /* SCTP */
}

static void
test_ipv6_comes_from_its_address_or_the_link_local_one(void **state)
{
	(void)state;
	assert_sent(FROM_A IPV6("06"), "pass");
	assert_sent(FROM_A IPV6_OF("0040", OTHER_IPV6, "06"), "ipv6");
	assert_sent(FROM_A IPV6_OF("0040", LINK_LOCAL("00", "0a"), "06"),
		    "pass");
	assert_sent(FROM_A IPV6_OF("0040", LINK_LOCAL("02", "0a"), "06"),
		    "ipv6");
	assert_sent(FROM_A IPV6_OF("0040", LINK_LOCAL("00", "0b"), "06"),
		    "ipv6");
	assert_sent(FROM_A IPV6_OF("0040", "fe80000000000001 000000fffe00000a",
				   "06"),
		    "ipv6");
	assert_sent(FROM_A IPV6_OF("0040", UNSPECIFIED, "06"), "ipv6");
	assert_sent(FROM_A "86dd 4000 0000", "undecided");
	assert_sent(FROM_A "86dd 60000000 0040 06 ff 20010db80000000000000000",
		    "undecided");
}

static void
test_extension_headers_are_walked_through(void **state)
{
	static const char offer[] = UDP(PORT("1234"), PORT("0222"));
	char hex[512];

	(void)state;
	/* Up to four of them, of any length. */
	for (int n = 1; n <= 5; n++) {
		strcpy(hex, FROM_A IPV6("00"));
		for (int i = 1; i <= n; i++) {
			strcat(hex, i == n ? "11" : "2b");
			strcat(hex, i == 1 ? "01 0000000000000000000000000000"
					   : "00 000000000000");
		}
		strcat(hex, offer);
		assert_sent(hex, n <= 4 ? "dhcp" : "undecided");
	}
	assert_sent(FROM_A IPV6("00") "06", "undecided");
	assert_sent(FROM_A IPV6("00") "06 00", "pass");
	/* They can say another source address. */
	assert_sent(FROM_A IPV6("3c") "06 00 000000000000", "undecided");
	assert_sent(FROM_A IPV6("33") "06 00 000000000000", "tunnel");
}

static void
test_fragment_of_ipv6_hides_nothing(void **state)
{
	(void)state;
#define FIRST "00 0001 00000000 "
	assert_sent(FROM_A IPV6("2c") "06" FIRST, "pass");
	assert_sent(FROM_A IPV6("2c") "11" FIRST UDP(PORT("1234"),
						     PORT("0222")),
		    "dhcp");
	assert_sent(FROM_A IPV6("2c") "11" FIRST "1234", "undecided");
	assert_sent(FROM_A IPV6("2c") "11 00 0009 00000000"
				      "1234",
		    "pass");
	/* Neighbour discovery is not cut, nor is one fragment all of it. */
	assert_sent(FROM_A IPV6("2c") "3a" FIRST "88", "undecided");
	assert_sent(FROM_A IPV6("2c") "3a 00 0000 00000000 88", "undecided");
	assert_sent(FROM_A IPV6("2c") "3a" FIRST "80", "pass");
	assert_sent(FROM_A IPV6("2c") "3a" FIRST "82", "route");
	/* Nothing stands between it and what it is a fragment of. */
	assert_sent(FROM_A IPV6("2c") "00" FIRST "11 00 000000000000",
		    "undecided");
	assert_sent(FROM_A IPV6("2c") "3c" FIRST "11 00 000000000000",
		    "undecided");
	assert_sent(FROM_A IPV6("2c") "2c" FIRST "11 00 0009 00000000",
		    "undecided");
	assert_sent(FROM_A IPV6_OF("0040", UNSPECIFIED, "2c") "3a" FIRST "87",
		    "undecided");
}

/* Neighbour discovery: a message of type @t with a target, and what follows. */
#define ND(len, src, t, target) \
	IPV6_OF(len, src, "3a") t "000000 00000000 " target
#define LLA_OF(t, mac) t "01 " mac

static void
test_neighbour_discovery_speaks_of_the_senders_own_addresses(void **state)
{
	(void)state;
	/* Advertisements are for one's own. */
	assert_sent(FROM_A ND("0018", OWN_IPV6, "88", OWN_IPV6), "pass");
	assert_sent(FROM_A ND("0018", OWN_IPV6, "88", OTHER_IPV6), "nd");
	assert_sent(FROM_A ND("0018", OWN_IPV6, "88", LINK_LOCAL("00", "0a")),
		    "pass");
	assert_sent(FROM_A ND("0018", OWN_IPV6, "88", LINK_LOCAL("00", "0b")),
		    "nd");
	assert_sent(FROM_A ND("0020", OWN_IPV6, "88", OWN_IPV6) LLA_OF("02", A),
		    "pass");
	assert_sent(FROM_A ND("0020", OWN_IPV6, "88", OWN_IPV6) LLA_OF("02", B),
		    "nd");
	/* One may ask for anybody's, and has an address to be answered to. */
	assert_sent(FROM_A ND("0020", OWN_IPV6, "87", OTHER_IPV6)
			    LLA_OF("01", A),
		    "pass");
	assert_sent(FROM_A ND("0020", OWN_IPV6, "87", OTHER_IPV6)
			    LLA_OF("01", B),
		    "nd");
	assert_sent(FROM_A ND("0020", OWN_IPV6, "87", OTHER_IPV6)
			    LLA_OF("01", "12000000000a"),
		    "nd");
	/* A probe is for one's own. */
	assert_sent("3333ff000001" A ND("0018", UNSPECIFIED, "87", OWN_IPV6),
		    "pass");
	assert_sent("3333ff000001" A ND("0018", UNSPECIFIED, "87", OTHER_IPV6),
		    "nd");
	/* A router is asked with and without an address. */
	assert_sent("333300000002" A IPV6_OF("0008", UNSPECIFIED,
					     "3a") "85"
						   "000000 00000000",
		    "pass");
	assert_sent("333300000002" A IPV6_OF("0010", OWN_IPV6,
					     "3a") "85"
						   "000000 00000000" LLA_OF(
							   "01", B),
		    "nd");
	/* Nothing else comes from nowhere, but reports of groups. */
	assert_sent("333300000016" A IPV6_OF("0008", UNSPECIFIED, "3a") "8f",
		    "pass");
	assert_sent("333300000001" A IPV6_OF("0008", UNSPECIFIED, "3a") "80",
		    "ipv6");
	assert_sent("333300000001" A IPV6_OF("0018", UNSPECIFIED, "3a") "88",
		    "ipv6");
}

static void
test_options_of_neighbour_discovery_are_walked_through(void **state)
{
	(void)state;
#define NONCE "0e01 000000000000 "
#define NA    FROM_A ND("0038", OWN_IPV6, "88", OWN_IPV6)
	assert_sent(NA NONCE NONCE NONCE LLA_OF("02", A), "pass");
	assert_sent(NA NONCE NONCE NONCE LLA_OF("02", B), "nd");
	assert_sent(NA NONCE
		    "0e02 0000000000000000000000000000 " LLA_OF("02", B),
		    "nd");
	assert_sent(NA LLA_OF("02", A) LLA_OF("02", B), "nd");
	assert_sent(NA "0e00 000000000000", "nd");
	/* A ninth is one too many. */
	assert_sent(FROM_A ND("0058", OWN_IPV6, "88", OWN_IPV6)
			    NONCE NONCE NONCE NONCE NONCE NONCE NONCE LLA_OF(
				    "02", B),
		    "nd");
	assert_sent(
		FROM_A ND("0060", OWN_IPV6, "88", OWN_IPV6)
			NONCE NONCE NONCE NONCE NONCE NONCE NONCE NONCE NONCE,
		"undecided");
	/* What is behind the payload is nobody's. */
	assert_sent(FROM_A ND("0018", OWN_IPV6, "88", OWN_IPV6) LLA_OF("02", B),
		    "pass");
	/* One that says it has no octets may have more than it can say. */
	assert_sent(FROM_A ND("0000", OWN_IPV6, "88", OWN_IPV6) LLA_OF("02", B),
		    "undecided");
	/* One that says that it has more than are there. */
	assert_sent(FROM_A ND("0020", OWN_IPV6, "88", OWN_IPV6), "undecided");
}

static void
test_groups_need_to_be_granted(void **state)
{
	static const struct vnet_mac_prefix group = {
		{{0x01, 0, 0x5e, 0, 0, 0xfb}}, 48};
	struct vnet_grant g = typical(0);

	(void)state;
	assert_sent("01005e0000fb" A IPV4("11") UDP("14e9", "14e9"), "groups");
	assert_may(VNET_MAY_MULTICAST,
		   "01005e0000fb" A IPV4("11") UDP("14e9", "14e9"), "pass");
	assert_sent("01005e000016" A IPV4("02") "22", "groups");
	assert_sent("3333000000fb" A IPV6("11") UDP("14e9", "14e9"), "groups");
	/* Those of IPv6 are for IPv6. */
	assert_sent("333300010002" A IPV6("11") UDP("0222", "0223"), "pass");
	assert_sent("333300010002" A IPV4("11") UDP("0222", "0223"), "groups");
	assert_sent("333300010003" A IPV6("11") UDP("0222", "0223"), "groups");
	g.groups = &group;
	g.ngroups = 1;
	assert_string_equal(said(&g, VNET_INGRESS,
				 "01005e0000fb" A IPV4("11")
					 UDP("14e9", "14e9")),
			    "pass");
	assert_string_equal(said(&g, VNET_INGRESS,
				 "01005e0000fc" A IPV4("11")
					 UDP("14e9", "14e9")),
			    "groups");
	assert_string_equal(said(&g, VNET_INGRESS,
				 "01005e000016" A IPV4("02") "22"),
			    "pass");
}

static void
test_other_types_need_to_be_granted(void **state)
{
	static const uint16_t type = 0x88b5;
	struct vnet_grant g = typical(0);

	(void)state;
	assert_sent(FROM_A "88b5 00", "ethertypes");
	assert_sent(FROM_A "0003 42 42 03", "llc");
	assert_may(VNET_MAY_LLC, FROM_A "0003 42 42 03", "pass");
	/* A frame with a type again. */
	assert_may(VNET_MAY_LLC, FROM_A "0008 aa aa 03 000000 0800", "llc");
	assert_may(VNET_MAY_LLC, FROM_A "0008 aa ab 03 000000 0800", "llc");
	g.ethertypes = &type;
	g.nethertypes = 1;
	assert_string_equal(said(&g, VNET_INGRESS, FROM_A "88b5 00"), "pass");
	assert_string_equal(said(&g, VNET_INGRESS, FROM_A "88b6 00"),
			    "ethertypes");
	assert_string_equal(said(&g, VNET_INGRESS, BROADCAST A "88b5 00"),
			    "broadcast");
}

static void
test_client_gets_what_is_for_it(void **state)
{
	(void)state;
	assert_got(0, A B IPV4_FROM("0a000002", "06"), "pass");
	assert_got(0, B "02000000000c" IPV4("06"), "macs");
	assert_got(0, BROADCAST B ARP(REQ, B, OTHER, OWN), "pass");
	assert_got(0, A B "8100 0007" IPV4("06"), "vlans");
	assert_got(0, A B "8100 0000" IPV4("06"), "vlans");
	assert_got(0, A B "88b5", "ethertypes");
	assert_got(0, A B "0003 424203", "llc");
	assert_got(0, "333300000001" B IPV6("3a") "86", "pass");
	assert_got(0, "3333ff123456" B IPV6("3a") "87", "pass");
	assert_got(0, "01005e000001" B IPV4("02") "11", "pass");
	assert_got(0, "01005e0000fb" B IPV4("11"), "groups");
	assert_got(VNET_MAY_MULTICAST, "01005e0000fb" B IPV4("11"), "pass");
}

/* As much as a grant can say. */
static void
test_largest_guard_has_room(void **state)
{
	static struct vnet_mac_prefix macs[VNET_GRANT_MAX_LIST];
	static struct vnet_mac_prefix groups[VNET_GRANT_MAX_LIST];
	static struct vnet_ipv4_prefix ipv4[VNET_GRANT_MAX_LIST];
	static struct vnet_ipv6_prefix ipv6[VNET_GRANT_MAX_LIST];
	static struct vnet_vlan_range vlans[VNET_GRANT_MAX_LIST];
	static uint16_t types[VNET_GRANT_MAX_LIST];
	static struct vnet_bpf_insn insns[VNET_GRANT_MAX_INSNS];
	struct vnet_grant g = typical(0);
	struct vnet_why why = {0};
	int n;

	(void)state;
	for (unsigned int i = 0; i < VNET_GRANT_MAX_LIST; i++) {
		uint8_t octet = (uint8_t)i;

		macs[i] = (struct vnet_mac_prefix){{{2, 0, octet, 0, 0, octet}},
						   47};
		macs[i].mac.octet[5] &= 0xfe;
		groups[i] =
			(struct vnet_mac_prefix){{{3, 0, octet, 0, 0, 0}}, 39};
		ipv4[i] = (struct vnet_ipv4_prefix){{10, octet, 0, 0}, 31};
		ipv6[i] = (struct vnet_ipv6_prefix){{0x20, octet}, 127};
		vlans[i] = (struct vnet_vlan_range){(uint16_t)(3 * i),
						    (uint16_t)(3 * i + 1)};
		types[i] = (uint16_t)(0x9900 + i);
	}
	g.macs = macs;
	g.groups = groups;
	g.ipv4 = ipv4;
	g.ipv6 = ipv6;
	g.vlans = vlans;
	g.ethertypes = types;
	g.nmacs = g.ngroups = g.nipv4 = g.nipv6 = VNET_GRANT_MAX_LIST;
	g.nvlans = g.nethertypes = VNET_GRANT_MAX_LIST;
	for (int side = 0; side < 2; side++) {
		n = vnet_grant_compile(&g, (enum vnet_side)side, insns,
				       VNET_GRANT_MAX_INSNS, &why);
		assert_true(n > 0);
		assert_int_equal(vnet_bpf_check(insns, (size_t)n,
						VNET_GRANT_MAX_INSNS, NULL),
				 0);
		assert_int_equal(vnet_grant_compile(&g, (enum vnet_side)side,
						    insns, (size_t)n - 1, &why),
				 -ENOSPC);
		assert_int_equal(why.found, n);
	}
	assert_int_equal(vnet_grant_compile(&g, VNET_RECEIVE_IN, NULL, 0, &why),
			 -EINVAL);
	g.nmacs = 0;
	assert_int_equal(vnet_grant_compile(&g, VNET_INGRESS, NULL, 0, &why),
			 -EINVAL);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		TEST(test_frame_from_another_address_is_refused),
		TEST(test_tag_that_is_not_granted_is_refused),
		TEST(test_tag_that_travels_out_of_band_is_a_tag),
		TEST(test_arp_speaks_of_the_senders_own_addresses),
		TEST(test_ipv4_comes_from_its_address),
		TEST(test_dhcp_client_needs_no_address_and_no_broadcast),
		TEST(test_dhcp_server_needs_to_be_granted),
		TEST(test_routers_need_to_be_granted),
		TEST(test_vrrp_and_tunnels_need_to_be_granted),
		TEST(test_ipv6_comes_from_its_address_or_the_link_local_one),
		TEST(test_extension_headers_are_walked_through),
		TEST(test_fragment_of_ipv6_hides_nothing),
		TEST(test_neighbour_discovery_speaks_of_the_senders_own_addresses),
		TEST(test_options_of_neighbour_discovery_are_walked_through),
		TEST(test_groups_need_to_be_granted),
		TEST(test_other_types_need_to_be_granted),
		TEST(test_client_gets_what_is_for_it),
		TEST(test_largest_guard_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
