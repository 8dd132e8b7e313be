/* SPDX-License-Identifier: MIT */
/*
 * test_load - schedule, counts and latencies of load tests; coordinated
 * omission
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/os.h"
#include "bench/load.h"

#define MS UINT64_C(1000000)

static struct ps_scratch scratch;
static _Atomic int set_ups, tear_downs, steps;
static _Atomic bool must_stop;

static void
start(void)
{
	set_ups = tear_downs = steps = 0;
	must_stop = false;
	ps_scratch_init(&scratch, 0);
}

static void
end(void)
{
	ps_scratch_fini(&scratch);
}

/* ---- schedule ---- */

START_TEST(steps_are_due_at_the_rate)
{
	for (uint64_t k = 0; k < 1000; k += 37)
		ck_assert_double_eq_tol(ps_load_due_s(200, 0, k),
					(double)k / 200, 1e-12);
	/* Of 0, 5 ms, ..., 995 ms; and the one at 1 s is not before it. */
	ck_assert_uint_eq(ps_load_due_before(200, 0, 1), 200);
	ck_assert_uint_eq(ps_load_due_before(200, 0, 1.001), 201);
	ck_assert_uint_eq(ps_load_due_before(200, 0, 0), 0);
}
END_TEST

/* From 0 to 100/s in 2 s are 100 steps, the half of them in 2 sqrt(1/2). */
START_TEST(ramp_up_is_the_integral_of_the_rate)
{
	ck_assert_double_eq(ps_load_due_s(100, 2, 0), 0);
	ck_assert_double_eq_tol(ps_load_due_s(100, 2, 50), sqrt(2), 1e-12);
	ck_assert_double_eq_tol(ps_load_due_s(100, 2, 100), 2, 1e-12);
	ck_assert_double_eq_tol(ps_load_due_s(100, 2, 300), 4, 1e-12);
	ck_assert_uint_eq(ps_load_due_before(100, 2, 4), 300);
}
END_TEST

START_TEST(schedule_and_count_agree)
{
	for (uint64_t k = 1; k < 2000; k += 13) {
		double s = ps_load_due_s(333, 1.5, k);

		ck_assert_double_gt(s, ps_load_due_s(333, 1.5, k - 1));
		ck_assert_uint_eq(ps_load_due_before(333, 1.5, s), k);
		ck_assert_uint_eq(ps_load_due_before(333, 1.5, s + 1e-9),
				  k + 1);
	}
}
END_TEST

/* ---- latencies ---- */

START_TEST(latencies_are_summed_up)
{
	static struct ps_load_latency a, b;

	ck_assert(isnan(ps_load_quantile(&a, 0.5)));
	ck_assert(isnan(ps_load_mean(&a)));
	ck_assert(isnan(ps_load_deviation(&a)));
	ps_load_merge(&a, &b);
	ps_load_record(&a, 1000);
	ps_load_record(&b, 3000);
	ps_load_record(&b, UINT64_C(1) << PS_HIST_MAX_BITS);
	ps_load_merge(&a, &b);
	ck_assert_uint_eq(ps_peek(&a.count), 3);
	ck_assert_uint_eq(ps_peek(&a.over), 1);
	ck_assert_uint_eq(ps_peek(&a.min), 1000);
	ck_assert_double_eq_tol(ps_load_quantile(&a, 0.5), 3e-6, 5e-8);
	ck_assert_double_eq(ps_load_quantile(&a, 1),
			    (double)(UINT64_C(1) << PS_HIST_MAX_BITS) * 1e-9);
}
END_TEST

START_TEST(deviation_of_known_latencies)
{
	static struct ps_load_latency l;

	ps_load_record(&l, 100);
	ps_load_record(&l, 300);
	ck_assert_double_eq_tol(ps_load_mean(&l), 200e-9, 1e-15);
	ck_assert_double_eq_tol(ps_load_deviation(&l), 100e-9, 1e-15);
}
END_TEST

/* ---- running ---- */

static int
count_set_up(void *context, unsigned worker, void **state)
{
	atomic_fetch_add(&set_ups, 1);
	*state = context;
	return worker % 4 == 3 ? -ECONNREFUSED : 0;
}

static int
sleep_2_ms(void *state)
{
	ps_os_sleep_ns(2 * MS);
	return atomic_fetch_add(&steps, 1) % 10 == 0 ? -EIO : 0;
}

static void
count_tear_down(void *state)
{
	atomic_fetch_add(&tear_downs, 1);
}

