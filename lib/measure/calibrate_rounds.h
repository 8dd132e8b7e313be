/* SPDX-License-Identifier: MIT */
/*
 * calibrate_rounds - one figure out of many rounds of a calibration
 *
 * The best of all would be the rarest: the core's clock goes up for
 * milliseconds when other cores rest, and neighbours take a third of the core
 * or the memory for as long.  So of the rounds' figures the upper quartile
 * counts: neither a boost in a few of them nor trouble in most moves it.  Ten
 * runs on a shared Emerald Rapids were apart by (bench_machine, of the best and
 * of the upper quartile) 3.6 and 0.1 % for multiply-add, 7.4 and 0.4 for L2,
 * 4.9 and 2.6 for L3.  Memory is shared with all neighbours, so that few rounds
 * are free of them: there it is the best but one.
 *
 * Quick sees three milliseconds, and in every fourth of those the core's clock
 * was a step of 3.3 % or two away from where it mostly is.  So its rounds are
 * those of several processes (calibration_settle.h), and the median counts.
 */
#ifndef PS_CALIBRATE_ROUNDS_H
#define PS_CALIBRATE_ROUNDS_H

#include "measure/calibration.h"

enum { PS_ROUNDS_MAX = 32, PS_ROUNDS_FIGURES = 9 };

enum ps_rounds_choice { PS_ROUNDS_UPPER, PS_ROUNDS_MEDIAN };

/* All zero is none. */
struct ps_rounds {
	double of[PS_ROUNDS_FIGURES][PS_ROUNDS_MAX];
	uint32_t count;
	uint32_t reserved;
	uint64_t last_ns; /* the caller's: when the last one was kept */
};

/* What one round measured; there are fewer than PS_ROUNDS_MAX before it. */
void ps_rounds_keep(struct ps_rounds *r, const struct ps_calibration *round);

/*
 * The figures that count, into *out; one that no round has is left alone there.
 * There is at least one round; their order is lost.
 */
void ps_rounds_settle(struct ps_rounds *r, enum ps_rounds_choice choice,
		      struct ps_calibration *out);

/* Rounds that were kept, read from elsewhere: their count and their figures
 * are some that can be. */
bool ps_rounds_are_plausible(const struct ps_rounds *r);

#endif /* PS_CALIBRATE_ROUNDS_H */
