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

/* Words, as many on a line as fit; the verdict has none that does not. */
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
		PS_DEBUG_ASSERT(at <= LINE_COLUMNS);
		text = *end == ' ' ? end + 1 : end;
	}
}

void
ps_text_verdict(struct ps_text_report *r)
{
	struct ps_verdict verdict;

	ps_verdict(r->view, r->symbols, r->names, &verdict);
	for (unsigned i = 0; i < verdict.count; i++)
		put_wrapped(r->out, verdict.line[i].text);
	ps_text_char(r->out, '\n');
}
