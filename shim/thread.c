/* SPDX-License-Identifier: MIT */
/*
 * thread - what the shim keeps for each thread
 *
 * A thread becomes known at its first call into the shim and gets a row of the
 * recording and a heap.  It stops being known in the last of glibc's four
 * rounds of destructors of thread-specific data: those of the program still
 * allocate, so ours puts itself off to the end.  Which round it is, only a
 * thread knows that was known before the first; one that comes to us first from
 * a destructor stops at that round's end.  What is freed after that is counted
 * with the ended threads.
 *
 * Rows are used again (thread_row.c).  An ended thread's figures are added into
 * row 0 first, so sums over all rows are right but for the moment of the
 * addition.
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
#include "pool/jemalloc.h"
#include "profile/sample.h"
#include "profile/section.h"
#include "profile/site.h"
#include "profile/timeline.h"
#include "record/writer.h"
#include "shim/unwind_recall.h"
#include "shim/start.h"
#include "shim/forked.h"
#include "shim/thread.h"
#include "shim/thread_row.h"
#include "shim/unwind_memo.h"
#include "shim/watch.h"

/* Live bytes are summed every PULSES refills or flushes, and lag by those. */
enum { PULSES = 8 };
/* With sampling off, only this many bytes bring a thread to the slow path. */
#define COUNTDOWN_OFF (UINT64_C(1) << 40)

PS_TLS struct ps_thread ps_self;
struct ps_record_thread ps_thread_fallback;

static pthread_key_t end_key;
static bool has_end_key;

static void thread_ends(void *thread);
static void round_ends(void);

int
ps_thread_init(void)
{
	has_end_key = pthread_key_create(&end_key, thread_ends) == 0;
	return has_end_key ? 0 : -EAGAIN;
}

