/* SPDX-License-Identifier: MIT */
/*
 * unwind_trace - a walk of ours next to glibc's backtrace, from one place
 */
#include <check.h>
#include <execinfo.h>
#include <string.h>

#include "unwind_trace.h"

struct trace trace_got;

void
trace_setup(void)
{
	const char *why = "";
	void *frame;

	if (!ps_unwind_is_on() && ps_unwind_init(&why) != 0)
		ck_abort_msg("no unwinding here: %s", why);
	(void)backtrace(&frame, 1); /* loads libgcc */
}

NOINLINE void
trace_take(struct trace *t, uint32_t max, uintptr_t low, uintptr_t high)
{
	PS_UNWIND_CALLER(&t->start);
	t->count = ps_unwind_walk(&t->start, t->pc, max, low, high, &t->end);
	t->reference_count = backtrace(t->reference, TRACE_MAX + 2);
	/* AddressSanitizer's own backtrace adds a frame of its own. */
	if (t->reference_count > 2 && (uintptr_t)t->reference[2] == t->start.pc)
		memmove(t->reference, t->reference + 1,
			(size_t)--t->reference_count * sizeof(void *));
}

NOINLINE void
trace_take_got(void)
{
	trace_take(&trace_got, TRACE_MAX, 0, 0);
	__asm__ volatile(""); /* no tail call */
}

uint32_t
trace_same(const struct trace *t)
{
	uint32_t i = 0;

	while (i < t->count && (int)i + 1 < t->reference_count &&
	       t->pc[i] == (uintptr_t)t->reference[i + 1])
		i++;
	return i;
}

bool
trace_is_as_reference(const struct trace *t)
{
	return t->end == PS_UNWIND_COMPLETE && trace_same(t) == t->count &&
	       (int)t->count == t->reference_count - 1;
}

void
trace_assert(const struct trace *t)
{
	ck_assert_msg(trace_is_as_reference(t),
		      "end %d, %u frames, %u of them like the %d of backtrace",
		      (int)t->end, t->count, trace_same(t),
		      t->reference_count - 1);
}

NOINLINE int
trace_recurse(int depth, void (*leaf)(void))
{
	int below = 0;

	if (depth > 1)
		below = trace_recurse(depth - 1, leaf);
	else
		leaf();
	__asm__ volatile("" : "+r"(below)); /* no tail call, no loop */
	return below + 1;
}

UNOPTIMIZED int
trace_recurse_unoptimized(int depth, void (*leaf)(void))
{
	int below = 0;

	if (depth > 1)
		below = trace_recurse_unoptimized(depth - 1, leaf);
	else
		leaf();
	return below + 1;
}

/* The compilers' own way to the flags has pushes that no table tells of, and
 * the C library's walk, which ours is compared with, dies of clang's. */
__asm__(".text\n"
	".globl trace_trap_on\n"
	".type trace_trap_on, @function\n"
	"trace_trap_on:\n"
	".cfi_startproc\n"
	"pushfq\n"
	".cfi_adjust_cfa_offset 8\n"
	"orq $0x100, (%rsp)\n"
	"popfq\n"
	".cfi_adjust_cfa_offset -8\n"
	"ret\n"
	".cfi_endproc\n"
	".size trace_trap_on, . - trace_trap_on\n"
	".globl trace_trap_off\n"
	".type trace_trap_off, @function\n"
	"trace_trap_off:\n"
	".cfi_startproc\n"
	"pushfq\n"
	".cfi_adjust_cfa_offset 8\n"
	"andq $~0x100, (%rsp)\n"
	"popfq\n"
	".cfi_adjust_cfa_offset -8\n"
	"ret\n"
	".cfi_endproc\n"
	".size trace_trap_off, . - trace_trap_off\n");
