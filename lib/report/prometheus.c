/* SPDX-License-Identifier: MIT */
/*
 * prometheus - recordings as Prometheus metrics
 *
 * The format wants a family's samples together, so the outer loop is over
 * families and the inner one over processes.  Counters are those of a process:
 * they start from 0 with it, and so do its labels.
 */
#include <errno.h>
#include <math.h>

#include "monitor/prom.h"
#include "monitor/recording_source.h"
#include "report/prometheus.h"
#include "report/view.h"

struct process {
	const struct ps_reader *reader;
	struct ps_view view;
	char pid[12];
	uint32_t sections; /* shown */
};

struct all {
	struct process *process;
	uint32_t count;
	struct ps_calls *calls; /* scratch */
	struct ps_text *out;
};

/* ---- families of one value a process ------------------------------------ */

static double
start_s(const struct process *p)
{
	return (double)p->reader->header->process.start_real_ns * 1e-9;
}

static double
one(const struct process *p)
{
	(void)p;
	return 1;
}

static double
is_ended(const struct process *p)
{
	return p->view.end == PS_END_RUNNING ? 0 : 1;
}

static double
cpu_s(const struct process *p)
{
	return p->view.user_s + p->view.system_s;
}

static double
live_bytes(const struct process *p)
{
	return (double)p->view.live_bytes;
}

static double
peak_bytes(const struct process *p)
{
	return (double)p->view.peak_bytes;
}

static double
live_blocks(const struct process *p)
{
	return (double)p->view.live_blocks;
}

static double
allocations(const struct process *p)
{
	return (double)p->view.allocations;
}

static double
frees(const struct process *p)
{
	return (double)p->view.frees;
}

static double
requested(const struct process *p)
{
	return (double)p->view.requested_bytes;
}

static double
failed(const struct process *p)
{
	return (double)ps_peek(&p->reader->header->heap.failed);
}

static double
threads(const struct process *p)
{
	return (double)ps_peek(&p->reader->header->process.threads_live);
}

static double
overhead_s(const struct process *p)
{
	return p->view.overhead_s;
}

static double
dropped(const struct process *p)
{
	return (double)(p->view.table_drops +
			ps_peek(&p->reader->header->sampling.dropped));
}

static double
left_out(const struct process *p)
{
	PS_ASSERT(p->sections <= p->view.section_count);
	return (double)(p->view.section_count - p->sections);
}

static double
undelivered(const struct process *p)
{
	return (double)ps_peek(&p->reader->header->watch.undelivered);
}

static double
steps(const struct process *p)
{
	return (double)ps_peek(&p->reader->header->watch.steps);
}

static const struct {
	const char *name;
	const char *type;
	const char *help;
	double (*value)(const struct process *p);
} families[] = {
    {"perfshim_process_info", "gauge", "A recorded process; always 1.", one},
    {"perfshim_process_ended", "gauge",
     "1 when the process said that it ended.", is_ended},
    {"perfshim_process_start_time_seconds", "gauge",
     "When the recording began, since 1970.", start_s},
    {"perfshim_process_cpu_seconds_total", "counter",
     "User and system time, known at the end of the process.", cpu_s},
    {"perfshim_process_threads", "gauge", "Threads that allocate or mark.",
     threads},
    {"perfshim_heap_live_bytes", "gauge", "Bytes in live heap blocks.",
     live_bytes},
    {"perfshim_heap_peak_bytes", "gauge", "Greatest heap so far.", peak_bytes},
    {"perfshim_heap_live_blocks", "gauge", "Live heap blocks.", live_blocks},
    {"perfshim_heap_allocations_total", "counter", "Allocations.", allocations},
    {"perfshim_heap_frees_total", "counter", "Frees.", frees},
    {"perfshim_heap_requested_bytes_total", "counter",
     "Bytes that allocations asked for.", requested},
    {"perfshim_heap_failed_allocations_total", "counter",
     "Allocations that returned no memory.", failed},
    {"perfshim_overhead_seconds_total", "counter", "What the shim itself cost.",
     overhead_s},
    {"perfshim_dropped_total", "counter",
     "Samples and rows that found no room in the recording.", dropped},
    {"perfshim_sections_left_out", "gauge",
     "Sections beyond those shown, which have less total time.", left_out},
    {"perfshim_watch_steps_total", "counter", "How often rules were looked at.",
     steps},
    {"perfshim_alerts_undelivered_total", "counter",
     "Alerts that PERFSHIM_ALERT_TO did not take.", undelivered},
};

enum { LABELS_MAX = 3 };

/* pid, exe and at most one more; `more` may be NULL. */
static struct ps_prom_labels
labels_of(const struct process *p, struct ps_prom_label *label,
	  const char *more, const char *value)
{
	const struct ps_record_process *r = &p->reader->header->process;

	PS_ASSERT((more == NULL) == (value == NULL));
	label[0] = (struct ps_prom_label){"pid", p->pid};
	label[1] =
	    (struct ps_prom_label){"exe", ps_reader_string(p->reader, r->name)};
	label[2] = (struct ps_prom_label){more, value};
	return (struct ps_prom_labels){label, more == NULL ? 2 : 3};
}

static void
put_families(struct all *all)
{
	struct ps_prom_label label[LABELS_MAX];

	for (unsigned f = 0; f < PS_COUNT(families); f++) {
		ps_prom_head(all->out, families[f].name, families[f].type,
			     families[f].help);
		for (uint32_t i = 0; i < all->count; i++) {
			const struct process *p = &all->process[i];
			struct ps_prom_labels labels =
			    labels_of(p, label, NULL, NULL);

			ps_prom_sample(all->out, families[f].name, &labels,
				       families[f].value(p));
		}
	}
}

