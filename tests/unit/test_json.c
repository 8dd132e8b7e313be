/* SPDX-License-Identifier: MIT */
/*
 * test_json - the JSON report: well-formed whatever the recording holds, with
 * the names of the contract (DESIGN.md), null for what is not known
 */
#include <check.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/writer.h"
#include "tests/unit/captured.h"
#include "tests/unit/example.h"

/* ---- a strict reader of JSON: where a value ends, NULL for a mistake ---- */

static const char *skip_value(const char *at, unsigned depth);

static const char *
skip_space(const char *at)
{
	while (at != NULL && (*at == ' ' || *at == '\n'))
		at++;
	return at;
}

static const char *
skip_string(const char *at)
{
	if (at == NULL || *at++ != '"')
		return NULL;
	for (; *at != '"'; at++) {
		if ((unsigned char)*at < ' ')
			return NULL;
		if (*at != '\\')
			continue;
		at++;
		if (*at == 'u') {
			for (int i = 0; i < 4; i++)
				if (!isxdigit((unsigned char)*++at))
					return NULL;
		} else if (*at == 0 || strchr("\"\\/bfnrt", *at) == NULL) {
			return NULL;
		}
	}
	return at + 1;
}

static const char *
skip_digits(const char *at)
{
	if (at == NULL || !isdigit((unsigned char)*at))
		return NULL;
	while (isdigit((unsigned char)*at))
		at++;
	return at;
}

static const char *
skip_number(const char *at)
{
	at += *at == '-';
	at = *at == '0' ? at + 1 : skip_digits(at);
	if (at != NULL && *at == '.')
		at = skip_digits(at + 1);
	if (at != NULL && (*at == 'e' || *at == 'E'))
		at = skip_digits(at + 1 + (at[1] == '-' || at[1] == '+'));
	return at;
}

/* The inside of [] or {}, from behind the bracket. */
static const char *
skip_members(const char *at, char end, unsigned depth)
{
	at = skip_space(at);
	if (*at == end)
		return at + 1;
	for (;;) {
		if (end == '}') {
			at = skip_space(skip_string(skip_space(at)));
			if (at == NULL || *at++ != ':')
				return NULL;
		}
		at = skip_space(skip_value(at, depth));
		if (at == NULL || (*at != ',' && *at != end))
			return NULL;
		if (*at++ == end)
			return at;
	}
}

static const char *
skip_value(const char *at, unsigned depth)
{
	static const char *const words[] = {"null", "true", "false"};

	at = skip_space(at);
	if (at == NULL || depth > 20)
		return NULL;
	if (*at == '{')
		return skip_members(at + 1, '}', depth + 1);
	if (*at == '[')
		return skip_members(at + 1, ']', depth + 1);
	if (*at == '"')
		return skip_string(at);
	for (unsigned i = 0; i < PS_COUNT(words); i++)
		if (strncmp(at, words[i], strlen(words[i])) == 0)
			return at + strlen(words[i]);
	return skip_number(at);
}

/* Value of a name in the object at `at`; NULL when it has none. */
static const char *
member(const char *at, const char *name, size_t length)
{
	if (*at != '{')
		return NULL;
	for (at++; *at == '"';) {
		const char *end = skip_string(at);

		if (end == NULL || *end != ':')
			return NULL;
		if ((size_t)(end - at) == length + 2 &&
		    memcmp(at + 1, name, length) == 0)
			return end + 1;
		at = skip_value(end + 1, 0);
		at += at != NULL && *at == ',';
	}
	return NULL;
}

/* The value at a path like "heap.sites.0.bytes". */
static const char *
find(const char *path)
{
	const char *at = ps_captured;

	while (*path != 0) {
		size_t length = strcspn(path, ".");
		const char *name = path;

		if (*at == '[') {
			at++;
			for (int i = atoi(name); i > 0; i--)
				at = skip_value(at, 0) + 1;
		} else {
			at = member(at, name, length);
		}
		ck_assert_msg(at != NULL, "no %s in %s", name, ps_captured);
		path += length + (path[length] == '.');
	}
	return at;
}

