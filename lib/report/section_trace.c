/* SPDX-License-Identifier: MIT */
/*
 * section_trace - the events of PERFSHIM_EVENTS as Chrome trace JSON
 *
 * Perfetto drops a region that overlaps another of its thread, and takes the
 * first of two that begin together for the outer one.  So begin and end are
 * both rounded down to whole nanoseconds, which keeps what is nested nested,
 * and the newest event comes first, because a region ends after those inside
 * it.
 *
 * A row counts when its number belongs to its place and has not changed while
 * it was copied, so that one which was being written when the process died, or
 * is just now, is left out.  Of a region whose parent's end was not reached, or
 * fell out of the ring, the viewer sees the region alone.
 */
#include <errno.h>

#include "report/section_trace.h"

static const char *
name_of(const struct ps_view *v, uint32_t section)
{
	for (uint32_t i = 0; i < v->section_count; i++)
		if (v->sections[i].index == section)
			return v->sections[i].name;
	return "?";
}

/* Since the start; false when no time can be that. */
static bool
nanoseconds(const struct ps_view *v, uint64_t ticks, uint64_t *ns)
{
	double value = ps_reader_seconds(v->reader, ticks) * 1e9;

	if (!(value >= 0 && value < 1e18))
		return false;
	*ns = (uint64_t)value;
	return true;
}

bool
ps_section_event_at(const struct ps_view *v, uint32_t row,
		    struct ps_trace_event *out)
{
	const struct ps_reader *r = v->reader;
	const struct ps_record_event *e =
	    ps_reader_entry(r, PS_TABLE_EVENTS, row);
	/* acquire: pairs with the release of the number */
	uint64_t number =
	    atomic_load_explicit(&e->number, memory_order_acquire);
	uint64_t begun = ps_peek(&e->begun);
	uint64_t ended = begun + ps_peek(&e->ticks);
	uint32_t section = ps_peek(&e->section);

	if (number == 0 || (number - 1) % r->count[PS_TABLE_EVENTS] != row)
		return false;
	*out = (struct ps_trace_event){
	    .number = number - 1,
	    .section = section,
	    .name = name_of(v, section),
	    .tid = ps_peek(&e->tid),
	    .is_span = ps_peek(&e->is_span) != 0,
	};
	/* acquire fence: pairs with that of ps_section_event */
	atomic_thread_fence(memory_order_acquire);
	return ps_peek(&e->number) == number && ended >= begun &&
	       nanoseconds(v, begun, &out->begun_ns) &&
	       nanoseconds(v, ended, &out->ended_ns);
}

static void
put_us(struct ps_text *t, const char *name, uint64_t ns)
{
	ps_text_printf(t, ",\"%s\":%lu.%03lu", name, (unsigned long)(ns / 1000),
		       (unsigned long)(ns % 1000));
}

static void
put_head(struct ps_text *t, const struct ps_view *v,
	 const struct ps_trace_event *e, const char *kind, uint64_t ns)
{
	PS_ASSERT((kind[0] == 'X') == !e->is_span);
	ps_text_str(t, ",\n{\"ph\":\"");
	ps_text_str(t, kind);
	ps_text_str(t, "\",\"cat\":\"section\",\"name\":");
	ps_text_json_string(t, e->name);
	ps_text_printf(t, ",\"pid\":%d,\"tid\":%u",
		       v->reader->header->process.pid, e->tid);
	put_us(t, "ts", ns);
}

static void
put_event(struct ps_text *t, const struct ps_view *v,
	  const struct ps_trace_event *e)
{
	if (!e->is_span) {
		put_head(t, v, e, "X", e->begun_ns);
		put_us(t, "dur", e->ended_ns - e->begun_ns);
		ps_text_char(t, '}');
		return;
	}
	put_head(t, v, e, "b", e->begun_ns);
	ps_text_printf(t, ",\"id\":\"%lu\"}", (unsigned long)e->number);
	put_head(t, v, e, "e", e->ended_ns);
	ps_text_printf(t, ",\"id\":\"%lu\"}", (unsigned long)e->number);
}

static void
put_process(struct ps_text *t, const struct ps_view *v)
{
	const struct ps_record_process *p = &v->reader->header->process;

	ps_text_printf(t,
		       "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%d,"
		       "\"tid\":0,\"ts\":0,\"args\":{\"name\":",
		       p->pid);
	ps_text_json_string(t, ps_reader_string(v->reader, p->name));
	ps_text_str(t, "}}");
}

/* Its number + 1. */
static uint64_t
newest(const struct ps_view *v, uint32_t rows)
{
	uint64_t most = 0;

	PS_ASSERT(rows <= v->reader->count[PS_TABLE_EVENTS]);
	for (uint32_t i = 0; i < rows; i++) {
		const struct ps_record_event *e =
		    ps_reader_entry(v->reader, PS_TABLE_EVENTS, i);

		uint64_t number = ps_peek(&e->number);

		most = PS_MAX(most, number);
	}
	return most;
}

int
ps_section_trace(const struct ps_view *v, struct ps_text *out)
{
	uint32_t rows = v->reader->count[PS_TABLE_EVENTS];
	uint64_t number;
	struct ps_trace_event e;

	if (rows == 0)
		return -ENODATA;
	ps_text_str(out, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
	put_process(out, v);
	number = newest(v, rows);
	for (uint32_t i = 0; i < rows && number > 0; i++, number--)
		if (ps_section_event_at(v, (uint32_t)((number - 1) % rows), &e))
			put_event(out, v, &e);
	ps_text_str(out, "\n]}\n");
	return 0;
}
