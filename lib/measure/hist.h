/* SPDX-License-Identifier: MIT */
/*
 * hist - histogram of ticks with bounded relative error
 *
 * Counts values in log-linear buckets: each power of two is cut into 32 equal
 * parts; values below 64 have a bucket of their own.  A histogram is a plain
 * array of PS_HIST_BUCKETS counters (5 KiB) that its owner keeps wherever it
 * likes, in a recording for one; the functions here only compute on it.
 *
 * Values of 2^PS_HIST_MAX_BITS and more (1.6 hours of nanoseconds at 3 GHz)
 * have no bucket: the owner counts them in `over` and keeps the maximum.
 *
 * Threads: one writer per histogram.  Any thread may query it while it is
 * being written, and then sees some recent subset of the writes.
 */
#ifndef PS_HIST_H
#define PS_HIST_H

#include "base/base.h"

enum {
	PS_HIST_SUB_BITS = 5, /* 32 parts per octave */
	PS_HIST_MAX_BITS = 44,
	PS_HIST_BUCKETS = (PS_HIST_MAX_BITS - PS_HIST_SUB_BITS + 1)
			  << PS_HIST_SUB_BITS,
};

/*
 * Bucket of a value below 2^PS_HIST_MAX_BITS (the caller's duty).  OR-ing in
 * 2^5 makes the values below 32, which have no full set of parts, fall out of
 * the same formula.  Four instructions.
 */
PS_INLINE uint32_t
ps_hist_bucket(uint64_t value)
{
	uint64_t v = value | 1u << PS_HIST_SUB_BITS;
	uint32_t shift = 63u - (uint32_t)__builtin_clzll(v) - PS_HIST_SUB_BITS;

	PS_DEBUG_ASSERT(value >> PS_HIST_MAX_BITS == 0);
	return (shift << PS_HIST_SUB_BITS) + (uint32_t)(value >> shift);
}

/* Smallest value that falls in bucket b, and how many values do. */
uint64_t ps_hist_floor(uint32_t b);
uint64_t ps_hist_width(uint32_t b);

/* Recorded values, those beyond the buckets included. */
uint64_t ps_hist_count(const _Atomic uint32_t *buckets, uint64_t over);

/*
 * Value at quantile q, 0 < q <= 1: the middle of the bucket that holds the
 * ceil(q * n)-th smallest of the n recorded values, but at most `max`; and
 * max itself when that value is one of the `over`.  It differs from the true
 * one by at most 1/64 of it (1.6 %), and not at all below 64.  The middle may
 * lie below the smallest value recorded: who knows the minimum clamps to it.
 *
 * Returns 0 and sets *value, or -ENODATA when nothing was recorded: an empty
 * histogram has no p99, and a made-up zero would read as a fast one.
 */
int ps_hist_quantile(const _Atomic uint32_t *buckets, uint64_t over,
		     uint64_t max, double q, uint64_t *value);

/*
 * into += from; a counter that would overflow stays at UINT32_MAX.  The caller
 * is the only writer of `into`.
 */
void ps_hist_merge(_Atomic uint32_t *into, const _Atomic uint32_t *from);

/*
 * min and max of the values that were counted, brought to where they can be:
 * what a damaged recording says of them may be anything.
 */
void ps_hist_clamp(const _Atomic uint32_t *buckets, uint64_t over,
		   uint64_t *min, uint64_t *max);

#endif /* PS_HIST_H */
