/* SPDX-License-Identifier: MIT */
/*
 * test_section_usage - what is read of calls, which ones, and the slowest
 *
 * With the real clock, since the kernel's figures belong to it; bounds are
 * wide, for a busy machine.
 */
#include <check.h>
#include <string.h>
#include <sys/mman.h>

#include "base/os.h"
#include "measure/clock.h"
#include "profile/section.h"
#include "record/writer.h"

enum { SP = 1 << 24, MS = 1000000 };

static struct ps_record_thread thread_row;
static struct ps_section_thread *me;
static uint32_t a, b;

static void
setup(void)
{
	ps_clock_init(PS_CLOCK_AUTO);
	ck_assert_int_eq(ps_record_open(), 0);
	(void)ps_clock_pair(&ps_record->clock.start_ticks,
			    &ps_record->clock.start_ns);
	ps_section_init(true, "");
	memset(&thread_row, 0, sizeof(thread_row));
	me = ps_section_thread_open(1, &thread_row);
	a = ps_section_intern("a", NULL, 0);
	b = ps_section_intern("b", NULL, 0);
	ps_os_sleep_ns(2 * MS); /* the rate of the clock gets known */
}

static void
begin(uint32_t section)
{
	ps_section_begin(me, section, 0, SP);
	if (ps_section_started(me, ps_clock_now()))
		(void)ps_section_started(me, ps_clock_now());
}

static void
end(uint32_t section)
{
	ps_section_end(me, section, SP, ps_clock_now());
}

static void
spin(uint64_t ns)
{
	uint64_t until = ps_os_thread_cpu_ns() + ns;

	while (ps_os_thread_cpu_ns() < until)
		;
}

static const struct ps_record_section_stats *
row_of(uint32_t section)
{
	uint32_t count =
	    ps_peek(&ps_record->table[PS_TABLE_SECTION_STATS].count);

	for (uint32_t i = 0; i < count; i++) {
		const struct ps_record_section_stats *s =
		    ps_record_entry(PS_TABLE_SECTION_STATS, i);

		if (s->section == section)
			return s;
	}
	return NULL;
}

START_TEST(waiting_is_not_cpu_time)
{
	const struct ps_record_usage *u;

	begin(a);
	spin(5 * MS);
	ps_os_sleep_ns(20 * MS);
	end(a);
	u = &row_of(a)->every;
	ck_assert_uint_eq(ps_peek(&u->calls), 1);
	ck_assert_uint_eq(ps_peek(&u->ticks), ps_peek(&row_of(a)->total_ticks));
	ck_assert_uint_ge(ps_peek(&u->cpu_ns), 5 * MS);
	ck_assert_uint_le(ps_peek(&u->cpu_ns), 8 * MS);
	ck_assert_uint_ge(ps_peek(&u->waits), 1);
}
END_TEST

/* Not read at its begin: 1 us calls around it keep the path from being due. */
START_TEST(a_rare_long_wait_is_seen_among_short_calls)
{
	uint64_t until = ps_os_monotonic_ns() + 3 * MS;
	const struct ps_record_section_stats *s;

	while (ps_os_monotonic_ns() < until) {
		begin(a);
		end(a);
	}
	me->root.children->due = UINT64_MAX;
	begin(a);
	ps_os_sleep_ns(20 * MS);
	end(a);
	s = row_of(a);
	ck_assert_uint_ge(ps_peek(&s->every.calls), 2);
	ck_assert_uint_ge(ps_peek(&s->every.ticks), ps_peek(&s->max_ticks));
	ck_assert_uint_le(ps_peek(&s->every.cpu_ns), 5 * MS);
	ck_assert_uint_ge(ps_peek(&s->some.calls), 1);
	ck_assert_uint_lt(ps_peek(&s->some.calls), 20);
}
END_TEST

