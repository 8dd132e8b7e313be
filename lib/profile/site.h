/* SPDX-License-Identifier: MIT */
/*
 * site - what is known of allocation sites, and of the heap as a whole
 *
 * Adds samples to the rows of PS_TABLE_SITES and keeps the peak: the highest
 * sum of live samples so far, with every site as it was at that moment.
 *
 * Threads: any; counters are atomic adds.  The peak is exact for one thread;
 * with several, an allocation that races with a new peak may count on either
 * side of it.  Its time is that of the next tick.
 */
#ifndef PS_PROFILE_SITE_H
#define PS_PROFILE_SITE_H

#include "record/layout.h"

/* What one sample stands for; see struct ps_record_site. */
struct ps_weight {
	uint64_t allocations; /* in 1/PS_WEIGHT_ONE */
	uint64_t bytes;
	uint64_t allocations_variance;
	uint64_t bytes_variance;
};

/*
 * Weight of a sampled block of `size` bytes under the recording's mode, where
 * the mean distance of samples was 2^coarse times the recording's.
 */
void ps_site_weigh(uint64_t size, uint32_t coarse, struct ps_weight *out);

/* A sample at that site was allocated; and freed. */
void ps_site_allocated(uint32_t site, const struct ps_weight *w);
void ps_site_freed(uint32_t site, const struct ps_weight *w, bool is_temporary);

/* One of another recording (before the fork) was freed. */
void ps_site_freed_elsewhere(uint64_t size);

/* The heap as a whole changed by `delta` block bytes. */
void ps_heap_changed(int64_t delta, ps_ticks now);

/*
 * Under PS_SAMPLE_ALL, where samples say it exactly: now and then, with the
 * time, which samples are not asked for.
 */
void ps_heap_tick(ps_ticks now);

#endif /* PS_PROFILE_SITE_H */
