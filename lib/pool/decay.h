/* SPDX-License-Identifier: MIT */
/*
 * decay - when free memory goes back to the system
 *
 * There is no thread of ours in the program, so time is looked at where the
 * pool leaves its fast paths.  A program that stops allocating altogether keeps
 * what it has until it allocates again.
 */
#ifndef PS_POOL_DECAY_H
#define PS_POOL_DECAY_H

#include "base/base.h"

/* Twice a second; ticks of the clock that ps_pool_tick is called with. */
void ps_pool_decay_init(ps_ticks a_second);

/* Any thread, at any time, outside the pool's locks. */
void ps_pool_tick(ps_ticks now);

/* How many steps there were: who sees another number trims its heap. */
uint32_t ps_pool_steps(void);

#endif /* PS_POOL_DECAY_H */
