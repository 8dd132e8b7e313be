/* SPDX-License-Identifier: MIT */
/*
 * section_row - the recording's rows of sections, one a thread and section
 *
 * Rows of ended threads: the first such row of a section simply becomes the
 * ended threads' row; later ones are added to it and used again.
 *
 * The slowest calls are kept in no order.  slow_from is the shortest of them
 * once there are PS_SECTION_SLOWEST, so that the hot path tells by one compare
 * that a call is none of them; it stays below PS_SECTION_LONG_NS, because calls
 * of that length are looked at in any case (section_usage.h).
 */
#include <string.h>

#include "measure/hist.h"
#include "profile/section_row.h"
#include "profile/section_usage.h"
#include "record/fold.h"
#include "record/writer.h"

enum { FREE_ROWS_MAX = 4096 };
_Static_assert(UINT64_C(5) * PS_SECTION_LONG_NS / 2 >> PS_HIST_MAX_BITS == 0,
	       "slow_from has a bucket, in ticks, too");

struct ps_record_section_stats ps_section_nowhere;

/* Under ps_record_lock. */
static PS_BIG struct ps_record_section_stats *ended[PS_SECTIONS_MAX];
static PS_BIG struct ps_record_section_stats *free_rows[FREE_ROWS_MAX];
static uint32_t free_row_count;

static struct ps_record_section_stats *
take_row_locked(void)
{
	void *memory;

	PS_ASSERT(ps_record_is_locked_by_me());
	PS_ASSERT(free_row_count <= FREE_ROWS_MAX);
	if (free_row_count > 0)
		return free_rows[--free_row_count];
	if (ps_record_append(PS_TABLE_SECTION_STATS, 1, &memory) == UINT32_MAX)
		return NULL;
	return memory;
}

static PS_COLD struct ps_record_section_stats *
add_row(struct ps_section_thread *t, uint32_t section)
{
	struct ps_record_section_stats *s;

	ps_record_lock();
	s = take_row_locked();
	if (s != NULL) {
		s->section = section;
		ps_poke(&s->min_ticks, UINT64_MAX);
		ps_poke(&s->thread, t->row_index);
		ps_record_publish(PS_TABLE_SECTION_STATS);
	}
	ps_record_unlock();
	return s != NULL ? s : &ps_section_nowhere;
}

struct ps_record_section_stats *
ps_section_row(struct ps_section_thread *t, uint32_t section)
{
	PS_ASSERT(section < PS_SECTIONS_MAX);
	if (t->stats[section] == NULL && ps_record_is_locked_by_me())
		return &ps_section_nowhere; /* a handler, see section.c */
	if (t->stats[section] == NULL)
		t->stats[section] = add_row(t, section);
	return t->stats[section];
}

void
ps_section_rows_reset(void)
{
	memset(ended, 0, sizeof(ended));
	free_row_count = 0;
}

/* ---- the slowest calls -------------------------------------------------- */

static struct ps_record_slow_call *
shortest(struct ps_record_section_stats *s)
{
	struct ps_record_slow_call *found = &s->slowest[0];

	for (unsigned i = 1; i < PS_SECTION_SLOWEST; i++)
		if (ps_peek(&s->slowest[i].ticks) < ps_peek(&found->ticks))
			found = &s->slowest[i];
	return found;
}

void
ps_section_row_slow(struct ps_record_section_stats *s, ps_ticks begun,
		    uint64_t ticks, uint32_t parent, uint32_t tid)
{
	struct ps_record_slow_call *call = shortest(s);

	if (ticks > ps_peek(&s->max_ticks))
		ps_poke(&s->max_ticks, ticks);
	if (ticks <= ps_peek(&call->ticks))
		return;
	ps_poke(&call->ticks, 0); /* not true while it is written */
	atomic_signal_fence(memory_order_seq_cst);
	ps_poke(&call->begun, begun);
	ps_poke(&call->parent, parent);
	ps_poke(&call->tid, tid);
	/* release: a reader that sees the length sees the rest */
	atomic_store_explicit(&call->ticks, ticks, memory_order_release);
	ps_poke(&s->slow_from, PS_MIN(ps_peek(&shortest(s)->ticks) + 1,
				      ps_section_long_ticks()));
}

/* ---- ended threads ------------------------------------------------------ */

static void
merge_counters(struct ps_record_section_stats *to,
	       const struct ps_record_section_stats *from)
{
	ps_bump(&to->calls, ps_peek(&from->calls));
	ps_bump(&to->total_ticks, ps_peek(&from->total_ticks));
	ps_bump(&to->self_ticks, ps_peek(&from->self_ticks));
	ps_bump(&to->child_calls, ps_peek(&from->child_calls));
	ps_bump(&to->allocations, ps_peek(&from->allocations));
	ps_bump(&to->bytes, ps_peek(&from->bytes));
	ps_bump(&to->over, ps_peek(&from->over));
	ps_bump(&to->recursive_calls, ps_peek(&from->recursive_calls));
	for (unsigned i = 0; i < PS_SECTION_VALUES; i++)
		ps_bump(&to->value[i], ps_peek(&from->value[i]));
	ps_section_usage_merge(&to->every, &from->every);
	ps_section_usage_merge(&to->some, &from->some);
}

static void
merge_row(struct ps_record_section_stats *to,
	  const struct ps_record_section_stats *from)
{
	PS_DEBUG_ASSERT(to != from && to->section == from->section);
	merge_counters(to, from);
	ps_poke(&to->squares, ps_peek(&to->squares) + ps_peek(&from->squares));
	ps_poke(&to->min_ticks,
		PS_MIN(ps_peek(&to->min_ticks), ps_peek(&from->min_ticks)));
	ps_poke(&to->max_ticks,
		PS_MAX(ps_peek(&to->max_ticks), ps_peek(&from->max_ticks)));
	for (unsigned i = 0; i < PS_SECTION_SLOWEST; i++) {
		const struct ps_record_slow_call *call = &from->slowest[i];

		if (ps_peek(&call->ticks) != 0)
			ps_section_row_slow(
			    to, ps_peek(&call->begun), ps_peek(&call->ticks),
			    ps_peek(&call->parent), ps_peek(&call->tid));
	}
	ps_hist_merge(to->histogram, from->histogram);
}

static void
retire_row_locked(struct ps_record_section_stats *s)
{
	uint32_t section = s->section;

	PS_DEBUG_ASSERT(section < PS_SECTIONS_MAX);
	if (ended[section] == NULL) {
		ended[section] = s;
		ps_poke(&s->thread, 0);
		ps_poke(&s->ended_threads, ps_peek(&s->calls) != 0);
		return;
	}
	ps_record_fold_begin(PS_TABLE_SECTION_STATS, ended[section], s);
	merge_row(ended[section], s);
	ps_bump(&ended[section]->ended_threads, ps_peek(&s->calls) != 0);
	ps_record_fold_clear();
	memset(s, 0, sizeof(*s));
	ps_poke(&s->thread, UINT32_MAX);
	ps_record_fold_end();
	if (free_row_count < FREE_ROWS_MAX)
		free_rows[free_row_count++] = s;
}

void
ps_section_rows_retire_locked(struct ps_section_thread *t)
{
	PS_ASSERT(ps_record_is_locked_by_me());
	for (uint32_t i = 0; i < PS_SECTIONS_MAX; i++)
		if (t->stats[i] != NULL && t->stats[i] != &ps_section_nowhere)
			retire_row_locked(t->stats[i]);
}
