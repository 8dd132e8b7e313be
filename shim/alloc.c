/* SPDX-License-Identifier: MIT */
/*
 * alloc - the slow side of every allocation function
 *
 * Where a block comes from, in this order:
 *   - nobody relocated us yet (an IFUNC resolver called malloc): a static
 *     buffer, whose blocks are never freed
 *   - the thread cannot be known (start-up under way, thread already ended, no
 *     memory for tables): jemalloc, counted with the ended threads
 *   - the thread is inside the shim: an internal page, never counted
 *   - the countdown ran out: a sampled page, or jemalloc and the sample table
 *   - else the thread's bin, or jemalloc for what the pool does not serve
 *
 * Where a block goes is read off its address: the pool's range and the kind of
 * its page; jemalloc's range; anything else is asked of jemalloc's own index
 * and, if unknown there, given to libc, which may have made it before us or in
 * a library that was loaded past us (RTLD_DEEPBIND).
 *
 * Stacks are taken before any lock is held.
 */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "pool/bin.h"
#include "pool/jemalloc.h"
#include "pool/kind.h"
#include "pool/large.h"
#include "record/writer.h"
#include "shim/alloc.h"
#include "shim/count.h"
#include "shim/forked.h"
#include "shim/harden.h"
#include "shim/picked.h"
#include "shim/start.h"
#include "shim/strict.h"
#include "shim/watch.h"

/* Untouched, it costs address space only. */
enum { BOOTSTRAP_BYTES = 1 << 20, RETRY_BYTES_MAX = 1 << 20 };
enum { SAMPLED_LEAST = 64 };

/* ---- before relocation -------------------------------------------------- */

static PS_BIG char bootstrap[BOOTSTRAP_BYTES] PS_ALIGNED(16);
static _Atomic size_t bootstrap_used;
/*
 * Until the loader has relocated this library, its functions are called through
 * no table (hazards A5).  Then this reads as whatever the linker left there:
 * nothing, or the address less where the library was mapped.
 */
static void *volatile relocated = &bootstrap;

bool
ps_is_relocated(void)
{
	return relocated == &bootstrap;
}

bool
ps_is_bootstrap(const void *ptr)
{
	return (uintptr_t)ptr - (uintptr_t)bootstrap < sizeof(bootstrap);
}

/* The size is kept in the 16 bytes before the block. */
static void *
bootstrap_alloc(size_t size, size_t align)
{
	size_t start = ps_peek(&bootstrap_used);
	size_t need;
	uintptr_t block;

	if (size > sizeof(bootstrap) || align > sizeof(bootstrap))
		return NULL;
	need = PS_ROUND_UP(size, (size_t)16) + align + 16;
	do
		if (need > sizeof(bootstrap) - start)
			return NULL;
	while (!atomic_compare_exchange_weak(&bootstrap_used, &start,
					     start + need));
	block = PS_ROUND_UP((uintptr_t)bootstrap + start + 16, align);
	((size_t *)block)[-1] = size;
	return (void *)block;
}

/* By hand: memcpy is called through a table. */
void *
ps_bootstrap_realloc(const void *ptr, size_t size)
{
	volatile char *block = bootstrap_alloc(size, 16);
	const volatile char *from = ptr;
	size_t kept = PS_MIN(size, ps_usable_size(ptr));

	for (size_t i = 0; i < kept && block != NULL; i++)
		block[i] = from[i];
	return (void *)block;
}

/* ---- blocks of jemalloc ------------------------------------------------- */

static int
je_flags(size_t align, bool is_zeroed)
{
	return (align > 16 ? JE_ALIGN(align) : 0) | (is_zeroed ? JE_ZERO : 0);
}

/* jemalloc's smallest class is 8 bytes, and aligned to 8 only. */
static void *
large_block(size_t size, size_t align, bool is_zeroed, unsigned hint)
{
	return ps_large_alloc(PS_MAX(size, (size_t)16),
			      je_flags(align, is_zeroed), hint);
}

