/* SPDX-License-Identifier: MIT */
/*
 * thread - what the shim keeps for each thread
 *
 * A thread becomes known at its first call into the shim and gets a row of the
 * recording and a heap.  It stops being known in the last of glibc's four
 * rounds of destructors of thread-specific data: those of the program still
 * allocate, so ours puts itself off to the end.  What glibc frees after that is
 * counted with the ended threads.
 *
 * Rows are used again.  An ended thread's figures are added into row 0 first,
 * so sums over all rows are right but for the moment of the addition.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "base/lock.h"
#include "base/os.h"
#include "measure/clock.h"
#include "monitor/room.h"
#include "pool/decay.h"
#include "pool/heap.h"
#include "profile/sample.h"
#include "profile/section.h"
#include "profile/site.h"
#include "profile/timeline.h"
#include "record/writer.h"
#include "shim/unwind_recall.h"
#include "shim/start.h"
#include "shim/thread.h"
#include "shim/unwind_memo.h"
#include "shim/watch.h"

/* Live bytes are summed every PULSES refills or flushes, and lag by those. */
enum { ROWS_MAX = 4096, PULSES = 8, BEAT = 32 };
/* With sampling off, only this many bytes bring a thread to the slow path. */
#define COUNTDOWN_OFF (UINT64_C(1) << 40)

PS_TLS struct ps_thread ps_self;
struct ps_record_thread ps_thread_fallback;

static pthread_key_t end_key;
static bool has_end_key;
static uint32_t free_rows[ROWS_MAX];
static uint32_t free_row_count;
static struct ps_unwind_memo *free_memos;
/* Guards free_rows, free_memos and row 0. */
static struct ps_lock rows_lock;

static void thread_ends(void *thread);

int
ps_thread_init(void)
{
	has_end_key = pthread_key_create(&end_key, thread_ends) == 0;
	return has_end_key ? 0 : -EAGAIN;
}

/* ---- rows --------------------------------------------------------------- */

static uint32_t
append_row(void)
{
	void *memory;
	uint32_t row;

	ps_record_lock();
	row = ps_record_append(PS_TABLE_THREADS, 1, &memory);
	if (row != UINT32_MAX)
		ps_record_publish(PS_TABLE_THREADS);
	ps_record_unlock();
	return row;
}

static uint32_t
take_row(void)
{
	uint32_t row = UINT32_MAX;

	ps_lock_take(&rows_lock);
	if (free_row_count > 0)
		row = free_rows[--free_row_count];
	ps_lock_give(&rows_lock);
	return row != UINT32_MAX ? row : append_row();
}

