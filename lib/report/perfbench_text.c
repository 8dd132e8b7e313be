/* SPDX-License-Identifier: MIT */
/*
 * perfbench_text - what the runs of one command took, in 80 columns
 */
#include <math.h>
#include <string.h>

#include "report/perfbench.h"
#include "report/text_parts.h"

enum { NAME_COLUMNS = 12, STRIP_COLUMNS = 64, SECTIONS_SHOWN = 12 };

/* Below this, starting the process is a large part of what is measured. */
#define SHORT_S 0.005

void
pb_put_value(struct ps_text *t, enum pb_unit unit, double value, int width)
{
	char buffer[16];

	PS_ASSERT((unsigned)unit <= PB_COUNT);
	if (isnan(value))
		ps_text_printf(t, "%*s", width, "unknown");
	else if (unit == PB_SECONDS)
		ps_text_printf(t, "%*s", width, ps_human_time(buffer, value));
	else if (unit == PB_BYTES)
		ps_text_printf(t, "%*s", width, ps_human_bytes(buffer, value));
	else
		ps_text_printf(t, "%*s", width, ps_human_count(buffer, value));
}

static void
put_head(struct ps_text *t)
{
	ps_text_style(t, PS_DIM);
	ps_text_printf(t, "  %-*s %8s ± %-8s %19s  %8s %8s %8s\n",
		       NAME_COLUMNS - 2, "", "mean", "sd", "95 % CI of mean",
		       "median", "min", "max");
	ps_text_style(t, PS_PLAIN);
}

/* A long name has a line of its own. */
static void
put_name(struct ps_text *t, const char *name)
{
	unsigned room = NAME_COLUMNS - 2;
	unsigned used;

	ps_text_str(t, "  ");
	used = ps_put_name(t, name, 76);
	if (used > room) {
		ps_text_str(t, "\n  ");
		used = 0;
	}
	ps_text_fill(t, ' ', (int)(room - used));
}

static void
put_figures(struct ps_text *t, enum pb_unit unit, const struct ps_summary *s)
{
	ps_text_char(t, ' ');
	pb_put_value(t, unit, s->mean, 8);
	ps_text_str(t, " ± ");
	pb_put_value(t, unit, s->deviation, -8);
	ps_text_char(t, ' ');
	/* None of these can be negative; an interval from few runs can. */
	pb_put_value(t, unit,
		     s->mean_interval.low < 0 ? 0 : s->mean_interval.low, 8);
	ps_text_str(t, " - ");
	pb_put_value(t, unit, s->mean_interval.high, -8);
	ps_text_char(t, ' ');
	pb_put_value(t, unit, s->median, 8);
	ps_text_char(t, ' ');
	pb_put_value(t, unit, s->min, 8);
	ps_text_char(t, ' ');
	pb_put_value(t, unit, s->max, 8);
	ps_text_char(t, '\n');
}

/* False when there is nothing to say about it. */
static bool
summarize(const struct pb_subject *subject, const struct pb_series *series,
	  struct ps_summary *out)
{
	struct ps_scratch scratch;
	int error;

	PS_ASSERT(series->room >= subject->runs);
	ps_scratch_init(&scratch, 0);
	error = ps_summarize(series->values, subject->runs, &scratch, out);
	ps_scratch_fini(&scratch);
	return error == 0;
}

static void
put_series(struct ps_text *t, const struct pb_subject *subject,
	   const struct pb_series *series, const char *name)
{
	struct ps_summary s;

	put_name(t, name);
	if (summarize(subject, series, &s))
		put_figures(t, series->unit, &s);
	else
		ps_text_str(t, "  unknown\n");
}

/* ---- the strip ---- */

/* The highest of the runs that share a column. */
static double
column_of(const double *values, size_t n, size_t column, size_t columns)
{
	size_t from = column * n / columns;
	size_t to = PS_MAX((column + 1) * n / columns, from + 1);
	double highest = values[from];

	PS_ASSERT(to <= n);
	for (size_t i = from; i < to; i++)
		highest = PS_MAX(highest, values[i]);
	return highest;
}

