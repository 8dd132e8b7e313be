/* SPDX-License-Identifier: MIT */
/*
 * window - what cumulative figures did within the last while
 *
 * A window remembers what the sums were at up to nine moments, an eighth of its
 * length apart; the figure over the window is the difference between now and
 * the newest of them that is old enough.  It so covers its length and up to an
 * eighth more, and costs a bounded number of copies whatever happens within.
 *
 * The obvious alternatives lost: a decaying histogram answers over no stated
 * time, and a ring of single calls is as long as the program is busy.
 *
 * Sums may go backwards for a moment (rows of an ended thread are being added
 * elsewhere): differences below zero count as none.  Counters may wrap.
 *
 * One thread at a time; the clock is the caller's.  A window of calls takes 46
 * KiB, a copy 5 KiB.
 */
#ifndef PS_MONITOR_WINDOW_H
#define PS_MONITOR_WINDOW_H

#include "measure/hist.h"
#include "monitor/rule.h"

enum { PS_WINDOW_MOMENTS = 9 };
_Static_assert(PS_WINDOW_MOMENTS > 1, "a length is divided by one less");

/* Of one section or operation, since it first ran. */
struct ps_calls {
	uint64_t calls;
	uint64_t errors;
	uint64_t over; /* calls beyond the histogram */
	uint64_t total_ticks;
	uint64_t max_ticks;
	_Atomic uint32_t histogram[PS_HIST_BUCKETS];
};

/* When each remembered moment was; slot [count] is the next to be used. */
struct ps_moments {
	uint64_t length_ns;
	uint64_t at_ns[PS_WINDOW_MOMENTS];
	uint32_t newest;
	uint32_t count;
};

struct ps_calls_window {
	struct ps_moments moments;
	struct ps_calls past[PS_WINDOW_MOMENTS];
};

/* For figures such as the heap's level. */
struct ps_level_window {
	struct ps_moments moments;
	double past[PS_WINDOW_MOMENTS];
};

/*
 * Starts at `now`.  Calls start from none: what is there at the first step
 * counts as within the window.
 */
void ps_calls_window_init(struct ps_calls_window *w, uint64_t length_ns,
			  uint64_t now_ns);
void ps_level_window_init(struct ps_level_window *w, uint64_t length_ns);

/*
 * `sum` is what there is at now_ns; *within gets what came within the window.
 * Returns the seconds that it covers, 0 when no time has passed.
 */
double ps_calls_window_step(struct ps_calls_window *w, uint64_t now_ns,
			    const struct ps_calls *sum,
			    struct ps_calls *within);

/*
 * The figure of the rule: NAN when there were no calls or, for calls a second,
 * when less than the rule's time is covered.
 */
double ps_calls_figure(const struct ps_calls *within, const struct ps_rule *r,
		       double covered_s, double tick_s);

/* Growth a second; NAN until the window has its length. */
double ps_level_window_step(struct ps_level_window *w, uint64_t now_ns,
			    double level);

#endif /* PS_MONITOR_WINDOW_H */
