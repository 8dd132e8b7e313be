/* SPDX-License-Identifier: MIT */
/*
 * text - the bounded writer and its small printf
 *
 * The buffer is zero-terminated after every call.  With a descriptor, a full
 * buffer is written out and filled again; once the descriptor fails, the rest
 * is dropped and counted in `cut`, so that a caller formats to the end and
 * looks at `error` once.
 *
 * vsnprintf is not used: glibc's takes locale locks and may allocate for
 * widths and wide characters.  An unknown conversion is a mistake in our own
 * source and is asserted, not printed.
 */
#include <string.h>

#include "base/os.h"
#include "base/text.h"

enum { DIGITS_MAX = 24, FILL_MAX = 4096 };

void
ps_text_init(struct ps_text *t, char *buffer, size_t capacity, int fd)
{
	PS_ASSERT(buffer != NULL);
	PS_ASSERT(capacity > 1);
	*t = (struct ps_text){
	    .buffer = buffer,
	    .capacity = capacity,
	    .fd = fd,
	};
	buffer[0] = 0;
}

void
ps_text_flush(struct ps_text *t)
{
	int err;

	if (t->fd < 0 || t->length == 0)
		return;
	PS_ASSERT(t->length < t->capacity && t->buffer[t->length] == 0);
	err = t->error;
	if (err == 0 && t->patience_ms > 0)
		err = ps_os_write_patiently(t->fd, t->buffer, t->length,
					    t->patience_ms);
	else if (err == 0)
		err = ps_os_write_all(t->fd, t->buffer, t->length);
	if (err != 0) {
		t->error = err;
		t->cut += t->length;
	}
	t->length = 0;
	t->buffer[0] = 0;
}

void
ps_text_put(struct ps_text *t, const char *bytes, size_t length)
{
	PS_ASSERT(t->length < t->capacity);
	while (length > 0) {
		size_t room = t->capacity - 1 - t->length;
		size_t part = PS_MIN(room, length);

		memcpy(t->buffer + t->length, bytes, part);
		t->length += part;
		t->buffer[t->length] = 0;
		bytes += part;
		length -= part;
		if (length == 0)
			break;
		if (t->fd < 0) {
			t->cut += length;
			break;
		}
		ps_text_flush(t);
	}
}

void
ps_text_str(struct ps_text *t, const char *zero_terminated)
{
	ps_text_put(t, zero_terminated, strlen(zero_terminated));
}

void
ps_text_char(struct ps_text *t, char c)
{
	ps_text_put(t, &c, 1);
}

void
ps_text_fill(struct ps_text *t, char c, int count)
{
	PS_ASSERT(count <= FILL_MAX);
	while (count-- > 0)
		ps_text_char(t, c);
}

void
ps_text_style(struct ps_text *t, enum ps_style style)
{
	static const char *const escape[] = {
	    [PS_PLAIN] = "\033[0m",  [PS_BOLD] = "\033[1m",
	    [PS_DIM] = "\033[2m",    [PS_RED] = "\033[31m",
	    [PS_GREEN] = "\033[32m", [PS_YELLOW] = "\033[33m",
	    [PS_CYAN] = "\033[36m",
	};

	_Static_assert(PS_COUNT(escape) == PS_CYAN + 1, "one each");
	PS_ASSERT((size_t)style < PS_COUNT(escape));
	if (t->is_colour)
		ps_text_str(t, escape[style]);
}

