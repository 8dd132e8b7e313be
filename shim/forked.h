/* SPDX-License-Identifier: MIT */
/*
 * forked - the shim in a process that was forked
 */
#ifndef PS_SHIM_FORKED_H
#define PS_SHIM_FORKED_H

#include "base/base.h"

/* 0 in a child that has not begun its own recording yet. */
extern _Atomic uint32_t *ps_forked_mark;

static inline bool
ps_forked_is_unseen(void)
{
	return ps_peek(ps_forked_mark) == 0;
}

/*
 * Once, at the early start; 0 or an error of pthread_atfork's.
 */
int ps_forked_init(void);
/* In such a child, on a slow path, with no lock held; preserves errno. */
void ps_forked_begin(void);

#endif /* PS_SHIM_FORKED_H */
