/* SPDX-License-Identifier: MIT */
/*
 * test_bench - the benchmark runner on a clock that the test moves, and on the
 * real one
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "bench/bench.h"

static struct ps_scratch scratch;
static uint64_t clock_ns;
static uint64_t calls;
static uint64_t prepared;

static void
start(void)
{
	ps_scratch_init(&scratch, 0);
	clock_ns = 1000;
	calls = prepared = 0;
}

static void
end(void)
{
	ps_scratch_fini(&scratch);
}

static uint64_t
told(void)
{
	return clock_ns;
}

/* Takes as many ns as the context says. */
static void
step(void *context)
{
	clock_ns += *(const uint64_t *)context;
	calls++;
}

/* Takes 10 ns, and 1000 more each hundredth time. */
static void
bumpy(void *context)
{
	clock_ns += 10 + (++calls % 100 == 0 ? 1000 : 0);
}

static void
prepare(void *context)
{
	clock_ns += 12345; /* not to be seen in any sample */
	prepared++;
}

START_TEST(samples_are_time_by_iterations)
{
	uint64_t cost = 7;
	struct ps_bench_options o = {.function = step,
				     .prepare = prepare,
				     .context = &cost,
				     .samples = 10,
				     .warm_up_ns = UINT64_MAX,
				     .sample_ns = 1000,
				     .now = told};
	struct ps_bench_result r;

	ck_assert_int_eq(ps_bench_run(&o, &scratch, &r), 0);
	ck_assert_uint_eq(r.count, 10);
	ck_assert_uint_ge(r.batch * cost, 1000);
	ck_assert_uint_lt(r.batch * cost, 2000);
	for (size_t i = 0; i < r.count; i++)
		ck_assert_double_eq_tol(r.samples[i], 7e-9, 1e-15);
	ck_assert_double_eq_tol(r.summary.median, 7e-9, 1e-15);
	/* Once a batch: the samples' and those that looked for the size. */
	ck_assert_uint_ge(prepared, 11);
	ck_assert_double_eq(r.loop_s, 0);
}
END_TEST

START_TEST(a_given_batch_is_kept)
{
	uint64_t cost = 3;
	struct ps_bench_options o = {.function = step,
				     .context = &cost,
				     .samples = 4,
				     .batch = 25,
				     .warm_up_ns = UINT64_MAX,
				     .now = told};
	struct ps_bench_result r;

	ck_assert_int_eq(ps_bench_run(&o, &scratch, &r), 0);
	ck_assert_uint_eq(r.batch, 25);
	ck_assert_uint_eq(calls, 100);
}
END_TEST

START_TEST(warm_up_lasts_as_long_as_asked)
{
	uint64_t cost = 100;
	struct ps_bench_options o = {.function = step,
				     .context = &cost,
				     .samples = 1,
				     .batch = 10,
				     .warm_up_ns = 50000,
				     .now = told};
	struct ps_bench_result r;

	ck_assert_int_eq(ps_bench_run(&o, &scratch, &r), 0);
	/* One batch more, when the sum of the times is rounded down. */
	ck_assert_uint_ge(calls, 500 + 10);
	ck_assert_uint_le(calls, 510 + 10);
}
END_TEST

START_TEST(outliers_are_counted_and_kept)
{
	struct ps_bench_options o = {.function = bumpy,
				     .samples = 200,
				     .batch = 1,
				     .warm_up_ns = UINT64_MAX,
				     .now = told};
	struct ps_bench_result r;

	ck_assert_int_eq(ps_bench_run(&o, &scratch, &r), 0);
	ck_assert_uint_eq(r.summary.severe, 2);
	ck_assert_double_eq_tol(r.summary.max, 1010e-9, 1e-15);
	ck_assert_double_eq_tol(r.summary.median, 10e-9, 1e-15);
}
END_TEST

