/* SPDX-License-Identifier: MIT */
/*
 * section_folded - the call tree of sections as flame graphs read it
 *
 * Self times are those of the report, corrected for the marks inside.  Spans
 * are no part of the tree, and so not of this.
 */
#include <errno.h>

#include "report/intern.h"
#include "report/section_folded.h"

enum { DEPTH_MAX = 136, NAME_BYTES = 512 };

/* A name without what the format means something by. */
static void
put_name(struct ps_text *t, const char *name)
{
	char clean[NAME_BYTES];
	struct ps_text text;

	ps_text_init(&text, clean, sizeof(clean), -1);
	ps_text_printable(&text, name[0] == '\0' ? "?" : name);
	for (char *c = clean; *c != '\0'; c++)
		ps_text_char(t, *c == ';' ? ':' : *c);
}

/* "process;outer;inner". */
static void
put_path(const struct ps_view *v, uint32_t node, struct ps_text *out)
{
	const struct ps_record_process *p = &v->reader->header->process;
	uint32_t path[DEPTH_MAX];
	uint32_t depth = 0;

	put_name(out, ps_reader_string(v->reader, p->name));
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
	for (uint32_t i = 0; i < v->node_count; i++) {
		double ns = v->nodes[i].self_s * 1e9;

		if (!(ns >= 0.5))
			continue;
		put_path(v, i, out);
		ps_text_char(out, ' ');
		ps_text_fixed(out, ns, 0);
		ps_text_char(out, '\n');
	}
}

/* ---- two of them ---- */

struct both {
	double ns[2]; /* old, new */
};

/* Paths of one side, by their text. */
static int
add_side(struct ps_intern *paths, const struct ps_view *v, unsigned side)
{
	const size_t room = (DEPTH_MAX + 1) * NAME_BYTES;
	char *line = ps_scratch_alloc(paths->scratch, room);
	struct ps_text text;
	struct both *both;
	uint32_t number;

	if (line == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < v->node_count; i++) {
		double ns = v->nodes[i].self_s * 1e9;

		if (!(ns >= 0.5))
			continue;
		ps_text_init(&text, line, room, -1);
		put_path(v, i, &text);
		if (ps_intern(paths, line, text.length, &number) < 0)
			return -ENOMEM;
		both = ps_intern_value(paths, number);
		both->ns[side] += ns;
	}
	return 0;
}

int
ps_section_folded_both(const struct ps_view *old, const struct ps_view *new,
		       struct ps_scratch *scratch, struct ps_text *out)
{
	struct ps_intern paths;

	ps_intern_init(&paths, scratch, true, sizeof(struct both));
	if (add_side(&paths, old, 0) != 0 || add_side(&paths, new, 1) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < paths.count; i++) {
		const struct both *both = ps_intern_value(&paths, i);

		ps_text_put(out, paths.keys[i].bytes, paths.keys[i].length);
		ps_text_char(out, ' ');
		ps_text_fixed(out, both->ns[0], 0);
		ps_text_char(out, ' ');
		ps_text_fixed(out, both->ns[1], 0);
		ps_text_char(out, '\n');
	}
	return 0;
}
