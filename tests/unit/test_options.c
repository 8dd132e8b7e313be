/* SPDX-License-Identifier: MIT */
/*
 * test_options - good values, bad values, and any bytes at all
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "record/layout.h"

static struct ps_options options;
static char complaints[2048];
static unsigned complaint_count;

static void
complain(const char *line)
{
	ck_assert_uint_lt(strlen(line), 490);
	ck_assert_ptr_null(strchr(line, '\n'));
	complaint_count++;
	snprintf(complaints, sizeof(complaints), "%s", line);
}

static void
take(const char *a, const char *b)
{
	char *const envp[] = {(char *)a, (char *)b, NULL};

	complaint_count = 0;
	ps_options_init(&options);
	ps_options_from_environment(&options, envp, complain);
}

START_TEST(defaults)
{
	ps_options_init(&options);
	ck_assert_str_eq(options.out, "");
	ck_assert_uint_eq(options.report, PS_REPORT_STDERR);
	ck_assert(!options.is_report_set);
	ck_assert_uint_eq(options.sample_mode, PS_SAMPLE_POISSON);
	ck_assert_uint_eq(options.sample_bytes, 524288);
	ck_assert_uint_eq(options.depth, 64);
	ck_assert(options.are_sections_on &&
		  options.children == PS_CHILDREN_ON);
	ck_assert_uint_eq(options.calibrate, PS_CALIBRATE_QUICK);
	ck_assert(options.is_pool_on);
}
END_TEST

/* The documented default of each row, set by hand, changes nothing. */
START_TEST(documented_defaults_are_the_defaults)
{
	struct ps_options fresh;
	const struct ps_option_row *row;

	ps_options_init(&fresh);
	for (unsigned i = 0; (row = ps_options_row(i)) != NULL; i++) {
		if (strcmp(row->name, "PERFSHIM_OUT") == 0)
			continue; /* "none" is in words */
		ps_options_init(&options);
		ck_assert_int_eq(
		    ps_options_set(&options, row->name, row->fallback), 0);
		options.is_report_set = false;
		ck_assert_mem_eq(&options, &fresh, sizeof(fresh));
	}
}
END_TEST

static const struct {
	const char *text;
	uint64_t bytes; /* 0: refused */
} sizes[] = {
    {"1", 1},
    {"512K", 524288},
    {"512k", 524288},
    {"64KiB", 65536},
    {"2M", 2097152},
    {"1GiB", 1073741824},
    {"1T", UINT64_C(1) << 40},
    {"100B", 100},
    {"0", 0},
    {"-1", 0},
    {"+1", 0},
    {" 1", 0},
    {"1 ", 0},
    {"", 0},
    {"K", 0},
    {"12x", 0},
    {"1KB", 0},
    {"1Kib", 0},
    {"1KiBs", 0},
    {"1.5M", 0},
    {"2T", 0},
    {"18446744073709551616", 0},
    {"18446744073709551615K", 0},
    {"99999999999999999999999999999999", 0},
};

START_TEST(sizes_are_read)
{
	int err;

	ps_options_init(&options);
	err = ps_options_set(&options, "PERFSHIM_SAMPLE", sizes[_i].text);
	if (sizes[_i].bytes == 0) {
		ck_assert_int_eq(err, -EINVAL);
		ck_assert_uint_eq(options.sample_bytes, 524288);
	} else {
		ck_assert_int_eq(err, 0);
		ck_assert_uint_eq(options.sample_bytes, sizes[_i].bytes);
	}
	ck_assert_uint_eq(options.sample_mode, PS_SAMPLE_POISSON);
}
END_TEST

