/* SPDX-License-Identifier: MIT */
/*
 * json - the report as JSON, schema perfshim-report/1 (report.schema.json)
 *
 * Names, units and nesting are a contract (DESIGN.md); what is not known is
 * null.  The writer keeps track of commas and nothing else.
 */
#include <errno.h>
#include <math.h>

#include "report/json.h"
#include "report/json_alerts.h"
#include "report/json_labels.h"

struct json {
	struct ps_symbols *symbols;
	struct ps_stack_names *names;	   /* room for one stack */
	const struct ps_view_site **sites; /* that are listed */
	uint32_t site_count;
	struct ps_text *out;
	bool needs_comma;
};

static void
separate(struct json *j)
{
	if (j->needs_comma)
		ps_text_char(j->out, ',');
	j->needs_comma = true;
}

static void
key(struct json *j, const char *name)
{
	separate(j);
	ps_text_json_string(j->out, name);
	ps_text_char(j->out, ':');
	j->needs_comma = false;
}

static void
open(struct json *j, char bracket)
{
	PS_ASSERT(bracket == '{' || bracket == '[');
	separate(j);
	ps_text_char(j->out, bracket);
	j->needs_comma = false;
}

static void
close(struct json *j, char bracket)
{
	PS_ASSERT(bracket == '}' || bracket == ']');
	ps_text_char(j->out, bracket);
	j->needs_comma = true;
}

static void
number(struct json *j, const char *name, double value)
{
	key(j, name);
	ps_text_json_number(j->out, value);
	j->needs_comma = true;
}

/* With microseconds: a date has more than nine digits before them. */
static void
date(struct json *j, const char *name, uint64_t ns)
{
	key(j, name);
	ps_text_fixed(j->out, (double)ns * 1e-9, 6);
	j->needs_comma = true;
}

/* 0 means "not measured". */
static void
measured(struct json *j, const char *name, double value)
{
	number(j, name, value > 0 ? value : (double)NAN);
}

static void
count(struct json *j, const char *name, uint64_t value)
{
	key(j, name);
	ps_text_u64(j->out, value);
	j->needs_comma = true;
}

static void
string(struct json *j, const char *name, const char *value)
{
	key(j, name);
	if (value == NULL)
		ps_text_str(j->out, "null");
	else
		ps_text_json_string(j->out, value);
	j->needs_comma = true;
}

static void
null(struct json *j, const char *name)
{
	string(j, name, NULL);
}

static void
boolean(struct json *j, const char *name, bool value)
{
	key(j, name);
	ps_text_str(j->out, value ? "true" : "false");
	j->needs_comma = true;
}

/* ---- process ------------------------------------------------------------ */

static void
json_exit(struct json *j, const struct ps_view *v)
{
	static const char *const kinds[] = {"running", "exit", "signal",
					    "unknown"};
	_Static_assert(PS_COUNT(kinds) == PS_END_UNKNOWN + 1, "one word each");

	PS_ASSERT((unsigned)v->end < PS_COUNT(kinds));
	PS_ASSERT(v->end != PS_END_SIGNALED || v->exit_signal > 0);
	key(j, "exit");
	open(j, '{');
	string(j, "kind", kinds[v->end]);
	if (v->end == PS_END_SIGNALED)
		count(j, "code", (uint64_t)v->exit_signal);
	else if (v->exit_code >= 0)
		count(j, "code", (uint64_t)v->exit_code);
	else
		null(j, "code");
	close(j, '}');
}

static void
json_process(struct json *j, const struct ps_view *v)
{
	const struct ps_record_process *p = &v->reader->header->process;

	key(j, "process");
	open(j, '{');
	number(j, "pid", p->pid);
	number(j, "ppid", p->ppid);
	string(j, "exe", ps_reader_string(v->reader, p->exe));
	null(j, "argv");
	date(j, "start", p->start_real_ns);
	number(j, "wall_s", v->wall_s);
	number(j, "user_s", v->user_s);
	number(j, "sys_s", v->system_s);
	number(j, "max_rss_bytes", v->max_rss_bytes);
	count(j, "threads", v->threads_started);
	json_exit(j, v);
	close(j, '}');
}

/* ---- heap --------------------------------------------------------------- */

static void
json_classes(struct json *j, const struct ps_view *v)
{
	key(j, "size_classes");
	open(j, '[');
	for (unsigned c = 0; c < PS_CLASS_SLOTS; c++) {
		uint32_t bytes = v->reader->header->heap.class_bytes[c];

		if (v->class_allocations[c] == 0)
			continue;
		open(j, '{');
		number(j, "block_bytes",
		       c == PS_CLASS_LARGE ? (double)NAN : (double)bytes);
		count(j, "allocations", v->class_allocations[c]);
		count(j, "live", v->class_live[c]);
		close(j, '}');
	}
	close(j, ']');
}