/* Digits of value into the end of out[DIGITS_MAX]; returns where they start. */
static const char *
digits(char *out, uint64_t value, unsigned base, size_t *length)
{
	char *at = out + DIGITS_MAX;

	PS_ASSERT(base == 10 || base == 16);
	do {
		*--at = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	*length = (size_t)(out + DIGITS_MAX - at);
	return at;
}

void
ps_text_u64(struct ps_text *t, uint64_t value)
{
	char buffer[DIGITS_MAX];
	size_t length;
	const char *at = digits(buffer, value, 10, &length);

	ps_text_put(t, at, length);
}

/* One conversion of a format, as written. */
struct spec {
	int width;
	int precision; /* -1: none */
	bool is_left;
	bool is_zero;
	char size;	 /* 'i' int, 'l' long and wider (all 64 bits) */
	char conversion; /* the letter */
};

struct arguments {
	va_list list; /* wrapped: a va_list cannot be passed by address */
};

static void
put_padded(struct ps_text *t, const struct spec *s, const char *prefix,
	   const char *body, size_t length)
{
	size_t total = strlen(prefix) + length;
	int pad = (size_t)s->width > total ? s->width - (int)total : 0;

	PS_ASSERT(s->width >= 0);
	if (!s->is_left && !s->is_zero)
		ps_text_fill(t, ' ', pad);
	ps_text_str(t, prefix);
	if (!s->is_left && s->is_zero)
		ps_text_fill(t, '0', pad);
	ps_text_put(t, body, length);
	if (s->is_left)
		ps_text_fill(t, ' ', pad);
}

static void
put_signed(struct ps_text *t, const struct spec *s, struct arguments *args)
{
	char buffer[DIGITS_MAX];
	size_t length;
	long value =
	    s->size == 'i' ? va_arg(args->list, int) : va_arg(args->list, long);
	uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
	const char *at = digits(buffer, size, 10, &length);

	put_padded(t, s, value < 0 ? "-" : "", at, length);
}

static void
put_unsigned(struct ps_text *t, const struct spec *s, struct arguments *args)
{
	char buffer[DIGITS_MAX];
	size_t length;
	bool is_pointer = s->conversion == 'p';
	uint64_t value = s->size == 'i' && !is_pointer
			     ? va_arg(args->list, unsigned)
			     : va_arg(args->list, unsigned long);
	const char *at =
	    digits(buffer, value, s->conversion == 'u' ? 10 : 16, &length);

	put_padded(t, s, is_pointer ? "0x" : "", at, length);
}

static void
put_string(struct ps_text *t, struct spec *s, const char *text)
{
	size_t length;

	if (text == NULL)
		text = "(null)";
	length = s->precision >= 0 ? strnlen(text, (size_t)s->precision)
				   : strlen(text);
	s->is_zero = false;
	put_padded(t, s, "", text, length);
}

static void
put_conversion(struct ps_text *t, struct spec *s, struct arguments *args)
{
	char c;

	switch (s->conversion) {
	case 'd':
	case 'i':
		put_signed(t, s, args);
		break;
	case 'u':
	case 'x':
	case 'p':
		put_unsigned(t, s, args);
		break;
	case 's':
		put_string(t, s, va_arg(args->list, const char *));
		break;
	case 'c':
		c = (char)va_arg(args->list, int);
		put_padded(t, s, "", &c, 1);
		break;
	default:
		PS_ASSERT(s->conversion == '%');
		ps_text_char(t, '%');
	}
}

/* A number or '*' at f; returns what follows it. */
static const char *
parse_number(const char *f, struct arguments *args, int *out)
{
	int value = 0;

	if (*f == '*') {
		*out = va_arg(args->list, int);
		return f + 1;
	}
	for (; *f >= '0' && *f <= '9'; f++) {
		value = value * 10 + (*f - '0');
		PS_ASSERT(value <= FILL_MAX);
	}
	*out = value;
	return f;
}

/* f is behind the '%'; returns what follows the conversion. */
static const char *
parse_spec(const char *f, struct arguments *args, struct spec *s)
{
	*s = (struct spec){.precision = -1, .size = 'i'};
	for (; *f == '-' || *f == '0'; f++) {
		s->is_left |= *f == '-';
		s->is_zero |= *f == '0';
	}
	f = parse_number(f, args, &s->width);
	if (s->width < 0) {
		s->is_left = true;
		s->width = -s->width;
	}
	if (*f == '.')
		f = parse_number(f + 1, args, &s->precision);
	for (; *f == 'l' || *f == 'z'; f++)
		s->size = 'l';
	s->conversion = *f;
	PS_ASSERT(*f != 0);
	return f + 1;
}

void
ps_text_vprintf(struct ps_text *t, const char *format, va_list list)
{
	struct arguments args;
	struct spec s;

	_Static_assert(sizeof(long) == sizeof(long long), "LP64");
	va_copy(args.list, list);
	while (*format != 0) {
		const char *percent = strchrnul(format, '%');

		ps_text_put(t, format, (size_t)(percent - format));
		if (*percent == 0)
			break;
		format = parse_spec(percent + 1, &args, &s);
		put_conversion(t, &s, &args);
	}
	va_end(args.list);
}

void
ps_text_printf(struct ps_text *t, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	ps_text_vprintf(t, format, list);
	va_end(list);
}
