/* SPDX-License-Identifier: MIT */
/*
 * calibrate_rounds - one figure out of many rounds of a calibration
 */
#include <stddef.h>
#include <string.h>

#include "measure/calibrate_rounds.h"
#include "measure/stat.h"

enum { HALF = 2, BEST_QUARTER = 4, BEST_BUT_ONE = PS_ROUNDS_MAX };

/* The figure that counts is the one behind the best 1/share of them. */
static const struct {
	size_t offset;
	uint32_t share;
	bool is_low_best;
} figures[PS_ROUNDS_FIGURES] = {
    {offsetof(struct ps_calibration, core_hz), BEST_QUARTER, false},
    {offsetof(struct ps_calibration, fma_flops), BEST_QUARTER, false},
    {offsetof(struct ps_calibration, matmul_flops), BEST_QUARTER, false},
    {offsetof(struct ps_calibration, vector_add_l1), BEST_QUARTER, false},
    {offsetof(struct ps_calibration, vector_add_l2), BEST_QUARTER, false},
    {offsetof(struct ps_calibration, vector_add_l3), BEST_QUARTER, false},
    {offsetof(struct ps_calibration, vector_add_dram), BEST_BUT_ONE, false},
    {offsetof(struct ps_calibration, latency_dram_ns), BEST_BUT_ONE, true},
    /* Full reads the clock once, at its end: in no round. */
    {offsetof(struct ps_calibration, clock_ns), BEST_QUARTER, true},
};

void
ps_rounds_keep(struct ps_rounds *r, const struct ps_calibration *round)
{
	PS_ASSERT(r->count < PS_ROUNDS_MAX);
	for (size_t i = 0; i < PS_ROUNDS_FIGURES; i++)
		memcpy(&r->of[i][r->count],
		       (const char *)round + figures[i].offset,
		       sizeof(r->of[i][0]));
	r->count++;
}

void
ps_rounds_settle(struct ps_rounds *r, enum ps_rounds_choice choice,
		 struct ps_calibration *out)
{
	PS_ASSERT(r->count > 0);
	for (size_t i = 0; i < PS_ROUNDS_FIGURES; i++) {
		uint32_t share =
		    choice == PS_ROUNDS_MEDIAN ? HALF : figures[i].share;
		uint32_t at = r->count / share;

		ps_stat_sort(r->of[i], r->count);
		if (!figures[i].is_low_best)
			at = r->count - 1 - at;
		PS_ASSERT(at < r->count);
		if (r->of[i][at] > 0)
			memcpy((char *)out + figures[i].offset, &r->of[i][at],
			       sizeof(r->of[i][at]));
	}
}

bool
ps_rounds_are_plausible(const struct ps_rounds *r)
{
	if (r->count > PS_ROUNDS_MAX)
		return false;
	for (size_t i = 0; i < PS_ROUNDS_FIGURES; i++)
		for (uint32_t k = 0; k < r->count; k++)
			if (!ps_is_calibration_figure(r->of[i][k]))
				return false;
	return true;
}