static const struct {
	const char *entry;
	bool is_good;
} entries[] = {
    {"PERFSHIM_OUT=/var/tmp", true},
    {"PERFSHIM_REPORT=none", true},
    {"PERFSHIM_REPORT=/tmp/r.%p.%e", true},
    {"PERFSHIM_FORMAT=json", true},
    {"PERFSHIM_FORMAT=JSON", false},
    {"PERFSHIM_SAMPLE=all", true},
    {"PERFSHIM_SAMPLE=off", true},
    {"PERFSHIM_SAMPLE=on", false},
    {"PERFSHIM_DEPTH=1", true},
    {"PERFSHIM_DEPTH=128", true},
    {"PERFSHIM_DEPTH=0", false},
    {"PERFSHIM_DEPTH=129", false},
    {"PERFSHIM_DEPTH=64K", false},
    {"PERFSHIM_SECTIONS=off", true},
    {"PERFSHIM_SECTIONS=db_*,parse", true},
    {"PERFSHIM_CALIBRATE=full", true},
    {"PERFSHIM_CALIBRATE=yes", false},
    {"PERFSHIM_SIMD=avx2", true},
    {"PERFSHIM_SIMD=mmx", false},
    {"PERFSHIM_CHILDREN=off", true},
    {"PERFSHIM_CHILDREN=all", true},
    {"PERFSHIM_CHILDREN=0", false},
    {"PERFSHIM_CLOCK=monotonic", true},
    {"PERFSHIM_CLOCK=hpet", false},
    {"PERFSHIM_POOL=off", true},
    {"PERFSHIM_EVENTS=off", true},
    {"PERFSHIM_EVENTS=262144", true},
    {"PERFSHIM_EVENTS=262145", false},
    {"PERFSHIM_EVENTS=0", false},
    {"PERFSHIM_EVENTS=9k", false},
    {"PERFSHIM_POOL=of", false},
    {"PERFSHIM_HARDEN=full", true},
    {"PERFSHIM_HARDEN=off", true},
    {"PERFSHIM_HARDEN=on", false},
    {"PERFSHIM_ALERT=heap > 1G; rss > 2G", true},
    {"PERFSHIM_ALERT_TO=unix:/run/x", true},
    {"PERFSHIM_METRICS=/var/lib/%p.prom", true},
    {"PERFSHIM_ALARM=x", false},
    {"PERFSHIM_", true}, /* no '=': not a variable */
    {"PERFSHIM_=x", false},
    {"PERFSHIM_SAMPLE=", true}, /* empty: not set */
    {"PERFSHIMX=1", true},	/* not ours */
    {"perfshim_out=1", true},
};

START_TEST(entries_are_taken_or_complained_about)
{
	take(entries[_i].entry, NULL);
	ck_assert_uint_eq(complaint_count, !entries[_i].is_good);
}
END_TEST

START_TEST(values_arrive)
{
	take("PERFSHIM_SECTIONS=db_*,parse", "PERFSHIM_REPORT=/r.%p");
	ck_assert(options.are_sections_on);
	ck_assert_str_eq(options.section_globs, "db_*,parse");
	ck_assert_uint_eq(options.report, PS_REPORT_PATH);
	ck_assert_str_eq(options.report_path, "/r.%p");
	ck_assert(options.is_report_set);
	take("PERFSHIM_SECTIONS=off", "PERFSHIM_POOL=off");
	ck_assert(!options.are_sections_on && !options.is_pool_on);
	take("PERFSHIM_CLOCK=tsc", "PERFSHIM_CALIBRATE=off");
	ck_assert_uint_eq(options.clock, PS_CLOCK_USE_TSC);
	ck_assert_uint_eq(options.calibrate, PS_CALIBRATE_OFF);
	take("PERFSHIM_SAMPLE=all", "PERFSHIM_DEPTH=7");
	ck_assert_uint_eq(options.sample_mode, PS_SAMPLE_ALL);
	ck_assert_uint_eq(options.depth, 7);
	take("PERFSHIM_OUT=/a", "PERFSHIM_OUT=/b");
	ck_assert_str_eq(options.out, "/a"); /* as getenv */
}
END_TEST

START_TEST(complaints_read_as_documented)
{
	take("PERFSHIM_SAMPLE=12x", NULL);
	ck_assert_str_eq(complaints,
			 "PERFSHIM_SAMPLE=12x: not understood; allowed: a size "
			 "such as 512K, auto, all, off; using auto");
	take("PERFSHIM_SAMPEL=1M", NULL);
	ck_assert_str_eq(complaints, "PERFSHIM_SAMPEL: no such variable; the "
				     "nearest is PERFSHIM_SAMPLE");
	take("PERFSHIM_DEPTH=\x1b[2J\n", NULL);
	ck_assert_ptr_nonnull(strstr(complaints, "\\x1b[2J\\x0a"));
}
END_TEST

START_TEST(an_overlong_path_is_refused_not_cut)
{
	char entry[PS_PATH_MAX + 64];
	int length = snprintf(entry, sizeof(entry), "PERFSHIM_OUT=/");

	memset(entry + length, 'd', PS_PATH_MAX - 2);
	entry[length + PS_PATH_MAX - 2] = 0; /* PS_PATH_MAX - 1 bytes: fits */
	take(entry, NULL);
	ck_assert_uint_eq(complaint_count, 0);
	ck_assert_uint_eq(strlen(options.out), PS_PATH_MAX - 1);
	strcat(entry, "d");
	take(entry, NULL);
	ck_assert_uint_eq(complaint_count, 1);
	ck_assert_str_eq(options.out, "");
}
END_TEST

static void
check_options(const struct ps_options *o)
{
	ck_assert_ptr_nonnull(memchr(o->out, 0, sizeof(o->out)));
	ck_assert_ptr_nonnull(
	    memchr(o->report_path, 0, sizeof(o->report_path)));
	ck_assert_ptr_nonnull(
	    memchr(o->section_globs, 0, sizeof(o->section_globs)));
	ck_assert_uint_ge(o->depth, 1);
	ck_assert_uint_le(o->depth, PS_STACK_DEPTH_MAX);
	ck_assert_uint_gt(o->sample_bytes, 0);
	ck_assert_uint_le(o->sample_mode, PS_SAMPLE_ALL);
	ck_assert_uint_le(o->report, PS_REPORT_PATH);
	ck_assert_uint_le(o->clock, PS_CLOCK_USE_MONOTONIC);
	ck_assert_uint_le(o->calibrate, PS_CALIBRATE_FULL);
}

