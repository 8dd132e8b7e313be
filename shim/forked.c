/* SPDX-License-Identifier: MIT */
/*
 * forked - the shim in a process that was forked
 *
 * In the child the recording is replaced at its own address by an empty one,
 * so that not a byte is written into the parent's.  pthread_atfork's handlers
 * do it, with all locks held while libc forks.
 *
 * A child that was made by the system call (_Fork, clone: hazards P4) runs no
 * handler, and would go on writing into its parent's recording.  A page that
 * the kernel empties in children tells: the slow paths look at its word.  Until
 * such a child comes to one, it counts what it takes from the bins in its
 * parent's row.  What other threads held locked at that moment stays locked for
 * it, but for what begins anew here.
 *
 * A vfork child shares the page, as it shares everything.
 *
 * A child waits with its recording, if it can: one of a process with one thread
 * that marks no sections and has no alerts.  Its thread counts in a row of its
 * own until it comes to a slow path or its end; then the recording begins, with
 * the moment of the fork.  Most such children exec before that, and to begin a
 * recording for each (a mapping, thirteen pages, ten calls) was a third of what
 * a shell's fork cost.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/single_threaded.h>

#include "base/os.h"
#include "measure/clock.h"
#include "pool/heap.h"
#include "pool/jemalloc.h"
#include "profile/sample.h"
#include "profile/section.h"
#include "profile/section_event.h"
#include "profile/section_name.h"
#include "profile/stack.h"
#include "record/writer.h"
#include "shim/finish.h"
#include "shim/forked.h"
#include "shim/functions.h"
#include "shim/harden.h"
#include "shim/inherited.h"
#include "shim/own_stack.h"
#include "shim/replaced.h"
#include "shim/start.h"
#include "shim/thread.h"
#include "shim/thread_row.h"
#include "shim/unwind.h"
#include "shim/watch.h"

enum { PAGE_BYTES = 4096 };

/* Where the kernel has no such pages: children without handlers are not seen,
 * and the others do not wait. */
static PS_FORKED _Atomic uint32_t plain_mark = PS_FORKED_BEGUN;
_Atomic uint32_t *ps_forked_mark = &plain_mark;

PS_FORKED struct ps_record_thread ps_forked_row;
static PS_FORKED struct {
	struct ps_thread *thread; /* NULL: none waits */
	/* Its row in the recording; NULL while there is none. */
	struct ps_record_thread *_Atomic row;
	uint32_t row_index;
	/* Who it is, which a vfork child in its memory is not, and since when.
	 */
	int32_t pid;
	uint64_t real_ns;
	uint64_t mono_ns;
	ps_ticks ticks;
} waiting;
static PS_TLS volatile bool is_beginner; /* this thread begins the recording */

/*
 * With one thread nobody holds a lock who is not there in the child.  To take
 * and make anew those of jemalloc alone writes to 50 pages, each of which the
 * next fork shares again: half of what a shell's fork cost.
 */
static bool
is_alone(void)
{
	return __libc_single_threaded &&
	       ps_peek(&ps_record->process.threads_live) <= 1;
}

/*
 * glibc's lock of the list of all streams.  Its fork takes it after our
 * handlers and before its own malloc's locks, because who has it may allocate,
 * or wait for a stream whose owner does (fflush(NULL) meets getline): ours,
 * too, come after it.  It is recursive.
 */
void _IO_list_lock(void) __attribute__((weak));
void _IO_list_unlock(void) __attribute__((weak));
void _IO_list_resetlock(void) __attribute__((weak));

static void
take_streams(void)
{
	if (_IO_list_lock != NULL)
		_IO_list_lock();
}

static void
give_streams(void)
{
	if (_IO_list_unlock != NULL)
		_IO_list_unlock();
}

/* glibc does the same, but not where it sees a single thread. */
static void
reset_streams(void)
{
	if (_IO_list_resetlock != NULL)
		_IO_list_resetlock();
}

/* The record's lock comes after jemalloc's: a handler that marks a section may
 * wait for it, and have interrupted a thread that holds one of those. */
static void
take_locks(void)
{
	take_streams();
	ps_unwind_prefork();
	ps_heap_prefork();
	ps_harden_prefork();
	ps_je_prefork();
	ps_record_lock();
}

static void
give_locks(void)
{
	ps_record_unlock();
	ps_je_postfork_parent();
	ps_harden_postfork();
	ps_heap_postfork_parent();
	ps_unwind_postfork();
	give_streams();
}

static PS_FORKED bool has_locks;

