/* SPDX-License-Identifier: MIT */
/*
 * section - named regions of code: nesting, time, allocations
 *
 * A thread has a stack of open regions; each leads to its node of the thread's
 * call tree and that to its rows, so that a warm begin and end touch a frame, a
 * node and two rows and nothing else: no lock, no call out, no allocation.
 *
 * Inclusive time is raw.  Of a recursion only the outermost instance adds to
 * the total; each instance is a call of its own in the histogram.  Self time is
 * what is left of an interval after its direct children's; how many those were
 * is kept, so that a reader can take off what their marks cost.  No section is
 * ever throttled: what is measured of a sample of the calls only is what the
 * kernel has to be asked for (section_usage.c).
 *
 * Ends that do not match: a section that is open further out is closed together
 * with everything inside it; one that is not open at all is ignored.  Both are
 * counted.  A scoped region whose frame lies below the caller's stack pointer
 * was left by longjmp or a cancelled thread and is closed the same way; frames
 * further away than 1 MiB are taken for another stack (a coroutine's) and left
 * alone.
 *
 * Signal handlers may use sections, balanced: what a begin wrote before its
 * frame was on top is written again after, and an end takes its frame off last.
 * A handler that interrupted its own thread under the recording's lock gets no
 * new rows or names: its region is dropped and counted like one too deep.
 * Two counters that are no single instruction (squares, a bucket of the
 * histogram) may lose the one call that was interrupted.
 */
#include <string.h>

#include "base/os.h"
#include "measure/hist.h"
#include "profile/section.h"
#include "profile/section_event.h"
#include "profile/section_fast.h"
#include "profile/section_name.h"
#include "profile/section_row.h"
#include "profile/section_tree.h"
#include "profile/section_usage.h"
#include "record/writer.h"

/* ---- threads ------------------------------------------------------------ */

struct ps_section_thread *
ps_section_thread_open(uint32_t row_index, const struct ps_record_thread *row)
{
	struct ps_section_thread *t;
	void *memory;

	if (ps_os_map(sizeof(*t), &memory) != 0)
		return NULL;
	t = memory;
	t->row_index = row_index;
	t->row = row;
	ps_section_tree_init(t);
	t->top = t->frame;
	t->top->node = &t->root;
	t->top->above = UINTPTR_MAX;
	return t;
}

struct ps_section_thread *
ps_section_thread_probe(const struct ps_record_thread *row,
			struct ps_record_section_stats *stats)
{
	struct ps_section_thread *t = ps_section_thread_open(UINT32_MAX, row);

	if (t == NULL ||
	    ps_section_tree_probe(t, PS_SECTIONS_MAX - 1, stats) != NULL)
		return t;
	ps_section_probe_end(t);
	return NULL;
}

void
ps_section_probe_end(struct ps_section_thread *t)
{
	ps_section_tree_fini(t);
	(void)ps_os_unmap(t, sizeof(*t));
}

void
ps_section_thread_close(struct ps_section_thread *t)
{
	uint32_t depth = ps_section_depth(t);

	ps_record_lock();
	ps_section_tree_retire_locked(t);
	ps_section_rows_retire_locked(t);
	ps_record_unlock();
	if (depth > 0)
		atomic_fetch_add(&ps_record->overhead.unbalanced, depth);
	ps_section_probe_end(t);
}

uint32_t
ps_section_depth(const struct ps_section_thread *t)
{
	PS_ASSERT(t->top >= t->frame && t->top < t->frame + PS_COUNT(t->frame));
	return (uint32_t)(t->top - t->frame) - (t->overflow > 0);
}

/* ---- recording ---------------------------------------------------------- */

/* One of the shortest or longest, or too long for the histogram. */
static PS_COLD void
record_extreme(const struct ps_section_thread *t,
	       struct ps_record_section_stats *s, ps_ticks begun,
	       uint64_t ticks, uint32_t parent)
{
	if (ticks < ps_peek(&s->min_ticks))
		ps_poke(&s->min_ticks, ticks);
	if (ticks >= ps_peek(&s->slow_from))
		ps_section_row_slow(s, begun, ticks, parent,
				    ps_peek(&t->row->tid));
	if (ticks >> PS_HIST_MAX_BITS == 0) {
		ps_section_record_interval(s, ticks);
		return;
	}
	ps_bump(&s->calls, 1);
	ps_bump(&s->over, 1);
	ps_bump_double(&s->squares, (double)ticks * (double)ticks);
}

/* A recursion, an event, an extreme, or a call whose usage is known. */
static PS_COLD void
pop_special(struct ps_section_thread *t, ps_ticks now)
{
	struct ps_section_frame *f = t->top;
	const struct ps_section_node *n = f->node;
	uint64_t elapsed = now - f->begun;

	if ((int64_t)elapsed < 0) {
		atomic_fetch_add(&ps_record->clock.backwards, 1);
		elapsed = 0;
	}
	/* First of all, before what follows takes time and page faults. */
	if (!(n->flags & PS_SECTION_RECURSIVE) &&
	    (f->is_read || elapsed >= ps_section_long_ticks()))
		ps_section_usage_end(t, f, elapsed);
	record_extreme(t, n->stats, f->begun, elapsed, f[-1].node->section);
	ps_section_record_self(n, f, elapsed);
	if (n->flags & PS_SECTION_RECURSIVE)
		ps_bump(&n->stats->recursive_calls, 1);
	else
		ps_section_record_total(t, f, n->stats, elapsed);
	if (n->flags & PS_SECTION_TRACED)
		ps_section_event(n->section, f->begun, elapsed,
				 ps_peek(&t->row->tid), false);
	ps_section_take_off(t, f, elapsed);
}

