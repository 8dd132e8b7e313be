/* SPDX-License-Identifier: MIT */
/*
 * monitor - watches the operations of a program that links this library
 *
 * Threads share an operation's histogram: each record is four atomic additions
 * and, for a new maximum, a bounded try to raise it (losing it eight times in a
 * row leaves a maximum that others have raised meanwhile, at most one call
 * behind).  Rows of each thread's own would save the contention and cost a
 * thread registry, which a library that has no TLS of its own does not want.
 *
 * A bucket stops at its greatest value instead of starting again from 0: at
 * 10 000 calls a second in one bucket that is after five days.
 */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "monitor/monitor_state.h"
#include "monitor/room.h"

#define NOT_KNOWN __builtin_nan("")

enum {
	RAISE_ATTEMPTS = 8,
	/* Below the end by more than there can be threads recording. */
	BUCKET_FULL = UINT32_MAX - (1u << 22),
};

/* ---- what the engine asks ----------------------------------------------- */

static double
level(void *owner, enum ps_subject subject)
{
	const struct ps_monitor *m = owner;
	struct ps_process_size size;

	PS_ASSERT(subject < PS_SUBJECT_SECTION);
	if (subject != PS_SUBJECT_RSS)
		return ps_peek(&m->level[subject]);
	return ps_process_size(&size) == 0 ? (double)size.resident_bytes
					   : NOT_KNOWN;
}

/* Found anew each time: limits change, and steps are rare. */
static double
room(void *owner)
{
	static struct ps_room_source source;
	static struct ps_lock lock;
	struct ps_room found;

	(void)owner;
	ps_lock_take(&lock);
	ps_room_find(&source, "");
	ps_room_measure(&source, &found);
	ps_lock_give(&lock);
	return found.bound == PS_ROOM_UNBOUNDED ? NOT_KNOWN
						: (double)found.bytes;
}

static uint32_t
operations(void *owner)
{
	const struct ps_monitor *m = owner;

	/* acquire: pairs with the release in add_operation */
	return atomic_load_explicit(&m->operations, memory_order_acquire);
}

static const char *
name_of(void *owner, uint32_t operation)
{
	PS_ASSERT(operation < PS_MONITOR_OPERATIONS);
	return ((const struct ps_monitor *)owner)->operation[operation].name;
}

void
ps_monitor_calls(const struct ps_monitor *m, uint32_t operation,
		 struct ps_calls *out)
{
	const struct ps_operation *o = &m->operation[operation];

	PS_ASSERT(operation < PS_MONITOR_OPERATIONS);
	out->calls = ps_peek(&o->calls);
	out->errors = ps_peek(&o->errors);
	out->over = ps_peek(&o->over);
	out->total_ticks = ps_peek(&o->total_ns);
	out->max_ticks = ps_peek(&o->max_ns);
	for (uint32_t b = 0; b < PS_HIST_BUCKETS; b++)
		ps_poke(&out->histogram[b], ps_peek(&o->histogram[b]));
}

static void
calls_of(void *owner, uint32_t operation, struct ps_calls *out)
{
	ps_monitor_calls(owner, operation, out);
}

static uint64_t
errors_of(void *owner, uint32_t operation)
{
	const struct ps_monitor *m = owner;

	PS_ASSERT(operation < PS_MONITOR_OPERATIONS);
	return ps_peek(&m->operation[operation].errors);
}

/* ---- life --------------------------------------------------------------- */

int
ps_monitor_open(const char *text, uint64_t now_ns, struct ps_monitor **out,
		struct ps_rule_error *error)
{
	struct ps_engine_source source = {
	    .tick_s = 1e-9,
	    .level = level,
	    .room = room,
	    .count = operations,
	    .name = name_of,
	    .calls = calls_of,
	    .errors = errors_of,
	};
	struct ps_rules rules;
	struct ps_monitor *m;
	void *memory;
	int status = ps_rules_parse(text, &rules, error);

	if (status != 0)
		return status;
	status = ps_os_map(sizeof(*m), &memory);
	if (status != 0)
		return status;
	m = memory;
	source.owner = m;
	for (unsigned i = 0; i < PS_COUNT(m->level); i++)
		ps_poke(&m->level[i], NOT_KNOWN);
	ps_lock_init(&m->names_lock);
	ps_queue_init(&m->queue);
	ps_engine_init(&m->engine, &rules, &source, now_ns);
	*out = m;
	return 0;
}

void
ps_monitor_close(struct ps_monitor *m)
{
	ps_engine_fini(&m->engine);
	(void)ps_os_unmap(m, sizeof(*m));
}

/* ---- operations --------------------------------------------------------- */

