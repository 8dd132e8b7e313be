/* SPDX-License-Identifier: MIT */
/*
 * watch_call - the stack of a call that a rule on sections is about
 *
 * A figure such as a p99 is found out of range by whoever takes the next step,
 * anywhere.  What is wanted is who called the section when it was slow: so each
 * step asks, for each section that a rule watches, for one call that is itself
 * beyond the threshold, and the thread that ends such a call leaves its stack.
 *
 * Only ends that take the slow path are looked at: calls of a millisecond and
 * more, the slowest so far, and one a millisecond of the others
 * (profile/section_usage.h).  Ends cost one compare more there; a stack is
 * taken once a step and section.
 */
#ifndef PS_SHIM_WATCH_CALL_H
#define PS_SHIM_WATCH_CALL_H

#include "monitor/engine.h"
#include "shim/unwind.h"

/* A call that took as long may be wanted; UINT64_MAX: none is. */
extern _Atomic ps_ticks ps_watch_call_from;

/* A call of the section ended.  True when it was wanted.  Preserves errno. */
PS_COLD bool ps_watch_call(uint32_t section, ps_ticks elapsed,
			   const struct ps_unwind_context *caller);

/*
 * After a step, by who takes it: for each of the engine's watches a call is
 * wanted; a tick lasts tick_s seconds.
 */
void ps_watch_calls_want(const struct ps_engine *engine, double tick_s);

/*
 * The call that was left for a rule's watch of a section: row of its stack and
 * thread, false (and both untouched) when there is none.
 */
bool ps_watch_call_left(uint32_t rule, uint32_t section, uint32_t *site,
			uint32_t *thread);

/* What was left is of another recording. */
void ps_watch_calls_postfork_child(void);

#endif /* PS_SHIM_WATCH_CALL_H */
