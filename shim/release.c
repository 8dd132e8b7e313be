/* SPDX-License-Identifier: MIT */
/*
 * release - free, realloc and malloc_usable_size, off the fast path
 *
 * realloc counts as an allocation at its own stack and a free of the old block,
 * whether the block moves or not; that is what heaptrack and users of the
 * counts expect.  A large block grows in place when jemalloc can.
 */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "pool/bin.h"
#include "pool/jemalloc.h"
#include "pool/kind.h"
#include "profile/sample.h"
#include "record/writer.h"
#include "shim/alloc.h"
#include "shim/malloc.h"
#include "shim/count.h"
#include "shim/picked.h"
#include "shim/start.h"

static void
free_pool(struct ps_thread *self, struct ps_page *page, void *ptr)
{
	uintptr_t owner =
	    atomic_load_explicit(&page->owner, memory_order_acquire);
	enum ps_page_kind kind = owner & PS_PAGE_KIND_MASK;

	if (ps_unlikely(owner == 0))
		ps_die_of_free(ptr, "not an allocated block");
	if (ps_unlikely(!ps_page_is_start(page, ptr)))
		ps_die_of_free(ptr, "not the start of a block");
	if (owner == (uintptr_t)self->heap) {
		/* The thread has just got to know its heap, or the block was
		 * freed just now. */
		ps_die_if_free(self->heap, ptr);
		ps_bin_push(&self->heap->bin[page->cls], ptr);
		ps_bump(&self->row->class_frees[page->cls], 1);
		return;
	}
	if (kind == PS_PAGE_SAMPLED)
		ps_picked_end_pool(self, page, ptr);
	if (kind != PS_PAGE_INTERNAL)
		ps_count_freed(self, page->cls, 0);
	if (kind == PS_PAGE_PLAIN || !ps_heap_free_kind(self->heap, page, ptr))
		ps_heap_free_remote(page, ptr);
}

static void
free_large(struct ps_thread *self, void *ptr)
{
	size_t usable = je_sallocx(ptr, 0);

	ps_picked_end_large(self, ptr);
	ps_count_freed(self, ps_class_of_usable(usable), usable);
	je_dallocx(ptr, ps_range_is_large(ptr) ? JE_TCACHE_NONE : 0);
}

static void
free_elsewhere(struct ps_thread *self, void *ptr)
{
	if (ps_large_is_jemalloc(ptr)) {
		if (ps_is_counted_large(ptr))
			free_large(self, ptr);
		else
			je_dallocx(ptr, 0);
	} else if (ps_real.free != NULL) {
		ps_real.free(ptr);
	}
}

PS_NOINLINE void
ps_free(void *ptr)
{
	struct ps_thread *self = &ps_self;
	int saved_errno;

	if (ptr == NULL || ps_is_bootstrap(ptr))
		return;
	saved_errno = errno;
	if (self->heap == NULL)
		(void)ps_thread_register(self);
	if (ps_range_is_pool(ptr))
		free_pool(self, ps_page_of(ptr), ptr);
	else if (ps_range_is_large(ptr))
		free_large(self, ptr);
	else
		free_elsewhere(self, ptr);
	errno = saved_errno;
}

size_t
ps_usable_size(const void *ptr)
{
	if (ptr == NULL)
		return 0;
	if (ps_range_is_pool(ptr))
		return ps_page_of(ptr)->block_bytes;
	if (ps_range_is_large(ptr))
		return je_sallocx(ptr, 0);
	if (ps_is_bootstrap(ptr))
		return ((const size_t *)ptr)[-1];
	if (ps_large_is_jemalloc(ptr))
		return je_sallocx(ptr, 0);
	return ps_real.usable_size != NULL
		   ? ps_real.usable_size((void *)(uintptr_t)ptr)
		   : 0;
}

/* ---- realloc ------------------------------------------------------------ */

/* The block stays where it is and as large as it was. */
static bool
fits_in_place(struct ps_thread *self, void *ptr, size_t size)
{
	const struct ps_page *page;

	if (self->heap == NULL || self->depth > 0 || !ps_range_is_pool(ptr) ||
	    size > PS_POOL_SMALL_MAX)
		return false;
	page = ps_page_of(ptr);
	return ps_peek(&page->owner) == (uintptr_t)self->heap &&
	       ps_class_of(size) == page->cls &&
	       size < ps_peek(&self->row->bytes_left);
}

static void *
count_in_place(struct ps_thread *self, void *ptr, size_t size)
{
	unsigned cls = ps_page_of(ptr)->cls;
	struct ps_record_thread *row = self->row;

	ps_bump(&row->allocations, 1);
	ps_bump(&row->class_allocations[cls], 1);
	ps_bump(&row->class_frees[cls], 1);
	ps_poke(&row->bytes_left, ps_peek(&row->bytes_left) - size);
	return ptr;
}

static bool
is_large_to_large(const struct ps_thread *self, const void *ptr, size_t size)
{
	return self->heap != NULL && self->depth == 0 &&
	       ps_range_is_large(ptr) && size > PS_POOL_SMALL_MAX &&
	       size <= PTRDIFF_MAX;
}

static void
count_grown(struct ps_thread *self, void *block, size_t size,
	    const struct ps_unwind_context *caller)
{
	struct ps_record_thread *row = self->row;
	uint64_t left = ps_peek(&row->bytes_left);
	size_t usable = je_sallocx(block, 0);

	ps_count_allocated(self, ps_class_of_usable(usable), usable);
	if (size < left) {
		ps_poke(&row->bytes_left, left - size);
		return;
	}
	if (ps_record->sampling.mode != PS_SAMPLE_OFF &&
	    ps_thread_enter(self)) {
		ps_ticks begun = ps_thread_beat(self);
		uint32_t site = ps_picked_site(self, caller);

		ps_bump(&row->samples, 1);
		if (site != UINT32_MAX)
			ps_picked_large(self, site, size, block);
		else
			atomic_fetch_add(&ps_record->sampling.dropped, 1);
		ps_thread_count_cost(begun);
		ps_thread_leave(self);
	}
	ps_thread_redraw(self, size);
}

static void *
grow_large(struct ps_thread *self, void *ptr, size_t size,
	   const struct ps_unwind_context *caller)
{
	size_t usable = je_sallocx(ptr, 0);
	struct ps_birth birth;
	bool is_sampled = ps_sample_take((uintptr_t)ptr, &birth);
	void *block = ps_large_realloc(ptr, size, self->row_index);

	if (block == NULL) {
		if (is_sampled)
			(void)ps_sample_keep((uintptr_t)ptr, &birth);
		errno = ENOMEM;
		return NULL;
	}
	if (is_sampled)
		ps_picked_end(self, &birth);
	ps_count_freed(self, ps_class_of_usable(usable), usable);
	count_grown(self, block, size, caller);
	return block;
}

PS_NOINLINE void *
ps_realloc(void *ptr, size_t size, const struct ps_unwind_context *caller)
{
	struct ps_thread *self = &ps_self;
	int saved_errno = errno;
	void *block;

	if (fits_in_place(self, ptr, size))
		return count_in_place(self, ptr, size);
	if (is_large_to_large(self, ptr, size)) {
		block = grow_large(self, ptr, size, caller);
		if (block != NULL)
			errno = saved_errno;
		return block;
	}
	block = ps_alloc(size, 16, false, caller);
	if (block == NULL)
		return NULL;
	memcpy(block, ptr, PS_MIN(size, ps_usable_size(ptr)));
	free(ptr);
	errno = saved_errno;
	return block;
}
