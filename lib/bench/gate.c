/* SPDX-License-Identifier: MIT */
/*
 * gate - whether something got worse than allowed, in as few runs as will do
 *
 * Looking again and again at a 95 % interval until it likes the answer raises
 * false alarms to 15 % and more.  The allowed error is therefore divided among
 * the looks beforehand (Bonferroni), in proportion to the runs made by each:
 * clear cases are as clear at 99.9 %, and the close ones need what is left at
 * the end.  Looks come at 1.5 times the runs of the one before.
 *
 * Intervals are Student's on the trimmed mean, not bootstrapped: ten samples
 * have no resamples that would show where the outermost thousandth lies.
 * test_gate counts the false alarms over noise that is skewed, has outliers,
 * drifts and comes in two levels.
 */
#include "bench/gate.h"
#include "measure/real.h"

#define REFERENCE_CONFIDENCE 0.95

static void
check(const struct ps_gate *g)
{
	PS_ASSERT(g->limit > -1);
	PS_ASSERT(g->error > 0 && g->error < 0.5);
	PS_ASSERT(g->first >= 2 && g->most >= g->first);
}

size_t
ps_gate_runs(const struct ps_gate *g, unsigned look)
{
	size_t runs = g->first;

	check(g);
	for (unsigned i = 0; i < look && runs < g->most; i++)
		runs += PS_MAX(runs / 2, (size_t)1);
	if (look + 1 >= PS_GATE_LOOKS_MOST)
		return g->most;
	/* A last look soon after the one before would tell little new. */
	return runs + runs / 4 >= g->most ? g->most : runs;
}

unsigned
ps_gate_looks(const struct ps_gate *g)
{
	unsigned looks = 1;

	while (ps_gate_runs(g, looks - 1) < g->most)
		looks++;
	PS_ASSERT(looks <= PS_GATE_LOOKS_MOST);
	return looks;
}

static double
error_at(const struct ps_gate *g, unsigned look)
{
	unsigned looks = ps_gate_looks(g);
	size_t all = 0;

	PS_ASSERT(look < looks);
	for (unsigned i = 0; i < looks; i++)
		all += ps_gate_runs(g, i);
	return g->error * (double)ps_gate_runs(g, look) / (double)all;
}

static enum ps_gate_verdict
undecided(const struct ps_gate *g, unsigned look)
{
	return look + 1 == ps_gate_looks(g) ? PS_GATE_INCONCLUSIVE
					    : PS_GATE_UNDECIDED;
}

struct ps_gate_look
ps_gate_take(const struct ps_gate *g, unsigned look,
	     const struct ps_location *log_ratio)
{
	struct ps_gate_look result;
	double limit = ps_log(1 + g->limit);
	struct ps_interval i;

	result.confidence = 1 - 2 * error_at(g, look);
	i = ps_location_interval(log_ratio, result.confidence);
	result.ratio = ps_exp(log_ratio->value);
	result.interval.low = ps_exp(i.low);
	result.interval.high = ps_exp(i.high);
	result.verdict = undecided(g, look);
	if (i.low > limit)
		result.verdict = PS_GATE_REGRESSION;
	else if (i.high <= limit)
		result.verdict = PS_GATE_PASSED;
	return result;
}

void
ps_gate_doubt(const struct ps_gate *g, unsigned look,
	      const struct ps_location *reference_log_ratio,
	      struct ps_gate_look *of)
{
	struct ps_interval change =
	    ps_location_interval(reference_log_ratio, REFERENCE_CONFIDENCE);
	/* What is surely the machine's: the end that is next to nothing. */
	double sure = change.low > 0 ? change.low : PS_MIN(change.high, 0.0);
	double rest = ps_log(of->ratio) - sure;
	bool is_above = rest > ps_log(1 + g->limit);

	PS_ASSERT(of->ratio >= 0);	    /* 0: e to the -800 */
	PS_ASSERT(look < ps_gate_looks(g)); /* or none is the last */
	if ((of->verdict == PS_GATE_REGRESSION && !is_above) ||
	    (of->verdict == PS_GATE_PASSED && is_above))
		of->verdict = undecided(g, look);
}
