/* SPDX-License-Identifier: MIT */
/*
 * test_section_event - the ring of events: the last ones, whole, in a child too
 */
#include <check.h>
#include <errno.h>

#include "base/os.h"
#include "profile/section.h"
#include "profile/section_event.h"
#include "record/writer.h"

enum { SP = 1 << 24 };

static struct ps_record_thread thread_row;

static void
setup(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ps_section_init(true, "");
	ps_poke(&thread_row.tid, 42);
}

static const struct ps_record_event *
event_at(uint32_t row)
{
	return ps_record_entry(PS_TABLE_EVENTS, row);
}

static uint32_t
rows(void)
{
	return ps_peek(&ps_record->table[PS_TABLE_EVENTS].count);
}

static void
call(struct ps_section_thread *t, uint32_t section, ps_ticks begun,
     uint64_t ticks)
{
	ps_section_begin(t, section, 0, SP);
	(void)ps_section_started(t, begun);
	ps_section_end(t, section, SP, begun + ticks);
}

START_TEST(without_being_asked_there_are_none)
{
	struct ps_section_thread *t = ps_section_thread_open(1, &thread_row);

	ps_section_events_init(0);
	call(t, ps_section_intern("a", NULL, 0), 1, 2);
	ck_assert(!ps_section_events_are_on());
	ck_assert_uint_eq(rows(), 0);
}
END_TEST

START_TEST(the_ring_holds_the_last_calls)
{
	struct ps_section_thread *t = ps_section_thread_open(1, &thread_row);
	uint32_t a = ps_section_intern("a", NULL, 0);
	uint32_t b = ps_section_intern("b", NULL, 0);

	ps_section_events_init(5); /* rounded up to 8 */
	ck_assert_uint_eq(rows(), 8);
	for (uint64_t i = 0; i < 20; i++)
		call(t, a, 100 + i, i);
	ps_section_span(t, b, 7, 9);
	for (uint64_t n = 13; n < 20; n++) {
		const struct ps_record_event *e = event_at((uint32_t)n % 8);

		ck_assert_uint_eq(ps_peek(&e->number), n + 1);
		ck_assert_uint_eq(ps_peek(&e->begun), 100 + n);
		ck_assert_uint_eq(ps_peek(&e->ticks), n);
		ck_assert_uint_eq(ps_peek(&e->section), a);
		ck_assert_uint_eq(ps_peek(&e->tid), 42);
		ck_assert_uint_eq(ps_peek(&e->is_span), 0);
	}
	ck_assert_uint_eq(ps_peek(&event_at(4)->number), 21);
	ck_assert_uint_eq(ps_peek(&event_at(4)->section), b);
	ck_assert_uint_eq(ps_peek(&event_at(4)->ticks), 9);
	ck_assert_uint_eq(ps_peek(&event_at(4)->is_span), 1);
}
END_TEST

START_TEST(more_than_the_table_holds_is_the_table)
{
	ps_section_events_init(UINT32_MAX);
	ck_assert_uint_eq(rows(), ps_record->table[PS_TABLE_EVENTS].capacity);
	ck_assert(ps_section_events_are_on());
}
END_TEST

START_TEST(a_fork_child_has_a_ring_of_its_own)
{
	struct ps_section_thread *t = ps_section_thread_open(1, &thread_row);
	uint32_t a = ps_section_intern("a", NULL, 0);

	ps_section_events_init(8);
	call(t, a, 1, 2);
	ps_record_postfork_child();
	ps_section_postfork_child(t, 2, &thread_row);
	ck_assert_uint_eq(rows(), 8);
	ck_assert_uint_eq(ps_peek(&event_at(0)->number), 0);
	call(t, a, 5, 6);
	ck_assert_uint_eq(ps_peek(&event_at(0)->number), 1);
	ck_assert_uint_eq(ps_peek(&event_at(0)->begun), 5);
}
END_TEST

/* In the middle of a call, and then in a section that it has not met yet. */
START_TEST(a_fork_child_without_a_recording_goes_on)
{
	struct ps_section_thread *t = ps_section_thread_open(1, &thread_row);
	uint32_t a = ps_section_intern("a", NULL, 0);

	ps_section_events_init(8);
	ps_section_begin(t, a, 0, SP);
	(void)ps_section_started(t, 1);
	ps_os_fail_at(1, ENOMEM);
	ps_record_postfork_child();
	ps_os_fail_at(0, 0);
	ck_assert(ps_record_is_spare());
	ps_section_postfork_child(t, 1, &thread_row);
	ps_section_end(t, a, SP, 5);
	ck_assert(!ps_section_events_are_on());
	ck_assert_uint_eq(ps_section_intern("b", NULL, 0), UINT32_MAX);
	ck_assert_uint_eq(ps_section_intern("a", NULL, 0), a);
	ck_assert_uint_eq(ps_section_depth(t), 0);
	ps_section_thread_close(t);
}
END_TEST

Suite *
section_event_suite(void)
{
	Suite *s = suite_create("section_event");
	TCase *ring = tcase_create("ring");

	tcase_add_checked_fixture(ring, setup, NULL);
	tcase_add_test(ring, without_being_asked_there_are_none);
	tcase_add_test(ring, the_ring_holds_the_last_calls);
	tcase_add_test(ring, more_than_the_table_holds_is_the_table);
	tcase_add_test(ring, a_fork_child_has_a_ring_of_its_own);
	tcase_add_test(ring, a_fork_child_without_a_recording_goes_on);
	suite_add_tcase(s, ring);
	return s;
}