static void *
uncounted_block(size_t size, size_t align, bool is_zeroed)
{
	return ps_outside_alloc(PS_MAX(size, (size_t)16),
				je_flags(align, is_zeroed), false);
}

static void *
stray_block(size_t size, size_t align, bool is_zeroed)
{
	void *block = large_block(size, align, is_zeroed, 0);

	if (block != NULL && ps_is_counted_large(block)) {
		size_t usable = ps_large_usable(block);
		unsigned cls = ps_class_of_usable(usable);

		ps_thread_count_stray(
		    cls, 1, cls == PS_CLASS_LARGE ? (int64_t)usable : 0);
	}
	if (ps_self.has_ended)
		ps_je_thread_end();
	return block;
}

/* ---- blocks of the pool ------------------------------------------------- */

static unsigned
pool_class(size_t size, size_t align)
{
	if (!ps_options.is_pool_on)
		return PS_POOL_CLASSES;
	return ps_class_of_aligned(size, align);
}

static void *
bin_block(struct ps_thread *self, unsigned cls)
{
	void *block = ps_heap_pop(self->heap, cls);

	if (block != NULL)
		return block;
	ps_thread_pulse(self);
	return ps_heap_refill(self->heap, cls);
}

static void *
internal_block(struct ps_thread *self, size_t size, size_t align,
	       bool is_zeroed)
{
	unsigned cls = pool_class(size, align);
	void *block = NULL;

	if (cls < PS_POOL_CLASSES && self->depth == 1)
		block = ps_heap_alloc_shared(cls, PS_PAGE_INTERNAL);
	if (block == NULL)
		return uncounted_block(size, align, is_zeroed);
	return is_zeroed ? memset(block, 0, ps_class_bytes(cls)) : block;
}

static void
count_from_bin(struct ps_thread *self, unsigned cls)
{
	ps_bump(&self->row->allocations, 1);
	ps_bump(&self->row->class_allocations[cls], 1);
}

static void *
plain_block(struct ps_thread *self, size_t size, size_t align, bool is_zeroed)
{
	unsigned cls = pool_class(size, align);
	void *block = NULL;
	size_t usable;

	if (cls < PS_POOL_CLASSES) {
		block = bin_block(self, cls);
		if (block != NULL) {
			count_from_bin(self, cls);
			return is_zeroed ? memset(block, 0, size) : block;
		}
	}
	block = large_block(size, align, is_zeroed, self->row_index);
	if (block == NULL || ps_unlikely(!ps_is_counted_large(block)))
		return block;
	usable = ps_large_usable(block);
	ps_count_allocated(self, ps_class_of_usable(usable), usable);
	return block;
}

/* ---- samples ------------------------------------------------------------ */

/*
 * Where few blocks are sampled, they are served in powers of four from 64 bytes
 * on: each of all 40 classes would touch a page for its first block and one for
 * that one's mark, and a hundred samples of a short run have most sizes.  They
 * count in the class that they would have had, so that figures do not depend on
 * who was sampled.
 */
static unsigned
page_class(size_t size, size_t align)
{
	unsigned bits;

	if (ps_record->sampling.mode != PS_SAMPLE_ALL) {
		size = PS_MAX(size, (size_t)SAMPLED_LEAST);
		bits = 64 - (unsigned)__builtin_clzll(size - 1);
		size = PS_MIN((size_t)1 << (bits + bits % 2),
			      (size_t)PS_POOL_SMALL_MAX);
	}
	return pool_class(size, align);
}

/* A block with a mark beside it. */
static void *
sampled_pool_block(struct ps_thread *self, size_t size, size_t align,
		   bool is_zeroed, uint32_t site)
{
	unsigned cls = pool_class(size, align);
	unsigned served = page_class(size, align);
	void *block =
	    ps_record->sampling.mode == PS_SAMPLE_ALL
		? ps_heap_alloc_kind(self->heap, served, PS_PAGE_SAMPLED)
		: ps_heap_alloc_shared(served, PS_PAGE_SAMPLED);

	if (block == NULL)
		return NULL;
	ps_count_allocated(self, cls, 0);
	ps_picked_pool(self, site, size, cls, block);
	return is_zeroed ? memset(block, 0, size) : block;
}

