/* SPDX-License-Identifier: MIT */
/*
 * lock - a spin lock that yields
 *
 * For regions of a few hundred instructions on slow paths.  A pthread mutex
 * would enter libc from inside malloc and could not be made new in a fork
 * child.  Not recursive; not for signal handlers.
 */
#ifndef PS_BASE_LOCK_H
#define PS_BASE_LOCK_H

#include "base/os.h"

struct ps_lock {
	_Atomic uint32_t is_taken;
};

static inline void
ps_lock_init(struct ps_lock *l)
{
	if (ps_peek(&l->is_taken) != 0) /* a fork's child copies no page */
		ps_poke(&l->is_taken, 0);
}

static inline bool
ps_lock_try(struct ps_lock *l)
{
	return ps_peek(&l->is_taken) == 0 &&
	       /* pairs with the release in ps_lock_give */
	       atomic_exchange_explicit(&l->is_taken, 1,
					memory_order_acquire) == 0;
}

static inline void
ps_lock_take(struct ps_lock *l)
{
	for (unsigned spins = 0; !ps_lock_try(l); spins++) {
		if (spins < 100)
			__builtin_ia32_pause();
		else
			ps_os_yield();
	}
}

/* It may have been made anew meanwhile: by the child of a fork in a signal
 * handler, which returns to who has it. */
static inline void
ps_lock_give(struct ps_lock *l)
{
	atomic_store_explicit(&l->is_taken, 0, memory_order_release);
}

/*
 * For the end of the process, which may come in a handler: whether the lock
 * comes free, as it never will if this thread was interrupted with it.  Once it
 * has, only threads that go on can have it.
 */
static inline bool
ps_lock_comes_free(struct ps_lock *l)
{
	for (unsigned yields = 0; !ps_lock_try(l); yields++) {
		if (yields == 1000)
			return false;
		ps_os_yield();
	}
	ps_lock_give(l);
	return true;
}

#endif /* PS_BASE_LOCK_H */
