/* SPDX-License-Identifier: MIT */
/*
 * rule - when to raise an alert: the grammar, and a rule as read from it
 *
 *   rules    = rule { ";" rule }
 *   rule     = [ severity ":" ] subject [ "grows" ] ( ">" | "<" ) value
 *              { "over" time | "for" time | "every" time | "clear" value }
 *   severity = "info" | "warning" | "critical"            default warning
 *   subject  = "heap" | "rss" | "live blocks" | "failed allocations"
 *            | "section(" name ")." stat | "errors(" name ")"
 *   stat     = "p50" | "p90" | "p99" | "p999" | "max" | "mean" | "calls"
 *   name     = a section's name, or globs (* and ?) separated by commas
 *   value    = number [ unit ]     time: ns us ms s m h d; bytes: B K M G T
 *              and KiB MiB ...; "%"; "% of limit" (heap, rss); rates end in
 *              "/s": 10MiB/s for "grows", 100/s for "calls"
 *
 *   section(parse).p99 > 5ms over 10s
 *   critical: heap > 80% of limit
 *   heap grows > 10MiB/s for 30s
 *
 * over   what the figure is taken over: a sliding time, default 10s
 * for    how long it must hold before the alert is raised, default 0
 * every  the least time between two alerts of the rule, default 60s
 * clear  the value at which a raised rule is armed again (hysteresis); by
 *        default a tenth on the good side of the threshold
 *
 * "limit" is what the subject could grow to; see room.h.  Parsing is pure: no
 * memory, no locale, any bytes.
 */
#ifndef PS_MONITOR_RULE_H
#define PS_MONITOR_RULE_H

#include "base/base.h"

enum {
	PS_RULES_MAX = 16,
	PS_RULE_NAME_MAX = 120,
	PS_RULE_TEXT_MAX = 200, /* of one rule, with its zero */
};

enum ps_severity {
	PS_SEVERITY_INFO,
	PS_SEVERITY_WARNING,
	PS_SEVERITY_CRITICAL
};

enum ps_subject {
	PS_SUBJECT_HEAP,
	PS_SUBJECT_RSS,
	PS_SUBJECT_BLOCKS,
	PS_SUBJECT_FAILED,
	PS_SUBJECT_SECTION,
	PS_SUBJECT_ERRORS,
};
_Static_assert(PS_SUBJECT_SECTION == PS_SUBJECT_FAILED + 1,
	       "those that have a level come first");

enum ps_stat {
	PS_STAT_LEVEL, /* of a heap, rss, ...: what it is now */
	PS_STAT_GROWTH,
	PS_STAT_QUANTILE,
	PS_STAT_MAX,
	PS_STAT_MEAN,
	PS_STAT_CALLS,
	PS_STAT_ERRORS,
};

/* What values are in; names are those of the recording and of JSON. */
enum ps_unit {
	PS_IN_COUNT,
	PS_IN_BYTES,
	PS_IN_BYTES_PER_S,
	PS_IN_PER_S,
	PS_IN_SECONDS,
	PS_IN_FRACTION,
};

struct ps_rule {
	char text[PS_RULE_TEXT_MAX]; /* as written, cut if need be */
	char name[PS_RULE_NAME_MAX]; /* section or glob; "" without one */
	enum ps_severity severity;
	enum ps_subject subject;
	enum ps_stat stat;
	enum ps_unit unit; /* of threshold and clear */
	double quantile;
	double threshold; /* a fraction when is_of_limit */
	double clear;
	bool is_of_limit;
	bool is_below; /* raised when the value is under the threshold */
	uint64_t over_ns;
	uint64_t hold_ns;
	uint64_t every_ns;
};

struct ps_rules {
	uint32_t count;
	struct ps_rule rule[PS_RULES_MAX];
};

/* Where and why a text is no list of rules. */
struct ps_rule_error {
	uint32_t column;     /* bytes from the start, 1 is the first */
	const char *allowed; /* what could stand there; never NULL */
};

/*
 * 0, or -EINVAL with *error set; *out is then empty.  An empty text, and an
 * empty rule between two semicolons, are no rules.
 */
int ps_rules_parse(const char *text, struct ps_rules *out,
		   struct ps_rule_error *error);

/* The words of the grammar. */
const char *ps_severity_name(uint32_t severity); /* "unknown" beyond */
const char *ps_unit_name(uint32_t unit);	 /* "bytes", "seconds" ... */

/* Whether the subject is the heap's, so that its sites tell where it went. */
static inline bool
ps_rule_is_of_heap(const struct ps_rule *r)
{
	return r->subject != PS_SUBJECT_SECTION &&
	       r->subject != PS_SUBJECT_ERRORS;
}

#endif /* PS_MONITOR_RULE_H */
