/* SPDX-License-Identifier: MIT */
/*
 * test_rule - the grammar: what it takes, where it says it went wrong, and that
 * no bytes at all make it read beyond them
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/rule.h"

static struct ps_rules rules;
static struct ps_rule_error error;

static const struct ps_rule *
only(const char *text)
{
	ck_assert_msg(ps_rules_parse(text, &rules, &error) == 0,
		      "%s: column %u: %s", text, error.column, error.allowed);
	ck_assert_uint_eq(rules.count, 1);
	return &rules.rule[0];
}

static const struct {
	const char *text;
	enum ps_subject subject;
	enum ps_stat stat;
	enum ps_unit unit;
	double threshold;
	double clear;
} good[] = {
    {"heap > 2GiB", PS_SUBJECT_HEAP, PS_STAT_LEVEL, PS_IN_BYTES, 0x1p31,
     0x1p31 * 0.9},
    {"heap>512K", PS_SUBJECT_HEAP, PS_STAT_LEVEL, PS_IN_BYTES, 524288,
     524288 * 0.9},
    {"heap > 80% of limit", PS_SUBJECT_HEAP, PS_STAT_LEVEL, PS_IN_BYTES, 0.8,
     0.72},
    {"rss > 1.5G clear 1G", PS_SUBJECT_RSS, PS_STAT_LEVEL, PS_IN_BYTES,
     1.5 * 0x1p30, 0x1p30},
    {"rss > 90 % of limit clear 50% of limit", PS_SUBJECT_RSS, PS_STAT_LEVEL,
     PS_IN_BYTES, 0.9, 0.5},
    {"heap grows > 10MiB/s for 30s", PS_SUBJECT_HEAP, PS_STAT_GROWTH,
     PS_IN_BYTES_PER_S, 10485760, 9437184},
    {"live blocks > 1M", PS_SUBJECT_BLOCKS, PS_STAT_LEVEL, PS_IN_COUNT, 1e6,
     9e5},
    {"live blocks grows > 1000/s", PS_SUBJECT_BLOCKS, PS_STAT_GROWTH,
     PS_IN_PER_S, 1000, 900},
    {"failed allocations > 0", PS_SUBJECT_FAILED, PS_STAT_LEVEL, PS_IN_COUNT, 0,
     0},
    {"section(parse).p99 > 5ms over 10s", PS_SUBJECT_SECTION, PS_STAT_QUANTILE,
     PS_IN_SECONDS, 5e-3, 4.5e-3},
    {"section(*).max > 100ms", PS_SUBJECT_SECTION, PS_STAT_MAX, PS_IN_SECONDS,
     0.1, 0.09},
    {"section(a b;c).mean > 10us", PS_SUBJECT_SECTION, PS_STAT_MEAN,
     PS_IN_SECONDS, 1e-5, 9e-6},
    {"section(tick).calls < 10/s", PS_SUBJECT_SECTION, PS_STAT_CALLS,
     PS_IN_PER_S, 10, 11},
    {"errors(name) > 1%", PS_SUBJECT_ERRORS, PS_STAT_ERRORS, PS_IN_FRACTION,
     0.01, 0.009},
};

static bool
is_near(double a, double b)
{
	double gap = a > b ? a - b : b - a;

	return gap <= 1e-12 * (b > 0 ? b : 1);
}

START_TEST(good_rules_are_read)
{
	const struct ps_rule *r = only(good[_i].text);

	ck_assert_int_eq(r->subject, good[_i].subject);
	ck_assert_int_eq(r->stat, good[_i].stat);
	ck_assert_int_eq(r->unit, good[_i].unit);
	ck_assert(is_near(r->threshold, good[_i].threshold));
	ck_assert(is_near(r->clear, good[_i].clear));
	ck_assert_str_eq(r->text, good[_i].text);
	ck_assert_int_eq(r->severity, PS_SEVERITY_WARNING);
	ck_assert_int_eq(r->is_of_limit,
			 strstr(good[_i].text, "limit") != NULL);
	ck_assert_int_eq(r->is_below, strchr(good[_i].text, '<') != NULL);
}
END_TEST

START_TEST(clauses_come_in_any_order)
{
	const struct ps_rule *r =
	    only(" critical : section(q).p999 > 1s every 2m clear 500ms for "
		 "3s over 1h ");

	ck_assert_int_eq(r->severity, PS_SEVERITY_CRITICAL);
	ck_assert_str_eq(r->name, "q");
	ck_assert(r->quantile == 0.999);
	ck_assert(is_near(r->clear, 0.5));
	ck_assert_uint_eq(r->every_ns, UINT64_C(120000000000));
	ck_assert_uint_eq(r->hold_ns, UINT64_C(3000000000));
	ck_assert_uint_eq(r->over_ns, UINT64_C(3600000000000));
	ck_assert_str_eq(r->text, "critical : section(q).p999 > 1s every 2m "
				  "clear 500ms for 3s over 1h");
}
END_TEST

START_TEST(defaults_are_as_documented)
{
	const struct ps_rule *r = only("section(x).p50 > 1ms");

	ck_assert_uint_eq(r->over_ns, UINT64_C(10000000000));
	ck_assert_uint_eq(r->every_ns, UINT64_C(60000000000));
	ck_assert_uint_eq(r->hold_ns, 0);
	ck_assert(r->quantile == 0.5);
}
END_TEST

START_TEST(several_rules_are_separated_by_semicolons)
{
	ck_assert_int_eq(
	    ps_rules_parse(";heap > 1G; info: rss > 2G;;", &rules, &error), 0);
	ck_assert_uint_eq(rules.count, 2);
	ck_assert_str_eq(rules.rule[0].text, "heap > 1G");
	ck_assert_str_eq(rules.rule[1].text, "info: rss > 2G");
	ck_assert_int_eq(ps_rules_parse("", &rules, &error), 0);
	ck_assert_uint_eq(rules.count, 0);
}
END_TEST

static const struct {
	const char *text;
	uint32_t column;
	const char *allowed; /* a part of it */
} bad[] = {
    {"hepa > 1G", 1, "heap, rss"},
    {"heap 1G", 6, "grows, > or <"},
    {"heap > lots", 8, "a number"},
    {"heap > 1", 9, "a unit"},
    {"heap > 1X", 9, "a unit"},
    {"heap > 80%", 11, "of limit"},
    {"heap > 101% of limit", 12, "100% at most"},
    {"heap grows > 10MiB", 19, "/s"},
    {"live > 3", 6, "blocks"},
    {"failed > 3", 8, "allocations"},
    {"section.p99 > 5ms", 8, "(NAME)"},
    {"section().p99 > 5ms", 9, "a section's name"},
    {"section(x > 5ms", 9, "then )"},
    {"section(x) > 5ms", 12, ".p99"},
    {"section(x).p98 > 5ms", 12, "p50 p90 p99"},
    {"section(x).p9999 > 5ms", 16, "p50 p90 p99"},
    {"section(x).p99 > 5", 19, "a time with its unit"},
    {"section(x).calls > 5", 21, "/s"},
    {"errors(x) > 1", 14, "%"},
    {"heap > 1G fort 3s", 11, "over, for, every, clear"},
    {"heap > 1G over 10ms", 20, "from 1s to 30d"},
    {"heap > 1G every 31d", 20, "up to 30d"},
    {"heap > 1G clear 2G", 19, "good side"},
    {"heap < 1G clear 512M", 21, "good side"},
    {"heap > 1G clear 10% of limit", 29, "threshold's kind"},
    {"fatal: heap > 1G", 1, "heap, rss"},
    {"info heap > 1G", 6, ":"},
    {"heap > 1G; rss", 15, "grows, > or <"},
    {"heap > 1.2.3G", 11, "a unit"},
    {"heap > 9999999999999999999999G", 30, "a number"},
};