START_TEST(page_faults_and_growth_of_the_heap_are_the_call_s)
{
	enum { PAGES = 300 };
	const struct ps_record_usage *u;
	void *memory;

	ck_assert_int_eq(ps_os_map(PAGES * 4096, &memory), 0);
	(void)madvise(memory, PAGES * 4096, MADV_NOHUGEPAGE);
	ps_record->heap.class_bytes[3] = 64;
	ps_bump(&thread_row.class_allocations[3], 100); /* before */
	begin(a);
	for (int i = 0; i < PAGES; i++)
		((volatile char *)memory)[i * 4096] = 1;
	ps_bump(&thread_row.class_allocations[3], 10);
	ps_bump(&thread_row.class_frees[3], 4);
	ps_bump(&thread_row.large_freed_bytes, 1000);
	end(a);
	u = &row_of(a)->every;
	ck_assert_uint_ge(ps_peek(&u->minor_faults), PAGES);
#if !defined(__SANITIZE_THREAD__) &&                                           \
    !defined(__SANITIZE_ADDRESS__) /* their shadow faults, too */
	ck_assert_uint_le(ps_peek(&u->minor_faults), PAGES + 20);
#endif
	ck_assert_int_eq((int64_t)ps_peek(&u->live_bytes), 6 * 64 - 1000);
}
END_TEST

START_TEST(nested_calls_share_a_reading_and_stay_right)
{
	begin(a);
	begin(b);
	spin(3 * MS);
	end(b);
	end(a);
	ck_assert_uint_ge(ps_peek(&row_of(b)->every.cpu_ns), 3 * MS - MS / 10);
	ck_assert_uint_ge(ps_peek(&row_of(a)->every.cpu_ns),
			  ps_peek(&row_of(b)->every.cpu_ns) - MS / 10);
	ck_assert_uint_le(ps_peek(&row_of(a)->every.cpu_ns), 5 * MS);
}
END_TEST

START_TEST(of_a_recursion_the_outermost_is_read)
{
	begin(a);
	begin(a);
	spin(2 * MS);
	end(a);
	end(a);
	ck_assert_uint_eq(ps_peek(&row_of(a)->every.calls), 1);
	ck_assert_uint_eq(ps_peek(&row_of(a)->some.calls), 0);
}
END_TEST

/* ---- the slowest -------------------------------------------------------- */

static void
call(uint32_t outer, uint32_t section, ps_ticks begun, uint64_t ticks)
{
	ps_section_begin(me, outer, 0, SP);
	(void)ps_section_started(me, begun);
	ps_section_begin(me, section, 0, SP);
	(void)ps_section_started(me, begun);
	ps_section_end(me, section, SP, begun + ticks);
	ps_section_end(me, outer, SP, begun + ticks);
}

static const struct ps_record_slow_call *
slow_call(const struct ps_record_section_stats *s, uint64_t ticks)
{
	for (unsigned i = 0; i < PS_SECTION_SLOWEST; i++)
		if (ps_peek(&s->slowest[i].ticks) == ticks)
			return &s->slowest[i];
	return NULL;
}

/* 1000 lengths in an order without a pattern; the greatest eight are kept. */
START_TEST(the_slowest_calls_are_kept_with_when_and_where)
{
	const struct ps_record_slow_call *found;

	ps_poke(&thread_row.tid, 77);
	for (uint64_t i = 0; i < 1000; i++)
		call(a, b, 5000 + i, 100 + i * 617 % 1000);
	for (uint64_t k = 1000; k-- > 1000 - PS_SECTION_SLOWEST;) {
		found = slow_call(row_of(b), 100 + k);
		ck_assert_ptr_nonnull(found);
		ck_assert_uint_eq(ps_peek(&found->begun) < 6000, 1);
		ck_assert_uint_eq((ps_peek(&found->begun) - 5000) * 617 % 1000,
				  k);
		ck_assert_uint_eq(ps_peek(&found->parent), a);
		ck_assert_uint_eq(ps_peek(&found->tid), 77);
	}
	ck_assert_uint_eq(ps_peek(&slow_call(row_of(a), 1099)->parent),
			  UINT32_MAX);
	ck_assert_uint_eq(ps_peek(&row_of(b)->max_ticks), 1099);
	ck_assert_uint_eq(ps_peek(&row_of(b)->min_ticks), 100);
}
END_TEST

