/* SPDX-License-Identifier: MIT */
/*
 * alert_record - alerts in the recording of this process
 *
 * A row is complete before it counts; a row that is written over says so by an
 * odd version, so that a reader of a live recording can tell.  Each row of a
 * rule on memory owns PS_ALERT_SITES rows of the snapshots' table, which are
 * written over together with it.
 *
 * Costs: without a snapshot under 1 us; a snapshot looks at every site once, 1
 * ms for the 32768 that there can be.
 */
#include "base/os.h"
#include "monitor/alert_record.h"
#include "monitor/recording_source.h"
#include "record/writer.h"

static uint32_t used[PS_RULES_MAX];   /* rows of each rule */
static uint32_t newest[PS_RULES_MAX]; /* its last row */

void
ps_alert_record_reset(void)
{
	for (unsigned i = 0; i < PS_RULES_MAX; i++)
		used[i] = 0;
}

/* ---- rows --------------------------------------------------------------- */

static struct ps_record_alert *
append_locked(bool has_snapshot, uint32_t *row)
{
	struct ps_record_alert *alert;
	void *memory;
	uint32_t first = 0;

	PS_ASSERT(ps_record_is_locked_by_me());
	if (has_snapshot) {
		first = ps_record_append(PS_TABLE_ALERT_SITES, PS_ALERT_SITES,
					 &memory);
		if (first == UINT32_MAX)
			return NULL;
		ps_record_publish(PS_TABLE_ALERT_SITES);
	}
	*row = ps_record_append(PS_TABLE_ALERTS, 1, &memory);
	if (*row == UINT32_MAX)
		return NULL;
	alert = memory;
	alert->first_site = first;
	return alert;
}

/* A new row within the rule's share, or its newest; NULL: no room at all. */
static struct ps_record_alert *
take_row(uint32_t rule, uint32_t rules, bool has_snapshot)
{
	uint32_t share = ps_record->table[PS_TABLE_ALERTS].capacity / rules;
	struct ps_record_alert *alert = NULL;
	uint32_t row;

	PS_ASSERT(rule < rules && rules <= PS_RULES_MAX);
	if (used[rule] < share) {
		ps_record_lock();
		alert = append_locked(has_snapshot, &row);
		ps_record_unlock();
	}
	if (alert != NULL) {
		used[rule]++;
		newest[rule] = row;
		return alert;
	}
	if (used[rule] == 0)
		return NULL;
	alert = ps_record_entry(PS_TABLE_ALERTS, newest[rule]);
	alert->replaced++;
	return alert;
}

/* ---- the sites at this moment ------------------------------------------- */

/* Insertion into what is sorted, greatest first; returns the new count. */
static uint32_t
insert(struct ps_record_alert_site *top, uint32_t count, uint32_t row,
       const struct ps_record_site *site)
{
	uint64_t bytes = ps_peek(&site->live_bytes);
	uint32_t at;

	if ((int64_t)bytes <= 0 ||
	    (count == PS_ALERT_SITES && bytes <= top[count - 1].live_bytes))
		return count;
	at = count < PS_ALERT_SITES ? count++ : count - 1;
	for (; at > 0 && top[at - 1].live_bytes < bytes; at--)
		top[at] = top[at - 1];
	top[at] = (struct ps_record_alert_site){
	    .site = row,
	    .live_bytes = bytes,
	    .live_allocations = ps_peek(&site->live_allocations),
	};
	return count;
}

static uint32_t
take_snapshot(uint32_t first)
{
	struct ps_record_alert_site *top =
	    ps_record_entry(PS_TABLE_ALERT_SITES, first);
	/* acquire: pairs with ps_record_publish */
	uint32_t rows = atomic_load_explicit(
	    &ps_record->table[PS_TABLE_SITES].count, memory_order_acquire);
	uint32_t count = 0;

	for (uint32_t row = 0; row < rows; row++)
		count = insert(top, count, row,
			       ps_record_entry(PS_TABLE_SITES, row));
	PS_ASSERT(count <= PS_ALERT_SITES);
	PS_DEBUG_ASSERT(count < 2 ||
			top[0].live_bytes >= top[count - 1].live_bytes);
	return count;
}

static void
fill(struct ps_record_alert *out, const struct ps_alert *alert,
     const struct ps_rule *rule, ps_ticks now)
{
	PS_ASSERT(alert->severity <= PS_SEVERITY_CRITICAL);
	PS_ASSERT(alert->unit <= PS_IN_FRACTION);
	out->rule = ps_record_string(rule->text);
	out->ticks = now;
	out->real_ns = ps_os_realtime_ns();
	out->value = alert->value;
	out->threshold = alert->threshold;
	out->unit = alert->unit;
	out->severity = alert->severity;
	out->section = alert->section;
	out->live_bytes = ps_recording_live_bytes(ps_record);
	out->sites =
	    ps_rule_is_of_heap(rule) ? take_snapshot(out->first_site) : 0;
}

const struct ps_record_alert *
ps_alert_record(const struct ps_alert *alert, const struct ps_rules *rules,
		ps_ticks now, uint32_t thread, uint32_t site)
{
	const struct ps_rule *rule = &rules->rule[alert->rule];
	struct ps_record_alert *row;
	uint32_t version;

	atomic_fetch_add(&ps_record->watch.alerts, 1);
	row = take_row(alert->rule, rules->count, ps_rule_is_of_heap(rule));
	if (row == NULL)
		return NULL;
	version = ps_peek(&row->version);
	PS_DEBUG_ASSERT(version % 2 == 0); /* nobody is writing it */
	ps_poke(&row->version, version + 1);
	/* Readers that see any of what follows see the odd version: stores stay
	 * in order on x86, and the compiler must keep it. */
	atomic_signal_fence(memory_order_release);
	fill(row, alert, rule, now);
	row->thread = thread;
	row->site = site;
	/* release: pairs with the acquire in report/view_alert.c */
	atomic_store_explicit(&row->version, version + 2, memory_order_release);
	ps_record_lock();
	ps_record_publish(PS_TABLE_ALERTS);
	ps_record_unlock();
	return row;
}