static void
prefork(void)
{
	ps_forked_settle();
	/* The pool is left alone: a handler may fork in the midst of it. */
	if (ps_self.heap != NULL)
		ps_thread_publish_last(&ps_self);
	has_locks = !is_alone();
	if (has_locks)
		take_locks();
	ps_inherited_note();
}

static void
postfork_parent(void)
{
	if (has_locks)
		give_locks();
}

/* A recording of this process, without threads yet. */
static void
begin_recording(void)
{
	ps_record_postfork_child();
	ps_start_again();
	ps_stack_reset();
	ps_sample_postfork_child();
	ps_start_describe();
	ps_thread_postfork_child();
	ps_inherit(ps_record_entry(PS_TABLE_THREADS, 0), &ps_inherited.others);
	ps_inherit_level();
	ps_functions_postfork_child();
	ps_start_tell_stacks_off();
	ps_replaced_tell();
	ps_unwind_postfork();
	ps_finish_postfork_child();
	ps_watch_postfork_child();
}

/* ... in which the calling thread has a row. */
static void
begin_anew(void *const *heads)
{
	struct ps_thread *self = &ps_self;

	waiting.thread = NULL; /* who waited in our parent is not here */
	begin_recording();
	if (self->heap != NULL) {
		ps_thread_use_row(self, ps_thread_row_take());
		ps_inherit(self->row, &ps_inherited.own);
		ps_heap_recount(self->heap, self->row->class_allocations,
				self->row->class_frees, heads);
	}
	ps_section_postfork_child(self->sections, self->row_index, self->row);
}

/* ---- children that wait ------------------------------------------------- */

static bool
can_wait(const struct ps_thread *self)
{
	return !has_locks && ps_forked_mark != &plain_mark &&
	       self->heap != NULL && self->depth == 0 &&
	       self->sections == NULL && ps_section_count() == 0 &&
	       !ps_section_events_are_on() && !ps_watch_is_on() &&
	       ps_record->sampling.mode != PS_SAMPLE_ALL;
}

static void
note_moment(void)
{
	waiting.pid = ps_os_pid();
	waiting.real_ns = ps_os_realtime_ns();
	waiting.mono_ns = ps_os_monotonic_ns();
	waiting.ticks = ps_clock_now();
}

static void
wait_for_need(struct ps_thread *self)
{
	memset(&ps_forked_row, 0, sizeof(ps_forked_row));
	ps_inherit(&ps_forked_row, &ps_inherited.own);
	ps_poke(&ps_forked_row.bytes_left, ps_inherited.bytes_left);
	ps_poke(&ps_forked_row.issued_bytes, ps_inherited.bytes_left);
	waiting.thread = self;
	atomic_init(&waiting.row, NULL);
	note_moment();
	ps_thread_count_in(self, &ps_forked_row);
	ps_heap_recount(self->heap, ps_forked_row.class_allocations,
			ps_forked_row.class_frees, ps_inherited.heads);
}

/* What the thread that waits counted so far, all of it. */
static void
copy_counts(struct ps_record_thread *to)
{
	const struct ps_record_thread *from = &ps_forked_row;

	ps_poke(&to->issued_bytes, ps_peek(&from->issued_bytes));
	ps_poke(&to->bytes_left, ps_peek(&from->bytes_left));
	ps_poke(&to->allocations, ps_peek(&from->allocations));
	ps_poke(&to->large_bytes, ps_peek(&from->large_bytes));
	ps_poke(&to->large_freed_bytes, ps_peek(&from->large_freed_bytes));
	for (unsigned c = 0; c < PS_CLASS_SLOTS; c++) {
		ps_poke(&to->class_allocations[c],
			ps_peek(&from->class_allocations[c]));
		ps_poke(&to->class_frees[c], ps_peek(&from->class_frees[c]));
	}
}

/* The calling thread may be one that the child has made since. */
static void
end_waiting(int32_t parent)
{
	struct ps_record_header *r;

	begin_recording();
	r = ps_record;
	r->process.pid = waiting.pid;
	r->process.ppid = parent;
	r->process.start_real_ns = waiting.real_ns;
	r->process.start_mono_ns = waiting.mono_ns;
	r->clock.start_ticks = waiting.ticks;
	r->clock.start_ns = waiting.mono_ns;
	waiting.row_index = ps_thread_row_take();
	PS_ASSERT(waiting.row_index != UINT32_MAX);
	copy_counts(ps_record_entry(PS_TABLE_THREADS, waiting.row_index));
	/* release: who sees the row sees a recording */
	atomic_store_explicit(
	    &waiting.row, ps_record_entry(PS_TABLE_THREADS, waiting.row_index),
	    memory_order_release);
}

