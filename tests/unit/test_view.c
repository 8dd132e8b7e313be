/* SPDX-License-Identifier: MIT */
/*
 * test_view - sums, estimates and sections of an honest recording
 */
#include <check.h>
#include <math.h>

#include "record/writer.h"
#include "report/view.h"
#include "tests/unit/example.h"

/* Half a 95 % interval, in standard deviations. */
#define HALF_INTERVAL 1.96

static struct ps_reader reader;
static struct ps_scratch scratch;
static struct ps_view view;

static void
set_up(void)
{
	ps_example_open();
	ps_scratch_init(&scratch, 0);
}

static void
tear_down(void)
{
	ps_scratch_fini(&scratch);
}

static void
build_with(const struct ps_report_options *options)
{
	ps_example_attach(&reader);
	ck_assert_int_eq(ps_view_build(&reader, options, &scratch, &view), 0);
}

static void
build(void)
{
	build_with(NULL);
}

static void
is_near(double got, double expected)
{
	ck_assert_double_eq_tol(got, expected, 1e-9 * fabs(expected) + 1e-18);
}

/* ---- process and heap ---- */

START_TEST(the_process_is_told)
{
	build();
	ck_assert_int_eq(view.end, PS_END_EXITED);
	ck_assert_int_eq(view.exit_code, 3);
	is_near(view.wall_s, 2.0);
	is_near(view.user_s, 1.5);
	is_near(view.system_s, 0.25);
	is_near(view.max_rss_bytes, 5 << 20);
	ck_assert_uint_eq(view.threads_started, 5);
	ck_assert(!view.is_exact);
	ps_record->sampling.mode = PS_SAMPLE_ALL;
	build();
	ck_assert(view.is_exact);
}
END_TEST

START_TEST(threads_are_added_up)
{
	build();
	ck_assert_uint_eq(view.allocations, 150);
	ck_assert_uint_eq(view.frees, 110);
	ck_assert_uint_eq(view.requested_bytes, 7000);
	ck_assert_uint_eq(view.class_allocations[0], 100);
	ck_assert_uint_eq(view.class_allocations[3], 40);
	ck_assert_uint_eq(view.class_allocations[PS_CLASS_LARGE], 10);
	/* One thread freed what the other one allocated. */
	ck_assert_uint_eq(view.class_live[0], 0);
	ck_assert_uint_eq(view.class_live[3], 40);
	ck_assert_uint_eq(view.live_blocks, 40);
	is_near(view.pool_fraction, 1.0 - 10.0 / 150.0);
}
END_TEST

START_TEST(the_peak_is_never_below_what_is_live)
{
	build();
	/* The rows know better than the sum of 4000, which is of a while ago.
	 */
	ck_assert_uint_eq(view.live_bytes, 40 * 64);
	ck_assert_uint_eq(view.peak_bytes, 6000);
	is_near(view.peak_at_s, 1.0);
	ps_record->sampling.mode = PS_SAMPLE_ALL;
	build();
	ck_assert_uint_eq(view.live_bytes, 4000);
	ps_poke(&ps_record->heap.sampled_live_bytes, 8000);
	build();
	ck_assert_uint_eq(view.peak_bytes, 8000);
}
END_TEST

START_TEST(what_the_shim_cost_is_added_up)
{
	build();
	ck_assert_uint_eq(view.section_calls, 6);
	/* 2000 ticks of half a nanosecond, 6 marks of 30 ns */
	is_near(view.overhead_s, 1000e-9 + 6 * 30e-9);
	is_near(view.overhead_fraction, view.overhead_s / 2.0);
	ck_assert_uint_eq(view.table_drops, 3);
}
END_TEST

/* ---- how it ended ---- */

static const struct {
	uint32_t state;
	int recorded_code;
	struct ps_report_options told;
	enum ps_view_end end;
	int code;
	int signal;
} ends[] = {
    {PS_STATE_RUNNING, -1, {.exit_code = -1}, PS_END_RUNNING, -1, 0},
    {PS_STATE_EXITED, 7, {.exit_code = -1}, PS_END_EXITED, 7, 0},
    /* _exit: only who waited knows */
    {PS_STATE_RUNNING, -1, {.exit_code = 5}, PS_END_EXITED, 5, 0},
    {PS_STATE_EXITED, 7, {.exit_code = 5}, PS_END_EXITED, 5, 0},
    {PS_STATE_RUNNING,
     -1,
     {.exit_code = -1, .exit_signal = 9},
     PS_END_SIGNALED,
     -1,
     9},
    /* killed while its destructors ran */
    {PS_STATE_EXITED,
     7,
     {.exit_code = -1, .exit_signal = 11},
     PS_END_SIGNALED,
     -1,
     11},
    {PS_STATE_RUNNING,
     -1,
     {.exit_code = -1, .has_ended = true},
     PS_END_UNKNOWN,
     -1,
     0},
    {PS_STATE_EXITED,
     0,
     {.exit_code = -1, .has_ended = true},
     PS_END_EXITED,
     0,
     0},
};

