/* SPDX-License-Identifier: MIT */
/*
 * test_roofline - shares and bounds worked out by hand, and what is refused
 */
#include <check.h>
#include <errno.h>
#include <math.h>

#include "measure/roofline.h"

/* 40 GB/s and 100 GFLOP/s: the two meet at 2.5 FLOPs a byte. */
static const struct ps_calibration machine = {.vector_add_dram = 40e9,
					      .fma_flops = 100e9};

static const struct {
	double bytes, flops, seconds;
	enum ps_roofline_bound bound;
	double share, rate, ceiling, flops_a_byte;
} known[] = {
    /* bytes alone: 20 of 40 GB/s */
    {20e9, 0, 1, PS_BOUND_BY_MEMORY, 0.5, 20e9, 40e9, 0},
    /* FLOPs alone */
    {0, 25e9, 0.5, PS_BOUND_BY_COMPUTING, 0.5, 50e9, 100e9, 0},
    /* 1 FLOP a byte: at most 40 GFLOP/s */
    {10e9, 10e9, 0.5, PS_BOUND_BY_MEMORY, 0.5, 20e9, 40e9, 1},
    /* 10 FLOPs a byte: the peak */
    {1e9, 10e9, 0.2, PS_BOUND_BY_COMPUTING, 0.5, 50e9, 100e9, 10},
    /* where they meet */
    {40e9, 100e9, 2, PS_BOUND_BY_MEMORY, 0.5, 50e9, 100e9, 2.5},
    /* from a cache: more than memory gives */
    {80e9, 0, 1, PS_BOUND_BY_MEMORY, 2, 80e9, 40e9, 0},
};

START_TEST(shares_and_bounds_are_as_worked_out)
{
	struct ps_roofline r;

	ck_assert_int_eq(ps_roofline(&machine, known[_i].bytes, known[_i].flops,
				     known[_i].seconds, &r),
			 0);
	ck_assert_int_eq(r.bound, known[_i].bound);
	ck_assert_double_eq_tol(r.share, known[_i].share, 1e-12);
	ck_assert_double_eq_tol(r.rate / known[_i].rate, 1, 1e-12);
	ck_assert_double_eq_tol(r.ceiling / known[_i].ceiling, 1, 1e-12);
	ck_assert_double_eq_tol(r.flops_a_byte, known[_i].flops_a_byte, 1e-12);
	/* The share is the rate over the ceiling, whatever the unit. */
	ck_assert_double_eq_tol(r.share, r.rate / r.ceiling, 1e-12);
}
END_TEST

static const struct {
	double bytes, flops, seconds;
} refused[] = {
    {0, 0, 1},	      {1, 1, 0},	{-1, 0, 1},	  {1, -1, 1},
    {1, 1, -1},	      {NAN, 1, 1},	{1, NAN, 1},	  {1, 1, NAN},
    {INFINITY, 1, 1}, {1, INFINITY, 1}, {1, 1, INFINITY},
};

START_TEST(nonsense_is_refused_and_changes_nothing)
{
	struct ps_roofline r = {.share = 42};

	ck_assert_int_eq(ps_roofline(&machine, refused[_i].bytes,
				     refused[_i].flops, refused[_i].seconds,
				     &r),
			 -ENODATA);
	ck_assert_double_eq(r.share, 42);
}
END_TEST

START_TEST(without_its_ceiling_there_is_no_share)
{
	struct ps_calibration c = {.fma_flops = 1e9};
	struct ps_roofline r;

	ck_assert_int_eq(ps_roofline(&c, 1e6, 0, 1, &r), -ENODATA);
	ck_assert_int_eq(ps_roofline(&c, 1e6, 1e6, 1, &r), -ENODATA);
	ck_assert_int_eq(ps_roofline(&c, 0, 1e6, 1, &r), 0);
	c = (struct ps_calibration){.vector_add_dram = NAN, .fma_flops = 1e9};
	ck_assert_int_eq(ps_roofline(&c, 1e6, 0, 1, &r), -ENODATA);
}
END_TEST

Suite *roofline_suite(void);

Suite *
roofline_suite(void)
{
	Suite *s = suite_create("roofline");
	TCase *roofline = tcase_create("roofline");

	tcase_add_loop_test(roofline, shares_and_bounds_are_as_worked_out, 0,
			    (int)PS_COUNT(known));
	tcase_add_loop_test(roofline, nonsense_is_refused_and_changes_nothing,
			    0, (int)PS_COUNT(refused));
	tcase_add_test(roofline, without_its_ceiling_there_is_no_share);
	suite_add_tcase(s, roofline);
	return s;
}
