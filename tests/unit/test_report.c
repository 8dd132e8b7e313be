/* SPDX-License-Identifier: MIT */
/*
 * test_report - the text report: its words, its figures, its colours
 */
#include <check.h>
#include <string.h>

#include "record/writer.h"
#include "tests/unit/captured.h"
#include "tests/unit/example.h"

/* ---- the words ---- */

START_TEST(the_report_has_its_headings_in_order)
{
	static const char *const headings[] = {
	    "perfshim  example",
	    "HEAP\n",
	    "MOST ALLOCATIONS",
	    "PEAK MEMORY CONSUMERS",
	    "MEMORY LEAKS (live at exit)",
	    "MOST TEMPORARY ALLOCATIONS",
	    "SECTIONS\n",
	    "MACHINE\n",
	    "ALERTS\n",
	    "HOW FAR TO TRUST THIS\n",
	};
	const char *at = ps_captured;

	ps_capture_text();
	ps_capture_check_lines();
	for (unsigned i = 0; i < PS_COUNT(headings); i++) {
		at = strstr(at, headings[i]);
		ck_assert_msg(at != NULL, "no '%s' in order", headings[i]);
	}
}
END_TEST

START_TEST(the_figures_are_those_of_the_recording)
{
	ps_capture_text();
	ps_capture_has("pid 4711  exit 3\n");
	ps_capture_has(
	    "wall 2.00 s  user 1.50 s  sys 250 ms  peak RSS 5.00 MiB  "
	    "threads 5\n");
	ps_capture_has(
	    "allocations      150   requested 6.84 KiB   peak heap 5.86 KiB "
	    "at 1.00 s\n");
	ps_capture_has(
	    "frees            110   live      2.50 KiB   in blocks       40\n");
	ps_capture_has("100 ±10% allocations, 4.88 KiB in all\n");
	ps_capture_has("75 ±11% temporary of 100 allocations (75%)\n");
	ps_capture_has(
	    "outer                  4  5.0us  4.4us   1.3us  1.0us  2.0us");
	ps_capture_has("Example CPU @ 2 GHz\n");
	ps_capture_has("heap > 5 KiB\n");
	ps_capture_has("12 samples");
	ps_capture_has("3 rows that found no room in a table\n");
	ps_capture_has("0x1000 ");
}
END_TEST

START_TEST(a_running_process_has_no_leaks_yet)
{
	ps_poke(&ps_record->process.state, PS_STATE_RUNNING);
	ps_capture_text();
	ps_capture_has("still running");
	ps_capture_has("MEMORY IN USE NOW");
	ps_capture_hasnt("LEAKS");
}
END_TEST

static const struct {
	struct ps_report_options told;
	const char *words;
} ends[] = {
    {{.exit_code = 9}, "  exit 9\n"},
    {{.exit_code = -1, .exit_signal = 9}, "  killed by SIGKILL\n"},
    {{.exit_code = -1, .exit_signal = 1000}, "  killed by signal 1000\n"},
};

START_TEST(the_end_is_told_in_words)
{
	ps_capture(PS_REPORT_TEXT, &ends[_i].told, NULL, false);
	ps_capture_has(ends[_i].words);
}
END_TEST

START_TEST(a_list_is_as_long_as_asked_for)
{
	struct ps_report_options one = {.top = 1, .exit_code = -1};

	ps_capture_text();
	ps_capture_has("   2  2.93 KiB");
	ps_capture(PS_REPORT_TEXT, &one, NULL, false);
	ps_capture_has("   1  4.39 KiB");
	ps_capture_hasnt("   2  2.93 KiB");
}
END_TEST

START_TEST(only_who_asks_gets_colours)
{
	ps_capture_text();
	ps_capture_hasnt("\033");
	ps_capture(PS_REPORT_TEXT, NULL, NULL, true);
	ps_capture_has("\033[1m");
	/* The last escape of all sets everything back. */
	ck_assert_int_eq(strncmp(strrchr(ps_captured, '\033'), "\033[0m", 4),
			 0);
}
END_TEST

