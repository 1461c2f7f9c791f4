/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of the Hurd that are used here: msgh_id of requests; the reply has
 * 100 more. From the Hurd's process.defs, auth.defs and fsys.defs, which are not
 * packaged; the octets of request and reply are those of MIG on i386.
 */
#ifndef VNET_MACH_HURD_IDS_H
#define VNET_MACH_HURD_IDS_H

enum {
	HURD_PROC_GETPRIVPORTS = 24004,            /* 24/48: two rights */
	HURD_PROC_REAUTHENTICATE = 24011,          /* 32/-: a right */
	HURD_PROC_CHILD = 24012,                   /* 32/32: a task */
	HURD_PROC_TASK2PROC = 24031,               /* 32/40: a task; a right */
	HURD_PROC_PID2PROC = 24033,                /* 32/40: a pid; a right */
	HURD_PROC_MARK_IMPORTANT = 24053,          /* 24/32 */
	HURD_PROC_REAUTHENTICATE_REASSIGN = 24063, /* 40/-: right and task */
	HURD_PROC_REAUTHENTICATE_COMPLETE = 24064, /* 24/- */

	HURD_AUTH_MAKEAUTH = 25001,            /* arrays/40: a right */
	HURD_AUTH_USER_AUTHENTICATE = 25002,   /* 32/40: a right; a right */
	HURD_AUTH_SERVER_AUTHENTICATE = 25003, /* 40/80 and ids: two rights */

	HURD_FSYS_STARTUP = 22000, /* 40/40: flags and a right; a right */
	HURD_FSYS_GETPRIV = 22006, /* 24/56: three rights */
	HURD_FSYS_INIT = 22007,    /* 40/32: two rights */
};

/* EOPNOTSUPP as it is on the Hurd, whatever it is here. */
#define HURD_EOPNOTSUPP 0x4000002d

#endif
