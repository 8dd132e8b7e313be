/* SPDX-License-Identifier: MIT */
/*
 * test_gate - looks and verdicts, and the rates of both errors over simulated
 * noise: what perfwrap.sh's gate does, with a seed in place of a machine
 */
#include <check.h>
#include <errno.h>
#include <math.h>

#include "bench/compare.h"
#include "bench/gate.h"
#include "tests/unit/noise.h"

static const struct ps_gate gate = {
    .limit = 0.05, .error = 0.01, .first = 10, .most = 100};

START_TEST(looks_grow_to_the_last_run)
{
	unsigned looks = ps_gate_looks(&gate);
	size_t before = 0;

	ck_assert_uint_eq(ps_gate_runs(&gate, 0), 10);
	ck_assert_uint_eq(ps_gate_runs(&gate, 1), 15);
	ck_assert_uint_eq(ps_gate_runs(&gate, looks - 1), 100);
	for (unsigned i = 0; i < looks; i++) {
		ck_assert_uint_gt(ps_gate_runs(&gate, i), before);
		before = ps_gate_runs(&gate, i);
	}
}
END_TEST

START_TEST(any_range_of_runs_has_an_end)
{
	for (size_t first = 2; first < 40; first++) {
		for (size_t most = first; most < 5000; most += 1 + most / 3) {
			struct ps_gate g = {0.05, 0.01, first, most};
			unsigned looks = ps_gate_looks(&g);

			ck_assert_uint_le(looks, PS_GATE_LOOKS_MOST);
			ck_assert_uint_eq(ps_gate_runs(&g, looks - 1), most);
		}
	}
}
END_TEST

START_TEST(errors_of_all_looks_add_up)
{
	struct ps_location l = {.freedom = 10};
	double error = 0;

	for (unsigned i = 0; i < ps_gate_looks(&gate); i++)
		error += (1 - ps_gate_take(&gate, i, &l).confidence) / 2;
	ck_assert_double_eq_tol(error, 0.01, 1e-12);
}
END_TEST

static enum ps_gate_verdict
verdict(double ratio, double error, unsigned look)
{
	struct ps_location l = {log(ratio), error, 9};

	return ps_gate_take(&gate, look, &l).verdict;
}

START_TEST(verdicts)
{
	unsigned last = ps_gate_looks(&gate) - 1;

	ck_assert_int_eq(verdict(1.00, 0.001, 0), PS_GATE_PASSED);
	ck_assert_int_eq(verdict(0.50, 0.001, 0), PS_GATE_PASSED);
	ck_assert_int_eq(verdict(1.10, 0.001, 0), PS_GATE_REGRESSION);
	ck_assert_int_eq(verdict(1.05, 0.01, 0), PS_GATE_UNDECIDED);
	ck_assert_int_eq(verdict(1.05, 0.01, last), PS_GATE_INCONCLUSIVE);
	/* Counts that are the same in every run decide at once. */
	ck_assert_int_eq(verdict(1.0501, 0, 0), PS_GATE_REGRESSION);
	ck_assert_int_eq(verdict(1.0499, 0, 0), PS_GATE_PASSED);
}
END_TEST

static enum ps_gate_verdict
doubted(double ratio, double reference, unsigned look)
{
	struct ps_location l = {log(ratio), 0.001, 9};
	struct ps_location r = {log(reference), 0.005, 9};
	struct ps_gate_look of = ps_gate_take(&gate, look, &l);

	ps_gate_doubt(&gate, look, &r, &of);
	return of.verdict;
}

START_TEST(a_slower_machine_is_no_regression)
{
	unsigned last = ps_gate_looks(&gate) - 1;

	ck_assert_int_eq(doubted(1.10, 1.00, 0), PS_GATE_REGRESSION);
	ck_assert_int_eq(doubted(1.10, 1.10, 0), PS_GATE_UNDECIDED);
	ck_assert_int_eq(doubted(1.10, 1.10, last), PS_GATE_INCONCLUSIVE);
	/* A faster one hides none. */
	ck_assert_int_eq(doubted(1.00, 0.90, 0), PS_GATE_UNDECIDED);
	ck_assert_int_eq(doubted(1.00, 1.00, 0), PS_GATE_PASSED);
}
END_TEST

