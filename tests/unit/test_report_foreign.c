/* SPDX-License-Identifier: MIT */
/*
 * test_report_foreign - names and figures that are not ours: the text report
 * stays 80 columns wide and holds nothing that a terminal obeys
 */
#include <check.h>
#include <math.h>
#include <string.h>

#include "record/writer.h"
#include "report/text_parts.h"
#include "tests/unit/captured.h"
#include "tests/unit/example.h"

/* ---- names that are not ours ---- */

#define EVIL "e\033[31mvil\n\x9b\x7f\xc2\x9b\t"

START_TEST(control_characters_are_escaped)
{
	ps_record->process.name = ps_record_string(EVIL);
	ps_record->process.cpu_model = ps_record_string(EVIL);
	ps_example_section(1)->name = ps_record_string("a\rb");
	ps_record->sampling.stacks_off = ps_record_string(EVIL);
	memset(ps_record->calibration.isa, '\a', 16);
	ps_capture_text();
	ps_capture_check_lines();
	ps_capture_has("e\\x1b[31mvil\\x0a\\x9b\\x7f");
	ps_capture_has("a\\x0db ");
	ps_capture_has("\\x07");
}
END_TEST

static char long_name[4096];

/* What a name is made of: one column each, of 1 to 4 bytes, or escaped. */
static const char *const pieces[] = {"a", "ä", "€", "𝛼", "\xff", "\x01"};

static bool
resolve_long(struct ps_symbols *self, uint32_t frame, struct ps_symbol *out)
{
	(void)self;
	*out = (struct ps_symbol){.module = long_name};
	if (frame > 0)
		out->function = long_name;
	if (frame > 1) {
		out->file = long_name;
		out->line = UINT32_MAX;
	}
	return true;
}

/* 4000 bytes, odd starts: a cut may fall anywhere in a character. */
START_TEST(long_names_are_cut_between_characters)
{
	struct ps_symbols symbols = {.resolve = resolve_long};
	const char *piece = pieces[_i];
	uint32_t name;

	for (unsigned shift = 0; shift < 4; shift++) {
		memset(long_name, 0, sizeof(long_name));
		memset(long_name, 'x', shift);
		while (strlen(long_name) < 4000)
			strcat(long_name, piece);
		name = ps_record_string(long_name);
		ps_record->process.name = name;
		ps_record->process.cpu_model = name;
		ps_record->sampling.stacks_off = name;
		ps_example_section(0)->name = name;
		ps_example_section(1)->name = name;
		ps_capture(PS_REPORT_TEXT, NULL, &symbols, false);
		ps_capture_check_lines();
		ps_capture_has("...");
	}
}
END_TEST

START_TEST(a_name_is_cut_in_the_middle)
{
	struct ps_text text;
	static const struct {
		const char *name;
		const char *expected;
	} names[] = {
	    {"", ""},
	    {"0123456789ab", "0123456789ab"},
	    {"0123456789abc", "012345...abc"},
	    {"äöüßéèêçñøåõx", "äöüßéè...åõx"},
	};

	for (unsigned i = 0; i < PS_COUNT(names); i++) {
		ps_text_init(&text, ps_captured, sizeof(ps_captured), -1);
		ck_assert_uint_eq(ps_put_name(&text, names[i].name, 12),
				  i == 0 ? 0 : 12);
		ck_assert_str_eq(ps_captured, names[i].expected);
	}
}
END_TEST

/* In 48 columns, what tells least goes first. */
START_TEST(a_long_function_loses_its_arguments_first)
{
	struct ps_text text;
	static const struct {
		const char *name;
		const char *expected;
	} names[] = {
	    {"f(int)", "f(int)"},
	    {"node::NodeArrayBufferAllocator::Allocate(unsigned long)",
	     "node::NodeArrayBufferAllocator::Allocate(...)"},
	    {"rtx_alloc(rtx_code, void (*)(void*), unsigned long) const",
	     "rtx_alloc(...) const"},
	    {"node::(anonymous namespace)::ZlibStream::Write(int, char*)",
	     "node::ZlibStream::Write(...)"},
	    {"void std::vector<v8::internal::Handle<v8::HeapObject> >::grow("
	     "v8::internal::Handle<v8::HeapObject>&&)",
	     "std::vector<...>::grow(...)"},
	    {"int v8::internal::Deserializer<v8::internal::Isolate>::Read("
	     "unsigned char)",
	     "v8::internal::Deserializer<...>::Read(...)"},
	    {"std::ostream& operator<< <std::char_traits<char> "
	     ">(std::ostream&, "
	     "char)",
	     "std::ostream& operator<< <...>(...)"},
	    {"Table<unsigned long, std::string>::operator()(unsigned long) "
	     "const",
	     "Table<...>::operator()(...) const"},
	    {"my_operator<unsigned long, unsigned long>(unsigned long)",
	     "my_operator<unsigned long, unsigned long>(...)"},
	    {"<alloc::vec::Vec<u8>>::with_capacity_in::<alloc::alloc::Global>",
	     "<alloc::vec::Vec<u8>>::with_capacity_in::<...>"},
	    {"a_function_of_c_that_is_much_too_long [clone .isra.0.cold]",
	     "a_function_of_c_that_is_much_t...e .isra.0.cold]"},
	    {"unpaired(unsigned long, unsigned long, unsigned long",
	     "unpaired(unsigned long, unsign..., unsigned long"},
	};

	for (unsigned i = 0; i < PS_COUNT(names); i++) {
		ps_text_init(&text, ps_captured, sizeof(ps_captured), -1);
		ck_assert_uint_le(ps_put_function(&text, names[i].name, 48),
				  48);
		ck_assert_str_eq(ps_captured, names[i].expected);
	}
}
END_TEST

