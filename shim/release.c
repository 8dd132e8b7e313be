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
#include "pool/large.h"
#include "pool/outside.h"
#include "profile/sample.h"
#include "record/writer.h"
#include "shim/alloc.h"
#include "shim/blame.h"
#include "shim/malloc.h"
#include "shim/count.h"
#include "shim/forked.h"
#include "shim/harden.h"
#include "shim/picked.h"
#include "shim/start.h"

/* Ends the program when no block of the pool can start there. */
static void
check_pool(const char *call, const struct ps_page *page, const void *ptr)
{
	size_t offset = (uintptr_t)ptr - page->start;

	if (ps_unlikely(ps_peek(&page->owner) == 0))
		ps_die_of(call, ptr, "not an allocated block");
	if (ps_unlikely(!ps_page_is_start(page, ptr) ||
			offset / page->block_bytes >= page->blocks))
		ps_die_of(call, ptr, "not the start of a block");
}

/* The same for jemalloc's range. */
static void
check_large(const char *call, const void *ptr)
{
	if (ps_unlikely(!ps_large_is_start(ptr)))
		ps_die_of(call, ptr,
			  (uintptr_t)ptr % 4096 == 0
			      ? "double free, or not the start of a block"
			      : "not the start of a block");
}

/* The block itself, or one that waited until now; NULL: this one waits. */
static void *
end_hardened(struct ps_thread *self, struct ps_page *page, void *ptr,
	     const struct ps_unwind_context *caller)
{
	ps_count_freed(self, page->cls, 0);
	return ps_harden_free_sampled(self, ptr, caller);
}

static void
give_back(struct ps_thread *self, void *ptr)
{
	struct ps_page *page = ps_page_of(ptr);
	uintptr_t owner =
	    atomic_load_explicit(&page->owner, memory_order_acquire);

	if ((owner & PS_PAGE_KIND_MASK) == PS_PAGE_PLAIN ||
	    !ps_heap_free_kind(self->heap, page, ptr))
		ps_heap_free_remote(page, ptr);
}

static void
free_pool(struct ps_thread *self, struct ps_page *page, void *ptr,
	  const struct ps_unwind_context *caller)
{
	uintptr_t owner =
	    atomic_load_explicit(&page->owner, memory_order_acquire);
	enum ps_page_kind kind = owner & PS_PAGE_KIND_MASK;
	unsigned cls = page->cls;

	check_pool("free", page, ptr);
	if (owner == (uintptr_t)self->heap) {
		/* The thread has just got to know its heap, or the block was
		 * freed just now. */
		ps_die_if_free(self->heap, ptr);
		ps_bin_push(&self->heap->bin[page->cls], ptr);
		ps_bump(&self->row->class_frees[page->cls], 1);
		return;
	}
	if (kind == PS_PAGE_SAMPLED && ps_harden_is_on()) {
		ptr = end_hardened(self, page, ptr, caller);
		if (ptr == NULL)
			return;
		give_back(self, ptr);
		return;
	}
	if (kind == PS_PAGE_SAMPLED)
		cls = ps_picked_end_pool(self, page, ptr);
	if (kind != PS_PAGE_INTERNAL)
		ps_count_freed(self, cls, 0);
	give_back(self, ptr);
}

static void
free_large(struct ps_thread *self, void *ptr)
{
	size_t usable;

	check_large("free", ptr);
	usable = ps_large_usable(ptr);
	ps_picked_end_large(self, ptr);
	ps_count_freed(self, ps_class_of_usable(usable), usable);
	if (!ps_large_free(ptr))
		ps_die_of_free(ptr, "double free, by two threads at once");
}

static void
free_elsewhere(struct ps_thread *self, void *ptr)
{
	if (ps_is_bootstrap(ptr))
		return;
	if (ps_outside_holds(ptr)) {
		if (ps_is_counted_large(ptr))
			free_large(self, ptr);
		else
			(void)ps_large_free(ptr);
	} else if (ps_real.free != NULL) {
		ps_blame_foreign("free", ptr);
		ps_real.free(ptr);
	}
}

static void
free_any(struct ps_thread *self, void *ptr,
	 const struct ps_unwind_context *caller)
{
	if (ps_range_is_pool(ptr))
		free_pool(self, ps_page_of(ptr), ptr, caller);
	else if (ps_range_is_large(ptr))
		free_large(self, ptr);
	else if (ps_guard_holds(ptr))
		ps_harden_free(self, ptr, caller);
	else
		free_elsewhere(self, ptr);
}

