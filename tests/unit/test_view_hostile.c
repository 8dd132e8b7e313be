/* SPDX-License-Identifier: MIT */
/*
 * test_view_hostile - a view promises figures whatever the recording says
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>

#include "record/plan.h"
#include "record/writer.h"
#include "report/section_hgrm.h"
#include "report/view.h"
#include "tests/unit/example.h"

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
build(void)
{
	ps_example_attach(&reader);
	ck_assert_int_eq(ps_view_build(&reader, NULL, &scratch, &view), 0);
}

/* ---- what is not known, and what is not true ---- */

START_TEST(what_is_not_known_is_not_a_number)
{
	ps_poke(&ps_record->clock.last_ticks, 0);
	ps_record->calibration.tsc_hz = 0;
	ps_poke(&ps_record->process.max_rss_bytes, 0);
	ps_poke(&ps_record->heap.peak_ticks, 0);
	build();
	ck_assert(isnan(view.wall_s));
	ck_assert(isnan(view.user_s));
	ck_assert(isnan(view.system_s));
	ck_assert(isnan(view.max_rss_bytes));
	ck_assert(isnan(view.peak_at_s));
	ck_assert(isnan(view.overhead_fraction));
	ck_assert(isnan(view.sections[0].total_s));
	ck_assert_uint_eq(view.section_calls, 6); /* needs no clock */
}
END_TEST

START_TEST(more_frees_than_allocations_are_clamped)
{
	ps_poke(&ps_example_thread(1)->class_frees[0], 1000);
	ps_poke(&ps_example_thread(1)->bytes_left, 100000);
	ps_record->sampling.mode = PS_SAMPLE_ALL;
	ps_poke(&ps_record->heap.live_bytes, (uint64_t)-5000);
	ps_poke(&ps_record->heap.sampled_live_bytes, (uint64_t)-5000);
	ps_poke(&ps_example_site(0)->live_bytes, (uint64_t)-1);
	ps_poke(&ps_example_site(0)->live_allocations, (uint64_t)-1);
	ps_poke(&ps_example_site(1)->live_bytes, (uint64_t)-1);
	build();
	ck_assert_uint_eq(view.class_live[0], 0);
	ck_assert_uint_eq(view.live_blocks, 40);
	ck_assert_uint_eq(view.live_bytes, 0);
	ck_assert_uint_eq(view.peak_bytes, 6000);
	ck_assert_uint_eq(view.requested_bytes, 0);
	ck_assert(view.sites[0].live_bytes == 0);
	ck_assert(view.sites[0].live_allocations == 0);
	ck_assert(view.sites[1].peak_bytes == 0);
}
END_TEST

START_TEST(counts_beyond_the_table_are_cut)
{
	size_t bytes;
	char *image = ps_example_compact(&bytes);
	struct ps_record_header *h = (void *)image;

	for (unsigned i = 0; i < PS_TABLES; i++)
		ps_poke(&h->table[i].count, UINT32_MAX);
	ps_poke(&h->process.exit_code, 1000);
	ck_assert_int_eq(ps_reader_attach(&reader, image, bytes, NULL), 0);
	ck_assert_int_eq(ps_view_build(&reader, NULL, &scratch, &view), 0);
	ck_assert_uint_eq(view.site_count, PS_EXAMPLE_SITES);
	ck_assert_uint_eq(view.section_count, 2);
	ck_assert_uint_eq(view.allocations, 150);
	ck_assert_int_eq(view.exit_code, -1);
}
END_TEST

START_TEST(fractions_stay_between_0_and_1)
{
	ps_poke(&ps_example_site(0)->temporary, 1000 * PS_WEIGHT_ONE);
	ps_poke(&ps_example_thread(0)->class_allocations[0], (uint64_t)-100);
	build();
	ck_assert_double_ge(view.pool_fraction, 0);
	ck_assert_double_le(view.pool_fraction, 1);
	/* no more than what was allocated there: 100 of 150 */
	ck_assert_double_eq_tol(view.short_lived_fraction, 2.0 / 3, 1e-9);
	ps_poke(&ps_record->heap.peak_ticks, 1); /* before the start */
	build();
	ck_assert(!(view.peak_at_s < 0));
}
END_TEST

START_TEST(absurd_calibrations_make_no_nan)
{
	static const double absurd[] = {NAN, INFINITY, -INFINITY, -1e300,
					1e300};

	ps_record->calibration.marker_ns = absurd[_i];
	ps_record->calibration.marker_inside_ns = -absurd[_i];
	ps_poke(&ps_example_stats(0)->squares, absurd[_i]);
	build();
	ck_assert(view.overhead_s >= 0);
	ck_assert(view.sections[0].self_s >= 0);
	ck_assert(view.sections[1].self_s >= 0);
	ck_assert(view.sections[0].stddev_s >= 0);
}
END_TEST

START_TEST(references_out_of_range_are_empty)
{
	ps_example_section(0)->name = UINT32_MAX;
	ps_example_section(1)->file = 1u << 20;
	ps_example_stats(0)->section = UINT32_MAX;
	ps_poke(&ps_example_stats(2)->thread, 12345);
	build();
	ck_assert_uint_eq(view.section_count, 2);
	ck_assert_str_eq(view.sections[0].name, "outer");
	ck_assert_str_eq(view.sections[0].file, "");
	ck_assert_uint_eq(view.sections[0].calls, 1);
	ck_assert_str_eq(view.sections[1].name, "");
	ck_assert_uint_eq(view.sections[1].threads, 1);
}
END_TEST

