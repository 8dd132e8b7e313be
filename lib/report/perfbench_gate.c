/* SPDX-License-Identifier: MIT */
/*
 * perfbench_gate - run, look, and run more until decided
 *
 * A case is one metric of one subject against A or against the baseline.  The
 * error of 1 % is divided among the cases.  Runs end when all are decided, or
 * one is a regression, or there may be no more.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/real.h"
#include "report/perfbench.h"
#include "report/text_parts.h"

/* Chance that a growth of what is allowed is called a regression. */
#define GATE_ERROR 0.01
/* Time before the first look, and until the last, of a fast command. */
#define FIRST_LOOK_S 1.0
#define LAST_LOOK_S 5.0

struct gate_case {
	const char *metric;
	const struct pb_subject *new;
	const struct pb_subject *old;
	struct ps_gate_look look;
	const char *why; /* it cannot be judged; NULL: it can */
};

struct judging {
	struct pb_session *session;
	struct pb_baseline *baseline; /* NULL: against A */
	struct ps_gate gate;
	struct gate_case cases[PB_METRICS_MOST * PB_SUBJECTS_MOST];
	size_t count;
};

static const char *const needs_shim[] = {"peak-heap", "allocations"};
_Static_assert(PS_COUNT(needs_shim) == 2, "as many as are looked through");
static const char *const always[] = {"time", "cpu", "user", "system",
				     "peak-rss"};

