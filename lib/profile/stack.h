/* SPDX-License-Identifier: MIT */
/*
 * stack - interned stacks: return addresses in, allocation site out
 *
 * A site is a row of the recording that stands for one distinct stack.  Known
 * stacks are found without a lock; a new one is entered under the writer's
 * lock together with its frames and the modules they lie in.
 *
 * Threads: any.  Not for a signal handler that interrupted this module; the
 * shim's depth guard sees to that.
 */
#ifndef PS_PROFILE_STACK_H
#define PS_PROFILE_STACK_H

#include "record/layout.h"

struct ps_stack_module {
	uintptr_t start;
	uintptr_t end;
	uintptr_t bias;
	const char *path; /* "" for the main program */
};

/* Finds the module that holds pc; without locks or allocation. */
typedef bool ps_stack_finder(uintptr_t pc, struct ps_stack_module *out);

/* Once, after ps_record_open; 0 or -errno (then every stack is dropped). */
int ps_stack_init(ps_stack_finder *finder);

/*
 * Row of the stack in PS_TABLE_SITES, or UINT32_MAX when a table is full
 * (counted there).  depth 0 is the stack of those that have none.
 */
uint32_t ps_stack_site(const uintptr_t *pcs, uint32_t depth, uint32_t flags);

/* A module was unloaded: addresses may mean something else from now on. */
void ps_stack_modules_changed(void);

/* The recording is empty again (fork child). */
void ps_stack_reset(void);

#endif /* PS_PROFILE_STACK_H */
