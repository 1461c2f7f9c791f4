/* SPDX-License-Identifier: BSD-2-Clause */
/* The forms that text in a configuration can have: names, addresses, paths. */
#ifndef FORMS_H
#define FORMS_H

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

#endif
