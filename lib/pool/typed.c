/* SPDX-License-Identifier: MIT */
/*
 * typed - objects of one size, for C programs: perfshim_pool_*
 *
 * Idea: Bonwick's magazines.  A thread's store has the list it works on and one
 * full list behind it; what goes to and comes from the depot are whole lists of
 * `batch` objects, so that a slow call is a few stores under a lock however
 * long the list is, and a thread at the edge of a list does not visit the depot
 * with each call.  What the depot does is in typed_depot.c.
 *
 * The obvious alternative, stores found through pthread_getspecific, costs more
 * than the allocation: here the pool has a number and each thread an array.
 * Pools beyond the array's end work without stores, under their lock.
 *
 * Locks: the registry's (all pools, all threads' arrays), then a pool's.
 * Costs: O(1), but for drain, check and fini.
 */
#include <errno.h>
#include <pthread.h>

#include "pool/damage.h"
#include "pool/jemalloc.h"
#include "pool/typed_depot.h"

enum { NO_SLOT = PERFSHIM_POOL_SLOTS }; /* its store stays empty */

struct array {
	struct perfshim_pool_store store[PERFSHIM_POOL_SLOTS + 1];
	struct array *next;
	struct array *prev;
};

/* What threads without an array point at: a store of every slot, all zero. */
static struct perfshim_pool_store no_stores[PERFSHIM_POOL_SLOTS + 1];
PS_TLS struct perfshim_pool_store *perfshim_pool_stores = no_stores;
static PS_TLS bool has_ended; /* the thread's array is gone for good */

static struct ps_lock registry;
static struct perfshim_pool *pools;
static struct array *arrays;
static uint64_t slots_used[PERFSHIM_POOL_SLOTS / 64];
_Static_assert(PERFSHIM_POOL_SLOTS % 64 == 0, "a bit a slot");
static pthread_key_t end_key;
static bool has_key;

/* ---- stores ------------------------------------------------------------- */

static uint64_t
loaded_count(const struct perfshim_pool_store *store)
{
	return (uint16_t)ps_peek(&store->state);
}

static uint64_t
stored_count(const struct perfshim_pool_store *store)
{
	return loaded_count(store) +
	       (ps_peek(&store->behind) != NULL ? ps_peek(&store->limit) : 0);
}

static uint64_t
allocations_of(const struct perfshim_pool_store *store)
{
	return ps_peek(&store->state) >> PERFSHIM_POOL_COUNT_BITS;
}

/* Everything to the depot; the pool's lock is held. */
static void
empty_store(struct perfshim_pool *pool, struct perfshim_pool_store *store)
{
	void *behind = ps_peek(&store->behind);

	ps_depot_put_list(pool, store->loaded);
	if (behind != NULL)
		ps_depot_put_batch(pool, behind);
	ps_poke(&store->behind, NULL);
	ps_bump(&store->state, (uint64_t)0 - loaded_count(store));
	store->loaded = NULL;
}

/* The thread ends: its stores go to their pools. */
static void
end_thread(void *argument)
{
	struct array *mine = argument;

	perfshim_pool_stores = no_stores;
	has_ended = true;
	ps_lock_take(&registry);
	for (struct perfshim_pool *pool = pools; pool; pool = pool->next) {
		struct perfshim_pool_store *store = &mine->store[pool->slot];

		if (ps_peek(&store->limit) == 0)
			continue;
		ps_lock_take(&pool->lock);
		empty_store(pool, store);
		pool->unstored_allocations += allocations_of(store);
		ps_lock_give(&pool->lock);
	}
	PS_ASSERT(mine->prev != NULL || arrays == mine);
	if (mine->prev != NULL)
		mine->prev->next = mine->next;
	else
		arrays = mine->next;
	if (mine->next != NULL)
		mine->next->prev = mine->prev;
	ps_lock_give(&registry);
	je_dallocx(mine, JE_TCACHE_NONE);
}

