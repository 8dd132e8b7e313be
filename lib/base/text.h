/* SPDX-License-Identifier: MIT */
/*
 * text - bounded text writer
 *
 * Formats into a caller's buffer and, when a descriptor is attached, empties
 * itself to it as it fills.  No stdio, no locale, no allocation: usable in the
 * exit path of a program that was interrupted inside malloc.  Without a
 * descriptor, what does not fit is cut and counted in `cut`.
 *
 * One thread per writer.
 */
#ifndef PS_TEXT_H
#define PS_TEXT_H

#include <stdarg.h>

#include "base/base.h"

struct ps_text {
	char *buffer;
	size_t capacity; /* with room for the final zero */
	size_t length;
	size_t cut;	 /* bytes that did not fit */
	int fd;		 /* -1: none */
	int error;	 /* first -errno of the descriptor, 0 while it works */
	bool is_colour;	 /* ps_text_style writes escapes */
	int patience_ms; /* 0, or until a reader that reads nothing is given up
			  */
};

/* Styles a terminal knows; nothing is written unless is_colour. */
enum ps_style {
	PS_PLAIN,
	PS_BOLD,
	PS_DIM,
	PS_RED,
	PS_GREEN,
	PS_YELLOW,
	PS_CYAN
};

void ps_text_init(struct ps_text *t, char *buffer, size_t capacity, int fd);
void ps_text_flush(struct ps_text *t); /* to the descriptor, if any */

void ps_text_put(struct ps_text *t, const char *bytes, size_t length);
void ps_text_str(struct ps_text *t, const char *zero_terminated);
void ps_text_char(struct ps_text *t, char c);
void ps_text_fill(struct ps_text *t, char c, int count);
void ps_text_style(struct ps_text *t, enum ps_style style);

/*
 * A small printf: %s %c %d %u %ld %lu %zu %llu %x %lx %p %% with width, '-',
 * '0', '*' and, for %s, precision.  No floating point: see ps_text_fixed.
 */
void ps_text_printf(struct ps_text *t, const char *format, ...) PS_PRINTF(2, 3);
void ps_text_vprintf(struct ps_text *t, const char *format, va_list args);

void ps_text_u64(struct ps_text *t, uint64_t value);
/* value with `decimals` digits (0..9) after a point, rounded; nan as "nan". */
void ps_text_fixed(struct ps_text *t, double value, int decimals);
/* Shortest JSON number that keeps 9 significant digits; null for nan/inf. */
void ps_text_json_number(struct ps_text *t, double value);
/* A part of a file's name: what is no letter, digit or one of "._+-" becomes
 * '_', and 64 bytes are kept. */
void ps_text_file_name(struct ps_text *t, const char *name);
/* A JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void ps_text_json_string(struct ps_text *t, const char *s);
/* s for a terminal: control characters and invalid UTF-8 as \xNN. */
void ps_text_printable(struct ps_text *t, const char *s);

/*
 * Human units into a caller's buffer of >= 16 bytes; returns it.  Three
 * significant digits; nan is "unknown"; times over two minutes are "3m05s",
 * "2h07m", "3d04h", "365d".  A count of 64 bits takes 8 columns at most, any
 * value 11.
 */
const char *ps_human_bytes(char *out, double bytes);  /* 1.50 MiB */
const char *ps_human_count(char *out, double count);  /* 12.3 M */
const char *ps_human_time(char *out, double seconds); /* 4.21 ms */

/* The ending of what is counted, where ps_human_count writes the number. */
static inline const char *
ps_plural(double count)
{
	return count > 0.5 && count < 1.5 ? "" : "s";
}

#endif /* PS_TEXT_H */
