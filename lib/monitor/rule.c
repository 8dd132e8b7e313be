/* SPDX-License-Identifier: MIT */
/*
 * rule - when to raise an alert: the grammar, and a rule as read from it
 *
 * A recursive descent without recursion: one cursor over the text, one function
 * for each production.  What cannot be read is remembered by the cursor, which
 * takes nothing from then on, so no production returns a status of its own.
 *
 * A section's name may hold anything but a closing bracket, a semicolon
 * included.
 */
#include <errno.h>
#include <string.h>

#include "monitor/rule_cursor.h"

static const char *const severity_names[] = {"info", "warning", "critical"};
_Static_assert(PS_COUNT(severity_names) == PS_SEVERITY_CRITICAL + 1,
	       "one name each");
static const char *const unit_names[] = {
    "count", "bytes", "bytes_per_second", "per_second", "seconds", "fraction",
};
_Static_assert(PS_COUNT(unit_names) == PS_IN_FRACTION + 1, "one name each");

const char *
ps_severity_name(uint32_t severity)
{
	return severity < PS_COUNT(severity_names) ? severity_names[severity]
						   : "unknown";
}

const char *
ps_unit_name(uint32_t unit)
{
	return unit < PS_COUNT(unit_names) ? unit_names[unit] : "unknown";
}

/* ---- values ------------------------------------------------------------- */

static double
take_level(struct ps_cursor *c, struct ps_rule *r, bool *is_of_limit)
{
	double value;

	*is_of_limit = false;
	if (r->unit == PS_IN_BYTES && ps_cursor_is_percent(c)) {
		value = ps_cursor_percent(c, "%");
		ps_cursor_expect(c, "of", "of limit");
		ps_cursor_expect(c, "limit", "limit");
		*is_of_limit = true;
		return value;
	}
	if (r->unit == PS_IN_BYTES)
		return ps_cursor_bytes(c, false);
	value = ps_cursor_number(c);
	if (ps_cursor_take(c, "K"))
		value *= 1e3;
	else if (ps_cursor_take(c, "M"))
		value *= 1e6;
	return value;
}

static double
take_rate(struct ps_cursor *c)
{
	double value = ps_cursor_number(c);

	ps_cursor_expect(c, "/s",
			 "/s: calls are counted by the second, such as 100/s");
	return value;
}

/* The value after an operator, in the unit of the rule's figure. */
static double
take_value(struct ps_cursor *c, struct ps_rule *r, bool *is_of_limit)
{
	*is_of_limit = false;
	switch (r->stat) {
	case PS_STAT_LEVEL:
		return take_level(c, r, is_of_limit);
	case PS_STAT_GROWTH:
		return r->unit == PS_IN_BYTES_PER_S ? ps_cursor_bytes(c, true)
						    : take_rate(c);
	case PS_STAT_CALLS:
		return take_rate(c);
	case PS_STAT_ERRORS:
		return ps_cursor_percent(c,
					 "%: errors are a part of the calls");
	default:
		return ps_cursor_time(c);
	}
}

/* ---- productions -------------------------------------------------------- */

static void
take_name(struct ps_cursor *c, struct ps_rule *r)
{
	const char *end;
	size_t length;

	ps_cursor_expect(c, "(", "(NAME)");
	if (c->has_failed)
		return;
	end = strchr(c->at, ')');
	length = end == NULL ? 0 : (size_t)(end - c->at);
	if (length == 0) {
		ps_cursor_fail(c, "a section's name or a glob, then )");
	} else if (length >= sizeof(r->name)) {
		ps_cursor_fail(c, "a name of at most 119 bytes");
	} else {
		memcpy(r->name, c->at, length);
		c->at = end + 1;
	}
}

static void
take_stat(struct ps_cursor *c, struct ps_rule *r)
{
	static const struct {
		enum ps_stat stat;
		double quantile;
	} stats[] = {
	    {PS_STAT_QUANTILE, 0.5},   {PS_STAT_QUANTILE, 0.9},
	    {PS_STAT_QUANTILE, 0.999}, {PS_STAT_QUANTILE, 0.99},
	    {PS_STAT_MAX, 0},	       {PS_STAT_MEAN, 0},
	    {PS_STAT_CALLS, 0},
	};
	static const char *const words[] = {"p50", "p90",  "p999", "p99",
					    "max", "mean", "calls"};
	static const char allowed[] = "one of p50 p90 p99 p999 max mean calls";
	int i;

	_Static_assert(PS_COUNT(words) == PS_COUNT(stats), "a word each");
	ps_cursor_expect(c, ".", ".p99, .max, .mean or .calls");
	i = ps_cursor_take_one_of(c, words, PS_COUNT(words));
	if (i < 0 || (*c->at >= '0' && *c->at <= '9')) {
		ps_cursor_fail(c, allowed);
		return;
	}
	r->stat = stats[i].stat;
	r->quantile = stats[i].quantile;
	r->unit = r->stat == PS_STAT_CALLS ? PS_IN_PER_S : PS_IN_SECONDS;
}

