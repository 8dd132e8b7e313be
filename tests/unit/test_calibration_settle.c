/* SPDX-License-Identifier: MIT */
/*
 * test_calibration_settle - one calibration out of many rounds of it, and out
 * of what several processes saw
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "measure/calibrate_rounds.h"
#include "measure/calibration_settle.h"
#include "measure/clock.h"
#include "simd/simd.h"

/* ---- rounds of one process ---------------------------------------------- */

/* Of 32 rounds seven are boosted and sixteen are disturbed. */
START_TEST(of_rounds_the_upper_quartile_counts)
{
	struct ps_calibration c = {.vector_add_l3 = 42, .tsc_hz = 43};
	struct ps_rounds r = {.count = 0};

	for (int i = 0; i < PS_ROUNDS_MAX; i++) {
		bool is_boosted = i % 4 == 1 && i != 1;
		double speed = is_boosted ? 1.1 : i % 2 ? 1 : 0.4 + 0.01 * i;
		struct ps_calibration round = {
		    .core_hz = 3e9 * speed,
		    .fma_flops = 180e9 * speed,
		    .matmul_flops = 170e9 * speed,
		    .vector_add_l1 = 400e9 * speed,
		    .vector_add_l2 = 100e9 * speed,
		    .vector_add_dram = i == 5	? 99e9
				       : i == 9 ? 25e9
						: 20e9,
		    .latency_dram_ns = i == 5	? 3
				       : i == 9 ? 110
						: 120 + i};

		ps_rounds_keep(&r, &round);
	}
	ps_rounds_settle(&r, PS_ROUNDS_UPPER, &c);
	ck_assert_double_eq(c.core_hz, 3e9);
	ck_assert_double_eq(c.fma_flops, 180e9);
	ck_assert_double_eq(c.matmul_flops, 170e9);
	ck_assert_double_eq(c.vector_add_l1, 400e9);
	ck_assert_double_eq(c.vector_add_l2, 100e9);
	ck_assert_double_eq(c.vector_add_dram, 25e9);
	ck_assert_double_eq(c.latency_dram_ns, 110);
	ck_assert_double_eq(c.vector_add_l3, 42);
	ck_assert_double_eq(c.tsc_hz, 43);
}
END_TEST

START_TEST(one_round_is_what_it_is)
{
	struct ps_calibration round = {.core_hz = 3e9, .latency_dram_ns = 90};
	struct ps_calibration c = {0};
	struct ps_rounds r = {.count = 0};

	ps_rounds_keep(&r, &round);
	ps_rounds_settle(&r, PS_ROUNDS_UPPER, &c);
	ck_assert_double_eq(c.core_hz, 3e9);
	ck_assert_double_eq(c.latency_dram_ns, 90);
	ck_assert_double_eq(c.fma_flops, 0);
}
END_TEST

/* ---- rounds of several -------------------------------------------------- */

static const struct ps_calibration_key key = {"boot", "cpu", "1"};
static char directory[64];
static char path[PS_CALIBRATION_PATH_MAX];
static struct ps_calibration saved;

static void
setup(void)
{
	strcpy(directory, "/tmp/perfshim-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/calibration", directory);
	memset(&saved, 0, sizeof(saved));
	saved.kind = PS_CALIBRATION_QUICK;
	strcpy(saved.isa, ps_simd_name(ps_simd_isa()));
	saved.matmul_flops = 1e11;
	ps_clock_init(PS_CLOCK_AUTO);
}

static void
teardown(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}

static int
settle_at(double now_s, struct ps_calibration *c)
{
	return ps_calibration_settle(PS_CALIBRATION_QUICK, path, &key,
				     (uint64_t)(now_s * 1e9), c);
}

static uint32_t
rounds_kept(void)
{
	struct ps_calibration c;
	struct ps_rounds r;

	ck_assert_int_eq(ps_calibration_load_rounds(path, &key, &c, &r), 0);
	return r.count;
}