START_TEST(closed_loop_counts)
{
	struct ps_load_options o = {
	    .scenario = {count_set_up, sleep_2_ms, count_tear_down, NULL},
	    .workers = 4,
	    .duration_ns = 200 * MS,
	    .interval_ns = 50 * MS};
	struct ps_load_result r;
	uint64_t series = 0;

	ck_assert_int_eq(ps_load_run(&o, &scratch, &r), 0);
	ck_assert_int_eq(set_ups, 4);
	ck_assert_int_eq(tear_downs, 3);
	ck_assert_uint_eq(r.failed_workers, 1);
	ck_assert_uint_eq(r.done, (uint64_t)steps);
	ck_assert_uint_eq(r.errors, (r.done + 9) / 10);
	ck_assert_uint_gt(r.done, 30);
	ck_assert_uint_le(r.done, 3 * 101);
	ck_assert_double_ge(ps_load_quantile(r.service, 1e-9), 0.00195);
	ck_assert_uint_eq(r.dropped + r.late, 0);
	ck_assert(!r.is_open && !r.was_stopped);
	ck_assert_uint_ge(r.second_count, 3);
	for (size_t i = 0; i < r.second_count; i++)
		series += r.seconds[i].done;
	/* What comes after the last interval is in none. */
	ck_assert_uint_le(series, r.done);
	ck_assert_uint_ge(series, r.done / 2);
}
END_TEST

static int
refuse(void *context, unsigned worker, void **state)
{
	return -ECONNREFUSED;
}

START_TEST(failing_set_up_everywhere_is_its_error)
{
	struct ps_load_options o = {
	    .scenario = {refuse, sleep_2_ms, count_tear_down, NULL},
	    .workers = 3,
	    .duration_ns = 200 * MS};
	struct ps_load_result r = {.done = 42};

	ck_assert_int_eq(ps_load_run(&o, &scratch, &r), -ECONNREFUSED);
	ck_assert_uint_eq(r.done, 42);
	ck_assert_int_eq(steps + tear_downs, 0);
}
END_TEST

START_TEST(bad_options_are_refused)
{
	const struct ps_load_options good = {
	    .scenario.step = sleep_2_ms, .workers = 1, .duration_ns = MS};
	struct ps_load_options bad[5] = {good, good, good, good, good};
	struct ps_load_result r;

	bad[0].scenario.step = NULL;
	bad[1].workers = 0;
	bad[2].workers = PS_LOAD_WORKERS_MOST + 1;
	bad[3].duration_ns = 0;
	bad[4].ramp_up_ns = 2 * MS;
	for (size_t i = 0; i < PS_COUNT(bad); i++)
		ck_assert_int_eq(ps_load_run(&bad[i], &scratch, &r), -EINVAL);
}
END_TEST

/* A system that stands still for 200 ms once, and takes 1 ms otherwise. */
static _Atomic uint64_t pause_until_ns, pause_from_ns;

static int
pausing_step(void *state)
{
	uint64_t now = ps_os_monotonic_ns();

	if (pause_from_ns == 0) {
		pause_from_ns = now + 150 * MS;
		pause_until_ns = now + 350 * MS;
	}
	if (now >= pause_from_ns && now < pause_until_ns)
		ps_os_sleep_ns(pause_until_ns - now);
	ps_os_sleep_ns(MS);
	return 0;
}

static struct ps_load_result
pausing_load(double rate)
{
	struct ps_load_options o = {.scenario.step = pausing_step,
				    .workers = 4,
				    .rate = rate,
				    .duration_ns = 1000 * MS};
	struct ps_load_result r;

	pause_from_ns = 0;
	ck_assert_int_eq(ps_load_run(&o, &scratch, &r), 0);
	return r;
}

/* 4 steps of hundreds: far above the 98th percentile. */
START_TEST(a_closed_loop_hides_a_pause)
{
	struct ps_load_result r = pausing_load(0);

	ck_assert_double_lt(ps_load_quantile(r.service, 0.98), 0.050);
	ck_assert_double_gt(ps_load_quantile(r.service, 1), 0.150);
}
END_TEST

/* A fifth of all steps fell due while it stood still. */
START_TEST(an_open_loop_shows_a_pause)
{
	struct ps_load_result r = pausing_load(400);

	ck_assert_double_gt(ps_load_quantile(r.corrected, 0.95), 0.080);
	ck_assert_double_gt(ps_load_quantile(r.corrected, 0.90), 0.030);
	ck_assert_double_lt(ps_load_quantile(r.service, 0.90), 0.020);
	ck_assert_uint_gt(r.late, 40);
	ck_assert_uint_eq(r.due, 400);
	ck_assert_uint_eq(r.done + r.dropped, r.due);
}
END_TEST

/* One worker that needs 20 ms cannot do 500 a second. */
static int
sleep_20_ms(void *state)
{
	ps_os_sleep_ns(20 * MS);
	return 0;
}