START_TEST(a_clock_that_stands_still_is_an_error)
{
	uint64_t nothing = 0;
	struct ps_bench_options o = {
	    .function = step, .context = &nothing, .batch = 1, .now = told};
	struct ps_bench_result r = {.count = 42};

	ck_assert_int_eq(ps_bench_run(&o, &scratch, &r), -EDOM);
	ck_assert_uint_eq(r.count, 42);
}
END_TEST

START_TEST(bad_options_are_refused)
{
	struct ps_bench_options none = {.samples = 3};
	struct ps_bench_options many = {.function = step,
					.samples = PS_BENCH_SAMPLES_MOST + 1};
	struct ps_bench_result r;

	ck_assert_int_eq(ps_bench_run(&none, &scratch, &r), -EINVAL);
	ck_assert_int_eq(ps_bench_run(&many, &scratch, &r), -EINVAL);
}
END_TEST

/* A multiplication chain: it would be gone without keep. */
static void
chain(void *context)
{
	uint64_t x = *(uint64_t *)context;

	for (int i = 0; i < 100; i++) {
		x = x * 6364136223846793005u + 1;
		__asm__ volatile("" : "+r"(x)); /* not two steps in one */
	}
	ps_bench_keep(x);
}

START_TEST(real_work_takes_real_time)
{
	uint64_t seed = 3;
	struct ps_bench_options o = {.name = "chain",
				     .function = chain,
				     .context = &seed,
				     .samples = 30,
				     .warm_up_ns = 2000000};
	struct ps_bench_result r;

	ck_assert_int_eq(ps_bench_run(&o, &scratch, &r), 0);
	/* 100 dependent multiplications: 3 or 4 cycles each, below 20 GHz. */
	ck_assert_double_gt(r.summary.min, 100 * 3 / 20e9);
	ck_assert_double_lt(r.summary.min, 100e-6);
	ck_assert_double_gt(r.loop_s, 0);
	ck_assert_double_lt(r.loop_s, r.summary.min);
	ck_assert_double_gt(r.cpu_s, 0);
}
END_TEST

START_TEST(json_has_googles_shape)
{
	static char text[1 << 16];
	uint64_t cost = 7;
	struct ps_bench_options o = {.name = "st\"ep",
				     .function = step,
				     .context = &cost,
				     .samples = 3,
				     .batch = 5,
				     .warm_up_ns = UINT64_MAX,
				     .now = told};
	struct ps_bench_result r;
	struct ps_text t;

	ps_text_init(&t, text, sizeof(text), -1);
	ck_assert_int_eq(ps_bench_run(&o, &scratch, &r), 0);
	ps_bench_json(&r, 1, NULL, &t);
	ck_assert_uint_eq(t.cut, 0);
	ck_assert_ptr_nonnull(strstr(text, "\"name\": \"st\\\"ep\""));
	ck_assert_ptr_nonnull(strstr(text, "\"run_type\": \"iteration\""));
	ck_assert_ptr_nonnull(strstr(text, "\"repetition_index\": 2"));
	ck_assert_ptr_nonnull(strstr(text, "\"real_time\": 7,"));
	ck_assert_ptr_nonnull(strstr(text, "\"name\": \"st\\\"ep_median\""));
	ck_assert_ptr_nonnull(strstr(text, "\"aggregate_name\": \"cv\""));
	ck_assert_ptr_nonnull(strstr(text, "\"time_unit\": \"ns\""));
}
END_TEST

Suite *bench_suite(void);

Suite *
bench_suite(void)
{
	Suite *s = suite_create("bench");
	TCase *c = tcase_create("runner");

	tcase_add_checked_fixture(c, start, end);
	tcase_add_test(c, samples_are_time_by_iterations);
	tcase_add_test(c, a_given_batch_is_kept);
	tcase_add_test(c, warm_up_lasts_as_long_as_asked);
	tcase_add_test(c, outliers_are_counted_and_kept);
	tcase_add_test(c, a_clock_that_stands_still_is_an_error);
	tcase_add_test(c, bad_options_are_refused);
	tcase_add_test(c, real_work_takes_real_time);
	tcase_add_test(c, json_has_googles_shape);
	suite_add_tcase(s, c);
	return s;
}
