/* SPDX-License-Identifier: MIT */
/*
 * picked - blocks that the sampler picked: where they were made, when they end
 *
 * The stack is walked before any lock is taken (heap.md T1).  Its addresses are
 * wanted only when the site is new; known ones are found by the hash that the
 * walk gives.
 *
 * A block that is freed before its thread allocates again is temporary: its
 * thread's count of allocations is then still the one that was noted.  Times
 * are those of the thread's last look at the clock, which is at most BEAT
 * samples old.
 */
#include "measure/clock.h"
#include "pool/damage.h"
#include "profile/sample.h"
#include "profile/section.h"
#include "profile/site.h"
#include "profile/stack.h"
#include "record/writer.h"
#include "shim/picked.h"
#include "shim/unwind_recall.h"
#include "shim/start.h"
#include "shim/strict.h"
#include "shim/unwind_memo.h"

_Static_assert(sizeof(struct ps_mark) == PS_MARK_BYTES, "the pool's room");

/* ---- where -------------------------------------------------------------- */

/* The stack that sp is on has known bounds; they are in self then. */
static bool
is_on_known_stack(struct ps_thread *self, uintptr_t sp)
{
	return sp - self->stack_low < self->stack_high - self->stack_low ||
	       ps_unwind_stack_bounds(sp, &self->stack_low, &self->stack_high);
}

static bool
is_walkable(struct ps_thread *self, const struct ps_unwind_context *caller)
{
	if (!is_on_known_stack(self, caller->sp) || caller->sp % 8 != 0)
		return false;
	if (ps_likely(self->memo != NULL))
		return true;
	self->memo = ps_unwind_memo_open();
	if (ps_record->sampling.mode == PS_SAMPLE_ALL && self->memo != NULL)
		self->recall = ps_recall_open();
	return self->memo != NULL;
}

static uint32_t
enter(struct ps_thread *self, const struct ps_stack_key *key, uintptr_t only)
{
	uintptr_t pcs[PS_STACK_DEPTH_MAX];

	pcs[0] = only;
	if (key->depth > 1)
		ps_unwind_memo_read(self->memo, key->depth, pcs);
	return ps_stack_enter(key, pcs);
}

static uint32_t
find_or_enter(struct ps_thread *self, const struct ps_stack_key *key,
	      uintptr_t only)
{
	uint32_t site = ps_stack_find(key);

	return ps_likely(site != UINT32_MAX) ? site : enter(self, key, only);
}

static uint32_t
walked_site(struct ps_thread *self, const struct ps_recall_from *from,
	    struct ps_stack_key *key)
{
	enum ps_unwind_end end;
	uint32_t site;

	key->depth = ps_unwind_walk_memo(self->memo, &from->ctx,
					 ps_options.depth, from->stack_low,
					 from->stack_high, &key->stack, &end);
	if (end == PS_UNWIND_TRUNCATED)
		key->flags = PS_SITE_TRUNCATED;
	site = find_or_enter(self, key, from->ctx.pc);
	if (self->recall != NULL && site != UINT32_MAX &&
	    end != PS_UNWIND_STOPPED)
		ps_recall_keep(self->recall, from, self->memo, key->depth,
			       site);
	return site;
}

/* The stack is the thread's own. */
static uint32_t
walkable_site(struct ps_thread *self, const struct ps_unwind_context *caller,
	      struct ps_stack_key *key)
{
	struct ps_recall_from from = {
	    .ctx = {caller->pc, caller->sp, caller->fp},
	    .stack_low = self->stack_low,
	    .stack_high = self->stack_high,
	    .section = key->section,
	    .epoch = ps_sample_epoch(),
	};
	uint32_t site = UINT32_MAX;

	if (self->recall != NULL)
		site = ps_recall_site(self->recall, &from);
	return ps_likely(site != UINT32_MAX) ? site
					     : walked_site(self, &from, key);
}

uint32_t
ps_picked_site(struct ps_thread *self, const struct ps_unwind_context *caller)
{
	struct ps_stack_key key = {
	    .thread = self->row_index < PS_LABEL_THREADS ? self->row_index : 0,
	    .section = ps_section_innermost(self->sections),
	};

	if (ps_unlikely(!ps_unwind_is_on())) {
		key.flags = PS_SITE_NO_STACK;
		return find_or_enter(self, &key, 0);
	}
	if (ps_likely(is_walkable(self, caller)))
		return walkable_site(self, caller, &key);
	key.depth = 1;
	key.stack = ps_unwind_hash(&caller->pc, 1);
	return find_or_enter(self, &key, caller->pc);
}

/* ---- birth -------------------------------------------------------------- */

static uint32_t
sequence_now(const struct ps_thread *self)
{
	return (uint32_t)ps_peek(&self->row->allocations) & PS_SEQUENCE_MASK;
}

