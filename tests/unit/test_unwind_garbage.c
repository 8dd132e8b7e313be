/* SPDX-License-Identifier: MIT */
/*
 * test_unwind_garbage - damaged stacks end a walk; they do no other harm
 *
 * The stacks that are damaged are copies between two inaccessible pages: a
 * load outside of them kills the test.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "unwind_trace.h"

enum { COPY_BYTES = 65536, PAGE = 4096 };

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

static bool is_copy_at_start;

struct copy {
	struct ps_unwind_context start;
	uintptr_t low, high;
};

/*
 * The stack of trace_got's walk once more, in `room`, with what
 * points into it pointing into the copy.
 */
static __attribute__((no_sanitize("address"))) void
copy_stack(struct copy *c, char *room, uintptr_t sp, uintptr_t high)
{
	size_t bytes = PS_MIN(high - sp, (uintptr_t)COPY_BYTES);
	uintptr_t *words =
	    (uintptr_t *)(is_copy_at_start ? room : room + COPY_BYTES - bytes);
	uintptr_t shift = (uintptr_t)words - sp;

	for (size_t i = 0; i < bytes / sizeof(*words); i++) {
		words[i] = ((const volatile uintptr_t *)sp)[i];
		if (words[i] - sp < bytes)
			words[i] += shift;
	}
	c->low = (uintptr_t)words;
	c->high = c->low + bytes;
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
on_signal(int signal)
{
	(void)signal;
	trace_recurse_unoptimized(3, copy_leaf);
}

static void
raise_it(void)
{
	raise(SIGUSR1);
	__asm__ volatile("");
}

/* Its CFA is kept in memory, as that of the signal frame is. */
static NOINLINE int
realigned(int p, int q, int r, int s, int t, int u, int g, int depth)
{
	char aligned[128] __attribute__((aligned(128)));
	volatile char *room = __builtin_alloca((size_t)(g + 1));

	room[g] = (char)(p + q + r + s + t + u);
	__asm__ volatile("" : : "r"(aligned) : "memory");
	if (depth > 0)
		realigned(p, q, r, s, t, u, g * 3, depth - 1);
	else
		trace_recurse_unoptimized(3, raise_it);
	__asm__ volatile("" : : "r"(aligned) : "memory");
	return room[g];
}

/* The page behind the copy cannot be read, or that before it. */
static void
copy_deep_stack(bool is_at_start)
{
	room_of_copy = map_guarded();
	is_copy_at_start = is_at_start;
	signal(SIGUSR1, on_signal);
	realigned(1, 2, 3, 4, 5, 6, 7, 3);
	ck_assert_int_eq(trace_got.end, PS_UNWIND_COMPLETE);
}

static uint32_t
walk_copy(const struct copy *c, uintptr_t *out, enum ps_unwind_end *end)
{
	return ps_unwind_walk(&c->start, out, TRACE_MAX, c->low, c->high, end);
}

/* hazard: U5 the frame pointer is any register */
START_TEST(only_the_stack_that_is_given_is_read)
{
	uintptr_t out[TRACE_MAX];
	enum ps_unwind_end end;

	copy_deep_stack(_i);
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
	copy_deep_stack(_i % 2);
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

static char hole[2 * PAGE] __attribute__((aligned(PAGE)));

/* As between the segments of a module whose alignment is large. */
START_TEST(an_address_in_a_hole_of_a_module_ends_the_walk)
{
	trace_take_got();
	ck_assert_int_eq(mprotect(hole, sizeof(hole), PROT_NONE), 0);
	trace_got.start.pc = (uintptr_t)hole + PAGE;
	trace_got.start.fp = 0; /* nor frame pointers to follow */
	ck_assert_uint_eq(ps_unwind_walk(&trace_got.start, trace_got.pc,
					 TRACE_MAX, 0, 0, &trace_got.end),
			  1);
	ck_assert_int_eq(trace_got.end, PS_UNWIND_STOPPED);
	/* a leak checker reads all of it at the end */
	ck_assert_int_eq(mprotect(hole, sizeof(hole), PROT_READ | PROT_WRITE),
			 0);
}
END_TEST

/* hazard: U7 coroutines */
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

/* hazard: U4 no unwind tables, or wrong ones */
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
	    c.low + 24,	 /* leads to 0 */
	    c.low + 32,	 /* to itself, return address 42 */
	    c.low + 48,	 /* return address on the stack */
	    c.low + 131, /* not aligned, would lead to good code */
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
	memcpy((char *)c.low + 139, &trace_got.pc[0], sizeof(uintptr_t));
	for (size_t i = 0; i < PS_COUNT(bad); i++) {
		c.start.fp = bad[i];
		ck_assert_uint_eq(walk_copy(&c, out, &end), 1);
		ck_assert_int_eq(end, PS_UNWIND_STOPPED);
	}
}
END_TEST

__asm__(".text\n"
	".type plain_leaf, @function\n"
	"plain_leaf:\n"
	".cfi_startproc\n"
	"nop\n"
	"nop\n"
	"ret\n"
	".cfi_endproc\n"
	".size plain_leaf, . - plain_leaf\n");
void plain_leaf(void);

/* Unknown code, plain_leaf, unknown code, ... by one frame again and again. */
START_TEST(a_frame_chain_never_goes_back)
{
	struct copy c = {.low = (uintptr_t)map_guarded()};
	uintptr_t *frames = (uintptr_t *)c.low;
	uintptr_t out[TRACE_MAX];
	enum ps_unwind_end end;

	c.high = c.low + COPY_BYTES;
	c.start.pc = c.low;
	c.start.sp = c.low;
	c.start.fp = c.low + 32;
	frames[4] = c.low + 32;
	frames[5] = (uintptr_t)plain_leaf + 1;
	frames[6] = c.low;
	ck_assert_uint_eq(walk_copy(&c, out, &end), 3);
	ck_assert_int_eq(end, PS_UNWIND_STOPPED);
}
END_TEST

Suite *
unwind_garbage_suite(void)
{
	Suite *s = suite_create("unwind_garbage");
	TCase *garbage = tcase_create("garbage");

	tcase_add_checked_fixture(garbage, trace_setup, NULL);
	tcase_add_loop_test(garbage, only_the_stack_that_is_given_is_read, 0,
			    2);
	tcase_add_loop_test(garbage,
			    damaged_stacks_end_the_walk_and_nothing_else, 1, 5);
	tcase_add_test(garbage, an_address_in_a_hole_of_a_module_ends_the_walk);
	tcase_add_test(garbage, a_stack_of_a_few_bytes);
	tcase_add_test(garbage, a_stack_pointer_out_of_bounds_gives_one_frame);
	tcase_add_test(garbage,
		       a_bad_frame_pointer_in_unknown_code_is_not_followed);
	tcase_add_test(garbage, a_frame_chain_never_goes_back);
	suite_add_tcase(s, garbage);
	return s;
}
