/* SPDX-License-Identifier: MIT */
/*
 * test_report - a recording with known contents, as view, text and JSON
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/hist.h"
#include "record/reader.h"
#include "record/writer.h"
#include "report/report.h"
#include "report/view.h"

enum { MS = 1000000 }; /* ticks: the clock of this recording is 1 GHz */

static struct ps_reader reader;
static struct ps_scratch scratch;
static struct ps_view view;
static char out[1 << 20];

static void *
append(enum ps_table_id id, uint32_t entries)
{
	void *memory = NULL;

	ps_record_lock();
	ck_assert_uint_ne(ps_record_append(id, entries, &memory), UINT32_MAX);
	ps_record_publish(id);
	ps_record_unlock();
	return memory;
}

/* An empty recording of a run of one second. */
static void
start(void)
{
	struct ps_record_header *r;

	ck_assert_int_eq(ps_record_open(), 0);
	r = ps_record;
	ps_scratch_init(&scratch, (size_t)64 << 20);
	r->process.pid = 42;
	ps_poke(&r->process.exit_code, 3);
	ps_poke(&r->process.state, PS_STATE_EXITED);
	r->sampling.mode = PS_SAMPLE_POISSON;
	r->sampling.interval_bytes = 524288;
	r->clock.start_ns = 1;
	r->clock.start_ticks = 1;
	ps_poke(&r->clock.last_ns, 1 + 1000u * MS);
	ps_poke(&r->clock.last_ticks, 1 + 1000u * MS);
}

static void
stop(void)
{
	ps_scratch_fini(&scratch);
}

static void
add_thread(uint64_t allocations, uint64_t frees, uint64_t requested)
{
	struct ps_record_thread *row = append(PS_TABLE_THREADS, 1);

	ps_poke(&row->issued_bytes, requested + 1000);
	ps_poke(&row->bytes_left, 1000);
	ps_poke(&row->allocations, allocations);
	ps_poke(&row->class_allocations[3], allocations);
	ps_poke(&row->class_frees[3], frees);
}

/* Bytes and weights as a site of that many sampled allocations has them. */
static void
add_site(uint64_t allocations, uint64_t bytes, uint64_t live_bytes)
{
	struct ps_record_site *site = append(PS_TABLE_SITES, 1);
	struct ps_record_frame *frame = append(PS_TABLE_FRAMES, 1);
	uint32_t *stack = append(PS_TABLE_STACK_FRAMES, 1);

	frame->pc = 0x1234;
	frame->module = UINT32_MAX;
	*stack = ps_peek(&ps_record->table[PS_TABLE_FRAMES].count) - 1;
	site->depth = 1;
	site->first_frame =
	    ps_peek(&ps_record->table[PS_TABLE_STACK_FRAMES].count) - 1;
	ps_poke(&site->allocations, allocations * PS_WEIGHT_ONE);
	ps_poke(&site->bytes, bytes);
	ps_poke(&site->bytes_variance, bytes * 100);
	ps_poke(&site->live_allocations, PS_WEIGHT_ONE);
	ps_poke(&site->live_bytes, live_bytes);
	ps_poke(&site->peak_bytes, 2 * live_bytes);
	ps_poke(&site->peak_epoch, ps_peek(&ps_record->heap.peak_epoch));
	ps_poke(&site->temporary, allocations * PS_WEIGHT_ONE / 2);
}

static struct ps_record_section_stats *
add_section(const char *name, uint64_t calls, uint64_t each)
{
	struct ps_record_section *section = append(PS_TABLE_SECTIONS, 1);
	struct ps_record_section_stats *s = append(PS_TABLE_SECTION_STATS, 1);

	section->name = ps_record_string(name);
	s->section = ps_peek(&ps_record->table[PS_TABLE_SECTIONS].count) - 1;
	ps_poke(&s->calls, calls);
	ps_poke(&s->total_ticks, calls * each);
	ps_poke(&s->self_ticks, calls * each / 2);
	ps_poke(&s->min_ticks, each);
	ps_poke(&s->max_ticks, each);
	ps_poke(&s->histogram[ps_hist_bucket(each)], (uint32_t)calls);
	return s;
}

