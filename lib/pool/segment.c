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
 * A free unit keeps its memory for the next page while few units are free; with
 * more than an eighth of the pool free, memory of further ones goes back to the
 * system at once, unit by unit, because a segment that is still in use cannot
 * be given to jemalloc, whose decay would see to it.
 */
#include "base/lock.h"
#include "base/os.h"
#include "pool/segment.h"

enum {
	SEGMENTS_MAX = 32768, /* 64 GiB */
	DIRTY_MIN = 32,	      /* units that may stay free and dirty */
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
	start = ps_range_take(PS_SEGMENT_UNITS);
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
		*ps_range_segment((char *)start + (unit << PS_UNIT_SHIFT)) = i;
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
	return (void *)(s->start + ((uintptr_t)at << PS_UNIT_SHIFT));
}

static void *
take_locked(unsigned units)
{
	unsigned *hint = units == 1 ? &hint_single : &hint_run;

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
	dirty_units -= (size_t)__builtin_popcount(~s->clean);
	ps_range_give((void *)s->start);
	s->start = NO_SEGMENT;
}

static void
give_locked(struct segment *s, void *start, unsigned units)
{
	unsigned at =
	    (unsigned)(((uintptr_t)start - s->start) >> PS_UNIT_SHIFT);
	uint32_t mask = run_mask(units) << at;

	PS_ASSERT(s->start != NO_SEGMENT && (s->used & mask) == mask);
	s->used &= ~mask;
	used_units -= units;
	if (dirty_units + units > PS_MAX((size_t)DIRTY_MIN, used_units / 8) &&
	    ps_os_discard(start, (size_t)units << PS_UNIT_SHIFT) == 0)
		s->clean |= mask;
	else
		dirty_units += units;
	if (s->used == 0 && segment_count > 1)
		give_segment(s);
}

void
ps_segment_give(void *start, unsigned units)
{
	unsigned i = *ps_range_segment(start);

	ps_lock_take(&lock);
	PS_ASSERT(i < segment_count);
	hint_single = PS_MIN(hint_single, i);
	hint_run = PS_MIN(hint_run, i);
	give_locked(&segments[i], start, units);
	ps_lock_give(&lock);
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
}

void
ps_segment_postfork_parent(void)
{
	ps_lock_give(&lock);
}

void
ps_segment_postfork_child(void)
{
	ps_lock_init(&lock);
}