/* Long ones are looked at in any case, and may be none of the slowest. */
START_TEST(a_long_call_that_is_none_of_the_slowest_displaces_none)
{
	const uint64_t long_ticks = 100000000;

	for (uint64_t k = 0; k < PS_SECTION_SLOWEST; k++)
		call(a, b, 0, 2 * long_ticks + k);
	call(a, b, 0, long_ticks);
	for (uint64_t k = 0; k < PS_SECTION_SLOWEST; k++)
		ck_assert_ptr_nonnull(slow_call(row_of(b), 2 * long_ticks + k));
}
END_TEST

START_TEST(the_slowest_of_ended_threads_are_the_slowest_of_all)
{
	for (uint64_t k = 1; k <= 3; k++) {
		me = ps_section_thread_open(1, &thread_row);
		for (uint64_t i = 0; i < 10; i++)
			call(a, b, 0, 100 * i + k);
		ps_section_thread_close(me);
	}
	ck_assert_ptr_nonnull(slow_call(row_of(b), 903));
	ck_assert_ptr_nonnull(slow_call(row_of(b), 901));
	ck_assert_ptr_nonnull(slow_call(row_of(b), 702));
	ck_assert_ptr_null(slow_call(row_of(b), 701));
}
END_TEST

START_TEST(values_go_to_the_innermost_region)
{
	ps_section_add(me, PS_VALUE_BYTES, 99); /* nobody's */
	begin(a);
	ps_section_add(me, PS_VALUE_BYTES, 10);
	begin(b);
	ps_section_add(me, PS_VALUE_BYTES, 1);
	ps_section_add(me, PS_VALUE_ITEMS, 3);
	end(b);
	ps_section_add(me, PS_VALUE_FLOPS, 4);
	end(a);
	ck_assert_uint_eq(ps_peek(&row_of(a)->value[PS_VALUE_BYTES]), 10);
	ck_assert_uint_eq(ps_peek(&row_of(a)->value[PS_VALUE_FLOPS]), 4);
	ck_assert_uint_eq(ps_peek(&row_of(b)->value[PS_VALUE_BYTES]), 1);
	ck_assert_uint_eq(ps_peek(&row_of(b)->value[PS_VALUE_ITEMS]), 3);
}
END_TEST

Suite *
section_usage_suite(void)
{
	Suite *s = suite_create("section_usage");
	TCase *usage = tcase_create("usage");
	TCase *slowest = tcase_create("slowest");

	tcase_add_checked_fixture(usage, setup, NULL);
	tcase_add_test(usage, waiting_is_not_cpu_time);
	tcase_add_test(usage, a_rare_long_wait_is_seen_among_short_calls);
	tcase_add_test(usage,
		       page_faults_and_growth_of_the_heap_are_the_call_s);
	tcase_add_test(usage, nested_calls_share_a_reading_and_stay_right);
	tcase_add_test(usage, of_a_recursion_the_outermost_is_read);
	suite_add_tcase(s, usage);

	tcase_add_checked_fixture(slowest, setup, NULL);
	tcase_add_test(slowest, the_slowest_calls_are_kept_with_when_and_where);
	tcase_add_test(slowest,
		       a_long_call_that_is_none_of_the_slowest_displaces_none);
	tcase_add_test(slowest,
		       the_slowest_of_ended_threads_are_the_slowest_of_all);
	tcase_add_test(slowest, values_go_to_the_innermost_region);
	suite_add_tcase(s, slowest);
	return s;
}
