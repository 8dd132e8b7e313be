/* SPDX-License-Identifier: MIT */
/*
 * test_unwind_memo - a walk with a memo finds what a plain walk finds, and a
 * recall the site of the same stack
 *
 * The program under the walks is a tree of calls by chance: functions with and
 * without a frame pointer, with frames of a size known at run time only, and
 * without unwind tables, that return and call again, at depths beyond what a
 * memo can hold.
 */
#include <alloca.h>
#include <check.h>
#include <string.h>

#include "shim/unwind_memo.h"
#include "shim/unwind_recall.h"
#include "unwind_trace.h"

enum { MAX_COUNT = 4, DEPTH_MOST = 400 };

static const uint32_t max_of[MAX_COUNT] = {1, 5, 64, 128};
static struct ps_unwind_memo memo_of[MAX_COUNT];
static uint64_t state;
static uint64_t walks;
static uint64_t differing; /* stacks that were not those of the walk before */
static uint64_t last_hash;
static struct ps_recall *recall;
static uint64_t recalled;
static uintptr_t low;
static uintptr_t high;

static uint32_t
chance(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

static void
compare(const struct ps_unwind_context *start, int k)
{
	uintptr_t plain[PS_MEMO_FRAMES];
	uintptr_t got[PS_MEMO_FRAMES];
	enum ps_unwind_end plain_end;
	enum ps_unwind_end end;
	uint64_t hash;
	uint32_t plain_depth =
	    ps_unwind_walk(start, plain, max_of[k], low, high, &plain_end);
	uint32_t depth = ps_unwind_walk_memo(&memo_of[k], start, max_of[k], low,
					     high, &hash, &end);

	ck_assert_uint_eq(depth, plain_depth);
	ck_assert_int_eq(end, plain_end);
	ck_assert_int_ne(end, PS_UNWIND_STOPPED);
	ps_unwind_memo_read(&memo_of[k], depth, got);
	ck_assert_mem_eq(got, plain, depth * sizeof(*got));
	ck_assert_uint_eq(hash, ps_unwind_hash(plain, depth));
	if (k == 2) {
		walks++;
		differing += hash != last_hash;
		last_hash = hash;
	}
}

/* Sites are told apart by their stack's hash here. */
static void
compare_recall(const struct ps_unwind_context *start)
{
	struct ps_recall_from from = {
	    .ctx = *start,
	    .stack_low = low,
	    .stack_high = high,
	    .section = chance(2),
	};
	const struct ps_unwind_memo *memo = &memo_of[2];
	uint32_t depth = PS_MIN(memo->count, max_of[2]);
	uint32_t site = (uint32_t)(last_hash >> 33) + from.section;
	uint32_t got = ps_recall_site(recall, &from);

	if (got == UINT32_MAX) {
		ps_recall_keep(recall, &from, memo, depth, site);
		return;
	}
	ck_assert_uint_eq(got, site);
	recalled++;
}

static NOINLINE void
look(void)
{
	struct ps_unwind_context start;

	PS_UNWIND_CALLER(&start);
	for (int k = 0; k < MAX_COUNT; k++)
		compare(&start, k);
	compare_recall(&start);
}

static void descend(int depth);

static NOINLINE int
plain_frame(int depth)
{
	int sum = depth;

	descend(depth - 1);
	__asm__ volatile("" : "+r"(sum)); /* no tail call */
	if (chance(3) == 0)
		descend(depth - 1);
	__asm__ volatile("" : "+r"(sum));
	return sum;
}

static NOINLINE int
growing_frame(int depth)
{
	char *room = alloca(16 + chance(200));

	memset(room, 1, 16);
	descend(depth - 1);
	__asm__ volatile("" : : "r"(room) : "memory");
	look();
	__asm__ volatile("" : : "r"(room) : "memory");
	return room[3];
}

static UNOPTIMIZED int
framed(int depth)
{
	descend(depth - 1);
	look();
	descend(depth - 2);
	return 1;
}

/* rbp is a register like any other here. */
static NOINLINE int
busy_frame(int depth)
{
	register uintptr_t a = chance(1000);
	int sum = 0;

	for (uint32_t i = 0, n = 1 + chance(2); i < n; i++) {
		descend(depth - 1);
		a += i;
		sum += (int)a;
	}
	return sum;
}

/* Two frames without tables, as a just-in-time compiler makes them. */
int call_bare(int depth, void (*callee)(int));
__asm__(".text\n"
	".type call_bare, @function\n"
	"call_bare:\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	call 1f\n"
	"	pop %rbp\n"
	"	ret\n"
	"1:	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	call *%rsi\n"
	"	mov $1, %eax\n"
	"	pop %rbp\n"
	"	ret\n"
	".size call_bare, . - call_bare\n");

static int
bare_frames(int depth)
{
	return call_bare(depth - 1, descend);
}

static NOINLINE void
descend(int depth)
{
	static int (*const any[])(int) = {plain_frame, growing_frame, framed,
					  busy_frame, bare_frames};
	static int depth_now;

	if (depth <= 0 || depth_now > DEPTH_MOST || walks > 30000) {
		look();
		return;
	}
	depth_now++;
	(void)any[chance(PS_COUNT(any))](depth);
	depth_now--;
	__asm__ volatile("");
}

static void
setup(void)
{
	trace_setup();
	recall = ps_recall_open();
	ck_assert_ptr_nonnull(recall);
	ck_assert(ps_unwind_stack_bounds((uintptr_t)__builtin_frame_address(0),
					 &low, &high));
}

/* Short trees, many of them: most walks meet a known frame. */
START_TEST(a_walk_with_a_memo_is_a_plain_walk)
{
	state = (uint64_t)_i + 1;
	for (int i = 0; i < 200; i++)
		descend(2 + (int)chance(7));
	ck_assert_uint_gt(walks, 1000);
	ck_assert_uint_gt(differing, walks / 3);
	ck_assert_uint_gt(recalled, 20);
}
END_TEST

static NOINLINE int
dive(int depth)
{
	int below = 0;

	if (depth > 0)
		below = chance(40) == 0 ? framed(1) : dive(depth - 1);
	look();
	__asm__ volatile("" : "+r"(below));
	return below + 1;
}

/* Deeper than a memo holds, down and up again. */
START_TEST(a_deep_stack_is_cut_as_a_plain_walk_cuts_it)
{
	state = (uint64_t)_i + 100;
	for (int i = 0; i < 12; i++)
		(void)dive(DEPTH_MOST);
	ck_assert_uint_gt(walks, 200);
}
END_TEST

/* hazard: U8 what is remembered of a module that went away */
START_TEST(a_memo_is_forgotten_when_modules_go)
{
	look();
	ck_assert_uint_gt(memo_of[2].count, 3);
	memo_of[2].frame[0].pc ^= 1; /* would be told, if it were believed */
	memo_of[2].frame[0].hash ^= 1;
	ps_unwind_flush();
	look();
	ck_assert_uint_eq(recalled, 0);
}
END_TEST

START_TEST(the_hash_tells_order_and_depth_apart)
{
	static const uintptr_t a[] = {0x1000, 0x2000, 0x3000};
	static const uintptr_t b[] = {0x2000, 0x1000, 0x3000};

	ck_assert_uint_ne(ps_unwind_hash(a, 3), ps_unwind_hash(b, 3));
	ck_assert_uint_ne(ps_unwind_hash(a, 3), ps_unwind_hash(a, 2));
	ck_assert_uint_ne(ps_unwind_hash(a, 2), ps_unwind_hash(a, 1));
}
END_TEST

Suite *
unwind_memo_suite(void)
{
	Suite *s = suite_create("unwind_memo");
	TCase *t = tcase_create("memo");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_walk_with_a_memo_is_a_plain_walk, 0, 4);
	tcase_add_loop_test(t, a_deep_stack_is_cut_as_a_plain_walk_cuts_it, 0,
			    2);
	tcase_add_test(t, a_memo_is_forgotten_when_modules_go);
	tcase_add_test(t, the_hash_tells_order_and_depth_apart);
	suite_add_tcase(s, t);
	return s;
}