START_TEST(bad_rules_say_where_and_what)
{
	ck_assert_int_eq(ps_rules_parse(bad[_i].text, &rules, &error), -EINVAL);
	ck_assert_msg(error.column == bad[_i].column &&
			  strstr(error.allowed, bad[_i].allowed) != NULL,
		      "%s: column %u: %s", bad[_i].text, error.column,
		      error.allowed);
	ck_assert_uint_eq(rules.count, 0);
}
END_TEST

START_TEST(sixteen_rules_are_the_limit)
{
	char text[17 * 12 + 1] = "";

	for (int i = 0; i < PS_RULES_MAX; i++)
		strcat(text, "heap > 1G;");
	ck_assert_int_eq(ps_rules_parse(text, &rules, &error), 0);
	ck_assert_uint_eq(rules.count, PS_RULES_MAX);
	strcat(text, "heap > 1G");
	ck_assert_int_eq(ps_rules_parse(text, &rules, &error), -EINVAL);
	ck_assert_uint_eq(error.column, 161);
}
END_TEST

/* A name of the greatest length is kept, a longer one refused, not cut. */
START_TEST(names_are_never_cut)
{
	char text[200] = "section(";

	memset(text + 8, 'n', PS_RULE_NAME_MAX - 1);
	strcpy(text + 8 + PS_RULE_NAME_MAX - 1, ").max > 1s");
	ck_assert_uint_eq(strlen(only(text)->name), PS_RULE_NAME_MAX - 1);
	memset(text + 8, 'n', PS_RULE_NAME_MAX);
	strcpy(text + 8 + PS_RULE_NAME_MAX, ").max > 1s");
	ck_assert_int_eq(ps_rules_parse(text, &rules, &error), -EINVAL);
	ck_assert_uint_eq(error.column, 9);
}
END_TEST