static bool
is_among(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

void
pb_metrics_check(const struct pb_session *s)
{
	const struct pb_options *o = s->options;

	for (size_t i = 0; i < o->metric_count; i++) {
		const char *name = o->metrics[i];
		bool is_section =
		    strncmp(name, "section:", 8) == 0 && name[8] != '\0';
		bool is_recorded = is_section || is_among(name, needs_shim, 2);

		if (!is_recorded && !is_among(name, always, PS_COUNT(always)))
			pb_usage_error(
			    "--metric %s: allowed are time, cpu, user, system, "
			    "peak-rss, peak-heap, allocations, section:NAME, "
			    "section:NAME:allocations",
			    name);
		if (is_recorded && !o->is_shimmed)
			pb_usage_error("--metric %s: not known with --no-shim",
				       name);
	}
}

/* ---- cases ---- */

static void
add_case(struct judging *j, const char *metric, const struct pb_subject *new,
	 const struct pb_subject *old)
{
	PS_ASSERT(j->count < PS_COUNT(j->cases));
	j->cases[j->count++] =
	    (struct gate_case){.metric = metric, .new = new, .old = old};
}

static void
make_cases(struct judging *j)
{
	static const char *const only_time[] = {"time"};
	const struct pb_session *s = j->session;
	const struct pb_options *o = s->options;
	size_t count = o->metric_count > 0 ? o->metric_count : 1;
	const char *const *metrics =
	    o->metric_count > 0 ? o->metrics : only_time;

	for (size_t m = 0; m < count; m++) {
		if (j->baseline != NULL)
			add_case(j, metrics[m], &s->subjects[0],
				 &j->baseline->subject);
		for (size_t i = 1; i < s->subject_count; i++)
			add_case(j, metrics[m], &s->subjects[i],
				 &s->subjects[0]);
	}
	PS_ASSERT(j->count > 0 && j->count <= PS_COUNT(j->cases));
}

/* A baseline that lacks a metric can gate nothing: that is said at once. */
static void
check_baseline(const struct judging *j)
{
	for (size_t i = 0; i < j->count && j->baseline != NULL; i++)
		if (pb_series_find(j->cases[i].old, j->cases[i].metric) == NULL)
			pb_usage_error("the baseline has no %s",
				       j->cases[i].metric);
}

/* ---- looking ---- */

static int
location_of(const struct judging *j, const struct gate_case *c,
	    const struct pb_series *old, const struct pb_series *new,
	    struct ps_scratch *scratch, struct ps_location *out)
{
	PS_ASSERT(old->room >= c->old->runs && new->room >= c->new->runs);
	PS_ASSERT(j->baseline != NULL || c->old->runs == c->new->runs);
	if (j->baseline == NULL)
		return ps_compare_paired_location(old->values, new->values,
						  c->new->runs, scratch, out);
	return ps_compare_location(old->values, c->old->runs, new->values,
				   c->new->runs, scratch, out);
}

/* How the machine has changed since the baseline; false: not known. */
static bool
reference_change(const struct judging *j, bool is_cpu,
		 struct ps_scratch *scratch, struct ps_location *out)
{
	const struct pb_machine *now = &j->session->machine;
	const struct pb_machine *then;
	const struct pb_list *a;
	const struct pb_list *b;

	if (j->baseline == NULL)
		return false;
	then = &j->baseline->machine;
	a = is_cpu ? &then->reference_cpus : &then->references;
	b = is_cpu ? &now->reference_cpus : &now->references;
	return ps_compare_location(a->values, a->count, b->values, b->count,
				   scratch, out) == 0;
}

/* CPU times are compared with CPU times: a busy machine changes only others. */
static bool
is_cpu_time(const char *metric)
{
	static const char *const names[] = {"cpu", "user", "system"};

	return is_among(metric, names, PS_COUNT(names));
}

static void
look_at(struct judging *j, struct gate_case *c, unsigned look)
{
	const struct pb_series *old = pb_series_find(c->old, c->metric);
	const struct pb_series *new = pb_series_find(c->new, c->metric);
	struct ps_scratch scratch;
	struct ps_location l;
	struct ps_location r;

	if (old == NULL && new == NULL)
		pb_usage_error("--metric %s: there is no such section",
			       c->metric);
	ps_scratch_init(&scratch, 0);
	c->why = NULL;
	if (old == NULL || new == NULL) {
		c->why = "only on one side";
	} else if (old->unit != new->unit) {
		c->why = "in another unit on either side";
	} else if (location_of(j, c, old, new, &scratch, &l) != 0) {
		c->why = "none at all, or not known, in some runs";
	} else {
		c->look = ps_gate_take(&j->gate, look, &l);
		if (new->unit == PB_SECONDS &&
		    reference_change(j, is_cpu_time(c->metric), &scratch, &r))
			ps_gate_doubt(&j->gate, look, &r, &c->look);
	}
	if (c->why != NULL)
		c->look.verdict = PS_GATE_INCONCLUSIVE;
	ps_scratch_fini(&scratch);
}

/* The gravest of all: regression, then what is not decided, then inconclusive.
 */
static enum ps_gate_verdict
look_at_all(struct judging *j, unsigned look)
{
	size_t count[PS_GATE_INCONCLUSIVE + 1] = {0};

	for (size_t i = 0; i < j->count; i++) {
		look_at(j, &j->cases[i], look);
		PS_ASSERT(j->cases[i].look.verdict < PS_COUNT(count));
		count[j->cases[i].look.verdict]++;
	}
	if (count[PS_GATE_REGRESSION] > 0)
		return PS_GATE_REGRESSION;
	if (count[PS_GATE_UNDECIDED] > 0)
		return PS_GATE_UNDECIDED;
	return count[PS_GATE_INCONCLUSIVE] > 0 ? PS_GATE_INCONCLUSIVE
					       : PS_GATE_PASSED;
}

/* ---- text ---- */

static void
put_percent(struct ps_text *t, double fraction, int decimals)
{
	ps_text_fixed(t, 100 * fraction, decimals);
	ps_text_str(t, " %");
}

static const char *
word_of(enum ps_gate_verdict verdict)
{
	static const char *const words[] = {"undecided", "ok", "REGRESSION",
					    "inconclusive"};
	_Static_assert(PS_COUNT(words) == PS_GATE_INCONCLUSIVE + 1,
		       "one word each");

	PS_ASSERT(verdict < PS_COUNT(words));
	return words[verdict];
}

static void
put_case(const struct judging *j, const struct gate_case *c, struct ps_text *t)
{
	unsigned used;

	ps_text_str(t, "  ");
	if (j->session->subject_count > 1)
		ps_text_printf(t, "%s ", c->new->label);
	used = ps_put_name(t, c->metric, 60);
	ps_text_fill(t, ' ', used < 12 ? 12 - (int)used : 1);
	if (c->why != NULL || c->look.confidence == 0) {
		ps_text_printf(t, "inconclusive: %s\n",
			       c->why != NULL ? c->why : "stopped before");
		return;
	}
	ps_text_fixed(t, c->look.ratio, 3);
	ps_text_str(t, "x  (");
	put_percent(t, c->look.confidence, 1);
	ps_text_str(t, " interval ");
	ps_text_fixed(t, c->look.interval.low, 3);
	ps_text_char(t, '-');
	ps_text_fixed(t, c->look.interval.high, 3);
	ps_text_str(t, ")  ");
	ps_text_style(t, c->look.verdict == PS_GATE_PASSED	 ? PS_GREEN
			 : c->look.verdict == PS_GATE_REGRESSION ? PS_RED
								 : PS_YELLOW);
	ps_text_str(t, word_of(c->look.verdict));
	ps_text_style(t, PS_PLAIN);
	ps_text_char(t, '\n');
}

static void
put_machine(const struct judging *j, struct ps_text *t)
{
	const struct pb_machine *now = &j->session->machine;
	struct ps_scratch scratch;
	struct ps_location r;

	if (j->baseline == NULL)
		return;
	ps_scratch_init(&scratch, 0);
	if (strcmp(now->cpu, j->baseline->machine.cpu) != 0) {
		ps_text_str(t, "  the baseline is of another machine: ");
		(void)ps_put_name(t, j->baseline->machine.cpu, 60);
		ps_text_char(t, '\n');
	}
	if (reference_change(j, false, &scratch, &r)) {
		ps_text_str(t, "  the machine itself since the baseline: "
			       "reference workload ");
		ps_text_fixed(t, ps_exp(r.value), 3);
		ps_text_str(t, "x\n");
	}
	ps_scratch_fini(&scratch);
}

static int
put_verdict(const struct judging *j, enum ps_gate_verdict verdict,
	    struct ps_text *t)
{
	static const struct {
		const char *words;
		int status;
	} ends[] = {
	    [PS_GATE_UNDECIDED] = {"inconclusive: stopped early",
				   PB_INCONCLUSIVE},
	    [PS_GATE_PASSED] = {"no regression", PB_OK},
	    [PS_GATE_REGRESSION] = {"regression proven", PB_REGRESSION},
	    [PS_GATE_INCONCLUSIVE] = {"inconclusive", PB_INCONCLUSIVE},
	};
	_Static_assert(PS_COUNT(ends) == PS_GATE_INCONCLUSIVE + 1, "one each");

	PS_ASSERT(verdict < PS_COUNT(ends));
	ps_text_str(t, "\n");
	ps_text_style(t, PS_BOLD);
	ps_text_printf(t, "GATE  %s, at most ",
		       j->baseline != NULL ? "against the baseline"
					   : "against A");
	put_percent(t, j->gate.limit, j->gate.limit < 0.1 ? 1 : 0);
	ps_text_printf(t, " more, after %zu runs\n", j->session->rounds);
	ps_text_style(t, PS_PLAIN);
	for (size_t i = 0; i < j->count; i++)
		put_case(j, &j->cases[i], t);
	put_machine(j, t);
	ps_text_printf(t, "  %s (exit %d)\n", ends[verdict].words,
		       ends[verdict].status);
	return ends[verdict].status;
}

/* What the options leave open. */
static int
plan_looks(struct pb_session *s, struct ps_gate *g)
{
	int status = PB_OK;

	if (!s->options->are_runs_set)
		status = pb_runs_for(s, FIRST_LOOK_S, g->first, &g->first);
	if (status == PB_OK && !s->options->is_most_set)
		status = pb_runs_for(s, LAST_LOOK_S, g->most, &g->most);
	else
		g->first = PS_MIN(g->first, g->most);
	g->most = PS_MAX(g->most, g->first);
	return status;
}

int
pb_gate(struct pb_session *s, struct ps_text *t)
{
	static struct judging j;
	static struct pb_baseline baseline;
	enum ps_gate_verdict verdict = PS_GATE_UNDECIDED;
	const struct pb_options *o = s->options;
	int status;

	j.session = s;
	if (o->baseline != NULL) {
		pb_baseline_read(s, o->baseline, &baseline);
		j.baseline = &baseline;
	}
	make_cases(&j);
	check_baseline(&j);
	j.gate = (struct ps_gate){.limit = o->fail_above,
				  .error = GATE_ERROR / (double)j.count,
				  .first = o->runs,
				  .most = o->most_runs};
	status = pb_warm_up(s);
	if (status == PB_OK)
		status = plan_looks(s, &j.gate);
	for (unsigned look = 0; look < ps_gate_looks(&j.gate) &&
				verdict == PS_GATE_UNDECIDED && status == PB_OK;
	     look++) {
		size_t runs = ps_gate_runs(&j.gate, look);

		status = pb_run_until(s, runs, runs);
		if (status != PB_OK || ps_peek(&pb_stop_signal) != 0)
			break;
		verdict = look_at_all(&j, look);
	}
	if (status != PB_OK)
		return status;
	PS_ASSERT(verdict != PS_GATE_UNDECIDED ||
		  ps_peek(&pb_stop_signal) != 0);
	for (size_t i = 0; i < s->subject_count; i++)
		pb_text_subject(s, &s->subjects[i], t);
	if (s->subject_count > 1)
		pb_text_comparisons(s, t);
	return put_verdict(&j, verdict, t);
}