static void
put_strip(struct ps_text *t, const struct pb_subject *subject,
	  const struct ps_summary *s)
{
	static const char *const block[] = {"▁", "▂", "▃", "▄",
					    "▅", "▆", "▇", "█"};
	_Static_assert(PS_COUNT(block) == 8, "eighths");
	const struct pb_series *series = pb_series_find(subject, "time");
	size_t n = subject->runs;
	size_t columns = PS_MIN(n, (size_t)STRIP_COLUMNS);
	double range = s->max - s->min;

	ps_text_str(t, "  each run   ");
	ps_text_style(t, PS_CYAN);
	for (size_t c = 0; c < columns; c++) {
		double part =
		    range > 0
			? (column_of(series->values, n, c, columns) - s->min) /
			      range
			: 0;

		PS_ASSERT(part >= 0 && part <= 1);
		ps_text_str(t, block[(int)(part * 7.999)]);
	}
	ps_text_style(t, PS_PLAIN);
	ps_text_char(t, '\n');
}

/* ---- remarks ---- */

static void
put_remarks(struct ps_text *t, const struct pb_subject *subject,
	    const struct ps_summary *s)
{
	const double *times = pb_series_find(subject, "time")->values;
	double fence = s->median + 6 * s->mad;
	unsigned failures = 0;

	PS_ASSERT(s->count == subject->runs);
	if (s->outliers > 0)
		ps_text_printf(t,
			       "  outliers: %zu of %zu times, %zu of them far "
			       "out; none is left out\n",
			       s->outliers, s->count, s->severe);
	if (s->count >= 5 && times[0] > fence && times[0] >= s->max)
		ps_text_str(t, "  the first run was the slowest by far: "
			       "--warmup takes more such runs off\n");
	if (s->median < SHORT_S)
		ps_text_str(t, "  shorter than 5 ms: starting the process is "
			       "a large part of it\n");
	for (size_t i = 0; i < subject->runs; i++)
		failures += subject->exit_codes[i] != 0;
	if (failures > 0)
		ps_text_printf(t, "  %u of %zu runs failed\n", failures,
			       subject->runs);
}

/* ---- a subject ---- */

static void
put_title(const struct pb_session *s, const struct pb_subject *subject,
	  struct ps_text *t)
{
	bool is_labelled = subject->label[0] != '\0';

	ps_text_style(t, PS_BOLD);
	if (is_labelled)
		ps_text_printf(t, "%s  ", subject->label);
	ps_put_name(t, subject->text, 76);
	ps_text_style(t, PS_PLAIN);
	ps_text_printf(t, "\n  %zu run%s", subject->runs,
		       ps_plural((double)subject->runs));
	if (s->options->warm_up > 0)
		ps_text_printf(t, " after %zu not counted",
			       s->options->warm_up);
	ps_text_str(t, subject->is_recorded ? ", under perfshim" : ", bare");
	ps_text_str(t, s->is_shell_used ? ", through sh\n" : "\n");
}

static void
put_sections(const struct pb_subject *subject, struct ps_text *t)
{
	unsigned shown = 0;
	unsigned left = 0;

	for (size_t i = 0; i < subject->series_count; i++) {
		const struct pb_series *series = &subject->series[i];

		if (strncmp(series->name, "section:", 8) != 0)
			continue;
		if (shown == 2 * SECTIONS_SHOWN) {
			left++;
			continue;
		}
		if (shown++ == 0)
			ps_text_str(t, "  sections, in all of a run\n");
		put_series(t, subject, series, series->name + 8);
	}
	if (left > 0)
		ps_text_printf(t, "  ... %u more (--save has all)\n", left);
}

void
pb_text_subject(const struct pb_session *s, const struct pb_subject *subject,
		struct ps_text *t)
{
	static const char *const names[] = {
	    "time", "user", "system", "peak-rss", "peak-heap", "allocations"};
	static const char *const labels[] = {"time",	 "user",      "system",
					     "peak RSS", "peak heap", "allocs"};
	_Static_assert(PS_COUNT(labels) == PS_COUNT(names), "one label each");
	struct ps_summary time;

	put_title(s, subject, t);
	if (subject->runs == 0 ||
	    !summarize(subject, pb_series_find(subject, "time"), &time)) {
		ps_text_str(t, "  no run was finished\n");
		return;
	}
	put_head(t);
	for (size_t i = 0; i < PS_COUNT(names); i++) {
		const struct pb_series *series =
		    pb_series_find(subject, names[i]);

		if (series != NULL)
			put_series(t, subject, series, labels[i]);
	}
	put_sections(subject, t);
	put_strip(t, subject, &time);
	put_remarks(t, subject, &time);
}