static bool
make_array(void)
{
	struct array *mine = je_mallocx(
	    sizeof(*mine), JE_ALIGN((size_t)PS_CACHE_LINE) | JE_ZERO);

	if (mine == NULL)
		return false;
	if (pthread_setspecific(end_key, mine) != 0) {
		je_dallocx(mine, JE_TCACHE_NONE);
		return false;
	}
	ps_lock_take(&registry);
	mine->next = arrays;
	if (arrays != NULL)
		arrays->prev = mine;
	arrays = mine;
	ps_lock_give(&registry);
	perfshim_pool_stores = mine->store;
	return true;
}

/* The thread's store for the pool; NULL: it has none and gets none. */
static struct perfshim_pool_store *
own_store(const struct perfshim_pool *pool)
{
	struct perfshim_pool_store *store;

	if (pool->slot == NO_SLOT || has_ended)
		return NULL;
	if (perfshim_pool_stores == no_stores && !make_array())
		return NULL;
	store = &perfshim_pool_stores[pool->slot];
	ps_poke(&store->limit, pool->batch);
	return store;
}

/* ---- allocating and freeing --------------------------------------------- */

/* One object for a thread without a store. */
static void *
alloc_unstored(struct perfshim_pool *pool)
{
	void *list = NULL;
	void *object = NULL;

	ps_lock_take(&pool->lock);
	if (ps_depot_take(pool, &list) != 0) {
		object = list;
		ps_depot_put_list(pool, ps_depot_next(pool, object));
		pool->unstored_allocations++;
	}
	ps_lock_give(&pool->lock);
	return object;
}

PS_NOINLINE void *
ps_typed_alloc_slow(struct perfshim_pool *pool)
{
	struct perfshim_pool_store *store = own_store(pool);
	void *list;
	uint64_t count;

	if (store == NULL)
		return alloc_unstored(pool);
	PS_ASSERT(store->loaded == NULL && loaded_count(store) == 0);
	list = ps_peek(&store->behind);
	count = ps_peek(&store->limit);
	if (list != NULL) {
		ps_poke(&store->behind, NULL);
	} else {
		ps_lock_take(&pool->lock);
		count = ps_depot_take(pool, &list);
		ps_lock_give(&pool->lock);
	}
	if (count == 0)
		return NULL;
	store->loaded = list;
	ps_bump(&store->state, count);
	return perfshim_pool_alloc(pool);
}

/* `loaded` is full: it goes behind, and what was there to the depot. */
static void
make_room(struct perfshim_pool *pool, struct perfshim_pool_store *store)
{
	void *behind = ps_peek(&store->behind);

	if (behind != NULL) {
		ps_lock_take(&pool->lock);
		ps_depot_put_batch(pool, behind);
		ps_lock_give(&pool->lock);
	}
	ps_poke(&store->behind, store->loaded);
	store->loaded = NULL;
	ps_bump(&store->state, (uint64_t)0 - ps_peek(&store->limit));
}

PS_NOINLINE void
ps_typed_free_slow(struct perfshim_pool *pool, void *object)
{
	struct perfshim_pool_store *store;

	if (object == NULL)
		return;
	ps_depot_check_object(pool, object);
	store = own_store(pool);
	if (store == NULL) {
		ps_lock_take(&pool->lock);
		ps_depot_put(pool, object);
		ps_lock_give(&pool->lock);
		return;
	}
	if (store->loaded == object)
		ps_die_of_typed(object, pool->object_bytes, "double free");
	if (loaded_count(store) == ps_peek(&store->limit))
		make_room(pool, store);
	ps_depot_set_next(pool, object, store->loaded);
	store->loaded = object;
	ps_bump(&store->state, 1);
}

size_t
perfshim_pool_drain(struct perfshim_pool *pool)
{
	struct perfshim_pool_store *store = own_store(pool);
	size_t bytes;

	ps_lock_take(&pool->lock);
	if (store != NULL)
		empty_store(pool, store);
	bytes = ps_depot_drain(pool);
	ps_lock_give(&pool->lock);
	return bytes;
}

/* ---- statistics and invariants ------------------------------------------ */

