/* SPDX-License-Identifier: MIT */
/*
 * test_prometheus - the example recording as metrics
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/scratch.h"
#include "record/writer.h"
#include "report/prometheus.h"
#include "tests/unit/example.h"

static char text[1 << 20];

static void
write_twice(uint32_t count)
{
	struct ps_reader reader;
	const struct ps_reader *const readers[2] = {&reader, &reader};
	struct ps_scratch scratch;
	struct ps_text out;

	ps_example_attach(&reader);
	ps_scratch_init(&scratch, 0);
	ps_text_init(&out, text, sizeof(text), -1);
	ck_assert_int_eq(ps_report_prometheus(readers, count, &scratch, &out),
			 0);
	ck_assert_uint_eq(out.cut, 0);
	ps_scratch_fini(&scratch);
}

static void
has(const char *words)
{
	ck_assert_msg(strstr(text, words) != NULL, "no \"%s\" in\n%s", words,
		      text);
}

static unsigned
times(const char *words)
{
	unsigned count = 0;

	for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
		count++;
	return count;
}

START_TEST(figures_are_those_of_the_recording)
{
	ps_example_open();
	write_twice(1);
	has("# TYPE perfshim_heap_live_bytes gauge\n");
	has("perfshim_heap_allocations_total{pid=\"4711\",exe=\"example\"} "
	    "150\n");
	has("perfshim_heap_frees_total{pid=\"4711\",exe=\"example\"} 110\n");
	has("perfshim_heap_requested_bytes_total{pid=\"4711\",exe=\"example\"} "
	    "7000\n");
	has("perfshim_process_cpu_seconds_total{pid=\"4711\",exe=\"example\"} "
	    "1.75\n");
	has("perfshim_alerts_total{pid=\"4711\",exe=\"example\",severity=");
}
END_TEST

/* Buckets never fall, the last one is the count. */
START_TEST(histograms_are_cumulative)
{
	const char *at = text;
	unsigned long before = 0;
	unsigned buckets = 0;

	ps_example_open();
	write_twice(1);
	while ((at = strstr(at, "_bucket{")) != NULL) {
		const char *le = strstr(at, "le=\"");
		unsigned long value = strtoul(strchr(at, '}') + 1, NULL, 10);

		if (strncmp(le, "le=\"1e-07\"", 10) == 0)
			before = 0;
		ck_assert_uint_ge(value, before);
		before = value;
		if (strncmp(le, "le=\"+Inf\"", 9) == 0) {
			const char *count = strstr(at, "_count{");

			ck_assert_uint_eq(
			    strtoul(strchr(count, '}') + 1, NULL, 10), value);
			ck_assert_uint_gt(value, 0);
		}
		buckets++;
		at++;
	}
	ck_assert_uint_gt(buckets, 28);
	ck_assert_uint_eq(buckets % 29, 0);
}
END_TEST

START_TEST(a_family_stands_together)
{
	ps_example_open();
	write_twice(2);
	ck_assert_uint_eq(times("# TYPE perfshim_heap_live_bytes "), 1);
	ck_assert_uint_eq(times("\nperfshim_heap_live_bytes{"), 2);
	ck_assert_uint_eq(times("# HELP "), times("# TYPE "));
}
END_TEST

START_TEST(an_empty_recording_has_metrics_too)
{
	ps_example_open_empty();
	write_twice(1);
	has("perfshim_process_info{");
	ck_assert_ptr_null(strstr(text, "nan"));
	ck_assert_ptr_null(strstr(text, "null"));
}
END_TEST

START_TEST(no_process_is_heads_only)
{
	ps_example_open_empty();
	write_twice(0);
	has("# TYPE perfshim_section_duration_seconds histogram\n");
	ck_assert_ptr_null(strstr(text, "pid="));
}
END_TEST

START_TEST(sections_are_bounded_and_the_rest_counted)
{
	struct ps_record_section *section;
	struct ps_record_section_stats *s;
	void *memory;

	ps_example_open_empty();
	ps_record->clock.kind = PS_CLOCK_MONOTONIC;
	for (uint32_t i = 0; i < 130; i++) {
		char name[20] = {'s', (char)('0' + i / 100),
				 (char)('0' + i / 10 % 10),
				 (char)('0' + i % 10)};

		ps_record_lock();
		(void)ps_record_append(PS_TABLE_SECTIONS, 1, &memory);
		section = memory;
		(void)ps_record_append(PS_TABLE_SECTION_STATS, 1, &memory);
		s = memory;
		section->name = ps_record_string(name);
		s->section = i;
		ps_poke(&s->thread, 1);
		ps_poke(&s->calls, 1);
		ps_poke(&s->total_ticks, i);
		ps_poke(&s->max_ticks, i);
		ps_poke(&s->histogram[10], 1);
		ps_record_publish(PS_TABLE_SECTIONS);
		ps_record_publish(PS_TABLE_SECTION_STATS);
		ps_record_unlock();
	}
	write_twice(1);
	ck_assert_uint_eq(times("perfshim_section_duration_seconds_count{"),
			  PS_PROM_SECTIONS);
	has("perfshim_sections_left_out{pid=");
	has("} 30\n");
	has("section=\"s129\"");
	ck_assert_ptr_null(strstr(text, "section=\"s000\""));
}
END_TEST

Suite *
prometheus_suite(void)
{
	Suite *s = suite_create("prometheus");
	TCase *t = tcase_create("metrics");

	tcase_add_test(t, figures_are_those_of_the_recording);
	tcase_add_test(t, histograms_are_cumulative);
	tcase_add_test(t, a_family_stands_together);
	tcase_add_test(t, an_empty_recording_has_metrics_too);
	tcase_add_test(t, no_process_is_heads_only);
	tcase_add_test(t, sections_are_bounded_and_the_rest_counted);
	suite_add_tcase(s, t);
	return s;
}
