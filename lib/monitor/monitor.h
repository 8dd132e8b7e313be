/* SPDX-License-Identifier: MIT */
/*
 * monitor - watches the operations of a program that links this library
 *
 * Operations (name, duration, failed or not) are recorded into histograms,
 *wait- free and from any thread.  An alert is raised at once when a call takes
 *longer than its operation's limit, and by ps_monitor_step when a rule (rule.h)
 *comes true; `section(name)` in a rule means an operation.  Alerts go into a
 *bounded queue that never blocks whoever raises them, and are taken from it by
 *the caller's own thread, whenever it likes.
 *
 *	ps_monitor_open("section(query).p99 > 5ms over 10s", &m, &error);
 *	ps_monitor_operation(m, "query", 0, &query);
 *	... ps_monitor_record(m, query, elapsed_ns, has_failed, now_ns);
 *	now and then: ps_monitor_step(m, now_ns);
 *	              while (ps_monitor_take(m, &alert)) ...
 *
 * The monitor has no thread and reads no clock: time is what the caller says,
 *in nanoseconds from any start.  Everything is bounded: PS_MONITOR_OPERATIONS
 * operations, the queue, the watches of engine.h; 500 KiB of address space.
 */
#ifndef PS_MONITOR_H
#define PS_MONITOR_H

#include "base/text.h"
#include "monitor/queue.h"

enum { PS_MONITOR_OPERATIONS = 64 };

enum ps_monitor_format {
	PS_MONITOR_TEXT,
	PS_MONITOR_JSON,
	PS_MONITOR_PROMETHEUS,
};

struct ps_monitor;

/*
 * rules may be "".  0; -EINVAL with *error filled in when they cannot be read;
 * -ENOMEM.
 */
int ps_monitor_open(const char *rules, uint64_t now_ns, struct ps_monitor **out,
		    struct ps_rule_error *error);
void ps_monitor_close(struct ps_monitor *m);

/*
 * The number of an operation, new or known (names are cut at 119 bytes).
 * limit_ns > 0: a call that takes longer raises an alert; 0: none.  Any thread.
 * 0, or -ENOSPC when there are too many.
 */
int ps_monitor_operation(struct ps_monitor *m, const char *name,
			 uint64_t limit_ns, uint32_t *out);

/* A call took duration_ns.  Any thread; wait-free; about 10 ns alone. */
void ps_monitor_record(struct ps_monitor *m, uint32_t operation,
		       uint64_t duration_ns, bool has_failed, uint64_t now_ns);

/* What rules on heap, live blocks and failed allocations see.  Any thread. */
void ps_monitor_set_level(struct ps_monitor *m, enum ps_subject subject,
			  double level);

/* Evaluate the rules.  One thread at a time; several times a second. */
void ps_monitor_step(struct ps_monitor *m, uint64_t now_ns);

/* The next alert; false when there is none.  Any thread. */
bool ps_monitor_take(struct ps_monitor *m, struct ps_alert *out);
/* Alerts that found the queue full. */
uint64_t ps_monitor_dropped(const struct ps_monitor *m);

/* Words for an alert: its rule, and its operation or NULL. */
const char *ps_monitor_rule(const struct ps_monitor *m,
			    const struct ps_alert *alert);
const char *ps_monitor_name(const struct ps_monitor *m,
			    const struct ps_alert *alert);

/*
 * Operations (calls, failures, mean, p50, p90, p99, max) and alerts so far.
 * Any thread, also while others record.
 */
void ps_monitor_report(const struct ps_monitor *m,
		       enum ps_monitor_format format, struct ps_text *out);

#endif /* PS_MONITOR_H */
