/* SPDX-License-Identifier: MIT */
/*
 * section_cost - what a pair of marks costs on this machine
 *
 * Pairs run in a thread object of their own and in a section number that no
 * program has, whose row is memory here: what is timed is what a warm mark
 * does, and no recording is touched.  Eight pairs a time, so that reading the
 * clock around them adds an eighth of itself; the median of 400 times, because
 * a time in which the thread was put aside is no cost of marks.  The part
 * inside is what the sections themselves report, by the same rule.
 */
#include <errno.h>

#include "measure/clock.h"
#include "measure/stat.h"
#include "profile/section_cost.h"
#include "profile/section_fast.h"

enum { TIMES = 400, PAIRS_A_TIME = 8, PROBE = PS_SECTIONS_MAX - 1 };

/* No call is among the slowest: those are kept by the recording's clock. */
#define NEVER_SLOW ((UINT64_C(1) << PS_HIST_MAX_BITS) - 1)

/* As the marks in programs do it: shim/markers.c. */
static PS_NOINLINE void
begin(struct ps_section_thread *t)
{
	uintptr_t sp = (uintptr_t)__builtin_dwarf_cfa();

	if (!ps_section_begin_fast(t, PROBE, 0, sp))
		ps_section_begin(t, PROBE, 0, sp);
	(void)ps_section_started(t, ps_clock_now());
}

static PS_NOINLINE void
end(struct ps_section_thread *t)
{
	ps_ticks now = ps_clock_now();
	uintptr_t sp = (uintptr_t)__builtin_dwarf_cfa();

	if (!ps_section_end_fast(t, PROBE, sp, now))
		ps_section_end(t, PROBE, sp, now);
}

static double
median(double *values)
{
	double result = 0;
	int error = ps_stat_median(values, TIMES, &result);

	PS_ASSERT(error == 0);
	return result;
}

int
ps_section_cost(double ns_per_tick, double *pair_ns, double *inside_ns)
{
	static struct ps_record_section_stats stats;
	static struct ps_record_thread row;
	static PS_BIG double pair[TIMES];
	static PS_BIG double inside[TIMES];
	struct ps_section_thread *t = ps_section_thread_probe(&row, &stats);

	PS_ASSERT(ns_per_tick > 0);
	if (t == NULL)
		return -ENOMEM;
	ps_poke(&stats.slow_from, NEVER_SLOW);
	for (int i = 0; i < TIMES; i++) {
		uint64_t total = ps_peek(&stats.total_ticks);
		ps_ticks before = ps_clock_now();

		for (int k = 0; k < PAIRS_A_TIME; k++) {
			begin(t);
			end(t);
		}
		pair[i] = (double)(ps_clock_now() - before);
		inside[i] = (double)(ps_peek(&stats.total_ticks) - total);
	}
	PS_ASSERT(ps_section_depth(t) == 0);
	PS_DEBUG_ASSERT(ps_peek(&stats.calls) % (TIMES * PAIRS_A_TIME) == 0);
	ps_section_probe_end(t);
	*pair_ns = median(pair) * ns_per_tick / PAIRS_A_TIME;
	*inside_ns = median(inside) * ns_per_tick / PAIRS_A_TIME;
	return 0;
}
