/* SPDX-License-Identifier: MIT */
/*
 * unwind - the call stack of this thread, from inside malloc
 *
 * The unwind tables are decoded here (unwind_decode); what they say about a
 * return address is kept as a small rule in a cache, so that a warm walk is
 * table look-ups and loads from this thread's stack.  Cold or warm, there is no
 * system call, no lock that anybody waits for, no allocation, no descriptor.
 */
#ifndef PS_UNWIND_H
#define PS_UNWIND_H

#include "base/base.h"

/* Registers a walk starts from: those of the frame that called us. */
struct ps_unwind_context {
	uintptr_t pc;
	uintptr_t sp;
	uintptr_t fp; /* rbp */
};

/*
 * Registers of the caller of the function that uses this macro, as they are
 * after its return: pc is its return address.  Holds for an exported function
 * and for one it tail-calls, because neither changes rbp before its prologue;
 * __builtin_frame_address makes the compiler keep a frame pointer there.
 */
#define PS_UNWIND_CALLER(ctx)                                                  \
	do {                                                                   \
		const uintptr_t *frame_ = __builtin_frame_address(0);          \
		(ctx)->pc = frame_[1];                                         \
		(ctx)->sp = (uintptr_t)(frame_ + 2);                           \
		(ctx)->fp = frame_[0];                                         \
	} while (0)

/*
 * For those functions, and whatever else a fast path hands over to:
 * hand-written and generated code may call malloc with a misaligned stack,
 * which glibc's endures (hazards U15).
 */
#define PS_REALIGNED __attribute__((force_align_arg_pointer))

enum ps_unwind_end {
	PS_UNWIND_COMPLETE,  /* reached the thread's first frame */
	PS_UNWIND_TRUNCATED, /* stopped at `max` */
	PS_UNWIND_STOPPED,   /* no rule, or memory that is not this stack */
};

/*
 * Find the loader's look-up.  From the constructor, once.
 * 0, or -errno with *why saying in a few words why there will be no stacks.
 */
int ps_unwind_init(const char **why);
bool ps_unwind_is_on(void);

/*
 * Walk from ctx: out[0] is ctx->pc, then return addresses, at most max.
 * Returns how many; *end says how it ended.  [stack_low, stack_high) is the
 * only memory that is read as stack; pass 0, 0 for "from ctx->sp up to where
 * ps_unwind_stack_bounds says".  Any thread, signal handlers included; where
 * there are less than 4 KiB of stack below ctx->sp, a walk that comes to an
 * address that is new is STOPPED.
 */
uint32_t ps_unwind_walk(const struct ps_unwind_context *ctx, uintptr_t *out,
			uint32_t max, uintptr_t stack_low, uintptr_t stack_high,
			enum ps_unwind_end *end);

/*
 * Bounds of the stack that sp is on, as far as this thread knows them: its
 * own stack, found once per thread without a system call after the first
 * time; false when sp is elsewhere (signal stack, coroutine).
 */
bool ps_unwind_stack_bounds(uintptr_t sp, uintptr_t *low, uintptr_t *high);
/* The same of the process's first stack, which need not be the caller's; one
 * system call, each time. */
bool ps_unwind_main_stack(uintptr_t sp, uintptr_t *low, uintptr_t *high);
/* > 0: this thread may hold the lock that finding its stack takes (getattr.c);
 * then no bounds are known. */
extern PS_TLS volatile uint32_t ps_unwind_stack_is_asked;

/* Modules went away: forget every rule.  From the dlclose wrapper. */
void ps_unwind_flush(void);
/* Grows with each flush. */
uint64_t ps_unwind_generation(void);

/* The cache around fork. */
void ps_unwind_prefork(void);
void ps_unwind_postfork(void);

#endif /* PS_UNWIND_H */