START_TEST(the_end_is_told_by_who_knows_best)
{
	ps_poke(&ps_record->process.state, ends[_i].state);
	ps_poke(&ps_record->process.exit_code, ends[_i].recorded_code);
	build_with(&ends[_i].told);
	ck_assert_int_eq(view.end, ends[_i].end);
	ck_assert_int_eq(view.exit_code, ends[_i].code);
	ck_assert_int_eq(view.exit_signal, ends[_i].signal);
}
END_TEST

/* ---- sites ---- */

START_TEST(sites_are_estimated_with_their_errors)
{
	const struct ps_view_site *s;

	build();
	ck_assert_uint_eq(view.site_count, PS_EXAMPLE_SITES);
	s = &view.sites[0];
	is_near(s->allocations, 100);
	is_near(s->allocations_error, HALF_INTERVAL * 5);
	is_near(s->bytes, 5000);
	is_near(s->bytes_error, HALF_INTERVAL * 100);
	is_near(s->live_allocations, 10);
	is_near(s->live_bytes, 1000);
	is_near(s->temporary, 75);
	is_near(view.site_allocations, 150);
	is_near(view.site_bytes, 14000);
	is_near(view.site_bytes_error, HALF_INTERVAL * 100);
	is_near(view.short_lived_fraction, 0.5);
}
END_TEST

/*
 * The share of Poisson's counts of this mean whose interval holds it: a site
 * of small blocks is sampled so often, and each sample weighs the same.
 */
static double
coverage(double mean)
{
	double holds = 0;

	for (int k = 1; k < 1000; k++) {
		struct ps_view_site s = {
		    .allocations = k,
		    .allocations_error = HALF_INTERVAL * sqrt(k),
		};

		double error = ps_view_error(&s, PS_BY_ALLOCATIONS);

		/* "100%+" says that it may be anything. */
		if (error >= k || fabs(k - mean) <= error)
			holds += exp(k * log(mean) - mean - lgamma(k + 1));
	}
	return holds;
}

START_TEST(intervals_of_few_samples_hold_as_often_as_they_say)
{
	for (double mean = 10; mean < 300; mean += mean < 40 ? 0.5 : 10) {
		double holds = coverage(mean);

		ck_assert_msg(holds > 0.925 && holds < 0.98,
			      "%g samples: %g of the intervals", mean, holds);
	}
}
END_TEST

static void *
one_more(enum ps_table_id id)
{
	void *memory;

	ps_record_lock();
	ck_assert_uint_ne(ps_record_append(id, 1, &memory), UINT32_MAX);
	ps_record_publish(id);
	ps_record_unlock();
	return memory;
}

/* The second site's frames, in the library as it was loaded again. */
static struct ps_record_module *
load_again(uint64_t bias, const char *path)
{
	struct ps_record_module *module = one_more(PS_TABLE_MODULES);
	uint32_t first =
	    ps_peek(&ps_record->table[PS_TABLE_STACK_FRAMES].count);

	module->path = ps_record_string(path);
	module->start = 0x1000 + bias;
	module->end = 0x9000 + bias;
	module->bias = bias;
	for (uint32_t i = 0; i < 3; i++) {
		struct ps_record_frame *frame = one_more(PS_TABLE_FRAMES);
		uint32_t *place = one_more(PS_TABLE_STACK_FRAMES);

		frame->pc = 0x1000 + bias + 16 * i;
		frame->module = 1;
		frame->generation = 1;
		*place = 3 + i;
	}
	ps_example_site(1)->first_frame = first;
	ps_example_site(1)->depth = 3;
	return module;
}

START_TEST(a_library_that_is_loaded_again_is_the_same)
{
	struct ps_record_module *module =
	    load_again(0x700000, "/lib/libexample.so");

	build();
	ck_assert_uint_eq(view.site_count, 2);
	is_near(view.sites[0].allocations, 150);
	module->build_id_bytes = 4; /* it was replaced */
	build();
	ck_assert_uint_eq(view.site_count, 3);
}
END_TEST

START_TEST(another_library_at_the_same_address_is_another)
{
	(void)load_again(0, "/lib/libother.so");
	build();
	ck_assert_uint_eq(view.site_count, 3);
}
END_TEST

