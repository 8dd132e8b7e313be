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
 */
#ifndef PS_CALIBRATE_ROUNDS_H
#define PS_CALIBRATE_ROUNDS_H

#include "measure/calibration.h"

enum { PS_ROUNDS_MAX = 32, PS_ROUNDS_FIGURES = 8 };

/* All zero is none. */
struct ps_rounds {
	double of[PS_ROUNDS_FIGURES][PS_ROUNDS_MAX];
	uint32_t count;
};

/* What one round measured; there are fewer than PS_ROUNDS_MAX before it. */
void ps_rounds_keep(struct ps_rounds *r, const struct ps_calibration *round);

/*
 * The figures that count, into *out; one that no round has is left alone there.
 * There is at least one round; their order is lost.
 */
void ps_rounds_settle(struct ps_rounds *r, struct ps_calibration *out);

#endif /* PS_CALIBRATE_ROUNDS_H */
