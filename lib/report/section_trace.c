/* SPDX-License-Identifier: MIT */
/*
 * section_trace - the events of PERFSHIM_EVENTS as Chrome trace JSON
 *
 * The ring is read as it lies; viewers sort by time.  A row counts when its
 * number belongs to its place and has not changed while it was copied, so that
 * one which was being written when the process died, or is just now, is left
 * out.  Of a region whose parent's end was not reached, or fell out of the
 * ring, the viewer sees the region alone.
 */
#include <errno.h>

#include "report/section_trace.h"

struct event {
	uint64_t number;
	double begun_us;
	double us;
	const char *name;
	uint32_t tid;
	bool is_span;
};

static const char *
name_of(const struct ps_view *v, uint32_t section)
{
	for (uint32_t i = 0; i < v->section_count; i++)
		if (v->sections[i].index == section)
			return v->sections[i].name;
	return "?";
}

static bool
copy(const struct ps_view *v, uint32_t row, struct event *out)
{
	const struct ps_reader *r = v->reader;
	const struct ps_record_event *e =
	    ps_reader_entry(r, PS_TABLE_EVENTS, row);
	/* acquire: pairs with the release of the number */
	uint64_t number =
	    atomic_load_explicit(&e->number, memory_order_acquire);

	if (number == 0 || (number - 1) % r->count[PS_TABLE_EVENTS] != row)
		return false;
	*out = (struct event){
	    .number = number - 1,
	    .begun_us = ps_reader_seconds(r, ps_peek(&e->begun)) * 1e6,
	    .us = (double)ps_peek(&e->ticks) * ps_reader_tick_seconds(r) * 1e6,
	    .name = name_of(v, ps_peek(&e->section)),
	    .tid = ps_peek(&e->tid),
	    .is_span = ps_peek(&e->is_span) != 0,
	};
	/* acquire fence: pairs with that of ps_section_event */
	atomic_thread_fence(memory_order_acquire);
	return ps_peek(&e->number) == number && out->begun_us >= 0 &&
	       out->us >= 0 && out->us < 1e15 && out->begun_us < 1e15;
}

static void
put_head(struct ps_text *t, const struct ps_view *v, const struct event *e,
	 const char *kind, double ts)
{
	ps_text_str(t, ",\n{\"ph\":\"");
	ps_text_str(t, kind);
	ps_text_str(t, "\",\"cat\":\"section\",\"name\":");
	ps_text_json_string(t, e->name);
	ps_text_printf(t, ",\"pid\":%d,\"tid\":%u,\"ts\":",
		       v->reader->header->process.pid, e->tid);
	ps_text_fixed(t, ts, 3);
}

static void
put_event(struct ps_text *t, const struct ps_view *v, const struct event *e)
{
	if (!e->is_span) {
		put_head(t, v, e, "X", e->begun_us);
		ps_text_str(t, ",\"dur\":");
		ps_text_fixed(t, e->us, 3);
		ps_text_char(t, '}');
		return;
	}
	put_head(t, v, e, "b", e->begun_us);
	ps_text_printf(t, ",\"id\":\"%lu\"}", (unsigned long)e->number);
	put_head(t, v, e, "e", e->begun_us + e->us);
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

int
ps_section_trace(const struct ps_view *v, struct ps_text *out)
{
	uint32_t rows = v->reader->count[PS_TABLE_EVENTS];
	struct event e;

	if (rows == 0)
		return -ENODATA;
	ps_text_str(out, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
	put_process(out, v);
	for (uint32_t i = 0; i < rows; i++)
		if (copy(v, i, &e))
			put_event(out, v, &e);
	ps_text_str(out, "\n]}\n");
	return 0;
}