/* ---- figures that nobody expects ---- */

static const uint64_t absurd[] = {
    999,
    9999,
    99999,
    1023 * 1024,
    999999999,
    UINT64_C(1) << 40,
    UINT64_C(1) << 60,
    INT64_MAX,
    UINT64_MAX,
};

static void
fill_words(void *from, size_t bytes, uint64_t value)
{
	for (size_t at = 0; at + 8 <= bytes; at += 8)
		memcpy((char *)from + at, &value, 8);
}

static void
make_rows_absurd(uint64_t value)
{
	for (uint32_t i = 0; i < PS_EXAMPLE_ROWS; i++) {
		fill_words(ps_example_thread(i),
			   sizeof(struct ps_record_thread), value);
		ps_poke(&ps_example_thread(i)->bytes_left, 0);
	}
	for (uint32_t i = 0; i < PS_EXAMPLE_SITES; i++)
		fill_words((void *)&ps_example_site(i)->samples,
			   sizeof(struct ps_record_site) -
			       offsetof(struct ps_record_site, samples),
			   value);
	for (uint32_t i = 0; i < 3; i++)
		fill_words((void *)&ps_example_stats(i)->calls, 13 * 8, value);
	ps_poke(&ps_example_stats(0)->ended_threads, value);
}

static void
make_header_absurd(uint64_t value)
{
	struct ps_record_header *h = ps_record;
	struct ps_calibration *c = &h->calibration;

	h->process.pid = (int32_t)value;
	h->process.ppid = (int32_t)value;
	ps_poke(&h->process.is_forked_child, 1);
	ps_poke(&h->process.user_ns, value);
	ps_poke(&h->process.system_ns, value);
	ps_poke(&h->process.max_rss_bytes, value);
	ps_poke(&h->process.threads_started, value);
	ps_poke(&h->process.exit_code, (int32_t)value);
	ps_poke(&h->clock.backwards, value);
	fill_words(&h->heap, sizeof(h->heap), value);
	ps_poke(&h->heap.peak_ticks, PS_EXAMPLE_START_TICKS + value / 2);
	fill_words(&h->overhead, sizeof(h->overhead), value);
	fill_words((void *)&h->sampling.dropped, 8, value);
	h->sampling.interval_bytes = value;
	ps_poke(&h->no_space, value);
	fill_words(h->timeline.tick, sizeof(h->timeline.tick), value);
	for (double *d = &c->tsc_hz; d <= &c->drift_fraction; d++)
		*d = (double)value * 1e9;
}

START_TEST(absurd_figures_fit_the_line)
{
	static const struct ps_report_options gone = {.exit_code = -1,
						      .has_ended = true};

	make_rows_absurd(absurd[_i]);
	make_header_absurd(absurd[_i]);
	memset(long_name, 'n', 100);
	ps_record->process.name = ps_record_string(long_name);
	ps_capture_text();
	ps_capture_check_lines();
	ps_poke(&ps_record->process.state, PS_STATE_RUNNING);
	ps_capture(PS_REPORT_TEXT, &gone, NULL, false);
	ps_capture_check_lines();
	ps_capture_has("ended without a word");
}
END_TEST

START_TEST(figures_that_are_no_numbers_are_not_shown)
{
	static const double odd[] = {NAN,   INFINITY, -INFINITY,
				     1e300, -1e300,   5e-324};
	struct ps_calibration *c = &ps_record->calibration;

	for (double *d = &c->tsc_hz; d <= &c->drift_fraction; d++)
		*d = odd[_i];
	ps_poke(&ps_example_stats(0)->squares, odd[_i]);
	ps_capture_text();
	ps_capture_check_lines();
	ps_capture_hasnt("nan");
	ps_capture_hasnt("inf "); /* but "info" is a word */
}
END_TEST

START_TEST(random_damage_makes_no_wide_line)
{
	ps_capture_damaged(PS_REPORT_TEXT, 4000, ps_capture_check_lines);
}
END_TEST

Suite *
report_foreign_suite(void)
{
	Suite *s = suite_create("report_foreign");
	TCase *foreign = tcase_create("foreign");

	tcase_add_checked_fixture(foreign, ps_capture_set_up,
				  ps_capture_tear_down);
	tcase_add_test(foreign, control_characters_are_escaped);
	tcase_add_loop_test(foreign, long_names_are_cut_between_characters, 0,
			    (int)PS_COUNT(pieces));
	tcase_add_test(foreign, a_name_is_cut_in_the_middle);
	tcase_add_test(foreign, a_long_function_loses_its_arguments_first);
	tcase_add_loop_test(foreign, absurd_figures_fit_the_line, 0,
			    (int)PS_COUNT(absurd));
	tcase_add_loop_test(foreign, figures_that_are_no_numbers_are_not_shown,
			    0, 6);
	tcase_add_test(foreign, random_damage_makes_no_wide_line);
	tcase_set_timeout(foreign, 30);
	suite_add_tcase(s, foreign);
	return s;
}
