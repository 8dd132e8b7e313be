/* SPDX-License-Identifier: MIT */
/*
 * custom - blocks of allocators that the program has of its own
 */
#ifndef PS_SHIM_CUSTOM_H
#define PS_SHIM_CUSTOM_H

#include <stddef.h>

/* The link's functions; see perfshim.h.  Any thread, errno is kept. */
void ps_custom_allocated(const void *block, size_t bytes);
void ps_custom_freed(const void *block, size_t bytes);
/* 1 when the thread's allocations are the pool's own from now on. */
int ps_custom_pool_enter(void);
void ps_custom_pool_leave(void);

#endif /* PS_SHIM_CUSTOM_H */