static inline void
add(_Atomic uint64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

/* ---- countdown ---------------------------------------------------------- */

static void
keep_pace(struct ps_thread *self)
{
	_Atomic uint32_t *coarsest = &ps_record->sampling.coarsest;

	ps_pace_step(&self->pace, self->seen);
	if (ps_unlikely(self->pace.coarse > ps_peek(coarsest)))
		ps_poke(coarsest, self->pace.coarse);
}

static uint64_t
next_countdown(struct ps_thread *self)
{
	const struct ps_record_sampling *sampling = &ps_record->sampling;

	switch (sampling->mode) {
	case PS_SAMPLE_ALL:
		return 0;
	case PS_SAMPLE_POISSON:
		if (ps_options.is_sample_paced)
			keep_pace(self);
		return ps_sample_draw(
		    &self->random,
		    (double)(sampling->interval_bytes << self->pace.coarse));
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

static void
note_size(void)
{
	struct ps_process_size size;

	if (ps_process_size(&size) == 0)
		ps_timeline_note_rss(size.resident_bytes);
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

	ps_heap_trim(self->heap);
	note_name(self);
	if (atomic_exchange(&rss_step, self->steps) == self->steps)
		return;
	note_size();
	ps_record_describe_machine();
}

/* What the thread has live into the heap's level. */
static void
publish_level(struct ps_thread *self, ps_ticks now)
{
	const struct ps_record_thread *row = self->row;
	int64_t bytes = (int64_t)(ps_peek(&row->large_bytes) -
				  ps_peek(&row->large_freed_bytes));
	int64_t delta;

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

static void
publish(struct ps_thread *self, ps_ticks now)
{
	self->seen = now;
	if (ps_unlikely(ps_start_owes_file))
		ps_start_owed_file(ps_thread_requested(self->row));
	ps_pool_tick(now);
	if (self->steps != ps_pool_steps()) {
		self->steps = ps_pool_steps();
		half_second(self);
	}
	publish_level(self, now);
}

void
ps_thread_publish(struct ps_thread *self)
{
	ps_ticks now;

	if (ps_unlikely(self->is_strict))
		return;
	now = ps_clock_now();
	publish(self, now);
	if (ps_unlikely(ps_watch_is_due(now)))
		ps_watch_step(self, now);
}

/* The pool is left alone: a handler that ends the process may have interrupted
 * this thread where it holds one of the pool's locks. */
void
ps_thread_publish_last(struct ps_thread *self)
{
	if (!self->is_strict)
		publish_level(self, ps_clock_now());
}

void
ps_thread_note_end(struct ps_thread *self)
{
	note_name(self);
	note_size();
}

void
ps_thread_pulse(struct ps_thread *self)
{
	if (++self->pulses % PULSES == 0)
		ps_thread_publish(self);
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
	uint64_t peak = ps_peek(&p->threads_peak);
	uint64_t live;

	if (change > 0)
		add(&p->threads_started, 1);
	live = atomic_fetch_add(&p->threads_live, (uint64_t)change) +
	       (uint64_t)change;
	/* Threads that start together do not write over each other's. */
	while ((int64_t)live > (int64_t)peak &&
	       !atomic_compare_exchange_weak(&p->threads_peak, &peak, live))
		continue;
}

void
ps_thread_count_in(struct ps_thread *self, struct ps_record_thread *row)
{
	self->row = row;
	self->row_offset_known = (char *)row - (char *)&ps_thread_fallback;
	if (self->row_offset != 0)
		self->row_offset = self->row_offset_known;
}

void
ps_thread_use_row(struct ps_thread *self, uint32_t index)
{
	struct ps_record_thread *row = ps_record_entry(PS_TABLE_THREADS, index);

	self->row_index = index;
	ps_poke(&row->tid, (uint32_t)ps_os_tid());
	ps_poke(&row->is_live, 1);
	seed(self);
	self->row = row;
	ps_thread_redraw(self, 0);
	ps_thread_count_in(self, row);
	count_thread(1);
}

/* Who was refused asks again at each call: then only for a row that is free. */
static uint32_t
take_row(struct ps_thread *self)
{
	uint32_t index;

	if (self->is_refused && !ps_thread_row_is_free())
		return UINT32_MAX;
	index = ps_thread_row_take();
	if (index == UINT32_MAX && !self->is_refused) {
		self->is_refused = 1;
		add(&ps_record->overhead.uncounted_threads, 1);
	}
	return index;
}

static bool
attach(struct ps_thread *self)
{
	uint32_t index = take_row(self);
	struct ps_record_thread *row;
	struct ps_pool_heap *heap;

	if (index == UINT32_MAX)
		return false;
	row = ps_record_entry(PS_TABLE_THREADS, index);
	heap = ps_heap_attach(row->class_allocations, row->class_frees);
	if (heap == NULL) {
		ps_thread_row_give(index, row);
		return false;
	}
	self->published_bytes = 0;
	ps_thread_use_row(self, index);
	/* A signal handler that frees now finds both, or neither. */
	atomic_signal_fence(memory_order_seq_cst);
	self->heap = heap;
	note_name(self);
	return true;
}

PS_COLD bool
ps_thread_register(struct ps_thread *self)
{
	int saved_errno = errno;
	bool is_known = false;

	ps_forked_settle();
	if (self->heap != NULL)
		return true;
	if (self->depth > 0 || self->has_ended || !ps_start_early() ||
	    ps_record_is_locked_by_me()) /* a handler in a mark: it is stray */
		return false;
	self->depth++;
	is_known = attach(self);
	if (is_known && has_end_key) {
		(void)pthread_setspecific(end_key, self);
		ps_je_thread_begin(round_ends);
	}
	self->depth--;
	errno = saved_errno;
	return is_known;
}

bool
ps_thread_enter(struct ps_thread *self)
{
	ps_forked_settle();
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
	if (self->depth == 0)
		self->entered_at = 0;
	if (self->depth == 0 && self->heap != NULL)
		self->row_offset = self->row_offset_known;
}

/*
 * The frame that entered is gone when we stand above it on the same stack.  On
 * another stack (a signal's own, a coroutine's) nothing is known.
 */
PS_COLD bool
ps_thread_heal(struct ps_thread *self)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	bool is_left = self->entered_at != 0 && here > self->entered_at &&
		       here < self->stack_high &&
		       self->entered_at >= self->stack_low &&
		       !ps_os_is_on_signal_stack();

	if (!is_left)
		return false;
	self->depth = 0;
	self->entered_at = 0;
	self->row_offset = self->row_offset_known;
	return true;
}

static void
detach(struct ps_thread *self)
{
	struct ps_pool_heap *heap = self->heap;
	struct ps_section_thread *sections = self->sections;

	ps_forked_settle();
	ps_thread_publish(self);
	note_name(self);
	self->depth++;
	self->row_offset = 0;
	/* A signal handler that marks a section finds none any more. */
	self->sections = NULL;
	atomic_signal_fence(memory_order_seq_cst);
	if (sections != NULL)
		ps_section_thread_close(sections);
	if (self->memo != NULL)
		ps_unwind_memo_close(self->memo);
	self->memo = NULL;
	if (self->recall != NULL)
		ps_recall_close(self->recall);
	self->recall = NULL;
	/* From here on, frees of this thread are remote ones. */
	self->heap = NULL;
	self->has_ended = 1;
	ps_heap_detach(heap);
	ps_thread_row_give(self->row_index, self->row);
	self->row = NULL;
	count_thread(-1);
	ps_je_thread_end();
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

/* Known since a destructor of this round, which may be the last. */
static void
round_ends(void)
{
	struct ps_thread *self = &ps_self;

	if (self->heap != NULL && self->rounds == 0)
		detach(self);
}

/* ---- fork --------------------------------------------------------------- */

void
ps_thread_postfork_child(void)
{
	ps_thread_row_postfork_child();
	ps_unwind_memo_postfork_child();
	ps_heap_postfork_child();
}