static void
build(const struct ps_report_options *options)
{
	const char *why = "";

	ck_assert_msg(ps_reader_attach(&reader, ps_record,
				       ps_record->file_bytes, &why) == 0,
		      "%s", why);
	ck_assert_int_eq(ps_view_build(&reader, options, &scratch, &view), 0);
}

static const char *
written(enum ps_report_format format, bool is_colour)
{
	struct ps_text text;

	build(NULL);
	ps_text_init(&text, out, sizeof(out), -1);
	text.is_colour = is_colour;
	ck_assert_int_eq(
	    ps_report_write(&reader, NULL, &scratch, format, NULL, &text), 0);
	ck_assert_uint_eq(text.cut, 0);
	out[text.length] = '\0';
	return out;
}

/* ---- the view ----------------------------------------------------------- */

START_TEST(rows_are_added_up)
{
	start();
	add_thread(100, 60, 5000);
	add_thread(10, 5, 700);
	ps_record->heap.class_bytes[3] = 64;
	ps_poke(&ps_record->heap.live_bytes, 64); /* late */
	ps_poke(&ps_record->heap.peak_bytes, 9000);
	ps_poke(&ps_record->heap.peak_ticks, 1 + 250u * MS);
	build(NULL);
	ck_assert_uint_eq(view.allocations, 110);
	ck_assert_uint_eq(view.frees, 65);
	ck_assert_uint_eq(view.requested_bytes, 5700);
	ck_assert_uint_eq(view.live_blocks, 45);
	ck_assert_uint_eq(view.live_bytes, 45 * 64);
	ck_assert_uint_eq(view.peak_bytes, 9000);
	ck_assert_double_eq_tol(view.peak_at_s, 0.25, 1e-9);
	ck_assert_double_eq_tol(view.wall_s, 1.0, 1e-9);
	ck_assert_int_eq(view.end, PS_END_EXITED);
	ck_assert_int_eq(view.exit_code, 3);
	stop();
}
END_TEST

START_TEST(sites_are_ranked)
{
	const struct ps_view_site *top[2];

	start();
	add_site(10, 1000, 0);
	add_site(5, 9000, 500);
	add_site(20, 3000, 100);
	build(NULL);
	ck_assert_uint_eq(ps_view_top(&view, PS_BY_BYTES, 2, top), 2);
	ck_assert_double_eq(top[0]->bytes, 9000);
	ck_assert_double_eq(top[1]->bytes, 3000);
	ck_assert_double_eq_tol(top[0]->bytes_error, 1.96 * sqrt(900000.0),
				1e-6);
	ck_assert_uint_eq(ps_view_top(&view, PS_BY_ALLOCATIONS, 2, top), 2);
	ck_assert_double_eq(top[0]->allocations, 20);
	ck_assert_uint_eq(ps_view_top(&view, PS_BY_LIVE, 2, top), 2);
	ck_assert_double_eq(top[0]->live_bytes, 500);
	ck_assert_double_eq(top[0]->peak_bytes, 1000);
	ck_assert_double_eq(view.site_bytes, 13000);
	ck_assert_double_eq_tol(view.short_lived_fraction, 0.5, 1e-9);
	stop();
}
END_TEST

/* A site whose peak figures are of an earlier peak: it has not changed since,
 * so what is live was live at the peak. */
START_TEST(a_site_that_rests_keeps_its_peak)
{
	const struct ps_view_site *top[1];

	start();
	add_site(10, 1000, 300);
	ps_poke(&ps_record->heap.peak_epoch, 7);
	build(NULL);
	ck_assert_uint_eq(ps_view_top(&view, PS_BY_PEAK, 1, top), 1);
	ck_assert_double_eq(top[0]->peak_bytes, 300);
	stop();
}
END_TEST

