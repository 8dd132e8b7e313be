/* SPDX-License-Identifier: MIT */
/*
 * forked - the shim in a process that was forked
 */
#ifndef PS_SHIM_FORKED_H
#define PS_SHIM_FORKED_H

#include "shim/thread.h"

/*
 * The word that the kernel clears in children: a child that ran no handler of
 * ours has not begun its own recording yet, one that did may wait with it.
 * While one thread begins it, the others keep away.
 */
enum { PS_FORKED_UNSEEN, PS_FORKED_BEGUN, PS_FORKED_WAITS, PS_FORKED_BEGINS };
extern _Atomic uint32_t *ps_forked_mark;
/* What such a child's thread counts in meanwhile. */
extern struct ps_record_thread ps_forked_row;

/*
 * Once, at the early start; 0 or an error of pthread_atfork's.
 */
int ps_forked_init(void);
/* See below; preserves errno. */
void ps_forked_begin(void);

/* At the end of the process: what is counted is in the recording. */
void ps_forked_finish(void);

/*
 * On the way to anything that writes to the recording, or reads what it counts:
 * a forked child begins its own.  With no lock held.
 */
static inline void
ps_forked_settle(void)
{
	/* acquire: pairs with the release in ps_forked_begin */
	uint32_t mark =
	    atomic_load_explicit(ps_forked_mark, memory_order_acquire);

	if (ps_unlikely(mark != PS_FORKED_BEGUN ||
			ps_self.row == &ps_forked_row))
		ps_forked_begin();
}

#endif /* PS_SHIM_FORKED_H */
