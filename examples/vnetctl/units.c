/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "units.h"

const char *
units_short(char text[UNITS_SIZE], double number)
{
	static const char *const suffixes[] = {"",  "k", "M", "G",
					       "T", "P", "E"};
	size_t i = 0;

	/* What would be printed as 1000 is 1.00 of the next. */
	while (number >= 999.5 &&
	       i + 1 < sizeof(suffixes) / sizeof(*suffixes)) {
		number /= 1000;
		i++;
	}
	snprintf(text, UNITS_SIZE, "%.*f%s",
		 i == 0 || number >= 99.95 ? 0
		 : number >= 9.995         ? 1
					   : 2,
		 number, suffixes[i]);
	return text;
}

const char *
units_duration(char text[UNITS_SIZE], uint64_t ns)
{
	static const struct {
		uint64_t s;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	uint64_t s = ns / 1000000000;

	for (size_t i = 0; i + 1 < sizeof(units) / sizeof(units[0]); i++) {
		if (s < units[i].s)
			continue;
		snprintf(text, UNITS_SIZE, "%" PRIu64 " %s %" PRIu64 " %s",
			 s / units[i].s, units[i].name,
			 s % units[i].s / units[i + 1].s, units[i + 1].name);
		return text;
	}
	snprintf(text, UNITS_SIZE, "%" PRIu64 " s", s);
	return text;
}

const char *
units_count(char text[UNITS_SIZE], uint64_t number, const char *name,
	    const char *more)
{
	snprintf(text, UNITS_SIZE, "%" PRIu64 " %s%s", number, name,
		 number == 1 ? "" : more);
	return text;
}

const char *
units_octets(char text[UNITS_SIZE], uint64_t octets)
{
	static const char *const names[] = {"KiB", "MiB", "GiB", "TiB"};
	double n = (double)octets;
	size_t i = 0;

	if (octets < 1024) {
		snprintf(text, UNITS_SIZE, "%" PRIu64 " B", octets);
		return text;
	}
	for (n /= 1024; n >= 1023.95 && i < 3; i++)
		n /= 1024;
	snprintf(text, UNITS_SIZE, "%.1f %s", n, names[i]);
	return text;
}
