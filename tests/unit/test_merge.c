/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <string.h>

#include "record/writer.h"
#include "report/merge.h"
#include "report/report.h"
#include "report/view.h"
#include "tests/unit/example.h"

enum { PROCESSES = 50, ROOM = 1 << 16 };

static struct ps_reader one;
static struct ps_reader merged;
static struct ps_scratch scratch;
static struct ps_view view;

static void
setup(void)
{
	ps_example_open();
	memcpy(ps_example_thread(1)->name, "main", 5);
	ps_example_site(0)->thread = 1;
	ps_scratch_init(&scratch, 0);
}

/* So many of the example, seen as one. */
static void
merge(uint32_t count)
{
	const struct ps_reader *readers[PROCESSES];

	ps_example_attach(&one);
	for (uint32_t i = 0; i < count; i++)
		readers[i] = &one;
	ck_assert_int_eq(ps_merge(readers, count, &scratch, &merged), 0);
	ck_assert_int_eq(ps_view_build(&merged, NULL, &scratch, &view), 0);
}

START_TEST(counts_and_bytes_add_up)
{
	merge(PROCESSES);
	ck_assert_uint_eq(merged.merged, PROCESSES);
	ck_assert_uint_eq(view.allocations, 150 * PROCESSES);
	ck_assert_uint_eq(view.requested_bytes, 7000 * PROCESSES);
	ck_assert_uint_eq(view.peak_bytes, 6000 * PROCESSES);
	ck_assert_double_eq(view.by_thread[0].bytes, 9000 * PROCESSES);
}
END_TEST

START_TEST(first_threads_of_all_processes_are_one_label)
{
	merge(PROCESSES);
	ck_assert_double_eq(view.by_thread[1].bytes, 5000 * PROCESSES);
	ck_assert_double_eq(view.by_thread[2].bytes, 0);
}
END_TEST

/* Row 2 has the name of the first thread, rows 3 and 4 have another. */
static void
name_more_threads(void)
{
	static const char *const names[] = {"main", "worker", "worker"};
	struct ps_record_site *site = ps_example_site(0);

	for (uint32_t i = 0; i < 3; i++) {
		void *out;

		ps_record_lock();
		(void)ps_record_append(PS_TABLE_THREADS, 1, &out);
		memcpy(((struct ps_record_thread *)out)->name, names[i],
		       strlen(names[i]));
		ps_record_publish(PS_TABLE_THREADS);
		ps_record_unlock();
	}
	site[0].thread = 3;
	site[1].thread = 4;
}

START_TEST(threads_of_several_processes_are_told_by_name)
{
	name_more_threads();
	merge(2);
	ck_assert_double_eq(view.by_thread[3].bytes, 2 * (5000 + 9000));
	ck_assert_double_eq(view.by_thread[4].bytes, 0);
}
END_TEST

START_TEST(threads_of_one_process_are_told_one_by_one)
{
	name_more_threads();
	merge(1);
	ck_assert_double_eq(view.by_thread[3].bytes, 5000);
	ck_assert_double_eq(view.by_thread[4].bytes, 9000);
}
END_TEST

/* What is a sum, and what is not, must not be subtracted. */
START_TEST(the_report_of_several_names_no_pid)
{
	static char text[ROOM];
	struct ps_text t;

	ps_poke(&ps_record->process.max_rss_bytes, 1 << 20);
	ps_text_init(&t, text, sizeof(text), -1);
	merge(1);
	ck_assert_int_eq(ps_report_write_view(&view, NULL, &scratch,
					      PS_REPORT_TEXT, NULL, &t),
			 0);
	ck_assert_ptr_nonnull(strstr(text, "  pid "));
	ck_assert_ptr_nonnull(strstr(text, "outside malloc: "));
	ps_text_init(&t, text, sizeof(text), -1);
	merge(3);
	ck_assert_int_eq(ps_report_write_view(&view, NULL, &scratch,
					      PS_REPORT_TEXT, NULL, &t),
			 0);
	ck_assert_ptr_nonnull(strstr(text, "  3 processes  "));
	ck_assert_ptr_null(strstr(text, "  pid "));
	ck_assert_ptr_null(strstr(text, "outside malloc: "));
}
END_TEST

Suite *
merge_suite(void)
{
	Suite *s = suite_create("merge");
	TCase *sums = tcase_create("sums");

	tcase_add_checked_fixture(sums, setup, NULL);
	tcase_add_test(sums, counts_and_bytes_add_up);
	tcase_add_test(sums, first_threads_of_all_processes_are_one_label);
	tcase_add_test(sums, threads_of_several_processes_are_told_by_name);
	tcase_add_test(sums, threads_of_one_process_are_told_one_by_one);
	tcase_add_test(sums, the_report_of_several_names_no_pid);
	suite_add_tcase(s, sums);
	return s;
}
