/* SPDX-License-Identifier: MIT */
/*
 * own_stack - work that the program's stack may be too small for
 *
 * And that computes: floating-point exceptions that the program asked for are
 * not raised meanwhile, those that it looks for are not left behind.
 *
 * A program may end, and its figures may be due, on a signal stack of 8 KiB, in
 * a thread of 16 KiB or in a coroutine of less.  What allocating takes there is
 * what jemalloc takes; a report takes 20 KiB and more, the demangler of
 * libstdc++ a multiple of the longest name (hazards U6).  So such work gets a
 * stack of its own, with a page below it that nobody may touch.
 *
 * The first thread's stack is large, and most processes end on it: the mapping
 * alone is a twentieth of what a shell's fork and exit cost.  The kernel keeps
 * 128 MiB below its top free of other mappings, so a call that begins in the
 * upper 32 of them, with the limit far enough below, is made there; but not
 * from a signal's stack that lies among a function's variables.
 *
 * The kernel knows by the stack pointer whether a signal's stack is in use: a
 * handler that came while ours is would be put over the frames that lie there.
 * So from such a stack, no signal is let in until the call is over.  Elsewhere
 * they are: a program that limits its own end by an alarm goes on doing so.
 *
 * Static room for the stack would be one thread's at a time, and 1 MiB of each
 * process's data; the calls are few.
 */
#include <signal.h>
#include <sys/syscall.h>

#include "base/filter.h"
#include "base/float_state.h"
#include "base/os.h"
#include "shim/own_stack.h"
#include "shim/unwind.h"

enum { BYTES = 1 << 20, GUARD_BYTES = 4096, HIGH_BYTES = 32 << 20 };

static bool
has_room_here(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t low;
	uintptr_t high;

	return ps_unwind_main_stack(here, &low, &high) &&
	       here - low >= 2 * BYTES && high - here <= HIGH_BYTES &&
	       !ps_os_is_on_signal_stack();
}

/* The lowest address of what is mapped; NULL: there is no room. */
static char *
map_stack(void)
{
	void *memory;

	if (ps_os_reserve(GUARD_BYTES + BYTES, &memory) != 0)
		return NULL;
	if (ps_os_commit((char *)memory + GUARD_BYTES, BYTES) != 0) {
		(void)ps_os_unmap(memory, GUARD_BYTES + BYTES);
		return NULL;
	}
	return memory;
}

/* rbx is kept by whatever is called.  The top is aligned as calls want it. */
static PS_NOINLINE void
switch_to(char *top, ps_own_stack_call *call, intptr_t argument)
{
	PS_ASSERT((uintptr_t)top % 16 == 0);
	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "movq %[top], %%rsp\n\t"
			 "call *%[call]\n\t"
			 "movq %%rbx, %%rsp"
			 : "+D"(argument), [top] "+r"(top), [call] "+r"(call)
			 :
			 : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10",
			   "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
			   "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
			   "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
			   "memory", "cc");
}

bool
ps_hold_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	return !ps_filter_forbids(SYS_rt_sigprocmask) &&
	       pthread_sigmask(SIG_BLOCK, &all, before) == 0;
}

static void
call_on(char *stack, ps_own_stack_call *call, intptr_t argument)
{
	sigset_t before;
	bool are_held = ps_os_is_on_signal_stack() && ps_hold_signals(&before);

	switch_to(stack + GUARD_BYTES + BYTES, call, argument);
	if (are_held)
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)ps_os_unmap(stack, GUARD_BYTES + BYTES);
}

void
ps_on_own_stack(ps_own_stack_call *call, intptr_t argument)
{
	struct ps_float_state before = ps_float_begin();
	char *stack = has_room_here() ? NULL : map_stack();

	if (stack == NULL)
		call(argument);
	else
		call_on(stack, call, argument);
	ps_float_end(before);
}
