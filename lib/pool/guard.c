/* SPDX-License-Identifier: MIT */
/*
 * guard - blocks in pages of their own, up against a page that nobody may touch
 *
 * The reserved range is cut into places of 2^order pages and a guard page, by
 * bumping; a place keeps its order for good.  A freed place goes to the end of
 * its order's queue and is taken from the front again when the queue is longer
 * than the quarantine, so the oldest dead block is what goes first.
 *
 * A live block splits the kernel's map of the range in three, and the kernel
 * allows 65530 pieces a process (hazards F10): hence the limit on live blocks.
 * A dead one joins its neighbours again.
 *
 * Costs: two system calls a block and the faults of its pages.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/lock.h"
#include "pool/guard.h"
#include "pool/poison.h"

enum {
	PAGE = 4096,
	PAGE_SHIFT = 12,
	ORDERS = 14,	      /* up to 32 MiB */
	QUARANTINE = 1 << 14, /* places of one page; fewer of larger ones */
	QUARANTINE_MIN = 16,
	PLACES_MAX = 1 << 20,
	SCARCE_TURN = 64,
	NO_PLACE = 0,
};
#define RANGE_BYTES ((size_t)64 << 30)
_Static_assert(PAGE == 1 << PAGE_SHIFT, "a page");

struct queue {
	uint32_t first;
	uint32_t last;
	uint32_t count;
};

struct ps_guard_range ps_guard_range;

static struct ps_lock lock;
static struct ps_guard *places; /* [0] is not used */
static uint32_t *place_of_page;
static uint32_t place_count = 1;
static size_t taken; /* bytes of the range */
static struct queue freed[ORDERS];
static uint32_t live;
static uint32_t live_limit;
static uint32_t turn;

static bool
reserve(size_t bytes)
{
	size_t pages = bytes >> PAGE_SHIFT;
	size_t index = PS_ROUND_UP(pages * sizeof(uint32_t), (size_t)PAGE);
	size_t records = PS_ROUND_UP(PS_MIN(pages / 2 + 1, (size_t)PLACES_MAX) *
					 sizeof(*places),
				     (size_t)PAGE);
	void *memory;

	if (ps_os_reserve(bytes + index + records, &memory) != 0)
		return false;
	if (ps_os_commit((char *)memory + bytes, index + records) != 0) {
		(void)ps_os_unmap(memory, bytes + index + records);
		return false;
	}
	place_of_page = (uint32_t *)((char *)memory + bytes);
	places = (struct ps_guard *)((char *)memory + bytes + index);
	ps_guard_range.base = (uintptr_t)memory;
	ps_guard_range.bytes = bytes;
	return true;
}

int
ps_guard_init(uint32_t live_max)
{
	uint64_t limit = ps_os_limit(RLIMIT_AS);
	size_t bytes = RANGE_BYTES;

	PS_ASSERT(ps_guard_range.bytes == 0);
	if (limit / 8 < bytes)
		bytes = (size_t)(limit / 8) & ~(size_t)(PAGE - 1);
	while (bytes >= (size_t)1 << 20 && !reserve(bytes))
		bytes = bytes / 4 & ~(size_t)(PAGE - 1);
	if (ps_guard_range.bytes == 0)
		return -ENOMEM;
	live_limit = live_max;
	taken = PAGE; /* nothing lies before the first block */
	return 0;
}

/* ---- places ------------------------------------------------------------- */

static uintptr_t
end_of(const struct ps_guard *g)
{
	return g->place + ((uintptr_t)PAGE << g->order);
}

/* First page that is the block's. */
static uintptr_t
first_page(const struct ps_guard *g)
{
	return g->start & ~(uintptr_t)(PAGE - 1);
}

static void
push(struct queue *q, uint32_t place)
{
	PS_ASSERT(place != NO_PLACE && place < place_count);
	places[place].next = NO_PLACE;
	if (q->count++ == 0)
		q->first = place;
	else
		places[q->last].next = place;
	q->last = place;
}

static uint32_t
pop(struct queue *q)
{
	uint32_t place = q->first;

	PS_ASSERT(q->count > 0 && place != NO_PLACE);
	q->first = places[place].next;
	q->count--;
	PS_ASSERT((q->first == NO_PLACE) == (q->count == 0));
	return place;
}

static uint32_t
new_place(unsigned order)
{
	size_t pages = ((size_t)1 << order) + 1;
	uint32_t place = place_count;

	if (place == PLACES_MAX ||
	    taken + (pages << PAGE_SHIFT) > ps_guard_range.bytes)
		return NO_PLACE;
	places[place] = (struct ps_guard){
	    .place = ps_guard_range.base + taken,
	    .order = order,
	};
	for (size_t i = 0; i < pages; i++)
		place_of_page[(taken >> PAGE_SHIFT) + i] = place;
	taken += pages << PAGE_SHIFT;
	place_count++;
	return place;
}

static uint32_t
take_place_locked(unsigned order)
{
	struct queue *q = &freed[order];
	uint32_t quarantine =
	    PS_MAX((uint32_t)QUARANTINE >> order, (uint32_t)QUARANTINE_MIN);
	uint32_t place = NO_PLACE;

	if (q->count <= quarantine)
		place = new_place(order);
	if (place == NO_PLACE && q->count > 0)
		place = pop(q);
	return place;
}

/* What is left when few places are free goes to a few, all over the run. */
static bool
is_turn_locked(void)
{
	if (live >= live_limit)
		return false;
	return live < live_limit - live_limit / 4 || turn++ % SCARCE_TURN == 0;
}