static void
check_json(void)
{
	const char *end = skip_value(ps_captured, 0);

	ck_assert_msg(end != NULL, "not JSON: %s", ps_captured);
	ck_assert_str_eq(end, "\n");
	ck_assert_int_eq(ps_captured[0], '{');
}

static void
is_value(const char *path, const char *expected)
{
	const char *at = find(path);
	const char *end = skip_value(at, 0);

	ck_assert_msg((size_t)(end - at) == strlen(expected) &&
			  memcmp(at, expected, strlen(expected)) == 0,
		      "%s is %.*s, not %s", path, (int)(end - at), at,
		      expected);
}

static void
write_json(void)
{
	ps_capture(PS_REPORT_JSON, NULL, NULL, false);
	check_json();
}

START_TEST(the_test_knows_json_from_other_text)
{
	static const char *const good[] = {
	    "{}",
	    "[]",
	    "[{}]",
	    "-0.5e-7",
	    "[1,null]",
	    "{\"a\":[]}",
	    "\"\\u00e4\\\"\"",
	    "0",
	};
	static const char *const bad[] = {
	    "",	      "{",   "[1,]",	   "{\"a\"}",	"{\"a\":}", "nan",
	    "[1 2]",  "[1}", "\"\n\"",	   "\"\\x01\"", "{,}",	    "-inf",
	    "\"open", "1.",  "{\"a\":1,}", "[,1]",	".5",	    "{1:2}",
	};

	for (unsigned i = 0; i < PS_COUNT(good); i++) {
		const char *end = skip_value(good[i], 0);

		ck_assert_msg(end != NULL && *end == 0, "%s", good[i]);
	}
	for (unsigned i = 0; i < PS_COUNT(bad); i++)
		ck_assert_msg(skip_value(bad[i], 0) == NULL, "%s", bad[i]);
}
END_TEST

/* ---- the contract ---- */

