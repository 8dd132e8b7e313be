/* SPDX-License-Identifier: MIT */
/*
 * site - what is known of allocation sites, and of the heap as a whole
 *
 * The peak without copying: a new maximum only moves the epoch on.  The first
 * change of a site after that saves its live values as those of the peak;
 * sites that never change again need not, since their live values still are
 * the peak's.  So a peak costs one store, a change one comparison, and a
 * recording read at any moment, even of a killed process, has the sites as
 * they were at the peak.  The obvious alternative, copying all sites at each
 * new maximum, is quadratic while a heap grows.
 */
#include "base/float_state.h"
#include "measure/real.h"
#include "profile/site.h"
#include "profile/timeline.h"
#include "record/writer.h"

/*
 * A block of s bytes is hit by a Poisson process over bytes with mean distance
 * R with probability p = 1 - exp(-s/R) (jemalloc, PROFILING_INTERNALS.md), so
 * it stands for 1/p blocks; the variance of that is (1-p)/p^2
 * (Horvitz and Thompson, 1952).
 */
static PS_NOINLINE void
weigh(uint64_t size, uint64_t interval_bytes, struct ps_weight *out)
{
	double ratio = (double)size / (double)interval_bytes;
	double p = -ps_expm1(-ratio);
	double spread = (1.0 - p) / (p * p);

	PS_ASSERT(p > 0.0 && p <= 1.0);
	out->allocations = (uint64_t)(PS_WEIGHT_ONE / p + 0.5);
	out->bytes = (uint64_t)((double)size / p + 0.5);
	out->allocations_variance = (uint64_t)(PS_WEIGHT_ONE * spread + 0.5);
	out->bytes_variance =
	    (uint64_t)((double)size * (double)size * spread + 0.5);
}

void
ps_site_weigh(uint64_t size, uint32_t coarse, struct ps_weight *out)
{
	const struct ps_record_sampling *sampling = &ps_record->sampling;
	struct ps_float_state before;

	if (ps_unlikely(sampling->mode != PS_SAMPLE_POISSON || size == 0)) {
		*out = (struct ps_weight){PS_WEIGHT_ONE, size, 0, 0};
		return;
	}
	PS_DEBUG_ASSERT(sampling->interval_bytes > 0 &&
			coarse <= PS_COARSE_MAX);
	before = ps_float_begin();
	weigh(size, sampling->interval_bytes << coarse, out);
	ps_float_end(before);
}

static inline void
add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline void
sub(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_sub_explicit(counter, n, memory_order_relaxed);
}

/* Keep the values of the last peak before this site changes. */
static void
before_change(struct ps_record_site *site)
{
	uint64_t epoch = ps_peek(&ps_record->heap.peak_epoch);

	if (ps_peek(&site->peak_epoch) == epoch)
		return;
	ps_poke(&site->peak_allocations, ps_peek(&site->live_allocations));
	ps_poke(&site->peak_bytes, ps_peek(&site->live_bytes));
	ps_poke(&site->peak_epoch, epoch);
}

static bool
raise_to(_Atomic uint64_t *peak, uint64_t value)
{
	uint64_t known = ps_peek(peak);

	while (value > known)
		if (atomic_compare_exchange_weak(peak, &known, value))
			return true;
	return false;
}

static bool
is_exact(void)
{
	return ps_record->sampling.mode == PS_SAMPLE_ALL;
}

/* What only one thread writes needs no locked instruction. */
static inline void
add_own(bool is_owned, _Atomic uint64_t *counter, uint64_t n)
{
	if (is_owned)
		ps_bump(counter, n);
	else
		add(counter, n);
}

static void
add_born(struct ps_record_site *site, const struct ps_weight *w)
{
	bool is_owned = site->thread != 0;

	add_own(is_owned, &site->samples, 1);
	add_own(is_owned, &site->allocations, w->allocations);
	add_own(is_owned, &site->bytes, w->bytes);
	if (w->bytes_variance == 0)
		return;
	add_own(is_owned, &site->allocations_variance, w->allocations_variance);
	add_own(is_owned, &site->bytes_variance, w->bytes_variance);
}

void
ps_site_allocated(uint32_t row, const struct ps_weight *w)
{
	struct ps_record_heap *heap = &ps_record->heap;
	struct ps_record_site *site = ps_record_entry(PS_TABLE_SITES, row);
	uint64_t live;

	before_change(site);
	add_born(site, w);
	add(&site->live_allocations, w->allocations);
	add(&site->live_bytes, w->bytes);
	live = atomic_fetch_add_explicit(&heap->sampled_live_bytes, w->bytes,
					 memory_order_relaxed) +
	       w->bytes;
	/* The epoch is the peak itself: it only has to differ. */
	if (raise_to(&heap->sampled_peak_bytes, live))
		ps_poke(&heap->peak_epoch, live);
}

void
ps_site_freed(uint32_t row, const struct ps_weight *w, bool is_temporary)
{
	struct ps_record_site *site = ps_record_entry(PS_TABLE_SITES, row);

	before_change(site);
	sub(&site->live_allocations, w->allocations);
	sub(&site->live_bytes, w->bytes);
	if (is_temporary)
		add(&site->temporary, w->allocations);
	sub(&ps_record->heap.sampled_live_bytes, w->bytes);
}

void
ps_site_freed_elsewhere(uint64_t size)
{
	if (is_exact())
		sub(&ps_record->heap.sampled_live_bytes, size);
}

void
ps_heap_changed(int64_t delta, ps_ticks now)
{
	struct ps_record_heap *heap = &ps_record->heap;
	uint64_t live = atomic_fetch_add(&heap->live_bytes, (uint64_t)delta) +
			(uint64_t)delta;

	/* Another thread's share of a block's life may come late: a sum that
	 * dips below zero is no peak. */
	if ((int64_t)live < 0)
		return;
	if (raise_to(&heap->peak_bytes, live))
		ps_poke(&heap->peak_ticks, now);
	ps_timeline_note(now, live);
}

void
ps_heap_tick(ps_ticks now)
{
	static _Atomic uint64_t epoch_seen;
	struct ps_record_heap *heap = &ps_record->heap;
	uint64_t epoch = ps_peek(&heap->peak_epoch);
	uint64_t live = ps_peek(&heap->sampled_live_bytes);

	if (ps_peek(&epoch_seen) != epoch) {
		ps_poke(&epoch_seen, epoch);
		ps_poke(&heap->peak_ticks, now);
		live = PS_MAX(live, ps_peek(&heap->sampled_peak_bytes));
	}
	ps_timeline_note(now, live);
}
