/* SPDX-License-Identifier: MIT */
/*
 * text_report - the report as people read it, part by part
 *
 * One screen of summary first, then the lists under heaptrack's headings, the
 * sections, the machine, and what the figures are worth.
 */
#include <errno.h>
#include <string.h>

#include "report/json.h"
#include "report/text_parts.h"
#include "report/view_section.h"

enum { NAME_MAX_BYTES = 1024, DEFAULT_TOP = 5 };

void
ps_put_heading(struct ps_text *t, const char *words, const char *note)
{
	ps_text_char(t, '\n');
	ps_text_style(t, PS_BOLD);
	ps_text_str(t, words);
	ps_text_style(t, PS_PLAIN);
	if (note != NULL) {
		ps_text_style(t, PS_DIM);
		ps_text_printf(t, "  %s", note);
		ps_text_style(t, PS_PLAIN);
	}
	ps_text_char(t, '\n');
}

static bool
starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static unsigned
columns(const char *s)
{
	unsigned count = 0;

	for (; *s != '\0'; s++)
		count += starts_character(*s);
	return count;
}

/* The first character at or after the given column. */
static const char *
skip_columns(const char *s, unsigned count)
{
	while (*s != '\0' && (count > 0 || !starts_character(*s))) {
		count -= starts_character(*s);
		s++;
	}
	while (*s != '\0' && !starts_character(*s))
		s++;
	return s;
}

/* Without its last character, which may be a part of one. */
static void
drop_last(char *buffer, size_t length)
{
	while (length > 0 && !starts_character(buffer[length - 1]))
		length--;
	PS_ASSERT(length > 0);
	buffer[length - 1] = '\0';
}

unsigned
ps_put_name(struct ps_text *t, const char *name, unsigned width)
{
	char buffer[NAME_MAX_BYTES];
	struct ps_text whole;
	const char *end;
	unsigned have;
	unsigned head = (width - 3) * 2 / 3;

	PS_ASSERT(width > 8);
	ps_text_init(&whole, buffer, sizeof(buffer), -1);
	ps_text_printable(&whole, name);
	if (whole.cut > 0)
		drop_last(buffer, whole.length);
	have = columns(buffer);
	if (have <= width) {
		ps_text_str(t, buffer);
		return have;
	}
	end = skip_columns(buffer, head);
	ps_text_put(t, buffer, (size_t)(end - buffer));
	ps_text_str(t, "...");
	ps_text_str(t, skip_columns(buffer, have - (width - 3 - head)));
	return width;
}

void
ps_put_error(struct ps_text *t, double value, double error)
{
	if (!(value > 0) || !(error >= value * 0.005))
		return;
	ps_text_str(t, " ±");
	if (error >= value)
		ps_text_str(t, "100%+");
	else
		ps_text_printf(t, "%d%%", (int)(100.0 * error / value + 0.5));
}

static void
write_text(struct ps_text_report *r)
{
	PS_ASSERT(r->top > 0 && r->names != r->other_names);
	ps_text_summary(r);
	ps_text_sites(r);
	ps_text_labels(r);
	ps_text_sections(r);
	ps_text_machine(r);
	ps_text_alerts(r);
	ps_text_footer(r);
}

static uint32_t
sites_wanted(const struct ps_report_options *options)
{
	return options == NULL || options->sites == 0 ? PS_REPORT_SITES
						      : options->sites;
}

int
ps_report_write_view(const struct ps_view *view, struct ps_symbols *symbols,
		     struct ps_scratch *scratch, enum ps_report_format format,
		     const struct ps_report_options *options,
		     struct ps_text *out)
{
	struct ps_text_report r = {
	    .view = view,
	    .symbols = symbols,
	    .names = ps_scratch_alloc(scratch, sizeof(*r.names)),
	    .other_names = ps_scratch_alloc(scratch, sizeof(*r.names)),
	    .out = out,
	    .top = options == NULL || options->top == 0 ? DEFAULT_TOP
							: options->top,
	};

	PS_ASSERT(view->reader != NULL && view->row_verdicts != NULL);
	PS_ASSERT(format == PS_REPORT_TEXT || format == PS_REPORT_JSON);
	if (symbols == NULL)
		r.symbols = ps_symbols_none(scratch, view->reader);
	if (r.names == NULL || r.other_names == NULL || r.symbols == NULL)
		return -ENOMEM;
	if (format == PS_REPORT_JSON)
		return ps_report_json(view, r.symbols, r.names,
				      sites_wanted(options), scratch, out);
	write_text(&r);
	return 0;
}

int
ps_report_write(const struct ps_reader *reader, struct ps_symbols *symbols,
		struct ps_scratch *scratch, enum ps_report_format format,
		const struct ps_report_options *options, struct ps_text *out)
{
	struct ps_view *view = ps_scratch_alloc(scratch, sizeof(*view));
	int error;

	if (view == NULL)
		return -ENOMEM;
	error = ps_view_build(reader, options, scratch, view);
	if (error == 0)
		error = ps_view_name_functions(view, symbols, scratch);
	if (error != 0)
		return error;
	return ps_report_write_view(view, symbols, scratch, format, options,
				    out);
}