static struct ps_birth
birth_of(struct ps_thread *self, uint32_t site, size_t size)
{
	return (struct ps_birth){
	    .size = size,
	    .site = site,
	    .row = self->row_index,
	    .sequence = sequence_now(self),
	    .time = (uint32_t)(self->seen >> PS_LIFETIME_SHIFT),
	    .epoch = ps_sample_epoch(),
	    .coarse = self->pace.coarse,
	};
}

static struct ps_weight
weight_of(const struct ps_birth *birth)
{
	struct ps_weight w;

	ps_site_weigh(birth->size, birth->coarse, &w);
	return w;
}

/* What is measured of a sample goes on, after the allocation itself. */
static ps_ticks
begin_part(const struct ps_thread *self)
{
	return ps_unlikely(self->is_timed) ? ps_clock_now() : 0;
}

void
ps_picked_pool(struct ps_thread *self, uint32_t site, size_t size, unsigned cls,
	       const void *block)
{
	struct ps_birth birth = birth_of(self, site, size);
	ps_ticks begun = begin_part(self);
	struct ps_weight w = weight_of(&birth);

	birth.cls = cls;
	ps_mark_set(ps_page_mark(ps_page_of(block), block), &birth);
	ps_site_allocated(site, &w);
	ps_thread_count_cost(begun);
}

void
ps_picked_large(struct ps_thread *self, uint32_t site, size_t size,
		const void *block)
{
	struct ps_birth birth = birth_of(self, site, size);
	ps_ticks begun = begin_part(self);
	struct ps_weight w = weight_of(&birth);

	if (ps_sample_keep((uintptr_t)block, &birth))
		ps_site_allocated(site, &w);
	else
		atomic_fetch_add(&ps_record->sampling.dropped, 1);
	ps_thread_count_cost(begun);
}

void
ps_picked_its_turn(struct ps_thread *self, size_t size, const void *block,
		   const struct ps_unwind_context *caller)
{
	if (ps_record->sampling.mode != PS_SAMPLE_OFF &&
	    !ps_strict_drops(self) && ps_thread_enter(self)) {
		ps_ticks begun = ps_thread_beat(self);
		uint32_t site = ps_picked_site(self, caller);

		ps_bump(&self->row->samples, 1);
		ps_thread_count_cost(begun);
		if (site != UINT32_MAX)
			ps_picked_large(self, site, size, block);
		else
			atomic_fetch_add(&ps_record->sampling.dropped, 1);
		ps_thread_leave(self);
	}
	ps_thread_redraw(self, size);
}

/* ---- end ---------------------------------------------------------------- */

/* 4 to the power of i units and more belong to slots above i. */
static unsigned
lifetime_slot(uint32_t units)
{
	unsigned bits = units == 0 ? 0 : 32u - (unsigned)__builtin_clz(units);

	return PS_MIN((bits + 1) / 2, (unsigned)PS_LIFETIMES - 1);
}

static void
count_lifetime(struct ps_thread *self, const struct ps_birth *birth,
	       const struct ps_weight *w)
{
	uint32_t now = (uint32_t)(self->seen >> PS_LIFETIME_SHIFT);
	uint32_t units = now - birth->time;
	unsigned slot;

	if (self->row == NULL)
		return;
	/* Another thread's clock may have been looked at later. */
	if ((int32_t)units < 0)
		units = 0;
	slot = lifetime_slot(units);
	ps_bump(&self->row->lifetime_frees[slot], w->allocations);
	ps_bump(&self->row->lifetime_bytes[slot], w->bytes);
}

static void
count_end(struct ps_thread *self, const struct ps_birth *birth)
{
	bool is_own = self->row != NULL && birth->row == self->row_index;
	struct ps_weight w;
	ps_ticks begun;

	if (birth->epoch != ps_sample_epoch()) {
		ps_site_freed_elsewhere(birth->size);
		return;
	}
	begun = ps_thread_beat_of_end(self);
	w = weight_of(birth);
	count_lifetime(self, birth, &w);
	ps_site_freed(birth->site, &w,
		      is_own && birth->sequence == sequence_now(self));
	ps_thread_count_cost(begun);
}

void
ps_picked_end(struct ps_thread *self, const struct ps_birth *birth)
{
	self->is_ending = 1;
	atomic_signal_fence(memory_order_seq_cst);
	count_end(self, birth);
	atomic_signal_fence(memory_order_seq_cst);
	self->is_ending = 0;
}

unsigned
ps_picked_end_pool(struct ps_thread *self, const struct ps_page *page,
		   const void *block)
{
	struct ps_birth birth;

	if (!ps_mark_take(ps_page_mark(page, block), &birth))
		ps_die_of_free(block, "double free: it is free already");
	ps_picked_end(self, &birth);
	return birth.cls;
}

void
ps_picked_end_large(struct ps_thread *self, const void *block)
{
	struct ps_birth birth;

	if (ps_sample_take((uintptr_t)block, &birth))
		ps_picked_end(self, &birth);
}
