/* SPDX-License-Identifier: MIT */
/*
 * json_labels - the heap by thread, by section and by lifetime, in JSON
 *
 * What has no bytes is left out.
 */
#include <math.h>
#include <string.h>

#include "report/json_labels.h"

static void
put_number(struct ps_text *t, const char *name, double value)
{
	ps_text_printf(t, ",\"%s\":", name);
	ps_text_json_number(t, value);
}

static void
put_label(struct ps_text *t, const char *name, const struct ps_view_label *l,
	  bool *is_first)
{
	if (!(l->bytes > 0))
		return;
	ps_text_str(t, *is_first ? "{\"name\":" : ",{\"name\":");
	*is_first = false;
	if (name == NULL)
		ps_text_str(t, "null");
	else
		ps_text_json_string(t, name);
	put_number(t, "bytes", l->bytes);
	put_number(t, "peak_bytes", l->peak_bytes);
	put_number(t, "live_bytes", l->live_bytes);
	ps_text_char(t, '}');
}

static void
put_threads(const struct ps_view *v, struct ps_text *t)
{
	bool is_first = true;

	ps_text_str(t, ",\"by_thread\":[");
	for (uint32_t i = 0; i < PS_LABEL_THREADS; i++) {
		const struct ps_record_thread *row =
		    ps_reader_entry(v->reader, PS_TABLE_THREADS, i);
		char name[sizeof(row->name) + 1] = {0};

		if (row != NULL)
			memcpy(name, row->name, sizeof(row->name));
		put_label(t, i == 0 || row == NULL ? NULL : name,
			  &v->by_thread[i], &is_first);
	}
	ps_text_char(t, ']');
}

static void
put_sections(const struct ps_view *v, struct ps_text *t)
{
	uint32_t count =
	    v->by_section == NULL ? 0 : v->reader->count[PS_TABLE_SECTIONS];
	bool is_first = true;

	ps_text_str(t, ",\"by_section\":[");
	for (uint32_t i = 0; i < count; i++) {
		const struct ps_record_section *section =
		    ps_reader_entry(v->reader, PS_TABLE_SECTIONS, i);

		put_label(t, ps_reader_string(v->reader, section->name),
			  &v->by_section[i], &is_first);
	}
	ps_text_char(t, ']');
}

_Static_assert(PS_LIFETIME_SHIFT + 2 * (PS_LIFETIMES - 1) < 64,
	       "the ticks of each are 64 bits");

static void
put_lifetimes(const struct ps_view *v, struct ps_text *t)
{
	double tick_s = ps_reader_tick_seconds(v->reader);

	ps_text_str(t, ",\"lifetimes\":[");
	for (unsigned i = 0; i < PS_LIFETIMES; i++) {
		double ticks =
		    (double)(UINT64_C(1) << (PS_LIFETIME_SHIFT + 2 * i));

		ps_text_str(t, i == 0 ? "{\"under_s\":" : ",{\"under_s\":");
		ps_text_json_number(t, i == PS_LIFETIMES - 1 ? (double)NAN
							     : ticks * tick_s);
		put_number(t, "blocks", v->lifetime_frees[i]);
		put_number(t, "bytes", v->lifetime_bytes[i]);
		ps_text_char(t, '}');
	}
	ps_text_char(t, ']');
}

void
ps_json_labels(const struct ps_view *v, struct ps_text *t)
{
	PS_ASSERT(v->left_out_rows <= v->reader->count[PS_TABLE_SITES]);
	PS_ASSERT(v->forgiven_bytes >= 0 && v->forgiven_allocations >= 0);
	ps_text_printf(t, ",\"suppressed\":{\"sites\":%u", v->forgiven_sites);
	put_number(t, "blocks", v->forgiven_allocations);
	put_number(t, "bytes", v->forgiven_bytes);
	ps_text_printf(t, "},\"left_out\":{\"rows\":%u", v->left_out_rows);
	put_number(t, "bytes", v->left_out_bytes);
	ps_text_char(t, '}');
	put_threads(v, t);
	put_sections(v, t);
	put_lifetimes(v, t);
}
