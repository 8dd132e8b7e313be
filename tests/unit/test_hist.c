/* SPDX-License-Identifier: MIT */
/*
 * test_hist - the layout of the buckets and the promised error of quantiles
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "measure/hist.h"

/* Edges of the layout, worked out by hand from "32 parts per octave". */
static const struct {
	uint64_t value;
	uint32_t bucket;
} edge[] = {
    {0, 0},    {31, 31},
    {32, 32},  {63, 63}, /* exact up to here */
    {64, 64},  {65, 64}, /* two values a bucket */
    {66, 65},  {127, 95},
    {128, 96}, {131, 96}, /* four */
    {132, 97}, {(UINT64_C(1) << PS_HIST_MAX_BITS) - 1, PS_HIST_BUCKETS - 1},
};

START_TEST(bucket_edges)
{
	ck_assert_uint_eq(ps_hist_bucket(edge[_i].value), edge[_i].bucket);
}
END_TEST

/* No gap, no overlap: each bucket starts where the one before ends. */
START_TEST(buckets_tile_all_values)
{
	uint64_t next = 0;

	for (uint32_t b = 0; b < PS_HIST_BUCKETS; b++) {
		uint64_t floor = ps_hist_floor(b);
		uint64_t last = floor + ps_hist_width(b) - 1;

		if (floor != next || ps_hist_bucket(floor) != b ||
		    ps_hist_bucket(last) != b)
			ck_abort_msg("bucket %u", b);
		next = last + 1;
	}
	ck_assert_uint_eq(next, UINT64_C(1) << PS_HIST_MAX_BITS);
}
END_TEST

START_TEST(bucket_error_is_bounded)
{
	for (uint64_t v = 1; v < UINT64_C(1) << 43; v += v / 7 + 1) {
		uint64_t floor = ps_hist_floor(ps_hist_bucket(v));

		ck_assert_uint_le(floor, v);
		ck_assert_uint_le(v - floor, v >> PS_HIST_SUB_BITS);
	}
}
END_TEST

static _Atomic uint32_t buckets[PS_HIST_BUCKETS];
static uint64_t over, max;

static void
reset(void)
{
	memset((void *)buckets, 0, sizeof(buckets));
	over = max = 0;
}

static void
record(uint64_t value)
{
	if (value >> PS_HIST_MAX_BITS == 0)
		ps_bump(&buckets[ps_hist_bucket(value)], 1);
	else
		over++;
	max = PS_MAX(max, value);
}

static uint64_t
quantile(double q)
{
	uint64_t value = 0;

	ck_assert_int_eq(ps_hist_quantile(buckets, over, max, q, &value), 0);
	return value;
}

START_TEST(quantile_of_nothing_is_an_error)
{
	uint64_t value = 42;

	reset();
	ck_assert_int_eq(ps_hist_quantile(buckets, 0, 0, 0.99, &value),
			 -ENODATA);
	ck_assert_uint_eq(value, 42); /* left alone */
}
END_TEST

START_TEST(quantiles_of_small_values_are_exact)
{
	reset();
	for (uint64_t v = 1; v <= 60; v++)
		record(v);
	ck_assert_uint_eq(quantile(1e-9), 1);
	ck_assert_uint_eq(quantile(0.5), 30);
	ck_assert_uint_eq(quantile(0.51), 31);
	ck_assert_uint_eq(quantile(1), 60);
}
END_TEST

START_TEST(quantile_never_exceeds_the_maximum)
{
	reset();
	record(1000000);
	ck_assert_uint_le(quantile(0.5), 1000000);
	ck_assert_uint_le(quantile(1), 1000000);
}
END_TEST

START_TEST(values_beyond_the_buckets_count)
{
	const uint64_t huge = UINT64_C(1) << 50;

	reset();
	for (int i = 0; i < 9; i++)
		record(10);
	record(huge);
	ck_assert_uint_eq(ps_hist_count(buckets, over), 10);
	ck_assert_uint_eq(quantile(0.9), 10);
	ck_assert_uint_eq(quantile(0.91), huge);
}
END_TEST