static void *
take_sample(struct ps_thread *self, size_t size, size_t align, bool is_zeroed,
	    uint32_t site)
{
	unsigned cls = pool_class(size, align);
	void *block = NULL;

	/* Its blocks of sampled pages have marks behind them, all of them. */
	if (ps_harden_is_on())
		block = ps_harden_alloc(self, size, align, is_zeroed, site);
	else if (site != UINT32_MAX && cls < PS_POOL_CLASSES)
		block = sampled_pool_block(self, size, align, is_zeroed, site);
	if (block != NULL)
		return block;
	block = plain_block(self, size, align, is_zeroed);
	if (block == NULL)
		return NULL;
	if (site == UINT32_MAX || !ps_is_counted_large(block))
		atomic_fetch_add(&ps_record->sampling.dropped, 1);
	else
		ps_picked_large(self, site, size, block);
	return block;
}

static void *
sampled_block(struct ps_thread *self, size_t size, size_t align, bool is_zeroed,
	      const struct ps_unwind_context *caller)
{
	ps_ticks begun;
	uint32_t site;
	void *block;

	if (!ps_thread_enter(self))
		return NULL;
	self->entered_at = (uintptr_t)__builtin_frame_address(0);
	begun = ps_thread_beat(self);
	site = ps_picked_site(self, caller);
	ps_thread_count_cost(begun); /* the allocation itself is none */
	block = take_sample(self, size, align, is_zeroed, site);
	if (block != NULL) {
		ps_bump(&self->row->samples, 1);
		ps_thread_redraw(self, size);
	}
	ps_thread_leave(self);
	return block;
}

/* ---- allocating --------------------------------------------------------- */

static void *
counted_block(struct ps_thread *self, size_t size, size_t align, bool is_zeroed,
	      const struct ps_unwind_context *caller)
{
	struct ps_record_thread *row = self->row;
	uint64_t left = ps_peek(&row->bytes_left);
	void *block;

	if (size >= left && ps_record->sampling.mode != PS_SAMPLE_OFF &&
	    size <= PTRDIFF_MAX && !ps_strict_drops(self))
		return sampled_block(self, size, align, is_zeroed, caller);
	block = plain_block(self, size, align, is_zeroed);
	if (block == NULL)
		return NULL;
	if (size < left)
		ps_poke(&row->bytes_left, left - size);
	else
		ps_thread_redraw(self, size);
	return block;
}

static void *
any_block(size_t size, size_t align, bool is_zeroed,
	  const struct ps_unwind_context *caller)
{
	struct ps_thread *self = &ps_self;
	void *block;

	ps_forked_settle();
	if (self->heap == NULL && !ps_thread_register(self))
		return stray_block(size, align, is_zeroed);
	if (self->depth > 0 && !ps_thread_heal(self))
		return internal_block(self, size, align, is_zeroed);
	self->caller = caller;
	block = counted_block(self, size, align, is_zeroed, caller);
	self->caller = NULL;
	return block;
}

PS_NOINLINE void *
ps_alloc(size_t size, size_t align, bool is_zeroed,
	 const struct ps_unwind_context *caller)
{
	int saved_errno;
	void *block;

	if (ps_unlikely(!ps_is_relocated()))
		return bootstrap_alloc(size, align);
	saved_errno = errno;
	block = any_block(size, align, is_zeroed, caller);
	/* What failed may have failed for a moment only: jemalloc's start. */
	if (ps_unlikely(block == NULL) && size <= RETRY_BYTES_MAX)
		block = any_block(size, align, is_zeroed, caller);
	errno = block != NULL ? saved_errno : ENOMEM;
	if (ps_unlikely(block == NULL) && ps_record != NULL) {
		atomic_fetch_add(&ps_record->heap.failed, 1);
		ps_watch_failed(caller);
	}
	return block;
}
