/* SPDX-License-Identifier: BSD-2-Clause */
/* How an action ends; also the exit status of the program. */
#ifndef STATUS_H
#define STATUS_H

#include "complaint.h"

/* All but DONE come with a complaint: return complain(c, FAILED, ...). */
enum status {
	DONE = 0,
	FAILED = 1,
	MISUSED = 2, /* what was typed is wrong: look at --help */
};

#endif