/* Close the innermost region. */
static void
pop(struct ps_section_thread *t, ps_ticks now)
{
	if (!ps_section_pop_fast(t, now))
		pop_special(t, now);
}

/* ---- begin -------------------------------------------------------------- */

static PS_COLD void
pop_unbalanced(struct ps_section_thread *t, ps_ticks now)
{
	atomic_fetch_add(&ps_record->overhead.unbalanced, 1);
	pop(t, now);
}

/* Regions that are not timed lie above all others, and go first. */
static PS_COLD void
leave_the_deep(struct ps_section_thread *t)
{
	PS_ASSERT(t->top->node == &t->deep);
	t->overflow = 0;
	t->top--;
}

static PS_COLD void
pop_stale(struct ps_section_thread *t, uintptr_t sp, ps_ticks now)
{
	while (t->top->above != UINTPTR_MAX && ps_section_is_stale(t->top, sp))
		if (t->overflow > 0)
			leave_the_deep(t);
		else
			pop_unbalanced(t, PS_MAX(now, t->top->begun));
}

/* The frame of those has no section that an end could name; its scope is the
 * last one's. */
static PS_COLD void
begin_untimed(struct ps_section_thread *t)
{
	atomic_fetch_add(&ps_record->table[PS_TABLE_SECTION_STATS].dropped, 1);
	if (t->overflow++ > 0)
		return;
	PS_DEBUG_ASSERT(t->top <= &t->frame[PS_SECTION_DEPTH]);
	t->top++;
	t->top->node = &t->deep;
	t->top->above = t->top[-1].above;
}

static PS_COLD struct ps_section_node *
find_node(struct ps_section_thread *t, uint32_t section)
{
	struct ps_section_node *n = NULL;

	PS_ASSERT(section < PS_SECTIONS_MAX);
	if (t->overflow == 0 && t->top < &t->frame[PS_SECTION_DEPTH] &&
	    !t->is_finding && !ps_record_is_locked_by_me()) {
		t->is_finding = true; /* to a handler that interrupts us */
		atomic_signal_fence(memory_order_seq_cst);
		n = ps_section_tree_find(t, section);
		atomic_signal_fence(memory_order_seq_cst);
		t->is_finding = false;
	}
	if (n == NULL)
		begin_untimed(t);
	return n;
}

void
ps_section_begin(struct ps_section_thread *t, uint32_t section, uintptr_t scope,
		 uintptr_t sp)
{
	struct ps_section_node *n;

	if (ps_section_begin_fast(t, section, scope, sp))
		return;
	pop_stale(t, sp, 0);
	n = find_node(t, section);
	if (n != NULL)
		ps_section_push(t, n, scope);
}

/* ---- end ---------------------------------------------------------------- */

static bool
is_open(const struct ps_section_thread *t, uint32_t section)
{
	const struct ps_section_frame *f = t->top;

	while (f > t->frame && f->node->section != section)
		f--;
	return f > t->frame;
}

static PS_COLD void
end_mismatched(struct ps_section_thread *t, uint32_t section, ps_ticks now)
{
	if (t->overflow > 1) {
		t->overflow--;
		return;
	}
	if (t->overflow == 1) {
		leave_the_deep(t);
		return;
	}
	if (!is_open(t, section)) {
		atomic_fetch_add(&ps_record->overhead.unbalanced, 1);
		return;
	}
	while (t->top->node->section != section)
		pop_unbalanced(t, now);
	pop(t, now);
}

void
ps_section_end(struct ps_section_thread *t, uint32_t section, uintptr_t sp,
	       ps_ticks now)
{
	if (ps_section_end_fast(t, section, sp, now))
		return;
	pop_stale(t, sp, now);
	if (t->top->node->section == section)
		pop(t, now);
	else
		end_mismatched(t, section, now);
}

void
ps_section_span(struct ps_section_thread *t, uint32_t section, ps_ticks begun,
		ps_ticks elapsed)
{
	struct ps_record_section_stats *s = ps_section_row(t, section);

	record_extreme(t, s, begun, elapsed, UINT32_MAX);
	ps_bump(&s->total_ticks, elapsed);
	ps_bump(&s->self_ticks, elapsed);
	if (ps_section_events_are_on())
		ps_section_event(section, begun, elapsed, ps_peek(&t->row->tid),
				 true);
}

void
ps_section_add(struct ps_section_thread *t, enum ps_section_value value,
	       uint64_t n)
{
	PS_ASSERT(value < PS_SECTION_VALUES);
	ps_bump(&t->top->node->stats->value[value], n);
}

/* ---- fork --------------------------------------------------------------- */

void
ps_section_postfork_child(struct ps_section_thread *t, uint32_t row_index,
			  const struct ps_record_thread *row)
{
	ps_section_events_postfork_child();
	if (ps_section_count() == 0 && t == NULL)
		return; /* nothing was touched, and is not now */
	ps_section_rows_reset();
	ps_record_lock();
	ps_section_names_append_locked();
	ps_record_unlock();
	if (t != NULL) {
		memset(t->stats, 0, sizeof(t->stats));
		memset(&t->last, 0, sizeof(t->last));
		t->row_index = row_index;
		t->row = row;
		for (struct ps_section_frame *f = t->top; f > t->frame; f--) {
			f->allocations = ps_peek(&row->allocations);
			f->bytes = ps_section_requested(row);
			f->is_read = 0;
		}
	}
	ps_section_tree_postfork_child(t);
}
