/* SPDX-License-Identifier: MIT */
/*
 * text_sections - the table of sections, in 80 columns
 *
 * Times are written in six columns ("1.2ms"), so that twelve figures fit.
 */
#include "report/text_machine.h"
#include "report/text_parts.h"

enum { NAME_COLUMNS = 16, ROWS_MAX = 60 };

/* Six columns: up to four places and a unit. */
void
ps_put_short_time(struct ps_text *t, double seconds)
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
	PS_ASSERT(text.length <= 6);
	ps_text_printf(t, " %6s", buffer);
}

static void
put_row(struct ps_text *t, const struct ps_view_section *s)
{
	char calls[16];
	char allocations[16];
	unsigned used = ps_put_name(t, s->name, NAME_COLUMNS);

	PS_ASSERT(used <= NAME_COLUMNS);
	ps_text_fill(t, ' ', (int)(NAME_COLUMNS - used));
	ps_text_printf(t, " %7s", ps_human_count(calls, (double)s->calls));
	ps_put_short_time(t, s->total_s);
	ps_put_short_time(t, s->self_s);
	ps_text_char(t, s->is_self_doubtful ? '?' : ' ');
	ps_put_short_time(t, s->mean_s);
	ps_put_short_time(t, s->p50_s);
	ps_put_short_time(t, s->p90_s);
	ps_put_short_time(t, s->p99_s);
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
	ps_put_short_time(t, s->min_s);
	ps_text_str(t, "  max");
	ps_put_short_time(t, s->max_s);
	ps_text_str(t, "  sd");
	ps_put_short_time(t, s->stddev_s);
	ps_text_printf(
	    t, "  %s  %s thread%s\n", ps_human_bytes(bytes, (double)s->bytes),
	    ps_human_count(threads, s->threads), ps_plural(s->threads));
	ps_text_style(t, PS_PLAIN);
}

static void
put_estimate(struct ps_text *t, const struct ps_view_usage *u,
	     const char *label, double count)
{
	char buffer[16];

	if (!(count >= 0.5))
		return;
	ps_text_printf(t, "  %s%s %s", u->is_estimate ? "~" : "",
		       ps_human_count(buffer, count + 0.5), label);
}

static void
put_growth(struct ps_text *t, const struct ps_view_usage *u)
{
	char bytes[16];
	bool is_less = u->live_bytes < 0;

	if (!(u->live_bytes >= 1 || u->live_bytes <= -1))
		return;
	ps_text_printf(
	    t, "  heap %s%c%s", u->is_estimate ? "~" : "", is_less ? '-' : '+',
	    ps_human_bytes(bytes, is_less ? -u->live_bytes : u->live_bytes));
}

/* What the kernel told; nothing when it was not asked (spans). */
static void
put_usage_row(struct ps_text *t, const struct ps_view_section *s)
{
	const struct ps_view_usage *u = &s->usage;

	if (!(u->cpu_s >= 0))
		return;
	ps_text_style(t, PS_DIM);
	ps_text_printf(t, "%*s  cpu%s", NAME_COLUMNS, "",
		       u->is_estimate ? " ~" : "");
	ps_put_short_time(t, u->cpu_s);
	if (s->total_s > 0)
		ps_text_printf(
		    t, " (%d%%)",
		    (int)(PS_MIN(u->cpu_s / s->total_s, 9.99) * 100 + 0.5));
	put_growth(t, u);
	put_estimate(t, u, "waits", u->waits);
	put_estimate(t, u, "faults", u->minor_faults + u->major_faults);
	ps_text_char(t, '\n');
	ps_text_style(t, PS_PLAIN);
}

/* "1.20 GB/s", and how much that is of what the machine can do. */
static void
put_rate(struct ps_text *t, double per_second, const char *unit, double ceiling,
	 const char *whose)
{
	static const char *const prefix[] = {"", "k", "M", "G", "T", "P"};
	double value = per_second;
	unsigned p = 0;

	if (!(per_second >= 0) || per_second > 1e18)
		return;
	for (; value >= 1000 && p + 1 < PS_COUNT(prefix); p++)
		value /= 1000;
	ps_text_str(t, " at ");
	ps_text_fixed(t, value, value < 10 ? 2 : value < 100 ? 1 : 0);
	ps_text_printf(t, " %s%s", prefix[p], unit);
	if (ceiling > 0 && per_second < 100 * ceiling)
		ps_text_printf(t, ", %d%% of %s",
			       (int)(100 * per_second / ceiling + 0.5), whose);
}

