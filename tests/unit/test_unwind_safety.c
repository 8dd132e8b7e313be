/* SPDX-License-Identifier: MIT */
/*
 * test_unwind_safety - garbage for a stack, flushes, locks, other threads
 *
 * The stacks that are damaged are copies between two inaccessible pages: a
 * load outside of them kills the test.
 */
#include <check.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/unwind_module.h"
#include "unwind_trace.h"

enum { COPY_BYTES = 65536, PAGE = 4096 };

/* ---- garbage ------------------------------------------------------------ */

static char *
map_guarded(void)
{
	char *map = mmap(NULL, COPY_BYTES + 2 * PAGE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(
	    mprotect(map + PAGE, COPY_BYTES, PROT_READ | PROT_WRITE), 0);
	return map + PAGE;
}

struct copy {
	struct ps_unwind_context start;
	uintptr_t low, high;
};

/*
 * The stack of trace_got's walk once more, at the end of `room`, with what
 * points into it pointing into the copy.
 */
static void
copy_stack(struct copy *c, char *room, uintptr_t sp, uintptr_t high)
{
	size_t bytes = PS_MIN(high - sp, (uintptr_t)COPY_BYTES);
	uintptr_t *words = (uintptr_t *)(room + COPY_BYTES - bytes);
	uintptr_t shift = (uintptr_t)words - sp;

	memcpy(words, (const void *)sp, bytes);
	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		if (words[i] - sp < bytes)
			words[i] += shift;
	c->low = (uintptr_t)words;
	c->high = (uintptr_t)room + COPY_BYTES;
	c->start = trace_got.start;
	c->start.sp += shift;
	if (trace_got.start.fp - sp < bytes)
		c->start.fp += shift;
}

static struct copy copied;
static char *room_of_copy;

static void
copy_leaf(void)
{
	uintptr_t low, high;

	trace_take(&trace_got, TRACE_MAX, 0, 0);
	(void)ps_unwind_stack_bounds(trace_got.start.sp, &low, &high);
	copy_stack(&copied, room_of_copy, trace_got.start.sp, high);
}

static void
copy_deep_stack(void)
{
	room_of_copy = map_guarded();
	trace_recurse_unoptimized(10, copy_leaf);
	ck_assert_int_eq(trace_got.end, PS_UNWIND_COMPLETE);
}

static uint32_t
walk_copy(const struct copy *c, uintptr_t *out, enum ps_unwind_end *end)
{
	return ps_unwind_walk(&c->start, out, TRACE_MAX, c->low, c->high, end);
}

START_TEST(only_the_stack_that_is_given_is_read)
{
	uintptr_t out[TRACE_MAX];
	enum ps_unwind_end end;

	copy_deep_stack();
	ck_assert_uint_eq(walk_copy(&copied, out, &end), trace_got.count);
	ck_assert_int_eq(end, PS_UNWIND_COMPLETE);
	ck_assert_mem_eq(out, trace_got.pc, trace_got.count * sizeof(out[0]));
	/* cut short, it is the same as far as it goes */
	for (copied.high -= 8; copied.high > copied.start.sp;
	     copied.high -= 8) {
		uint32_t count = walk_copy(&copied, out, &end);

		ck_assert_uint_le(count, trace_got.count);
		ck_assert_mem_eq(out, trace_got.pc, count * sizeof(out[0]));
	}
}
END_TEST

static uintptr_t
bad_word(const struct copy *c)
{
	switch (rand() % 6) {
	case 0:
		return (uintptr_t)rand();
	case 1: /* in the stack, aligned or nearly */
		return c->low + (uintptr_t)rand() % (c->high - c->low);
	case 2:
		return (c->low + (uintptr_t)rand() % (c->high - c->low)) & ~7ul;
	case 3: /* code that there are rules for */
		return trace_got.pc[(unsigned)rand() % trace_got.count];
	case 4: /* code somewhere in libc */
		return (uintptr_t)&qsort + (uintptr_t)rand() % 200000;
	default: /* anything, around the address space's ends, too */
		return ((uintptr_t)rand() << 33 ^ (uintptr_t)rand()) |
		       ((uintptr_t) - (rand() % 2) << 47);
	}
}

START_TEST(damaged_stacks_end_the_walk_and_nothing_else)
{
	static char saved[COPY_BYTES];
	uintptr_t out[TRACE_MAX + 1];
	enum ps_unwind_end end;
	int shorter = 0;

	srand((unsigned)_i);
	copy_deep_stack();
	memcpy(saved, room_of_copy, COPY_BYTES);
	for (int round = 0; round < 4000; round++) {
		struct copy c = copied;
		uintptr_t *words = (uintptr_t *)c.low;
		size_t size = (c.high - c.low) / sizeof(*words);
		uint32_t count;

		for (int n = rand() % 30; n >= 0; n--)
			words[(unsigned)rand() % size] = bad_word(&c);
		if (rand() % 4 == 0)
			c.start.fp = bad_word(&c);
		if (rand() % 4 == 0)
			c.start.pc = bad_word(&c);
		if (rand() % 8 == 0)
			c.start.sp = bad_word(&c);
		if (rand() % 8 == 0)
			c.high -= (uintptr_t)rand() % 64;
		out[TRACE_MAX] = 42;
		count = walk_copy(&c, out, &end);
		ck_assert_uint_ge(count, c.start.pc != 0);
		ck_assert_uint_le(count, TRACE_MAX);
		ck_assert_uint_eq(out[TRACE_MAX], 42);
		shorter += end == PS_UNWIND_STOPPED;
		if (round % 8 == 7)
			memcpy(room_of_copy, saved, COPY_BYTES);
	}
	ck_assert_int_gt(shorter, 1000);
}
END_TEST

/* With code that has rules and with code that has none, like JIT's. */
START_TEST(a_stack_of_a_few_bytes)
{
	struct copy c = {.low = (uintptr_t)map_guarded() + COPY_BYTES - 16};
	uintptr_t out[TRACE_MAX];
	enum ps_unwind_end end;

	trace_take_got();
	c.start = trace_got.start;
	c.start.sp = c.low;
	for (c.high = c.low + 1; c.high < c.low + 16; c.high++) {
		c.start.pc = c.high % 2 ? c.low : trace_got.pc[0];
		c.start.fp = c.low + 32; /* in the page behind */
		ck_assert_uint_eq(walk_copy(&c, out, &end), 1);
		ck_assert_int_eq(end, PS_UNWIND_STOPPED);
	}
}
END_TEST

START_TEST(a_stack_pointer_out_of_bounds_gives_one_frame)
{
	struct ps_unwind_context start;
	const uintptr_t bad[] = {
	    0,
	    8,
	    (uintptr_t)bad + 4,	   /* not aligned */
	    (uintptr_t)&trace_got, /* no stack */
	    (uintptr_t)1 << 47,
	    UINTPTR_MAX - 7,
	    UINTPTR_MAX,
	};

	trace_take_got();
	start = trace_got.start;
	for (size_t i = 0; i < PS_COUNT(bad); i++) {
		start.sp = bad[i];
		ck_assert_uint_eq(ps_unwind_walk(&start, trace_got.pc,
						 TRACE_MAX, 0, 0,
						 &trace_got.end),
				  1);
		ck_assert_uint_eq(trace_got.pc[0], start.pc);
		ck_assert_int_eq(trace_got.end, PS_UNWIND_STOPPED);
	}
}
END_TEST

START_TEST(a_bad_frame_pointer_in_unknown_code_is_not_followed)
{
	struct copy c = {.low = (uintptr_t)map_guarded()};
	uintptr_t *frames = (uintptr_t *)c.low;
	uintptr_t out[TRACE_MAX];
	enum ps_unwind_end end;
	const uintptr_t bad[] = {
	    0,
	    c.low + 8, /* below sp */
	    c.low + 19,
	    c.low + 24, /* leads to 0 */
	    c.low + 32, /* to itself, return address 42 */
	    c.low + 48, /* return address on the stack */
	    UINTPTR_MAX - 7,
	    c.low + COPY_BYTES - 8,
	    c.low + COPY_BYTES,
	};

	trace_take_got();
	c.high = c.low + COPY_BYTES;
	c.start.pc = c.low; /* mapped, in no module */
	c.start.sp = c.low + 16;
	frames[1] = c.low + 32;
	frames[2] = trace_got.pc[0]; /* below sp and good */
	frames[4] = c.low + 32;
	frames[5] = 42;
	frames[6] = c.low + 64;
	frames[7] = c.low + 80;
	for (size_t i = 0; i < PS_COUNT(bad); i++) {
		c.start.fp = bad[i];
		ck_assert_uint_eq(walk_copy(&c, out, &end), 1);
		ck_assert_int_eq(end, PS_UNWIND_STOPPED);
	}
}
END_TEST

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

static NOINLINE void
walk_leaf(void)
{
	PS_UNWIND_CALLER(&trace_got.start);
	trace_got.count =
	    ps_unwind_walk(&trace_got.start, trace_got.pc, TRACE_MAX,
			   copied.low, copied.high, &trace_got.end);
}

/* One place to walk from, so that the second walk knows every pc. */
static NOINLINE enum ps_unwind_end
walk_at(int depth)
{
	trace_recurse(depth, walk_leaf);
	__asm__ volatile("");
	return trace_got.end;
}

START_TEST(a_busy_decoder_stops_cold_walks_only)
{
	for (volatile int is_cold = 0; is_cold < 2; is_cold++) {
		ck_assert_int_eq(walk_at(10), PS_UNWIND_COMPLETE);
		ps_unwind_prefork(); /* takes the decoder's lock */
		if (is_cold) {
			ps_unwind_flush();
			ck_assert_int_eq(walk_at(10), PS_UNWIND_STOPPED);
			ck_assert_uint_eq(trace_got.count, 1);
		}
		ps_unwind_postfork();
		ck_assert_int_eq(walk_at(10), PS_UNWIND_COMPLETE);
	}
}
END_TEST

/* Under strict seccomp, any call but read, write and exit is death. */
static void
walk_without_calls(void)
{
	(void)ps_unwind_stack_bounds((uintptr_t)__builtin_frame_address(0),
				     &copied.low, &copied.high);
	/* volatile: a first round made apart would walk from another pc */
	for (volatile int i = 0; i < 1000; i++) {
		walk_at(30);
		if (i == 0)
			prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
	}
	syscall(SYS_exit, trace_got.end == PS_UNWIND_COMPLETE ? 0 : 1);
}

START_TEST(a_warm_walk_makes_no_system_call)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		walk_without_calls();
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

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
	ck_assert(ps_unwind_find_module((uintptr_t)&qsort, &module));
	ck_assert_ptr_nonnull(strstr(module.path, "libc.so"));
	ck_assert_uint_le(module.start, (uintptr_t)&qsort);
	ck_assert_uint_gt(module.end, (uintptr_t)&qsort);
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
	TCase *garbage = tcase_create("garbage");
	TCase *promises = tcase_create("promises");

	tcase_add_checked_fixture(garbage, trace_setup, NULL);
	tcase_add_test(garbage, only_the_stack_that_is_given_is_read);
	tcase_add_loop_test(garbage,
			    damaged_stacks_end_the_walk_and_nothing_else, 1, 5);
	tcase_add_test(garbage, a_stack_of_a_few_bytes);
	tcase_add_test(garbage, a_stack_pointer_out_of_bounds_gives_one_frame);
	tcase_add_test(garbage,
		       a_bad_frame_pointer_in_unknown_code_is_not_followed);
	suite_add_tcase(s, garbage);

	tcase_add_checked_fixture(promises, trace_setup, NULL);
	tcase_add_test(promises, a_flush_changes_no_answer);
	tcase_add_test(promises, so_many_flushes_that_generations_come_again);
	tcase_add_test(promises, a_busy_decoder_stops_cold_walks_only);
	tcase_add_test(promises, a_warm_walk_makes_no_system_call);
	tcase_add_test(promises, errno_is_the_caller_s);
	tcase_add_test(promises, modules_are_found_by_address);
	tcase_add_test(promises, flushes_meanwhile_never_make_a_wrong_stack);
	suite_add_tcase(s, promises);
	return s;
}
