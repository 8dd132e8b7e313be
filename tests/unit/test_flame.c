/* SPDX-License-Identifier: MIT */
/*
 * test_flame - stacks as a tree: sums, and what is left when it is cut
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "report/flame.h"
#include "report/folded.h"
#include "tests/unit/captured.h"
#include "tests/unit/example.h"

static struct ps_reader reader;
static struct ps_scratch scratch;
static struct ps_symbols *symbols;
static struct ps_paths *paths;
static char out[1 << 16];

static void
start(void)
{
	uint32_t path;

	ps_capture_set_up();
	ps_example_attach(&reader);
	ps_scratch_init(&scratch, 0);
	symbols = ps_symbols_none(&scratch, &reader);
	paths = ps_paths_new(&scratch, ps_folded_put_name, 1);
	ck_assert_int_eq(ps_paths_use(paths, &reader, symbols, NULL), 0);
	for (uint32_t i = 0; i < PS_EXAMPLE_SITES; i++)
		ck_assert_int_eq(ps_paths_add(paths, ps_example_site(i), &path),
				 0);
}

static void
end(void)
{
	ps_scratch_fini(&scratch);
	ps_capture_tear_down();
}

/* 10 in path 0, 20 in path 1, ...; the other side has one less. */
static void
tens(void *context, uint32_t path, struct ps_flame_value *value)
{
	(void)context;
	for (unsigned k = 0; k < PS_FLAME_KEYS; k++) {
		value->sum[0][k] = 10 * (path + 1);
		value->sum[1][k] = 10 * (path + 1) - 1;
		value->variance[k] = 1;
	}
}

static void
write_tree(unsigned sides, uint32_t most)
{
	struct ps_text t;

	ps_text_init(&t, out, sizeof(out), -1);
	ck_assert_int_eq(
	    ps_flame_json(paths, sides, tens, NULL, most, &scratch, &t), 0);
	ck_assert_uint_eq(t.cut, 0);
}

static void
has(const char *words)
{
	if (strstr(out, words) == NULL)
		ck_abort_msg("expected %s in %s", words, out);
}

/*
 * Leaf first, the stacks are 0x1000 0x1010 0x1020, then 0x1000 0x1010, then
 * none: from the root 1020-1010-1000 (10), 1010-1000 (20), "(no stack)" (30).
 */
START_TEST(a_node_has_the_sum_of_its_stacks)
{
	write_tree(1, 100);
	has("\"(no stack)\"");
	has("\"peak\":[60,");
	has("\"peak_error\":[3,"); /* 1.96 * sqrt(3) */
	has("\"left_out\":0,");
	ck_assert_ptr_null(strstr(out, "peak_old"));
}
END_TEST

START_TEST(two_sides_have_a_column_each)
{
	write_tree(2, 100);
	has("\"peak\":[57,");
	has("\"peak_old\":[60,");
}
END_TEST

/* The whole tree has seven nodes; the root and the two greatest stay. */
START_TEST(the_smallest_go_first_and_sums_stay)
{
	write_tree(1, 2);
	has("\"frames\":[[\"(no stack)\",\"\",\"\"]],\"parent\":[-1,0]");
	has("\"count\":[60,30]");
	has("\"left_out\":5,\"least_share\":0.5}");
}
END_TEST

/* Whatever is asked for, parents come first and no more than that is written.
 */
START_TEST(no_more_nodes_than_asked_for)
{
	const char *at;
	int nodes = 0;

	write_tree(1, (uint32_t)_i);
	at = strstr(out, "\"parent\":[");
	for (at += strlen("\"parent\":["); *at != ']'; nodes++) {
		long parent = strtol(at, (char **)&at, 10);

		ck_assert_int_lt(parent, nodes);
		at += *at == ',';
	}
	ck_assert_int_eq(nodes, _i < 7 ? _i : 7);
}
END_TEST

Suite *
flame_suite(void)
{
	Suite *s = suite_create("flame");
	TCase *tree = tcase_create("tree");

	tcase_add_checked_fixture(tree, start, end);
	tcase_add_test(tree, a_node_has_the_sum_of_its_stacks);
	tcase_add_test(tree, two_sides_have_a_column_each);
	tcase_add_test(tree, the_smallest_go_first_and_sums_stay);
	tcase_add_loop_test(tree, no_more_nodes_than_asked_for, 1, 10);
	suite_add_tcase(s, tree);
	return s;
}
