/* SPDX-License-Identifier: MIT */
/*
 * section - named regions of code: nesting, time, allocations
 *
 * A thread has a stack of open regions and, for each section, a pointer to its
 * row, so that a warm begin and end touch a frame and a row and nothing else:
 * no lock, no call out, no allocation.
 *
 * Inclusive time is raw.  Of a recursion only the outermost instance adds to
 * the total; each instance is a call of its own in the histogram.  Self time is
 * what is left of an interval after its direct children's; how many those were
 * is kept, so that a reader can take off what their marks cost.
 *
 * Ends that do not match: a section that is open further out is closed together
 * with everything inside it; one that is not open at all is ignored.  Both are
 * counted.  A scoped region whose frame lies below the caller's stack pointer
 * was left by longjmp or a cancelled thread and is closed the same way; frames
 * further away than 1 MiB are taken for another stack (a coroutine's) and left
 * alone.
 *
 * Rows of ended threads: the first such row of a section simply becomes the
 * ended threads' row; later ones are added to it and used again.
 */
#include <string.h>

#include "base/os.h"
#include "measure/hist.h"
#include "profile/section.h"
#include "profile/section_name.h"
#include "record/writer.h"

enum {
	STALE_REACH = 1 << 20,
	FREE_ROWS_MAX = 4096,
};

/* Rows under ps_record_lock. */
static struct ps_record_section_stats *ended[PS_SECTIONS_MAX];
static struct ps_record_section_stats *free_rows[FREE_ROWS_MAX];
static uint32_t free_row_count;

/* ---- rows --------------------------------------------------------------- */

static struct ps_record_section_stats *
take_row_locked(void)
{
	void *memory;

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
	t->stats[section] = s;
	return s;
}

static void
merge_row(struct ps_record_section_stats *to,
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
	ps_poke(&to->squares, ps_peek(&to->squares) + ps_peek(&from->squares));
	ps_poke(&to->min_ticks,
		PS_MIN(ps_peek(&to->min_ticks), ps_peek(&from->min_ticks)));
	ps_poke(&to->max_ticks,
		PS_MAX(ps_peek(&to->max_ticks), ps_peek(&from->max_ticks)));
	ps_hist_merge(to->histogram, from->histogram);
}

static void
retire_row_locked(struct ps_record_section_stats *s)
{
	uint32_t section = s->section;

	if (ended[section] == NULL) {
		ended[section] = s;
		ps_poke(&s->thread, 0);
		ps_poke(&s->ended_threads, ps_peek(&s->calls) != 0);
		return;
	}
	merge_row(ended[section], s);
	ps_bump(&ended[section]->ended_threads, ps_peek(&s->calls) != 0);
	memset(s, 0, sizeof(*s));
	ps_poke(&s->thread, UINT32_MAX);
	if (free_row_count < FREE_ROWS_MAX)
		free_rows[free_row_count++] = s;
}

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
	return t;
}

struct ps_section_thread *
ps_section_thread_probe(const struct ps_record_thread *row,
			struct ps_record_section_stats *stats)
{
	struct ps_section_thread *t = ps_section_thread_open(UINT32_MAX, row);

	if (t != NULL)
		t->stats[PS_SECTIONS_MAX - 1] = stats;
	return t;
}

void
ps_section_probe_end(struct ps_section_thread *t)
{
	(void)ps_os_unmap(t, sizeof(*t));
}

void
ps_section_thread_close(struct ps_section_thread *t)
{
	uint32_t count = ps_section_count();

	ps_record_lock();
	for (uint32_t i = 0; i < count; i++)
		if (t->stats[i] != NULL)
			retire_row_locked(t->stats[i]);
	ps_record_unlock();
	if (t->depth > 0)
		atomic_fetch_add(&ps_record->overhead.unbalanced, t->depth);
	(void)ps_os_unmap(t, sizeof(*t));
}

/* ---- begin and end ------------------------------------------------------ */

static inline uint64_t
requested(const struct ps_record_thread *row)
{
	return ps_peek(&row->issued_bytes) - ps_peek(&row->bytes_left);
}

static void
record_interval(struct ps_record_section_stats *s, uint64_t ticks)
{
	double t = (double)ticks;

	ps_bump(&s->calls, 1);
	ps_poke(&s->squares, ps_peek(&s->squares) + t * t);
	if (ps_unlikely(ticks < ps_peek(&s->min_ticks)))
		ps_poke(&s->min_ticks, ticks);
	if (ps_unlikely(ticks > ps_peek(&s->max_ticks)))
		ps_poke(&s->max_ticks, ticks);
	if (ps_likely(ticks >> PS_HIST_MAX_BITS == 0))
		ps_bump(&s->histogram[ps_hist_bucket(ticks)], 1);
	else
		ps_bump(&s->over, 1);
}

