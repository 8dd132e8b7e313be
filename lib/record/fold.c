/* SPDX-License-Identifier: MIT */
/*
 * fold - adds an ended thread's row to another one, with no moment at which a
 * reader of the recording counts it twice or not at all
 *
 * Adding many counters takes a microsecond, and a process that has thousands of
 * short threads is killed in one of those sooner or later; its recording then
 * had some of the thread's counters twice.  So a copy of the row that is added
 * to is kept in a spare row of the table first, and one word of the header says
 * how far things are:
 *
 *   ADDING     the spare row counts in place of `to`; `from` is whole
 *   CLEARING   `to` is complete; `from` does not count
 *
 * Each stage begins by one store.  What other threads add to `to` (frees of
 * threads that are not known) while it is in the first stage is not seen in a
 * recording that ends there.  Readers go by ps_fold_row; those of a live
 * recording see by the number of folds that a sum has to be made again.
 *
 * A redo log of the counters was tried on paper: as many stores, and readers
 * would have to know which field is which.  Without room for a spare row, the
 * row is added as it is.
 */
#include <string.h>

#include "record/fold.h"
#include "record/plan.h"
#include "record/writer.h"

static uint32_t
index_of(enum ps_table_id id, const void *row)
{
	const char *start =
	    (const char *)ps_record + ps_record->table[id].offset;
	size_t index = (size_t)((const char *)row - start) /
		       ps_record_plan[id].entry_bytes;

	PS_ASSERT((const char *)row >= start);
	PS_ASSERT(index < ps_peek(&ps_record->table[id].count));
	return (uint32_t)index;
}

/* The table's spare row; NULL when there is no room for one. */
static void *
spare_row(enum ps_table_id id)
{
	_Atomic uint32_t *spare = &ps_record->fold.spare[id];
	_Atomic uint32_t *dropped = &ps_record->table[id].dropped;
	uint32_t before = ps_peek(dropped);
	void *row;

	if (ps_peek(spare) == 0) {
		uint32_t index = ps_record_append(id, 1, &row);

		if (index == UINT32_MAX) {
			ps_poke(dropped, before); /* nothing is lost by that */
			return NULL;
		}
		ps_poke(spare, index + 1);
		/* release: a reader that sees the row knows it as the spare */
		ps_record_publish(id);
	}
	return ps_record_entry(id, ps_peek(spare) - 1);
}

/* release: pairs with the acquire in ps_fold_row */
static void
set_stage(uint32_t stage)
{
	atomic_store_explicit(&ps_record->fold.stage, stage,
			      memory_order_release);
	atomic_fetch_add_explicit(&ps_record->fold.steps, 1,
				  memory_order_acq_rel);
}

void
ps_record_fold_begin(enum ps_table_id id, const void *to, const void *from)
{
	struct ps_record_fold *fold = &ps_record->fold;
	void *spare = spare_row(id);

	PS_ASSERT(ps_record_is_locked_by_me());
	PS_ASSERT(ps_peek(&fold->stage) == PS_FOLD_NONE && to != from);
	if (spare == NULL)
		return;
	memcpy(spare, to, ps_record_plan[id].entry_bytes);
	ps_poke(&fold->table, id);
	ps_poke(&fold->to, index_of(id, to));
	ps_poke(&fold->from, index_of(id, from));
	set_stage(PS_FOLD_ADDING);
}

void
ps_record_fold_clear(void)
{
	PS_ASSERT(ps_record_is_locked_by_me());
	if (ps_peek(&ps_record->fold.stage) == PS_FOLD_ADDING)
		set_stage(PS_FOLD_CLEARING);
}

void
ps_record_fold_end(void)
{
	PS_ASSERT(ps_record_is_locked_by_me());
	if (ps_peek(&ps_record->fold.stage) == PS_FOLD_CLEARING)
		set_stage(PS_FOLD_NONE);
}

uint32_t
ps_fold_row(const struct ps_record_fold *fold, enum ps_table_id id,
	    uint32_t index)
{
	uint32_t spare = ps_peek(&fold->spare[id]);
	/* acquire: pairs with the release in set_stage */
	uint32_t stage =
	    atomic_load_explicit(&fold->stage, memory_order_acquire);

	if (spare != 0 && index == spare - 1)
		return UINT32_MAX;
	if (stage == PS_FOLD_NONE || ps_peek(&fold->table) != id)
		return index;
	if (stage == PS_FOLD_ADDING && index == ps_peek(&fold->to))
		return spare - 1;
	if (stage == PS_FOLD_CLEARING && index == ps_peek(&fold->from))
		return UINT32_MAX;
	return index;
}

const void *
ps_fold_entry(const struct ps_record_header *r, enum ps_table_id id,
	      uint32_t index)
{
	uint32_t row = ps_fold_row(&r->fold, id, index);

	if (row == UINT32_MAX)
		return NULL;
	PS_ASSERT(row < ps_peek(&r->table[id].count));
	return (const char *)r + r->table[id].offset +
	       (size_t)row * ps_record_plan[id].entry_bytes;
}
