/* SPDX-License-Identifier: MIT */
/*
 * test_view_tree - the call tree over all threads, also of a damaged recording
 */
#include <check.h>
#include <string.h>

#include "profile/section.h"
#include "record/writer.h"
#include "report/section_folded.h"
#include "report/view.h"

static struct ps_reader reader;
static struct ps_scratch scratch;
static struct ps_view view;
static uint32_t a, b;

static void
setup(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ps_record->clock.kind = PS_CLOCK_MONOTONIC; /* a tick is 1 ns */
	ps_section_init(true, "");
	a = ps_section_intern("a", NULL, 0);
	b = ps_section_intern("b;c", NULL, 0);
	ps_scratch_init(&scratch, 0);
}

static void
teardown(void)
{
	ps_scratch_fini(&scratch);
}

static void
add(uint32_t thread, uint32_t parent, uint32_t section, uint64_t calls,
    uint64_t self)
{
	struct ps_record_section_node *n;
	void *memory;

	ps_record_lock();
	ck_assert_uint_ne(ps_record_append(PS_TABLE_SECTION_NODES, 1, &memory),
			  UINT32_MAX);
	n = memory;
	n->section = section;
	ps_poke(&n->parent, parent);
	ps_poke(&n->thread, thread);
	ps_poke(&n->calls, calls);
	ps_poke(&n->self_ticks, self);
	ps_record_publish(PS_TABLE_SECTION_NODES);
	ps_record_unlock();
}

static void
build(void)
{
	const char *why;

	ck_assert_int_eq(
	    ps_reader_attach(&reader, ps_record, ps_record->file_bytes, &why),
	    0);
	ck_assert_int_eq(ps_view_build(&reader, NULL, &scratch, &view), 0);
}

static void
assert_node(uint32_t i, const char *name, uint32_t parent, uint64_t calls,
	    double total_s, double self_s)
{
	const struct ps_view_node *n = &view.nodes[i];

	ck_assert_uint_lt(i, view.node_count);
	ck_assert_str_eq(n->name, name);
	ck_assert_uint_eq(n->parent, parent);
	ck_assert_uint_eq(n->calls, calls);
	ck_assert_double_eq_tol(n->total_s, total_s, 1e-12);
	ck_assert_double_eq_tol(n->self_s, self_s, 1e-12);
}

/* Rows are in any order: a parent may stand behind its child. */
START_TEST(threads_are_added_path_by_path)
{
	add(1, 1, b, 2, 500);
	add(1, UINT32_MAX, a, 1, 100);
	add(2, UINT32_MAX, b, 7, 5000);
	add(0, UINT32_MAX, a, 3, 1000);
	add(0, 3, b, 1, 4);
	add(UINT32_MAX, 3, b, 99, 99); /* a free row */
	build();
	ck_assert_uint_eq(view.node_count, 3);
	assert_node(0, "b;c", UINT32_MAX, 7, 5e-6, 5e-6);
	assert_node(1, "a", UINT32_MAX, 4, 1.604e-6, 1.1e-6);
	assert_node(2, "b;c", 1, 3, 0.504e-6, 0.504e-6);
}
END_TEST

START_TEST(marks_of_children_are_taken_off_their_parent)
{
	ps_record->calibration.marker_ns = 30;
	ps_record->calibration.marker_inside_ns = 10;
	add(1, UINT32_MAX, a, 1, 1000);
	add(1, 0, b, 20, 400);
	add(1, 1, a, 1000, 10); /* clamped at 0 */
	build();
	assert_node(0, "a", UINT32_MAX, 1, 1.41e-6, 0.6e-6);
	assert_node(1, "b;c", 0, 20, 0.41e-6, 0);
}
END_TEST

START_TEST(folded_stacks_are_one_line_a_path_without_separators_in_names)
{
	char buffer[256];
	struct ps_text text;

	add(1, UINT32_MAX, a, 1, 100);
	add(1, 0, b, 1, 50);
	add(1, 1, a, 1, 0); /* nothing of its own */
	build();
	ps_text_init(&text, buffer, sizeof(buffer), -1);
	ps_section_folded(&view, &text);
	ck_assert_ptr_nonnull(strstr(buffer, ";a 100\n"));
	ck_assert_ptr_nonnull(strstr(buffer, ";a;b:c 50\n"));
	ck_assert_ptr_null(strstr(buffer, "b;c"));
	ck_assert_ptr_null(strstr(buffer, " 0\n"));
}
END_TEST

START_TEST(a_circle_of_parents_ends)
{
	for (uint32_t i = 0; i < 500; i++)
		add(1, (i + 1) % 500, i % 2 == 0 ? a : b, 1, 1);
	add(1, 500, a, 1, 1); /* its own parent */
	build();
	ck_assert_uint_le(view.node_count, 501);
	for (uint32_t i = 0; i < view.node_count; i++)
		if (view.nodes[i].parent != UINT32_MAX)
			ck_assert_uint_lt(view.nodes[i].parent, i);
}
END_TEST

START_TEST(rows_that_point_nowhere_are_left_out)
{
	add(1, UINT32_MAX, 77, 1, 100);		  /* no such section */
	add(1, 0, a, 1, 100);			  /* below it */
	add(1, 4000000, b, 1, 100);		  /* no such parent */
	add(1, UINT32_MAX, a, 1, (uint64_t)-100); /* less than nothing */
	build();
	ck_assert_uint_eq(view.node_count, 2);
	assert_node(0, "b;c", UINT32_MAX, 1, 1e-7, 1e-7);
	assert_node(1, "a", UINT32_MAX, 1, 0, 0);
}
END_TEST

Suite *
view_tree_suite(void)
{
	Suite *s = suite_create("view_tree");
	TCase *tree = tcase_create("tree");

	tcase_add_checked_fixture(tree, setup, teardown);
	tcase_add_test(tree, threads_are_added_path_by_path);
	tcase_add_test(tree, marks_of_children_are_taken_off_their_parent);
	tcase_add_test(
	    tree,
	    folded_stacks_are_one_line_a_path_without_separators_in_names);
	tcase_add_test(tree, a_circle_of_parents_ends);
	tcase_add_test(tree, rows_that_point_nowhere_are_left_out);
	suite_add_tcase(s, tree);
	return s;
}
