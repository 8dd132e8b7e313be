/* SPDX-License-Identifier: MIT */
#include "monitor/trigger.h"

static bool
is_bad(const struct ps_rule *rule, double value, double threshold)
{
	return rule->is_below ? value < threshold : value > threshold;
}

static bool
is_cleared(const struct ps_rule *rule, double value, double clear)
{
	return rule->is_below ? value >= clear : value <= clear;
}

static bool
is_too_early(const struct ps_trigger *t, const struct ps_rule *rule,
	     uint64_t now_ns)
{
	PS_ASSERT(!t->has_raised || now_ns >= t->raised_ns);
	return t->has_raised && now_ns - t->raised_ns < rule->every_ns;
}

bool
ps_trigger_step(struct ps_trigger *t, const struct ps_rule *rule, double value,
		double threshold, double clear, uint64_t now_ns)
{
	PS_ASSERT(!t->is_raised || (t->has_raised && !t->is_holding));
	now_ns = PS_MAX(now_ns, t->last_ns);
	t->last_ns = now_ns;
	if (value != value || threshold != threshold) /* NAN */
		return false;
	if (t->is_raised && !is_cleared(rule, value, clear))
		return false;
	t->is_raised = false;
	if (!is_bad(rule, value, threshold)) {
		t->is_holding = false;
		return false;
	}
	if (!t->is_holding)
		t->holds_since_ns = now_ns;
	t->is_holding = true;
	PS_ASSERT(now_ns >= t->holds_since_ns);
	if (now_ns - t->holds_since_ns < rule->hold_ns ||
	    is_too_early(t, rule, now_ns))
		return false;
	t->is_raised = true;
	t->is_holding = false;
	t->has_raised = true;
	t->raised_ns = now_ns;
	return true;
}
