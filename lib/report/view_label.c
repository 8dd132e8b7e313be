/* SPDX-License-Identifier: MIT */
/*
 * view_label - the heap by thread and by section; a part of view
 *
 * A block belongs to the thread that allocated it and to the section that this
 * thread was in, the innermost one; who frees it does not matter.
 */
#include <errno.h>

#include "report/view_label.h"

static void
add(struct ps_view_label *label, const struct ps_view_site *site)
{
	label->bytes += site->bytes;
	label->peak_bytes += site->peak_bytes;
	label->live_bytes += site->live_bytes;
}

int
ps_view_labels(struct ps_view *v, struct ps_scratch *scratch)
{
	uint32_t sections = v->reader->count[PS_TABLE_SECTIONS];
	uint32_t rows = v->reader->count[PS_TABLE_SITES];
	struct ps_view_site site;

	PS_ASSERT(v->row_verdicts != NULL && v->by_section == NULL);
	if (sections > 0) {
		v->by_section = ps_scratch_alloc(
		    scratch, sections * sizeof(*v->by_section));
		if (v->by_section == NULL)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < rows; i++) {
		uint32_t thread;
		uint32_t section;

		if (v->row_verdicts[i] == PS_ROW_LEFT_OUT)
			continue;
		ps_view_row(v, i, &site);
		thread = ps_once(site.site->thread);
		section = ps_once(site.site->section);
		add(&v->by_thread[thread < PS_LABEL_THREADS ? thread : 0],
		    &site);
		if (section < sections)
			add(&v->by_section[section], &site);
	}
	return 0;
}
