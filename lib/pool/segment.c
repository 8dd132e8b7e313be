/* SPDX-License-Identifier: MIT */
/*
 * segment - the pool's pages are cut from segments of 2 MiB
 *
 * A table of segments in the order of their making, each with one bit a unit.
 * Units are taken from the lowest segment that has them, so that the pool draws
 * together at the low end after a spike and the segments above become empty.
 * Two hints, for single units and for runs, say below which segment there is
 * nothing; giving a unit back lowers them.
 *
 * A free unit keeps its memory, because the next page comes soon.  What comes
 * back to the system is what was not needed for a while: at each step of
 * ps_segment_decay (twice a second), free units beyond the most that were in
 * use at one time since the last step but one.  An empty segment goes to
 * jemalloc, whose decay works alike, if it came from there.  The obvious
 * alternative, a limit on free units, makes a program that takes and frees 13
 * MiB in turns fault it in anew each time (91 times slower than mimalloc; now
 * on a par).
 */
#include "base/lock.h"
#include "base/os.h"
#include "pool/heap.h"
#include "pool/segment.h"

enum {
	SEGMENTS_MAX = 32768, /* 64 GiB */
	DIRTY_MIN = 4,	      /* units that may stay free and dirty for good */
	PURGE_MAX = 256,      /* units a step: a pause of a few ms */
	NO_SEGMENT = 0,	      /* start of a slot without a segment */
};

struct segment {
	uintptr_t start; /* NO_SEGMENT: slot is free */
	uint32_t used;	 /* bit i: unit i is handed out */
	uint32_t clean;	 /* bit i: unit i holds no memory */
};
_Static_assert(PS_SEGMENT_UNITS == 32, "a bit a unit");

static struct ps_lock lock;
static struct segment *segments; /* reserved for all, touched as needed */
static unsigned segment_count;	 /* slots that were ever used */
static unsigned hint_single;
static unsigned hint_run;
static size_t used_units;
static size_t dirty_units;
/* The most units in use, in this step and in the one before. */
static size_t high_now;
static size_t high_before;

static uint32_t
run_mask(unsigned units)
{
	return units == 32 ? UINT32_MAX : (UINT32_C(1) << units) - 1;
}

/* Lowest position of a run of free units; -1: none. */
static int
find_run(uint32_t used, unsigned units)
{
	uint32_t mask = run_mask(units);

	for (unsigned i = 0; i + units <= PS_SEGMENT_UNITS; i++)
		if ((used & mask << i) == 0)
			return (int)i;
	return -1;
}

static bool
have_table(void)
{
	void *memory;

	if (segments != NULL)
		return true;
	if (ps_os_map(SEGMENTS_MAX * sizeof(*segments), &memory) != 0)
		return false;
	segments = memory;
	return true;
}

/* A new segment in the lowest free slot. */
static bool
add_segment(void)
{
	unsigned i = 0;
	void *start;

	while (i < segment_count && segments[i].start != NO_SEGMENT)
		i++;
	if (i == SEGMENTS_MAX)
		return false;
	start = ps_range_take_segment();
	if (start == NULL)
		return false;
	segments[i] = (struct segment){
	    .start = (uintptr_t)start,
	    .clean = UINT32_MAX,
	};
	segment_count = PS_MAX(segment_count, i + 1);
	hint_single = PS_MIN(hint_single, i);
	hint_run = PS_MIN(hint_run, i);
	for (unsigned unit = 0; unit < PS_SEGMENT_UNITS; unit++)
		ps_page_of((char *)start + (unit << PS_UNIT_SHIFT))->segment =
		    i;
	return true;
}

static void *
take_from(struct segment *s, unsigned at, unsigned units)
{
	uint32_t mask = run_mask(units) << at;

	PS_ASSERT((s->used & mask) == 0);
	s->used |= mask;
	dirty_units -= (size_t)__builtin_popcount(mask & ~s->clean);
	s->clean &= ~mask;
	used_units += units;
	PS_ASSERT(used_units <= (size_t)segment_count * PS_SEGMENT_UNITS);
	high_now = PS_MAX(high_now, used_units);
	return (void *)(s->start + ((uintptr_t)at << PS_UNIT_SHIFT));
}

