/* SPDX-License-Identifier: BSD-2-Clause */
/* The forms that text in a configuration can have: names, addresses, paths. */
#ifndef FORMS_H
#define FORMS_H

#include <stdint.h>

#include <jansson.h>

/*
 * Each returns its text in normal form, a new reference, or NULL. Then
 * *@expected (static) says what should be there; it is left alone where there
 * is no memory.
 */
typedef json_t *form(const char *text, const char **expected);

form form_name;        /* of a port or a filter */
form form_interface;   /* a name that Linux gives to an interface */
form form_netns;       /* a name of ip-netns(8), a process id, or a path */
form form_mac;         /* of a station: no group, not zero; in lower case */
form form_address;     /* ADDRESS/PREFIX, IPv4 or IPv6 */
form form_user;        /* an id, or a name in /etc/passwd: an integer */
form form_group;       /* likewise, /etc/group */
form form_socket_path; /* as long as struct sockaddr_un has room */
form form_grant;       /* the name of one: one that libconfig has for a key */

/* What is behind the bits of a prefix is zero; an address is a prefix of all its
 * bits, and is written without their number. */
form form_mac_prefix;
form form_ipv4_prefix;
form form_ipv6_prefix;
form form_multicast; /* a prefix of group addresses: of MAC, IPv4 or IPv6 */

form form_vlans; /* FIRST-LAST; an integer where that is one */
form form_time;  /* ISO 8601 with a time zone, in UTC: seconds */

/* That time, in seconds of CLOCK_REALTIME. */
int64_t form_seconds(const char *time);

#endif