START_TEST(what_is_due_and_not_begun_is_dropped)
{
	struct ps_load_options o = {.scenario.step = sleep_20_ms,
				    .workers = 1,
				    .rate = 500,
				    .duration_ns = 400 * MS};
	struct ps_load_result r;

	ck_assert_int_eq(ps_load_run(&o, &scratch, &r), 0);
	ck_assert_uint_eq(r.due, 200);
	ck_assert_uint_le(r.done, 20);
	ck_assert_uint_eq(r.done + r.dropped, r.due);
	/* They are in the corrected latencies, which grow to the duration. */
	ck_assert_uint_eq(ps_peek(&r.corrected->count), r.due);
	ck_assert_double_gt(ps_load_quantile(r.corrected, 0.5), 0.1);
}
END_TEST

static void
stop_at_second_interval(void *context, const struct ps_load_second *now)
{
	ck_assert_double_gt(now->remaining_s, 5);
	if (now->at_s > 0.09)
		must_stop = true;
}

START_TEST(a_stop_leaves_what_there_is)
{
	struct ps_load_options o = {.scenario.step = sleep_2_ms,
				    .workers = 2,
				    .rate = _i == 0 ? 0 : 300,
				    .duration_ns = 10000 * MS,
				    .must_stop = &must_stop,
				    .progress = stop_at_second_interval,
				    .interval_ns = 50 * MS};
	struct ps_load_result r;

	ck_assert_int_eq(ps_load_run(&o, &scratch, &r), 0);
	ck_assert(r.was_stopped);
	ck_assert_double_lt(r.wall_s, 2);
	ck_assert_uint_gt(r.done, 10);
	if (_i == 1)
		ck_assert_uint_eq(r.done + r.dropped, r.due);
}
END_TEST

/* ---- output ---- */

START_TEST(hgrm_is_a_percentile_distribution)
{
	static struct ps_load_latency l;
	static char text[1 << 14];
	struct ps_text t;

	for (uint64_t i = 1; i <= 1000; i++)
		ps_load_record(&l, i * MS);
	ps_text_init(&t, text, sizeof(text), -1);
	ps_load_hgrm(&l, &t);
	ck_assert_ptr_nonnull(
	    strstr(text, "       Value     Percentile TotalCount"));
	ck_assert_ptr_nonnull(
	    strstr(text, "     0.500000000        500           2.00\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "    1000.000     1.000000000       1000"));
	ck_assert_ptr_nonnull(strstr(text, "#[Mean    =      500.500"));
	ck_assert_ptr_nonnull(strstr(text, "Total count    =         1000]"));
}
END_TEST

START_TEST(text_is_80_columns)
{
	static char text[1 << 14];
	struct ps_text t;
	struct ps_load_result r = pausing_load(_i == 0 ? 0 : 400);
	int column = 0;

	r.errors = r.late = r.dropped = r.due; /* as wide as it gets */
	ps_text_init(&t, text, sizeof(text), -1);
	ps_load_text(&r, &t);
	ck_assert_uint_eq(t.cut, 0);
	for (const char *c = text; *c != '\0'; c++) {
		column = *c == '\n' ? 0 : column + 1;
		ck_assert_int_le(column, 80);
	}
	ck_assert_ptr_nonnull(strstr(text, "99 %"));
	ck_assert_int_eq(strstr(text, "corrected") != NULL, _i == 1);
	ck_assert_ptr_null(strstr(text, "nan"));
}
END_TEST

Suite *load_suite(void);

Suite *
load_suite(void)
{
	Suite *s = suite_create("load");
	TCase *p = tcase_create("schedule");
	TCase *c = tcase_create("running");

	tcase_add_test(p, steps_are_due_at_the_rate);
	tcase_add_test(p, ramp_up_is_the_integral_of_the_rate);
	tcase_add_test(p, schedule_and_count_agree);
	tcase_add_test(p, latencies_are_summed_up);
	tcase_add_test(p, deviation_of_known_latencies);
	tcase_add_test(p, hgrm_is_a_percentile_distribution);
	suite_add_tcase(s, p);
	tcase_add_checked_fixture(c, start, end);
	tcase_set_timeout(c, 30);
	tcase_add_test(c, closed_loop_counts);
	tcase_add_test(c, failing_set_up_everywhere_is_its_error);
	tcase_add_test(c, bad_options_are_refused);
	tcase_add_test(c, a_closed_loop_hides_a_pause);
	tcase_add_test(c, an_open_loop_shows_a_pause);
	tcase_add_test(c, what_is_due_and_not_begun_is_dropped);
	tcase_add_loop_test(c, a_stop_leaves_what_there_is, 0, 2);
	tcase_add_loop_test(c, text_is_80_columns, 0, 2);
	suite_add_tcase(s, c);
	return s;
}
