/* SPDX-License-Identifier: MIT */
/*
 * inherited - what a fork's child has of its parent: blocks and their counts
 */
#include <string.h>

#include "record/fold.h"
#include "record/writer.h"
#include "shim/inherited.h"
#include "shim/thread.h"

PS_FORKED struct ps_inherited ps_inherited;

/* Rows are left alone by fork: what this thread has not freed was its own. */
static void
note_row(const struct ps_record_thread *row, struct ps_inherited_blocks *out)
{
	out->large_bytes +=
	    ps_peek(&row->large_bytes) - ps_peek(&row->large_freed_bytes);
	for (unsigned c = 0; c < PS_CLASS_SLOTS; c++)
		out->live[c] += ps_peek(&row->class_allocations[c]) -
				ps_peek(&row->class_frees[c]);
}

void
ps_inherited_note(void)
{
	uint32_t rows = ps_peek(&ps_record->table[PS_TABLE_THREADS].count);
	const struct ps_thread *self = &ps_self;

	memset(&ps_inherited, 0, sizeof(ps_inherited));
	for (uint32_t i = 0; i < rows; i++) {
		const struct ps_record_thread *row =
		    ps_fold_entry(ps_record, PS_TABLE_THREADS, i);

		if (row != NULL)
			note_row(row, row == self->row ? &ps_inherited.own
						       : &ps_inherited.others);
	}
	ps_inherited.live_bytes =
	    ps_peek(ps_record->sampling.mode == PS_SAMPLE_ALL
			? &ps_record->heap.sampled_live_bytes
			: &ps_record->heap.live_bytes);
	if (self->heap == NULL)
		return;
	memcpy(ps_inherited.heads, self->heap->bin, sizeof(ps_inherited.heads));
	ps_inherited.bytes_left = ps_peek(&self->row->bytes_left);
}

void
ps_inherit(struct ps_record_thread *row,
	   const struct ps_inherited_blocks *blocks)
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

void
ps_inherit_level(void)
{
	struct ps_record_heap *heap = &ps_record->heap;

	if (ps_record->sampling.mode == PS_SAMPLE_ALL) {
		ps_poke(&heap->sampled_live_bytes, ps_inherited.live_bytes);
		ps_poke(&heap->sampled_peak_bytes, ps_inherited.live_bytes);
		return;
	}
	ps_poke(&heap->live_bytes, ps_inherited.live_bytes);
	ps_poke(&heap->peak_bytes, ps_inherited.live_bytes);
}
