/* SPDX-License-Identifier: MIT */
/*
 * section_tree - a thread's call tree of sections
 *
 * A node stands for a path of sections and leads to its row in the recording
 * and to the section's.  Whether a region is a recursion is a property of its
 * path, so that begin need not count.  A node's children form a list; the
 * `hot` array over it, indexed by the low bits of the section, makes a begin
 * find its node by one load and compare.  Only what collides there, or is new,
 * comes here.
 *
 * Bounds: nodes are made while their table has room.  Then, a section's calls
 * go to a node of its own below the root, whose path is marked as lost; there
 * are two a section and thread, for recursion must be told apart.
 *
 * Ended threads: their nodes are added into one tree, whose rows have thread
 * 0; a path that it does not know takes the ended thread's row over.  Rows that
 * became free are used again.
 */
#include <string.h>

#include "base/os.h"
#include "profile/section_event.h"
#include "profile/section_row.h"
#include "profile/section_tree.h"
#include "record/fold.h"
#include "record/writer.h"

enum { CHUNK_NODES = 84, FREE_ROWS_MAX = 4096 };

struct ps_section_chunk {
	struct ps_section_chunk *next;
	uint32_t used;
	struct ps_section_node node[CHUNK_NODES];
};

/* What `hot` holds where nothing is known. */
static struct ps_section_node none = {.section = UINT32_MAX};
/* Counts what found no room; nobody reads it. */
static struct ps_record_section_node nowhere;

/* Under ps_record_lock. */
static PS_BIG struct ps_section_thread ended;
static PS_BIG uint32_t free_rows[FREE_ROWS_MAX];
static _Atomic uint32_t free_row_count; /* read without it, too */

/* ---- nodes -------------------------------------------------------------- */

static void
init_node(struct ps_section_node *n, uint32_t section)
{
	*n = (struct ps_section_node){
	    .section = section,
	    .row = &nowhere,
	    .stats = &ps_section_nowhere,
	    .row_index = UINT32_MAX,
	};
	for (unsigned i = 0; i < PS_SECTION_HOT; i++)
		n->hot[i] = &none;
}

void
ps_section_tree_init(struct ps_section_thread *t)
{
	init_node(&t->root, UINT32_MAX);
	init_node(&t->deep, UINT32_MAX);
	t->deep.due = UINT64_MAX;
}

static struct ps_section_node *
new_node(struct ps_section_thread *t, struct ps_section_node *parent,
	 uint32_t section)
{
	struct ps_section_chunk *c = t->chunks;
	struct ps_section_node *n;
	void *memory;

	if (c == NULL || c->used == CHUNK_NODES) {
		if (ps_os_map(sizeof(*c), &memory) != 0)
			return NULL;
		c = memory;
		c->next = t->chunks;
		t->chunks = c;
	}
	PS_ASSERT(c->used < CHUNK_NODES);
	n = &c->node[c->used++];
	init_node(n, section);
	n->parent = parent;
	n->next = parent->children;
	parent->children = n;
	return n;
}

static struct ps_section_node *
child_of(const struct ps_section_node *parent, uint32_t section, uint32_t flags)
{
	struct ps_section_node *n = parent->children;

	while (n != NULL && (n->section != section || n->flags != flags))
		n = n->next;
	return n;
}

/* ---- rows --------------------------------------------------------------- */

static uint32_t
take_row_locked(void **row)
{
	uint32_t last = ps_peek(&free_row_count) - 1;

	PS_ASSERT(ps_record_is_locked_by_me());
	if (last == UINT32_MAX)
		return ps_record_append(PS_TABLE_SECTION_NODES, 1, row);
	ps_poke(&free_row_count, last);
	*row = ps_record_entry(PS_TABLE_SECTION_NODES, free_rows[last]);
	return free_rows[last];
}

/* False: the table is full (counted there). */
static bool
attach_row(struct ps_section_node *n, uint32_t thread)
{
	uint32_t parent = n->parent->row_index;
	struct ps_record_section_node *row;
	void *memory;
	uint32_t index;

	PS_ASSERT(n->section < PS_SECTIONS_MAX);
	ps_record_lock();
	index = take_row_locked(&memory);
	if (index != UINT32_MAX) {
		row = memory;
		row->section = n->section;
		row->flags =
		    n->flags & PS_SECTION_LOST_PATH ? PS_NODE_LOST_PATH : 0;
		ps_poke(&row->parent, parent);
		ps_poke(&row->thread, thread);
		ps_record_publish(PS_TABLE_SECTION_NODES);
		n->row = row;
		n->row_index = index;
	}
	ps_record_unlock();
	return index != UINT32_MAX;
}

static bool
has_room(void)
{
	const struct ps_record_table *table =
	    &ps_record->table[PS_TABLE_SECTION_NODES];

	return ps_peek(&table->count) < table->capacity ||
	       ps_peek(&free_row_count) > 0;
}

/* ---- finding ------------------------------------------------------------ */

static bool
is_open(const struct ps_section_thread *t, uint32_t section)
{
	for (const struct ps_section_frame *f = t->top; f > t->frame; f--)
		if (f->node->section == section)
			return true;
	return false;
}

static struct ps_section_node *
make_node(struct ps_section_thread *t, struct ps_section_node *parent,
	  uint32_t section, uint32_t flags)
{
	struct ps_section_node *n = new_node(t, parent, section);

	if (n == NULL)
		return NULL;
	n->flags = flags;
	n->stats = ps_section_row(t, section);
	/* Of a recursion, the outermost call's usage is read. */
	n->due = flags & PS_SECTION_RECURSIVE ? UINT64_MAX : 0;
	(void)attach_row(n, t->row_index);
	return n;
}

