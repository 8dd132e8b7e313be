/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <errno.h>
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

static void *
append(enum ps_table_id id)
{
	void *out;

	ps_record_lock();
	ck_assert_uint_ne(ps_record_append(id, 1, &out), UINT32_MAX);
	ps_record_publish(id);
	ps_record_unlock();
	return out;
}

static void
add_node(uint32_t parent, uint32_t section, uint32_t thread)
{
	struct ps_record_section_node *n = append(PS_TABLE_SECTION_NODES);

	n->section = section;
	ps_poke(&n->parent, parent);
	ps_poke(&n->thread, thread);
	ps_poke(&n->calls, 2);
	ps_poke(&n->self_ticks, 1000);
}

START_TEST(paths_of_sections_add_up)
{
	uint32_t first =
	    ps_peek(&ps_record->table[PS_TABLE_SECTION_NODES].count);
	uint32_t before;

	add_node(first + 1, 1, 1); /* before its parent */
	add_node(UINT32_MAX, 0, 1);
	add_node(UINT32_MAX, 1, UINT32_MAX); /* a free row */
	merge(1);
	before = view.node_count;
	ck_assert_uint_ge(before, 2);
	merge(3);
	ck_assert_uint_eq(view.node_count, before);
	for (uint32_t i = 0; i < before; i++)
		if (view.nodes[i].parent != UINT32_MAX &&
		    view.nodes[i].section == 1)
			ck_assert_uint_eq(view.nodes[i].calls, 3 * 2);
}
END_TEST

/* The row that an ended thread's was added to a copy of. */
START_TEST(a_spare_row_of_the_first_hides_none_of_the_others)
{
	struct ps_record_section_stats *spare = append(PS_TABLE_SECTION_STATS);
	uint32_t count =
	    ps_peek(&ps_record->table[PS_TABLE_SECTION_STATS].count);

	memcpy((void *)spare, (const void *)ps_example_stats(0),
	       sizeof(*spare));
	ps_poke(&ps_record->fold.spare[PS_TABLE_SECTION_STATS], count);
	merge(2);
	ck_assert_uint_eq(view.section_calls, 2 * 6);
}
END_TEST

/* Functions without a mark have no names but their frames. */
START_TEST(functions_are_no_one_section)
{
	for (uint32_t i = 0; i < 2; i++) {
		ps_example_section(i)->name = UINT32_MAX;
		ps_example_section(i)->function = i + 1;
	}
	merge(1);
	ck_assert_uint_eq(view.section_count, 2);
	merge(2);
	ck_assert_uint_eq(view.section_count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct ps_record_section *s = ps_reader_entry(
		    &merged, PS_TABLE_SECTIONS, view.sections[i].index);
		const struct ps_record_frame *f =
		    ps_reader_entry(&merged, PS_TABLE_FRAMES, s->function - 1);

		ck_assert_ptr_nonnull(f);
	}
}
END_TEST

/* Sites 2 and frames 1 in each. */
START_TEST(what_was_dropped_adds_up)
{
	merge(1);
	ck_assert_uint_eq(view.table_drops, 3);
	merge(PROCESSES);
	ck_assert_uint_eq(view.table_drops, 3 * PROCESSES);
}
END_TEST

/* Its names share their bytes, as no writer leaves them. */
START_TEST(names_that_find_no_room_are_counted)
{
	enum { NAMES = 60, LENGTH = 2000 };
	char text[LENGTH + 1] = {0};
	uint32_t at;
	void *out;

	memset(text, 'n', LENGTH);
	ps_record_lock();
	at = ps_record_string(text);
	ck_assert_uint_eq(ps_record_append(PS_TABLE_SECTIONS, NAMES, &out), 3);
	for (uint32_t i = 0; i < NAMES; i++)
		((struct ps_record_section *)out)[i].name = at + i;
	ps_record_publish(PS_TABLE_SECTIONS);
	ps_record_unlock();
	merge(1);
	ck_assert_uint_eq(merged.count[PS_TABLE_SECTIONS], 3 + 2);
	ck_assert_uint_eq(view.table_drops, 3 + NAMES - 1);
	ck_assert_str_eq(view.sections[0].name, "outer");
}
END_TEST

START_TEST(no_memory_is_an_error)
{
	const struct ps_reader *readers[] = {&one, &one};
	struct ps_scratch little;
	int result = -ENOMEM;

	ps_example_attach(&one);
	for (size_t limit = 4096; result != 0; limit += 64 << 10) {
		ps_scratch_init(&little, limit);
		result = ps_merge(readers, 2, &little, &merged);
		ck_assert(result == 0 || result == -ENOMEM);
		ps_scratch_fini(&little);
	}
}
END_TEST

/* So that together they are longer than all strings there are. */
START_TEST(names_that_lie_in_one_another_are_cut_to_none)
{
	char name[200];
	uint32_t first = ps_peek(&ps_record->table[PS_TABLE_SECTIONS].count);
	uint32_t at;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ps_record_lock();
	at = ps_record_string(name);
	ps_record_publish(PS_TABLE_STRINGS);
	ps_record_unlock();
	for (uint32_t i = 0; i < 100; i++) {
		ps_example_add_section("x", 10);
		ps_example_section(first + i)->name = at + i;
	}
	merge(2);
	ck_assert_uint_ge(view.section_count, 3);
	ck_assert_uint_eq(view.section_calls, 2 * (6 + 100));
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
	tcase_add_test(sums, paths_of_sections_add_up);
	tcase_add_test(sums, a_spare_row_of_the_first_hides_none_of_the_others);
	tcase_add_test(sums, functions_are_no_one_section);
	tcase_add_test(sums, names_that_lie_in_one_another_are_cut_to_none);
	tcase_add_test(sums, what_was_dropped_adds_up);
	tcase_add_test(sums, names_that_find_no_room_are_counted);
	tcase_add_test(sums, no_memory_is_an_error);
	tcase_add_test(sums, the_report_of_several_names_no_pid);
	suite_add_tcase(s, sums);
	return s;
}
