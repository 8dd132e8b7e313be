/* SPDX-License-Identifier: MIT */
/*
 * text_section_tree - which section was within which, and the slowest calls
 *
 * Both are printed only when they say what the table of sections does not: a
 * tree when something is nested, slow calls when they are far from the median.
 */
#include "report/text_parts.h"

enum {
	NAME_COLUMNS = 40,
	INDENT_MAX = 20,
	NODES_MAX = 40,
	SLOW_TIMES = 4, /* of the median, to be worth a line */
	SLOW_CALLS = 3, /* of a section */
};
_Static_assert(NAME_COLUMNS - INDENT_MAX > 8, "ps_put_name has room");

/* Nodes with less of their root's time are left out. */
#define SHARE_MIN 0.01

static double
all_roots_s(const struct ps_view *v)
{
	double sum = 0;

	for (uint32_t i = 0; i < v->node_count; i++)
		sum += v->nodes[i].depth == 0 ? v->nodes[i].total_s : 0;
	return sum;
}

static bool
is_nested(const struct ps_view *v)
{
	for (uint32_t i = 0; i < v->node_count; i++)
		if (v->nodes[i].depth > 0)
			return true;
	return false;
}

static void
put_node(struct ps_text *t, const struct ps_view_node *n, double all_s)
{
	unsigned indent = PS_MIN(2 * n->depth, (uint32_t)INDENT_MAX);
	char calls[16];
	unsigned used;

	ps_text_fill(t, ' ', (int)indent);
	used = ps_put_name(t, n->name, NAME_COLUMNS - indent);
	PS_ASSERT(used + indent <= NAME_COLUMNS);
	ps_text_fill(t, ' ', (int)(NAME_COLUMNS - indent - used));
	ps_text_printf(t, " %7s", ps_human_count(calls, (double)n->calls));
	ps_put_short_time(t, n->total_s);
	ps_put_short_time(t, n->self_s);
	if (all_s > 0)
		ps_text_printf(t, " %5d%%",
			       (int)(100 * n->total_s / all_s + 0.5));
	ps_text_str(t, n->is_path_lost ? " path lost\n" : "\n");
}

void
ps_text_section_tree(struct ps_text_report *r)
{
	const struct ps_view *v = r->view;
	double all_s = all_roots_s(v);
	uint32_t left_out = 0;
	uint32_t rows = 0;

	if (!is_nested(v))
		return;
	ps_put_heading(r->out, "CALL TREE OF SECTIONS", NULL);
	ps_text_printf(r->out, "%-*s %7s %6s %6s %6s\n", NAME_COLUMNS, "",
		       "calls", "total", "self", "of all");
	for (uint32_t i = 0; i < v->node_count; i++) {
		if (v->nodes[i].calls == 0 ||
		    v->nodes[i].total_s < SHARE_MIN * all_s ||
		    rows == NODES_MAX) {
			left_out += v->nodes[i].calls != 0;
			continue;
		}
		put_node(r->out, &v->nodes[i], all_s);
		rows++;
	}
	if (left_out > 0)
		ps_text_printf(r->out,
			       "... %u more, of less than 1%% or "
			       "beyond %d rows\n",
			       left_out, NODES_MAX);
}

static void
put_slow_call(struct ps_text *t, const struct ps_view_section *s,
	      const struct ps_view_slow_call *call)
{
	char at[16];
	unsigned used = ps_put_name(t, s->name, 20);

	PS_ASSERT(used <= 20);
	ps_text_fill(t, ' ', (int)(20 - used));
	ps_put_short_time(t, call->seconds);
	ps_text_printf(t, "  at %s in thread %u", ps_human_time(at, call->at_s),
		       call->tid);
	if (call->parent != NULL) {
		ps_text_str(t, " within ");
		(void)ps_put_name(t, call->parent, 16);
	}
	ps_text_char(t, '\n');
}

static bool
is_outlier(const struct ps_view_section *s, const struct ps_view_slow_call *c)
{
	return s->calls > 1 && c->seconds > SLOW_TIMES * s->p50_s;
}

void
ps_text_slow_calls(struct ps_text_report *r)
{
	const struct ps_view *v = r->view;
	uint32_t told = 0;

	for (uint32_t i = 0; i < v->section_count && told < r->top; i++) {
		const struct ps_view_section *s = &v->sections[i];

		if (s->slow_count == 0 || !is_outlier(s, &s->slow[0]))
			continue;
		if (told++ == 0)
			ps_put_heading(r->out, "SLOWEST CALLS", NULL);
		for (uint32_t k = 0; k < s->slow_count && k < SLOW_CALLS; k++)
			if (is_outlier(s, &s->slow[k]))
				put_slow_call(r->out, s, &s->slow[k]);
	}
}