enum { OLD = 30 };

/* One use of the gate: a baseline of 30 runs, then as many as it wants. */
static enum ps_gate_verdict
simulate(struct noise *n, double growth, struct ps_scratch *scratch)
{
	double old[OLD], old_reference[OLD], new[100], reference[100];
	struct ps_gate_look look = {0};
	size_t made = 0;

	for (size_t i = 0; i < OLD; i++) {
		old[i] = noise_sample(n, 1);
		old_reference[i] = noise_reference(n);
	}
	for (unsigned k = 0; look.verdict == PS_GATE_UNDECIDED; k++) {
		struct ps_location l, r;

		for (; made < ps_gate_runs(&gate, k); made++) {
			new[made] = noise_sample(n, growth);
			reference[made] = noise_reference(n);
		}
		ps_compare_location(old, OLD, new, made, scratch, &l);
		ps_compare_location(old_reference, OLD, reference, made,
				    scratch, &r);
		look = ps_gate_take(&gate, k, &l);
		ps_gate_doubt(&gate, k, &r, &look);
	}
	return look.verdict;
}

/* How many of the trials end in this verdict. */
static int
count(enum noise_model model, double growth, int trials,
      enum ps_gate_verdict wanted)
{
	struct noise n = {.model = model, .random = 2024 + model};
	int found = 0;

	for (int i = 0; i < trials; i++) {
		struct ps_scratch scratch;

		ps_scratch_init(&scratch, 0);
		found += simulate(&n, growth, &scratch) == wanted;
		ps_scratch_fini(&scratch);
	}
	return found;
}

enum { TRIALS = 500 };

/* At most 2 % when nothing changed: over every kind of noise. */
START_TEST(false_alarms_are_rare)
{
	ck_assert_int_le(
	    count((enum noise_model)_i, 1, TRIALS, PS_GATE_REGRESSION),
	    TRIALS * 2 / 100);
}
END_TEST

/* The hardest case for it: a growth of just what is allowed. */
START_TEST(what_is_allowed_is_no_regression)
{
	/* Two levels are where Student's t on a trimmed mean is worst. */
	int allowed = _i == NOISE_LEVELS ? 4 : 2;

	if (_i == NOISE_DRIFT)
		return; /* has drifted to one side of it or the other */
	ck_assert_int_le(
	    count((enum noise_model)_i, 1.05, TRIALS, PS_GATE_REGRESSION),
	    TRIALS * allowed / 100);
}
END_TEST

START_TEST(a_growth_of_a_tenth_is_found)
{
	int found =
	    count((enum noise_model)_i, 1.10, TRIALS, PS_GATE_REGRESSION);

	/* Where the machine wanders by as much, some of it is not to be told
	 * from that. */
	ck_assert_int_ge(found, TRIALS * (_i == NOISE_DRIFT ? 60 : 95) / 100);
}
END_TEST

Suite *gate_suite(void);

Suite *
gate_suite(void)
{
	Suite *s = suite_create("gate");
	TCase *c = tcase_create("looks");
	TCase *t = tcase_create("rates");

	tcase_add_test(c, looks_grow_to_the_last_run);
	tcase_add_test(c, any_range_of_runs_has_an_end);
	tcase_add_test(c, errors_of_all_looks_add_up);
	tcase_add_test(c, verdicts);
	tcase_add_test(c, a_slower_machine_is_no_regression);
	suite_add_tcase(s, c);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, false_alarms_are_rare, 0, NOISE_MODELS);
	tcase_add_loop_test(t, what_is_allowed_is_no_regression, 0,
			    NOISE_MODELS);
	tcase_add_loop_test(t, a_growth_of_a_tenth_is_found, 0, NOISE_MODELS);
	suite_add_tcase(s, t);
	return s;
}
