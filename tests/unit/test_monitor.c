/* SPDX-License-Identifier: MIT */
/*
 * test_monitor - operations in, alerts and reports out, on a simulated clock
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/alert_text.h"
#include "monitor/monitor.h"

enum { THREADS = 4, EACH = 100000 };

static const uint64_t second = 1000000000;
static struct ps_monitor *monitor;
static char report[1 << 16];

static void
open_with(const char *rules)
{
	struct ps_rule_error error;

	ck_assert_int_eq(ps_monitor_open(rules, 0, &monitor, &error), 0);
}

static uint32_t
operation(const char *name, uint64_t limit_ns)
{
	uint32_t number;

	ck_assert_int_eq(ps_monitor_operation(monitor, name, limit_ns, &number),
			 0);
	return number;
}

static void
teardown(void)
{
	ps_monitor_close(monitor);
}

static void
write_report(enum ps_monitor_format format)
{
	struct ps_text text;

	ps_text_init(&text, report, sizeof(report), -1);
	ps_monitor_report(monitor, format, &text);
	ck_assert_uint_eq(text.cut, 0);
}

static void
has(const char *words)
{
	ck_assert_msg(strstr(report, words) != NULL, "no \"%s\" in\n%s", words,
		      report);
}

START_TEST(a_bad_rule_opens_nothing)
{
	struct ps_rule_error error;
	struct ps_monitor *none = NULL;

	ck_assert_int_eq(ps_monitor_open("heap >", 0, &none, &error), -EINVAL);
	ck_assert_uint_eq(error.column, 7);
	ck_assert_ptr_null(none);
	open_with("");
}
END_TEST

START_TEST(a_call_over_its_limit_is_an_alert)
{
	struct ps_alert alert;
	uint32_t op;

	open_with("");
	op = operation("query", 5000000);
	ps_monitor_record(monitor, op, 5000000, false, 7);
	ck_assert(!ps_monitor_take(monitor, &alert));
	ps_monitor_record(monitor, op, 5000001, false, 8);
	ck_assert(ps_monitor_take(monitor, &alert));
	ck_assert_uint_eq(alert.at_ns, 8);
	ck_assert_uint_eq(alert.rule, PS_ALERT_NO_RULE);
	ck_assert_str_eq(ps_monitor_name(monitor, &alert), "query");
	ck_assert_str_eq(ps_monitor_rule(monitor, &alert), "limit of one call");
	ck_assert(!ps_monitor_take(monitor, &alert));
}
END_TEST

START_TEST(a_full_queue_never_stops_the_recorder)
{
	struct ps_alert alert;
	uint32_t op;
	unsigned taken = 0;

	open_with("");
	op = operation("query", 1);
	for (int i = 0; i < 1000; i++)
		ps_monitor_record(monitor, op, 2, false, 0);
	ck_assert_uint_eq(ps_monitor_dropped(monitor), 1000 - PS_QUEUE_ALERTS);
	while (ps_monitor_take(monitor, &alert))
		taken++;
	ck_assert_uint_eq(taken, PS_QUEUE_ALERTS);
	write_report(PS_MONITOR_TEXT);
	has("1000 warning");
	has("dropped 744");
}
END_TEST

START_TEST(a_rule_is_an_alert_at_a_step)
{
	struct ps_alert alert;
	uint32_t op;

	open_with("section(query).p99 > 5ms over 10s; errors(query) > 10%");
	op = operation("query", 0);
	for (int i = 0; i < 100; i++)
		ps_monitor_record(monitor, op, 9000000, i % 5 == 0, second);
	ck_assert(!ps_monitor_take(monitor, &alert));
	ps_monitor_step(monitor, 2 * second);
	ck_assert(ps_monitor_take(monitor, &alert));
	ck_assert_str_eq(ps_monitor_rule(monitor, &alert),
			 "section(query).p99 > 5ms over 10s");
	ck_assert(ps_monitor_take(monitor, &alert));
	ck_assert_uint_eq(alert.rule, 1);
	ck_assert(alert.value == 0.2);
	ps_monitor_step(monitor, 3 * second);
	ck_assert(!ps_monitor_take(monitor, &alert));
}
END_TEST

START_TEST(levels_are_the_callers)
{
	struct ps_alert alert;

	open_with("heap > 1M; rss > 1B; live blocks > 3");
	ps_monitor_step(monitor, second);
	ck_assert(ps_monitor_take(monitor, &alert)); /* rss: this process's */
	ck_assert_uint_eq(alert.rule, 1);
	ck_assert(!ps_monitor_take(monitor, &alert));
	ps_monitor_set_level(monitor, PS_SUBJECT_HEAP, 2e6);
	ps_monitor_step(monitor, 2 * second);
	ck_assert(ps_monitor_take(monitor, &alert));
	ck_assert_uint_eq(alert.rule, 0);
	ck_assert_ptr_null(ps_monitor_name(monitor, &alert));
}
END_TEST

START_TEST(names_are_known_again_and_bounded)
{
	char name[16];
	uint32_t number;

	open_with("");
	for (unsigned i = 0; i < PS_MONITOR_OPERATIONS; i++) {
		snprintf(name, sizeof(name), "op %u", i);
		ck_assert_uint_eq(operation(name, 0), i);
	}
	ck_assert_uint_eq(operation("op 7", 0), 7);
	ck_assert_int_eq(ps_monitor_operation(monitor, "more", 0, &number),
			 -ENOSPC);
}
END_TEST

static void *
recorder(void *op)
{
	for (uint64_t i = 0; i < EACH; i++)
		ps_monitor_record(monitor, (uint32_t)(uintptr_t)op, i,
				  i % 100 == 0, i);
	return NULL;
}