START_TEST(an_empty_recording_has_a_report)
{
	ps_capture_text();
	ps_capture_check_lines();
	ps_capture_has(
	    "wall unknown  user unknown  sys unknown  peak RSS unknown");
	ps_capture_has("MOST TEMPORARY ALLOCATIONS\n  sampling is off\n");
	ps_capture_has("none marked");
	ps_capture_has("not measured");
	ps_capture_hasnt("nan");
	ps_capture_hasnt("ALERTS");
	ps_record->sampling.mode = PS_SAMPLE_ALL;
	ps_capture_text();
	ps_capture_has("too little was allocated");
}
END_TEST

/* An ordinary long run: a day, billions of allocations, an error to tell. */
START_TEST(the_line_about_sampling_fits_with_its_error)
{
	ps_example_set_samples(123456);
	ps_poke(&ps_record->sampling.dropped, 1234);
	ps_example_site(0)->flags = PS_SITE_TRUNCATED;
	ps_poke(&ps_example_site(0)->samples, 12345);
	ps_poke(&ps_example_site(0)->bytes_variance, 1000000);
	ps_capture_text();
	ps_capture_check_lines();
	ps_capture_has("123 k samples ±14%");
	ps_capture_has("dropped 1234");
	ps_capture_has("cut short 12.3 k\n");
}
END_TEST

/* Rows 0 and 1 are both in the same seven functions, row 2 is in another. */
static bool
resolve_alike(struct ps_symbols *self, uint32_t row, struct ps_symbol *out)
{
	static const struct ps_symbol within[] = {
	    {.function = "f1", .module = "m", .inlined_into = &within[1]},
	    {.function = "f2", .module = "m", .inlined_into = &within[2]},
	    {.function = "f3", .module = "m", .inlined_into = &within[3]},
	    {.function = "f4", .module = "m", .inlined_into = &within[4]},
	    {.function = "f5", .module = "m", .inlined_into = &within[5]},
	    {.function = "f6", .module = "m"},
	};

	(void)self;
	*out = (struct ps_symbol){
	    .function = "f0", .module = "m", .inlined_into = &within[0]};
	if (row > 1)
		*out = (struct ps_symbol){.function = "caller", .module = "m"};
	return true;
}

START_TEST(of_stacks_that_begin_alike_is_told_where_they_part)
{
	struct ps_symbols symbols = {.resolve = resolve_alike};

	ps_example_site(0)->depth = 1;
	ps_example_site(1)->first_frame = 1;
	ps_capture(PS_REPORT_TEXT, NULL, &symbols, false);
	ps_capture_has("   2  50 allocations, 8.79 KiB in all\n"
		       "      f0  inlined in m\n"
		       "      ... 6 more as in 1, then\n"
		       "      caller  in m\n");
	ps_example_site(1)->depth = 1;
	ps_capture(PS_REPORT_TEXT, NULL, &symbols, false);
	ps_capture_has("      ... 6 more as in 1, at other places\n");
}
END_TEST

/* As in a program without debug information. */
static bool
resolve_main(struct ps_symbols *self, uint32_t row, struct ps_symbol *out)
{
	static const struct ps_symbol below[] = {
	    {.function = "__libc_start_call_main",
	     .module = "libc.so.6",
	     .inlined_into = &below[1]},
	    {.function = "__libc_start_main",
	     .module = "libc.so.6",
	     .inlined_into = &below[2]},
	    {.function = "_start", .module = "m"},
	};

	(void)self;
	(void)row;
	*out = (struct ps_symbol){
	    .function = "main", .module = "m", .inlined_into = &below[0]};
	return true;
}

