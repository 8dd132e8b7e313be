/* SPDX-License-Identifier: MIT */
/*
 * unwind - the call stack of this thread, from inside malloc
 *
 * A walk is, for each frame, one probe of a hash table (unwind_cache) and two
 * loads from the stack.
 *
 * Only memory between the start of the walk and the end of this thread's stack
 * is read, each frame must lie above the one before it, and stack pointers
 * are multiples of 8: a wrong rule ends a walk early, it cannot make it fault
 * or run forever.
 *
 * Code that a compiler made at run time, and what was written without unwind
 * tables, has no rule.  There the walk goes on only if rbp looks like a frame
 * chain that leads, over any number of such frames, back to code that has
 * rules; otherwise it stops.  So frames of node's JavaScript are passed, and a
 * register that holds something else gives no frames that never were.
 */
#include <errno.h>

#include "shim/unwind.h"
#include "shim/unwind_cache.h"
#include "shim/unwind_module.h"
#include "shim/unwind_step.h"

int
ps_unwind_init(const char **why)
{
	int error;

	if (!ps_unwind_module_init()) {
		*why = "the C library is older than glibc 2.35";
		return -ENOSYS;
	}
	error = ps_unwind_cache_init();
	if (error != 0)
		*why = "no memory for the unwinder's cache";
	return error;
}

bool
ps_unwind_is_on(void)
{
	return ps_unwind_cache_is_on();
}

static enum ps_unwind_end
walk_on(struct ps_walk *w, uintptr_t *out, uint32_t max, uint32_t *depth)
{
	uintptr_t stack_low = w->low;
	struct ps_rule rule;

	w->low = w->sp;
	while (*depth < max) {
		if (w->pc == 0)
			return PS_UNWIND_COMPLETE;
		out[(*depth)++] = w->pc;
		if (!ps_unwind_rule(w->pc, w->is_exact, stack_low, &rule))
			return PS_UNWIND_STOPPED;
		if (ps_unlikely((rule.flags & PS_RULE_END) != 0))
			return PS_UNWIND_COMPLETE;
		if (ps_unlikely((rule.flags & PS_RULE_STOP) != 0)) {
			if (!ps_walk_step_frame_chain(w, stack_low))
				return PS_UNWIND_STOPPED;
		} else if (ps_unlikely(!ps_walk_step(w, &rule))) {
			return PS_UNWIND_STOPPED;
		}
	}
	return PS_UNWIND_TRUNCATED;
}

uint32_t
ps_unwind_walk(const struct ps_unwind_context *ctx, uintptr_t *out,
	       uint32_t max, uintptr_t stack_low, uintptr_t stack_high,
	       enum ps_unwind_end *end)
{
	struct ps_walk w = {
	    .pc = ctx->pc,
	    .sp = ctx->sp,
	    .fp = ctx->fp,
	    .low = stack_low,
	    .high = stack_high,
	};
	uint32_t depth = 0;

	*end = PS_UNWIND_STOPPED;
	if (!ps_unwind_cache_is_on() || max == 0)
		return 0;
	if (stack_high == 0)
		(void)ps_unwind_stack_bounds(ctx->sp, &w.low, &w.high);
	w.high &= ~(uintptr_t)7; /* whole words, for is_readable */
	/* A signal stack or a coroutine: its end is not known. */
	if (ctx->sp < w.low || ctx->sp >= w.high || ctx->sp % 8 != 0) {
		out[0] = ctx->pc;
		return 1;
	}
	*end = walk_on(&w, out, max, &depth);
	return depth;
}