START_TEST(threads_lose_no_call)
{
	pthread_t threads[THREADS];
	uint32_t op;

	open_with("section(q).p50 > 1h");
	op = operation("q", 0);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, recorder,
			       (void *)(uintptr_t)op);
	for (uint64_t i = 1; i < 100; i++)
		ps_monitor_step(monitor, i * second);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	write_report(PS_MONITOR_JSON);
	has("\"name\":\"q\",\"calls\":400000,\"errors\":4000,"
	    "\"mean_s\":0.0000499995");
	has("\"max_s\":0.000099999");
}
END_TEST

START_TEST(reports_say_what_was_recorded)
{
	uint32_t op;

	open_with("");
	op = operation("a \"b\"\n\xff", 0);
	ps_monitor_record(monitor, op, 1500, true, 0);
	ps_monitor_record(monitor, op, 300000000, false, 0);
	write_report(PS_MONITOR_TEXT);
	has("operation");
	has("300 ms");
	write_report(PS_MONITOR_JSON);
	has("{\"schema\":\"perfshim-monitor/1\"");
	has("\"name\":\"a \\\"b\\\"\\n\xef\xbf\xbd\"");
	write_report(PS_MONITOR_PROMETHEUS);
	has("# TYPE perfshim_operation_duration_seconds histogram\n");
	has("_bucket{operation=\"a \\\"b\\\"\\\\x0a\\\\xff\",le=\"1e-06\"} "
	    "0\n");
	has("le=\"2e-06\"} 1\n");
	has("le=\"0.2\"} 1\n");
	has("le=\"0.5\"} 2\n");
	has("le=\"+Inf\"} 2\n");
	has("_sum{operation=\"a \\\"b\\\"\\\\x0a\\\\xff\"} 0.3000015\n");
	has("perfshim_operation_errors_total{operation=\"a ");
	has("perfshim_alerts_total{severity=\"critical\"} 0\n");
	has("perfshim_alerts_dropped_total 0\n");
}
END_TEST

START_TEST(an_operation_without_calls_has_no_figures)
{
	open_with("");
	(void)operation("idle", 0);
	write_report(PS_MONITOR_JSON);
	has("\"calls\":0,\"errors\":0,\"mean_s\":null,\"p50_s\":null");
	write_report(PS_MONITOR_TEXT);
	has("unknown");
	has("idle");
}
END_TEST

/* ---- alerts in words ---------------------------------------------------- */

static const struct ps_alert_words words = {
    .rule = "heap > 1G",
    .section = NULL,
    .exe = "app\n",
    .pid = 7,
    .thread = 9,
    .severity = PS_SEVERITY_CRITICAL,
    .unit = PS_IN_BYTES,
    .value = 0x1p30 + 0x1p24,
    .threshold = 0x1p30,
    .time_s = 1700000000.125,
};

START_TEST(an_alert_is_one_line)
{
	struct ps_text text;

	open_with("");
	ps_text_init(&text, report, sizeof(report), -1);
	ps_alert_put_line(&text, &words);
	ck_assert_str_eq(report, "critical: heap > 1G: 1.02 GiB, threshold "
				 "1.00 GiB (app\\x0a, pid 7)");
}
END_TEST

START_TEST(an_alert_is_one_object)
{
	struct ps_text text;

	open_with("");
	ps_text_init(&text, report, sizeof(report), -1);
	ps_alert_put_json(&text, &words);
	ck_assert_str_eq(
	    report,
	    "{\"rule\":\"heap > 1G\",\"severity\":\"critical\",\"value\":"
	    "1090519040,\"threshold\":1073741824,\"unit\":\"bytes\","
	    "\"section\":null,\"thread\":9,\"pid\":7,\"exe\":\"app\\n\","
	    "\"time\":1700000000.125}");
}
END_TEST

static const struct {
	double value;
	uint32_t unit;
	const char *text;
} values[] = {
    {5e-3, PS_IN_SECONDS, "5.00 ms"},	       {0.8, PS_IN_FRACTION, "80.0%"},
    {0.0125, PS_IN_FRACTION, "1.25%"},	       {12, PS_IN_COUNT, "12"},
    {0x1p20, PS_IN_BYTES_PER_S, "1.00 MiB/s"}, {40, PS_IN_PER_S, "40/s"},
};

START_TEST(values_carry_their_unit)
{
	struct ps_text text;

	open_with("");
	ps_text_init(&text, report, sizeof(report), -1);
	ps_alert_put_value(&text, values[_i].value, values[_i].unit);
	ck_assert_str_eq(report, values[_i].text);
}
END_TEST

Suite *
monitor_suite(void)
{
	Suite *s = suite_create("monitor");
	TCase *t = tcase_create("monitor");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, a_bad_rule_opens_nothing);
	tcase_add_test(t, a_call_over_its_limit_is_an_alert);
	tcase_add_test(t, a_full_queue_never_stops_the_recorder);
	tcase_add_test(t, a_rule_is_an_alert_at_a_step);
	tcase_add_test(t, levels_are_the_callers);
	tcase_add_test(t, names_are_known_again_and_bounded);
	tcase_add_test(t, threads_lose_no_call);
	tcase_add_test(t, reports_say_what_was_recorded);
	tcase_add_test(t, an_operation_without_calls_has_no_figures);
	tcase_add_test(t, an_alert_is_one_line);
	tcase_add_test(t, an_alert_is_one_object);
	tcase_add_loop_test(t, values_carry_their_unit, 0,
			    (int)PS_COUNT(values));
	suite_add_tcase(s, t);
	return s;
}
