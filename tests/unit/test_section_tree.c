/* SPDX-License-Identifier: MIT */
/*
 * test_section_tree - call trees of threads, living and ended, and full tables
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "profile/section.h"
#include "record/writer.h"

enum { SP = 1 << 24 };

static struct ps_record_thread thread_row;
static uint32_t a, b, c;

static void
setup(void)
{
	ck_assert_int_eq(ps_record_open(), 0);
	ps_section_init(true, "");
	a = ps_section_intern("a", NULL, 0);
	b = ps_section_intern("b", NULL, 0);
	c = ps_section_intern("c", NULL, 0);
}

static void
begin(struct ps_section_thread *t, uint32_t section, ps_ticks now)
{
	ps_section_begin(t, section, 0, SP);
	(void)ps_section_started(t, now);
}

static void
end(struct ps_section_thread *t, uint32_t section, ps_ticks now)
{
	ps_section_end(t, section, SP, now);
}

static const struct ps_record_section_node *
row_at(uint32_t index)
{
	return ps_record_entry(PS_TABLE_SECTION_NODES, index);
}

static uint32_t
rows(void)
{
	return ps_peek(&ps_record->table[PS_TABLE_SECTION_NODES].count);
}

/* It is of no thread (record/fold.h). */
static bool
is_spare(uint32_t row)
{
	return ps_peek(&ps_record->fold.spare[PS_TABLE_SECTION_NODES]) ==
	       row + 1;
}

/* The row of a path, outermost first; NULL: none.  Only one may be there. */
static const struct ps_record_section_node *
find(uint32_t thread, const uint32_t *path, uint32_t depth)
{
	const struct ps_record_section_node *found = NULL;

	for (uint32_t i = 0; i < rows(); i++) {
		const struct ps_record_section_node *n = row_at(i);
		uint32_t d = depth;

		if (ps_peek(&n->thread) != thread || is_spare(i))
			continue;
		while (d > 0 && n->section == path[d - 1]) {
			d--;
			if (ps_peek(&n->parent) == UINT32_MAX)
				break;
			n = row_at(ps_peek(&n->parent));
			if (d == 0) { /* longer than the path */
				d = 1;
				break;
			}
		}
		if (d == 0 && ps_peek(&n->parent) == UINT32_MAX) {
			ck_assert_ptr_null(found);
			found = row_at(i);
		}
	}
	return found;
}

#define PATH(...)                                                              \
	((const uint32_t[]){__VA_ARGS__}),                                     \
	    PS_COUNT(((const uint32_t[]){__VA_ARGS__}))

static void
assert_node(uint32_t thread, const uint32_t *path, size_t depth, uint64_t calls,
	    uint64_t self)
{
	const struct ps_record_section_node *n =
	    find(thread, path, (uint32_t)depth);

	ck_assert_ptr_nonnull(n);
	ck_assert_uint_eq(ps_peek(&n->calls), calls);
	ck_assert_uint_eq(ps_peek(&n->self_ticks), self);
}

/* a > b twice and a > b > a; then b alone. */
static void
walk(struct ps_section_thread *t)
{
	begin(t, a, 0);
	begin(t, b, 10);
	end(t, b, 20);
	begin(t, b, 30);
	begin(t, a, 35);
	end(t, a, 39);
	end(t, b, 40);
	end(t, a, 100);
	begin(t, b, 200);
	end(t, b, 207);
}

START_TEST(each_path_has_its_calls_and_its_time)
{
	struct ps_section_thread *t = ps_section_thread_open(1, &thread_row);

	walk(t);
	assert_node(1, PATH(a), 1, 80);
	assert_node(1, PATH(a, b), 2, 16);
	assert_node(1, PATH(a, b, a), 1, 4);
	assert_node(1, PATH(b), 1, 7);
	ck_assert_uint_eq(rows(), 4);
}
END_TEST

START_TEST(ended_threads_share_a_tree_whose_rows_are_used_again)
{
	for (uint32_t i = 0; i < 5; i++) {
		struct ps_section_thread *t =
		    ps_section_thread_open(1, &thread_row);

		walk(t);
		if (i == 3) {
			begin(t, c, 0);
			begin(t, b, 0);
			end(t, b, 9);
			end(t, c, 10);
			begin(t, a, 0); /* a new path below a known one */
			begin(t, c, 0);
			end(t, c, 3);
			end(t, a, 3);
		}
		ps_section_thread_close(t);
	}
	assert_node(0, PATH(a), 6, 400);
	assert_node(0, PATH(a, c), 1, 3);
	assert_node(0, PATH(a, b), 10, 80);
	assert_node(0, PATH(a, b, a), 5, 20);
	assert_node(0, PATH(b), 5, 35);
	assert_node(0, PATH(c, b), 1, 9);
	ck_assert_uint_eq(rows(), 4 + 4 + 3 + 1); /* the second thread's four */
}
END_TEST

