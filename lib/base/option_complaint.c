/* SPDX-License-Identifier: MIT */
/*
 * option_complaint - the line for a bad value or an unknown variable
 *
 * Values are the user's bytes, of any length: everything that is echoed is cut
 * and made printable.
 */
#include <string.h>

#include "base/option_complaint.h"
#include "base/text.h"

enum {
	LINE_MAX_BYTES = 480,
	ECHO_MAX_BYTES = 96,
	NAME_MAX_BYTES = 48,
};

/* Edits (insert, delete, replace) that turn a into b; cut at NAME_MAX_BYTES. */
static unsigned
edit_distance(const char *a, size_t a_length, const char *b)
{
	unsigned row[NAME_MAX_BYTES + 1];
	size_t b_length = strnlen(b, NAME_MAX_BYTES);

	a_length = PS_MIN(a_length, (size_t)NAME_MAX_BYTES);
	for (size_t j = 0; j <= b_length; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
			unsigned shifted = PS_MIN(row[j], row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = PS_MIN(replaced, shifted);
		}
	}
	PS_ASSERT(row[b_length] <= PS_MAX(a_length, b_length));
	return row[b_length];
}

static const char *
nearest_name(const char *name, size_t length)
{
	const struct ps_option_row *row;
	const char *best = NULL;
	unsigned best_distance = UINT32_MAX;

	for (unsigned i = 0; (row = ps_options_row(i)) != NULL; i++) {
		unsigned distance = edit_distance(name, length, row->name);

		if (distance < best_distance) {
			best_distance = distance;
			best = row->name;
		}
	}
	PS_ASSERT(best != NULL);
	return best;
}

/* The user's bytes: at most `max` of them, printable. */
static void
put_echo(struct ps_text *t, const char *bytes, size_t length, size_t max)
{
	char copy[ECHO_MAX_BYTES + 1];
	size_t kept = PS_MIN(length, max);

	PS_ASSERT(max > 0 && max <= ECHO_MAX_BYTES);
	memcpy(copy, bytes, kept);
	copy[kept] = 0;
	ps_text_printable(t, copy);
	if (kept < length)
		ps_text_str(t, "...");
}

void
ps_option_complain_value(const struct ps_option_row *row, const char *value,
			 void (*complain)(const char *line))
{
	char line[LINE_MAX_BYTES];
	struct ps_text t;

	ps_text_init(&t, line, sizeof(line), -1);
	ps_text_printf(&t, "%s=", row->name);
	/* printable may write four bytes for one */
	put_echo(&t, value, strlen(value), ECHO_MAX_BYTES / 2);
	ps_text_printf(&t, ": not understood; allowed: %s; using %s",
		       row->allowed, row->fallback);
	PS_ASSERT(t.cut == 0);
	complain(line);
}

void
ps_option_complain_name(const char *name, size_t length,
			void (*complain)(const char *line))
{
	char line[LINE_MAX_BYTES];
	struct ps_text t;

	ps_text_init(&t, line, sizeof(line), -1);
	put_echo(&t, name, length, NAME_MAX_BYTES);
	ps_text_printf(&t, ": no such variable; the nearest is %s",
		       nearest_name(name, length));
	PS_ASSERT(t.cut == 0);
	complain(line);
}