static const struct {
	const char *path;
	const char *value;
} values[] = {
    {"schema", "\"perfshim-report/1\""},
    {"process.pid", "4711"},
    {"process.ppid", "4710"},
    {"process.exe", "\"/usr/bin/example\""},
    {"process.argv", "null"},
    {"process.start", "1700000003.250000"},
    {"process.wall_s", "2"},
    {"process.user_s", "1.5"},
    {"process.sys_s", "0.25"},
    {"process.max_rss_bytes", "5242880"},
    {"process.threads", "5"},
    {"process.exit.kind", "\"exit\""},
    {"process.exit.code", "3"},
    {"heap.allocations", "150"},
    {"heap.frees", "110"},
    {"heap.requested_bytes", "7000"},
    {"heap.peak_bytes", "6000"},
    {"heap.peak_at_s", "1"},
    {"heap.live_bytes", "2560"},
    {"heap.live_blocks", "40"},
    {"heap.short_lived_fraction", "0.5"},
    {"heap.pool_fraction", "0.933333333"},
    {"heap.size_classes.1.block_bytes", "64"},
    {"heap.size_classes.1.live", "40"},
    {"heap.size_classes.2.block_bytes", "null"},
    {"heap.timeline.2.t_s", "1"},
    {"heap.timeline.2.live_bytes", "3000"},
    {"heap.sites.0.bytes", "9000"},
    {"heap.sites.1.stack.0", "\"?+0x1000\""},
    {"heap.sites.1.stack.2", "\"?+0x1020\""},
    {"heap.sites.1.allocations", "100"},
    {"heap.sites.1.peak_bytes", "3000"},
    {"heap.sites.1.live_bytes", "1000"},
    {"heap.sites.1.error", "196.039196"},
    {"sections.0.name", "\"outer\""},
    {"sections.0.calls", "4"},
    {"sections.0.total_s", "5e-6"},
    {"sections.0.self_s", "4.42e-6"},
    {"sections.0.mean_s", "1.25e-6"},
    {"sections.0.stddev_s", "5.59016994e-7"},
    {"sections.0.min_s", "5e-7"},
    {"sections.0.max_s", "2e-6"},
    {"sections.0.allocations", "9"},
    {"sections.0.bytes", "900"},
    {"sections.0.threads", "4"},
    {"sections.1.p50_s", "2.5e-7"},
    {"sections.1.p90_s", "2.5e-7"},
    {"sections.1.p99_s", "2.5e-7"},
    {"calibration.clock", "\"tsc\""},
    {"calibration.tsc_hz", "2000000000"},
    {"calibration.tsc_ppm", "0.5"},
    {"calibration.marker_ns", "30"},
    {"calibration.isa", "\"avx2\""},
    {"calibration.vector_add_bytes_per_s.l1", "100000000000"},
    {"calibration.vector_add_bytes_per_s.l2", "50000000000"},
    {"calibration.vector_add_bytes_per_s.dram", "10000000000"},
    {"calibration.matmul_flops", "60000000000"},
    {"calibration.drift_fraction", "null"},
    {"alerts.0.rule", "\"heap > 5 KiB\""},
    {"alerts.0.at_s", "0.5"},
    {"alerts.0.value", "6000"},
    {"alerts.0.threshold", "5120"},
    {"sampling.mode", "\"poisson\""},
    {"sampling.interval_bytes", "524288"},
    {"sampling.samples", "12"},
    {"sampling.dropped", "3"},
    {"sampling.stacks", "true"},
    {"overhead.seconds", "1.18e-6"},
    {"overhead.fraction", "5.9e-7"},
};

START_TEST(every_name_of_the_contract_is_there)
{
	ps_record->process.start_real_ns = UINT64_C(1700000003250000000);
	write_json();
	for (unsigned i = 0; i < PS_COUNT(values); i++)
		is_value(values[i].path, values[i].value);
}
END_TEST

START_TEST(the_end_is_told)
{
	struct ps_report_options told = {.exit_code = -1, .exit_signal = 9};

	ps_capture(PS_REPORT_JSON, &told, NULL, false);
	check_json();
	is_value("process.exit.kind", "\"signal\"");
	is_value("process.exit.code", "9");
	ps_poke(&ps_record->process.state, PS_STATE_RUNNING);
	ps_poke(&ps_record->process.exit_code, -1);
	write_json();
	is_value("process.exit.kind", "\"running\"");
	is_value("process.exit.code", "null");
}
END_TEST

/* The example has three sites, one of them without a byte. */
START_TEST(sites_that_are_not_listed_are_told)
{
	struct ps_report_options options = {.exit_code = -1, .sites = 1};

	write_json();
	is_value("heap.sites_not_listed", "1");
	ps_capture(PS_REPORT_JSON, &options, NULL, false);
	check_json();
	is_value("heap.sites.0.bytes", "9000");
	is_value("heap.sites_not_listed", "2");
	options.sites = UINT32_MAX;
	ps_capture(PS_REPORT_JSON, &options, NULL, false);
	is_value("heap.sites_not_listed", "1");
}
END_TEST

START_TEST(colours_are_not_for_machines)
{
	ps_capture(PS_REPORT_JSON, NULL, NULL, true);
	check_json();
	ps_capture_hasnt("\033");
}
END_TEST

START_TEST(an_empty_recording_is_a_valid_report)
{
	write_json();
	is_value("process.wall_s", "null");
	is_value("process.user_s", "null");
	is_value("heap.allocations", "0");
	is_value("heap.sites", "[]");
	is_value("heap.timeline", "[]");
	is_value("heap.peak_at_s", "null");
	is_value("heap.short_lived_fraction", "null");
	is_value("sections", "[]");
	is_value("alerts", "[]");
	is_value("calibration.isa", "null");
	is_value("calibration.tsc_hz", "null");
	is_value("sampling.mode", "\"off\"");
	is_value("sampling.interval_bytes", "null");
	ps_capture_hasnt("nan");
}
END_TEST

