/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "report/view_alert.h"

enum { ATTEMPTS = 3 };

/* The row between two looks at its version that agree; false: never did. */
static bool
copy_row(const struct ps_record_alert *row, struct ps_record_alert *out,
	 uint32_t *version)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		/* acquire: pairs with the release in alert_record.c */
		*version =
		    atomic_load_explicit(&row->version, memory_order_acquire);
		memcpy((void *)out, (const void *)row, sizeof(*out));
		/* Loads stay in order on x86; the compiler must keep it. */
		atomic_signal_fence(memory_order_acquire);
		if (*version % 2 == 0 && ps_peek(&row->version) == *version)
			return true;
	}
	return false;
}

bool
ps_view_alert(const struct ps_reader *r, uint32_t index,
	      struct ps_view_alert *out)
{
	const struct ps_record_alert *row =
	    ps_reader_entry(r, PS_TABLE_ALERTS, index);
	const struct ps_record_section *section;
	uint32_t snapshots = r->count[PS_TABLE_ALERT_SITES];

	if (row == NULL || !copy_row(row, &out->row, &out->version))
		return false;
	section = ps_reader_entry(r, PS_TABLE_SECTIONS, out->row.section);
	out->rule = ps_reader_string(r, out->row.rule);
	out->section =
	    section == NULL ? NULL : ps_reader_string(r, section->name);
	out->at_s = ps_reader_seconds(r, out->row.ticks);
	out->time_s = (double)out->row.real_ns * 1e-9;
	out->site = ps_reader_entry(r, PS_TABLE_SITES, out->row.site);
	out->sites = out->row.sites;
	if (out->row.first_site > snapshots ||
	    out->sites > snapshots - out->row.first_site)
		out->sites = 0;
	return true;
}

const struct ps_record_site *
ps_view_alert_site(const struct ps_reader *r, const struct ps_view_alert *alert,
		   uint32_t i, double *live_bytes, double *live_allocations)
{
	const struct ps_record_alert_site *s =
	    ps_reader_entry(r, PS_TABLE_ALERT_SITES, alert->row.first_site + i);

	PS_ASSERT(i < alert->sites);
	if (s == NULL)
		return NULL;
	*live_bytes = (double)s->live_bytes;
	*live_allocations = (double)s->live_allocations / PS_WEIGHT_ONE;
	return ps_reader_entry(r, PS_TABLE_SITES, s->site);
}