PS_COLD struct ps_section_node *
ps_section_tree_find(struct ps_section_thread *t, uint32_t section)
{
	struct ps_section_node *parent = t->top->node;
	uint32_t flags = (is_open(t, section) ? PS_SECTION_RECURSIVE : 0) |
			 (ps_section_events_are_on() ? PS_SECTION_TRACED : 0);
	struct ps_section_node *n = child_of(parent, section, flags);

	PS_ASSERT(section < PS_SECTIONS_MAX);
	if (n == NULL && has_room())
		n = make_node(t, parent, section, flags);
	if (n != NULL) {
		parent->hot[section % PS_SECTION_HOT] = n;
		return n;
	}
	flags |= PS_SECTION_LOST_PATH;
	n = child_of(&t->root, section, flags);
	return n != NULL ? n : make_node(t, &t->root, section, flags);
}

struct ps_section_node *
ps_section_tree_probe(struct ps_section_thread *t, uint32_t section,
		      struct ps_record_section_stats *stats)
{
	struct ps_section_node *n = new_node(t, &t->root, section);

	PS_ASSERT(t->row_index == UINT32_MAX); /* of no recording */
	if (n == NULL)
		return NULL;
	n->stats = stats;
	n->due = UINT64_MAX;
	t->root.hot[section % PS_SECTION_HOT] = n;
	return n;
}

/* ---- ended threads ------------------------------------------------------ */

static void
add_row(struct ps_record_section_node *to, struct ps_record_section_node *from,
	uint32_t index)
{
	uint32_t free = ps_peek(&free_row_count);

	PS_ASSERT(index != UINT32_MAX && from != &nowhere);
	ps_record_fold_begin(PS_TABLE_SECTION_NODES, to, from);
	ps_bump(&to->calls, ps_peek(&from->calls));
	ps_bump(&to->self_ticks, ps_peek(&from->self_ticks));
	ps_record_fold_clear();
	memset(from, 0, sizeof(*from));
	ps_poke(&from->thread, UINT32_MAX);
	ps_record_fold_end();
	if (free == FREE_ROWS_MAX)
		return;
	free_rows[free] = index;
	ps_poke(&free_row_count, free + 1);
}

/* The ended tree's node for n, whose parent is there already. */
static struct ps_section_node *
retire_node_locked(const struct ps_section_node *n,
		   struct ps_section_node *parent)
{
	struct ps_section_node *e = child_of(parent, n->section, n->flags);

	if (e == NULL) {
		e = new_node(&ended, parent, n->section);
		if (e == NULL)
			return NULL;
		e->flags = n->flags; /* to be found, also without a row */
	}
	if (n->row_index == UINT32_MAX)
		return e;
	if (e->row_index != UINT32_MAX) {
		add_row(e->row, n->row, n->row_index);
		return e;
	}
	e->row = n->row;
	e->row_index = n->row_index;
	ps_poke(&e->row->parent, parent->row_index);
	ps_poke(&e->row->thread, 0);
	return e;
}

/* Children before siblings, without recursion: paths are up to 128 deep. */
void
ps_section_tree_retire_locked(struct ps_section_thread *t)
{
	const struct ps_section_node *n = t->root.children;
	struct ps_section_node *parent = &ended.root;

	PS_ASSERT(ps_record_is_locked_by_me());
	if (ended.root.hot[0] == NULL)
		ps_section_tree_init(&ended);
	while (n != NULL) {
		struct ps_section_node *e = retire_node_locked(n, parent);

		if (e != NULL && n->children != NULL) {
			parent = e;
			n = n->children;
			continue;
		}
		while (n->next == NULL && n->parent != &t->root) {
			n = n->parent;
			parent = parent->parent;
		}
		n = n->next;
	}
	PS_ASSERT(parent == &ended.root); /* as far up as down */
}

void
ps_section_tree_fini(struct ps_section_thread *t)
{
	while (t->chunks != NULL) {
		struct ps_section_chunk *next = t->chunks->next;

		(void)ps_os_unmap(t->chunks, sizeof(*t->chunks));
		t->chunks = next;
	}
}

/* ---- fork --------------------------------------------------------------- */

/* A parent is older than its children: chunks and nodes in order of age. */
static void
attach_again(struct ps_section_thread *t)
{
	struct ps_section_chunk *oldest = NULL;
	struct ps_section_chunk *c = t->chunks;

	while (c != NULL) {
		struct ps_section_chunk *next = c->next;

		c->next = oldest;
		oldest = c;
		c = next;
	}
	t->chunks = NULL;
	for (c = oldest; c != NULL; c = oldest) {
		for (uint32_t i = 0; i < c->used; i++) {
			struct ps_section_node *n = &c->node[i];

			n->stats = ps_section_row(t, n->section);
			n->due = n->due == UINT64_MAX ? UINT64_MAX : 0;
			n->has_been_read = 0;
			n->row = &nowhere;
			n->row_index = UINT32_MAX;
			(void)attach_row(n, t->row_index);
		}
		oldest = c->next;
		c->next = t->chunks;
		t->chunks = c;
	}
}

void
ps_section_tree_postfork_child(struct ps_section_thread *t)
{
	ps_poke(&free_row_count, 0);
	ps_section_tree_fini(&ended);
	memset(&ended.root, 0, sizeof(ended.root));
	if (t != NULL)
		attach_again(t);
}
