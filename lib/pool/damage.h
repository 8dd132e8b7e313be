/* SPDX-License-Identifier: MIT */
/*
 * damage - how a program ends that misuses the heap: one line, then SIGABRT
 */
#ifndef PS_POOL_DAMAGE_H
#define PS_POOL_DAMAGE_H

#include "base/base.h"

struct ps_pool_heap;

/* free(ptr): what is wrong with it; the class of its page is added. */
_Noreturn void ps_die_of_free(const void *ptr, const char *what);

/* perfshim_pool_free(object), of a pool of objects of `bytes`. */
_Noreturn void ps_die_of_typed(const void *object, size_t bytes,
			       const char *what);

/* A free block's link was written over. */
PS_COLD _Noreturn void ps_die_of_overwritten_link(const void *block);

/* When the block is on a list of its heap's, that is the end.  Owner only. */
PS_COLD void ps_die_if_free(const struct ps_pool_heap *heap, const void *block);

#endif /* PS_POOL_DAMAGE_H */
