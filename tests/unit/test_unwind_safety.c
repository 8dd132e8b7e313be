/* SPDX-License-Identifier: MIT */
/*
 * test_unwind_safety - flushes, locks, system calls, other threads
 */
#include <check.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "shim/unwind_module.h"
#include "shim/unwind_recall.h"
#include "unwind_trace.h"

/* ---- promises ----------------------------------------------------------- */

START_TEST(a_flush_changes_no_answer)
{
	for (int i = 0; i < 100; i++) {
		ps_unwind_flush();
		trace_recurse(20 + i % 7, trace_take_got);
		trace_assert(&trace_got);
	}
}
END_TEST

/* The key holds 15 bits of the generation. */
START_TEST(so_many_flushes_that_generations_come_again)
{
	for (int i = 0; i < 100000; i++)
		ps_unwind_flush();
	trace_recurse(20, trace_take_got);
	trace_assert(&trace_got);
}
END_TEST

static uintptr_t low_known, high_known; /* 0: the walk finds out */

static NOINLINE void
walk_leaf(void)
{
	PS_UNWIND_CALLER(&trace_got.start);
	trace_got.count =
	    ps_unwind_walk(&trace_got.start, trace_got.pc, TRACE_MAX, low_known,
			   high_known, &trace_got.end);
}

/* One place to walk from, so that the second walk knows every pc. */
static NOINLINE enum ps_unwind_end
walk_at(int depth)
{
	trace_recurse(depth, walk_leaf);
	__asm__ volatile("");
	return trace_got.end;
}

/* As in a signal handler that interrupted who writes to the cache. */
START_TEST(a_busy_cache_is_waited_for_by_nobody)
{
	for (volatile int is_cold = 0; is_cold < 2; is_cold++) {
		ck_assert_int_eq(walk_at(10), PS_UNWIND_COMPLETE);
		ps_unwind_prefork(); /* takes its lock */
		if (is_cold)
			ps_unwind_flush();
		ck_assert_int_eq(walk_at(10), PS_UNWIND_COMPLETE);
		ps_unwind_postfork();
		ck_assert_int_eq(walk_at(10), PS_UNWIND_COMPLETE);
	}
}
END_TEST

/* New addresses are not decoded on what may be the last bytes of a stack. */
START_TEST(a_cold_walk_needs_4_KiB_of_stack)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	ck_assert(ps_unwind_stack_bounds(here, &low_known, &high_known));
	for (int kib = 1; kib < 16; kib++) {
		ps_unwind_flush();
		low_known = here - (uintptr_t)kib * 1024;
		walk_at(1);
		if (kib < 4)
			ck_assert_int_eq(trace_got.end, PS_UNWIND_STOPPED);
		if (kib > 8) /* some was used up on the way */
			ck_assert_int_eq(trace_got.end, PS_UNWIND_COMPLETE);
	}
}
END_TEST

/* Under strict seccomp, any call but read, write and exit is death. */
static void
walk_without_calls(bool are_cold)
{
	(void)ps_unwind_stack_bounds((uintptr_t)__builtin_frame_address(0),
				     &low_known, &high_known);
	/* volatile: a first round made apart would walk from another pc */
	for (volatile int i = 0; i < 1000; i++) {
		walk_at(30);
		if (i == 0)
			prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
		if (are_cold)
			ps_unwind_flush();
	}
	syscall(SYS_exit, trace_got.end == PS_UNWIND_COMPLETE ? 0 : 1);
}

/* hazard: U2 the unwinder allocates, opens, locks */
/* hazard: U3 strict seccomp */
START_TEST(a_walk_makes_no_system_call)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		walk_without_calls(_i != 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- no lock ------------------------------------------------------------ */

static volatile struct {
	uint32_t steps, locked;
} stepped;

/* By a prefix, or as xchg with memory always is. */
static bool
is_locked(const uint8_t *code)
{
	static const char prefixes[] = "\xf0\xf2\xf3\x66\x67\x2e\x36\x3e\x26"
				       "\x64\x65";
	bool is_prefixed = false;

	while (*code != 0 && strchr(prefixes, *code) != NULL)
		is_prefixed |= *code++ == 0xf0;
	code += (*code & 0xf0) == 0x40; /* REX */
	return is_prefixed || ((code[0] & 0xfe) == 0x86 && code[1] < 0xc0);
}

static void
on_step(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];

	(void)signal;
	(void)info;
	stepped.steps += 1;
	stepped.locked += is_locked((const uint8_t *)pc);
}

static struct ps_unwind_memo *memo;
static struct ps_recall *recall;

static void
capture_by_walk(const struct ps_recall_from *from)
{
	(void)ps_unwind_walk(&from->ctx, trace_got.pc, TRACE_MAX,
			     from->stack_low, from->stack_high, &trace_got.end);
}

static void
capture_by_memo(const struct ps_recall_from *from)
{
	uint64_t hash;

	trace_got.count =
	    ps_unwind_walk_memo(memo, &from->ctx, 64, from->stack_low,
				from->stack_high, &hash, &trace_got.end);
}

/* The memo's last walk is kept as the site of its own number. */
static void
capture_by_recall(const struct ps_recall_from *from)
{
	if (ps_recall_site(recall, from) == 4711)
		return;
	capture_by_memo(from);
	ps_recall_keep(recall, from, memo, trace_got.count, 4711);
}

