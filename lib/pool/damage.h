/* SPDX-License-Identifier: MIT */
/*
 * damage - how a program ends that misuses the heap: one line, then SIGABRT
 */
#ifndef PS_POOL_DAMAGE_H
#define PS_POOL_DAMAGE_H

#include "base/text.h"

struct ps_pool_heap;

/* Adds to the line what else is known of the block at ptr: its stacks. */
typedef void ps_damage_teller(const void *ptr, struct ps_text *t);
/* Once; NULL, as before it: nothing is added. */
void ps_damage_init(ps_damage_teller *teller);

/* call(ptr): what is wrong with it; the class of its page is added. */
_Noreturn void ps_die_of(const char *call, const void *ptr, const char *what);

static inline _Noreturn void
ps_die_of_free(const void *ptr, const char *what)
{
	ps_die_of("free", ptr, what);
}

/* perfshim_pool_free(object), of a pool of objects of `bytes`. */
_Noreturn void ps_die_of_typed(const void *object, size_t bytes,
			       const char *what);

/* A free block's link was written over. */
PS_COLD _Noreturn void ps_die_of_overwritten_link(const void *block);
/* The same where only the link itself is left, of blocks of `bytes`. */
PS_COLD _Noreturn void ps_die_of_link(const void *link, uint32_t bytes);

/* One block is twice on a list of free ones. */
PS_COLD _Noreturn void ps_die_of_cycle(const void *block);

/* When the block is on a list of its heap's, that is the end.  Owner only. */
PS_COLD void ps_die_if_free(const struct ps_pool_heap *heap, const void *block);

#endif /* PS_POOL_DAMAGE_H */
