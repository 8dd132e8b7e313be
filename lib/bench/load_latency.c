/* SPDX-License-Identifier: MIT */
/*
 * load_latency - latencies of a load test: recording, merging, quantiles
 *
 * The histogram of lib/measure, with ns as its ticks (1.6 %, up to 4.8 hours),
 * and exact moments beside it.  One writer each; others read while it writes.
 */
#include "bench/load.h"
#include "measure/real.h"

void
ps_load_record(struct ps_load_latency *l, uint64_t ns)
{
	double x = (double)ns;
	uint64_t count = ps_peek(&l->count);

	if (count == 0 || ns < ps_peek(&l->min))
		ps_poke(&l->min, ns);
	if (ns > ps_peek(&l->max))
		ps_poke(&l->max, ns);
	ps_poke(&l->sum, ps_peek(&l->sum) + x);
	ps_poke(&l->squares, ps_peek(&l->squares) + x * x);
	if (ns >> PS_HIST_MAX_BITS == 0)
		ps_bump(&l->bucket[ps_hist_bucket(ns)], 1);
	else
		ps_bump(&l->over, 1);
	ps_poke(&l->count, count + 1);
}

void
ps_load_merge(struct ps_load_latency *into, const struct ps_load_latency *from)
{
	uint64_t count = ps_peek(&from->count);

	PS_ASSERT(into != from);
	if (count == 0)
		return;
	if (ps_peek(&into->count) == 0 ||
	    ps_peek(&from->min) < ps_peek(&into->min))
		ps_poke(&into->min, ps_peek(&from->min));
	ps_poke(&into->max, PS_MAX(ps_peek(&into->max), ps_peek(&from->max)));
	ps_poke(&into->sum, ps_peek(&into->sum) + ps_peek(&from->sum));
	ps_poke(&into->squares,
		ps_peek(&into->squares) + ps_peek(&from->squares));
	ps_bump(&into->over, ps_peek(&from->over));
	ps_hist_merge(into->bucket, from->bucket);
	ps_bump(&into->count, count);
}

double
ps_load_quantile(const struct ps_load_latency *l, double q)
{
	uint64_t ns;

	PS_ASSERT(q > 0 && q <= 1);
	if (ps_hist_quantile(l->bucket, ps_peek(&l->over), ps_peek(&l->max), q,
			     &ns) != 0)
		return __builtin_nan("");
	if (q >= 1)
		ns = ps_peek(&l->max);
	return (double)PS_MAX(ns, ps_peek(&l->min)) * 1e-9;
}

double
ps_load_mean(const struct ps_load_latency *l)
{
	/* 0 / 0 is the NAN that is promised. */
	return ps_peek(&l->sum) / (double)ps_peek(&l->count) * 1e-9;
}

double
ps_load_deviation(const struct ps_load_latency *l)
{
	double n = (double)ps_peek(&l->count);
	double mean = ps_peek(&l->sum) / n;
	double variance = ps_peek(&l->squares) / n - mean * mean;

	return variance > 0 ? ps_sqrt(variance) * 1e-9 : variance * 0;
}