/* Tail-called by free and its kin, so that their caller is ours. */
PS_NOINLINE PS_REALIGNED void
ps_free(void *ptr)
{
	struct ps_thread *self = &ps_self;
	struct ps_unwind_context caller;
	int saved_errno;

	PS_UNWIND_CALLER(&caller);
	if (ptr == NULL || ps_is_bootstrap(ptr))
		return;
	saved_errno = errno;
	ps_forked_settle();
	if (self->heap == NULL)
		(void)ps_thread_register(self);
	free_any(self, ptr, &caller);
	if (ps_unlikely(self->has_ended))
		ps_je_thread_end();
	errno = saved_errno;
}

/* Whether marks around blocks of that page are kept. */
static bool
is_hardened(const struct ps_page *page)
{
	return ps_unlikely(ps_harden_is_on()) &&
	       (ps_peek(&page->owner) & PS_PAGE_KIND_MASK) == PS_PAGE_SAMPLED;
}

static size_t
usable_of_pool(const void *ptr)
{
	const struct ps_page *page = ps_page_of(ptr);

	if (is_hardened(page))
		return ps_harden_usable_sampled(ptr);
	return page->block_bytes;
}

size_t
ps_usable_size(const void *ptr)
{
	if (ptr == NULL)
		return 0;
	if (ps_range_is_pool(ptr))
		return usable_of_pool(ptr);
	if (ps_guard_holds(ptr))
		return ps_harden_usable(ptr);
	if (ps_range_is_large(ptr))
		return ps_large_usable(ptr);
	if (ps_is_bootstrap(ptr))
		return ((const size_t *)ptr)[-1];
	if (ps_outside_holds(ptr))
		return ps_large_usable(ptr);
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
	size_t usable = ps_large_usable(block);

	if (ps_unlikely(!ps_is_counted_large(block)))
		return;
	ps_count_allocated(self, ps_class_of_usable(usable), usable);
	if (size < left)
		ps_poke(&row->bytes_left, left - size);
	else
		ps_picked_its_turn(self, size, block, caller);
}

static void *
grow_large(struct ps_thread *self, void *ptr, size_t size,
	   const struct ps_unwind_context *caller)
{
	size_t usable = ps_large_usable(ptr);
	struct ps_birth birth;
	bool is_sampled = ps_sample_take((uintptr_t)ptr, &birth);
	void *block = ps_large_realloc(ptr, size, self->row_index);

	if (block == NULL) {
		if (is_sampled)
			(void)ps_sample_keep((uintptr_t)ptr, &birth);
		return NULL;
	}
	if (is_sampled)
		ps_picked_end(self, &birth);
	ps_count_freed(self, ps_class_of_usable(usable), usable);
	count_grown(self, block, size, caller);
	return block;
}

static void
check_block(const char *call, void *ptr)
{
	if (ps_range_is_pool(ptr)) {
		check_pool(call, ps_page_of(ptr), ptr);
		if (is_hardened(ps_page_of(ptr)))
			ps_harden_check_sampled(call, ptr);
	} else if (ps_guard_holds(ptr)) {
		ps_harden_check(call, ptr);
	} else if (ps_range_is_large(ptr) || ps_outside_holds(ptr)) {
		check_large(call, ptr);
	} else if (!ps_is_bootstrap(ptr) && ps_real.free != NULL) {
		ps_blame_foreign(call, ptr);
	}
}

PS_NOINLINE void *
ps_realloc(void *ptr, size_t size, const struct ps_unwind_context *caller)
{
	struct ps_thread *self = &ps_self;
	int saved_errno;
	void *block;

	if (ps_unlikely(!ps_is_relocated()))
		return ps_bootstrap_realloc(ptr, size);
	saved_errno = errno;
	ps_forked_settle();
	check_block("realloc", ptr);
	if (fits_in_place(self, ptr, size))
		return count_in_place(self, ptr, size);
	if (is_large_to_large(self, ptr, size)) {
		block = grow_large(self, ptr, size, caller);
		if (block != NULL) {
			errno = saved_errno;
			return block;
		}
		/* The range may be used up where memory is not. */
	}
	block = ps_alloc(size, 16, false, caller);
	if (block == NULL)
		return NULL;
	memcpy(block, ptr, PS_MIN(size, ps_usable_size(ptr)));
	if (ps_unlikely(ps_harden_is_on()))
		free_any(self, ptr, caller);
	else
		free(ptr);
	errno = saved_errno;
	return block;
}
