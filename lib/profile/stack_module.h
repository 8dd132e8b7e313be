/* SPDX-License-Identifier: MIT */
/*
 * stack_module - the modules that return addresses lie in, as rows of the
 * recording; a part of stack
 */
#ifndef PS_PROFILE_STACK_MODULE_H
#define PS_PROFILE_STACK_MODULE_H

#include "profile/stack.h"

/* Once, before any look-up. */
void ps_stack_module_init(ps_stack_finder *finder);

/* Row of the module that holds pc, a new one if need be; UINT32_MAX when none
 * does.  *is_own: it is the preload.  Under ps_record_lock. */
uint32_t ps_stack_module_of_locked(uintptr_t pc, bool *is_own);

#endif /* PS_PROFILE_STACK_MODULE_H */
