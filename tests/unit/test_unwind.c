/* SPDX-License-Identifier: MIT */
/*
 * test_unwind - every kind of frame, and signals, against glibc's backtrace
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "unwind_trace.h"

/* ---- kinds of frames ---------------------------------------------------- */

START_TEST(recursion_of_every_depth)
{
	uint32_t same = 0;

	ck_assert_int_eq(trace_recurse(_i, trace_take_got), _i);
	trace_assert(&trace_got);
	/* [0] in the leaf, [1] in the last call, then _i - 1 alike */
	for (uint32_t i = 2; trace_got.pc[i] == trace_got.pc[2]; i++)
		same++;
	ck_assert_uint_eq(same, (uint32_t)_i - 1);
}
END_TEST

START_TEST(unoptimized_frames)
{
	trace_recurse_unoptimized(_i, trace_take_got);
	trace_assert(&trace_got);
	ck_assert_uint_gt(trace_got.count, (uint32_t)_i);
}
END_TEST

static NOINLINE int
with_alloca(int bytes, int depth)
{
	volatile char *room = __builtin_alloca((size_t)bytes);

	room[bytes - 1] = 1;
	if (depth > 0)
		with_alloca(bytes * 2 + 3, depth - 1);
	else
		trace_take_got();
	return room[bytes - 1];
}

START_TEST(frames_of_variable_size)
{
	ck_assert_int_eq(with_alloca(_i, 6), 1);
	trace_assert(&trace_got);
}
END_TEST

/* The compiler realigns the stack for this one ... */
static NOINLINE int
realigned(int depth)
{
	char aligned[64] __attribute__((aligned(64)));

	__asm__ volatile("" : : "r"(aligned) : "memory");
	if (depth > 0)
		realigned(depth - 1);
	else
		trace_take_got();
	__asm__ volatile("" : : "r"(aligned) : "memory");
	return aligned[0];
}

/* ... and with arguments on the stack and a variable size as well, gcc keeps
 * the CFA in memory. */
static NOINLINE int
realigned_with_all(int p, int q, int r, int s, int t, int u, int g, int depth)
{
	char aligned[128] __attribute__((aligned(128)));
	volatile char *room = __builtin_alloca((size_t)(g + 1));

	room[g] = (char)(p + q + r + s + t + u);
	__asm__ volatile("" : : "r"(aligned) : "memory");
	if (depth > 0)
		realigned_with_all(p, q, r, s, t, u, g * 3, depth - 1);
	else
		trace_take_got();
	__asm__ volatile("" : : "r"(aligned) : "memory");
	return room[g];
}

START_TEST(realigned_frames)
{
	realigned(_i);
	trace_assert(&trace_got);
	ck_assert_int_eq(realigned_with_all(1, 2, 3, 4, 5, 6, 7, _i), 21);
	trace_assert(&trace_got);
}
END_TEST

#ifndef __clang__
static NOINLINE __attribute__((force_align_arg_pointer)) void
entered_misaligned(void)
{
	trace_recurse(2, trace_take_got);
	__asm__ volatile("");
}

START_TEST(a_frame_that_aligns_its_argument_pointer)
{
	trace_recurse(3, entered_misaligned);
	trace_assert(&trace_got);
}
END_TEST
#endif

static int
compare(const void *a, const void *b)
{
	if (trace_got.count == 0)
		trace_recurse(3, trace_take_got);
	return *(const int *)a - *(const int *)b;
}

/* Small ones sort on the stack (alloca in glibc), large ones on the heap. */
START_TEST(through_a_callback_of_libc)
{
	static int numbers[1000];
	size_t count = _i == 0 ? 3 : PS_COUNT(numbers);

	for (size_t i = 0; i < count; i++)
		numbers[i] = (int)(count - i);
	qsort(numbers, count, sizeof(numbers[0]), compare);
	ck_assert_int_eq(numbers[0], 1);
	trace_assert(&trace_got);
	trace_got.count = 0;
	bsearch(&count, numbers, 3, sizeof(numbers[0]), compare);
	trace_assert(&trace_got);
}
END_TEST

static uint32_t cut_at;

static NOINLINE void
take_cut(void)
{
	trace_take(&trace_got, cut_at, 0, 0);
	__asm__ volatile("");
}