/* ---- what is not ours ---- */

static bool
resolve_evil(struct ps_symbols *self, uint32_t frame, struct ps_symbol *out)
{
	(void)self;
	*out = (struct ps_symbol){.module = "m\"\\\n\x80", .offset = 255};
	if (frame > 0)
		out->function = "f\"\\\n\x01\xff";
	return true;
}

START_TEST(names_are_quoted)
{
	struct ps_symbols symbols = {.resolve = resolve_evil};

	ps_example_section(1)->name = ps_record_string("a\"\\\n\t\x01\xff");
	ps_record->process.exe = ps_record_string("\"");
	ps_capture(PS_REPORT_JSON, NULL, &symbols, false);
	check_json();
	is_value("sections.0.name", "\"a\\\"\\\\\\n\\t\\u0001\xef\xbf\xbd\"");
	is_value("process.exe", "\"\\\"\"");
	is_value("heap.sites.1.stack.0", "\"m\\\"\\\\\\n\xef\xbf\xbd+0xff\"");
	is_value(
	    "heap.sites.1.stack.1",
	    "\"f\\\"\\\\\\n\\u0001\xef\xbf\xbd (m\\\"\\\\\\n\xef\xbf\xbd)\"");
}
END_TEST

START_TEST(what_is_no_number_is_null)
{
	static const double odd[] = {NAN, INFINITY, -INFINITY, 1e300, 5e-324};
	struct ps_calibration *c = &ps_record->calibration;

	for (double *d = &c->tsc_hz; d <= &c->drift_fraction; d++)
		*d = odd[_i];
	ps_poke(&ps_example_stats(0)->squares, odd[_i]);
	ps_record->sampling.mode = 77;
	write_json();
	is_value("sampling.mode", "null");
	/* A clock that does not tell the time. */
	ps_poke(&ps_record->clock.last_ticks, 0);
	c->tsc_hz = 0;
	write_json();
	is_value("heap.timeline.2.t_s", "null");
	is_value("sections.0.total_s", "null");
}
END_TEST

START_TEST(random_damage_leaves_valid_json)
{
	ps_capture_damaged(PS_REPORT_JSON, 4000, check_json);
}
END_TEST

Suite *
json_suite(void)
{
	Suite *s = suite_create("json");
	TCase *contract = tcase_create("contract");
	TCase *empty = tcase_create("empty");
	TCase *foreign = tcase_create("foreign");

	tcase_add_checked_fixture(contract, ps_capture_set_up,
				  ps_capture_tear_down);
	tcase_add_test(contract, the_test_knows_json_from_other_text);
	tcase_add_test(contract, every_name_of_the_contract_is_there);
	tcase_add_test(contract, the_end_is_told);
	tcase_add_test(contract, sites_that_are_not_listed_are_told);
	tcase_add_test(contract, colours_are_not_for_machines);
	suite_add_tcase(s, contract);

	tcase_add_checked_fixture(empty, ps_capture_set_up_empty,
				  ps_capture_tear_down);
	tcase_add_test(empty, an_empty_recording_is_a_valid_report);
	suite_add_tcase(s, empty);

	tcase_add_checked_fixture(foreign, ps_capture_set_up,
				  ps_capture_tear_down);
	tcase_add_test(foreign, names_are_quoted);
	tcase_add_loop_test(foreign, what_is_no_number_is_null, 0, 5);
	tcase_add_test(foreign, random_damage_leaves_valid_json);
	tcase_set_timeout(foreign, 30);
	suite_add_tcase(s, foreign);
	return s;
}
