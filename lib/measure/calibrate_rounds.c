/* SPDX-License-Identifier: MIT */
/*
 * calibrate_rounds - one figure out of many rounds of a calibration
 */
#include <stddef.h>
#include <string.h>

#include "measure/calibrate_rounds.h"
#include "measure/stat.h"

enum { BEST_QUARTER = 4, BEST_BUT_ONE = PS_ROUNDS_MAX };

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
ps_rounds_settle(struct ps_rounds *r, struct ps_calibration *out)
{
	PS_ASSERT(r->count > 0);
	for (size_t i = 0; i < PS_ROUNDS_FIGURES; i++) {
		uint32_t at = r->count / figures[i].share;

		ps_stat_sort(r->of[i], r->count);
		if (!figures[i].is_low_best)
			at = r->count - 1 - at;
		if (r->of[i][at] > 0)
			memcpy((char *)out + figures[i].offset, &r->of[i][at],
			       sizeof(r->of[i][at]));
	}
}