/* Tokens in any order, and any bytes between them, in memory of their size. */
START_TEST(any_text_is_read_or_refused)
{
	static const char *const tokens[] = {
	    "heap",   "rss",	  "live",
	    "blocks", "section(", "errors(",
	    ")",      ".p99",	  ".max",
	    "grows",  ">",	  "<",
	    "5",      "1.5",	  "%",
	    "of",     "limit",	  "MiB",
	    "/s",     "ms",	  "for",
	    "over",   "every",	  "clear",
	    ";",      "info",	  ":",
	    "*",      "\xff",	  " ",
	    "\n",     "critical", "999999999999999999999"};
	unsigned taken = 0;

	srandom(7);
	for (int round = 0; round < 200000; round++) {
		char text[200] = "";
		char *exact;

		if (round % 2 == 0)
			strcpy(text, "rss > 5MiB ");

		for (long n = random() % 14; n > 0; n--)
			strcat(text, tokens[random() % PS_COUNT(tokens)]);
		exact = strdup(text);
		memset(&error, 0, sizeof(error));
		if (ps_rules_parse(exact, &rules, &error) == 0) {
			taken += rules.count;
		} else {
			ck_assert_ptr_nonnull(error.allowed);
			ck_assert_uint_ge(error.column, 1);
			ck_assert_uint_le(error.column, strlen(text) + 1);
		}
		free(exact);
	}
	ck_assert_uint_gt(taken, 0);
}
END_TEST

/* What was read is read again from its own text, with the same meaning. */
START_TEST(a_rules_text_reads_the_same)
{
	struct ps_rule first = *only(good[_i].text);

	ck_assert_mem_eq(only(first.text), &first, sizeof(first));
}
END_TEST

Suite *
rule_suite(void)
{
	Suite *s = suite_create("rule");
	TCase *grammar = tcase_create("grammar");

	tcase_add_loop_test(grammar, good_rules_are_read, 0,
			    (int)PS_COUNT(good));
	tcase_add_loop_test(grammar, a_rules_text_reads_the_same, 0,
			    (int)PS_COUNT(good));
	tcase_add_test(grammar, clauses_come_in_any_order);
	tcase_add_test(grammar, defaults_are_as_documented);
	tcase_add_test(grammar, several_rules_are_separated_by_semicolons);
	tcase_add_loop_test(grammar, bad_rules_say_where_and_what, 0,
			    (int)PS_COUNT(bad));
	tcase_add_test(grammar, sixteen_rules_are_the_limit);
	tcase_add_test(grammar, names_are_never_cut);
	tcase_add_test(grammar, any_text_is_read_or_refused);
	suite_add_tcase(s, grammar);
	return s;
}