static void
json_timeline(struct json *j, const struct ps_view *v)
{
	const struct ps_record_timeline *t = &v->reader->header->timeline;
	uint32_t slots = ps_reader_slots(v->reader);
	double step_s =
	    (double)ps_peek(&t->step_ticks) * ps_reader_tick_seconds(v->reader);

	key(j, "timeline");
	open(j, '[');
	for (uint32_t i = 0; i < slots; i++) {
		open(j, '{');
		number(j, "t_s", step_s * i);
		number(j, "live_bytes",
		       (double)ps_peek(&t->tick[i].live_bytes));
		number(j, "rss_bytes",
		       ps_peek(&t->tick[i].rss_bytes) == 0
			   ? (double)NAN
			   : (double)ps_peek(&t->tick[i].rss_bytes));
		close(j, '}');
	}
	close(j, ']');
}

static void
json_site(struct json *j, const struct ps_view *v, const struct ps_view_site *s)
{
	ps_stack_names(v->reader, j->symbols, s->site, j->names);
	open(j, '{');
	key(j, "stack");
	ps_json_stack(j->names, j->out);
	j->needs_comma = true;
	number(j, "allocations", s->allocations);
	number(j, "bytes", s->bytes);
	number(j, "peak_bytes", s->peak_bytes);
	number(j, "live_bytes", s->live_bytes);
	number(j, "error", ps_view_error(s, PS_BY_BYTES));
	close(j, '}');
}

static void
json_sites(struct json *j, const struct ps_view *v)
{
	key(j, "sites");
	open(j, '[');
	for (uint32_t i = 0; i < j->site_count; i++)
		json_site(j, v, j->sites[i]);
	close(j, ']');
	count(j, "sites_not_listed", v->site_count - j->site_count);
}

static void
json_heap(struct json *j, const struct ps_view *v)
{
	key(j, "heap");
	open(j, '{');
	count(j, "allocations", v->allocations);
	count(j, "frees", v->frees);
	count(j, "requested_bytes", v->requested_bytes);
	count(j, "peak_bytes", v->peak_bytes);
	number(j, "peak_at_s", v->peak_at_s);
	count(j, "live_bytes", v->live_bytes);
	count(j, "live_blocks", v->live_blocks);
	number(j, "short_lived_fraction", v->short_lived_fraction);
	number(j, "pool_fraction", v->pool_fraction);
	json_classes(j, v);
	json_timeline(j, v);
	json_sites(j, v);
	ps_json_labels(v, j->out);
	close(j, '}');
}

/* ---- the rest ----------------------------------------------------------- */

static void
json_usage(struct json *j, const struct ps_view_usage *u)
{
	number(j, "cpu_s", u->cpu_s);
	number(j, "live_growth_bytes", u->live_bytes);
	number(j, "minor_faults", u->minor_faults);
	number(j, "major_faults", u->major_faults);
	number(j, "waits", u->waits);
	number(j, "preemptions", u->preemptions);
	boolean(j, "is_usage_sampled", u->is_estimate);
}

static void
json_slowest(struct json *j, const struct ps_view_section *s)
{
	key(j, "slowest");
	open(j, '[');
	for (uint32_t i = 0; i < s->slow_count; i++) {
		open(j, '{');
		number(j, "seconds", s->slow[i].seconds);
		number(j, "at_s", s->slow[i].at_s);
		count(j, "thread", s->slow[i].tid);
		string(j, "parent", s->slow[i].parent);
		close(j, '}');
	}
	close(j, ']');
}

static void
json_section(struct json *j, const struct ps_view_section *s)
{
	_Static_assert(PS_SECTION_VALUES == 3, "each has a name below");
	open(j, '{');
	string(j, "name", s->name);
	count(j, "calls", s->calls);
	number(j, "total_s", s->total_s);
	number(j, "self_s", s->self_s);
	number(j, "mean_s", s->mean_s);
	number(j, "stddev_s", s->stddev_s);
	number(j, "min_s", s->min_s);
	number(j, "p50_s", s->p50_s);
	number(j, "p90_s", s->p90_s);
	number(j, "p99_s", s->p99_s);
	number(j, "max_s", s->max_s);
	count(j, "allocations", s->allocations);
	count(j, "bytes", s->bytes);
	count(j, "threads", s->threads);
	boolean(j, "is_self_doubtful", s->is_self_doubtful);
	json_usage(j, &s->usage);
	key(j, "work");
	open(j, '{');
	number(j, "bytes", s->value[PS_VALUE_BYTES]);
	number(j, "items", s->value[PS_VALUE_ITEMS]);
	number(j, "flops", s->value[PS_VALUE_FLOPS]);
	close(j, '}');
	json_slowest(j, s);
	close(j, '}');
}

static void
json_node(struct json *j, const struct ps_view_node *n)
{
	open(j, '{');
	string(j, "name", n->name);
	if (n->parent != UINT32_MAX)
		count(j, "parent", n->parent);
	else
		null(j, "parent");
	count(j, "calls", n->calls);
	number(j, "total_s", n->total_s);
	number(j, "self_s", n->self_s);
	close(j, '}');
}

