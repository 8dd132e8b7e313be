/* SPDX-License-Identifier: MIT */
/*
 * view_tree - the call tree of sections over all threads; a part of view
 *
 * Rows of threads that have the same path are one node.  A row's parent may
 * stand behind it (rows are used again), so each row first gets its path from
 * the outermost section down; paths are looked up in a hash table by parent
 * and section.  Nodes then change places, so that the report can print them in
 * order: children behind their parent, those with the most time first.
 *
 * A recording may be hostile: parents that form a circle end at DEPTH_MAX, and
 * what is deeper is added to the node there.
 */
#include <errno.h>
#include <string.h>

#include "report/view_section.h"

enum { DEPTH_MAX = 130 };

struct node {
	uint32_t section;
	uint32_t parent;
	uint32_t first_child; /* UINT32_MAX: none */
	uint32_t next;
	bool is_path_lost;
	uint64_t calls;
	uint64_t child_calls;
	double self;  /* ticks */
	double total; /* ticks */
};

struct tree {
	const struct ps_reader *reader;
	struct node *nodes;
	uint32_t count;
	uint32_t *slots; /* node + 1 */
	uint64_t slot_mask;
};

static int
init(struct tree *t, const struct ps_reader *r, struct ps_scratch *scratch)
{
	uint32_t rows = r->count[PS_TABLE_SECTION_NODES];
	uint64_t slots = 64;

	while (slots / 2 < rows) /* any number, in a file that claims it */
		slots *= 2;
	t->reader = r;
	t->count = 0;
	t->slot_mask = slots - 1;
	t->nodes = ps_scratch_array(scratch, rows, sizeof(*t->nodes));
	t->slots = ps_scratch_alloc(scratch, slots * sizeof(*t->slots));
	return t->nodes == NULL || t->slots == NULL ? -ENOMEM : 0;
}

/* The node, new or known.  An honest recording has no more paths than rows; of
 * one that has, UINT32_MAX. */
static uint32_t
child_of(struct tree *t, uint32_t parent, uint32_t section, bool is_path_lost)
{
	uint64_t hash =
	    ((uint64_t)parent << 32 | section) * UINT64_C(0x9e3779b97f4a7c15);

	PS_ASSERT(parent == UINT32_MAX || parent < t->count);
	for (uint64_t i = hash >> 32;; i++) {
		uint32_t *slot = &t->slots[i & t->slot_mask];
		struct node *n;

		if (*slot == 0 &&
		    t->count == t->reader->count[PS_TABLE_SECTION_NODES])
			return UINT32_MAX;
		if (*slot == 0) {
			*slot = ++t->count;
			n = &t->nodes[t->count - 1];
			n->section = section;
			n->parent = parent;
			n->is_path_lost = is_path_lost;
			return t->count - 1;
		}
		n = &t->nodes[*slot - 1];
		if (n->parent == parent && n->section == section &&
		    n->is_path_lost == is_path_lost)
			return *slot - 1;
	}
}

static const struct ps_record_section_node *
row_at(const struct tree *t, uint32_t row)
{
	return ps_reader_entry(t->reader, PS_TABLE_SECTION_NODES, row);
}

/* The node of a row's path; UINT32_MAX: the row is free or damaged. */
static uint32_t
place(struct tree *t, const struct ps_record_section_node *row)
{
	const struct ps_record_section_node *path[DEPTH_MAX];
	uint32_t depth = 0;
	uint32_t node = UINT32_MAX;

	if (ps_peek(&row->thread) == UINT32_MAX)
		return UINT32_MAX;
	for (; row != NULL && depth < DEPTH_MAX;
	     row = row_at(t, ps_peek(&row->parent)))
		path[depth++] = row;
	while (depth-- > 0) {
		uint32_t section = ps_once(path[depth]->section);

		if (section >= t->reader->count[PS_TABLE_SECTIONS])
			return UINT32_MAX;
		node = child_of(t, node, section,
				(path[depth]->flags & PS_NODE_LOST_PATH) != 0);
		if (node == UINT32_MAX)
			return UINT32_MAX;
	}
	return node;
}

