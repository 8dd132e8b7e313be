/* SPDX-License-Identifier: MIT */
/*
 * test_truth - sampled estimates against what was allocated, over many runs
 *
 * A run allocates the same blocks each time, in an order by chance, and samples
 * them by the countdown that the shim uses.  What it estimates, and the error
 * that is told with it, is held against the known sums: with no bias, and with
 * a 95 % interval that is one.  Once at one distance of samples, and once at
 * the pace of a clock that runs now slowly, now fast.
 */
#include <check.h>
#include <math.h>

#include "profile/pace.h"
#include "profile/sample.h"
#include "profile/site.h"
#include "record/writer.h"
#include "report/view.h"
#include "sites.h"

enum { RUNS = 200, KINDS = 5, MEAN = 4096 };

/* Ticks a block, in turn: samples of 9 blocks come too soon, and too late. */
enum { PHASE_BLOCKS = 8000, FAST = PS_PACE_TICKS / 40, SLOW = PS_PACE_TICKS };

/* Small and large against the mean distance of samples; all but the first
 * have some hundred samples a run. */
static const struct {
	uint64_t size;
	int blocks;
} kind[KINDS] = {
    {24, 40000}, {100, 20000}, {1000, 4000}, {5000, 900}, {60000, 300}};

static uint64_t run_state;
static bool is_paced;
static uint32_t coarsest; /* of all runs */

static bool
no_module(uintptr_t pc, struct ps_stack_module *out)
{
	(void)pc;
	(void)out;
	return false;
}

static uint32_t
chance(uint32_t n)
{
	run_state = run_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(run_state >> 33) % n;
}

static struct ps_record_site *
site_of_kind(int run, int k)
{
	uintptr_t pc = (uintptr_t)(run * KINDS + k + 1) * 16;

	return ps_record_entry(PS_TABLE_SITES, site_of(&pc, 1, 0));
}

static void
pick(struct ps_pace *pace, uint64_t now, uint32_t site, uint64_t size)
{
	struct ps_weight w;

	ps_site_weigh(size, pace->coarse, &w);
	ps_site_allocated(site, &w);
	if (is_paced)
		ps_pace_step(pace, now);
	coarsest = PS_MAX(coarsest, pace->coarse);
}

/* All blocks of all kinds, each next one of a kind by chance. */
static void
allocate(uint64_t seed, const uint32_t *site)
{
	int left[KINDS];
	struct ps_pace pace = {0};
	uint64_t random = seed * 77 + 1;
	uint64_t now = 0;
	uint64_t blocks = 0;
	uint64_t countdown = ps_sample_draw(&random, MEAN);
	int kinds = KINDS;
	int alive[KINDS];

	run_state = seed;
	for (int k = 0; k < KINDS; k++) {
		left[k] = kind[k].blocks;
		alive[k] = k;
	}
	while (kinds > 0) {
		int at = (int)chance((uint32_t)kinds);
		int k = alive[at];

		now += blocks++ / PHASE_BLOCKS % 2 == 0 ? FAST : SLOW;
		if (--left[k] == 0)
			alive[at] = alive[--kinds];
		if (kind[k].size < countdown) {
			countdown -= kind[k].size;
			continue;
		}
		pick(&pace, now, site[k], kind[k].size);
		countdown = ps_sample_draw(
		    &random, (double)MEAN * (double)(1u << pace.coarse));
	}
}

struct tally {
	double sum; /* of estimate / truth */
	int covered;
};

static void
hold(struct tally *t, double estimate, double variance, double truth)
{
	t->sum += estimate / truth;
	t->covered +=
	    fabs(estimate - truth) <=
	    ps_view_error(
		&(struct ps_view_site){.bytes = estimate,
				       .bytes_error = 1.96 * sqrt(variance)},
		PS_BY_BYTES);
}

