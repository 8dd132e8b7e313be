/* SPDX-License-Identifier: MIT */
/*
 * perfbench_compare - what B, C, ... are against A, in words
 */
#include <math.h>
#include <string.h>

#include "measure/real.h"
#include "report/perfbench.h"
#include "report/text_parts.h"

enum { METRIC_COLUMNS = 13 };

static void
put_ratio(struct ps_text *t, double ratio)
{
	ps_text_fixed(t, ratio, ratio < 10 ? 3 : 1);
}

void
pb_put_verdict(struct ps_text *t, const char *what, const char *of,
	       const char *than, enum pb_unit unit, double ratio,
	       enum ps_difference difference)
{
	bool is_time = unit == PB_SECONDS && strcmp(what, "time") == 0;

	if (difference == PS_NO_DIFFERENCE) {
		ps_text_printf(t, "no difference seen, %s is ", of);
		put_ratio(t, ratio);
		ps_text_printf(t, "x %s", than);
		return;
	}
	ps_text_style(t, difference == PS_B_IS_LESS ? PS_GREEN : PS_RED);
	ps_text_printf(t, "%s %s ", of, is_time ? "is" : "needs");
	put_ratio(t, is_time && ratio < 1 ? 1 / ratio : ratio);
	if (is_time)
		ps_text_printf(t, "x %s than %s",
			       difference == PS_B_IS_LESS ? "faster" : "slower",
			       than);
	else
		ps_text_printf(t, "x as much as %s", than);
	ps_text_style(t, PS_PLAIN);
}

/* The interval beside the words: of the ratio that they name. */
static void
put_interval(struct ps_text *t, const struct ps_comparison *c, bool is_inverted)
{
	struct ps_interval i = c->interval;

	PS_ASSERT(c->pairs >= 2);
	if (is_inverted)
		i = (struct ps_interval){1 / i.high, 1 / i.low};
	ps_text_str(t, ", 95 % CI ");
	put_ratio(t, i.low);
	ps_text_char(t, '-');
	put_ratio(t, i.high);
	ps_text_printf(t, ", %zu pair%s\n", c->pairs,
		       ps_plural((double)c->pairs));
}

static void
put_metric(struct ps_text *t, const char *name)
{
	unsigned used;

	ps_text_str(t, "  ");
	used = ps_put_name(t, name, 70);
	if (used >= METRIC_COLUMNS) {
		ps_text_str(t, "\n  ");
		used = 0;
	}
	ps_text_fill(t, ' ', (int)(METRIC_COLUMNS - used));
}

static void
compare_series(const struct pb_subject *a, const struct pb_subject *b,
	       const struct pb_series *x, struct ps_text *t)
{
	const struct pb_series *y = pb_series_find(b, x->name);
	struct ps_scratch scratch;
	struct ps_comparison c;
	int error;

	if (y == NULL)
		return;
	PS_ASSERT(x->room >= a->runs && y->room >= a->runs);
	ps_scratch_init(&scratch, 0);
	error = ps_compare_pairs(x->values, y->values, a->runs, &scratch, &c);
	put_metric(t, x->name);
	if (error != 0) {
		ps_text_str(t, "not to be compared: none at all in some "
			       "runs\n");
	} else if (c.interval.low == c.interval.high && c.ratio == 1) {
		ps_text_printf(t, "the same, %zu pairs\n", c.pairs);
	} else {
		pb_put_verdict(t, x->name, b->label, a->label, x->unit, c.ratio,
			       c.difference);
		put_interval(t, &c,
			     strcmp(x->name, "time") == 0 &&
				 c.difference == PS_B_IS_LESS);
	}
	ps_scratch_fini(&scratch);
}

/* User and system time apart say little that CPU time does not. */
static bool
is_left_out(const char *name)
{
	return strcmp(name, "user") == 0 || strcmp(name, "system") == 0;
}

void
pb_text_comparisons(const struct pb_session *s, struct ps_text *t)
{
	const struct pb_subject *a = &s->subjects[0];

	for (size_t i = 1; i < s->subject_count; i++) {
		const struct pb_subject *b = &s->subjects[i];

		PS_ASSERT(a->runs == b->runs); /* they are paired */
		ps_text_char(t, '\n');
		ps_text_style(t, PS_BOLD);
		ps_text_printf(t, "%s against %s", b->label, a->label);
		ps_text_style(t, PS_PLAIN);
		if (s->options->are_allocators_wanted)
			ps_text_printf(t, "  (%s against %s)", b->text,
				       a->text);
		ps_text_char(t, '\n');
		if (a->runs < 2) {
			ps_text_str(t, "  one pair tells nothing: --runs 10\n");
			continue;
		}
		for (size_t k = 0; k < a->series_count; k++)
			if (!is_left_out(a->series[k].name))
				compare_series(a, b, &a->series[k], t);
	}
}
