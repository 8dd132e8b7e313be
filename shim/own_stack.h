/* SPDX-License-Identifier: MIT */
/*
 * own_stack - work that the program's stack may be too small for
 *
 * See own_stack.c.
 */
#ifndef PS_SHIM_OWN_STACK_H
#define PS_SHIM_OWN_STACK_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef void ps_own_stack_call(intptr_t argument);

/*
 * call(argument), on a stack of 1 MiB that is mapped for it; on the caller's
 * where it is the first thread's and has that room, or there is no memory.  Any
 * thread, signal handlers included; nests.  Costs one system call, or four and
 * a page fault for each 4 KiB that are used.
 */
void ps_on_own_stack(ps_own_stack_call *call, intptr_t argument);

/* Until *before is set again no handler runs in this thread; false: it cannot
 * be, and *before is unset. */
bool ps_hold_signals(sigset_t *before);

#endif /* PS_SHIM_OWN_STACK_H */