static void
run_once(int run, struct tally *bytes, struct tally *blocks)
{
	uint32_t rows[KINDS];

	for (int k = 0; k < KINDS; k++) {
		uintptr_t pc = (uintptr_t)(run * KINDS + k + 1) * 16;

		rows[k] = site_of(&pc, 1, 0);
	}
	allocate((uint64_t)run + 1, rows);
	for (int k = 0; k < KINDS; k++) {
		const struct ps_record_site *s = site_of_kind(run, k);
		double count = kind[k].blocks;

		hold(&bytes[k], (double)ps_peek(&s->bytes),
		     (double)ps_peek(&s->bytes_variance),
		     count * (double)kind[k].size);
		hold(&blocks[k],
		     (double)ps_peek(&s->allocations) / PS_WEIGHT_ONE,
		     (double)ps_peek(&s->allocations_variance) / PS_WEIGHT_ONE,
		     count);
	}
}

static void
setup(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ck_assert_int_eq(ps_stack_init(no_module), 0);
	ps_record->sampling.mode = PS_SAMPLE_POISSON;
	ps_record->sampling.interval_bytes = MEAN;
}

/* Of the first so many kinds. */
static void
hold_all(int kinds, struct tally *bytes, struct tally *blocks)
{
	int covered = 0;

	for (int run = 0; run < RUNS; run++)
		run_once(run, bytes, blocks);
	for (int k = 0; k < kinds; k++) {
		covered += bytes[k].covered + blocks[k].covered;
		ck_assert_double_eq_tol(bytes[k].sum / RUNS, 1, 0.02);
		ck_assert_double_eq_tol(blocks[k].sum / RUNS, 1, 0.02);
	}
	ck_assert_int_ge(covered * 100, 93 * RUNS * 2 * kinds);
	ck_assert_int_le(covered * 100, 97 * RUNS * 2 * kinds);
}

START_TEST(intervals_of_95_percent_hold_in_95_percent_of_the_runs)
{
	struct tally bytes[KINDS] = {{0}};
	struct tally blocks[KINDS] = {{0}};

	/* A block of 60000 bytes is always picked (p > 0.999999): its sums are
	 * exact, and it has no part in the share. */
	hold_all(KINDS - 1, bytes, blocks);
	ck_assert_double_eq_tol(bytes[KINDS - 1].sum / RUNS, 1, 1e-4);
	ck_assert_uint_eq(coarsest, 0);
}
END_TEST

START_TEST(they_hold_as_often_where_the_pace_widens_the_distance)
{
	struct tally bytes[KINDS] = {{0}};
	struct tally blocks[KINDS] = {{0}};

	is_paced = true;
	hold_all(KINDS, bytes, blocks);
	ck_assert_uint_ge(coarsest, 2);
}
END_TEST

/* What comes in time is left alone; what does not, widened until it does. */
START_TEST(the_pace_follows_the_time_between_samples)
{
	static const struct {
		uint64_t each; /* ticks between samples at the first distance */
		uint32_t coarse;
	} cases[] = {{PS_PACE_TICKS, 0},     {PS_PACE_TICKS - 1, 1},
		     {PS_PACE_TICKS / 4, 2}, {PS_PACE_TICKS / 5, 3},
		     {1, PS_COARSE_MAX},     {PS_PACE_TICKS / 2, 2},
		     {UINT32_MAX, 0}};
	struct ps_pace pace = {0};
	uint64_t now = 1;

	for (size_t i = 0; i < PS_COUNT(cases); i++) {
		for (int k = 0; k < 20 * PS_PACE_SAMPLES; k++) {
			now += cases[i].each << pace.coarse;
			ps_pace_step(&pace, now);
		}
		ck_assert_msg(pace.coarse == cases[i].coarse, "case %zu: %u", i,
			      pace.coarse);
	}
}
END_TEST

Suite *
truth_suite(void)
{
	Suite *s = suite_create("truth");
	TCase *t = tcase_create("truth");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t,
		       intervals_of_95_percent_hold_in_95_percent_of_the_runs);
	tcase_add_test(t,
		       they_hold_as_often_where_the_pace_widens_the_distance);
	tcase_add_test(t, the_pace_follows_the_time_between_samples);
	suite_add_tcase(s, t);
	return s;
}
