/* SPDX-License-Identifier: MIT */
/*
 * picked - blocks that the sampler picked: where they were made, when they end
 *
 * Callers are inside the shim (ps_thread_enter), except for ps_picked_end.
 */
#ifndef PS_SHIM_PICKED_H
#define PS_SHIM_PICKED_H

#include "profile/sample.h"
#include "shim/thread.h"
#include "shim/unwind.h"

/* Site of the caller's stack; UINT32_MAX when the tables are full. */
uint32_t ps_picked_site(struct ps_thread *self,
			const struct ps_unwind_context *caller);

/* Describe the block in a new sample. */
void ps_picked_fill(struct ps_thread *self, struct ps_sample *sample,
		    uint32_t site, size_t size, void *block);

/* A sample for a block outside the pool. */
void ps_picked_hash(struct ps_thread *self, uint32_t site, size_t size,
		    void *block);

/* The block is freed, its sample ends. */
void ps_picked_end(struct ps_thread *self, uint32_t index);

#endif /* PS_SHIM_PICKED_H */