static void
json_sections(struct json *j, const struct ps_view *v)
{
	key(j, "sections");
	open(j, '[');
	for (uint32_t i = 0; i < v->section_count; i++)
		json_section(j, &v->sections[i]);
	close(j, ']');
	key(j, "section_tree");
	open(j, '[');
	for (uint32_t i = 0; i < v->node_count; i++)
		json_node(j, &v->nodes[i]);
	close(j, ']');
}

static void
json_calibration(struct json *j, const struct ps_view *v)
{
	const struct ps_record_header *h = v->reader->header;
	const struct ps_calibration *c = &h->calibration;
	char isa[sizeof(c->isa) + 1] = {0};
	bool is_measured = c->kind != PS_CALIBRATION_NONE;
	bool has_drift = c->watched & PS_WATCHED_DRIFT;
	const double nan = __builtin_nan(""); /* null */

	for (unsigned i = 0; i < sizeof(c->isa); i++)
		isa[i] = c->isa[i];
	key(j, "calibration");
	open(j, '{');
	string(j, "clock", h->clock.kind == PS_CLOCK_TSC ? "tsc" : "monotonic");
	measured(j, "tsc_hz", c->tsc_hz);
	measured(j, "tsc_ppm", c->tsc_ppm);
	measured(j, "clock_quantum_ns", c->clock_quantum_ns);
	measured(j, "marker_ns", c->marker_ns);
	measured(j, "marker_inside_ns", c->marker_inside_ns);
	string(j, "isa", is_measured ? isa : NULL);
	measured(j, "core_hz", c->core_hz);
	measured(j, "fma_flops", c->fma_flops);
	key(j, "vector_add_bytes_per_s");
	open(j, '{');
	measured(j, "l1", c->vector_add_l1);
	measured(j, "l2", c->vector_add_l2);
	measured(j, "l3", c->vector_add_l3);
	measured(j, "dram", c->vector_add_dram);
	close(j, '}');
	measured(j, "dram_latency_ns", c->latency_dram_ns);
	measured(j, "matmul_flops", c->matmul_flops);
	number(j, "drift_fraction", has_drift ? c->drift_fraction : nan);
	number(j, "core_drift_fraction", has_drift ? c->core_drift : nan);
	number(j, "memory_drift_fraction",
	       c->watched & PS_WATCHED_MEMORY ? (double)c->memory_drift : nan);
	number(j, "steal_fraction",
	       c->watched & PS_WATCHED_STEAL ? c->steal_fraction : nan);
	number(j, "waiting_fraction",
	       c->watched & PS_WATCHED_PRESSURE ? c->pressure_fraction : nan);
	close(j, '}');
}

static void
json_alerts(struct json *j, const struct ps_view *v)
{
	key(j, "alerts");
	ps_json_alerts(v->reader, j->symbols, j->names, j->out);
	j->needs_comma = true;
}

static void
json_sampling(struct json *j, const struct ps_view *v)
{
	static const char *const modes[] = {"off", "poisson", "all"};
	_Static_assert(PS_COUNT(modes) == PS_SAMPLE_ALL + 1, "one word each");
	const struct ps_record_sampling *s = &v->reader->header->sampling;

	key(j, "sampling");
	open(j, '{');
	string(j, "mode", s->mode < PS_COUNT(modes) ? modes[s->mode] : NULL);
	number(j, "interval_bytes",
	       s->mode == PS_SAMPLE_POISSON ? (double)s->interval_bytes
					    : (double)NAN);
	number(j, "interval_bytes_widest",
	       s->mode == PS_SAMPLE_POISSON ? ps_view_interval_widest(v)
					    : (double)NAN);
	count(j, "samples", v->samples);
	count(j, "dropped", ps_peek(&s->dropped) + v->table_drops);
	boolean(j, "stacks", s->stacks_off == 0);
	string(j, "own_malloc", ps_view_own_malloc(v));
	close(j, '}');
}

int
ps_report_json(const struct ps_view *v, struct ps_symbols *symbols,
	       struct ps_stack_names *names, uint32_t most,
	       struct ps_scratch *scratch, struct ps_text *out)
{
	struct json j = {.symbols = symbols, .names = names, .out = out};

	PS_ASSERT(symbols != NULL && names != NULL);
	most = PS_MIN(most, v->site_count);
	j.sites = ps_scratch_array(scratch, most, sizeof(*j.sites));
	if (j.sites == NULL)
		return -ENOMEM;
	j.site_count = ps_view_top(v, PS_BY_BYTES, most, j.sites);
	open(&j, '{');
	string(&j, "schema", "perfshim-report/1");
	json_process(&j, v);
	json_heap(&j, v);
	json_sections(&j, v);
	json_calibration(&j, v);
	json_alerts(&j, v);
	json_sampling(&j, v);
	key(&j, "overhead");
	open(&j, '{');
	number(&j, "seconds", v->overhead_s);
	number(&j, "fraction", v->overhead_fraction);
	close(&j, '}');
	close(&j, '}');
	ps_text_char(out, '\n');
	return 0;
}