void
perfshim_pool_snapshot(struct perfshim_pool *pool,
		       struct perfshim_pool_stats *out)
{
	*out = (struct perfshim_pool_stats){
	    .object_bytes = pool->stride,
	    .objects_per_chunk = pool->per_chunk,
	};
	ps_lock_take(&registry);
	ps_lock_take(&pool->lock);
	out->allocations = pool->unstored_allocations;
	for (const struct array *a = arrays; a != NULL; a = a->next) {
		out->cached += stored_count(&a->store[pool->slot]);
		out->allocations += allocations_of(&a->store[pool->slot]);
	}
	out->chunks = pool->chunk_count;
	out->bytes = pool->chunk_count * pool->chunk_bytes;
	out->free = pool->depot_count;
	out->live = pool->carved - pool->depot_count - out->cached;
	out->frees = out->allocations - out->live;
	ps_lock_give(&pool->lock);
	ps_lock_give(&registry);
}

void
perfshim_pool_check(struct perfshim_pool *pool)
{
	const struct perfshim_pool_store *store = own_store(pool);

	ps_lock_take(&pool->lock);
	ps_depot_check(pool);
	ps_lock_give(&pool->lock);
	if (store == NULL)
		return;
	PS_ASSERT(ps_depot_walk(pool, store->loaded) == loaded_count(store));
	PS_ASSERT(ps_peek(&store->behind) == NULL ||
		  ps_depot_walk(pool, ps_peek(&store->behind)) ==
		      ps_peek(&store->limit));
}

/* ---- a pool's life ------------------------------------------------------ */

static void
prefork(void)
{
	ps_lock_take(&registry);
	for (struct perfshim_pool *pool = pools; pool; pool = pool->next)
		ps_lock_take(&pool->lock);
}

/* In the child, too: its one thread is the one that took the locks. */
static void
postfork(void)
{
	for (struct perfshim_pool *pool = pools; pool; pool = pool->next)
		ps_lock_give(&pool->lock);
	ps_lock_give(&registry);
}

static bool
have_key_locked(void)
{
	if (!has_key)
		has_key = pthread_atfork(prefork, postfork, postfork) == 0 &&
			  pthread_key_create(&end_key, end_thread) == 0;
	return has_key;
}

static uint32_t
take_slot_locked(void)
{
	for (uint32_t slot = 0; slot < PERFSHIM_POOL_SLOTS; slot++) {
		uint64_t bit = UINT64_C(1) << slot % 64;

		if (slots_used[slot / 64] & bit)
			continue;
		slots_used[slot / 64] |= bit;
		return slot;
	}
	return NO_SLOT;
}

int
perfshim_pool_init(struct perfshim_pool *pool, size_t object_bytes,
		   size_t align, size_t objects_per_chunk)
{
	int error;

	*pool = (struct perfshim_pool){.slot = NO_SLOT};
	error = ps_depot_lay_out(pool, object_bytes, align, objects_per_chunk);
	if (error != 0)
		return error;
	if (ps_os_random(&pool->link_key, sizeof(pool->link_key)) != 0)
		pool->link_key = ps_os_monotonic_ns();
	/* So that a word of zeros is no link: no address has the top bit. */
	pool->link_key |= (uintptr_t)1 << 63;
	ps_lock_take(&registry);
	if (!have_key_locked()) {
		ps_lock_give(&registry);
		return -EAGAIN;
	}
	pool->slot = take_slot_locked();
	pool->next = pools;
	if (pools != NULL)
		pools->prev = pool;
	pools = pool;
	ps_lock_give(&registry);
	return 0;
}

void
perfshim_pool_fini(struct perfshim_pool *pool)
{
	ps_lock_take(&registry);
	PS_ASSERT(pools != NULL);
	if (pool->prev != NULL)
		pool->prev->next = pool->next;
	else
		pools = pool->next;
	if (pool->next != NULL)
		pool->next->prev = pool->prev;
	if (pool->slot != NO_SLOT) {
		for (struct array *a = arrays; a != NULL; a = a->next)
			a->store[pool->slot] = (struct perfshim_pool_store){0};
		slots_used[pool->slot / 64] &=
		    ~(UINT64_C(1) << pool->slot % 64);
	}
	ps_lock_give(&registry);
	ps_depot_fini(pool);
	*pool = (struct perfshim_pool){.slot = NO_SLOT};
}