START_TEST(extremes_that_no_call_had_are_clamped)
{
	static const uint64_t told[][2] = {
	    {UINT64_C(1) << 50, UINT64_C(1) << 60},
	    {UINT64_MAX, UINT64_MAX},
	    {UINT64_MAX, 1},
	};
	char bytes[16384];
	struct ps_text text;

	for (uint32_t i = 0; i < 3; i++) {
		ps_poke(&ps_example_stats(i)->min_ticks, told[_i][0]);
		ps_poke(&ps_example_stats(i)->max_ticks, told[_i][1]);
	}
	build();
	for (uint32_t i = 0; i < view.section_count; i++) {
		const struct ps_view_section *s = &view.sections[i];

		ck_assert_double_le(s->min_s, s->p50_s);
		ck_assert_double_le(s->p50_s, s->p99_s);
		ck_assert_double_le(s->p99_s, s->max_s);
		ps_text_init(&text, bytes, sizeof(bytes), -1);
		ck_assert_int_eq(
		    ps_section_hgrm(&view, s->name, &scratch, &text), 0);
	}
}
END_TEST

static void
check_promises(void)
{
	ck_assert(!(view.wall_s <= 0));
	ck_assert(!(view.pool_fraction < 0) && !(view.pool_fraction > 1));
	ck_assert(!(view.short_lived_fraction < 0) &&
		  !(view.short_lived_fraction > 1));
	ck_assert_uint_ge(view.peak_bytes, view.live_bytes);
	for (uint32_t i = 0; i < view.site_count; i++) {
		const struct ps_view_site *s = &view.sites[i];

		ck_assert(s->bytes >= 0 && s->bytes_error >= 0);
		ck_assert(s->allocations >= 0 && s->temporary >= 0);
		ck_assert(s->peak_bytes >= 0 && s->live_bytes >= 0);
	}
	for (uint32_t i = 0; i < view.section_count; i++)
		ck_assert_uint_gt(view.sections[i].calls, 0);
}

START_TEST(random_damage_breaks_no_promise)
{
	size_t bytes;
	char *image = ps_example_compact(&bytes);
	char *good = ps_scratch_alloc(&scratch, bytes);
	struct ps_scratch local;
	unsigned seed = 4711;

	memcpy(good, image, bytes);
	for (unsigned n = 0; n < 3000; n++) {
		ps_example_damage(image, bytes, &seed);
		ps_scratch_init(&local, 0);
		ck_assert_int_eq(ps_reader_attach(&reader, image, bytes, NULL),
				 0);
		ck_assert_int_eq(ps_view_build(&reader, NULL, &local, &view),
				 0);
		check_promises();
		ps_scratch_fini(&local);
		memcpy(image, good, bytes);
	}
}
END_TEST

START_TEST(no_memory_is_an_error)
{
	struct ps_scratch small;

	ps_example_attach(&reader);
	ps_scratch_init(&small, 1);
	ck_assert_int_eq(ps_view_build(&reader, NULL, &small, &view), -ENOMEM);
	ps_scratch_fini(&small);
}
END_TEST

/* A file with a hole in it may claim more rows than there is memory. */
static const struct {
	enum ps_table_id table;
	uint32_t rows;
} claims[] = {
    {PS_TABLE_SECTION_NODES, (1u << 30) + 1},
    {PS_TABLE_SECTION_NODES, (1u << 31) + 1},
    {PS_TABLE_SECTION_NODES, UINT32_MAX},
    {PS_TABLE_SITES, UINT32_MAX},
    {PS_TABLE_SECTIONS, UINT32_MAX},
    {PS_TABLE_SECTION_STATS, UINT32_MAX},
};

START_TEST(more_rows_than_memory_are_an_error)
{
	uint64_t bytes = PS_RECORD_HEADER_BYTES +
			 (uint64_t)claims[_i].rows *
			     ps_record_plan[claims[_i].table].entry_bytes;
	struct ps_record_header *h =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct ps_scratch small;

	if (h == MAP_FAILED)
		return; /* no such address space here */
	memcpy(h, ps_record, PS_RECORD_HEADER_BYTES);
	h->file_bytes = bytes;
	for (unsigned i = 0; i < PS_TABLES; i++) {
		h->table[i].offset = PS_RECORD_HEADER_BYTES;
		h->table[i].capacity = 0;
	}
	h->table[claims[_i].table].capacity = claims[_i].rows;
	ps_poke(&h->table[claims[_i].table].count, claims[_i].rows);
	ck_assert_int_eq(ps_reader_attach(&reader, h, bytes, NULL), 0);
	ps_scratch_init(&small, 4 << 20);
	ck_assert_int_eq(ps_view_build(&reader, NULL, &small, &view), -ENOMEM);
	ps_scratch_fini(&small);
	ck_assert_int_eq(munmap(h, bytes), 0);
}
END_TEST

Suite *
view_hostile_suite(void)
{
	Suite *s = suite_create("view_hostile");
	TCase *hostile = tcase_create("hostile");

	tcase_add_checked_fixture(hostile, set_up, tear_down);
	tcase_add_test(hostile, what_is_not_known_is_not_a_number);
	tcase_add_test(hostile, more_frees_than_allocations_are_clamped);
	tcase_add_test(hostile, counts_beyond_the_table_are_cut);
	tcase_add_test(hostile, fractions_stay_between_0_and_1);
	tcase_add_loop_test(hostile, absurd_calibrations_make_no_nan, 0, 5);
	tcase_add_test(hostile, references_out_of_range_are_empty);
	tcase_add_loop_test(hostile, extremes_that_no_call_had_are_clamped, 0,
			    3);
	tcase_add_test(hostile, random_damage_breaks_no_promise);
	tcase_add_test(hostile, no_memory_is_an_error);
	tcase_add_loop_test(hostile, more_rows_than_memory_are_an_error, 0,
			    (int)PS_COUNT(claims));
	tcase_set_timeout(hostile, 30);
	suite_add_tcase(s, hostile);
	return s;
}
