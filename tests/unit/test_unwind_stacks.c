/* SPDX-License-Identifier: MIT */
/*
 * test_unwind_stacks - where stacks end: threads, bounds, code without tables
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "unwind_trace.h"

static void *
thread_main(void *arg)
{
	(void)arg;
	trace_recurse(5, trace_take_got);
	return NULL;
}

START_TEST(a_thread_ends_at_its_start)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	if (_i != 0)
		pthread_attr_setstacksize(&attributes, (size_t)_i * 65536);
	ck_assert_int_eq(
	    pthread_create(&thread, &attributes, thread_main, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attributes);
	trace_assert(&trace_got);
	ck_assert_uint_ge(trace_got.count, 9);
}
END_TEST

START_TEST(bounds_hold_the_live_stack)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t low = 0, high = 0, other;
	void *heap = malloc(100);

	ck_assert(ps_unwind_stack_bounds(here, &low, &high));
	ck_assert_uint_le(low, here - (1 << 20)); /* where it will grow to */
	ck_assert_uint_gt(high, (uintptr_t)environ);
	other = high;
	ck_assert(!ps_unwind_stack_bounds((uintptr_t)heap, &low, &other));
	ck_assert(!ps_unwind_stack_bounds(high, &low, &other));
	ck_assert(!ps_unwind_stack_bounds(0, &low, &other));
	free(heap);
}
END_TEST

static uintptr_t thread_low;

static void *
find_bounds(void *arg)
{
	uintptr_t high;

	(void)arg;
	if (!ps_unwind_stack_bounds((uintptr_t)__builtin_frame_address(0),
				    &thread_low, &high))
		thread_low = 0;
	return NULL;
}

/* A limit raised at run time covers stacks that are not the first thread's. */
START_TEST(a_thread_below_the_first_stack_knows_its_own)
{
	enum { BYTES = 1 << 20 };
	struct rlimit limit;
	pthread_attr_t attributes;
	pthread_t thread;
	char *at;

	ck_assert_int_eq(getrlimit(RLIMIT_STACK, &limit), 0);
	limit.rlim_cur = PS_MIN(limit.rlim_max, (rlim_t)1 << 30);
	ck_assert_int_eq(setrlimit(RLIMIT_STACK, &limit), 0);
	at = mmap((char *)((uintptr_t)&limit & -(uintptr_t)4096) - (64 << 20),
		  BYTES, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (at == MAP_FAILED)
		return; /* the kernel put something else there */
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, at, BYTES);
	ck_assert_int_eq(
	    pthread_create(&thread, &attributes, find_bounds, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(thread_low, (uintptr_t)at);
}
END_TEST

/* push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret: in no module */
static const unsigned char jit[] = {0x55, 0x48, 0x89, 0xe5,
				    0xff, 0xd7, 0x5d, 0xc3};
/* The same, of the third argument, which gets the second as its first. */
static const unsigned char jit_of_jit[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x89,
					   0xf7, 0xff, 0xd2, 0x5d, 0xc3};
enum { JIT_RETURN = 6, JIT_OF_JIT_RETURN = 9, JIT_OF_JIT_AT = 64 };

static char *
make_jit(void)
{
	char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(code, MAP_FAILED);
	memcpy(code, jit, sizeof(jit));
	memcpy(code + JIT_OF_JIT_AT, jit_of_jit, sizeof(jit_of_jit));
	return code;
}

/* hazard: U14 stripped and table-less code */
START_TEST(code_without_tables_is_crossed_by_its_frame_pointer)
{
	char *code = make_jit();
	void (*call)(void (*)(void));
	struct trace direct;

	memcpy(&call, &code, sizeof(call));
	trace_take(&direct, TRACE_MAX, 0, 0);
	call(trace_take_got);
	ck_assert_int_eq(trace_got.end, PS_UNWIND_COMPLETE);
	/* the leaf, the code, and what a walk from here has */
	ck_assert_uint_eq(trace_got.count, direct.count + 2);
	ck_assert_uint_eq(trace_got.pc[1], (uintptr_t)code + JIT_RETURN);
	ck_assert_mem_eq(&trace_got.pc[3], &direct.pc[1],
			 (direct.count - 1) * sizeof(direct.pc[0]));
}
END_TEST

START_TEST(code_without_tables_may_call_more_of_it)
{
	char *code = make_jit();
	char *outer = code + JIT_OF_JIT_AT;
	void (*call)(void *, void (*)(void), char *);
	struct trace direct;

	memcpy(&call, &outer, sizeof(call));
	trace_take(&direct, TRACE_MAX, 0, 0);
	call(NULL, trace_take_got, code);
	ck_assert_int_eq(trace_got.end, PS_UNWIND_COMPLETE);
	ck_assert_uint_eq(trace_got.count, direct.count + 3);
	ck_assert_uint_eq(trace_got.pc[1], (uintptr_t)code + JIT_RETURN);
	ck_assert_uint_eq(trace_got.pc[2],
			  (uintptr_t)outer + JIT_OF_JIT_RETURN);
	ck_assert_mem_eq(&trace_got.pc[4], &direct.pc[1],
			 (direct.count - 1) * sizeof(direct.pc[0]));
}
END_TEST

Suite *
unwind_stacks_suite(void)
{
	Suite *s = suite_create("unwind_stacks");
	TCase *t = tcase_create("stacks");

	tcase_add_checked_fixture(t, trace_setup, NULL);
	tcase_add_loop_test(t, a_thread_ends_at_its_start, 0, 3);
	tcase_add_test(t, bounds_hold_the_live_stack);
	tcase_add_test(t, a_thread_below_the_first_stack_knows_its_own);
	tcase_add_test(t, code_without_tables_is_crossed_by_its_frame_pointer);
	tcase_add_test(t, code_without_tables_may_call_more_of_it);
	suite_add_tcase(s, t);
	return s;
}
