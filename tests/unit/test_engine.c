/* SPDX-License-Identifier: MIT */
/*
 * test_engine - rules over a made-up program, on a clock of the test's own
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "monitor/engine.h"

enum { SECTIONS_MAX = 100 };

static const uint64_t second = 1000000000;
static struct ps_engine engine;
static double heap;
static double blocks;
static double room_left;
static unsigned room_asked;
static uint32_t sections;
static char names[SECTIONS_MAX][20];
static struct ps_calls calls[SECTIONS_MAX];
static struct ps_alert last;
static unsigned alerts;
static uint64_t now;

static double
level(void *owner, enum ps_subject subject)
{
	(void)owner;
	return subject == PS_SUBJECT_HEAP     ? heap
	       : subject == PS_SUBJECT_BLOCKS ? blocks
					      : (double)NAN;
}

static double
room(void *owner)
{
	(void)owner;
	room_asked++;
	return room_left;
}

static uint32_t
count(void *owner)
{
	(void)owner;
	return sections;
}

static const char *
name(void *owner, uint32_t section)
{
	(void)owner;
	return names[section];
}

static void
calls_of(void *owner, uint32_t section, struct ps_calls *out)
{
	(void)owner;
	memcpy((void *)out, (void *)&calls[section], sizeof(*out));
}

static uint64_t
errors_of(void *owner, uint32_t section)
{
	(void)owner;
	return calls[section].errors;
}

static void
emit(void *owner, const struct ps_alert *alert)
{
	(void)owner;
	last = *alert;
	alerts++;
}

static void
start(const char *text)
{
	static const struct ps_engine_source source = {
	    NULL, 1e-9, level, room, count, name, calls_of, errors_of};
	struct ps_rule_error error;
	struct ps_rules rules;

	ck_assert_int_eq(ps_rules_parse(text, &rules, &error), 0);
	now = 1000 * second;
	ps_engine_init(&engine, &rules, &source, now);
}

static unsigned
step(double seconds)
{
	unsigned before = alerts;

	now += (uint64_t)(seconds * 1e9);
	ps_engine_step(&engine, now, emit);
	return alerts - before;
}

static uint32_t
add_section(const char *text)
{
	snprintf(names[sections], sizeof(names[0]), "%s", text);
	return sections++;
}

static void
call(uint32_t section, uint64_t ns)
{
	struct ps_calls *c = &calls[section];

	c->calls++;
	c->total_ticks += ns;
	c->max_ticks = PS_MAX(c->max_ticks, ns);
	ps_bump(&c->histogram[ps_hist_bucket(ns)], 1);
}

static void
teardown(void)
{
	ps_engine_fini(&engine);
}

START_TEST(a_level_is_raised_once)
{
	start("heap > 1M");
	heap = 1048576;
	ck_assert_uint_eq(step(1), 0);
	heap = 1048577;
	ck_assert_uint_eq(step(1), 1);
	ck_assert_uint_eq(step(1), 0);
	ck_assert(last.value == 1048577 && last.threshold == 1048576);
	ck_assert_uint_eq(last.section, PS_ALERT_NO_SECTION);
	ck_assert_uint_eq(last.at_ns, 1002 * second);
	ck_assert_uint_eq(last.unit, PS_IN_BYTES);
}
END_TEST

/* 80 % of what the heap could grow to; others may take the room. */
START_TEST(a_limit_is_level_and_room)
{
	start("critical: heap > 80% of limit");
	heap = 600;
	room_left = 400;
	ck_assert_uint_eq(step(1), 0);
	room_left = 100;
	ck_assert_uint_eq(step(1), 1);
	ck_assert(fabs(last.threshold - 560) < 1e-9);
	ck_assert_uint_eq(last.severity, PS_SEVERITY_CRITICAL);
	ck_assert_uint_eq(room_asked, 2);
}
END_TEST

START_TEST(no_limit_is_no_alert)
{
	start("heap > 1% of limit");
	heap = 1e15;
	room_left = NAN;
	ck_assert_uint_eq(step(1), 0);
}
END_TEST

START_TEST(limits_are_asked_for_only_by_who_wants_them)
{
	start("heap > 1G; live blocks > 5");
	blocks = 6;
	ck_assert_uint_eq(step(1), 1);
	ck_assert_uint_eq(room_asked, 0);
}
END_TEST

START_TEST(growth_must_last)
{
	start("heap grows > 10MiB/s for 30s over 5s");
	for (int s = 0; s < 35; s++) {
		heap += 11 << 20;
		ck_assert_uint_eq(step(1), 0);
	}
	heap += 11 << 20;
	ck_assert_uint_eq(step(1), 1);
	ck_assert(fabs(last.value - (11 << 20)) < 1);
	ck_assert_uint_eq(last.unit, PS_IN_BYTES_PER_S);
	/* A step up, then nothing: no growth that lasts. */
	start("heap grows > 10MiB/s for 30s over 5s");
	for (int s = 0; s < 300; s++) {
		heap += s % 60 == 0 ? 200 << 20 : 0;
		ck_assert_uint_eq(step(1), 0);
	}
}
END_TEST

