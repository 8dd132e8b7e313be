/* SPDX-License-Identifier: MIT */
/*
 * test_jit_map - names of addresses from a map for perf, and none from others
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "report/jit_map.h"

static struct ps_scratch scratch;

static void
setup(void)
{
	ps_scratch_init(&scratch, 0);
}

static void
teardown(void)
{
	ps_scratch_fini(&scratch);
}

static struct ps_jit_map *
parse(const char *text)
{
	return ps_jit_map_parse(&scratch, text, strlen(text));
}

/* Unsorted, with code that was moved over other code. */
static const char example[] = "2000 100 outer\n"
			      "1000 10 JS:*f /a b.js:1:2\n"
			      "0x3000 0x20 with prefix\n"
			      "not a line\n"
			      "4000  twice blank\n"
			      "5000 0 empty\n"
			      "FFFFFFFFFFFFFFF0 20 wraps\n"
			      "12345678901234567 1 too long\n"
			      "2040 10 later\n"
			      "2040 8 latest\n"
			      "6000 1 last";

static const struct {
	uint64_t address;
	const char *name;
} names[] = {
    {0, NULL},
    {0xfff, NULL},
    {0x1000, "JS:*f /a b.js:1:2"},
    {0x100f, "JS:*f /a b.js:1:2"},
    {0x1010, NULL},
    {0x2000, "outer"},
    {0x203f, "outer"},
    {0x2040, "latest"},
    {0x2048, "later"},
    {0x2050, "outer"},
    {0x20ff, "outer"},
    {0x2100, NULL},
    {0x3000, "with prefix"},
    {0x4000, NULL},
    {0x5000, NULL},
    {0x6000, "last"},
    {0x6001, NULL},
    {UINT64_MAX, NULL},
};

START_TEST(the_later_line_names_an_address)
{
	const struct ps_jit_map *map = parse(example);

	ck_assert_ptr_nonnull(map);
	ck_assert_pstr_eq(ps_jit_map_name(map, names[_i].address),
			  names[_i].name);
}
END_TEST

START_TEST(nothing_names_nothing)
{
	static const char *const none[] = {
	    "", "\n", "1000", "1000 10", "1000 10 ", "x 10 f", " 1 1 f"};

	for (size_t i = 0; i < PS_COUNT(none); i++)
		ck_assert_ptr_null(parse(none[i]));
	ck_assert_ptr_null(ps_jit_map_name(NULL, 0x1000));
}
END_TEST

START_TEST(a_long_name_is_cut)
{
	static char text[5000] = "10 10 ";
	const char *name;

	memset(text + 6, 'x', sizeof(text) - 7);
	name = ps_jit_map_name(parse(text), 0x10);
	ck_assert_ptr_nonnull(name);
	ck_assert_uint_eq(strlen(name), 1000);
}
END_TEST

Suite *
jit_map_suite(void)
{
	Suite *s = suite_create("jit_map");
	TCase *t = tcase_create("jit_map");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, the_later_line_names_an_address, 0,
			    (int)PS_COUNT(names));
	tcase_add_test(t, nothing_names_nothing);
	tcase_add_test(t, a_long_name_is_cut);
	suite_add_tcase(s, t);
	return s;
}
