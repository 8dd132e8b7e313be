/* SPDX-License-Identifier: MIT */
/*
 * custom - blocks of allocators that the program has of its own
 *
 * A block that such an allocator hands out is counted as a large one of malloc
 * would be, sampled at the same countdown, and found again by its address in
 * the table of samples.  The memory that it carves blocks from would count
 * twice, so a thread says when it fetches some: it is then inside the shim, and
 * what malloc gives it meanwhile is nobody's to count, which free tells by the
 * address.
 */
#include <errno.h>

#include "record/writer.h"
#include "shim/count.h"
#include "shim/custom.h"
#include "shim/forked.h"
#include "shim/picked.h"

static void
count(struct ps_thread *self, const void *block, size_t bytes,
      const struct ps_unwind_context *caller)
{
	struct ps_record_thread *row = self->row;
	uint64_t left = ps_peek(&row->bytes_left);

	ps_count_allocated(self, PS_CLASS_LARGE, bytes);
	if (bytes < left)
		ps_poke(&row->bytes_left, left - bytes);
	else
		ps_picked_its_turn(self, bytes, block, caller);
}

/* Known, and not inside the shim. */
static bool
is_counted(struct ps_thread *self)
{
	ps_forked_settle();
	return (self->heap != NULL || ps_thread_register(self)) &&
	       self->depth == 0;
}

void
ps_custom_allocated(const void *block, size_t bytes)
{
	struct ps_thread *self = &ps_self;
	struct ps_unwind_context caller;
	int saved_errno = errno;

	PS_UNWIND_CALLER(&caller);
	if (block != NULL && bytes <= PTRDIFF_MAX && is_counted(self))
		count(self, block, bytes, &caller);
	errno = saved_errno;
}

void
ps_custom_freed(const void *block, size_t bytes)
{
	struct ps_thread *self = &ps_self;
	int saved_errno = errno;

	if (block != NULL && bytes <= PTRDIFF_MAX && is_counted(self)) {
		ps_picked_end_large(self, block);
		ps_count_freed(self, PS_CLASS_LARGE, bytes);
	}
	errno = saved_errno;
}

int
ps_custom_pool_enter(void)
{
	int saved_errno = errno;
	bool is_in = ps_thread_enter(&ps_self);

	errno = saved_errno;
	return is_in;
}

/* It may be out already: ps_thread_heal. */
void
ps_custom_pool_leave(void)
{
	if (ps_self.depth > 0)
		ps_thread_leave(&ps_self);
}
