/* SPDX-License-Identifier: MIT */
/*
 * stack_tail - frames of stacks in the recording, their outer ones only once
 *
 * Under the writer's lock.
 */
#ifndef PS_PROFILE_STACK_TAIL_H
#define PS_PROFILE_STACK_TAIL_H

#include "record/layout.h"

enum { PS_STACK_TAIL_SLOTS = 1 << 18 };
_Static_assert((PS_STACK_TAIL_SLOTS & (PS_STACK_TAIL_SLOTS - 1)) == 0,
	       "a mask");

/* Once: PS_STACK_TAIL_SLOTS of zeroed memory. */
void ps_stack_tail_init(uint32_t *slots);

/*
 * A stack of `depth` > 0 rows of PS_TABLE_FRAMES, leaf first: where in
 * PS_TABLE_STACK_FRAMES it begins, or UINT32_MAX when that is full.
 */
uint32_t ps_stack_tail_append_locked(const uint32_t *frames, uint32_t depth);

#endif /* PS_PROFILE_STACK_TAIL_H */
