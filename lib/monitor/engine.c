/* SPDX-License-Identifier: MIT */
/*
 * engine - rules, evaluated over whatever can tell their figures
 *
 * Levels are asked for once a step, however many rules are about them.  New
 * sections are matched against the rules when they appear; none disappears.
 *
 * Costs of a step: for each watch one sum over the source's rows and two passes
 * over a histogram (3 us), for a "% of limit" rule one look at the limits.
 */
#include <string.h>

#include "base/options.h"
#include "base/os.h"
#include "monitor/engine.h"

#define NOT_KNOWN __builtin_nan("")
#define NEVER __builtin_inf()
/* Steps are not more frequent than every so many bytes of growth. */
#define WAKE_STEP_BYTES 1048576.0

void
ps_engine_init(struct ps_engine *e, const struct ps_rules *rules,
	       const struct ps_engine_source *source, uint64_t now_ns)
{
	PS_ASSERT(rules->count <= PS_RULES_MAX);
	PS_ASSERT(source->level != NULL && source->room != NULL);
	PS_ASSERT(source->count != NULL && source->name != NULL);
	PS_ASSERT(source->calls != NULL && source->errors != NULL);
	memset((void *)e, 0, sizeof(*e));
	e->rules = *rules;
	e->source = *source;
	ps_engine_restart(e, now_ns);
}

void
ps_engine_fini(struct ps_engine *e)
{
	for (uint32_t i = 0; i < e->watches; i++)
		(void)ps_os_unmap(e->watch[i].window,
				  sizeof(*e->watch[i].window));
	e->watches = 0;
}

void
ps_engine_restart(struct ps_engine *e, uint64_t now_ns)
{
	memset(e->trigger, 0, sizeof(e->trigger));
	for (uint32_t i = 0; i < e->rules.count; i++)
		ps_level_window_init(&e->growth[i], e->rules.rule[i].over_ns);
	for (uint32_t i = 0; i < e->watches; i++) {
		struct ps_watch *w = &e->watch[i];

		memset(&w->trigger, 0, sizeof(w->trigger));
		ps_calls_window_init(w->window, e->rules.rule[w->rule].over_ns,
				     now_ns);
	}
	e->wake_bytes = NEVER;
	e->last_ns = now_ns;
}

static void
raise_alert(struct ps_engine *e, uint32_t rule, uint32_t section, double value,
	    double threshold, uint64_t now_ns, ps_engine_emit *emit)
{
	const struct ps_rule *r = &e->rules.rule[rule];
	struct ps_alert alert = {
	    .at_ns = now_ns,
	    .value = value,
	    .threshold = threshold,
	    .rule = rule,
	    .section = section,
	    .unit = r->unit,
	    .severity = r->severity,
	};

	emit(e->source.owner, &alert);
}

/* ---- levels ------------------------------------------------------------- */

struct levels {
	double level[PS_SUBJECT_SECTION]; /* of subjects before sections */
	double room;
	bool has_level[PS_SUBJECT_SECTION];
	bool has_room;
};

static double
level_of(struct ps_engine *e, struct levels *known, enum ps_subject subject)
{
	PS_ASSERT(subject < PS_SUBJECT_SECTION);
	if (!known->has_level[subject])
		known->level[subject] =
		    e->source.level(e->source.owner, subject);
	known->has_level[subject] = true;
	return known->level[subject];
}

/* What the level could grow to; NAN when nothing bounds it. */
static double
limit_of(struct ps_engine *e, struct levels *known, double level)
{
	if (!known->has_room)
		known->room = e->source.room(e->source.owner);
	known->has_room = true;
	return level + known->room;
}

/* Half-way to the threshold, which may move towards us meanwhile. */
static void
plan_wake(struct ps_engine *e, const struct ps_rule *r, double value,
	  double threshold)
{
	double wake = r->is_of_limit ? (value + threshold) / 2 : threshold;

	PS_ASSERT(r->stat == PS_STAT_LEVEL);
	if (r->subject != PS_SUBJECT_HEAP || r->is_below ||
	    !(value < threshold))
		return;
	wake = PS_MAX(wake, value + WAKE_STEP_BYTES);
	if (wake < e->wake_bytes)
		e->wake_bytes = wake;
}

