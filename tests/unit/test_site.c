/* SPDX-License-Identifier: MIT */
/*
 * test_site - what samples stand for, sums over sites, the peak with threads
 */
#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "profile/site.h"
#include "profile/stack.h"
#include "profile/timeline.h"
#include "record/writer.h"
#include "sites.h"

enum { SITES = 8 };

static struct ps_record_site *site[SITES];

static bool
no_module(uintptr_t pc, struct ps_stack_module *out)
{
	(void)pc;
	(void)out;
	return false;
}

static void
setup(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ck_assert_int_eq(ps_stack_init(no_module), 0);
	ps_record->sampling.mode = PS_SAMPLE_POISSON;
	ps_record->sampling.interval_bytes = 1000;
	for (uintptr_t pc = 0; pc < SITES; pc++) {
		ck_assert_uint_eq(site_of(&pc, 1, 0), pc);
		site[pc] = ps_record_entry(PS_TABLE_SITES, (uint32_t)pc);
	}
}

START_TEST(weights_are_those_of_horvitz_and_thompson)
{
	static const uint64_t sizes[] = {1, 16, 1000, 5000, 1 << 20};

	for (size_t i = 0; i < PS_COUNT(sizes); i++) {
		double s = (double)sizes[i];
		double p = 1 - exp(-s / 1000);
		double spread = (1 - p) / (p * p);
		struct ps_weight w;

		ps_site_weigh(sizes[i], 0, &w);
		ck_assert_double_eq_tol((double)w.allocations / PS_WEIGHT_ONE,
					1 / p, 1e-3 + 1e-9 / p);
		ck_assert_double_eq_tol((double)w.bytes, s / p, 1);
		ck_assert_double_eq_tol((double)w.allocations_variance /
					    PS_WEIGHT_ONE,
					spread, 1e-3 + 1e-9 * spread);
		ck_assert_double_eq_tol((double)w.bytes_variance,
					s * s * spread,
					1 + 1e-9 * s * s * spread);
	}
}
END_TEST

START_TEST(what_is_allocated_and_freed_leaves_nothing_live)
{
	struct ps_weight w;

	ps_site_weigh(100, 0, &w);
	for (int i = 0; i < 10; i++)
		site_allocated(1, 100);
	for (int i = 0; i < 10; i++)
		site_freed(1, 100, i < 4);
	ck_assert_uint_eq(site[1]->samples, 10);
	ck_assert_uint_eq(site[1]->allocations, 10 * w.allocations);
	ck_assert_uint_eq(site[1]->bytes, 10 * w.bytes);
	ck_assert_uint_eq(site[1]->allocations_variance,
			  10 * w.allocations_variance);
	ck_assert_uint_eq(site[1]->bytes_variance, 10 * w.bytes_variance);
	ck_assert_uint_eq(site[1]->live_allocations, 0);
	ck_assert_uint_eq(site[1]->live_bytes, 0);
	ck_assert_uint_eq(site[1]->temporary, 4 * w.allocations);
	ck_assert_uint_eq(ps_record->heap.sampled_live_bytes, 0);
	ck_assert_uint_eq(ps_record->heap.sampled_peak_bytes, 10 * w.bytes);
	ck_assert_uint_eq(site[1]->peak_bytes, 10 * w.bytes);
	ck_assert_uint_eq(ps_record->heap.live_bytes, 0); /* not from samples */
}
END_TEST

START_TEST(the_heap_as_a_whole_has_a_peak_and_a_time)
{
	struct ps_record_heap *heap = &ps_record->heap;

	ps_record->clock.start_ticks = 1;
	ps_timeline_init(10);
	ps_heap_changed(1000, 10);
	ps_heap_changed(-400, 20);
	ps_heap_changed(300, 30);
	ck_assert_uint_eq(heap->live_bytes, 900);
	ck_assert_uint_eq(heap->peak_bytes, 1000);
	ck_assert_uint_eq(heap->peak_ticks, 10);
	ps_heap_changed(101, 40);
	ck_assert_uint_eq(heap->peak_bytes, 1001);
	ck_assert_uint_eq(heap->peak_ticks, 40);
	ck_assert_uint_eq(ps_record->timeline.count, 4);
	ps_heap_changed(-2000, 90); /* a late share: below zero is no peak */
	ck_assert_uint_eq(heap->peak_bytes, 1001);
	ck_assert_uint_eq(ps_record->timeline.count, 4);
	ps_heap_changed(2000, 95);
	ck_assert_uint_eq(heap->live_bytes, 1001);
	ck_assert_uint_eq(heap->peak_bytes, 1001);
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

static void *
churn(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	uint32_t held[64] = {0};

	for (int i = 0; i < 40000; i++) {
		uint32_t k = (seed = seed * 1103515245 + 12345) >> 16 & 63;

		if (held[k] != 0)
			site_freed(held[k] % SITES, held[k], false);
		held[k] = 8 + (seed >> 8 & 127);
		site_allocated(held[k] % SITES, held[k]);
		ps_heap_changed(held[k], 1);
		ps_heap_changed(-(int64_t)held[k], 1);
	}
	for (int k = 0; k < 64; k++)
		if (held[k] != 0)
			site_freed(held[k] % SITES, held[k], false);
	return NULL;
}

START_TEST(threads_lose_no_sample)
{
	pthread_t threads[4];
	uint64_t samples = 0;

	for (uintptr_t i = 0; i < 4; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, churn, (void *)(i + 1)),
		    0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SITES; i++) {
		samples += site[i]->samples;
		ck_assert_uint_eq(site[i]->live_allocations, 0);
		ck_assert_uint_eq(site[i]->live_bytes, 0);
		ck_assert_uint_le(site[i]->peak_epoch,
				  ps_record->heap.peak_epoch);
	}
	ck_assert_uint_eq(samples, 4 * 40000);
	ck_assert_uint_eq(ps_record->heap.sampled_live_bytes, 0);
	ck_assert_uint_eq(ps_record->heap.live_bytes, 0);
	ck_assert_uint_ge(ps_record->heap.peak_bytes, 8);
	ck_assert_uint_le(ps_record->heap.peak_bytes, 4 * 135);
}
END_TEST

Suite *
site_suite(void)
{
	Suite *s = suite_create("site");
	TCase *t = tcase_create("site");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, weights_are_those_of_horvitz_and_thompson);
	tcase_add_test(t, what_is_allocated_and_freed_leaves_nothing_live);
	tcase_add_test(t, the_heap_as_a_whole_has_a_peak_and_a_time);
	tcase_add_test(t, threads_lose_no_sample);
	suite_add_tcase(s, t);
	return s;
}
