/* SPDX-License-Identifier: MIT */
/*
 * sample - the blocks that were picked, while they live
 *
 * What is known of a picked block's birth is kept until it is freed, so that
 * its free can be counted where it was allocated.  The pool has 16 bytes beside
 * each block of a sampled page: a mark.  For blocks outside the pool there is a
 * hash table here.  Private memory, not part of the recording.
 *
 * Threads: any, for different blocks.
 */
#ifndef PS_PROFILE_SAMPLE_H
#define PS_PROFILE_SAMPLE_H

#include "base/base.h"
#include "record/layout.h"

struct ps_birth {
	uint64_t size; /* as requested */
	uint32_t site;
	uint32_t row; /* of the thread */
	uint32_t
	    sequence;  /* the thread's count of allocations, PS_SEQUENCE_MASK */
	uint32_t time; /* see ps_sample_time */
	uint32_t epoch;	 /* see ps_sample_epoch */
	uint32_t cls;	 /* that a block of the pool counts in */
	uint32_t coarse; /* see profile/pace.h; at most PS_COARSE_MAX */
};

/* All zero: there never was a sample.  Of a freed block the site stays. */
struct ps_mark {
	uint32_t site_and_epoch;    /* site + 1, epoch in the upper 8 bits */
	uint32_t sequence_and_more; /* class and coarse above it */
	uint32_t time;
	uint16_t size;
	uint16_t row;
};
enum {
	PS_MARK_SITE_BITS = 24,
	PS_SEQUENCE_BITS = 24,
	PS_MARK_CLASS_BITS = 6,
	PS_SEQUENCE_MASK = (1 << PS_SEQUENCE_BITS) - 1,
	PS_MARK_SIZE_MAX = UINT16_MAX,
	PS_MARK_FREED = UINT16_MAX, /* in place of the row */
};
_Static_assert(sizeof(struct ps_mark) == 16,
	       "what the pool has beside a block");
_Static_assert(PS_COARSE_MAX <
		   1 << (32 - PS_SEQUENCE_BITS - PS_MARK_CLASS_BITS),
	       "above sequence and class there is room for it");

static inline void
ps_mark_set(struct ps_mark *mark, const struct ps_birth *b)
{
	PS_ASSERT(b->size <= PS_MARK_SIZE_MAX && b->row < PS_MARK_FREED);
	PS_ASSERT(b->sequence <= PS_SEQUENCE_MASK);
	PS_ASSERT(b->cls >> PS_MARK_CLASS_BITS == 0);
	PS_ASSERT(b->coarse <= PS_COARSE_MAX);
	mark->site_and_epoch = (b->site + 1) | b->epoch << PS_MARK_SITE_BITS;
	mark->sequence_and_more =
	    b->sequence | (b->cls | b->coarse << PS_MARK_CLASS_BITS)
			      << PS_SEQUENCE_BITS;
	mark->time = b->time;
	mark->size = (uint16_t)b->size;
	mark->row = (uint16_t)b->row;
}

/* The birth of a live block; false: it has none, or is freed. */
static inline bool
ps_mark_get(const struct ps_mark *mark, struct ps_birth *out)
{
	uint32_t word = mark->site_and_epoch;

	if (ps_unlikely(word == 0 || mark->row == PS_MARK_FREED))
		return false;
	out->site = (word & ((UINT32_C(1) << PS_MARK_SITE_BITS) - 1)) - 1;
	out->epoch = word >> PS_MARK_SITE_BITS;
	out->sequence = mark->sequence_and_more & PS_SEQUENCE_MASK;
	out->cls = mark->sequence_and_more >> PS_SEQUENCE_BITS &
		   ((1u << PS_MARK_CLASS_BITS) - 1);
	out->coarse =
	    mark->sequence_and_more >> (PS_SEQUENCE_BITS + PS_MARK_CLASS_BITS);
	out->time = mark->time;
	out->size = mark->size;
	out->row = mark->row;
	return true;
}

/* The same, and the block is freed. */
static inline bool
ps_mark_take(struct ps_mark *mark, struct ps_birth *out)
{
	if (ps_unlikely(!ps_mark_get(mark, out)))
		return false;
	mark->row = PS_MARK_FREED;
	return true;
}

/* Site and epoch of a block that lives or was freed; false: neither. */
static inline bool
ps_mark_origin(const struct ps_mark *mark, uint32_t *site, uint32_t *epoch)
{
	uint32_t word = mark->site_and_epoch;

	*site = (word & ((UINT32_C(1) << PS_MARK_SITE_BITS) - 1)) - 1;
	*epoch = word >> PS_MARK_SITE_BITS;
	return word != 0;
}

/* Bytes until the next sample: exponential with the given mean. */
uint64_t ps_sample_draw(uint64_t *random, double mean_bytes);

/* For blocks outside the pool; false: memory is short. */
bool ps_sample_keep(uintptr_t block, const struct ps_birth *birth);
/* Forget the block's and tell it; false: it has none. */
bool ps_sample_take(uintptr_t block, struct ps_birth *out);

/*
 * After fork, in the child: locks anew, and a new epoch.  Samples of another
 * epoch name sites of the parent's recording.  Epochs have 8 bits: the last one
 * has no samples, and all later children share it.
 */
enum { PS_EPOCH_LAST = 255 };
void ps_sample_postfork_child(void);
uint32_t ps_sample_epoch(void);

#endif /* PS_PROFILE_SAMPLE_H */