static void
put_value_row(struct ps_text *t, const struct ps_view *v,
	      const struct ps_view_section *s)
{
	const struct ps_calibration *c = &v->reader->header->calibration;
	const struct {
		const char *unit;
		const char *rate;
		double ceiling;
		const char *whose;
	} kinds[PS_SECTION_VALUES] = {
	    [PS_VALUE_BYTES] = {"B", "B/s", c->vector_add_dram, "memory's"},
	    [PS_VALUE_ITEMS] = {" items", "/s", 0, ""},
	    [PS_VALUE_FLOPS] = {"FLOP", "FLOP/s", c->matmul_flops,
				"one core's"},
	};
	_Static_assert(PS_SECTION_VALUES == 3, "each has its words");
	char count[16];

	for (unsigned i = 0; i < PS_SECTION_VALUES; i++) {
		if (!(s->value[i] > 0))
			continue;
		ps_text_style(t, PS_DIM);
		ps_text_printf(t, "%*s  %s%s", NAME_COLUMNS, "",
			       ps_human_count(count, s->value[i]),
			       kinds[i].unit);
		put_rate(t, s->value[i] / s->total_s, kinds[i].rate,
			 kinds[i].ceiling, kinds[i].whose);
		ps_text_char(t, '\n');
		ps_text_style(t, PS_PLAIN);
	}
}

/* What its bytes and FLOPs came to, of what the machine can do with both. */
static void
put_roofline_row(struct ps_text *t, const struct ps_view *v,
		 const struct ps_view_section *s)
{
	const struct ps_calibration *c = &v->reader->header->calibration;

	if (!(s->value[PS_VALUE_BYTES] > 0) && !(s->value[PS_VALUE_FLOPS] > 0))
		return;
	ps_text_style(t, PS_DIM);
	ps_text_printf(t, "%*s  roofline:", NAME_COLUMNS, "");
	if (!ps_put_roofline(t, c, s->value[PS_VALUE_BYTES],
			     s->value[PS_VALUE_FLOPS], s->total_s))
		ps_text_str(t, " the machine was not measured");
	ps_text_char(t, '\n');
	ps_text_style(t, PS_PLAIN);
}

static void
put_notes(struct ps_text *t, const struct ps_view *v)
{
	bool is_doubtful = false;
	bool is_estimate = false;

	for (uint32_t i = 0; i < v->section_count && i < ROWS_MAX; i++) {
		is_doubtful |= v->sections[i].is_self_doubtful;
		is_estimate |= v->sections[i].usage.is_estimate &&
			       v->sections[i].usage.cpu_s >= 0;
	}
	if (v->section_count > ROWS_MAX)
		ps_text_printf(t, "... %u more\n", v->section_count - ROWS_MAX);
	if (is_doubtful)
		ps_text_str(t, "? self time: more than a fifth of it was the "
			       "marks inside\n");
	if (is_estimate)
		ps_text_str(
		    t, "~ measured of first calls, of those of 1 ms and more, "
		       "and of one a millisecond\n  of the others; all other "
		       "figures are of every call, none is throttled\n");
}

void
ps_text_sections(struct ps_text_report *r)
{
	const struct ps_view *v = r->view;

	if (v->section_count == 0) {
		ps_put_heading(r->out, "SECTIONS",
			       "none marked (see perfshim.h)");
		return;
	}
	PS_ASSERT(v->section_count <= v->reader->count[PS_TABLE_SECTIONS]);
	ps_put_heading(r->out, "SECTIONS",
		       ps_timing_note(&v->reader->header->calibration));
	ps_text_printf(r->out, "%-*s %7s %6s %6s  %6s %6s %6s %6s %s\n",
		       NAME_COLUMNS, "section", "calls", "total", "self",
		       "mean", "p50", "p90", "p99", "allocs");
	for (uint32_t i = 0; i < v->section_count && i < ROWS_MAX; i++) {
		put_row(r->out, &v->sections[i]);
		put_second_row(r->out, &v->sections[i]);
		put_usage_row(r->out, &v->sections[i]);
		put_value_row(r->out, v, &v->sections[i]);
		put_roofline_row(r->out, v, &v->sections[i]);
	}
	put_notes(r->out, v);
	ps_text_section_tree(r);
	ps_text_slow_calls(r);
}