static struct ps_guard *
take_place(unsigned order)
{
	uint32_t place = NO_PLACE;

	ps_lock_take(&lock);
	if (is_turn_locked())
		place = take_place_locked(order);
	if (place != NO_PLACE)
		live++;
	ps_lock_give(&lock);
	return place == NO_PLACE ? NULL : &places[place];
}

static void
give_place(struct ps_guard *g)
{
	ps_lock_take(&lock);
	PS_ASSERT(live > 0);
	push(&freed[g->order], (uint32_t)(g - places));
	live--;
	ps_lock_give(&lock);
}

/* ---- blocks ------------------------------------------------------------- */

/* Pages that a block needs, whatever the place's start is a multiple of. */
static unsigned
order_of(size_t size, size_t align)
{
	size_t bytes = size + (align > PAGE ? align : 0);
	size_t pages = (bytes + PAGE - 1) >> PAGE_SHIFT;

	return pages <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(pages - 1);
}

/* The marked bytes before and after a block: at most a page of each. */
static size_t
marked_before(const struct ps_guard *g)
{
	return g->start - first_page(g);
}

static size_t
marked_after(const struct ps_guard *g)
{
	size_t rest = end_of(g) - (g->start + g->bytes);

	return PS_MIN(rest, (size_t)PAGE);
}

void *
ps_guard_alloc(size_t size, size_t align, struct ps_guard **out)
{
	unsigned order;
	struct ps_guard *g;

	if (size > RANGE_BYTES || align > RANGE_BYTES)
		return NULL;
	order = order_of(PS_MAX(size, (size_t)1), align);
	g = order < ORDERS ? take_place(order) : NULL;
	if (g == NULL)
		return NULL;
	g->start = (end_of(g) - PS_MAX(size, (size_t)1)) & ~(align - 1);
	g->bytes = size;
	PS_ASSERT(g->start >= g->place);
	if (ps_os_commit((void *)first_page(g), end_of(g) - first_page(g)) !=
	    0) {
		give_place(g);
		return NULL;
	}
	ps_fence_put((void *)first_page(g), marked_before(g));
	ps_fence_put((char *)g->start + size, marked_after(g));
	/* pairs with the exchange in ps_guard_claim */
	atomic_store_explicit(&g->state, PS_GUARD_LIVE, memory_order_release);
	*out = g;
	return (void *)g->start;
}

struct ps_guard *
ps_guard_find(const void *ptr)
{
	uint32_t place;

	PS_ASSERT(ps_guard_holds(ptr));
	place =
	    place_of_page[((uintptr_t)ptr - ps_guard_range.base) >> PAGE_SHIFT];
	return place == NO_PLACE ? NULL : &places[place];
}

static bool
was_used(const struct ps_guard *g)
{
	return g != NULL && ps_peek(&g->state) != PS_GUARD_UNUSED;
}

const struct ps_guard *
ps_guard_nearest(const void *ptr)
{
	uintptr_t at = (uintptr_t)ptr;
	const char *next_page = (const char *)ptr + PAGE;
	const struct ps_guard *here = ps_guard_find(ptr);
	const struct ps_guard *next =
	    ps_guard_holds(next_page) ? ps_guard_find(next_page) : NULL;

	if (!was_used(here))
		here = NULL;
	if (next == here || !was_used(next))
		return here;
	if (here == NULL)
		return next;
	return next->start - at < at - (here->start + here->bytes) ? next
								   : here;
}

bool
ps_guard_claim(struct ps_guard *g)
{
	uint32_t expected = PS_GUARD_LIVE;

	while (!atomic_compare_exchange_strong(&g->state, &expected,
					       PS_GUARD_FREED)) {
		if (expected != PS_GUARD_LOOKED_AT)
			return false;
		expected = PS_GUARD_LIVE;
		ps_os_yield();
	}
	return true;
}

const void *
ps_guard_damage(const struct ps_guard *g)
{
	const void *before = (const void *)first_page(g);
	const void *at = ps_fence_damage(before, marked_before(g));

	if (at != NULL)
		return at;
	return ps_fence_damage((char *)g->start + g->bytes, marked_after(g));
}

void
ps_guard_free(struct ps_guard *g)
{
	void *first = (void *)first_page(g);
	size_t bytes = end_of(g) - first_page(g);

	PS_ASSERT(ps_peek(&g->state) == PS_GUARD_FREED);
	/* The next block there is zeroed, also where the kernel has no piece
	 * left to take the pages away with. */
	if (ps_os_decommit(first, bytes) != 0 &&
	    ps_os_discard(first, bytes) != 0)
		memset(first, 0, bytes);
	give_place(g);
}

static bool
hold(struct ps_guard *g)
{
	uint32_t expected = PS_GUARD_LIVE;

	return atomic_compare_exchange_strong(&g->state, &expected,
					      PS_GUARD_LOOKED_AT);
}

struct ps_guard *
ps_guard_next(struct ps_guard *after)
{
	uint32_t place = after == NULL ? 1 : (uint32_t)(after - places) + 1;
	uint32_t end;

	if (after != NULL) {
		PS_ASSERT(ps_peek(&after->state) == PS_GUARD_LOOKED_AT);
		/* pairs with the exchange in ps_guard_claim */
		atomic_store_explicit(&after->state, PS_GUARD_LIVE,
				      memory_order_release);
	}
	ps_lock_take(&lock);
	end = place_count;
	ps_lock_give(&lock);
	PS_ASSERT(place <= end);
	while (place < end && !hold(&places[place]))
		place++;
	return place < end ? &places[place] : NULL;
}

bool
ps_guard_comes_free(void)
{
	return ps_lock_comes_free(&lock);
}

void
ps_guard_prefork(void)
{
	ps_lock_take(&lock);
}

/* In the child, too: its one thread is the one that took it. */
void
ps_guard_postfork(void)
{
	ps_lock_give(&lock);
}
