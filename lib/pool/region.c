/* SPDX-License-Identifier: MIT */
/*
 * region - a reserved piece of address space, and jemalloc's hooks over it
 *
 * Addresses are handed out in the order they are asked for, a bump, and never
 * taken back: jemalloc retains.  It grows an arena by doubling pieces; a piece
 * is made writable as a whole, which costs no memory until it is touched.  When
 * the kernel counts it against a limit and refuses, the hook fails and jemalloc
 * asks for less.
 */
#include <errno.h>

#include "base/os.h"
#include "pool/region.h"

#define PROBE_BYTES ((size_t)1 << 30)
enum { ALIGN_MIN = 1 << 16 };
_Static_assert(offsetof(struct ps_region, hooks) == 0,
	       "a hook gets its address");

/* Addresses for `bytes`, aligned; 0 when the region is used up. */
static uintptr_t
bump(struct ps_region *r, size_t bytes, size_t align)
{
	size_t taken = ps_peek(&r->taken);
	size_t start;
	size_t all;

	do {
		start = PS_ROUND_UP(r->base + taken, align) - r->base;
		all = ps_peek(&r->bytes);
		if (bytes > all || start > all - bytes)
			return 0;
	} while (
	    !atomic_compare_exchange_weak(&r->taken, &taken, start + bytes));
	return r->base + start;
}

/*
 * There was no memory for them: they are the next ones again, unless others
 * were taken since.  A program at its limit asks in vain many times, and would
 * use the region up.
 */
static void
unbump(struct ps_region *r, uintptr_t start, size_t bytes)
{
	size_t end = start + bytes - r->base;

	(void)atomic_compare_exchange_strong(&r->taken, &end, start - r->base);
}

/*
 * Whether the kernel would give that much to a program that simply maps it: in
 * a reservation it does not look (overcommit_memory 0 refuses one mapping
 * larger than all memory).
 */
static bool
is_obvious_overcommit(size_t bytes)
{
	void *probe;

	if (bytes < PROBE_BYTES)
		return false;
	if (ps_os_map(bytes, &probe) != 0)
		return true;
	(void)ps_os_unmap(probe, bytes);
	return false;
}

/* Somebody else's mapping may be there by now: it stays. */
static int
make_writable(const struct ps_region *r, uintptr_t start, size_t bytes)
{
	if (ps_peek(&r->is_mapped_late))
		return ps_os_map_at((void *)start, bytes);
	return ps_os_commit((void *)start, bytes);
}

uintptr_t
ps_region_take(struct ps_region *r, size_t bytes, size_t align)
{
	uintptr_t start = bump(r, bytes, align);
	int error;

	PS_ASSERT(align != 0 && (align & (align - 1)) == 0);
	if (start == 0)
		return 0;
	error = make_writable(r, start, bytes);
	if (error != 0) {
		if (error != -EEXIST)
			unbump(r, start, bytes);
		return 0;
	}
	if (r->commit_along != NULL && !r->commit_along(start, bytes))
		return 0;
	return start;
}

static void *
hook_alloc(je_extent_hooks *hooks, void *at, size_t bytes, size_t align,
	   bool *is_zeroed, bool *is_committed, unsigned arena)
{
	struct ps_region *r = (struct ps_region *)hooks;
	uintptr_t start;

	(void)arena;
	if (at != NULL || is_obvious_overcommit(bytes))
		return NULL;
	start = ps_region_take(r, bytes, PS_MAX(align, (size_t)ALIGN_MIN));
	if (start == 0)
		return NULL;
	*is_zeroed = true;
	*is_committed = true;
	return (void *)start;
}

/* true: no, keep it.  Addresses are never given back. */
static bool
hook_dalloc(je_extent_hooks *hooks, void *at, size_t bytes, bool is_committed,
	    unsigned arena)
{
	(void)hooks;
	(void)at;
	(void)bytes;
	(void)is_committed;
	(void)arena;
	return true;
}

