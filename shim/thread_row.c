/* SPDX-License-Identifier: MIT */
/*
 * thread_row - the rows of threads in the recording, taken and given back
 *
 * Rows are used again.  An ended thread's figures are added into row 0 first,
 * so sums over all rows are right at any time but for the moment of the
 * addition.
 */
#include "base/lock.h"
#include "record/writer.h"
#include "shim/thread.h"
#include "shim/thread_row.h"

enum { ROWS_MAX = 4096 };

static uint32_t free_rows[ROWS_MAX];
static uint32_t free_row_count;
/* Guards the free rows and row 0. */
static struct ps_lock rows_lock;

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

void
ps_thread_row_give(uint32_t index, struct ps_record_thread *row)
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

void
ps_thread_row_postfork_child(void)
{
	ps_lock_init(&rows_lock);
	free_row_count = 0;
}
