/* SPDX-License-Identifier: MIT */
/*
 * text_verdict - the verdict in lines of a terminal
 */
#include <string.h>

#include "report/text_parts.h"
#include "report/verdict.h"

enum { INDENT = 2, LINE_COLUMNS = 80 };

static unsigned
columns(const char *from, const char *to)
{
	unsigned count = 0;

	for (; from < to; from++)
		count += ((unsigned char)*from & 0xc0) != 0x80;
	return count;
}

/* Words, as many on a line as fit. */
static void
put_wrapped(struct ps_text *t, const char *text)
{
	unsigned at = LINE_COLUMNS;

	while (*text != '\0') {
		const char *end = strchrnul(text, ' ');
		unsigned width = columns(text, end);

		if (at + 1 + width > LINE_COLUMNS) {
			ps_text_char(t, '\n');
			ps_text_fill(t, ' ', INDENT);
			at = INDENT;
		} else {
			ps_text_char(t, ' ');
			at++;
		}
		ps_text_put(t, text, (size_t)(end - text));
		at += width;
		text = *end == ' ' ? end + 1 : end;
	}
}

/* Names may hold what a terminal obeys, or be longer than a line. */
static void
put_line(struct ps_text *t, const char *text)
{
	char clean[4 * PS_VERDICT_BYTES];
	struct ps_text whole;

	ps_text_init(&whole, clean, sizeof(clean), -1);
	ps_text_printable(&whole, text);
	put_wrapped(t, clean);
}

void
ps_text_verdict(struct ps_text_report *r)
{
	struct ps_verdict verdict;

	ps_verdict(r->view, r->symbols, r->names, &verdict);
	for (unsigned i = 0; i < verdict.count; i++)
		put_line(r->out, verdict.line[i].text);
	ps_text_char(r->out, '\n');
}
