/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text: the conversions of printf() that are used here.
 */
#include <string.h>

#include <bare.h>

#define LINE 256

struct out {
	char *to;
	size_t size, n; /* n as if there were room */
};

struct spec {
	bool left, zero;
	size_t width, precision;
	unsigned int longs; /* how many l */
};

static void
put(struct out *o, char c)
{
	if (o->n + 1 < o->size)
		o->to[o->n] = c;
	o->n++;
}

static void
pad(struct out *o, char c, size_t n)
{
	while (n--)
		put(o, c);
}

static void
put_text(struct out *o, const struct spec *spec, const char *s, size_t n)
{
	size_t missing = spec->width > n ? spec->width - n : 0;

	if (!spec->left)
		pad(o, ' ', missing);
	for (size_t i = 0; i < n; i++)
		put(o, s[i]);
	if (spec->left)
		pad(o, ' ', missing);
}

static void
put_number(struct out *o, const struct spec *spec, uint64_t value,
	   unsigned int base, bool is_negative)
{
	char digits[24];
	size_t n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (spec->zero && !spec->left) {
		size_t room = spec->width - (is_negative ? 1 : 0);

		if (is_negative)
			put(o, '-');
		if (spec->width && room > sizeof(digits) - n)
			pad(o, '0', room - (sizeof(digits) - n));
		put_text(o, &(struct spec){.width = 0}, digits + n,
			 sizeof(digits) - n);
		return;
	}
	if (is_negative)
		digits[--n] = '-';
	put_text(o, spec, digits + n, sizeof(digits) - n);
}

static size_t
read_width(const char **format)
{
	size_t n = 0;

	for (; **format >= '0' && **format <= '9'; (*format)++)
		n = 10 * n + (size_t)(**format - '0');
	return n;
}

static const char *
read_spec(const char *format, struct spec *spec)
{
	*spec = (struct spec){.precision = SIZE_MAX};
	for (;; format++) {
		if (*format == '-')
			spec->left = true;
		else if (*format == '0')
			spec->zero = true;
		else
			break;
	}
	spec->width = read_width(&format);
	if (*format == '.') {
		format++;
		spec->precision = read_width(&format);
	}
	for (; *format == 'l' || *format == 'z'; format++)
		spec->longs += *format == 'l';
	return format;
}

int
bare_vsnprintf(char *to, size_t size, const char *format, va_list args)
{
	struct out o = {.to = to, .size = size};
	struct spec spec;

	for (; *format; format++) {
		if (*format != '%') {
			put(&o, *format);
			continue;
		}
		format = read_spec(format + 1, &spec);
		switch (*format) {
		case 'd':
		case 'i': {
			int64_t v = spec.longs > 1 ? va_arg(args, long long)
						   : va_arg(args, int);

			put_number(&o, &spec,
				   v < 0 ? -(uint64_t)v : (uint64_t)v, 10,
				   v < 0);
			break;
		}
		case 'u':
		case 'x':
			put_number(&o, &spec,
				   spec.longs > 1
					   ? va_arg(args, unsigned long long)
					   : va_arg(args, unsigned int),
				   *format == 'u' ? 10 : 16, false);
			break;
		case 'p':
			put(&o, '0');
			put(&o, 'x');
			put_number(&o, &spec, (uintptr_t)va_arg(args, void *),
				   16, false);
			break;
		case 's': {
			const char *s = va_arg(args, const char *);

			if (!s)
				s = "(null)";
			put_text(&o, &spec, s, strnlen(s, spec.precision));
			break;
		}
		case 'c': {
			char c = (char)va_arg(args, int);

			put_text(&o, &spec, &c, 1);
			break;
		}
		case '%':
			put(&o, '%');
			break;
		default:
			/* What it is an argument of is not known. */
			goto end;
		}
	}
end:
	if (size)
		to[o.n < size ? o.n : size - 1] = '\0';
	return (int)o.n;
}

int
bare_snprintf(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = bare_vsnprintf(to, size, format, args);
	va_end(args);
	return n;
}

void
bare_printf(const char *format, ...)
{
	char line[LINE];
	va_list args;

	va_start(args, format);
	bare_vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	mach_print(line);
}
