/* SPDX-License-Identifier: MIT */
/*
 * watch - PERFSHIM_ALERT and PERFSHIM_METRICS, from the slow paths
 *
 * The gate opens at a time, four times a second, or at a level of the heap,
 * which the engine sets half-way to the nearest threshold: a leak of a gigabyte
 * a second comes by every few milliseconds, and the last steps before the
 * threshold are a mebibyte apart.  A step's own cost moves the next one away,
 * to keep it below 1/200 of one processor, unless it is the level that asks.
 *
 * Everything big is static and belongs to who holds is_busy, because steps run
 * on the program's stacks, which may be small.  A step that is interrupted by a
 * signal handler which allocates finds itself busy and is left alone; so is one
 * that would run while its own thread holds the recording's lock.
 *
 * The stack of an alert on memory is that of the allocation during which it was
 * noticed, if it was during one; that of an alert on a section is of a call
 * which was itself beyond the threshold (watch_call.h), with its thread.
 */
#include <errno.h>

#include "base/os.h"
#include "base/text.h"
#include "measure/clock.h"
#include "monitor/alert_record.h"
#include "monitor/engine.h"
#include "monitor/recording_source.h"
#include "monitor/room.h"
#include "shim/deliver.h"
#include "shim/metrics.h"
#include "shim/own_stack.h"
#include "shim/picked.h"
#include "shim/start.h"
#include "shim/watch.h"
#include "shim/watch_call.h"

enum {
	STEP_NS = 250000000,
	COST_SHARE = 200,	 /* a step costs at most 1/200 of the time */
	FIND_LIMITS_STEPS = 128, /* limits may change while we run */
};

struct ps_watch_gate ps_watch_gate = {
    .next = UINT64_MAX,
    .level = INT64_MAX,
};

static PS_BIG struct ps_rules rules;
static PS_BIG struct ps_engine engine;
static PS_BIG struct ps_room_source room_source;
static struct ps_reader reader;
static bool has_rules;
/* Of the step under way. */
static struct ps_thread *stepping;
static ps_ticks step_ticks;

/* ---- what the engine asks ----------------------------------------------- */

static double
level(void *owner, enum ps_subject subject)
{
	struct ps_process_size size;

	(void)owner;
	if (subject != PS_SUBJECT_RSS)
		return ps_recording_level(&reader, subject);
	return ps_process_size(&size) == 0 ? (double)size.resident_bytes
					   : __builtin_nan("");
}

static double
room(void *owner)
{
	struct ps_room found;

	(void)owner;
	if (ps_peek(&ps_record->watch.steps) % FIND_LIMITS_STEPS == 0)
		ps_room_find(&room_source, "");
	ps_room_measure(&room_source, &found);
	return found.bound == PS_ROOM_UNBOUNDED ? __builtin_nan("")
						: (double)found.bytes;
}

static uint32_t
count(void *owner)
{
	(void)owner;
	return reader.count[PS_TABLE_SECTIONS];
}

static const char *
name(void *owner, uint32_t section)
{
	(void)owner;
	return ps_recording_section(&reader, section);
}

static void
calls(void *owner, uint32_t section, struct ps_calls *out)
{
	(void)owner;
	ps_recording_calls(&reader, section, out);
}

static uint64_t
errors(void *owner, uint32_t section)
{
	(void)owner;
	return ps_recording_errors(&reader, section);
}

static void
emit(void *owner, const struct ps_alert *alert)
{
	struct ps_thread *self = stepping;
	const struct ps_record_alert *row;
	uint32_t tid = (uint32_t)ps_os_tid();
	uint32_t site = UINT32_MAX;

	(void)owner;
	if (!ps_rule_is_of_heap(&rules.rule[alert->rule]))
		(void)ps_watch_call_left(alert->rule, alert->section, &site,
					 &tid);
	else if (self->caller != NULL)
		site = ps_picked_site(self, self->caller);
	row = ps_alert_record(alert, &rules, step_ticks, tid, site);
	if (!ps_deliver(alert, &rules.rule[alert->rule], tid,
			alert->section == PS_ALERT_NO_SECTION
			    ? NULL
			    : ps_recording_section(&reader, alert->section)))
		atomic_fetch_add(&ps_record->watch.undelivered, 1);
	PS_ASSERT(row == NULL || row->thread == tid);
}

/* ---- steps -------------------------------------------------------------- */

/* By the recording's own clock, as soon as it knows. */
static double
tick_seconds(void)
{
	double tick_s = engine.source.tick_s;

	if (tick_s > 1e-11)
		return tick_s;
	return ps_clock.kind == PS_CLOCK_TSC ? 0.4e-9 : 1e-9;
}

static ps_ticks
ticks_of(uint64_t ns)
{
	return (ps_ticks)((double)ns * 1e-9 / tick_seconds());
}

