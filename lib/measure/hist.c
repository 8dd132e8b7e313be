/* SPDX-License-Identifier: MIT */
/*
 * hist - histogram of ticks with bounded relative error
 *
 * Bucket number b of octave `shift` covers 2^shift values, so its width over
 * its floor is at most 1/32; reporting the middle halves that.  Below 64 the
 * width is 1 and the middle is the value.  Reporting the middle lost its usual
 * objection (a p100 above the maximum) by clamping to the exact maximum that
 * every owner keeps.
 *
 * Costs: a query walks all buckets twice, 1280 loads each.
 */
#include <errno.h>

#include "measure/hist.h"

enum { SUB_COUNT = 1 << PS_HIST_SUB_BITS };

static uint32_t
shift_of(uint32_t b)
{
	PS_ASSERT(b < PS_HIST_BUCKETS);
	return b < 2 * SUB_COUNT ? 0 : (b >> PS_HIST_SUB_BITS) - 1;
}

uint64_t
ps_hist_floor(uint32_t b)
{
	uint32_t shift = shift_of(b);

	return (uint64_t)(b - (shift << PS_HIST_SUB_BITS)) << shift;
}

uint64_t
ps_hist_width(uint32_t b)
{
	return UINT64_C(1) << shift_of(b);
}

uint64_t
ps_hist_count(const _Atomic uint32_t *buckets, uint64_t over)
{
	uint64_t count = over;

	for (uint32_t b = 0; b < PS_HIST_BUCKETS; b++)
		count += ps_peek(&buckets[b]);
	return count;
}

/* ceil(q * count), at least 1 and, whatever the rounding, at most count. */
static uint64_t
rank_of(double q, uint64_t count)
{
	double exact = q * (double)count;
	uint64_t rank;

	/* Which may have been rounded up to 2^64. */
	if (exact >= (double)count)
		return count;
	rank = (uint64_t)exact;
	if ((double)rank < exact)
		rank++;
	return PS_MIN(PS_MAX(rank, (uint64_t)1), count);
}

int
ps_hist_quantile(const _Atomic uint32_t *buckets, uint64_t over, uint64_t max,
		 double q, uint64_t *value)
{
	uint64_t count = ps_hist_count(buckets, over);
	uint64_t seen = 0;
	uint64_t rank;
	uint64_t middle;

	PS_ASSERT(q > 0 && q <= 1);
	if (count == 0)
		return -ENODATA;
	rank = rank_of(q, count);
	PS_ASSERT(rank >= 1 && rank <= count);
	for (uint32_t b = 0; b < PS_HIST_BUCKETS; b++) {
		seen += ps_peek(&buckets[b]);
		if (seen >= rank) {
			middle = ps_hist_floor(b) + ps_hist_width(b) / 2;
			*value = PS_MIN(middle, max);
			return 0;
		}
	}
	*value = max;
	return 0;
}

void
ps_hist_merge(_Atomic uint32_t *into, const _Atomic uint32_t *from)
{
	for (uint32_t b = 0; b < PS_HIST_BUCKETS; b++) {
		uint64_t sum = (uint64_t)ps_peek(&into[b]) + ps_peek(&from[b]);

		ps_poke(&into[b], (uint32_t)PS_MIN(sum, (uint64_t)UINT32_MAX));
	}
}

void
ps_hist_clamp(const _Atomic uint32_t *buckets, uint64_t over, uint64_t *min,
	      uint64_t *max)
{
	const uint64_t most = (UINT64_C(1) << PS_HIST_MAX_BITS) - 1;

	if (over == 0)
		*max = PS_MIN(*max, most);
	if (ps_hist_count(buckets, 0) > 0)
		*min = PS_MIN(*min, most);
	*min = PS_MIN(*min, *max);
}
