/* SPDX-License-Identifier: MIT */
/*
 * trigger - from a figure over time to the moments at which to raise an alert
 *
 * A rule's condition must hold for the rule's time before it is raised.  Once
 * raised it stays so, silent, until the figure is back at `clear` (hysteresis:
 * a figure that swings about its threshold raises one alert, not hundreds).
 * Between two alerts lies the rule's `every` at least; one that comes too early
 * waits and is raised when the time is over, if it still holds.
 *
 * Time is the caller's and may be of any coarseness.  What lies between two
 * steps is taken to be as at the first of them; a clock that goes backwards
 * stands still.  A figure that is not known (NAN) changes nothing.
 *
 * One thread at a time.
 */
#ifndef PS_MONITOR_TRIGGER_H
#define PS_MONITOR_TRIGGER_H

#include "monitor/rule.h"

/* All zero: armed, nothing seen. */
struct ps_trigger {
	uint64_t last_ns;
	uint64_t holds_since_ns;
	uint64_t raised_ns; /* the last alert; see has_raised */
	bool is_holding;
	bool is_raised;
	bool has_raised;
};

/*
 * The figure is `value` at now_ns, the rule's levels are `threshold` and
 * `clear` (those of the rule, or resolved against a limit).  True: raise it.
 */
bool ps_trigger_step(struct ps_trigger *t, const struct ps_rule *rule,
		     double value, double threshold, double clear,
		     uint64_t now_ns);

#endif /* PS_MONITOR_TRIGGER_H */