static int
add_operation(struct ps_monitor *m, const char *name, uint32_t *out)
{
	uint32_t count = ps_peek(&m->operations);
	struct ps_operation *o;

	for (uint32_t i = 0; i < count; i++) {
		if (strncmp(m->operation[i].name, name, PS_RULE_NAME_MAX - 1) !=
		    0)
			continue;
		*out = i;
		return 0;
	}
	if (count == PS_MONITOR_OPERATIONS)
		return -ENOSPC;
	o = &m->operation[count];
	PS_ASSERT(o->name[PS_RULE_NAME_MAX - 1] == '\0');
	memcpy(o->name, name, strnlen(name, PS_RULE_NAME_MAX - 1));
	/* release: pairs with the acquire in operations() */
	atomic_store_explicit(&m->operations, count + 1, memory_order_release);
	*out = count;
	return 0;
}

int
ps_monitor_operation(struct ps_monitor *m, const char *name, uint64_t limit_ns,
		     uint32_t *out)
{
	int status;

	ps_lock_take(&m->names_lock);
	status = add_operation(m, name, out);
	ps_lock_give(&m->names_lock);
	if (status == 0)
		ps_poke(&m->operation[*out].limit_ns, limit_ns);
	return status;
}

static void
queue_alert(struct ps_monitor *m, const struct ps_alert *alert)
{
	PS_ASSERT(alert->severity <= PS_SEVERITY_CRITICAL);
	atomic_fetch_add_explicit(&m->raised[alert->severity], 1,
				  memory_order_relaxed);
	(void)ps_queue_push(&m->queue, alert);
}

static PS_COLD void
raise_slow_call(struct ps_monitor *m, uint32_t operation, uint64_t duration_ns,
		uint64_t now_ns)
{
	const struct ps_operation *o = &m->operation[operation];
	struct ps_alert alert = {
	    .at_ns = now_ns,
	    .value = (double)duration_ns * 1e-9,
	    .threshold = (double)ps_peek(&o->limit_ns) * 1e-9,
	    .rule = PS_ALERT_NO_RULE,
	    .section = operation,
	    .unit = PS_IN_SECONDS,
	    .severity = PS_SEVERITY_WARNING,
	};

	queue_alert(m, &alert);
}

static PS_COLD void
raise_maximum(struct ps_operation *o, uint64_t duration_ns)
{
	uint64_t known = ps_peek(&o->max_ns);

	for (int i = 0; i < RAISE_ATTEMPTS && duration_ns > known; i++)
		if (atomic_compare_exchange_weak(&o->max_ns, &known,
						 duration_ns))
			return;
}

static inline void
add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void
count_in_histogram(struct ps_operation *o, uint64_t duration_ns)
{
	_Atomic uint32_t *bucket;

	if (ps_unlikely(duration_ns >> PS_HIST_MAX_BITS != 0)) {
		add(&o->over, 1);
		return;
	}
	bucket = &o->histogram[ps_hist_bucket(duration_ns)];
	if (ps_likely(ps_peek(bucket) < BUCKET_FULL))
		atomic_fetch_add_explicit(bucket, 1, memory_order_relaxed);
}

void
ps_monitor_record(struct ps_monitor *m, uint32_t operation,
		  uint64_t duration_ns, bool has_failed, uint64_t now_ns)
{
	struct ps_operation *o = &m->operation[operation];
	uint64_t limit_ns = ps_peek(&o->limit_ns);

	PS_ASSERT(operation < ps_peek(&m->operations));
	add(&o->calls, 1);
	add(&o->total_ns, duration_ns);
	count_in_histogram(o, duration_ns);
	if (ps_unlikely(duration_ns > ps_peek(&o->max_ns)))
		raise_maximum(o, duration_ns);
	if (ps_unlikely(has_failed))
		add(&o->errors, 1);
	if (ps_unlikely(limit_ns != 0 && duration_ns > limit_ns))
		raise_slow_call(m, operation, duration_ns, now_ns);
}

/* ---- rules and alerts --------------------------------------------------- */

void
ps_monitor_set_level(struct ps_monitor *m, enum ps_subject subject,
		     double value)
{
	PS_ASSERT(subject < PS_SUBJECT_SECTION);
	ps_poke(&m->level[subject], value);
}

static void
emit(void *owner, const struct ps_alert *alert)
{
	queue_alert(owner, alert);
}

void
ps_monitor_step(struct ps_monitor *m, uint64_t now_ns)
{
	ps_engine_step(&m->engine, now_ns, emit);
}

bool
ps_monitor_take(struct ps_monitor *m, struct ps_alert *out)
{
	return ps_queue_take(&m->queue, out);
}

uint64_t
ps_monitor_dropped(const struct ps_monitor *m)
{
	return ps_peek(&m->queue.dropped);
}

const char *
ps_monitor_rule(const struct ps_monitor *m, const struct ps_alert *alert)
{
	if (alert->rule >= m->engine.rules.count)
		return "limit of one call";
	return m->engine.rules.rule[alert->rule].text;
}

const char *
ps_monitor_name(const struct ps_monitor *m, const struct ps_alert *alert)
{
	if (alert->section >= ps_peek(&m->operations))
		return NULL;
	return m->operation[alert->section].name;
}
