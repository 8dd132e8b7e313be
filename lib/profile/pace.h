/* SPDX-License-Identifier: MIT */
/*
 * pace - a thread's samples are no closer in time than the cost of them allows
 *
 * A sample costs half a microsecond to four, the more the colder the caches.
 * At one in 512 KiB most programs take hundreds a second, and one that asks for
 * gigabytes a second tens of thousands, which is some percent of its time and
 * tells no more than two thousand do.  So whenever PS_PACE_SAMPLES of a thread
 * came sooner than PS_PACE_TICKS each, the mean distance of its next ones is
 * doubled, and halved again when they come four times as late.
 *
 * Estimates stay unbiased.  A block is picked with a probability that depends
 * on its size and the distance in force, which was settled before the block was
 * asked for; the distance is kept with the block, and its weight, and that of
 * its free, are those of that distance.  Between two samples it never changes:
 * then the countdown would not be exponential.
 *
 * The obvious alternative, to drop what comes too soon, loses which sites it
 * came from; a wider distance for all costs those that are slow enough half of
 * their precision.
 *
 * Eight times as wide is the most.  Where few samples stand for much and many
 * for little, the error of the sum is that of the few, and is told by too few
 * of them: of 95 % intervals over such a mix 86 to 95 in 100 held at 128 times,
 * 93 to 96 do at eight, as without (unit suite truth).
 */
#ifndef PS_PROFILE_PACE_H
#define PS_PROFILE_PACE_H

#include "record/layout.h"

enum {
	PS_PACE_SAMPLES = 8,
	/* 0.3 to 0.5 ms; 1 ms where the clock counts nanoseconds. */
	PS_PACE_TICKS = 1 << 20,
};
_Static_assert((PS_PACE_SAMPLES & (PS_PACE_SAMPLES - 1)) == 0,
	       "a mean of so many is a shift");

/* A thread's; all zero at its start. */
struct ps_pace {
	uint64_t since; /* ticks: when the first of `samples` was wanted */
	uint32_t samples;
	uint32_t coarse; /* the distance in force is 2^coarse times the first */
};

/* One was taken at that time: settles how far it is to the next. */
static inline void
ps_pace_step(struct ps_pace *pace, uint64_t now)
{
	uint64_t each;

	PS_DEBUG_ASSERT(pace->samples < PS_PACE_SAMPLES);
	PS_DEBUG_ASSERT(pace->coarse <= PS_COARSE_MAX);
	if (++pace->samples < PS_PACE_SAMPLES)
		return;
	each = (now - pace->since) / PS_PACE_SAMPLES;
	pace->since = now;
	pace->samples = 0;
	if (each < PS_PACE_TICKS && pace->coarse < PS_COARSE_MAX)
		pace->coarse++;
	else if (each >= 4 * (uint64_t)PS_PACE_TICKS && pace->coarse > 0)
		pace->coarse--;
}

#endif /* PS_PROFILE_PACE_H */
