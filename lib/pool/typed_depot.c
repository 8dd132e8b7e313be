/* SPDX-License-Identifier: MIT */
/*
 * typed_depot - what a pool's threads share: its chunks and its free objects
 *
 * Free objects come and go as whole lists of `batch`, linked by the second word
 * of their heads; odd ones gather in a loose list until they are a batch.
 * Chunks are powers of two at multiples of their own size, so that an object
 * tells its chunk by a mask; what is lost to rounding is filled with objects.
 *
 * Chunks are counted only by drain, which walks the depot: a count in each
 * chunk would cost a cache miss with each object, and most pools are never
 * drained.
 *
 * Costs: O(1) or O(batch), but for drain and check, which are O(free objects).
 */
#include <errno.h>

#include "pool/damage.h"
#include "pool/jemalloc.h"
#include "pool/typed_depot.h"

enum {
	CHUNK_BYTES = 65536, /* when the caller does not say */
	BATCH_BYTES = 8192,
	BATCH_MIN = 4,
	BATCH_MAX = 128,
	ADDRESS_BITS = 47,
};
_Static_assert(BATCH_MAX < 1 << PERFSHIM_POOL_COUNT_BITS,
	       "a store counts a whole batch");

struct perfshim_pool_chunk {
	struct perfshim_pool_chunk *next;
	struct perfshim_pool *pool;
	uint32_t carved; /* objects cut off so far */
	uint32_t seen;	 /* drain: free ones found in the depot */
};

/* ---- lists -------------------------------------------------------------- */

/* The list that is behind this one in the depot. */
static void *
next_list(const struct perfshim_pool *pool, const void *head)
{
	return (void *)(((const uintptr_t *)head)[1] ^ pool->link_key);
}

static void
set_next_list(const struct perfshim_pool *pool, void *head, void *next)
{
	((uintptr_t *)head)[1] = (uintptr_t)next ^ pool->link_key;
}

static struct perfshim_pool_chunk *
chunk_of(const struct perfshim_pool *pool, const void *object)
{
	return (void *)((uintptr_t)object & ~(pool->chunk_bytes - 1));
}

static bool
is_object(const struct perfshim_pool *pool, const void *object)
{
	size_t offset = (uintptr_t)object & (pool->chunk_bytes - 1);

	return (uintptr_t)object >> ADDRESS_BITS == 0 &&
	       offset >= pool->first &&
	       (offset - pool->first) % pool->stride == 0 &&
	       (offset - pool->first) / pool->stride < pool->per_chunk &&
	       chunk_of(pool, object)->pool == pool;
}

/* A link that was written over would lead anywhere. */
void
ps_depot_check_object(const struct perfshim_pool *pool, const void *object)
{
	if (ps_unlikely(!is_object(pool, object)))
		ps_die_of_typed(object, pool->object_bytes,
				"not an object of this pool, or one that was "
				"written to after it was freed");
}

/* ---- the depot ---------------------------------------------------------- */

void
ps_depot_put(struct perfshim_pool *pool, void *object)
{
	PS_DEBUG_ASSERT(pool->loose_count < pool->batch);
	ps_depot_set_next(pool, object, pool->loose);
	pool->loose = object;
	pool->loose_count++;
	pool->depot_count++;
	if (pool->loose_count < pool->batch)
		return;
	set_next_list(pool, pool->loose, pool->batches);
	pool->batches = pool->loose;
	pool->loose = NULL;
	pool->loose_count = 0;
}

void
ps_depot_put_list(struct perfshim_pool *pool, void *list)
{
	while (list != NULL) {
		void *object = list;

		ps_depot_check_object(pool, object);
		list = ps_depot_next(pool, object);
		ps_depot_put(pool, object);
	}
}

void
ps_depot_put_batch(struct perfshim_pool *pool, void *head)
{
	ps_depot_check_object(pool, head);
	set_next_list(pool, head, pool->batches);
	pool->batches = head;
	pool->depot_count += pool->batch;
}

static bool
add_chunk(struct perfshim_pool *pool)
{
	struct perfshim_pool_chunk *chunk = je_mallocx(
	    pool->chunk_bytes, JE_ALIGN(pool->chunk_bytes) | JE_TCACHE_NONE);

	if (chunk == NULL)
		return false;
	*chunk = (struct perfshim_pool_chunk){
	    .next = pool->chunks,
	    .pool = pool,
	};
	PS_ASSERT(chunk_of(pool, chunk) == chunk);
	pool->chunks = chunk;
	pool->chunk_count++;
	return true;
}

/* A list of up to `batch` objects that never were; returns how many. */
static uint64_t
carve(struct perfshim_pool *pool, void **list)
{
	struct perfshim_pool_chunk *chunk = pool->chunks;
	uint32_t count;
	char *object;

	if (chunk == NULL || chunk->carved == pool->per_chunk) {
		if (!add_chunk(pool))
			return 0;
		chunk = pool->chunks;
	}
	count = PS_MIN(pool->batch, pool->per_chunk - chunk->carved);
	PS_ASSERT(count > 0); /* 0 would be: no memory */
	chunk->carved += count;
	pool->carved += count;
	object = (char *)chunk + pool->first + chunk->carved * pool->stride;
	*list = NULL;
	for (uint32_t i = 0; i < count; i++) {
		object -= pool->stride;
		ps_depot_set_next(pool, object, *list);
		*list = object;
	}
	return count;
}

/* A list from the depot, or a new one; returns its length, 0: no memory. */
uint64_t
ps_depot_take(struct perfshim_pool *pool, void **list)
{
	uint64_t count = pool->batch;

	if (pool->batches != NULL) {
		*list = pool->batches;
		ps_depot_check_object(pool, *list);
		pool->batches = next_list(pool, *list);
	} else if (pool->loose != NULL) {
		*list = pool->loose;
		count = pool->loose_count;
		pool->loose = NULL;
		pool->loose_count = 0;
	} else {
		return carve(pool, list);
	}
	PS_ASSERT(pool->depot_count >= count);
	pool->depot_count -= count;
	return count;
}

