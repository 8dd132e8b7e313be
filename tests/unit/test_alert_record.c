/* SPDX-License-Identifier: MIT */
/*
 * test_alert_record - alerts and snapshots in the recording, and what the rules
 * ask of it
 */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "monitor/alert_record.h"
#include "monitor/recording_source.h"
#include "record/writer.h"

static struct ps_rules rules;

static void
set_up_with(const char *text)
{
	struct ps_rule_error error;

	ck_assert_int_eq(ps_record_open(), 0);
	ck_assert_int_eq(ps_rules_parse(text, &rules, &error), 0);
	ps_alert_record_reset();
}

static void *
append(enum ps_table_id id, uint32_t entries)
{
	void *out = NULL;

	ps_record_lock();
	ck_assert_uint_ne(ps_record_append(id, entries, &out), UINT32_MAX);
	ps_record_publish(id);
	ps_record_unlock();
	return out;
}

static const struct ps_record_alert *
raise_rule(uint32_t rule, double value)
{
	struct ps_alert alert = {
	    .value = value,
	    .threshold = 100,
	    .rule = rule,
	    .section = PS_ALERT_NO_SECTION,
	    .unit = rules.rule[rule].unit,
	    .severity = rules.rule[rule].severity,
	};

	return ps_alert_record(&alert, &rules, 4711, 12, UINT32_MAX);
}

static uint32_t
rows(enum ps_table_id id)
{
	return ps_peek(&ps_record->table[id].count);
}

START_TEST(an_alert_is_a_row)
{
	const struct ps_record_alert *row;

	set_up_with("info: section(a).p99 > 1s; critical: heap > 1G");
	ps_poke(&ps_record->heap.live_bytes, 77);
	row = raise_rule(1, 123);
	ck_assert_ptr_nonnull(row);
	ck_assert_str_eq(ps_record_entry(PS_TABLE_STRINGS, row->rule),
			 "critical: heap > 1G");
	ck_assert(row->value == 123 && row->threshold == 100);
	ck_assert_uint_eq(row->ticks, 4711);
	ck_assert_uint_eq(row->thread, 12);
	ck_assert_uint_eq(row->severity, PS_SEVERITY_CRITICAL);
	ck_assert_uint_eq(row->unit, PS_IN_BYTES);
	ck_assert_uint_eq(row->live_bytes, 77);
	ck_assert_uint_eq(row->sites, 0);
	ck_assert_uint_eq(ps_peek(&row->version), 2);
	ck_assert_uint_gt(row->real_ns, UINT64_C(1500000000000000000));
	ck_assert_uint_eq(ps_peek(&ps_record->watch.alerts), 1);
	ck_assert_uint_eq(rows(PS_TABLE_ALERTS), 1);
}
END_TEST

START_TEST(a_snapshot_has_the_greatest_sites_in_order)
{
	const struct ps_record_alert_site *top;
	const struct ps_record_alert *row;
	struct ps_record_site *sites;

	set_up_with("heap > 1G");
	sites = append(PS_TABLE_SITES, 1000);
	srandom(5);
	for (int i = 0; i < 1000; i++)
		ps_poke(&sites[i].live_bytes, (uint64_t)random() % 1000 + 1);
	ps_poke(&sites[321].live_bytes, 5000);
	ps_poke(&sites[321].live_allocations, 3 * PS_WEIGHT_ONE);
	ps_poke(&sites[5].live_bytes, (uint64_t)-3); /* freed elsewhere */
	row = raise_rule(0, 1);
	ck_assert_uint_eq(row->sites, PS_ALERT_SITES);
	top = ps_record_entry(PS_TABLE_ALERT_SITES, row->first_site);
	ck_assert_uint_eq(top[0].site, 321);
	ck_assert_uint_eq(top[0].live_allocations, 3 * PS_WEIGHT_ONE);
	for (uint32_t i = 1; i < row->sites; i++)
		ck_assert_uint_le(top[i].live_bytes, top[i - 1].live_bytes);
	for (int i = 0; i < 1000; i++) {
		uint64_t bytes = ps_peek(&sites[i].live_bytes);
		bool is_in = false;

		for (uint32_t k = 0; k < row->sites; k++)
			is_in |= top[k].site == (uint32_t)i;
		if (i != 5 && bytes > top[row->sites - 1].live_bytes)
			ck_assert(is_in);
	}
	/* What comes later does not change it. */
	ps_poke(&sites[321].live_bytes, 0);
	ck_assert_uint_eq(top[0].live_bytes, 5000);
}
END_TEST

START_TEST(a_rule_on_sections_takes_no_snapshot)
{
	set_up_with("section(a).p99 > 1s");
	(void)append(PS_TABLE_SITES, 3);
	ck_assert_uint_eq(raise_rule(0, 1)->sites, 0);
	ck_assert_uint_eq(rows(PS_TABLE_ALERT_SITES), 0);
}
END_TEST

/* A rule that flaps for days leaves the others their room. */
START_TEST(a_share_that_is_used_up_keeps_the_newest)
{
	const struct ps_record_alert *last = NULL;
	const struct ps_record_alert *other;

	set_up_with("heap > 1G; rss > 1G");
	for (int i = 0; i < 10000; i++)
		last = raise_rule(0, i);
	ck_assert_uint_eq(rows(PS_TABLE_ALERTS), 128);
	ck_assert(last->value == 9999);
	ck_assert_uint_eq(last->replaced, 10000 - 128);
	ck_assert_uint_eq(ps_peek(&last->version), 2 * (10000 - 127));
	other = raise_rule(1, 5);
	ck_assert_ptr_ne(other, last);
	ck_assert_uint_eq(rows(PS_TABLE_ALERTS), 129);
	ck_assert_uint_eq(ps_peek(&ps_record->watch.alerts), 10001);
	ck_assert_uint_eq(ps_peek(&ps_record->table[PS_TABLE_ALERTS].dropped),
			  0);
}
END_TEST