static void
set_a_word(const struct ps_recall_from *from)
{
	static _Atomic uintptr_t word;

	atomic_exchange(&word, from->ctx.pc);
}

static const struct {
	void (*capture)(const struct ps_recall_from *from);
	uint32_t steps_least;
	uint32_t locked;
} captures[] = {
    {capture_by_walk, 300, 0},
    {capture_by_memo, 100, 0},
    {capture_by_recall, 60, 0},
    {set_a_word, 4, 1}, /* what would be seen */
};
static int capture;

static NOINLINE void
step_through_capture(void)
{
	struct ps_recall_from from = {.section = 1};

	PS_UNWIND_CALLER(&from.ctx);
	ck_assert(ps_unwind_stack_bounds(from.ctx.sp, &from.stack_low,
					 &from.stack_high));
	captures[capture].capture(&from);
	trace_trap_on();
	captures[capture].capture(&from);
	trace_trap_off();
}

/* hazard: U2 the unwinder locks */
START_TEST(a_warm_capture_takes_no_lock)
{
	struct sigaction action = {.sa_sigaction = on_step,
				   .sa_flags = SA_SIGINFO};

	memo = ps_unwind_memo_open();
	recall = ps_recall_open();
	capture = _i;
	ck_assert_int_eq(sigaction(SIGTRAP, &action, NULL), 0);
	trace_recurse(30, step_through_capture);
	ck_assert_uint_eq(stepped.locked, captures[_i].locked);
	ck_assert_uint_gt(stepped.steps, captures[_i].steps_least);
}
END_TEST

/* hazard: U15 a misaligned stack, floating-point state */
START_TEST(errno_is_the_caller_s)
{
	for (int i = 0; i < 2; i++) { /* cold and warm */
		errno = 4711;
		walk_at(12);
		ck_assert_int_eq(errno, 4711);
	}
}
END_TEST

START_TEST(modules_are_found_by_address)
{
	struct ps_unwind_module module;

	ck_assert(ps_unwind_find_module((uintptr_t)trace_setup, &module));
	ck_assert_str_eq(module.path, "");
	ck_assert(
	    ps_unwind_find_module((uintptr_t)&gnu_get_libc_version, &module));
	ck_assert_ptr_nonnull(strstr(module.path, "libc.so"));
	ck_assert_uint_le(module.start, (uintptr_t)&gnu_get_libc_version);
	ck_assert_uint_gt(module.end, (uintptr_t)&gnu_get_libc_version);
	ck_assert(!ps_unwind_find_module((uintptr_t)&module, &module));
	ck_assert(!ps_unwind_find_module(0, &module));
	ck_assert(!ps_unwind_find_module(UINTPTR_MAX, &module));
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

static _Atomic bool is_time_to_end;
static _Atomic uint32_t wrong, right;

static NOINLINE void
compare_leaf(void)
{
	static __thread struct trace mine;

	trace_take(&mine, TRACE_MAX, 0, 0);
	if (trace_is_as_reference(&mine))
		right++;
	else if (mine.end != PS_UNWIND_STOPPED ||
		 trace_same(&mine) != mine.count)
		wrong++;
}

static void *
compare_walks(void *arg)
{
	for (int i = 0; !ps_peek(&is_time_to_end); i++)
		(i % 2 ? trace_recurse : trace_recurse_unoptimized)(
		    i % 40 + (int)(uintptr_t)arg, compare_leaf);
	return NULL;
}

/* hazard: U1 the loader's lock while unwinding */
START_TEST(flushes_meanwhile_never_make_a_wrong_stack)
{
	pthread_t threads[3];

	for (uintptr_t i = 0; i < PS_COUNT(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						compare_walks, (void *)(i + 1)),
				 0);
	for (int i = 0; i < 3000; i++) {
		ps_unwind_flush();
		trace_recurse(i % 50 + 1, compare_leaf);
	}
	ps_poke(&is_time_to_end, true);
	for (size_t i = 0; i < PS_COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_gt(right, 3000);
}
END_TEST

Suite *
unwind_safety_suite(void)
{
	Suite *s = suite_create("unwind_safety");
	TCase *promises = tcase_create("promises");

	tcase_add_checked_fixture(promises, trace_setup, NULL);
	tcase_add_test(promises, a_flush_changes_no_answer);
	tcase_add_test(promises, so_many_flushes_that_generations_come_again);
	tcase_add_test(promises, a_busy_cache_is_waited_for_by_nobody);
	tcase_add_test(promises, a_cold_walk_needs_4_KiB_of_stack);
	if (!TRACE_UNDER_TSAN) { /* it makes some of its own */
		tcase_add_loop_test(promises, a_walk_makes_no_system_call, 0,
				    2);
		tcase_add_loop_test(promises, a_warm_capture_takes_no_lock, 0,
				    (int)PS_COUNT(captures));
	}
	tcase_add_test(promises, errno_is_the_caller_s);
	tcase_add_test(promises, modules_are_found_by_address);
	tcase_add_test(promises, flushes_meanwhile_never_make_a_wrong_stack);
	suite_add_tcase(s, promises);
	return s;
}
