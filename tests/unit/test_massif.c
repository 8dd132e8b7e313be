/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "record/writer.h"
#include "report/massif.h"
#include "report/view.h"
#include "tests/unit/example.h"

enum { ROOM = 1 << 16 };

static char text[ROOM];

/* The example, with so many slots of its timeline. */
static void
write_with(uint32_t slots)
{
	struct ps_scratch scratch;
	struct ps_reader reader;
	struct ps_view view;
	struct ps_text t;

	ps_poke(&ps_record->timeline.count, slots);
	ps_example_attach(&reader);
	ps_scratch_init(&scratch, 0);
	ps_text_init(&t, text, sizeof(text), -1);
	ck_assert_int_eq(ps_view_build(&reader, NULL, &scratch, &view), 0);
	ck_assert_int_eq(
	    ps_massif(&view, ps_symbols_none(&scratch, &reader), &scratch, &t),
	    0);
	ck_assert_uint_eq(t.cut, 0);
	ps_scratch_fini(&scratch);
}

static const uint32_t slots[] = {0, 1, 2, 3, 4, 99, 100, 101, 512};

START_TEST(the_peak_is_a_snapshot_in_its_place)
{
	const char *peak;
	long before = 0;

	write_with(slots[_i]);
	peak = strstr(text, "heap_tree=peak");
	ck_assert_msg(peak != NULL, "no peak in:\n%s", text);
	ck_assert_ptr_null(strstr(peak + 1, "heap_tree=peak"));
	ck_assert_ptr_nonnull(strstr(text, "time=1000\nmem_heap_B=6000\n"));
	for (const char *at = text; (at = strstr(at, "\ntime=")) != NULL;
	     at++) {
		long ms = atol(at + strlen("\ntime="));

		ck_assert_int_ge(ms, before);
		before = ms;
	}
	ck_assert_int_eq(before, 2000);
}
END_TEST

Suite *
massif_suite(void)
{
	Suite *s = suite_create("massif");
	TCase *snapshots = tcase_create("snapshots");

	tcase_add_checked_fixture(snapshots, ps_example_open, NULL);
	tcase_add_loop_test(snapshots, the_peak_is_a_snapshot_in_its_place, 0,
			    (int)PS_COUNT(slots));
	suite_add_tcase(s, snapshots);
	return s;
}