START_TEST(sections_have_times)
{
	const struct ps_view_section *s;

	start();
	add_section("parse", 10, 2 * MS);
	add_section("read", 1, 50 * MS);
	build(NULL);
	ck_assert_uint_eq(view.section_count, 2);
	s = &view.sections[0];
	ck_assert_str_eq(s->name, "read");
	ck_assert_double_eq_tol(s->total_s, 0.05, 1e-9);
	s = &view.sections[1];
	ck_assert_uint_eq(s->calls, 10);
	ck_assert_double_eq_tol(s->total_s, 0.02, 1e-9);
	ck_assert_double_eq_tol(s->self_s, 0.01, 1e-9);
	ck_assert_double_eq_tol(s->mean_s, 0.002, 1e-9);
	ck_assert_double_eq_tol(s->p50_s, 0.002, 0.002 / 64);
	ck_assert_double_eq_tol(s->p99_s, 0.002, 0.002 / 64);
	ck_assert_double_eq_tol(s->max_s, 0.002, 1e-9);
	ck_assert_uint_eq(view.section_calls, 11);
	stop();
}
END_TEST

START_TEST(who_waited_knows_better)
{
	struct ps_report_options options = {.exit_code = -1, .exit_signal = 9};

	start();
	ps_poke(&ps_record->process.state, 0);
	build(&options);
	ck_assert_int_eq(view.end, PS_END_SIGNALED);
	ck_assert_int_eq(view.exit_signal, 9);
	options.exit_signal = 0;
	build(&options);
	ck_assert_int_eq(view.end, PS_END_RUNNING);
	options.has_ended = true;
	build(&options);
	ck_assert_int_eq(view.end, PS_END_UNKNOWN);
	options.exit_code = 5;
	build(&options);
	ck_assert_int_eq(view.end, PS_END_EXITED);
	ck_assert_int_eq(view.exit_code, 5);
	stop();
}
END_TEST

/* What no honest writer leaves. */
START_TEST(nonsense_is_clamped)
{
	struct ps_record_section_stats *s;

	start();
	add_thread(5, 50, 100);
	add_site(1, UINT64_MAX, UINT64_MAX);
	s = add_section("odd", 1, MS);
	s->section = 1000; /* there is no such section */
	add_section("never called", 0, 0);
	ps_poke(&ps_record->heap.live_bytes, (uint64_t)-7);
	build(NULL);
	ck_assert_uint_eq(view.live_blocks, 0);
	ck_assert_uint_eq(view.live_bytes, 0);
	ck_assert(written(PS_REPORT_TEXT, false) != NULL);
	ck_assert_ptr_null(strstr(out, "-nan"));
	stop();
}
END_TEST

/* ---- text --------------------------------------------------------------- */

static void
fill_everything(void)
{
	add_thread(UINT64_MAX / 2, UINT64_MAX / 4, UINT64_MAX / 4);
	for (uint64_t i = 1; i <= 8; i++)
		add_site(i * 1000000007, i * UINT64_C(1) << 40, i << 30);
	add_section("a name that is much longer than the column it goes into",
		    123456789, 77 * MS);
	add_section("control \x1b[31m and \xff bytes", 5, MS);
	ps_poke(&ps_record->heap.live_bytes, UINT64_C(1) << 50);
	ps_poke(&ps_record->heap.peak_bytes, UINT64_C(1) << 51);
}

static unsigned
longest_line(const char *text)
{
	unsigned longest = 0;
	unsigned columns = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\n')
			columns = 0;
		else if (((unsigned char)*text & 0xc0) != 0x80)
			columns++;
		longest = columns > longest ? columns : longest;
	}
	return longest;
}

START_TEST(text_has_its_headings)
{
	static const char *const headings[] = {
	    "\nHEAP\n",
	    "\nMOST ALLOCATIONS\n",
	    "\nPEAK MEMORY CONSUMERS\n",
	    "\nMEMORY LEAKS (live at exit)\n",
	    "\nMOST TEMPORARY ALLOCATIONS\n",
	    "\nSECTIONS\n",
	    "\nMACHINE",
	    "\nHOW FAR TO TRUST THIS\n",
	};
	const char *at;

	start();
	fill_everything();
	at = written(PS_REPORT_TEXT, false);
	ck_assert_msg(strstr(at, "  pid 42  exit 3") != NULL, "%.200s", at);
	for (unsigned i = 0; i < PS_COUNT(headings); i++) {
		at = strstr(at, headings[i]);
		ck_assert_msg(at != NULL, "no %s", headings[i]);
	}
	stop();
}
END_TEST

