/* SPDX-License-Identifier: MIT */
/*
 * section_folded - the call tree of sections as flame graphs read it
 *
 * Self times are those of the report, corrected for the marks inside.  Spans
 * are no part of the tree, and so not of this.
 */
#include "report/section_folded.h"

enum { DEPTH_MAX = 136 };

/* A name without what the format means something by. */
static void
put_name(struct ps_text *t, const char *name)
{
	char clean[512];
	struct ps_text text;

	ps_text_init(&text, clean, sizeof(clean), -1);
	ps_text_printable(&text, name[0] == '\0' ? "?" : name);
	for (char *c = clean; *c != '\0'; c++)
		ps_text_char(t, *c == ';' ? ':' : *c);
}

static void
put_path(const struct ps_view *v, uint32_t node, struct ps_text *out)
{
	uint32_t path[DEPTH_MAX];
	uint32_t depth = 0;

	PS_ASSERT(node < v->node_count);
	for (; node != UINT32_MAX && depth < DEPTH_MAX;
	     node = v->nodes[node].parent)
		path[depth++] = node;
	PS_ASSERT(node == UINT32_MAX); /* no tree is as deep */
	while (depth-- > 0) {
		ps_text_char(out, ';');
		put_name(out, v->nodes[path[depth]].name);
	}
}

void
ps_section_folded(const struct ps_view *v, struct ps_text *out)
{
	const struct ps_record_process *p = &v->reader->header->process;

	for (uint32_t i = 0; i < v->node_count; i++) {
		double ns = v->nodes[i].self_s * 1e9;

		if (!(ns >= 0.5))
			continue;
		put_name(out, ps_reader_string(v->reader, p->name));
		put_path(v, i, out);
		ps_text_char(out, ' ');
		ps_text_fixed(out, ns, 0);
		ps_text_char(out, '\n');
	}
}