static void
take_subject(struct ps_cursor *c, struct ps_rule *r)
{
	static const char *const words[] = {"heap",   "rss",	 "live",
					    "failed", "section", "errors"};
	static const char allowed[] =
	    "one of heap, rss, live blocks, failed allocations, "
	    "section(NAME).p99, errors(NAME)";
	int i = ps_cursor_take_one_of(c, words, PS_COUNT(words));

	_Static_assert(PS_COUNT(words) == PS_SUBJECT_ERRORS + 1, "a word each");
	if (i < 0) {
		ps_cursor_fail(c, allowed);
		return;
	}
	r->subject = (enum ps_subject)i;
	r->stat = PS_STAT_LEVEL;
	r->unit = i <= PS_SUBJECT_RSS ? PS_IN_BYTES : PS_IN_COUNT;
	switch (r->subject) {
	case PS_SUBJECT_BLOCKS:
		ps_cursor_expect(c, "blocks", "blocks");
		break;
	case PS_SUBJECT_FAILED:
		ps_cursor_expect(c, "allocations", "allocations");
		break;
	case PS_SUBJECT_SECTION:
		take_name(c, r);
		take_stat(c, r);
		break;
	case PS_SUBJECT_ERRORS:
		take_name(c, r);
		r->stat = PS_STAT_ERRORS;
		r->unit = PS_IN_FRACTION;
		break;
	default:
		break;
	}
}

static void
take_growth(struct ps_cursor *c, struct ps_rule *r)
{
	if (r->stat != PS_STAT_LEVEL || !ps_cursor_take(c, "grows"))
		return;
	r->stat = PS_STAT_GROWTH;
	r->unit = r->unit == PS_IN_BYTES ? PS_IN_BYTES_PER_S : PS_IN_PER_S;
}

static uint64_t
take_duration(struct ps_cursor *c, double least_s)
{
	const double most_s = 30 * 86400.0;
	double seconds = ps_cursor_time(c);

	if (seconds < least_s || seconds > most_s)
		ps_cursor_fail(c, least_s > 0 ? "a time from 1s to 30d"
					      : "a time up to 30d");
	return c->has_failed ? 0 : (uint64_t)(seconds * 1e9 + 0.5);
}

static void
take_clear(struct ps_cursor *c, struct ps_rule *r)
{
	bool is_of_limit;

	r->clear = take_value(c, r, &is_of_limit);
	if (is_of_limit != r->is_of_limit)
		ps_cursor_fail(c, "a value of the threshold's kind");
	if (r->is_below ? r->clear < r->threshold : r->clear > r->threshold)
		ps_cursor_fail(c, "a value on the good side of the threshold");
}

static bool
take_clause(struct ps_cursor *c, struct ps_rule *r)
{
	static const char *const words[] = {"over", "for", "every", "clear"};
	const double least_s = 1;

	switch (ps_cursor_take_one_of(c, words, PS_COUNT(words))) {
	case 0:
		r->over_ns = take_duration(c, least_s);
		return true;
	case 1:
		r->hold_ns = take_duration(c, 0);
		return true;
	case 2:
		r->every_ns = take_duration(c, 0);
		return true;
	case 3:
		take_clear(c, r);
		return true;
	default:
		return false;
	}
}

static void
take_rule(struct ps_cursor *c, struct ps_rule *r)
{
	const char *start;
	int severity;

	memset(r, 0, sizeof(*r));
	ps_cursor_skip_blanks(c);
	start = c->at;
	severity =
	    ps_cursor_take_one_of(c, severity_names, PS_COUNT(severity_names));
	r->severity =
	    severity < 0 ? PS_SEVERITY_WARNING : (enum ps_severity)severity;
	if (severity >= 0)
		ps_cursor_expect(c, ":", ": and then the rule");
	take_subject(c, r);
	take_growth(c, r);
	r->is_below = ps_cursor_take(c, "<");
	if (!r->is_below)
		ps_cursor_expect(c, ">",
				 r->stat == PS_STAT_LEVEL ? "grows, > or <"
							  : "> or <");
	r->threshold = take_value(c, r, &r->is_of_limit);
	r->clear = r->threshold * (r->is_below ? 1.1 : 0.9);
	r->over_ns = UINT64_C(10000000000);
	r->every_ns = UINT64_C(60000000000);
	while (take_clause(c, r))
		;
	ps_cursor_skip_blanks(c);
	if (*c->at != ';' && *c->at != '\0')
		ps_cursor_fail(
		    c, "over, for, every, clear, or ; and another rule");
	PS_ASSERT(c->has_failed || r->over_ns > 0);
	PS_ASSERT(c->has_failed ||
		  ps_rule_is_of_heap(r) == (r->name[0] == '\0'));
	memcpy(r->text, start,
	       PS_MIN((size_t)(c->at - start), sizeof(r->text) - 1));
}

/* A rule ends with a blank when more was read than it. */
static void
trim(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && strchr(" \t\n", text[length - 1]) != NULL)
		text[--length] = '\0';
}

int
ps_rules_parse(const char *text, struct ps_rules *out,
	       struct ps_rule_error *error)
{
	struct ps_cursor c = {.text = text, .at = text, .error = error};

	out->count = 0;
	for (;; c.at++) {
		ps_cursor_skip_blanks(&c);
		if (*c.at == '\0')
			break;
		if (*c.at == ';')
			continue;
		if (out->count == PS_RULES_MAX)
			ps_cursor_fail(&c, "16 rules at most");
		else
			take_rule(&c, &out->rule[out->count++]);
		if (c.has_failed)
			break;
		trim(out->rule[out->count - 1].text);
		if (*c.at == '\0')
			break;
	}
	PS_ASSERT(out->count <= PS_RULES_MAX);
	if (!c.has_failed)
		return 0;
	PS_ASSERT(error->allowed != NULL && error->column > 0);
	out->count = 0;
	return -EINVAL;
}