/* ---- sections ----------------------------------------------------------- */

static void
put_durations(struct all *all)
{
	static const char family[] = "perfshim_section_duration_seconds";
	struct ps_prom_label label[LABELS_MAX];

	ps_prom_head(all->out, family, "histogram",
		     "Durations of marked sections.");
	for (uint32_t i = 0; i < all->count; i++) {
		const struct process *p = &all->process[i];

		for (uint32_t s = 0; s < p->sections; s++) {
			const struct ps_view_section *section =
			    &p->view.sections[s];
			struct ps_prom_labels labels =
			    labels_of(p, label, "section", section->name);

			PS_ASSERT(section->index <
				  p->reader->count[PS_TABLE_SECTIONS]);
			*all->calls = (struct ps_calls){0};
			ps_recording_calls(p->reader, section->index,
					   all->calls);
			ps_prom_histogram(all->out, family, &labels, all->calls,
					  ps_reader_tick_seconds(p->reader));
		}
	}
}

static double
self_s(const struct ps_view_section *s)
{
	return s->self_s;
}

static double
section_allocations(const struct ps_view_section *s)
{
	return (double)s->allocations;
}

static double
section_bytes(const struct ps_view_section *s)
{
	return (double)s->bytes;
}

static const struct {
	const char *name;
	const char *help;
	double (*value)(const struct ps_view_section *s);
} section_families[] = {
    {"perfshim_section_self_seconds_total",
     "Time in a section without the sections inside it.", self_s},
    {"perfshim_section_allocations_total", "Allocations within a section.",
     section_allocations},
    {"perfshim_section_allocated_bytes_total",
     "Bytes asked for within a section.", section_bytes},
};

static void
put_section_family(struct all *all, unsigned f)
{
	struct ps_prom_label label[LABELS_MAX];

	PS_ASSERT(f < PS_COUNT(section_families));
	ps_prom_head(all->out, section_families[f].name, "counter",
		     section_families[f].help);
	for (uint32_t i = 0; i < all->count; i++) {
		const struct process *p = &all->process[i];

		for (uint32_t s = 0; s < p->sections; s++) {
			const struct ps_view_section *section =
			    &p->view.sections[s];
			struct ps_prom_labels labels =
			    labels_of(p, label, "section", section->name);

			ps_prom_sample(all->out, section_families[f].name,
				       &labels,
				       section_families[f].value(section));
		}
	}
}

/* ---- alerts ------------------------------------------------------------- */

static void
count_alerts(const struct ps_reader *r,
	     uint64_t by_severity[PS_SEVERITY_CRITICAL + 1])
{
	for (uint32_t i = 0; i < r->count[PS_TABLE_ALERTS]; i++) {
		const struct ps_record_alert *a =
		    ps_reader_entry(r, PS_TABLE_ALERTS, i);
		/* A row may be written over meanwhile. */
		uint32_t severity = ps_once(a->severity);

		if (severity <= PS_SEVERITY_CRITICAL)
			by_severity[severity] += 1 + (uint64_t)a->replaced;
	}
}

static void
put_alerts(struct all *all)
{
	static const char family[] = "perfshim_alerts_total";
	struct ps_prom_label label[LABELS_MAX];

	ps_prom_head(all->out, family, "counter",
		     "Alerts raised, by severity.");
	for (uint32_t i = 0; i < all->count; i++) {
		const struct process *p = &all->process[i];
		uint64_t alerts[PS_SEVERITY_CRITICAL + 1] = {0};

		_Static_assert(PS_SEVERITY_INFO == 0, "alerts are by severity");
		count_alerts(p->reader, alerts);
		for (uint32_t s = 0; s < PS_COUNT(alerts); s++) {
			struct ps_prom_labels labels = labels_of(
			    p, label, "severity", ps_severity_name(s));

			ps_prom_count(all->out, family, &labels, alerts[s]);
		}
	}
}

/* ---- all ---------------------------------------------------------------- */

static int
open_process(struct process *p, const struct ps_reader *reader,
	     struct ps_scratch *scratch)
{
	struct ps_text text;

	p->reader = reader;
	ps_text_init(&text, p->pid, sizeof(p->pid), -1);
	ps_text_printf(&text, "%d", reader->header->process.pid);
	PS_ASSERT(text.cut == 0);
	if (ps_view_build(reader, NULL, scratch, &p->view) != 0)
		return -ENOMEM;
	p->sections = PS_MIN(p->view.section_count, (uint32_t)PS_PROM_SECTIONS);
	return 0;
}

int
ps_report_prometheus(const struct ps_reader *const *readers, uint32_t count,
		     struct ps_scratch *scratch, struct ps_text *out)
{
	struct all all = {.count = count, .out = out};
	int error = 0;

	PS_ASSERT(readers != NULL || count == 0);
	all.process = ps_scratch_array(scratch, count, sizeof(*all.process));
	all.calls = ps_scratch_alloc(scratch, sizeof(*all.calls));
	if (all.process == NULL || all.calls == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count && error == 0; i++)
		error = open_process(&all.process[i], readers[i], scratch);
	if (error != 0)
		return error;
	put_families(&all);
	put_durations(&all);
	for (unsigned f = 0; f < PS_COUNT(section_families); f++)
		put_section_family(&all, f);
	put_alerts(&all);
	return 0;
}