/* hazard: U10 deep stacks */
START_TEST(a_recursion_of_1000_is_cut_at_max)
{
	static const uint32_t max[] = {1, 2, 64, TRACE_MAX};

	for (size_t i = 0; i < PS_COUNT(max); i++) {
		cut_at = max[i];
		memset(trace_got.pc, 0, sizeof(trace_got.pc));
		trace_recurse(1000, take_cut);
		ck_assert_uint_eq(trace_got.count, cut_at);
		ck_assert_int_eq(trace_got.end, PS_UNWIND_TRUNCATED);
		ck_assert_uint_eq(trace_same(&trace_got), cut_at);
		if (cut_at < TRACE_MAX) /* nothing behind it is written */
			ck_assert_uint_eq(trace_got.pc[cut_at], 0);
	}
	cut_at = 0;
	take_cut();
	ck_assert_uint_eq(trace_got.count, 0);
}
END_TEST

/*
 * A call that ends its function: the address behind it is the neighbour's,
 * whose table lies about the code that is there.
 */
__asm__(".text\n"
	".type ends_with_a_call, @function\n"
	"ends_with_a_call:\n"
	".cfi_startproc\n"
	"sub $24, %rsp\n"
	".cfi_adjust_cfa_offset 24\n"
	"call *%rdi\n"
	".cfi_endproc\n"
	".size ends_with_a_call, . - ends_with_a_call\n"
	".type behind_it, @function\n"
	"behind_it:\n"
	".cfi_startproc\n"
	".cfi_def_cfa_offset 4096\n"
	"add $24, %rsp\n"
	"ret\n"
	".cfi_endproc\n"
	".size behind_it, . - behind_it\n");
void ends_with_a_call(void (*)(void));

START_TEST(a_call_at_a_function_s_end)
{
	ends_with_a_call(trace_take_got);
	trace_assert(&trace_got);
}
END_TEST

/* ---- signals ------------------------------------------------------------ */

/*
 * traps_at_entry faults on its first byte: looked up as a return address, its
 * pc would fall into the neighbour, whose table lies.
 */
__asm__(".text\n"
	".type lying_neighbour, @function\n"
	"lying_neighbour:\n"
	".cfi_startproc\n"
	".cfi_def_cfa_offset 4096\n"
	"nop\n"
	".cfi_endproc\n"
	".size lying_neighbour, . - lying_neighbour\n"
	".type traps_at_entry, @function\n"
	"traps_at_entry:\n"
	".cfi_startproc\n"
	"ud2\n"
	"ret\n"
	".cfi_endproc\n"
	".size traps_at_entry, . - traps_at_entry\n");
void traps_at_entry(void);

static uintptr_t handler_low, handler_high; /* what the handler walks on */

static void
on_trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signal;
	(void)info;
	trace_take(&trace_got, TRACE_MAX, handler_low, handler_high);
	uc->uc_mcontext.gregs[REG_RIP] += 2; /* past ud2 */
}

static void
handle(int signal, int flags, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {.sa_sigaction = handler,
				   .sa_flags = SA_SIGINFO | flags};

	ck_assert_int_eq(sigaction(signal, &action, NULL), 0);
}

/* hazard: U9 signal frames */
START_TEST(through_a_signal_frame)
{
	uint32_t at = 0;

	handle(SIGILL, 0, on_trap);
	for (int warm = 0; warm < 2; warm++) {
		trace_recurse(7, traps_at_entry);
		trace_assert(&trace_got);
	}
	while (at < trace_got.count &&
	       trace_got.pc[at] != (uintptr_t)traps_at_entry)
		at++;
	ck_assert_uint_eq(at, 2); /* behind the handler and its return */
}
END_TEST