START_TEST(processes_add_a_round_a_second_until_there_are_enough)
{
	struct ps_calibration c = {0};
	struct ps_calibration last = {0};

	ck_assert_int_eq(settle_at(100, &c), 0);
	ck_assert_uint_eq(c.is_cached, 0);
	ck_assert_uint_eq(rounds_kept(), 1);
	ck_assert_int_eq(settle_at(100.9, &c), 0); /* too soon */
	ck_assert_uint_eq(c.is_cached, 1);
	ck_assert_uint_eq(rounds_kept(), 1);
	for (uint32_t i = 2; i <= PS_QUICK_ROUNDS; i++) {
		ck_assert_int_eq(settle_at(100 + i, &c), 0);
		ck_assert_uint_eq(c.is_cached, 1);
		ck_assert_uint_eq(rounds_kept(), i);
	}
	ck_assert_int_eq(settle_at(10000, &last), 0);
	ck_assert_uint_eq(rounds_kept(), PS_QUICK_ROUNDS);
	ck_assert_mem_eq(&c, &last, sizeof(c));
	ck_assert_int_eq(settle_at(99, &last), 0);
	ck_assert_mem_eq(&c, &last, sizeof(c));
}
END_TEST

/* Four of them are far above this machine, four far below. */
START_TEST(of_quick_rounds_the_median_counts)
{
	struct ps_rounds r = {.count = 0};
	struct ps_calibration c = {0};

	for (int i = 1; i < PS_QUICK_ROUNDS; i++) {
		double speed = i % 2 == 0 ? 1e20 : 1;
		struct ps_calibration round = {.core_hz = speed,
					       .fma_flops = speed,
					       .matmul_flops = speed,
					       .vector_add_l1 = speed,
					       .vector_add_l2 = speed,
					       .vector_add_dram = speed,
					       .latency_dram_ns = speed};

		ps_rounds_keep(&r, &round);
	}
	ck_assert_int_eq(ps_calibration_save_rounds(path, &key, &saved, &r), 0);
	ck_assert_int_eq(settle_at(100, &c), 0);
	ck_assert(c.core_hz > 1e6 && c.core_hz < 1e11);
	ck_assert(c.fma_flops > 1e6 && c.fma_flops < 1e14);
	ck_assert(c.vector_add_l1 > 1e6 && c.vector_add_l1 < 1e14);
	ck_assert(c.vector_add_dram > 1e6 && c.vector_add_dram < 1e14);
	ck_assert(c.latency_dram_ns > 1.5 && c.latency_dram_ns < 1e6);
}
END_TEST

START_TEST(figures_of_another_set_of_instructions_are_none)
{
	struct ps_calibration c = {0};

	strcpy(saved.isa, "none");
	ck_assert_int_eq(ps_calibration_save(path, &key, &saved), 0);
	ck_assert_int_eq(settle_at(100, &c), 0);
	ck_assert_uint_eq(c.is_cached, 0);
	ck_assert_str_eq(c.isa, ps_simd_name(ps_simd_isa()));
	ck_assert_uint_eq(rounds_kept(), 1);
}
END_TEST

START_TEST(full_serves_those_who_want_quick_and_is_not_measured_again)
{
	struct ps_calibration c = {0};

	saved.kind = PS_CALIBRATION_FULL;
	ck_assert_int_eq(ps_calibration_save(path, &key, &saved), 0);
	ck_assert_int_eq(settle_at(100, &c), 0);
	ck_assert_uint_eq(c.is_cached, 1);
	ck_assert_double_eq(c.matmul_flops, saved.matmul_flops);
}
END_TEST

START_TEST(what_cannot_be_kept_is_measured_all_the_same)
{
	struct ps_calibration c = {0};

	ck_assert_int_eq(
	    ps_calibration_settle(PS_CALIBRATION_QUICK, NULL, NULL, 1, &c), 0);
	ck_assert_double_gt(c.core_hz, 0);
	memset(&c, 0, sizeof(c));
	ck_assert_int_eq(ps_calibration_settle(PS_CALIBRATION_QUICK,
					       "/proc/none/at/all", &key, 1,
					       &c),
			 -ENOENT);
	ck_assert_double_gt(c.core_hz, 0);
}
END_TEST

Suite *calibration_settle_suite(void);

Suite *
calibration_settle_suite(void)
{
	Suite *s = suite_create("calibration_settle");
	TCase *t = tcase_create("settle");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, of_rounds_the_upper_quartile_counts);
	tcase_add_test(t, one_round_is_what_it_is);
	tcase_add_test(t,
		       processes_add_a_round_a_second_until_there_are_enough);
	tcase_add_test(t, of_quick_rounds_the_median_counts);
	tcase_add_test(t, figures_of_another_set_of_instructions_are_none);
	tcase_add_test(
	    t, full_serves_those_who_want_quick_and_is_not_measured_again);
	tcase_add_test(t, what_cannot_be_kept_is_measured_all_the_same);
	suite_add_tcase(s, t);
	return s;
}