START_TEST(sixteen_rules_fill_the_table_and_no_more)
{
	char text[17 * 12] = "";

	for (int i = 0; i < PS_RULES_MAX; i++)
		strcat(text, "heap > 1G;");
	set_up_with(text);
	for (int i = 0; i < 100; i++)
		for (uint32_t rule = 0; rule < PS_RULES_MAX; rule++)
			ck_assert_ptr_nonnull(raise_rule(rule, i));
	ck_assert_uint_eq(rows(PS_TABLE_ALERTS),
			  ps_record->table[PS_TABLE_ALERTS].capacity);
	ck_assert_uint_eq(rows(PS_TABLE_ALERT_SITES),
			  ps_record->table[PS_TABLE_ALERT_SITES].capacity);
}
END_TEST

/* ---- what rules ask ----------------------------------------------------- */

static struct ps_record_section_stats *
add_section(const char *name, uint32_t thread, uint32_t calls)
{
	uint32_t index = rows(PS_TABLE_SECTIONS);
	struct ps_record_section *section = append(PS_TABLE_SECTIONS, 1);
	struct ps_record_section_stats *s = append(PS_TABLE_SECTION_STATS, 2);

	section->name = ps_record_string(name);
	for (int row = 0; row < 2; row++) {
		s[row].section = index;
		ps_poke(&s[row].thread, row == 0 ? thread : UINT32_MAX);
		ps_poke(&s[row].calls, calls);
		ps_poke(&s[row].total_ticks, 10 * calls);
		ps_poke(&s[row].max_ticks, 10);
		ps_poke(&s[row].histogram[10], calls);
	}
	return s;
}

static struct ps_reader
attach(void)
{
	struct ps_reader r;
	const char *why;

	ck_assert_int_eq(
	    ps_reader_attach(&r, ps_record, ps_record->file_bytes, &why), 0);
	return r;
}

START_TEST(calls_are_summed_over_rows_in_use)
{
	static struct ps_calls calls;
	struct ps_reader r;

	set_up_with("");
	(void)add_section("parse", 1, 7);
	(void)add_section("parse:error", 1, 2);
	(void)add_section("parse:errors", 1, 100);
	r = attach();
	ps_recording_calls(&r, 0, &calls);
	ck_assert_uint_eq(calls.calls, 7);
	ck_assert_uint_eq(calls.total_ticks, 70);
	ck_assert_uint_eq(calls.max_ticks, 10);
	ck_assert_uint_eq(ps_peek(&calls.histogram[10]), 7);
	ck_assert_uint_eq(ps_recording_errors(&r, 0), 2);
	ck_assert_uint_eq(ps_recording_errors(&r, 1), 0);
	ck_assert_str_eq(ps_recording_section(&r, 1), "parse:error");
	ck_assert_str_eq(ps_recording_section(&r, 9), "");
}
END_TEST

START_TEST(levels_are_those_of_the_heap)
{
	struct ps_record_thread *t;
	struct ps_reader r;

	set_up_with("");
	t = append(PS_TABLE_THREADS, 1);
	ps_poke(&t->class_allocations[3], 50);
	ps_poke(&t->class_frees[3], 20);
	ps_poke(&t->class_frees[PS_CLASS_LARGE], 5); /* of another's block */
	ps_poke(&ps_record->heap.live_bytes, 1234);
	ps_poke(&ps_record->heap.failed, 2);
	r = attach();
	ck_assert(ps_recording_level(&r, PS_SUBJECT_HEAP) == 1234);
	ck_assert(ps_recording_level(&r, PS_SUBJECT_BLOCKS) == 25);
	ck_assert(ps_recording_level(&r, PS_SUBJECT_FAILED) == 2);
	ck_assert(isnan(ps_recording_level(&r, PS_SUBJECT_RSS)));
	ps_poke(&ps_record->heap.live_bytes, (uint64_t)-5);
	ck_assert(ps_recording_level(&r, PS_SUBJECT_HEAP) == 0);
	ps_record->sampling.mode = PS_SAMPLE_ALL;
	ps_poke(&ps_record->heap.sampled_live_bytes, 99);
	ck_assert(ps_recording_level(&r, PS_SUBJECT_HEAP) == 99);
}
END_TEST

Suite *
alert_record_suite(void)
{
	Suite *s = suite_create("alert_record");
	TCase *t = tcase_create("rows");
	TCase *source = tcase_create("source");

	tcase_add_test(t, an_alert_is_a_row);
	tcase_add_test(t, a_snapshot_has_the_greatest_sites_in_order);
	tcase_add_test(t, a_rule_on_sections_takes_no_snapshot);
	tcase_add_test(t, a_share_that_is_used_up_keeps_the_newest);
	tcase_add_test(t, sixteen_rules_fill_the_table_and_no_more);
	suite_add_tcase(s, t);
	tcase_add_test(source, calls_are_summed_over_rows_in_use);
	tcase_add_test(source, levels_are_those_of_the_heap);
	suite_add_tcase(s, source);
	return s;
}