/* In the data segment, on the heap, and inside the stack it interrupts. */
/* hazard: U6 small and alternate stacks */
START_TEST(on_an_alternate_stack_up_to_its_first_frame)
{
	enum { BYTES = 32768 };
	static char in_data[BYTES] __attribute__((aligned(64)));
	char on_stack[BYTES] __attribute__((aligned(64)));
	char *on_heap = malloc(BYTES);
	char *where[] = {in_data, on_heap, on_stack};
	stack_t alternate = {.ss_sp = where[_i / 2], .ss_size = BYTES};

	ck_assert_int_eq(sigaltstack(&alternate, NULL), 0);
	if (_i % 2 != 0) {
		handler_low = (uintptr_t)alternate.ss_sp;
		handler_high = handler_low + BYTES;
	}
	handle(SIGILL, SA_ONSTACK, on_trap);
	for (int warm = 0; warm < 2; warm++) {
		trace_recurse(9, traps_at_entry);
		/* the handler, and, when the stack is known, its return */
		ck_assert_int_eq(trace_got.end, PS_UNWIND_STOPPED);
		ck_assert_uint_eq(trace_same(&trace_got), trace_got.count);
		if (_i != 4)
			ck_assert_uint_eq(trace_got.count, _i % 2 ? 2 : 1);
	}
	alternate.ss_flags = SS_DISABLE;
	ck_assert_int_eq(sigaltstack(&alternate, NULL), 0);
	free(on_heap);
}
END_TEST

static volatile struct {
	uint32_t same, shorter, wrong;
} steps;

static void
on_step(int signal, siginfo_t *info, void *context)
{
	trace_take(&trace_got, TRACE_MAX, 0, 0);
	(void)signal;
	(void)info;
	(void)context;
	if (trace_is_as_reference(&trace_got))
		steps.same += 1;
	else if (trace_got.end == PS_UNWIND_STOPPED &&
		 trace_same(&trace_got) == trace_got.count)
		steps.shorter += 1;
	else
		steps.wrong += 1;
}

static void
nothing(void)
{
	__asm__ volatile("");
}

static NOINLINE void
varied_code(void)
{
	int numbers[] = {4, 3, 2, 1};

	trace_got.count = 1; /* compare takes no trace */
	qsort(numbers, 4, sizeof(int), compare);
	trace_recurse(3, nothing);
	trace_recurse_unoptimized(3, nothing);
	free(calloc(1, strlen("some bytes")));
}

/*
 * After each instruction of some code, through PLT, prologues and epilogues.
 * Where the tables name a register that is not followed, as in the loader's
 * lazy resolver (rbx), a walk may end early, never wrong; so that this is rare
 * here, everything is resolved before it is watched.
 */
START_TEST(from_a_signal_at_every_instruction)
{
	varied_code();
	handle(SIGTRAP, 0, on_step);
	for (int warm = 0; warm < 2; warm++) {
		trace_trap_on();
		varied_code();
		trace_trap_off();
	}
	ck_assert_uint_eq(steps.wrong, 0);
	ck_assert_uint_gt(steps.same, 500);
	ck_assert_uint_le(steps.shorter, 8);
}
END_TEST

Suite *
unwind_suite(void)
{
	Suite *s = suite_create("unwind");
	TCase *frames = tcase_create("frames");
	TCase *signals = tcase_create("signals");

	tcase_add_checked_fixture(frames, trace_setup, NULL);
	tcase_add_loop_test(frames, recursion_of_every_depth, 2, 60);
	tcase_add_loop_test(frames, unoptimized_frames, 1, 20);
	tcase_add_loop_test(frames, frames_of_variable_size, 1, 10);
	tcase_add_loop_test(frames, realigned_frames, 0, 5);
#ifndef __clang__
	tcase_add_test(frames, a_frame_that_aligns_its_argument_pointer);
#endif
	tcase_add_test(frames, a_call_at_a_function_s_end);
	tcase_add_loop_test(frames, through_a_callback_of_libc, 0, 2);
	tcase_add_test(frames, a_recursion_of_1000_is_cut_at_max);
	suite_add_tcase(s, frames);

	tcase_add_checked_fixture(signals, trace_setup, NULL);
	/* The thread sanitizer calls handlers later, from elsewhere. */
	if (!TRACE_UNDER_TSAN) {
		tcase_add_test(signals, through_a_signal_frame);
		tcase_add_loop_test(
		    signals, on_an_alternate_stack_up_to_its_first_frame, 0, 6);
		tcase_add_test(signals, from_a_signal_at_every_instruction);
	}
	suite_add_tcase(s, signals);

	return s;
}
