/* SPDX-License-Identifier: MIT */
/*
 * queue - alerts on their way to who drains them
 *
 * Bounded, and it never blocks whoever raises an alert: when it is full, or
 * when too many push at the same moment, the alert is dropped and counted.
 * Any thread may push and any thread may take.
 */
#ifndef PS_MONITOR_QUEUE_H
#define PS_MONITOR_QUEUE_H

#include "monitor/rule.h"

enum { PS_QUEUE_ALERTS = 256 };
#define PS_ALERT_NO_SECTION UINT32_MAX
#define PS_ALERT_NO_RULE UINT32_MAX

struct ps_alert {
	uint64_t at_ns;	   /* on the monitor's clock */
	double value;	   /* in the rule's unit */
	double threshold;  /* resolved: bytes, where the rule says % of limit */
	uint32_t rule;	   /* index; PS_ALERT_NO_RULE: an operation's limit */
	uint32_t section;  /* section or operation, or PS_ALERT_NO_SECTION */
	uint32_t unit;	   /* enum ps_unit */
	uint32_t severity; /* enum ps_severity */
};

struct ps_queue_slot {
	_Atomic uint64_t turn;
	struct ps_alert alert;
};

struct ps_queue {
	_Atomic uint64_t pushed; /* by those who push */
	_Atomic uint64_t dropped;
	char apart[PS_CACHE_LINE];
	_Atomic uint64_t taken; /* by those who take */
	struct ps_queue_slot slot[PS_QUEUE_ALERTS];
};
_Static_assert((PS_QUEUE_ALERTS & (PS_QUEUE_ALERTS - 1)) == 0,
	       "slots go on in order where numbers wrap");
_Static_assert(offsetof(struct ps_queue, taken) -
		       offsetof(struct ps_queue, pushed) >=
		   PS_CACHE_LINE,
	       "who takes and who pushes write lines of their own");

void ps_queue_init(struct ps_queue *q);
/* False: dropped. At most eight attempts. */
bool ps_queue_push(struct ps_queue *q, const struct ps_alert *alert);
/* False: empty. */
bool ps_queue_take(struct ps_queue *q, struct ps_alert *out);

#endif /* PS_MONITOR_QUEUE_H */