/* More children than are found at once, in an order that collides. */
START_TEST(many_children_are_told_apart)
{
	struct ps_section_thread *t = ps_section_thread_open(1, &thread_row);
	uint32_t child[40];
	char name[8];

	for (uint32_t i = 0; i < PS_COUNT(child); i++) {
		snprintf(name, sizeof(name), "x%u", i);
		child[i] = ps_section_intern(name, NULL, 0);
	}
	begin(t, a, 0);
	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t i = 0; i < PS_COUNT(child); i++) {
			begin(t, child[i * 7 % 40], 0);
			end(t, child[i * 7 % 40], i * 7 % 40);
		}
	end(t, a, 1 << 20);
	for (uint32_t i = 0; i < PS_COUNT(child); i++)
		assert_node(1, PATH(a, child[i]), 3, 3 * i);
	ck_assert_uint_eq(rows(), 41);
}
END_TEST

/* Every path of three sections, eight deep: 3^8 leaves, of which many fit. */
static void
explode(struct ps_section_thread *t, int depth)
{
	uint32_t sections[] = {a, b, c};

	for (int i = 0; i < 3 && depth < 9; i++) {
		begin(t, sections[i], 0);
		explode(t, depth + 1);
		end(t, sections[i], 1);
	}
}

START_TEST(paths_that_find_no_room_are_lost_and_their_calls_are_not)
{
	struct ps_section_thread *t = ps_section_thread_open(1, &thread_row);
	uint32_t capacity = ps_record->table[PS_TABLE_SECTION_NODES].capacity;
	uint64_t calls = 0;
	uint64_t wanted = 0;

	explode(t, 0);
	for (uint64_t n = 3; n <= 19683; n *= 3)
		wanted += n;
	ck_assert_uint_eq(rows(), capacity);
	ck_assert_uint_eq(
	    ps_peek(&ps_record->table[PS_TABLE_SECTION_NODES].dropped) > 0, 1);
	ck_assert_uint_eq(ps_section_depth(t), 0);
	for (uint32_t i = 0;
	     i < ps_peek(&ps_record->table[PS_TABLE_SECTION_STATS].count);
	     i++) {
		const struct ps_record_section_stats *s =
		    ps_record_entry(PS_TABLE_SECTION_STATS, i);

		calls += ps_peek(&s->calls);
	}
	ck_assert_uint_eq(calls, wanted);
}
END_TEST

/* Of three sections, seven deep: 3279 paths. */
static void
fill(struct ps_section_thread *t)
{
	explode(t, 2);
}

START_TEST(rows_of_ended_threads_are_room_in_a_full_table)
{
	struct ps_section_thread *t[6];

	for (int i = 0; i < 6; i++)
		t[i] = ps_section_thread_open(1, &thread_row);
	for (int i = 0; i < 5; i++)
		fill(t[i]);
	ck_assert_uint_eq(rows(),
			  ps_record->table[PS_TABLE_SECTION_NODES].capacity);
	for (int i = 0; i < 5; i++)
		ps_section_thread_close(t[i]);
	begin(t[5], a, 0);
	begin(t[5], b, 10);
	end(t[5], b, 20);
	end(t[5], a, 30);
	assert_node(1, PATH(a, b), 1, 10);
}
END_TEST

static long
mapped_pages(void)
{
	char text[64];

	ck_assert_int_gt(ps_os_slurp("/proc/self/statm", text, sizeof(text)),
			 0);
	return atol(text);
}

/* A path without a row is remembered once, not once for each thread. */
START_TEST(threads_that_lost_paths_leave_no_memory_behind)
{
	struct ps_section_thread *t = ps_section_thread_open(1, &thread_row);
	long before = 0;

	explode(t, 0);
	for (int i = 0; i < 2000; i++) {
		struct ps_section_thread *other =
		    ps_section_thread_open(1, &thread_row);

		begin(other, a, 0);
		begin(other, a, 1);
		end(other, a, 2);
		end(other, a, 3);
		ps_section_thread_close(other);
		if (i == 1000)
			before = mapped_pages();
	}
	ck_assert_int_le(mapped_pages(), before);
}
END_TEST

START_TEST(a_fork_child_builds_its_tree_anew)
{
	struct ps_section_thread *t = ps_section_thread_open(1, &thread_row);

	walk(t);
	begin(t, a, 300);
	ps_record_postfork_child();
	ps_section_postfork_child(t, 7, &thread_row);
	begin(t, b, 310);
	end(t, b, 320);
	end(t, a, 400);
	assert_node(7, PATH(a), 1, 90);
	assert_node(7, PATH(a, b), 1, 10);
	ps_section_thread_close(t);
	assert_node(0, PATH(a, b), 1, 10);
}
END_TEST

Suite *
section_tree_suite(void)
{
	Suite *s = suite_create("section_tree");
	TCase *tree = tcase_create("tree");

	tcase_add_checked_fixture(tree, setup, NULL);
	tcase_add_test(tree, each_path_has_its_calls_and_its_time);
	tcase_add_test(tree,
		       ended_threads_share_a_tree_whose_rows_are_used_again);
	tcase_add_test(tree, many_children_are_told_apart);
	tcase_add_test(
	    tree, paths_that_find_no_room_are_lost_and_their_calls_are_not);
	tcase_add_test(tree, rows_of_ended_threads_are_room_in_a_full_table);
	tcase_add_test(tree, threads_that_lost_paths_leave_no_memory_behind);
	tcase_add_test(tree, a_fork_child_builds_its_tree_anew);
	suite_add_tcase(s, tree);
	return s;
}