START_TEST(what_was_resident_at_most_is_no_less_than_what_was_seen)
{
	double peak;

	build();
	peak = view.max_rss_bytes;
	ps_poke(&ps_record->timeline.tick[1].rss_bytes, (uint64_t)peak + 4096);
	build();
	is_near(view.max_rss_bytes, peak + 4096);
}
END_TEST

START_TEST(errors_of_sites_add_in_squares)
{
	ps_poke(&ps_example_site(0)->bytes_variance, 9 * 10000);
	ps_poke(&ps_example_site(1)->bytes_variance, 16 * 10000);
	build();
	is_near(view.site_bytes_error, HALF_INTERVAL * 500);
}
END_TEST

START_TEST(a_site_not_touched_since_the_peak_peaked_with_what_is_live)
{
	build();
	is_near(view.sites[0].peak_bytes, 3000);
	is_near(view.sites[0].peak_allocations, 20);
	is_near(view.sites[1].peak_bytes, 4500);
	is_near(view.sites[1].peak_allocations, 5);
}
END_TEST

static const struct {
	enum ps_view_key key;
	uint32_t count;
	uint32_t order[2];
} orders[] = {
    {PS_BY_ALLOCATIONS, 2, {0, 1}}, {PS_BY_BYTES, 2, {1, 0}},
    {PS_BY_PEAK, 2, {1, 0}},	    {PS_BY_LIVE, 2, {1, 0}},
    {PS_BY_TEMPORARY, 1, {0, 0}},
};

/* The third site has nothing and is in no list. */
static enum ps_row_verdict
forgive_all(struct ps_row_judge *self, const struct ps_reader *r, uint32_t row)
{
	(void)self;
	(void)r;
	(void)row;
	return PS_ROW_FORGIVEN;
}

/* Of two threads, say. */
START_TEST(a_stack_of_two_rows_is_forgiven_once)
{
	struct ps_row_judge judge = {.judge = forgive_all};

	ps_example_site(0)->depth = 2;
	ps_example_site(1)->first_frame = 0;
	build_with(
	    &(struct ps_report_options){.exit_code = -1, .judge = &judge});
	ck_assert_uint_eq(view.site_count, 2);
	ck_assert_uint_eq(view.forgiven_sites, 1);
	ck_assert_double_eq(view.forgiven_bytes, 5500);
	ck_assert_double_eq(view.forgiven_allocations, 15);
}
END_TEST

START_TEST(the_top_sites_are_in_order)
{
	const struct ps_view_site *top[PS_EXAMPLE_SITES];

	build();
	ck_assert_uint_eq(
	    ps_view_top(&view, orders[_i].key, PS_EXAMPLE_SITES, top),
	    orders[_i].count);
	for (uint32_t i = 0; i < orders[_i].count; i++)
		ck_assert_ptr_eq(top[i], &view.sites[orders[_i].order[i]]);
	/* As many as are asked for, and no write behind them. */
	top[1] = NULL;
	ck_assert_uint_eq(ps_view_top(&view, orders[_i].key, 1, top), 1);
	ck_assert_ptr_eq(top[0], &view.sites[orders[_i].order[0]]);
	ck_assert_ptr_null(top[1]);
}
END_TEST

START_TEST(the_top_of_many_sites_is_sorted)
{
	enum { MANY = 500 };
	static const unsigned mosts[] = {1, 2, 3, 20, MANY - 2, MANY - 1};
	static struct ps_view_site sites[MANY];
	struct ps_view many = {.site_count = MANY, .sites = sites};
	const struct ps_view_site *top[MANY + 1];

	for (unsigned i = 0; i < MANY; i++)
		sites[i].bytes = (i * 7919u) % MANY; /* each value once */
	sites[0].bytes = (double)NAN; /* was 0, which is in no list either */
	for (unsigned m = 0; m < PS_COUNT(mosts); m++) {
		top[mosts[m]] = NULL;
		ck_assert_uint_eq(
		    ps_view_top(&many, PS_BY_BYTES, mosts[m], top), mosts[m]);
		for (unsigned i = 0; i < mosts[m]; i++)
			is_near(top[i]->bytes, MANY - 1 - i);
		ck_assert_ptr_null(top[mosts[m]]);
	}
	ck_assert_uint_eq(ps_view_top(&many, PS_BY_BYTES, MANY, top), MANY - 1);
}
END_TEST

START_TEST(of_equal_sites_the_first_comes_first)
{
	enum { MANY = 40 };
	static struct ps_view_site sites[MANY];
	struct ps_view many = {.site_count = MANY, .sites = sites};
	const struct ps_view_site *top[MANY];

	for (unsigned i = 0; i < MANY; i++)
		sites[i].bytes = 7;
	ck_assert_uint_eq(ps_view_top(&many, PS_BY_BYTES, 9, top), 9);
	for (unsigned i = 0; i < 9; i++)
		ck_assert_ptr_eq(top[i], &sites[i]);
}
END_TEST

