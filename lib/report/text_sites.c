/* SPDX-License-Identifier: MIT */
/*
 * text_sites - the four lists of allocation sites
 */
#include "report/text_parts.h"

enum { TOP_MAX = 100 };

struct list {
	enum ps_view_key key;
	const char *heading;
	const char *nothing;
};

static void
put_values(struct ps_text_report *r, const struct ps_view_site *s,
	   enum ps_view_key key)
{
	struct ps_text *t = r->out;
	double blocks;
	char a[16];
	char b[16];

	ps_text_style(t, PS_YELLOW);
	switch (key) {
	case PS_BY_ALLOCATIONS:
		ps_text_printf(t, "%s", ps_human_count(a, s->allocations));
		ps_put_error(t, s->allocations,
			     ps_view_error(s, PS_BY_ALLOCATIONS));
		ps_text_style(t, PS_PLAIN);
		ps_text_printf(t, " allocation%s, %s in all",
			       ps_plural(s->allocations),
			       ps_human_bytes(b, s->bytes));
		break;
	case PS_BY_TEMPORARY:
		PS_ASSERT(s->temporary <= s->allocations);
		ps_text_printf(t, "%s", ps_human_count(a, s->temporary));
		ps_put_error(t, s->temporary, ps_view_error(s, key));
		ps_text_style(t, PS_PLAIN);
		ps_text_printf(t, " temporary of %s allocation%s (%d%%)",
			       ps_human_count(b, s->allocations),
			       ps_plural(s->allocations),
			       (int)(100 * s->temporary / s->allocations));
		break;
	default:
		PS_ASSERT(key == PS_BY_PEAK || key == PS_BY_LIVE);
		ps_text_printf(t, "%s",
			       ps_human_bytes(a, ps_view_value(s, key)));
		ps_put_error(t, ps_view_value(s, key), ps_view_error(s, key));
		ps_text_style(t, PS_PLAIN);
		blocks = key == PS_BY_PEAK ? s->peak_allocations
					   : s->live_allocations;
		ps_text_printf(t, " in %s block%s, %s allocated in all",
			       ps_human_count(b, blocks), ps_plural(blocks),
			       ps_human_bytes(a, s->bytes));
		break;
	}
	ps_text_char(t, '\n');
}

static void
put_forgiven(struct ps_text *t, const struct ps_view *v)
{
	char bytes[16];
	char blocks[16];

	if (v->forgiven_sites == 0)
		return;
	ps_text_printf(t, "  suppressed: %u stack%s with %s in %s block%s\n",
		       v->forgiven_sites, ps_plural(v->forgiven_sites),
		       ps_human_bytes(bytes, v->forgiven_bytes),
		       ps_human_count(blocks, v->forgiven_allocations),
		       ps_plural(v->forgiven_allocations));
}

static void
put_list(struct ps_text_report *r, const struct list *list)
{
	const struct ps_view_site *top[TOP_MAX];
	uint32_t count = ps_view_top(r->view, list->key,
				     PS_MIN(r->top, (uint32_t)TOP_MAX), top);

	ps_put_heading(r->out, list->heading,
		       count == 0 ? list->nothing : NULL);
	if (list->key == PS_BY_LIVE)
		put_forgiven(r->out, r->view);
	for (uint32_t i = 0; i < count; i++) {
		ps_text_printf(r->out, "%4u  ", i + 1);
		put_values(r, top[i], list->key);
		ps_put_stack_below(r, top, i);
	}
}

/* One line each, and the reason once. */
static void
put_no_lists(struct ps_text_report *r, const struct list *lists, unsigned count,
	     const char *why)
{
	for (unsigned i = 0; i < count; i++) {
		ps_text_str(r->out, i == 0 ? "\n" : "");
		ps_text_style(r->out, PS_BOLD);
		ps_text_str(r->out, lists[i].heading);
		ps_text_style(r->out, PS_PLAIN);
		ps_text_char(r->out, '\n');
	}
	ps_text_printf(r->out, "  %s\n", why);
}

void
ps_text_sites(struct ps_text_report *r)
{
	const struct ps_view *v = r->view;
	const char *nothing = v->reader->header->sampling.mode == PS_SAMPLE_OFF
				  ? "sampling is off"
			      : v->site_count == 0 && v->left_out_rows > 0
				  ? "no stack passes the filters"
			      : v->site_count == 0
				  ? "no samples: too little was allocated"
			      : v->is_exact ? "none"
					    : "none was sampled";
	const struct list lists[] = {
	    {PS_BY_ALLOCATIONS, "MOST ALLOCATIONS", nothing},
	    {PS_BY_PEAK, "PEAK MEMORY CONSUMERS", nothing},
	    {PS_BY_LIVE,
	     v->end == PS_END_RUNNING ? "MEMORY IN USE NOW"
				      : "MEMORY LEAKS (live at exit)",
	     nothing},
	    {PS_BY_TEMPORARY, "MOST TEMPORARY ALLOCATIONS", nothing},
	};

	PS_ASSERT(v->left_out_rows <= v->reader->count[PS_TABLE_SITES]);
	if (v->left_out_rows > 0) {
		char left_out[16];

		ps_text_printf(r->out,
			       "\n  left out by the filters: %u of %u row%s, "
			       "%s allocated\n",
			       v->left_out_rows,
			       v->reader->count[PS_TABLE_SITES],
			       ps_plural(v->reader->count[PS_TABLE_SITES]),
			       ps_human_bytes(left_out, v->left_out_bytes));
	}
	if (v->site_count == 0) {
		put_no_lists(r, lists, PS_COUNT(lists), nothing);
		return;
	}
	for (unsigned i = 0; i < PS_COUNT(lists); i++)
		put_list(r, &lists[i]);
}
