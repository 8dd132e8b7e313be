/* SPDX-License-Identifier: MIT */
/*
 * sample - the blocks that were picked, while they live
 *
 * A sample remembers site, size and owner thread of a picked block, so that its
 * free can be counted where it was allocated.  Samples are found by a 32-bit
 * index: the pool keeps it beside the block; for blocks outside the pool there
 * is a hash table here.  Private memory, not part of the recording.
 *
 * Threads: any.
 */
#ifndef PS_PROFILE_SAMPLE_H
#define PS_PROFILE_SAMPLE_H

#include "base/base.h"

enum { PS_SAMPLE_NONE = 0 }; /* no sample has index 0 */

struct ps_sample {
	uint64_t size;	      /* as requested */
	uint64_t allocations; /* the thread's count, this one included */
	uintptr_t block;      /* hashed samples only */
	uint32_t site;
	uint32_t row;	       /* of the thread */
	_Atomic uint32_t next; /* of free samples, or of a hash chain */
	uint32_t epoch;	       /* forks since the program started */
};

/* Bytes until the next sample: exponential with the given mean. */
uint64_t ps_sample_draw(uint64_t *random, double mean_bytes);

/* A sample to fill in, or PS_SAMPLE_NONE when memory is short. */
uint32_t ps_sample_new(struct ps_sample **out);
struct ps_sample *ps_sample_at(uint32_t index);
void ps_sample_drop(uint32_t index);

/* For blocks outside the pool: sample->block must be set. */
void ps_sample_hash(uint32_t index);
/* Take the block's sample out of the table; PS_SAMPLE_NONE if it has none. */
uint32_t ps_sample_unhash(uintptr_t block);

/*
 * After fork, in the child: locks anew, and a new epoch.  Samples of an older
 * epoch name sites of the parent's recording.
 */
void ps_sample_postfork_child(void);
uint32_t ps_sample_epoch(void);

#endif /* PS_PROFILE_SAMPLE_H */
