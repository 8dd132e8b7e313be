/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/float_state.h"
#include "base/os.h"
#include "shim/own_stack.h"

static uintptr_t seen_at;
static intptr_t seen;
static sigset_t seen_blocked;

/* Uses a good part of what is promised. */
static void
look(intptr_t argument)
{
	volatile char room[900 * 1024];

	room[0] = room[sizeof(room) - 1] = 1;
	seen_at = (uintptr_t)&room[0];
	seen = argument;
	pthread_sigmask(SIG_BLOCK, NULL, &seen_blocked);
}

static uintptr_t called_from;

static void *
call(void *argument)
{
	called_from = (uintptr_t)__builtin_frame_address(0);
	ps_on_own_stack(look, (intptr_t)argument);
	return NULL;
}

START_TEST(a_thread_calls_elsewhere)
{
	for (intptr_t i = -1; i < 100; i++) {
		pthread_t thread;
		uintptr_t distance;

		ck_assert_int_eq(pthread_create(&thread, NULL, call, (void *)i),
				 0);
		pthread_join(thread, NULL);
		ck_assert_int_eq(seen, i);
		distance = called_from - seen_at;
		ck_assert(distance > 1024 * 1024);
		/* Nothing is left of it. */
		ck_assert(!ps_os_is_mapped((void *)(seen_at & ~4095ul)));
	}
	ck_assert_int_eq(sigismember(&seen_blocked, SIGUSR2), 0);
}
END_TEST

START_TEST(the_first_stack_is_used_where_it_has_room)
{
	struct rlimit limit;

	call((void *)1);
	ck_assert_int_eq(seen, 1);
	ck_assert(called_from - seen_at < 1024 * 1024);
	ck_assert_int_eq(getrlimit(RLIMIT_STACK, &limit), 0);
	limit.rlim_cur = 1024 * 1024;
	ck_assert_int_eq(setrlimit(RLIMIT_STACK, &limit), 0);
	call((void *)2);
	ck_assert_int_eq(seen, 2);
	ck_assert(called_from - seen_at > 1024 * 1024);
	ck_assert(!ps_os_is_mapped((void *)(seen_at & ~4095ul)));
}
END_TEST

static void
nest(intptr_t depth)
{
	if (depth > 0)
		ps_on_own_stack(nest, depth - 1);
	else
		look(4711);
}

START_TEST(calls_nest)
{
	ps_on_own_stack(nest, 5);
	ck_assert_int_eq(seen, 4711);
}
END_TEST

static void
handler(int number)
{
	ps_on_own_stack(look, number);
}

/* The kernel would take the signal stack for free, and put a handler on it. */
START_TEST(no_signal_comes_meanwhile_to_a_signal_stack)
{
	static char memory[16384];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};
	struct sigaction action = {.sa_handler = handler,
				   .sa_flags = SA_ONSTACK};
	sigset_t after;

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	ck_assert_int_eq(seen, SIGUSR1);
	ck_assert_int_eq(sigismember(&seen_blocked, SIGUSR2), 1);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	ck_assert_int_eq(sigismember(&after, SIGUSR2), 0);
}
END_TEST

static void
write_much(intptr_t argument)
{
	volatile char room[100 * 1024];

	for (size_t i = 0; i < sizeof(room); i++)
		room[i] = 2;
	seen = argument;
}

static void
writing_handler(int number)
{
	ps_on_own_stack(write_much, number);
}

static bool
is_kept_below_a_handler(void)
{
	volatile char kept[64 * 1024];
	bool is_kept = true;

	for (size_t i = 0; i < sizeof(kept); i++)
		kept[i] = 1;
	raise(SIGUSR1);
	for (size_t i = 0; i < sizeof(kept); i++)
		is_kept = is_kept && kept[i] == 1;
	return is_kept;
}

/* What lies below it is the frames of who was interrupted. */
START_TEST(a_signal_stack_on_the_first_stack_is_no_room)
{
	char memory[16384];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};
	struct sigaction action = {.sa_handler = writing_handler,
				   .sa_flags = SA_ONSTACK};

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	ck_assert(is_kept_below_a_handler());
	ck_assert_int_eq(seen, SIGUSR1);
}
END_TEST

static volatile double two = 2;
static volatile double three = 3;
static volatile double third;

static void
divide(intptr_t unused)
{
	(void)unused;
	third = two / three;
}

/* Bits of the control register: flags, exceptions not masked, rounding. */
START_TEST(arithmetic_leaves_no_flag_and_raises_nothing)
{
#if defined(__x86_64__)
	unsigned before = __builtin_ia32_stmxcsr();

	__builtin_ia32_ldmxcsr(0); /* anything is SIGFPE */
	ps_on_own_stack(divide, 0);
	ck_assert_uint_eq(__builtin_ia32_stmxcsr(), 0);
	__builtin_ia32_ldmxcsr(0x5f80); /* upwards */
	ps_on_own_stack(divide, 0);
	ck_assert_uint_eq(__builtin_ia32_stmxcsr(), 0x5f80);
	__builtin_ia32_ldmxcsr(before);
	ck_assert(third == two / three);
#endif
}
END_TEST

static void *
call_without_memory(void *unused)
{
	ps_os_fail_at(2, 12); /* the first asks for the limit */
	call((void *)7);
	return unused;
}

START_TEST(without_memory_it_is_made_here)
{
	pthread_t thread;

	ck_assert_int_eq(
	    pthread_create(&thread, NULL, call_without_memory, NULL), 0);
	pthread_join(thread, NULL);
	ps_os_fail_at(0, 0);
	ck_assert_int_eq(seen, 7);
	ck_assert(called_from - seen_at < 1024 * 1024);
}
END_TEST

Suite *
own_stack_suite(void)
{
	Suite *s = suite_create("own_stack");
	TCase *t = tcase_create("own_stack");

	tcase_add_test(t, a_thread_calls_elsewhere);
	tcase_add_test(t, the_first_stack_is_used_where_it_has_room);
	tcase_add_test(t, calls_nest);
	tcase_add_test(t, no_signal_comes_meanwhile_to_a_signal_stack);
	tcase_add_test(t, a_signal_stack_on_the_first_stack_is_no_room);
	tcase_add_test(t, arithmetic_leaves_no_flag_and_raises_nothing);
	tcase_add_test(t, without_memory_it_is_made_here);
	suite_add_tcase(s, t);
	return s;
}
