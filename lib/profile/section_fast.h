/* SPDX-License-Identifier: MIT */
/*
 * section_fast - the warm part of begin and end, inline
 *
 * What a pair of marks costs is the number of instructions here, about 120, and
 * two readings of the clock: everything rare is behind a test that is already
 * made for something else, and its slow function is the caller's last call, so
 * that no register needs saving.  scripts/check-fastpath.py counts them.
 *
 * For section.c and the shim's marks.  Both functions return false without
 * having done anything when the slow function of section.h has to.
 */
#ifndef PS_PROFILE_SECTION_FAST_H
#define PS_PROFILE_SECTION_FAST_H

#include "profile/section.h"

enum { PS_SECTION_STALE_REACH = 1 << 20 };

/*
 * The frame that the region belongs to no longer exists: its scope lies below
 * sp, by less than the reach.  One compare, for `above` is the scope - 1.
 * Without a scope it is all ones, which looks stale to a stack in the first MiB
 * of memory only; the slow functions tell.
 */
PS_INLINE bool
ps_section_is_stale(const struct ps_section_frame *f, uintptr_t sp)
{
	return sp - f->above - 2 < PS_SECTION_STALE_REACH - 1;
}

PS_INLINE uint64_t
ps_section_requested(const struct ps_record_thread *row)
{
	return ps_peek(&row->issued_bytes) - ps_peek(&row->bytes_left);
}

/* A signal handler's region may come between; see section.c. */
PS_INLINE void
ps_section_push(struct ps_section_thread *t, struct ps_section_node *n,
		uintptr_t scope)
{
	struct ps_section_frame *f = t->top + 1;

	PS_DEBUG_ASSERT(f <= &t->frame[PS_SECTION_DEPTH]);
	PS_DEBUG_ASSERT(n->section < PS_SECTIONS_MAX);
	f->node = n;
	f->above = scope - 1;
	atomic_signal_fence(memory_order_seq_cst);
	t->top = f;
	atomic_signal_fence(memory_order_seq_cst);
	f->node = n;
	f->above = scope - 1;
	f->is_read = 0;
	f->child_ticks = 0;
	f->child_calls = 0;
	f->allocations = ps_peek(&t->row->allocations);
	f->bytes = ps_section_requested(t->row);
}

PS_INLINE bool
ps_section_begin_fast(struct ps_section_thread *t, uint32_t section,
		      uintptr_t scope, uintptr_t sp)
{
	const struct ps_section_frame *top = t->top;
	struct ps_section_node *n = top->node->hot[section % PS_SECTION_HOT];

	if (ps_unlikely(ps_section_is_stale(top, sp)) ||
	    ps_unlikely(n->section != section))
		return false;
	ps_section_push(t, n, scope);
	return true;
}

/* Of a call whose length is below 2^PS_HIST_MAX_BITS. */
PS_INLINE void
ps_section_record_interval(struct ps_record_section_stats *s, uint64_t ticks)
{
	double t = (double)(int64_t)ticks;

	ps_bump(&s->calls, 1);
	ps_bump_double(&s->squares, t * t);
	ps_bump(&s->histogram[ps_hist_bucket(ticks)], 1);
}

/*
 * Self time wraps below zero where the clock went back inside; sums stay right,
 * and readers take them as signed.
 */
PS_INLINE void
ps_section_record_self(const struct ps_section_node *n,
		       const struct ps_section_frame *f, uint64_t elapsed)
{
	struct ps_record_section_stats *s = n->stats;
	struct ps_record_section_node *row = n->row;
	uint64_t self = elapsed - f->child_ticks;
	uint64_t child_calls = f->child_calls;

	ps_bump(&row->calls, 1);
	ps_bump(&row->self_ticks, self);
	ps_bump(&s->self_ticks, self);
	ps_bump(&s->child_calls, child_calls);
}

PS_INLINE void
ps_section_record_total(const struct ps_section_thread *t,
			const struct ps_section_frame *f,
			struct ps_record_section_stats *s, uint64_t elapsed)
{
	const struct ps_record_thread *row = t->row;
	uint64_t allocations = ps_peek(&row->allocations) - f->allocations;
	uint64_t bytes = ps_section_requested(row) - f->bytes;

	ps_bump(&s->total_ticks, elapsed);
	ps_bump(&s->allocations, allocations);
	ps_bump(&s->bytes, bytes);
}

PS_INLINE void
ps_section_take_off(struct ps_section_thread *t, struct ps_section_frame *f,
		    uint64_t elapsed)
{
	PS_DEBUG_ASSERT(f > t->frame);
	f[-1].child_ticks += elapsed;
	f[-1].child_calls++;
	atomic_signal_fence(memory_order_seq_cst);
	t->top = f - 1;
}

/*
 * slow_from is below 2^PS_HIST_MAX_BITS, so that its test also finds what is
 * too long for the histogram and, as a huge number, what is negative.
 */
PS_INLINE bool
ps_section_pop_fast(struct ps_section_thread *t, ps_ticks now)
{
	struct ps_section_frame *f = t->top;
	const struct ps_section_node *n = f->node;
	struct ps_record_section_stats *s = n->stats;
	uint64_t elapsed = now - f->begun;

	if (ps_unlikely(elapsed >= ps_peek(&s->slow_from)) ||
	    ps_unlikely(elapsed < ps_peek(&s->min_ticks)) ||
	    ps_unlikely((n->flags | f->is_read) != 0))
		return false;
	ps_section_record_interval(s, elapsed);
	ps_section_record_self(n, f, elapsed);
	ps_section_record_total(t, f, s, elapsed);
	ps_section_take_off(t, f, elapsed);
	return true;
}

PS_INLINE bool
ps_section_end_fast(struct ps_section_thread *t, uint32_t section, uintptr_t sp,
		    ps_ticks now)
{
	const struct ps_section_frame *f = t->top;

	if (ps_unlikely(ps_section_is_stale(f, sp)) ||
	    ps_unlikely(f->node->section != section))
		return false;
	return ps_section_pop_fast(t, now);
}

#endif /* PS_PROFILE_SECTION_FAST_H */