static void *
take_locked(unsigned units)
{
	unsigned *hint = units == 1 ? &hint_single : &hint_run;

	PS_ASSERT(ps_peek(&lock.is_taken) != 0);
	for (; *hint < segment_count; ++*hint) {
		struct segment *s = &segments[*hint];
		int at;

		if (s->start == NO_SEGMENT)
			continue;
		at = find_run(s->used, units);
		if (at >= 0)
			return take_from(s, (unsigned)at, units);
	}
	return NULL;
}

void *
ps_segment_take(unsigned units)
{
	void *start = NULL;

	PS_ASSERT(units >= 1 && units <= PS_SEGMENT_UNITS);
	ps_lock_take(&lock);
	if (have_table()) {
		start = take_locked(units);
		if (start == NULL && add_segment())
			start = take_locked(units);
	}
	ps_lock_give(&lock);
	return start;
}

static void
give_segment(struct segment *s)
{
	if (!ps_range_give_segment((void *)s->start))
		return;
	PS_ASSERT(dirty_units >= (size_t)__builtin_popcount(~s->clean));
	dirty_units -= (size_t)__builtin_popcount(~s->clean);
	s->start = NO_SEGMENT;
}

static void
give_locked(struct segment *s, void *start, unsigned units)
{
	unsigned at =
	    (unsigned)(((uintptr_t)start - s->start) >> PS_UNIT_SHIFT);
	uint32_t mask = run_mask(units) << at;

	PS_ASSERT(ps_peek(&lock.is_taken) != 0);
	PS_ASSERT(s->start != NO_SEGMENT && (s->used & mask) == mask);
	PS_ASSERT(used_units >= units && at + units <= PS_SEGMENT_UNITS);
	s->used &= ~mask;
	used_units -= units;
	dirty_units += units;
	if (s->used == 0)
		give_segment(s);
}

void
ps_segment_give(void *start, unsigned units)
{
	unsigned i = ps_page_of(start)->segment;

	ps_lock_take(&lock);
	PS_ASSERT(i < segment_count);
	hint_single = PS_MIN(hint_single, i);
	hint_run = PS_MIN(hint_run, i);
	give_locked(&segments[i], start, units);
	ps_lock_give(&lock);
}

/* Give the memory of a segment's free units back, of at most `most` of them;
 * returns of how many. */
static size_t
purge(struct segment *s, size_t most)
{
	uint32_t dirty = ~s->used & ~s->clean;
	size_t purged = 0;

	while (dirty != 0 && purged < most) {
		unsigned at = (unsigned)__builtin_ctz(dirty);
		unsigned run =
		    (unsigned)__builtin_ctzll(~(uint64_t)(dirty >> at));
		uint32_t mask = run_mask(run) << at;

		ps_range_discard(
		    (void *)(s->start + ((uintptr_t)at << PS_UNIT_SHIFT)), run);
		s->clean |= mask;
		dirty &= ~mask;
		purged += run;
	}
	return purged;
}

static bool
decay_locked(void)
{
	size_t high = PS_MAX(high_now, high_before);
	size_t keep = PS_MAX(high - used_units, (size_t)DIRTY_MIN);
	size_t purged = 0;

	PS_ASSERT(high >= used_units);
	for (unsigned i = segment_count; i-- > 0;) {
		struct segment *s = &segments[i];

		if (dirty_units <= keep || purged >= PURGE_MAX)
			break;
		if (s->start != NO_SEGMENT) {
			size_t n = purge(s, dirty_units - keep);

			PS_ASSERT(dirty_units >= n);
			dirty_units -= n;
			purged += n;
		}
	}
	if (purged >= PURGE_MAX)
		return true;
	high_before = high_now;
	high_now = used_units;
	return false;
}

bool
ps_segment_decay(void)
{
	bool has_more;

	ps_lock_take(&lock);
	has_more = decay_locked();
	ps_lock_give(&lock);
	return has_more;
}

size_t
ps_segment_units_dirty(void)
{
	return dirty_units;
}

size_t
ps_segment_units_used(void)
{
	return used_units;
}

void
ps_segment_prefork(void)
{
	ps_lock_take(&lock);
	ps_range_prefork();
}

void
ps_segment_postfork_parent(void)
{
	ps_range_postfork_parent();
	ps_lock_give(&lock);
}

void
ps_segment_postfork_child(void)
{
	ps_range_postfork_child();
	ps_lock_init(&lock);
}
