/* SPDX-License-Identifier: MIT */
/*
 * text_sections - the table of sections, in 80 columns
 *
 * Times are written in six columns ("1.2ms"), so that twelve figures fit.
 */
#include "report/text_parts.h"

enum { NAME_COLUMNS = 16, ROWS_MAX = 60 };

/* Six columns: up to four places and a unit. */
static void
put_short_time(struct ps_text *t, double seconds)
{
	static const struct {
		double unit;
		const char *name;
	} units[] = {{1e-9, "ns"}, {1e-6, "us"},   {1e-3, "ms"},
		     {1.0, "s "},  {3600.0, "h "}, {86400.0, "d "}};
	const double most_s = 9999 * 86400.0;
	char buffer[24];
	struct ps_text text;
	unsigned u = 0;
	double value;

	ps_text_init(&text, buffer, sizeof(buffer), -1);
	while (u + 1 < PS_COUNT(units) && seconds >= units[u + 1].unit * 0.9995)
		u++;
	value = seconds / units[u].unit;
	if (!(seconds >= 0)) {
		ps_text_str(&text, "?");
	} else if (seconds > most_s) {
		ps_text_str(&text, ">9999d");
	} else {
		ps_text_fixed(&text, value, value < 9.95 ? 1 : 0);
		ps_text_str(&text, units[u].name);
	}
	ps_text_printf(t, " %6s", buffer);
}

static void
put_row(struct ps_text *t, const struct ps_view_section *s)
{
	char calls[16];
	char allocations[16];
	unsigned used = ps_put_name(t, s->name, NAME_COLUMNS);

	ps_text_fill(t, ' ', (int)(NAME_COLUMNS - used));
	ps_text_printf(t, " %7s", ps_human_count(calls, (double)s->calls));
	put_short_time(t, s->total_s);
	put_short_time(t, s->self_s);
	ps_text_char(t, s->is_self_doubtful ? '?' : ' ');
	put_short_time(t, s->mean_s);
	put_short_time(t, s->p50_s);
	put_short_time(t, s->p90_s);
	put_short_time(t, s->p99_s);
	ps_text_printf(t, " %s\n",
		       ps_human_count(allocations, (double)s->allocations));
}

static void
put_second_row(struct ps_text *t, const struct ps_view_section *s)
{
	char bytes[16];
	char threads[16];

	ps_text_style(t, PS_DIM);
	ps_text_printf(t, "%*s", NAME_COLUMNS, "");
	ps_text_str(t, "  min");
	put_short_time(t, s->min_s);
	ps_text_str(t, "  max");
	put_short_time(t, s->max_s);
	ps_text_str(t, "  sd");
	put_short_time(t, s->stddev_s);
	ps_text_printf(
	    t, "  %s  %s thread%s\n", ps_human_bytes(bytes, (double)s->bytes),
	    ps_human_count(threads, s->threads), s->threads == 1 ? "" : "s");
	ps_text_style(t, PS_PLAIN);
}

void
ps_text_sections(struct ps_text_report *r)
{
	const struct ps_view *v = r->view;
	bool is_doubtful = false;

	if (v->section_count == 0) {
		ps_put_heading(r->out, "SECTIONS",
			       "none marked (see perfshim.h)");
		return;
	}
	ps_put_heading(r->out, "SECTIONS", NULL);
	ps_text_printf(r->out, "%-*s %7s %6s %6s  %6s %6s %6s %6s %s\n",
		       NAME_COLUMNS, "section", "calls", "total", "self",
		       "mean", "p50", "p90", "p99", "allocs");
	for (uint32_t i = 0; i < v->section_count && i < ROWS_MAX; i++) {
		put_row(r->out, &v->sections[i]);
		put_second_row(r->out, &v->sections[i]);
		is_doubtful |= v->sections[i].is_self_doubtful;
	}
	if (v->section_count > ROWS_MAX)
		ps_text_printf(r->out, "... %u more\n",
			       v->section_count - ROWS_MAX);
	if (is_doubtful)
		ps_text_str(r->out, "? self time: more than a fifth of it was "
				    "the marks inside\n");
}