START_TEST(any_bytes_leave_good_options)
{
	static const char alphabet[] = "019KMGiBalof,*?-=\x1b\xff\xc3\n tsc";
	char entry[1400];
	unsigned seed = 11;

	for (unsigned n = 0; n < 100000; n++) {
		unsigned row = (unsigned)rand_r(&seed) % 12;
		const struct ps_option_row *r = ps_options_row(row);
		int at = snprintf(entry, sizeof(entry),
				  "%s=", r != NULL ? r->name : "PERFSHIM_");
		unsigned length =
		    (unsigned)rand_r(&seed) % (n % 1000 == 0 ? 1300 : 12);

		if (r == NULL)
			at -= rand_r(&seed) % 2; /* a random name, too */
		for (unsigned i = 0; i < length; i++)
			entry[at++] = alphabet[(size_t)rand_r(&seed) %
					       (sizeof(alphabet) - 1)];
		entry[at] = 0;
		take(entry, NULL);
		check_options(&options);
	}
}
END_TEST

static const struct {
	const char *globs;
	const char *name;
	bool is_match;
} globs[] = {
    {"", "anything", true},
    {"*", "", true},
    {"a", "a", true},
    {"a", "ab", false},
    {"ab", "a", false},
    {"a*c", "abbc", true},
    {"a*c", "abbcd", false},
    {"*b*", "abc", true},
    {"a?c", "abc", true},
    {"a?c", "ac", false},
    {"x,y*,z", "yes", true},
    {"x,y*,z", "no", false},
    {"x,", "", true}, /* an empty pattern matches the empty name */
    {"a**b", "ab", true},
    {"*ab", "aab", true},
    {"*a*b*c", "xaxbxbxc", true},
};

START_TEST(globs_match)
{
	ck_assert(ps_glob_list_match(globs[_i].globs, globs[_i].name) ==
		  globs[_i].is_match);
}
END_TEST

/* Exponential with the textbook recursion: 2^40 steps. */
START_TEST(many_stars_are_no_blow_up)
{
	char name[4097];
	char pattern[PS_GLOBS_MAX];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	for (unsigned i = 0; i < 80; i += 2)
		memcpy(pattern + i, "*a", 2);
	strcpy(pattern + 80, "*b");
	for (unsigned i = 0; i < 20; i++)
		ck_assert(!ps_glob_list_match(pattern, name));
}
END_TEST

static bool
reference_match(const char *glob, const char *name)
{
	if (*glob == 0)
		return *name == 0;
	if (*glob == '*')
		return reference_match(glob + 1, name) ||
		       (*name != 0 && reference_match(glob, name + 1));
	return *name != 0 && (*glob == '?' || *glob == *name) &&
	       reference_match(glob + 1, name + 1);
}

START_TEST(globs_equal_the_textbook)
{
	unsigned seed = 13;

	for (unsigned n = 0; n < 200000; n++) {
		char glob[9] = "";
		char name[9] = "";
		unsigned glob_length = 1 + (unsigned)rand_r(&seed) % 7;
		unsigned name_length = (unsigned)rand_r(&seed) % 8;

		for (unsigned i = 0; i < glob_length; i++)
			glob[i] = "ab*?"[rand_r(&seed) % 4];
		for (unsigned i = 0; i < name_length; i++)
			name[i] = "ab"[rand_r(&seed) % 2];
		ck_assert(ps_glob_list_match(glob, name) ==
			  reference_match(glob, name));
	}
}
END_TEST

Suite *
options_suite(void)
{
	Suite *s = suite_create("options");
	TCase *values = tcase_create("values");
	TCase *glob = tcase_create("glob");

	tcase_add_test(values, defaults);
	tcase_add_test(values, documented_defaults_are_the_defaults);
	tcase_add_loop_test(values, sizes_are_read, 0, (int)PS_COUNT(sizes));
	tcase_add_loop_test(values, entries_are_taken_or_complained_about, 0,
			    (int)PS_COUNT(entries));
	tcase_add_test(values, values_arrive);
	tcase_add_test(values, complaints_read_as_documented);
	tcase_add_test(values, an_overlong_path_is_refused_not_cut);
	tcase_add_test(values, any_bytes_leave_good_options);
	tcase_set_timeout(values, 30);
	suite_add_tcase(s, values);

	tcase_add_loop_test(glob, globs_match, 0, (int)PS_COUNT(globs));
	tcase_add_test(glob, many_stars_are_no_blow_up);
	tcase_add_test(glob, globs_equal_the_textbook);
	suite_add_tcase(s, glob);
	return s;
}