/* The thread that waited goes over to its row. */
static void
stop_waiting(struct ps_thread *self)
{
	PS_ASSERT(self == waiting.thread);
	waiting.thread = NULL;
	ps_thread_use_row(self, waiting.row_index);
	copy_counts(self->row); /* a sample that is due is due there */
	ps_poke(&self->row->tid, (uint32_t)waiting.pid);
	ps_heap_recount(self->heap, self->row->class_allocations,
			self->row->class_frees, self->heap->bin);
}

/* Written before it is read, a page that fork emptied is mapped once. */
static bool
mark(uint32_t as)
{
	uint32_t expected = PS_FORKED_UNSEEN;

	return atomic_compare_exchange_strong(ps_forked_mark, &expected, as);
}

/*
 * A signal handler forked in the midst of a sample: what the thread goes on
 * with, when the handler returns in the child, is rows of the parent's
 * recording and its lock.
 */
static bool
is_in_midst(void)
{
	return ps_forked_mark != &plain_mark &&
	       (ps_self.depth > 0 || ps_self.is_ending != 0 ||
		ps_record_is_locked_by_me());
}

/* A handler that ran before ours may have allocated already. */
static void
postfork_child(void)
{
	if (has_locks) {
		ps_je_postfork_child();
		ps_harden_postfork();
		reset_streams();
	} else if (is_in_midst()) {
		return; /* it is then as one that ran no handler */
	}
	if (ps_forked_mark == &plain_mark)
		begin_anew(ps_inherited.heads);
	else if (!can_wait(&ps_self)) {
		if (mark(PS_FORKED_BEGUN))
			begin_anew(ps_inherited.heads);
	} else if (mark(PS_FORKED_WAITS))
		wait_for_need(&ps_self);
}

static void
begin_late(uint32_t mark)
{
	int32_t parent = ps_record->process.pid;

	if (waiting.thread != NULL) {
		if (mark == PS_FORKED_UNSEEN) { /* a child of who waits */
			parent = waiting.pid;
			note_moment();
		}
		end_waiting(parent);
		return;
	}
	/* It counted in its parent's row, as its parent did. */
	ps_inherited_note();
	ps_je_postfork_child();
	begin_anew(NULL);
}

static bool
has_no_row(void)
{
	return atomic_load_explicit(&waiting.row, memory_order_acquire) == NULL;
}

/*
 * Only one thread begins, and only when the mark says BEGUN may another one
 * touch the recording: until then it is the parent's, or half made.
 */
static void
begin_or_wait(void)
{
	uint32_t mark = ps_peek(ps_forked_mark);

	is_beginner = true;
	if ((mark == PS_FORKED_UNSEEN || mark == PS_FORKED_WAITS) &&
	    atomic_compare_exchange_strong(ps_forked_mark, &mark,
					   PS_FORKED_BEGINS)) {
		begin_late(mark);
		/* release: pairs with the acquire in ps_forked_settle */
		atomic_store_explicit(ps_forked_mark, PS_FORKED_BEGUN,
				      memory_order_release);
	}
	is_beginner = false;
	while (atomic_load_explicit(ps_forked_mark, memory_order_acquire) !=
	       PS_FORKED_BEGUN)
		ps_os_yield();
}

/* A handler that allocates would count where nobody looks any more; where it
 * cannot be held off, it does. */
PS_COLD void
ps_forked_begin(void)
{
	int saved_errno = errno;
	sigset_t before;
	bool are_held;

	if (is_beginner ||
	    (ps_peek(ps_forked_mark) == PS_FORKED_UNSEEN && is_in_midst()))
		return;
	are_held = ps_hold_signals(&before);
	begin_or_wait();
	if (ps_self.row == &ps_forked_row)
		stop_waiting(&ps_self);
	if (are_held)
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved_errno;
}

void
ps_forked_finish(void)
{
	if (waiting.thread == NULL || waiting.pid != ps_os_pid())
		return;
	ps_forked_settle();
	if (waiting.thread != NULL && !has_no_row())
		copy_counts(waiting.row); /* another thread ends it all */
}

int
ps_forked_init(void)
{
	void *page;

	if (ps_os_map(PAGE_BYTES, &page) == 0 &&
	    ps_os_wipe_on_fork(page, PAGE_BYTES) == 0)
		ps_forked_mark = page;
	ps_poke(ps_forked_mark, PS_FORKED_BEGUN);
	return pthread_atfork(prefork, postfork_parent, postfork_child);
}