static void
hook_destroy(je_extent_hooks *hooks, void *at, size_t bytes, bool is_committed,
	     unsigned arena)
{
	(void)hooks;
	(void)is_committed;
	(void)arena;
	(void)ps_os_discard(at, bytes);
}

static bool
hook_commit(je_extent_hooks *hooks, void *at, size_t bytes, size_t offset,
	    size_t length, unsigned arena)
{
	(void)hooks;
	(void)bytes;
	(void)arena;
	return ps_os_commit((char *)at + offset, length) != 0;
}

static bool
hook_refuse(je_extent_hooks *hooks, void *at, size_t bytes, size_t offset,
	    size_t length, unsigned arena)
{
	(void)hooks;
	(void)at;
	(void)bytes;
	(void)offset;
	(void)length;
	(void)arena;
	return true;
}

static bool
hook_purge_lazy(je_extent_hooks *hooks, void *at, size_t bytes, size_t offset,
		size_t length, unsigned arena)
{
	(void)hooks;
	(void)bytes;
	(void)arena;
	return ps_os_discard_lazy((char *)at + offset, length) != 0;
}

static bool
hook_purge_forced(je_extent_hooks *hooks, void *at, size_t bytes, size_t offset,
		  size_t length, unsigned arena)
{
	(void)hooks;
	(void)bytes;
	(void)arena;
	return ps_os_discard((char *)at + offset, length) != 0;
}

static bool
hook_split(je_extent_hooks *hooks, void *at, size_t bytes, size_t first,
	   size_t second, bool is_committed, unsigned arena)
{
	(void)hooks;
	(void)at;
	(void)bytes;
	(void)first;
	(void)second;
	(void)is_committed;
	(void)arena;
	return false;
}

static bool
hook_merge(je_extent_hooks *hooks, void *first, size_t first_bytes,
	   void *second, size_t second_bytes, bool is_committed, unsigned arena)
{
	(void)hooks;
	(void)first;
	(void)first_bytes;
	(void)second;
	(void)second_bytes;
	(void)is_committed;
	(void)arena;
	return false;
}

void
ps_region_fill_hooks(je_extent_hooks *hooks, ps_extent_alloc *alloc)
{
	*hooks = (je_extent_hooks){
	    .alloc = alloc,
	    .dalloc = hook_dalloc,
	    .destroy = hook_destroy,
	    .commit = hook_commit,
	    .decommit = hook_refuse,
	    .purge_lazy = hook_purge_lazy,
	    .purge_forced = hook_purge_forced,
	    .split = hook_split,
	    .merge = hook_merge,
	};
}

void
ps_region_init(struct ps_region *r, uintptr_t base, size_t bytes,
	       bool (*commit_along)(uintptr_t start, size_t bytes))
{
	ps_region_fill_hooks(&r->hooks, hook_alloc);
	r->base = base;
	r->bytes = bytes;
	r->commit_along = commit_along;
}

/*
 * Nothing can be taken while this goes on: who asks finds the region used up,
 * and takes a block from elsewhere.  Whoever looked at `taken` before must not
 * find it unchanged afterwards, since the end that it saw is another: so it
 * moves by a unit.
 */
size_t
ps_region_trim(struct ps_region *r, size_t room, bool is_mapped_late)
{
	size_t before = ps_peek(&r->bytes);
	size_t all = before;
	size_t taken;
	size_t next;

	/* A limit that is set again costs no unit again. */
	if (!is_mapped_late && room >= before - ps_peek(&r->taken))
		return before;
	taken = atomic_exchange(&r->taken, before);
	PS_ASSERT(taken <= before);
	next = PS_ROUND_UP(taken, (size_t)ALIGN_MIN) + ALIGN_MIN;
	if (next < before && room < before - next)
		all = next + (room & ~(size_t)(ALIGN_MIN - 1));
	ps_poke(&r->bytes, all);
	if (is_mapped_late)
		ps_poke(&r->is_mapped_late, true);
	atomic_store(&r->taken, PS_MIN(next, all));
	PS_ASSERT(all <= before);
	return all;
}