static void
step_level(struct ps_engine *e, uint32_t rule, struct levels *known,
	   uint64_t now_ns, ps_engine_emit *emit)
{
	const struct ps_rule *r = &e->rules.rule[rule];
	double value = level_of(e, known, r->subject);
	double scale = r->is_of_limit ? limit_of(e, known, value) : 1.0;
	double threshold = r->threshold * scale;

	if (r->stat == PS_STAT_GROWTH)
		value = ps_level_window_step(&e->growth[rule], now_ns, value);
	else
		plan_wake(e, r, value, threshold);
	if (ps_trigger_step(&e->trigger[rule], r, value, threshold,
			    r->clear * scale, now_ns))
		raise_alert(e, rule, PS_ALERT_NO_SECTION, value, threshold,
			    now_ns, emit);
}

/* ---- sections ----------------------------------------------------------- */

static void
add_watch(struct ps_engine *e, uint32_t rule, uint32_t section)
{
	struct ps_watch *w = &e->watch[e->watches];
	void *memory;

	if (e->watches == PS_WATCHES ||
	    ps_os_map(sizeof(*w->window), &memory) != 0) {
		e->unwatched++;
		return;
	}
	*w = (struct ps_watch){
	    .rule = rule, .section = section, .window = memory};
	ps_calls_window_init(w->window, e->rules.rule[rule].over_ns,
			     e->last_ns);
	e->watches++;
}

/* What is new has come since the step before. */
static void
match_sections(struct ps_engine *e)
{
	uint32_t count = e->source.count(e->source.owner);

	for (; e->known_sections < count; e->known_sections++) {
		uint32_t section = e->known_sections;
		const char *name = e->source.name(e->source.owner, section);

		for (uint32_t i = 0; i < e->rules.count; i++)
			if (!ps_rule_is_of_heap(&e->rules.rule[i]) &&
			    ps_glob_list_match(e->rules.rule[i].name, name))
				add_watch(e, i, section);
	}
}

static void
step_watch(struct ps_engine *e, struct ps_watch *w, uint64_t now_ns,
	   ps_engine_emit *emit)
{
	const struct ps_rule *r = &e->rules.rule[w->rule];
	double covered_s;
	double value;

	PS_ASSERT(w->rule < e->rules.count && w->window != NULL);
	PS_ASSERT(w->section < e->known_sections);
	memset((void *)&e->sum, 0, sizeof(e->sum));
	e->source.calls(e->source.owner, w->section, &e->sum);
	if (r->stat == PS_STAT_ERRORS)
		e->sum.errors = e->source.errors(e->source.owner, w->section);
	covered_s =
	    ps_calls_window_step(w->window, now_ns, &e->sum, &e->within);
	value = ps_calls_figure(&e->within, r, covered_s, e->source.tick_s);
	if (ps_trigger_step(&w->trigger, r, value, r->threshold, r->clear,
			    now_ns))
		raise_alert(e, w->rule, w->section, value, r->threshold, now_ns,
			    emit);
}

void
ps_engine_step(struct ps_engine *e, uint64_t now_ns, ps_engine_emit *emit)
{
	struct levels known = {.room = NOT_KNOWN};

	e->wake_bytes = NEVER;
	for (uint32_t i = 0; i < e->rules.count; i++)
		if (ps_rule_is_of_heap(&e->rules.rule[i]))
			step_level(e, i, &known, now_ns, emit);
	match_sections(e);
	PS_ASSERT(e->watches <= PS_WATCHES);
	for (uint32_t i = 0; i < e->watches; i++)
		step_watch(e, &e->watch[i], now_ns, emit);
	e->last_ns = now_ns;
}