static int
ascending(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Against percentiles of the sorted values themselves: within 1/64. */
START_TEST(quantile_error_is_bounded)
{
	enum { COUNT = 5000 };
	static const double qs[] = {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1};
	static uint64_t values[COUNT];
	uint64_t state = 88172645463325252u + (uint64_t)_i;

	reset();
	for (int i = 0; i < COUNT; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		/* Every order of magnitude from 2^6 to 2^43. */
		values[i] = state >> (20 + state % 38);
		record(values[i]);
	}
	qsort(values, COUNT, sizeof(values[0]), ascending);
	for (size_t i = 0; i < PS_COUNT(qs); i++) {
		double rank = qs[i] * COUNT;
		size_t at = (size_t)rank + ((double)(size_t)rank < rank) - 1;
		double exact = (double)values[at];
		double got = (double)quantile(qs[i]);

		ck_assert_double_le(got, exact + exact / 64 + 0.5);
		ck_assert_double_ge(got, exact - exact / 64 - 0.5);
	}
}
END_TEST

START_TEST(merging_is_recording_everything)
{
	static _Atomic uint32_t other[PS_HIST_BUCKETS];
	static _Atomic uint32_t both[PS_HIST_BUCKETS];

	reset();
	for (uint64_t v = 1; v < 1000000; v = v * 5 / 4 + 1) {
		record(v);
		ps_bump(&both[ps_hist_bucket(v)], 1);
		ps_bump(&other[ps_hist_bucket(v * 3)], 1);
		ps_bump(&both[ps_hist_bucket(v * 3)], 1);
	}
	ps_hist_merge(buckets, other);
	ck_assert_mem_eq((void *)buckets, (void *)both, sizeof(both));
}
END_TEST

START_TEST(merged_counters_do_not_wrap)
{
	reset();
	ps_poke(&buckets[7], UINT32_MAX - 1);
	ps_hist_merge(buckets, buckets);
	ck_assert_uint_eq(ps_peek(&buckets[7]), UINT32_MAX);
}
END_TEST

START_TEST(the_last_of_more_than_a_double_can_tell_is_the_greatest)
{
	uint64_t value = 0;

	memset((void *)buckets, 0, sizeof(buckets));
	ps_poke(&buckets[5], 1);
	ck_assert_int_eq(
	    ps_hist_quantile(buckets, UINT64_MAX - 1, UINT64_MAX, 1, &value),
	    0);
	ck_assert_uint_eq(value, UINT64_MAX);
}
END_TEST

/* What is counted below 2^PS_HIST_MAX_BITS, and beyond; min and max as they are
 * told, and as they can be. */
static const struct {
	uint32_t below;
	uint64_t over;
	uint64_t min, max;
	uint64_t clamped_min, clamped_max;
} extremes[] = {
#define MOST ((UINT64_C(1) << PS_HIST_MAX_BITS) - 1)
    {1, 0, 5, 9, 5, 9},
    {1, 0, 9, 5, 5, 5},
    {1, 0, UINT64_MAX, UINT64_MAX, MOST, MOST},
    {1, 1, UINT64_C(1) << 50, UINT64_C(1) << 60, MOST, UINT64_C(1) << 60},
    {0, 1, UINT64_C(1) << 50, UINT64_C(1) << 60, UINT64_C(1) << 50,
     UINT64_C(1) << 60},
    {0, 0, UINT64_MAX, 0, 0, 0},
};

START_TEST(extremes_are_where_they_can_be)
{
	uint64_t least = extremes[_i].min;
	uint64_t most = extremes[_i].max;

	memset((void *)buckets, 0, sizeof(buckets));
	ps_poke(&buckets[5], extremes[_i].below);
	ps_hist_clamp(buckets, extremes[_i].over, &least, &most);
	ck_assert_uint_eq(least, extremes[_i].clamped_min);
	ck_assert_uint_eq(most, extremes[_i].clamped_max);
}
END_TEST

Suite *hist_suite(void);

Suite *
hist_suite(void)
{
	Suite *s = suite_create("hist");
	TCase *layout = tcase_create("layout");
	TCase *quantiles = tcase_create("quantile");

	tcase_add_loop_test(layout, bucket_edges, 0, (int)PS_COUNT(edge));
	tcase_add_test(layout, buckets_tile_all_values);
	tcase_add_test(layout, bucket_error_is_bounded);
	suite_add_tcase(s, layout);

	tcase_add_test(quantiles, quantile_of_nothing_is_an_error);
	tcase_add_test(quantiles, quantiles_of_small_values_are_exact);
	tcase_add_test(quantiles, quantile_never_exceeds_the_maximum);
	tcase_add_test(quantiles, values_beyond_the_buckets_count);
	tcase_add_loop_test(quantiles, quantile_error_is_bounded, 0, 8);
	tcase_add_test(quantiles, merging_is_recording_everything);
	tcase_add_test(quantiles, merged_counters_do_not_wrap);
	tcase_add_test(quantiles,
		       the_last_of_more_than_a_double_can_tell_is_the_greatest);
	tcase_add_loop_test(quantiles, extremes_are_where_they_can_be, 0,
			    (int)PS_COUNT(extremes));
	suite_add_tcase(s, quantiles);
	return s;
}
