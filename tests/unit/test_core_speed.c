/* SPDX-License-Identifier: MIT */
/*
 * test_core_speed - the chase visits every place once; figures are of this
 * world
 */
#include <check.h>
#include <stdlib.h>

#include "measure/core_speed.h"
#include "simd/simd.h"

enum { LINE = PS_CACHE_LINE };

START_TEST(the_chase_is_one_cycle_through_all_places)
{
	static const size_t counts[] = {2, 3, 17, 1000, 4096};
	size_t count = counts[_i];
	char *memory = aligned_alloc(LINE, count * 2 * LINE);
	size_t visited = 0;
	void *at = memory;

	ck_assert_ptr_nonnull(memory);
	ps_chase_init(memory, count, (size_t)2 * LINE);
	do {
		ck_assert_uint_eq((size_t)((char *)at - memory) % (2 * LINE),
				  0);
		at = *(void **)at;
		visited++;
	} while (at != memory && visited <= count);
	ck_assert_uint_eq(visited, count);
	ck_assert_double_gt(ps_chase_ns(&at, count), 0);
	ck_assert_ptr_eq(at, memory); /* once around */
	free(memory);
}
END_TEST

START_TEST(the_core_runs_at_a_credible_speed)
{
	double hz = ps_core_hz(5);
	double flops = ps_core_flops(5);

	ck_assert_double_gt(hz, 1e8);
	ck_assert_double_lt(hz, 1e10);
	/* 2 units of 16 lanes, 2 operations each: no core has more. */
	ck_assert_double_lt(flops, 1.3 * 64 * hz);
	ck_assert_double_gt(flops, hz / 100);
}
END_TEST

Suite *core_speed_suite(void);

Suite *
core_speed_suite(void)
{
	Suite *s = suite_create("core_speed");
	TCase *speed = tcase_create("speed");

	tcase_add_loop_test(speed, the_chase_is_one_cycle_through_all_places, 0,
			    5);
	tcase_add_test(speed, the_core_runs_at_a_credible_speed);
	suite_add_tcase(s, speed);
	return s;
}