START_TEST(text_fits_80_columns)
{
	start();
	fill_everything();
	ck_assert_uint_le(longest_line(written(PS_REPORT_TEXT, false)), 80);
	stop();
}
END_TEST

START_TEST(text_is_plain_unless_asked)
{
	start();
	fill_everything();
	ck_assert_ptr_null(strchr(written(PS_REPORT_TEXT, false), 0x1b));
	ck_assert_ptr_nonnull(strstr(written(PS_REPORT_TEXT, true), "\x1b["));
	ck_assert_ptr_null(strstr(out, "control \x1b"));
	stop();
}
END_TEST

START_TEST(an_empty_recording_is_a_report)
{
	start();
	ck_assert_ptr_nonnull(strstr(written(PS_REPORT_TEXT, false),
				     "no samples: too little was allocated"));
	ck_assert_ptr_null(strstr(out, "nan"));
	stop();
}
END_TEST

/* ---- JSON --------------------------------------------------------------- */

static const char *skip_value(const char *s);

static const char *
skip_space(const char *s)
{
	return s + strspn(s, " \n\t");
}

static const char *
skip_string(const char *s)
{
	ck_assert_int_eq(*s, '"');
	for (s++; *s != '"'; s++) {
		ck_assert((unsigned char)*s >= 0x20);
		if (*s == '\\')
			s++;
	}
	return s + 1;
}

static const char *
skip_list(const char *s, char close, bool has_keys)
{
	s = skip_space(s + 1);
	while (*s != close) {
		if (has_keys) {
			s = skip_space(skip_string(s));
			ck_assert_int_eq(*s, ':');
			s++;
		}
		s = skip_space(skip_value(s));
		if (*s == ',')
			s = skip_space(s + 1);
		else
			ck_assert_int_eq(*s, close);
	}
	return s + 1;
}

static const char *
skip_value(const char *s)
{
	size_t length;

	s = skip_space(s);
	if (*s == '{' || *s == '[')
		return skip_list(s, *s == '{' ? '}' : ']', *s == '{');
	if (*s == '"')
		return skip_string(s);
	length = strspn(s, "-+.eE0123456789truefalsn");
	ck_assert_msg(length > 0, "no value at %.20s", s);
	return s + length;
}

START_TEST(json_is_json)
{
	static const char *const keys[] = {
	    "\"schema\"",      "\"process\"", "\"heap\"",     "\"sections\"",
	    "\"calibration\"", "\"alerts\"",  "\"sampling\"", "\"overhead\"",
	};

	start();
	if (_i == 1)
		fill_everything();
	ck_assert_str_eq(skip_space(skip_value(written(PS_REPORT_JSON, false))),
			 "");
	ck_assert_ptr_nonnull(strstr(out, "perfshim-report/1"));
	for (unsigned i = 0; i < PS_COUNT(keys); i++)
		ck_assert_msg(strstr(out, keys[i]) != NULL, "no %s", keys[i]);
	ck_assert_ptr_null(strstr(out, ": nan"));
	ck_assert_ptr_null(strstr(out, ": inf"));
	stop();
}
END_TEST

Suite *
report_suite(void)
{
	Suite *suite = suite_create("report");
	TCase *v = tcase_create("view");
	TCase *t = tcase_create("text");
	TCase *j = tcase_create("json");

	tcase_add_test(v, rows_are_added_up);
	tcase_add_test(v, sites_are_ranked);
	tcase_add_test(v, a_site_that_rests_keeps_its_peak);
	tcase_add_test(v, sections_have_times);
	tcase_add_test(v, who_waited_knows_better);
	tcase_add_test(v, nonsense_is_clamped);
	tcase_add_test(t, text_has_its_headings);
	tcase_add_test(t, text_fits_80_columns);
	tcase_add_test(t, text_is_plain_unless_asked);
	tcase_add_test(t, an_empty_recording_is_a_report);
	tcase_add_loop_test(j, json_is_json, 0, 2);
	suite_add_tcase(suite, v);
	suite_add_tcase(suite, t);
	suite_add_tcase(suite, j);
	return suite;
}