/* ---- drain -------------------------------------------------------------- */

/* All of the depot as one list. */
static void *
take_depot(struct perfshim_pool *pool)
{
	void *all = NULL;
	void *list;

	while (pool->depot_count > 0) {
		(void)ps_depot_take(pool, &list);
		while (list != NULL) {
			void *object = list;

			ps_depot_check_object(pool, object);
			list = ps_depot_next(pool, object);
			ps_depot_set_next(pool, object, all);
			all = object;
		}
	}
	return all;
}

static void
count_seen(struct perfshim_pool *pool, const void *list)
{
	struct perfshim_pool_chunk *chunk;

	for (chunk = pool->chunks; chunk != NULL; chunk = chunk->next)
		chunk->seen = 0;
	for (; list != NULL; list = ps_depot_next(pool, list))
		chunk_of(pool, list)->seen++;
}

static bool
is_unused(const struct perfshim_pool_chunk *chunk)
{
	PS_ASSERT(chunk->seen <= chunk->carved);
	return chunk->seen == chunk->carved;
}

/* Back into the depot, but for those in chunks that are about to go. */
static void
keep_needed(struct perfshim_pool *pool, void *list)
{
	while (list != NULL) {
		void *object = list;

		list = ps_depot_next(pool, object);
		if (!is_unused(chunk_of(pool, object)))
			ps_depot_put(pool, object);
	}
}

static size_t
drop_unused(struct perfshim_pool *pool)
{
	struct perfshim_pool_chunk **at = &pool->chunks;
	size_t bytes = 0;

	while (*at != NULL) {
		struct perfshim_pool_chunk *chunk = *at;

		if (!is_unused(chunk)) {
			at = &chunk->next;
			continue;
		}
		PS_ASSERT(pool->carved >= chunk->carved);
		*at = chunk->next;
		pool->carved -= chunk->carved;
		pool->chunk_count--;
		bytes += pool->chunk_bytes;
		je_dallocx(chunk, JE_TCACHE_NONE);
	}
	return bytes;
}

uint64_t
ps_depot_walk(const struct perfshim_pool *pool, const void *list)
{
	uint64_t count = 0;

	for (; list != NULL; list = ps_depot_next(pool, list)) {
		PS_ASSERT(is_object(pool, list));
		count++;
	}
	return count;
}

void
ps_depot_check(const struct perfshim_pool *pool)
{
	uint64_t count = ps_depot_walk(pool, pool->loose);
	uint64_t carved = 0;

	PS_ASSERT(count == pool->loose_count && count < pool->batch);
	for (const void *list = pool->batches; list != NULL;
	     list = next_list(pool, list)) {
		PS_ASSERT(ps_depot_walk(pool, list) == pool->batch);
		count += pool->batch;
	}
	PS_ASSERT(count == pool->depot_count);
	for (const struct perfshim_pool_chunk *chunk = pool->chunks;
	     chunk != NULL; chunk = chunk->next) {
		PS_ASSERT(chunk->pool == pool);
		PS_ASSERT(chunk->carved <= pool->per_chunk);
		carved += chunk->carved;
	}
	PS_ASSERT(carved == pool->carved);
}

/* Sizes and places; -EINVAL when they do not fit the limits. */
int
ps_depot_lay_out(struct perfshim_pool *pool, size_t object_bytes, size_t align,
		 size_t objects)
{
	size_t need;

	if (align == 0)
		align = object_bytes < 16 ? 8 : 16;
	if (object_bytes == 0 || object_bytes > PERFSHIM_POOL_BYTES_MAX ||
	    (align & (align - 1)) != 0 || align > PERFSHIM_POOL_ALIGN_MAX)
		return -EINVAL;
	/* Two links, and the next object's alignment. */
	pool->stride = PS_ROUND_UP(PS_MAX(object_bytes, 2 * sizeof(void *)),
				   PS_MAX(align, sizeof(void *)));
	pool->first = PS_ROUND_UP(sizeof(struct perfshim_pool_chunk),
				  PS_MAX(align, sizeof(void *)));
	pool->object_bytes = object_bytes;
	if (objects == 0)
		objects = PS_MAX(1, (CHUNK_BYTES - pool->first) / pool->stride);
	if (__builtin_mul_overflow(objects, pool->stride, &need) ||
	    need > PERFSHIM_POOL_BYTES_MAX - pool->first)
		return -EINVAL;
	need += pool->first;
	pool->chunk_bytes = (size_t)1 << (64 - __builtin_clzll(need - 1));
	pool->per_chunk =
	    (uint32_t)((pool->chunk_bytes - pool->first) / pool->stride);
	pool->batch = (uint32_t)PS_MIN(
	    PS_MAX(BATCH_BYTES / pool->stride, (size_t)BATCH_MIN),
	    (size_t)BATCH_MAX);
	PS_ASSERT(pool->per_chunk >= objects);
	return 0;
}

size_t
ps_depot_drain(struct perfshim_pool *pool)
{
	void *all = take_depot(pool);

	count_seen(pool, all);
	keep_needed(pool, all);
	return drop_unused(pool);
}

void
ps_depot_fini(struct perfshim_pool *pool)
{
	while (pool->chunks != NULL) {
		struct perfshim_pool_chunk *chunk = pool->chunks;

		pool->chunks = chunk->next;
		je_dallocx(chunk, JE_TCACHE_NONE);
	}
	pool->chunk_count = 0;
}