START_TEST(what_starts_main_is_not_told_as_alike)
{
	struct ps_symbols symbols = {.resolve = resolve_main};

	ps_example_site(0)->depth = 1;
	ps_example_site(1)->first_frame = 1;
	ps_example_site(1)->depth = 1;
	ps_capture(PS_REPORT_TEXT, NULL, &symbols, false);
	ps_capture_has("   2  50 allocations, 8.79 KiB in all\n"
		       "      main  inlined in m\n\n");
	ps_capture_hasnt("more as in");
}
END_TEST

START_TEST(a_stack_that_was_cut_says_so)
{
	struct ps_symbols symbols = {.resolve = resolve_alike};

	ps_capture_text();
	ps_capture_hasnt("... cut short");
	ps_example_site(0)->flags = PS_SITE_TRUNCATED;
	ps_capture_text();
	ps_capture_has("in ?\n      ... cut short\n");
	ps_capture(PS_REPORT_TEXT, NULL, &symbols, false);
	ps_capture_has("      ... 9 more, cut short\n");
}
END_TEST

START_TEST(what_few_samples_cannot_tell_is_not_called_none)
{
	ps_example_set_samples(1);
	ps_record->sampling.mode = PS_SAMPLE_POISSON;
	for (uint32_t i = 0; i < PS_EXAMPLE_SITES; i++)
		ps_poke(&ps_example_site(i)->temporary, 0);
	ps_capture_text();
	ps_capture_has("MOST TEMPORARY ALLOCATIONS  none was sampled\n");
	ps_capture_has(": 1 sample");
	ps_capture_hasnt(": 1 samples");
}
END_TEST

/* Two addresses in no file; then one. */
START_TEST(code_without_a_file_is_told_where_names_come_from)
{
	struct ps_symbols symbols = {.resolve = resolve_alike};
	struct ps_record_frame *frame = ps_record_entry(PS_TABLE_FRAMES, 0);

	ps_capture_text();
	ps_capture_hasnt("perf-PID.map");
	frame[0].module = UINT32_MAX;
	ps_capture_text();
	ps_capture_check_lines();
	ps_capture_has("  1 address lies in no file;");
	frame[1].module = UINT32_MAX;
	ps_capture_text();
	ps_capture_has("  2 addresses lie in no file;");
	ps_capture(PS_REPORT_TEXT, NULL, &symbols,
		   false); /* named all the same */
	ps_capture_hasnt("perf-PID.map");
}
END_TEST

Suite *
report_suite(void)
{
	Suite *s = suite_create("report");
	TCase *words = tcase_create("words");
	TCase *empty = tcase_create("empty");

	tcase_add_checked_fixture(words, ps_capture_set_up,
				  ps_capture_tear_down);
	tcase_add_test(words, the_report_has_its_headings_in_order);
	tcase_add_test(words, the_figures_are_those_of_the_recording);
	tcase_add_test(words, a_running_process_has_no_leaks_yet);
	tcase_add_loop_test(words, the_end_is_told_in_words, 0,
			    (int)PS_COUNT(ends));
	tcase_add_test(words, a_list_is_as_long_as_asked_for);
	tcase_add_test(words, only_who_asks_gets_colours);
	tcase_add_test(words, the_line_about_sampling_fits_with_its_error);
	tcase_add_test(words,
		       of_stacks_that_begin_alike_is_told_where_they_part);
	tcase_add_test(words, what_starts_main_is_not_told_as_alike);
	tcase_add_test(words, a_stack_that_was_cut_says_so);
	tcase_add_test(words, what_few_samples_cannot_tell_is_not_called_none);
	tcase_add_test(words,
		       code_without_a_file_is_told_where_names_come_from);
	suite_add_tcase(s, words);

	tcase_add_checked_fixture(empty, ps_capture_set_up_empty,
				  ps_capture_tear_down);
	tcase_add_test(empty, an_empty_recording_has_a_report);
	suite_add_tcase(s, empty);

	return s;
}
