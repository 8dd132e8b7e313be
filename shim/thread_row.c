/* SPDX-License-Identifier: MIT */
/*
 * thread_row - the rows of threads in the recording, taken and given back
 *
 * Rows are used again.  An ended thread's figures are added into row 0 first.
 *
 * Not so the rows that are labels of sites: what one thread allocated must not
 * pass for another's.  The first PS_LABEL_THREADS - 1 threads of a process keep
 * theirs; all later ones share the rows beyond, and have no label.
 */
#include "base/lock.h"
#include "record/fold.h"
#include "record/writer.h"
#include "shim/thread.h"
#include "shim/thread_row.h"

enum { ROWS_MAX = 4096 };

/* The lock guards the free rows; how many there are is read without it, too. */
static struct ps_lock rows_lock;
static PS_BIG uint32_t free_rows[ROWS_MAX];
static PS_FORKED _Atomic uint32_t free_row_count;

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

uint32_t
ps_thread_row_take(void)
{
	uint32_t row = UINT32_MAX;
	uint32_t count;

	ps_lock_take(&rows_lock);
	count = ps_peek(&free_row_count);
	if (count > 0) {
		row = free_rows[count - 1];
		ps_poke(&free_row_count, count - 1);
	}
	ps_lock_give(&rows_lock);
	return row != UINT32_MAX ? row : append_row();
}

bool
ps_thread_row_is_free(void)
{
	return ps_peek(&free_row_count) > 0;
}

static inline void
add(_Atomic uint64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static void
add_all(_Atomic uint64_t *to, const _Atomic uint64_t *from, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		add(&to[i], ps_peek(&from[i]));
}

/* Atomically, for row 0 is written by threads that are not known, too. */
static void
add_row(struct ps_record_thread *to, const struct ps_record_thread *from)
{
	add(&to->issued_bytes, ps_thread_requested(from));
	add(&to->allocations, ps_peek(&from->allocations));
	add(&to->large_bytes, ps_peek(&from->large_bytes));
	add(&to->large_freed_bytes, ps_peek(&from->large_freed_bytes));
	add(&to->samples, ps_peek(&from->samples));
	add_all(to->class_allocations, from->class_allocations, PS_CLASS_SLOTS);
	add_all(to->class_frees, from->class_frees, PS_CLASS_SLOTS);
	add_all(to->lifetime_frees, from->lifetime_frees, PS_LIFETIMES);
	add_all(to->lifetime_bytes, from->lifetime_bytes, PS_LIFETIMES);
}

static void
clear_all(_Atomic uint64_t *word, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		ps_poke(&word[i], 0);
}

static void
clear_row(struct ps_record_thread *row)
{
	ps_poke(&row->issued_bytes, 0);
	ps_poke(&row->bytes_left, 0);
	ps_poke(&row->allocations, 0);
	ps_poke(&row->large_bytes, 0);
	ps_poke(&row->large_freed_bytes, 0);
	ps_poke(&row->samples, 0);
	clear_all(row->class_allocations, PS_CLASS_SLOTS);
	clear_all(row->class_frees, PS_CLASS_SLOTS);
	clear_all(row->lifetime_frees, PS_LIFETIMES);
	clear_all(row->lifetime_bytes, PS_LIFETIMES);
	ps_poke(&row->is_live, 0);
	ps_poke(&row->tid, 0);
}

void
ps_thread_row_give(uint32_t index, struct ps_record_thread *row)
{
	struct ps_record_thread *ended = ps_record_entry(PS_TABLE_THREADS, 0);
	uint32_t count;

	ps_record_lock();
	ps_record_fold_begin(PS_TABLE_THREADS, ended, row);
	add_row(ended, row);
	ps_record_fold_clear();
	clear_row(row);
	ps_record_fold_end();
	ps_record_unlock();
	ps_lock_take(&rows_lock);
	count = ps_peek(&free_row_count);
	if (index >= PS_LABEL_THREADS && count < ROWS_MAX) {
		free_rows[count] = index;
		ps_poke(&free_row_count, count + 1);
	}
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

void
ps_thread_row_postfork_child(void)
{
	ps_lock_init(&rows_lock);
	ps_poke(&free_row_count, 0);
}
