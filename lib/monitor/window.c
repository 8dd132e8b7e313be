/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "monitor/window.h"

#define NOT_KNOWN __builtin_nan("")

/* ---- moments ------------------------------------------------------------ */

static uint32_t
oldest(const struct ps_moments *m)
{
	PS_ASSERT(m->count > 0 && m->count <= PS_WINDOW_MOMENTS);
	return (m->newest + PS_WINDOW_MOMENTS - m->count + 1) %
	       PS_WINDOW_MOMENTS;
}

/* A slot for `now`, when the newest is an eighth of the length ago; or -1. */
static int
remember(struct ps_moments *m, uint64_t now_ns)
{
	uint64_t step = m->length_ns / (PS_WINDOW_MOMENTS - 1);

	if (m->count > 0 && now_ns < m->at_ns[m->newest] + step)
		return -1;
	m->newest = m->count == 0 ? 0 : (m->newest + 1) % PS_WINDOW_MOMENTS;
	m->count = PS_MIN(m->count + 1, (uint32_t)PS_WINDOW_MOMENTS);
	m->at_ns[m->newest] = now_ns;
	PS_ASSERT(m->newest < PS_WINDOW_MOMENTS);
	return (int)m->newest;
}

/* The newest moment that is the length ago; of a young window, the oldest. */
static uint32_t
base(const struct ps_moments *m, uint64_t now_ns)
{
	uint32_t at = m->newest;

	for (uint32_t i = 1; i < m->count; i++) {
		if (now_ns >= m->at_ns[at] + m->length_ns)
			return at;
		at = (at + PS_WINDOW_MOMENTS - 1) % PS_WINDOW_MOMENTS;
	}
	PS_ASSERT(at == oldest(m));
	return at;
}

static double
seconds_since(const struct ps_moments *m, uint32_t moment, uint64_t now_ns)
{
	uint64_t then = m->at_ns[moment];

	return now_ns > then ? (double)(now_ns - then) * 1e-9 : 0;
}

/* ---- calls -------------------------------------------------------------- */

void
ps_calls_window_init(struct ps_calls_window *w, uint64_t length_ns,
		     uint64_t now_ns)
{
	PS_ASSERT(length_ns > 0);
	memset(w, 0, sizeof(*w));
	w->moments.length_ns = length_ns;
	(void)remember(&w->moments, now_ns);
}

static uint64_t
since(uint64_t now, uint64_t then)
{
	uint64_t more = now - then;

	return (int64_t)more < 0 ? 0 : more;
}

static uint32_t
since32(uint32_t now, uint32_t then)
{
	uint32_t more = now - then;

	return (int32_t)more < 0 ? 0 : more;
}

/* The top of the highest bucket that has calls. */
static uint64_t
highest(const struct ps_calls *c)
{
	for (uint32_t b = PS_HIST_BUCKETS; b-- > 0;)
		if (ps_peek(&c->histogram[b]) != 0)
			return ps_hist_floor(b) + ps_hist_width(b) - 1;
	return 0;
}

static void
subtract(const struct ps_calls *now, const struct ps_calls *then,
	 struct ps_calls *out)
{
	PS_ASSERT(out != now && out != then);
	out->calls = since(now->calls, then->calls);
	out->errors = since(now->errors, then->errors);
	out->over = since(now->over, then->over);
	out->total_ticks = since(now->total_ticks, then->total_ticks);
	for (uint32_t b = 0; b < PS_HIST_BUCKETS; b++)
		ps_poke(&out->histogram[b],
			since32(ps_peek(&now->histogram[b]),
				ps_peek(&then->histogram[b])));
	out->max_ticks = out->over > 0 ? now->max_ticks
				       : PS_MIN(highest(out), now->max_ticks);
}

double
ps_calls_window_step(struct ps_calls_window *w, uint64_t now_ns,
		     const struct ps_calls *sum, struct ps_calls *within)
{
	uint32_t from = base(&w->moments, now_ns);
	double covered_s = seconds_since(&w->moments, from, now_ns);
	int slot;

	subtract(sum, &w->past[from], within);
	slot = remember(&w->moments, now_ns);
	if (slot >= 0)
		memcpy((void *)&w->past[slot], (const void *)sum, sizeof(*sum));
	return covered_s;
}

static double
quantile(const struct ps_calls *within, double q, double tick_s)
{
	uint64_t ticks;

	if (ps_hist_quantile(within->histogram, within->over, within->max_ticks,
			     q, &ticks) != 0)
		return NOT_KNOWN;
	return (double)ticks * tick_s;
}

double
ps_calls_figure(const struct ps_calls *within, const struct ps_rule *r,
		double covered_s, double tick_s)
{
	double calls = (double)within->calls;

	PS_ASSERT(covered_s >= 0);
	/* Two calls in a millisecond are no 2000 a second. */
	if (r->stat == PS_STAT_CALLS)
		return covered_s > 0 && covered_s >= (double)r->over_ns * 1e-9
			   ? calls / covered_s
			   : NOT_KNOWN;
	if (within->calls == 0)
		return NOT_KNOWN;
	switch (r->stat) {
	case PS_STAT_QUANTILE:
		return quantile(within, r->quantile, tick_s);
	case PS_STAT_MAX:
		return (double)within->max_ticks * tick_s;
	case PS_STAT_MEAN:
		return (double)within->total_ticks / calls * tick_s;
	case PS_STAT_ERRORS:
		return PS_MIN((double)within->errors / calls, 1.0);
	default:
		return NOT_KNOWN;
	}
}

/* ---- levels ------------------------------------------------------------- */

void
ps_level_window_init(struct ps_level_window *w, uint64_t length_ns)
{
	PS_ASSERT(length_ns > 0);
	memset(w, 0, sizeof(*w));
	w->moments.length_ns = length_ns;
}

double
ps_level_window_step(struct ps_level_window *w, uint64_t now_ns, double level)
{
	const double whole_s = (double)w->moments.length_ns * 1e-9;
	double rate = NOT_KNOWN;
	int slot;

	if (level != level) /* NAN */
		return NOT_KNOWN;
	if (w->moments.count > 0) {
		uint32_t from = base(&w->moments, now_ns);
		double s = seconds_since(&w->moments, from, now_ns);

		if (s >= whole_s)
			rate = (level - w->past[from]) / s;
	}
	slot = remember(&w->moments, now_ns);
	if (slot >= 0)
		w->past[slot] = level;
	return rate;
}