static void
add_rows(struct tree *t)
{
	for (uint32_t i = 0; i < t->reader->count[PS_TABLE_SECTION_NODES];
	     i++) {
		const struct ps_record_section_node *row =
		    ps_reader_row(t->reader, PS_TABLE_SECTION_NODES, i);
		uint32_t node = row == NULL ? UINT32_MAX : place(t, row);

		if (node == UINT32_MAX)
			continue;
		PS_ASSERT(node < t->count);
		t->nodes[node].calls += ps_peek(&row->calls);
		t->nodes[node].self +=
		    (double)(int64_t)ps_peek(&row->self_ticks);
	}
}

/* A node's parent was made before it: from the last to the first, children are
 * complete before they are added. */
static void
add_totals(struct tree *t)
{
	for (uint32_t i = t->count; i-- > 0;) {
		struct node *n = &t->nodes[i];

		n->total += n->self;
		if (n->parent == UINT32_MAX)
			continue;
		PS_ASSERT(n->parent < i);
		t->nodes[n->parent].total += n->total;
		t->nodes[n->parent].child_calls += n->calls;
	}
}

/* ---- in order ----------------------------------------------------------- */

/* Into the list that starts at *first, greatest total first. */
static void
link_sorted(struct tree *t, uint32_t *first, uint32_t node)
{
	while (*first != UINT32_MAX &&
	       t->nodes[*first].total >= t->nodes[node].total)
		first = &t->nodes[*first].next;
	t->nodes[node].next = *first;
	*first = node;
}

static uint32_t
link_all(struct tree *t)
{
	uint32_t roots = UINT32_MAX;

	for (uint32_t i = 0; i < t->count; i++)
		t->nodes[i].first_child = UINT32_MAX;
	for (uint32_t i = 0; i < t->count; i++) {
		uint32_t parent = t->nodes[i].parent;

		link_sorted(t,
			    parent == UINT32_MAX
				? &roots
				: &t->nodes[parent].first_child,
			    i);
	}
	return roots;
}

static void
emit(struct ps_view *v, const struct node *n, uint32_t parent)
{
	const struct ps_record_section *section =
	    ps_reader_entry(v->reader, PS_TABLE_SECTIONS, n->section);
	double tick_s = ps_reader_tick_seconds(v->reader);
	double raw_s = n->self * tick_s;

	PS_ASSERT(section != NULL); /* place saw to it */
	PS_ASSERT(parent == UINT32_MAX || parent < v->node_count);
	v->nodes[v->node_count++] = (struct ps_view_node){
	    .name = ps_reader_string(v->reader, section->name),
	    .section = n->section,
	    .parent = parent,
	    .depth = parent == UINT32_MAX ? 0 : v->nodes[parent].depth + 1,
	    .calls = n->calls,
	    .total_s = PS_MAX(n->total * tick_s, 0.0),
	    .self_s = PS_MAX(raw_s - ps_view_marks_s(v, n->child_calls), 0.0),
	    .raw_self_s = raw_s,
	    .is_path_lost = n->is_path_lost,
	};
}

/* Depth first.  A node's place in the view is kept in its `first_child`, which
 * has been read by then. */
static void
emit_all(struct ps_view *v, struct tree *t, uint32_t first)
{
	uint32_t node = first;
	uint32_t parent = UINT32_MAX; /* in the view */

	while (node != UINT32_MAX) {
		struct node *n = &t->nodes[node];
		uint32_t child = n->first_child;

		PS_ASSERT(v->node_count < t->count);
		emit(v, n, parent);
		PS_ASSERT(v->nodes[v->node_count - 1].depth < DEPTH_MAX);
		if (child != UINT32_MAX) {
			parent = v->node_count - 1;
			node = child;
			continue;
		}
		while (t->nodes[node].next == UINT32_MAX &&
		       t->nodes[node].parent != UINT32_MAX) {
			node = t->nodes[node].parent;
			parent = v->nodes[parent].parent;
		}
		node = t->nodes[node].next;
	}
}

int
ps_view_tree(struct ps_view *v, struct ps_scratch *scratch)
{
	struct tree t;
	int error = init(&t, v->reader, scratch);

	PS_ASSERT(v->node_count == 0);
	if (error != 0)
		return error;
	add_rows(&t);
	add_totals(&t);
	v->nodes = ps_scratch_array(scratch, t.count, sizeof(*v->nodes));
	if (v->nodes == NULL)
		return -ENOMEM;
	emit_all(v, &t, link_all(&t));
	PS_ASSERT(v->node_count == t.count);
	return 0;
}