static void
open_gate_at(ps_ticks begun)
{
	ps_ticks now = ps_clock_now();
	ps_ticks pause = ticks_of(STEP_NS);
	ps_ticks cost = now > begun ? now - begun : 0;

	pause = PS_MAX(pause, cost * COST_SHARE);
	atomic_fetch_add(&ps_record->overhead.slow_ticks, cost);
	ps_poke(&ps_watch_gate.next, now + pause);
	ps_poke(&ps_watch_gate.level, engine.wake_bytes < 0x1p62
					  ? (int64_t)engine.wake_bytes
					  : INT64_MAX);
}

static void
step(struct ps_thread *self, ps_ticks now, bool is_last)
{
	const char *why;

	if (ps_reader_attach(&reader, ps_record, ps_record->file_bytes, &why) !=
	    0)
		return;
	stepping = self;
	step_ticks = now;
	engine.source.tick_s = ps_reader_tick_seconds(&reader);
	if (has_rules) {
		ps_engine_step(&engine, ps_os_monotonic_ns(), emit);
		ps_watch_calls_want(&engine, tick_seconds());
	}
	ps_poke(&ps_record->watch.unwatched, engine.unwatched);
	atomic_fetch_add(&ps_record->watch.steps, 1);
	ps_metrics_step(&reader, is_last);
}

static void
step_and_go_on(intptr_t now)
{
	step(&ps_self, (ps_ticks)now, false);
	open_gate_at((ps_ticks)now);
}

static void
last_step(intptr_t now)
{
	step(&ps_self, (ps_ticks)now, true);
	open_gate_at((ps_ticks)now);
}

static void
step_if_free(struct ps_thread *self, ps_ticks now, bool is_last)
{
	uint32_t free = 0;

	if (ps_record_is_locked_by_me() ||
	    /* pairs with the release below */
	    !atomic_compare_exchange_strong(&ps_watch_gate.is_busy, &free, 1))
		return;
	if (ps_thread_enter(self)) {
		ps_on_own_stack(is_last ? last_step : step_and_go_on,
				(intptr_t)now);
		ps_thread_leave(self);
	}
	atomic_store_explicit(&ps_watch_gate.is_busy, 0, memory_order_release);
}

void
ps_watch_step(struct ps_thread *self, ps_ticks now)
{
	int saved_errno = errno;

	step_if_free(self, now, false);
	errno = saved_errno;
}

void
ps_watch_section(ps_ticks now)
{
	if (ps_self.depth == 0)
		ps_watch_step(&ps_self, now);
}

void
ps_watch_failed(const struct ps_unwind_context *caller)
{
	struct ps_thread *self = &ps_self;

	if (ps_peek(&ps_watch_gate.next) == UINT64_MAX || self->depth > 0)
		return;
	self->caller = caller;
	ps_watch_step(self, ps_clock_now());
	self->caller = NULL;
}

void
ps_watch_finish(struct ps_thread *self)
{
	if (ps_peek(&ps_watch_gate.next) != UINT64_MAX)
		step_if_free(self, ps_clock_now(), true);
}

/* ---- life --------------------------------------------------------------- */

static void
complain(const struct ps_rule_error *error)
{
	char line[480];
	struct ps_text text;

	ps_text_init(&text, line, sizeof(line), -1);
	ps_text_printf(&text,
		       "PERFSHIM_ALERT: column %u: allowed here: %s; "
		       "no rule is watched",
		       error->column, error->allowed);
	ps_os_mention(line);
}

static void
start_engine(void)
{
	const struct ps_engine_source source = {
	    .tick_s = __builtin_nan(""),
	    .level = level,
	    .room = room,
	    .count = count,
	    .name = name,
	    .calls = calls,
	    .errors = errors,
	};

	ps_engine_init(&engine, &rules, &source, ps_os_monotonic_ns());
}

void
ps_watch_init(void)
{
	struct ps_rule_error error;
	bool has_metrics = ps_metrics_init();

	if (ps_rules_parse(ps_options.alert, &rules, &error) != 0)
		complain(&error);
	has_rules = rules.count > 0;
	if (!has_rules && !has_metrics)
		return;
	ps_deliver_init();
	start_engine();
	ps_poke(&ps_watch_gate.level, INT64_MAX);
	ps_poke(&ps_watch_gate.next, 0);
}

/* The parent's sums are not ours, and neither is a step of its threads. */
void
ps_watch_postfork_child(void)
{
	ps_poke(&ps_watch_gate.is_busy, 0);
	if (!ps_watch_is_on())
		return;
	ps_alert_record_reset();
	ps_watch_calls_postfork_child();
	ps_engine_restart(&engine, ps_os_monotonic_ns());
	ps_poke(&ps_watch_gate.next, 0);
}
