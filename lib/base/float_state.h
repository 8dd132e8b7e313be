/* SPDX-License-Identifier: MIT */
/*
 * float_state - arithmetic that the program does not notice
 *
 * A program may ask for a signal where a result is inexact, look at the flags
 * of its own arithmetic, or round upwards; malloc must neither raise, set nor
 * feel any of that (hazards U15).  Between begin and end the calling thread
 * computes as a program does at its start.  A compiler moves arithmetic across
 * both, so it has to be behind a call that is not inlined.
 *
 * Costs: a store and two loads of the control register, 5 ns.
 */
#ifndef PS_BASE_FLOAT_STATE_H
#define PS_BASE_FLOAT_STATE_H

#include "base/base.h"

struct ps_float_state {
	uint64_t control;
	uint64_t flags; /* of machines that have a register for them */
};

#if defined(__x86_64__)
/* All exceptions masked, none raised, to nearest. */
#define PS_FLOAT_CONTROL_INITIAL 0x1f80

static inline struct ps_float_state
ps_float_begin(void)
{
	const uint32_t initial = PS_FLOAT_CONTROL_INITIAL;
	uint32_t control;

	__asm__ volatile("stmxcsr %0\n\tldmxcsr %1"
			 : "=m"(control)
			 : "m"(initial)
			 : "memory");
	return (struct ps_float_state){.control = control};
}

static inline void
ps_float_end(struct ps_float_state before)
{
	uint32_t control = (uint32_t)before.control;

	__asm__ volatile("ldmxcsr %0" : : "m"(control) : "memory");
}
#elif defined(__aarch64__)
static inline struct ps_float_state
ps_float_begin(void)
{
	struct ps_float_state before;

	__asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr\n\tmsr fpcr, xzr"
			 : "=&r"(before.control), "=&r"(before.flags)
			 :
			 : "memory");
	return before;
}

static inline void
ps_float_end(struct ps_float_state before)
{
	__asm__ volatile("msr fpsr, %1\n\tmsr fpcr, %0"
			 :
			 : "r"(before.control), "r"(before.flags)
			 : "memory");
}
#endif

#endif /* PS_BASE_FLOAT_STATE_H */
