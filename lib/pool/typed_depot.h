/* SPDX-License-Identifier: MIT */
/*
 * typed_depot - what a pool's threads share: its chunks and its free objects
 *
 * For typed.c only.  Everything is under the pool's lock, but for
 * ps_depot_lay_out, ps_depot_check_object and ps_depot_walk.
 */
#ifndef PS_POOL_TYPED_DEPOT_H
#define PS_POOL_TYPED_DEPOT_H

#include "pool/typed.h"

/* A free object's link. */
static inline void *
ps_depot_next(const struct perfshim_pool *pool, const void *object)
{
	return (void *)(*(const uintptr_t *)object ^ pool->link_key);
}

static inline void
ps_depot_set_next(const struct perfshim_pool *pool, void *object, void *next)
{
	*(uintptr_t *)object = (uintptr_t)next ^ pool->link_key;
}

/* Sizes and places; -EINVAL when they do not fit the limits. */
int ps_depot_lay_out(struct perfshim_pool *pool, size_t object_bytes,
		     size_t align, size_t objects);

/* Ends the program when it is no object of the pool, or its link is not one. */
void ps_depot_check_object(const struct perfshim_pool *pool,
			   const void *object);

/* One object; all of a list; a list of exactly `batch`. */
void ps_depot_put(struct perfshim_pool *pool, void *object);
void ps_depot_put_list(struct perfshim_pool *pool, void *list);
void ps_depot_put_batch(struct perfshim_pool *pool, void *head);

/* A list of at most `batch`, or a new one; returns its length, 0: no memory. */
uint64_t ps_depot_take(struct perfshim_pool *pool, void **list);

/* Chunks of which every object is in the depot go; returns their bytes. */
size_t ps_depot_drain(struct perfshim_pool *pool);
/* All chunks go. */
void ps_depot_fini(struct perfshim_pool *pool);

/* Length of a list, every object of it asserted to be one. */
uint64_t ps_depot_walk(const struct perfshim_pool *pool, const void *list);
void ps_depot_check(const struct perfshim_pool *pool);

#endif /* PS_POOL_TYPED_DEPOT_H */
