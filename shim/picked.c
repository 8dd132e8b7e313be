/* SPDX-License-Identifier: MIT */
/*
 * picked - blocks that the sampler picked: where they were made, when they end
 *
 * The stack is walked before any lock is taken (heap.md T1).  A block that is
 * freed before its thread allocates again is temporary: its thread's count of
 * allocations is then still the one that its sample keeps.
 */
#include "measure/clock.h"
#include "profile/site.h"
#include "profile/stack.h"
#include "record/writer.h"
#include "shim/picked.h"
#include "shim/start.h"

uint32_t
ps_picked_site(struct ps_thread *self, const struct ps_unwind_context *caller)
{
	uintptr_t pcs[PS_STACK_DEPTH_MAX];
	enum ps_unwind_end end = PS_UNWIND_STOPPED;
	struct ps_record_sampling *sampling = &ps_record->sampling;
	uint32_t depth = 0;
	uint32_t flags = 0;

	if (ps_unwind_is_on()) {
		if (caller->sp - self->stack_low >=
		    self->stack_high - self->stack_low)
			(void)ps_unwind_stack_bounds(
			    caller->sp, &self->stack_low, &self->stack_high);
		depth = ps_unwind_walk(caller, pcs, ps_options.depth,
				       self->stack_low, self->stack_high, &end);
	}
	if (depth == 0)
		atomic_fetch_add(&sampling->no_stack, 1);
	if (end == PS_UNWIND_TRUNCATED) {
		flags |= PS_SITE_TRUNCATED;
		atomic_fetch_add(&sampling->truncated, 1);
	}
	return ps_stack_site(pcs, depth, depth == 0 ? PS_SITE_NO_STACK : flags);
}

void
ps_picked_fill(struct ps_thread *self, struct ps_sample *sample, uint32_t site,
	       size_t size, void *block)
{
	sample->size = size;
	sample->site = site;
	sample->row = self->row_index;
	sample->allocations = ps_peek(&self->row->allocations);
	sample->block = (uintptr_t)block;
}

void
ps_picked_hash(struct ps_thread *self, uint32_t site, size_t size, void *block)
{
	struct ps_sample *sample;
	uint32_t index = ps_sample_new(&sample);

	if (index == PS_SAMPLE_NONE) {
		atomic_fetch_add(&ps_record->sampling.dropped, 1);
		return;
	}
	ps_picked_fill(self, sample, site, size, block);
	ps_sample_hash(index);
	ps_site_allocated(site, size, ps_clock_now());
}

/* The sample of a block goes with it. */
void
ps_picked_end(struct ps_thread *self, uint32_t index)
{
	struct ps_sample *sample = ps_sample_at(index);
	bool is_own = self->row != NULL && sample->row == self->row_index;

	if (sample->epoch == ps_sample_epoch())
		ps_site_freed(sample->site, sample->size,
			      is_own && sample->allocations ==
					    ps_peek(&self->row->allocations));
	else if (ps_record->sampling.mode == PS_SAMPLE_ALL)
		atomic_fetch_sub(&ps_record->heap.live_bytes, sample->size);
	ps_sample_drop(index);
}