/* ---- sections ---- */

START_TEST(sections_are_sorted_by_total)
{
	build();
	ck_assert_uint_eq(view.section_count, 2); /* the third was not called */
	ck_assert_str_eq(view.sections[0].name, "outer");
	ck_assert_str_eq(view.sections[0].file, "example.c");
	ck_assert_uint_eq(view.sections[0].line, 42);
	ck_assert_str_eq(view.sections[1].name, "inner");
}
END_TEST

START_TEST(a_section_is_added_up_over_threads)
{
	const struct ps_view_section *s;

	build();
	s = &view.sections[0];
	ck_assert_uint_eq(s->calls, 4);
	ck_assert_uint_eq(s->threads, 4); /* three that ended, one that lives */
	ck_assert_uint_eq(s->allocations, 9);
	ck_assert_uint_eq(s->bytes, 900);
	is_near(s->total_s, 5000e-9);
	is_near(s->mean_s, 1250e-9);
	is_near(s->min_s, 500e-9);
	is_near(s->max_s, 2000e-9);
	is_near(s->stddev_s, 500e-9 * sqrt(30.0 / 4 - 6.25));
}
END_TEST

/* 1/64 of the value: what hist.h promises. */
START_TEST(quantiles_are_those_of_all_threads)
{
	const struct ps_view_section *s;

	build();
	s = &view.sections[0];
	ck_assert_double_eq_tol(s->p50_s, 1000e-9, 1000e-9 / 64);
	ck_assert_double_eq_tol(s->p90_s, 2000e-9, 2000e-9 / 64);
	ck_assert_double_eq_tol(s->p99_s, 2000e-9, 2000e-9 / 64);
	is_near(view.sections[1].p50_s, 250e-9);
}
END_TEST

START_TEST(self_time_is_corrected_for_the_marks_inside)
{
	build();
	/* 9000 ticks less 4 pairs, of each 20 ns are outside the child */
	is_near(view.sections[0].self_s, 4500e-9 - 4 * 20e-9);
	ck_assert(!view.sections[0].is_self_doubtful);
	is_near(view.sections[1].self_s, 500e-9);
	ps_poke(&ps_example_stats(0)->child_calls, 60);
	build();
	ck_assert(view.sections[0].is_self_doubtful);
	is_near(view.sections[0].self_s, 4500e-9 - 62 * 20e-9);
	ps_poke(&ps_example_stats(0)->child_calls, 1000);
	build();
	ck_assert(view.sections[0].self_s == 0);
}
END_TEST

Suite *
view_suite(void)
{
	Suite *s = suite_create("view");
	TCase *honest = tcase_create("honest");

	tcase_add_checked_fixture(honest, set_up, tear_down);
	tcase_add_test(honest, the_process_is_told);
	tcase_add_test(honest, threads_are_added_up);
	tcase_add_test(honest, the_peak_is_never_below_what_is_live);
	tcase_add_test(honest, what_the_shim_cost_is_added_up);
	tcase_add_loop_test(honest, the_end_is_told_by_who_knows_best, 0,
			    (int)PS_COUNT(ends));
	tcase_add_test(honest, sites_are_estimated_with_their_errors);
	tcase_add_test(honest,
		       intervals_of_few_samples_hold_as_often_as_they_say);
	tcase_add_test(honest, a_library_that_is_loaded_again_is_the_same);
	tcase_add_test(honest, another_library_at_the_same_address_is_another);
	tcase_add_test(honest,
		       what_was_resident_at_most_is_no_less_than_what_was_seen);
	tcase_add_test(honest, errors_of_sites_add_in_squares);
	tcase_add_test(
	    honest, a_site_not_touched_since_the_peak_peaked_with_what_is_live);
	tcase_add_test(honest, a_stack_of_two_rows_is_forgiven_once);
	tcase_add_loop_test(honest, the_top_sites_are_in_order, 0,
			    (int)PS_COUNT(orders));
	tcase_add_test(honest, the_top_of_many_sites_is_sorted);
	tcase_add_test(honest, of_equal_sites_the_first_comes_first);
	tcase_add_test(honest, sections_are_sorted_by_total);
	tcase_add_test(honest, a_section_is_added_up_over_threads);
	tcase_add_test(honest, quantiles_are_those_of_all_threads);
	tcase_add_test(honest, self_time_is_corrected_for_the_marks_inside);
	suite_add_tcase(s, honest);

	return s;
}