START_TEST(a_section_is_named)
{
	uint32_t parse;
	uint32_t other;

	start("section(parse).p99 > 5ms over 10s");
	ck_assert_uint_eq(step(1), 0);
	other = add_section("other");
	parse = add_section("parse");
	for (int i = 0; i < 100; i++) {
		call(parse, 1000000);
		call(other, 900000000);
	}
	ck_assert_uint_eq(step(1), 0);
	for (int i = 0; i < 10; i++)
		call(parse, 8000000);
	ck_assert_uint_eq(step(1), 1);
	ck_assert_uint_eq(last.section, parse);
	ck_assert(fabs(last.value - 8e-3) < 8e-3 / 32);
	ck_assert(last.threshold == 5e-3);
}
END_TEST

START_TEST(a_glob_watches_each_of_its_sections)
{
	start("section(db_*).max > 100ms");
	add_section("db_a");
	add_section("web");
	add_section("db_b");
	for (uint32_t s = 0; s < 3; s++)
		call(s, 1000);
	ck_assert_uint_eq(step(1), 0);
	ck_assert_uint_eq(engine.watches, 2);
	call(1, 500000000);
	ck_assert_uint_eq(step(1), 0);
	call(2, 500000000);
	ck_assert_uint_eq(step(1), 1);
	ck_assert_uint_eq(last.section, 2);
	call(0, 500000000);
	ck_assert_uint_eq(step(1), 1);
	ck_assert_uint_eq(last.section, 0);
}
END_TEST

START_TEST(errors_are_a_part_of_the_calls)
{
	start("errors(query) > 1%");
	add_section("query");
	for (int i = 0; i < 1000; i++)
		call(0, 1000);
	calls[0].errors = 10;
	ck_assert_uint_eq(step(1), 0);
	calls[0].errors = 11;
	ck_assert_uint_eq(step(1), 1);
	ck_assert(fabs(last.value - 0.011) < 1e-12);
}
END_TEST

START_TEST(watches_are_bounded_and_the_rest_counted)
{
	start("section(*).max > 1s; section(*).mean > 1s");
	for (int i = 0; i < 40; i++)
		add_section("s");
	ck_assert_uint_eq(step(1), 0);
	ck_assert_uint_eq(engine.watches, PS_WATCHES);
	ck_assert_uint_eq(engine.unwatched, 80 - PS_WATCHES);
}
END_TEST

/* Who sees the heap beyond wake_bytes steps at once; it comes before the end.
 */
START_TEST(the_next_level_comes_before_the_threshold)
{
	double limit = 1e9;
	unsigned steps = 0;

	start("heap > 80% of limit");
	heap = 0;
	while (alerts == 0) {
		double next;

		room_left = limit - heap;
		(void)step(0.001);
		ck_assert_uint_lt(++steps, 60);
		next = engine.wake_bytes;
		if (alerts > 0)
			break;
		ck_assert(next > heap);
		heap = next + 1;
	}
	ck_assert(heap >= 0.8 * limit && heap < 0.8 * limit + 2e6);
	start("heap > 1G");
	heap = 5;
	(void)step(1);
	ck_assert(engine.wake_bytes == 0x1p30);
	start("rss > 1G; heap < 1M");
	(void)step(1);
	ck_assert(isinf(engine.wake_bytes));
}
END_TEST

START_TEST(a_restart_forgets_the_sums)
{
	start("section(a).calls > 50/s over 1s; heap > 1M");
	add_section("a");
	heap = 2e6;
	for (int i = 0; i < 100; i++)
		call(0, 10);
	ck_assert_uint_eq(step(1), 2);
	memset((void *)&calls[0], 0, sizeof(calls[0]));
	ps_engine_restart(&engine, now);
	ck_assert_uint_eq(step(1), 1); /* the heap, again */
	call(0, 10);
	ck_assert_uint_eq(step(1), 0);
}
END_TEST

/* Thirty days: a bounded number of alerts and no
 * memory beyond the watches of the first minute. */
START_TEST(a_month_is_bounded)
{
	start("heap > 1M every 1h; section(*).p99 > 1ms every 1h");
	add_section("a");
	add_section("b");
	for (uint64_t i = 0; i < 30 * 288; i++) {
		heap = i % 2 == 0 ? 2e6 : 0;
		call(0, i % 30 < 15 ? 100 : 100000000);
		call(1, 100);
		(void)step(300);
		ck_assert_uint_eq(engine.watches, 2);
	}
	ck_assert_uint_le(alerts, 2 * 30 * 24 + 2);
	ck_assert_uint_ge(alerts, 30 * 24);
}
END_TEST

Suite *
engine_suite(void)
{
	Suite *s = suite_create("engine");
	TCase *t = tcase_create("engine");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, a_level_is_raised_once);
	tcase_add_test(t, a_limit_is_level_and_room);
	tcase_add_test(t, no_limit_is_no_alert);
	tcase_add_test(t, limits_are_asked_for_only_by_who_wants_them);
	tcase_add_test(t, growth_must_last);
	tcase_add_test(t, a_section_is_named);
	tcase_add_test(t, a_glob_watches_each_of_its_sections);
	tcase_add_test(t, errors_are_a_part_of_the_calls);
	tcase_add_test(t, watches_are_bounded_and_the_rest_counted);
	tcase_add_test(t, the_next_level_comes_before_the_threshold);
	tcase_add_test(t, a_restart_forgets_the_sums);
	tcase_add_test(t, a_month_is_bounded);
	suite_add_tcase(s, t);
	return s;
}
