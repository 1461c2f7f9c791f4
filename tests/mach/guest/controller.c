/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <device/device.h>

#include "controller.h"
#include "guest.h"

static char answer[32768];

static void
say(mach_port_t control, const char *text, size_t len)
{
	while (len) {
		mach_msg_type_number_t n = len > 100 ? 100 : len;
		int written = -1;

		CHECK_OK(device_write_inband(control, 0, 0, (char *)text, n,
					     &written));
		CHECK_EQ(written, n);
		text += n;
		len -= n;
	}
}

const char *
controller_ask(mach_port_t control, const char *request)
{
	size_t len = 0;

	say(control, request, strlen(request));
	say(control, "\n", 1);
	do {
		mach_msg_type_number_t n = IO_INBAND_MAX;
		io_buf_ptr_inband_t piece;

		CHECK_OK(device_read_inband(control, 0, 0, IO_INBAND_MAX, piece,
					    &n));
		CHECK(len + n < sizeof(answer));
		memcpy(answer + len, piece, n);
		len += n;
	} while (answer[len - 1] != '\n');
	answer[len - 1] = '\0';
	return answer;
}

void
controller_do(mach_port_t control, const char *request)
{
	const char *is = controller_ask(control, request);

	if (strcmp(is, "{\"ok\":true}") != 0)
		guest_fail("%s: %s", request, is);
}

static const char *
behind(const char *text, const char *what)
{
	const size_t len = strlen(what);

	while (text && *text && strncmp(text, what, len) != 0)
		text++;
	return text && *text ? text + len : NULL;
}

uint32_t
controller_number(const char *text, const char *after, const char *what)
{
	const char *p = behind(behind(text, after), what);
	uint32_t n = 0;

	for (; p && *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (uint32_t)(*p - '0');
	return n;
}
