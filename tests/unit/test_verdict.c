/* SPDX-License-Identifier: MIT */
/*
 * test_verdict - the sentences of the example recording, and of others that
 * need another word
 */
#include <check.h>
#include <string.h>

#include "record/writer.h"
#include "report/verdict.h"
#include "tests/unit/captured.h"
#include "tests/unit/example.h"

static struct ps_reader reader;
static struct ps_scratch scratch;
static struct ps_stack_names names;
static struct ps_view view;
static struct ps_verdict verdict;

static void
judge_named(const struct ps_report_options *options, struct ps_symbols *symbols)
{
	ps_example_attach(&reader);
	ps_scratch_init(&scratch, 0);
	if (symbols == NULL)
		symbols = ps_symbols_none(&scratch, &reader);
	ck_assert_int_eq(ps_view_build(&reader, options, &scratch, &view), 0);
	ps_verdict(&view, symbols, &names, &verdict);
	ps_scratch_fini(&scratch);
	ck_assert_uint_le(verdict.count, PS_VERDICT_LINES);
}

static void
judge(const struct ps_report_options *options)
{
	judge_named(options, NULL);
}

/* All sentences about something, or "". */
static const char *
about(const char *what)
{
	static char all[PS_VERDICT_LINES * PS_VERDICT_BYTES];

	all[0] = '\0';
	for (unsigned i = 0; i < verdict.count; i++) {
		if (strcmp(verdict.line[i].about, what) != 0)
			continue;
		strcat(all, verdict.line[i].text);
		strcat(all, "\n");
	}
	return all;
}

static void
says(const char *what, const char *words)
{
	if (strstr(about(what), words) == NULL)
		ck_abort_msg("about %s: expected \"%s\" in \"%s\"", what, words,
			     about(what));
}

START_TEST(each_question_has_an_answer)
{
	judge(NULL);
	says("memory", "The heap was 5.86 KiB at its peak, 1.00 s into the "
		       "run; ");
	says("memory",
	     " of that was allocated by ?+0x1000, called by ?+0x1010.");
	says("time", "Of the marked sections ");
	says("first", ".");
	says("uncertain", ".");
}
END_TEST

START_TEST(an_alert_comes_first)
{
	judge(NULL);
	says("first", "Look first at the alert \"heap > 5 KiB\", 500 ms into "
		      "the run.");
}
END_TEST

START_TEST(what_is_kept_comes_next)
{
	ps_poke(&ps_record->table[PS_TABLE_ALERTS].count, 0);
	ps_poke(&ps_example_thread(1)->large_bytes, 97440);
	ps_poke(&ps_record->heap.peak_bytes, 120000);
	judge(&(struct ps_report_options){.exit_code = 0});
	says("memory", "97.7 KiB in ");
	says("memory", " blocks were never freed, the largest part (");
	says("first",
	     "Look first at what is kept until the end: 83% of the peak.");
}
END_TEST

/* One sample may stand for more than there is. */
START_TEST(a_part_is_not_told_as_more_than_the_whole)
{
	ps_poke(&ps_example_thread(1)->large_bytes, 97440);
	ps_poke(&ps_example_site(1)->live_bytes, 524288);
	judge(&(struct ps_report_options){.exit_code = 0});
	says("memory", " were never freed, the largest part, as few samples "
		       "tell, by ?+0x1");
}
END_TEST

static bool
resolve_same(struct ps_symbols *self, uint32_t row, struct ps_symbol *out)
{
	(void)self;
	*out = (struct ps_symbol){.function = row < 2 ? "grow" : "fill",
				  .module = "m"};
	return true;
}

START_TEST(a_function_is_not_its_own_caller)
{
	struct ps_symbols symbols = {.resolve = resolve_same};

	ps_example_site(1)->first_frame = 0;
	ps_example_site(1)->depth = 3;
	judge_named(NULL, &symbols);
	says("memory", " was allocated by grow, called by fill.");
}
END_TEST

START_TEST(what_still_runs_keeps_nothing_yet)
{
	ps_poke(&ps_example_thread(1)->large_bytes, 97440);
	ps_poke(&ps_record->heap.peak_bytes, 120000);
	ps_poke(&ps_record->process.state, PS_STATE_RUNNING);
	judge(NULL);
	says("memory", " are in use now");
	says("uncertain", "The program still runs.");
	ck_assert_ptr_null(strstr(about("first"), "until the end"));
}
END_TEST

START_TEST(without_samples_nobody_is_accused)
{
	judge(NULL);
	says("memory", "Nothing was allocated.");
	ps_poke(&ps_example_thread(0)->allocations, 3);
	judge(NULL);
	says("memory", "whose it was is not known");
	says("time", "no section is marked, so where is not known");
	says("first", "Nothing stands out.");
	says("uncertain", "nothing is known of the code that allocates");
}
END_TEST

START_TEST(losses_are_owned_up_to)
{
	ps_poke(&ps_record->sampling.dropped, 7);
	judge(NULL);
	says("uncertain", " 10 rows or samples found no room.");
}
END_TEST

Suite *
verdict_suite(void)
{
	Suite *s = suite_create("verdict");
	TCase *full = tcase_create("full");
	TCase *empty = tcase_create("empty");

	tcase_add_checked_fixture(full, ps_capture_set_up,
				  ps_capture_tear_down);
	tcase_add_test(full, each_question_has_an_answer);
	tcase_add_test(full, an_alert_comes_first);
	tcase_add_test(full, what_is_kept_comes_next);
	tcase_add_test(full, a_part_is_not_told_as_more_than_the_whole);
	tcase_add_test(full, a_function_is_not_its_own_caller);
	tcase_add_test(full, what_still_runs_keeps_nothing_yet);
	tcase_add_test(full, losses_are_owned_up_to);
	suite_add_tcase(s, full);
	tcase_add_checked_fixture(empty, ps_capture_set_up_empty,
				  ps_capture_tear_down);
	tcase_add_test(empty, without_samples_nobody_is_accused);
	suite_add_tcase(s, empty);
	return s;
}