static void
record_region(struct ps_section_thread *t, const struct ps_section_frame *f,
	      uint64_t elapsed)
{
	struct ps_record_section_stats *s = t->stats[f->section];

	if (ps_unlikely(s == NULL) && (s = add_row(t, f->section)) == NULL)
		return;
	record_interval(s, elapsed);
	ps_bump(&s->self_ticks, elapsed - PS_MIN(f->child_ticks, elapsed));
	ps_bump(&s->child_calls, f->child_calls);
	if (ps_unlikely(f->is_recursive)) {
		ps_bump(&s->recursive_calls, 1);
		return;
	}
	ps_bump(&s->total_ticks, elapsed);
	ps_bump(&s->allocations,
		ps_peek(&t->row->allocations) - f->allocations);
	ps_bump(&s->bytes, requested(t->row) - f->bytes);
}

/* Close the innermost region. */
static void
pop(struct ps_section_thread *t, ps_ticks now)
{
	struct ps_section_frame *f = &t->frame[--t->depth];
	uint64_t elapsed = now - f->begun;

	if (ps_unlikely((int64_t)elapsed < 0)) {
		atomic_fetch_add(&ps_record->clock.backwards, 1);
		elapsed = 0;
	}
	t->open[f->section]--;
	record_region(t, f, elapsed);
	if (t->depth > 0) {
		f[-1].child_ticks += elapsed;
		f[-1].child_calls++;
	}
}

static PS_COLD void
pop_unbalanced(struct ps_section_thread *t, ps_ticks now)
{
	atomic_fetch_add(&ps_record->overhead.unbalanced, 1);
	pop(t, now);
}

/* Regions too deep to be timed were inside of it and are gone as well. */
static PS_COLD void
pop_stale(struct ps_section_thread *t, ps_ticks now)
{
	t->overflow = 0;
	pop_unbalanced(t, now);
}

static PS_COLD void
begin_too_deep(struct ps_section_thread *t)
{
	t->overflow++;
	atomic_fetch_add(&ps_record->table[PS_TABLE_SECTION_STATS].dropped, 1);
}

/* The frame that the innermost region belongs to no longer exists. */
static inline bool
is_stale(const struct ps_section_thread *t, uintptr_t sp)
{
	uintptr_t scope = t->frame[t->depth - 1].scope;

	return scope != 0 && scope < sp && sp - scope < STALE_REACH;
}

void
ps_section_begin(struct ps_section_thread *t, uint32_t section, uintptr_t scope,
		 uintptr_t sp)
{
	struct ps_section_frame *f;

	PS_ASSERT(section < PS_SECTIONS_MAX);
	while (t->depth > 0 && ps_unlikely(is_stale(t, sp)))
		pop_stale(t, t->frame[t->depth - 1].begun);
	if (ps_unlikely(t->depth == PS_SECTION_DEPTH)) {
		begin_too_deep(t);
		return;
	}
	f = &t->frame[t->depth++];
	f->section = section;
	f->is_recursive = t->open[section]++ > 0;
	f->scope = scope;
	f->child_ticks = 0;
	f->child_calls = 0;
	f->allocations = ps_peek(&t->row->allocations);
	f->bytes = requested(t->row);
}

void
ps_section_started(struct ps_section_thread *t, ps_ticks now)
{
	if (ps_likely(t->overflow == 0))
		t->frame[t->depth - 1].begun = now;
}

static PS_COLD void
end_mismatched(struct ps_section_thread *t, uint32_t section, ps_ticks now)
{
	if (section >= PS_SECTIONS_MAX || t->open[section] == 0) {
		atomic_fetch_add(&ps_record->overhead.unbalanced, 1);
		return;
	}
	while (t->frame[t->depth - 1].section != section)
		pop_unbalanced(t, now);
	pop(t, now);
}

void
ps_section_end(struct ps_section_thread *t, uint32_t section, uintptr_t sp,
	       ps_ticks now)
{
	while (t->depth > 0 && ps_unlikely(is_stale(t, sp)))
		pop_stale(t, now);
	if (ps_unlikely(t->overflow > 0)) {
		t->overflow--;
		return;
	}
	if (ps_unlikely(t->depth == 0 ||
			t->frame[t->depth - 1].section != section))
		end_mismatched(t, section, now);
	else
		pop(t, now);
}

void
ps_section_span(struct ps_section_thread *t, uint32_t section, ps_ticks elapsed)
{
	struct ps_record_section_stats *s = t->stats[section];

	if (ps_unlikely(s == NULL) && (s = add_row(t, section)) == NULL)
		return;
	record_interval(s, elapsed);
	ps_bump(&s->total_ticks, elapsed);
	ps_bump(&s->self_ticks, elapsed);
}

uint32_t
ps_section_depth(const struct ps_section_thread *t)
{
	return t->depth;
}

void
ps_section_postfork_child(struct ps_section_thread *t, uint32_t row_index,
			  const struct ps_record_thread *row)
{
	memset(ended, 0, sizeof(ended));
	free_row_count = 0;
	ps_record_lock();
	ps_section_names_append_locked();
	ps_record_unlock();
	if (t == NULL)
		return;
	memset(t->stats, 0, sizeof(t->stats));
	t->row_index = row_index;
	t->row = row;
	for (uint32_t i = 0; i < t->depth; i++) {
		t->frame[i].allocations = ps_peek(&row->allocations);
		t->frame[i].bytes = requested(row);
	}
}
