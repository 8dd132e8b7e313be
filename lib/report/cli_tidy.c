/* SPDX-License-Identifier: MIT */
/*
 * cli_tidy - recordings of images that were too small, and left by exec
 *
 * The recording may be hostile, so that its figures are the view's.
 */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/brief.h"
#include "report/cli_tidy.h"
#include "report/view.h"

static uint64_t
whole(double figure)
{
	return figure > 0 && figure < 1e18 ? (uint64_t)figure : 0; /* NAN: 0 */
}

/* False: it matters, or cannot be read. */
static bool
take_brief(const struct ps_reader *reader, struct ps_brief *out)
{
	const struct ps_record_process *p = &reader->header->process;
	struct ps_scratch scratch;
	struct ps_view v;
	struct ps_text exe;
	int error;

	ps_scratch_init(&scratch, (size_t)1 << 30);
	error = ps_view_build(reader, NULL, &scratch, &v);
	ps_scratch_fini(&scratch);
	if (error != 0)
		return false;
	*out = (struct ps_brief){
	    .pid = p->pid,
	    .ppid = p->ppid,
	    .exit_code = -1,
	    .start_real_ns = p->start_real_ns,
	    .wall_ns = whole(v.wall_s * 1e9),
	    .user_ns = whole(v.user_s * 1e9),
	    .system_ns = whole(v.system_s * 1e9),
	    .max_rss_bytes = whole(v.max_rss_bytes),
	    .peak_bytes = v.peak_bytes,
	    .allocations = v.allocations,
	    .requested_bytes = v.requested_bytes,
	};
	ps_text_init(&exe, out->exe, sizeof(out->exe), -1);
	ps_text_printable(&exe, ps_reader_string(reader, p->exe));
	PS_ASSERT(strchr(out->exe, '\t') == NULL);
	return ps_brief_is_small(reader->header, out);
}

/* The first of a tree has no parent here.  One that ended and whose pid came
 * again did not call exec. */
static bool
is_left_by_exec(const struct ps_tree_node *node)
{
	return node->was_execed && node->parent >= 0 &&
	       ps_peek(&node->reader.header->process.state) != PS_STATE_EXITED;
}

static bool
tidy(struct ps_tree *tree, const struct ps_tree_node *node)
{
	struct ps_brief brief;
	char *path;
	bool is_left;

	if (!is_left_by_exec(node) || !take_brief(&node->reader, &brief))
		return false;
	path = strdup(node->path);
	is_left = path != NULL && ps_brief_leave(&brief, dirname(path)) == 0;
	free(path);
	return is_left && unlink(node->path) == 0 &&
	       ps_small_add(&tree->small, &brief, &tree->scratch) == 0;
}

void
ps_tree_tidy(struct ps_tree *tree)
{
	int before = tree->count;

	PS_ASSERT(before == 0 || tree->nodes[0].parent < 0);
	ps_tree_drop(tree, tidy);
	PS_ASSERT(before == 0 || tree->count > 0);
	if (tree->count < before)
		ps_tree_link(tree);
}
