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
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/single_threaded.h>

#include "base/os.h"
#include "pool/heap.h"
#include "pool/jemalloc.h"
#include "profile/sample.h"
#include "profile/section.h"
#include "profile/stack.h"
#include "record/fold.h"
#include "record/writer.h"
#include "shim/finish.h"
#include "shim/forked.h"
#include "shim/functions.h"
#include "shim/harden.h"
#include "shim/start.h"
#include "shim/thread.h"
#include "shim/unwind.h"
#include "shim/watch.h"

enum { PAGE_BYTES = 4096 };

/* Where the kernel has no such pages, a word that fork's handler in the child
 * clears: then only a child without handlers is not seen. */
static PS_FORKED _Atomic uint32_t plain_mark = 1;
_Atomic uint32_t *ps_forked_mark = &plain_mark;

/* Live blocks by class, and the bytes of large ones. */
struct blocks {
	uint64_t live[PS_CLASS_SLOTS];
	uint64_t large_bytes;
};

/*
 * What there is when the process forks.  The recording is shared with the
 * parent, which goes on: the child cannot look it up there.
 */
static PS_FORKED struct {
	struct blocks own; /* by the row of the thread that forks */
	struct blocks others;
	void *heads[PS_POOL_CLASSES]; /* of its bins */
	uint64_t live_bytes;
} inherited;

/* Rows are left alone by fork: what this thread has not freed was its own. */
static void
note_row(const struct ps_record_thread *row, struct blocks *out)
{
	out->large_bytes +=
	    ps_peek(&row->large_bytes) - ps_peek(&row->large_freed_bytes);
	for (unsigned c = 0; c < PS_CLASS_SLOTS; c++)
		out->live[c] += ps_peek(&row->class_allocations[c]) -
				ps_peek(&row->class_frees[c]);
}

static void
note_blocks(void)
{
	uint32_t rows = ps_peek(&ps_record->table[PS_TABLE_THREADS].count);
	const struct ps_thread *self = &ps_self;

	memset(&inherited, 0, sizeof(inherited));
	for (uint32_t i = 0; i < rows; i++) {
		const struct ps_record_thread *row =
		    ps_fold_entry(ps_record, PS_TABLE_THREADS, i);

		if (row != NULL)
			note_row(row, row == self->row ? &inherited.own
						       : &inherited.others);
	}
	inherited.live_bytes = ps_peek(ps_record->sampling.mode == PS_SAMPLE_ALL
					   ? &ps_record->heap.sampled_live_bytes
					   : &ps_record->heap.live_bytes);
	if (self->heap != NULL)
		memcpy(inherited.heads, self->heap->bin,
		       sizeof(inherited.heads));
}

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
	ps_thread_publish_if_known(); /* takes locks by itself */
	has_locks = !is_alone();
	if (has_locks)
		take_locks();
	note_blocks();
}

static void
postfork_parent(void)
{
	if (has_locks)
		give_locks();
}

static void
inherit(struct ps_record_thread *row, const struct blocks *blocks)
{
	for (unsigned c = 0; c < PS_CLASS_SLOTS; c++) {
		int64_t live = (int64_t)blocks->live[c];

		/* It may have freed other threads' blocks. */
		if (live > 0)
			ps_poke(&row->class_allocations[c], (uint64_t)live);
		else if (live < 0)
			ps_poke(&row->class_frees[c], (uint64_t)-live);
	}
	ps_poke(&row->large_bytes, blocks->large_bytes);
}

static void
inherit_level(void)
{
	struct ps_record_heap *heap = &ps_record->heap;

	if (ps_record->sampling.mode == PS_SAMPLE_ALL) {
		ps_poke(&heap->sampled_live_bytes, inherited.live_bytes);
		ps_poke(&heap->sampled_peak_bytes, inherited.live_bytes);
		return;
	}
	ps_poke(&heap->live_bytes, inherited.live_bytes);
	ps_poke(&heap->peak_bytes, inherited.live_bytes);
}

/* The recording of this process, which has one thread: the calling one. */
static void
begin_anew(void *const *heads)
{
	struct ps_thread *self = &ps_self;

	ps_record_postfork_child();
	ps_start_again();
	ps_stack_reset();
	ps_sample_postfork_child();
	ps_start_describe();
	ps_thread_postfork_child(self);
	inherit(ps_record_entry(PS_TABLE_THREADS, 0), &inherited.others);
	inherit_level();
	if (self->heap != NULL) {
		inherit(self->row, &inherited.own);
		ps_heap_recount(self->heap, self->row->class_allocations,
				self->row->class_frees, heads);
	}
	ps_section_postfork_child(self->sections, self->row_index, self->row);
	ps_functions_postfork_child();
	ps_start_tell_stacks_off();
	ps_unwind_postfork();
	ps_finish_postfork_child();
	ps_watch_postfork_child();
}

/* Written before it is read, a page that fork emptied is mapped once. */
static bool
mark_as_seen(void)
{
	return atomic_exchange(ps_forked_mark, 1) == 0;
}

/* A handler that ran before ours may have allocated already. */
static void
postfork_child(void)
{
	if (has_locks) {
		ps_je_postfork_child();
		ps_harden_postfork();
		reset_streams();
	}
	if (ps_forked_mark == &plain_mark || mark_as_seen())
		begin_anew(inherited.heads);
}

PS_COLD void
ps_forked_begin(void)
{
	int saved_errno = errno;

	note_blocks();
	ps_poke(ps_forked_mark, 1);
	ps_je_postfork_child();
	begin_anew(NULL); /* counted in its parent's row, as its parent did */
	errno = saved_errno;
}

int
ps_forked_init(void)
{
	void *page;

	if (ps_os_map(PAGE_BYTES, &page) == 0 &&
	    ps_os_wipe_on_fork(page, PAGE_BYTES) == 0)
		ps_forked_mark = page;
	ps_poke(ps_forked_mark, 1);
	return pthread_atfork(prefork, postfork_parent, postfork_child);
}