static inline void
add(_Atomic uint64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static void
move(_Atomic uint64_t *to, _Atomic uint64_t *from)
{
	add(to, ps_peek(from));
	ps_poke(from, 0);
}

static void
merge_row(struct ps_record_thread *to, struct ps_record_thread *from)
{
	add(&to->issued_bytes, ps_thread_requested(from));
	ps_poke(&from->issued_bytes, 0);
	ps_poke(&from->bytes_left, 0);
	move(&to->allocations, &from->allocations);
	move(&to->large_bytes, &from->large_bytes);
	move(&to->large_freed_bytes, &from->large_freed_bytes);
	for (unsigned c = 0; c < PS_CLASS_SLOTS; c++) {
		move(&to->class_allocations[c], &from->class_allocations[c]);
		move(&to->class_frees[c], &from->class_frees[c]);
	}
	move(&to->samples, &from->samples);
	for (unsigned i = 0; i < PS_LIFETIMES; i++) {
		move(&to->lifetime_frees[i], &from->lifetime_frees[i]);
		move(&to->lifetime_bytes[i], &from->lifetime_bytes[i]);
	}
}

static void
give_row(uint32_t index, struct ps_record_thread *row)
{
	merge_row(ps_record_entry(PS_TABLE_THREADS, 0), row);
	ps_poke(&row->is_live, 0);
	ps_poke(&row->tid, 0);
	ps_lock_take(&rows_lock);
	if (free_row_count < ROWS_MAX)
		free_rows[free_row_count++] = index;
	ps_lock_give(&rows_lock);
}

void
ps_thread_count_stray(unsigned cls, int64_t blocks, int64_t large_bytes)
{
	struct ps_record_thread *row;

	if (ps_record == NULL)
		return;
	row = ps_record_entry(PS_TABLE_THREADS, 0);
	if (blocks > 0) {
		add(&row->allocations, 1);
		add(&row->class_allocations[cls], 1);
		add(&row->large_bytes, (uint64_t)large_bytes);
	} else {
		add(&row->class_frees[cls], 1);
		add(&row->large_freed_bytes, (uint64_t)large_bytes);
	}
}

/* ---- countdown ---------------------------------------------------------- */

static uint64_t
next_countdown(struct ps_thread *self)
{
	const struct ps_record_sampling *sampling = &ps_record->sampling;

	switch (sampling->mode) {
	case PS_SAMPLE_ALL:
		return 0;
	case PS_SAMPLE_POISSON:
		return ps_sample_draw(&self->random,
				      (double)sampling->interval_bytes);
	default:
		return COUNTDOWN_OFF;
	}
}

/* issued - left grows by exactly `size`; see ps_thread_requested. */
void
ps_thread_redraw(struct ps_thread *self, uint64_t size)
{
	struct ps_record_thread *row = self->row;
	uint64_t left = ps_peek(&row->bytes_left);
	uint64_t next = next_countdown(self);

	ps_poke(&row->issued_bytes,
		ps_peek(&row->issued_bytes) - left + size + next);
	ps_poke(&row->bytes_left, next);
}

/* A program may name its threads at any time. */
static void
note_name(struct ps_thread *self)
{
	char name[sizeof(self->row->name)] = {0};

	if (ps_os_thread_name(name) == 0)
		memcpy(self->row->name, name, sizeof(name));
}

/*
 * Twice a second, while the program allocates.  These are system calls: the
 * pool makes some at such a moment anyway, a program that may make none does
 * not get here in its first half second.
 */
static void
half_second(struct ps_thread *self)
{
	static _Atomic uint32_t rss_step;
	struct ps_process_size size;

	ps_heap_trim(self->heap);
	note_name(self);
	if (atomic_exchange(&rss_step, self->steps) != self->steps &&
	    ps_process_size(&size) == 0)
		ps_timeline_note_rss(size.resident_bytes);
}

static void
publish(struct ps_thread *self, ps_ticks now)
{
	const struct ps_record_thread *row = self->row;
	int64_t bytes = (int64_t)(ps_peek(&row->large_bytes) -
				  ps_peek(&row->large_freed_bytes));
	int64_t delta;

	self->seen = now;
	ps_pool_tick(now);
	if (self->steps != ps_pool_steps()) {
		self->steps = ps_pool_steps();
		half_second(self);
	}
	if (ps_record->sampling.mode == PS_SAMPLE_ALL) {
		ps_heap_tick(now);
		return;
	}
	for (unsigned c = 0; c < PS_CLASSES; c++)
		bytes += (int64_t)(ps_peek(&row->class_allocations[c]) -
				   ps_peek(&row->class_frees[c])) *
			 ps_class_sizes[c];
	delta = bytes - self->published_bytes;
	self->published_bytes = bytes;
	if (delta != 0)
		ps_heap_changed(delta, now);
}

void
ps_thread_publish(struct ps_thread *self)
{
	ps_ticks now = ps_clock_now();

	publish(self, now);
	if (ps_unlikely(ps_watch_is_due(now)))
		ps_watch_step(self, now);
}

void
ps_thread_pulse(struct ps_thread *self)
{
	if (++self->pulses % PULSES == 0)
		ps_thread_publish(self);
}

ps_ticks
ps_thread_beat(struct ps_thread *self)
{
	if (self->heap == NULL || (ps_record->sampling.mode == PS_SAMPLE_ALL &&
				   self->beats++ % BEAT != 0))
		return 0;
	ps_thread_publish(self);
	return self->seen;
}

/* One beat stands for all those that had no look at the clock. */
void
ps_thread_count_cost(ps_ticks begun)
{
	uint64_t ticks;

	if (begun == 0)
		return;
	ticks = ps_clock_now() - begun;
	if (ps_record->sampling.mode == PS_SAMPLE_ALL)
		ticks *= BEAT;
	atomic_fetch_add_explicit(&ps_record->overhead.slow_ticks, ticks,
				  memory_order_relaxed);
}

/* ---- memos -------------------------------------------------------------- */

struct ps_unwind_memo *
ps_thread_memo_take(void)
{
	struct ps_unwind_memo *memo;
	void *memory;

	ps_lock_take(&rows_lock);
	memo = free_memos;
	if (memo != NULL)
		free_memos = memo->next;
	ps_lock_give(&rows_lock);
	if (memo == NULL) {
		if (ps_os_map(sizeof(*memo), &memory) != 0)
			return NULL;
		memo = memory;
	}
	memo->count = 0;
	return memo;
}

static void
give_memo(struct ps_unwind_memo *memo)
{
	ps_lock_take(&rows_lock);
	memo->next = free_memos;
	free_memos = memo;
	ps_lock_give(&rows_lock);
}

void
ps_thread_publish_if_known(void)
{
	if (ps_self.heap != NULL)
		ps_thread_publish(&ps_self);
}

/* ---- known and not known ------------------------------------------------ */

static void
seed(struct ps_thread *self)
{
	if (ps_os_random(&self->random, sizeof(self->random)) != 0)
		self->random = ps_os_monotonic_ns() ^ (uintptr_t)self;
	self->random |= 1;
}

static void
count_thread(int change)
{
	struct ps_record_process *p = &ps_record->process;
	uint64_t live;

	if (change > 0)
		add(&p->threads_started, 1);
	live = atomic_fetch_add(&p->threads_live, (uint64_t)change) +
	       (uint64_t)change;
	if ((int64_t)live > (int64_t)ps_peek(&p->threads_peak))
		ps_poke(&p->threads_peak, live);
}

static bool
attach(struct ps_thread *self)
{
	uint32_t index = take_row();
	struct ps_record_thread *row;

	if (index == UINT32_MAX) {
		add(&ps_record->overhead.uncounted_threads, 1);
		return false;
	}
	row = ps_record_entry(PS_TABLE_THREADS, index);
	self->heap = ps_heap_attach(row->class_allocations, row->class_frees);
	if (self->heap == NULL) {
		give_row(index, row);
		return false;
	}
	self->row = row;
	self->row_index = index;
	self->published_bytes = 0;
	ps_poke(&row->tid, (uint32_t)ps_os_tid());
	ps_poke(&row->is_live, 1);
	note_name(self);
	seed(self);
	ps_thread_redraw(self, 0);
	self->row_offset_known = (char *)row - (char *)&ps_thread_fallback;
	self->row_offset = self->row_offset_known;
	count_thread(1);
	return true;
}

PS_COLD bool
ps_thread_register(struct ps_thread *self)
{
	int saved_errno = errno;
	bool is_known = false;

	if (self->heap != NULL)
		return true;
	if (self->depth > 0 || self->has_ended || !ps_start_early())
		return false;
	self->depth++;
	is_known = attach(self);
	if (is_known && has_end_key)
		(void)pthread_setspecific(end_key, self);
	self->depth--;
	errno = saved_errno;
	return is_known;
}

bool
ps_thread_enter(struct ps_thread *self)
{
	if (self->heap == NULL && !ps_thread_register(self))
		return false;
	self->depth++;
	self->row_offset = 0;
	return true;
}

void
ps_thread_leave(struct ps_thread *self)
{
	PS_ASSERT(self->depth > 0);
	self->depth--;
	if (self->depth == 0 && self->heap != NULL)
		self->row_offset = self->row_offset_known;
}

static void
detach(struct ps_thread *self)
{
	struct ps_pool_heap *heap = self->heap;

	ps_thread_publish(self);
	note_name(self);
	self->depth++;
	self->row_offset = 0;
	if (self->sections != NULL)
		ps_section_thread_close(self->sections);
	self->sections = NULL;
	if (self->memo != NULL)
		give_memo(self->memo);
	self->memo = NULL;
	if (self->recall != NULL)
		ps_recall_close(self->recall);
	self->recall = NULL;
	/* From here on, frees of this thread are remote ones. */
	self->heap = NULL;
	self->has_ended = 1;
	ps_heap_detach(heap);
	give_row(self->row_index, self->row);
	self->row = NULL;
	count_thread(-1);
	self->depth--;
}

static void
thread_ends(void *thread)
{
	struct ps_thread *self = thread;

	if (self->heap == NULL)
		return;
	self->rounds++;
	if (self->rounds < PTHREAD_DESTRUCTOR_ITERATIONS &&
	    pthread_setspecific(end_key, self) == 0)
		return;
	detach(self);
}

/* ---- fork --------------------------------------------------------------- */

/*
 * The recording is new and empty.  Blocks of before the fork live on in the
 * child; they are put into row 0 as allocated, so that freeing them does not
 * make the sums negative.
 */
void
ps_thread_postfork_child(struct ps_thread *self)
{
	ps_lock_init(&rows_lock);
	free_row_count = 0;
	ps_heap_postfork_child();
	if (self->heap == NULL)
		return;
	self->row_index = append_row();
	PS_ASSERT(self->row_index != UINT32_MAX);
	self->row = ps_record_entry(PS_TABLE_THREADS, self->row_index);
	ps_heap_recount(self->heap, self->row->class_allocations,
			self->row->class_frees);
	ps_poke(&self->row->tid, (uint32_t)ps_os_tid());
	ps_poke(&self->row->is_live, 1);
	self->published_bytes = 0;
	seed(self);
	ps_thread_redraw(self, 0);
	self->row_offset_known =
	    (char *)self->row - (char *)&ps_thread_fallback;
	if (self->depth == 0)
		self->row_offset = self->row_offset_known;
	count_thread(1);
}
