/* SPDX-License-Identifier: MIT */
/*
 * cli_groups - the processes of a tree by executable, each group as one
 * recording
 *
 * A group of one is merged, too: what is read then is always the same kind of
 * thing, and the copy costs less than reading it.
 */
#include <errno.h>
#include <string.h>

#include "report/cli_groups.h"
#include "report/merge.h"

enum { PIDS_SHOWN = 8 };

const char *
ps_group_name(const struct ps_group *g)
{
	const struct ps_reader *r = g->readers[0];

	PS_ASSERT(g->count > 0);
	return ps_reader_string(r, r->header->process.name);
}

const char *
ps_group_exe(const struct ps_group *g)
{
	const struct ps_reader *r = g->readers[0];

	PS_ASSERT(g->count > 0);
	return ps_reader_string(r, r->header->process.exe);
}

static struct ps_group *
group_of(struct ps_groups *groups, const struct ps_reader *reader,
	 uint32_t most)
{
	struct ps_group *g;

	PS_ASSERT(most > 0);
	for (uint32_t i = 0; i < groups->count; i++)
		if (ps_merge_fits(groups->group[i].readers[0], reader))
			return &groups->group[i];
	g = &groups->group[groups->count];
	g->readers =
	    ps_scratch_alloc(&groups->scratch, most * sizeof(*g->readers));
	if (g->readers != NULL)
		groups->count++;
	return g;
}

static int
sort_processes(struct ps_groups *groups, const struct ps_tree *tree)
{
	uint32_t nodes = (uint32_t)tree->count;
	uint32_t sorted = 0;

	groups->group =
	    ps_scratch_array(&groups->scratch, nodes, sizeof(*groups->group));
	if (groups->group == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < nodes; i++) {
		struct ps_group *g =
		    group_of(groups, &tree->nodes[i].reader, nodes - i);
		uint64_t peak = ps_tree_peak(tree, (int)i);

		if (g->readers == NULL)
			return -ENOMEM;
		PS_ASSERT(groups->count <= i + 1 && g->count <= i);
		g->readers[g->count++] = &tree->nodes[i].reader;
		g->peak_bytes += peak;
		g->greatest_peak = PS_MAX(g->greatest_peak, peak);
	}
	for (uint32_t i = 0; i < groups->count; i++)
		sorted += groups->group[i].count;
	PS_ASSERT(sorted == nodes);
	return 0;
}

/* Small processes are with the first group of their executable only. */
static const struct ps_small_group *
small_of(const struct ps_groups *groups, const struct ps_group *g)
{
	const struct ps_small_group *small =
	    ps_small_find(groups->small, ps_group_exe(g));

	for (const struct ps_group *other = groups->group; other < g; other++)
		if (other->small == small)
			return NULL;
	return small;
}

int
ps_groups_open(struct ps_groups *groups, const struct ps_tree *tree)
{
	int error;

	*groups = (struct ps_groups){.small = &tree->small};
	ps_scratch_init(&groups->scratch, 0);
	error = sort_processes(groups, tree);
	for (uint32_t i = 0; error == 0 && i < groups->count; i++) {
		struct ps_group *g = &groups->group[i];

		g->small = small_of(groups, g);
		error = ps_merge(g->readers, g->count, &groups->scratch,
				 &g->merged);
		PS_ASSERT(error != 0 || g->merged.merged == g->count);
	}
	return error;
}

void
ps_groups_close(struct ps_groups *groups)
{
	ps_scratch_fini(&groups->scratch);
}

const struct ps_group *
ps_groups_main(const struct ps_groups *groups, const char *who)
{
	const struct ps_group *best = NULL;

	for (uint32_t i = 0; i < groups->count; i++) {
		const struct ps_group *g = &groups->group[i];

		if (who != NULL && strcmp(who, ps_group_name(g)) != 0)
			continue;
		if (best == NULL || g->peak_bytes > best->peak_bytes)
			best = g;
	}
	return best;
}

const struct ps_group *
ps_groups_find(const struct ps_groups *groups, const char *exe,
	       const char *name)
{
	const struct ps_group *same_name = NULL;

	for (uint32_t i = 0; i < groups->count; i++) {
		const struct ps_group *g = &groups->group[i];

		if (strcmp(ps_group_exe(g), exe) == 0)
			return g;
		if (same_name == NULL && strcmp(ps_group_name(g), name) == 0)
			same_name = g;
	}
	return same_name;
}

/* The same program at the same path, under the same name. */
static bool
is_same(const struct ps_group *a, const struct ps_group *b)
{
	return strcmp(ps_group_exe(a), ps_group_exe(b)) == 0 &&
	       strcmp(ps_group_name(a), ps_group_name(b)) == 0;
}

static bool
has_same(const struct ps_groups *groups, const struct ps_group *other)
{
	for (uint32_t i = 0; i < groups->count; i++)
		if (is_same(&groups->group[i], other))
			return true;
	return false;
}

/* A program whose clocks did not fit is in several groups: the first is for the
 * first of the other side, and so on.  NULL: none is left. */
static const struct ps_group *
exact_match(const struct ps_groups *groups, const struct ps_groups *others,
	    const struct ps_group *other)
{
	uint32_t before = 0;

	for (const struct ps_group *g = others->group; g < other; g++)
		before += is_same(g, other);
	for (uint32_t i = 0; i < groups->count; i++)
		if (is_same(&groups->group[i], other) && before-- == 0)
			return &groups->group[i];
	return NULL;
}

/* Of those of a name that are at no path of the other side, number `wanted`;
 * or, with `self`, its number. */
static const struct ps_group *
moved(const struct ps_groups *groups, const struct ps_groups *others,
      const char *name, const struct ps_group *self, uint32_t *wanted)
{
	uint32_t number = 0;

	for (uint32_t i = 0; i < groups->count; i++) {
		const struct ps_group *g = &groups->group[i];

		if (strcmp(ps_group_name(g), name) != 0 || has_same(others, g))
			continue;
		if (g == self)
			*wanted = number;
		if (g == self || (self == NULL && number == *wanted))
			return g;
		number++;
	}
	return NULL;
}

const struct ps_group *
ps_groups_match(const struct ps_groups *groups, const struct ps_groups *others,
		const struct ps_group *other)
{
	const char *name = ps_group_name(other);
	uint32_t number = 0;

	PS_ASSERT(other >= others->group &&
		  other < others->group + others->count);
	if (has_same(groups, other))
		return exact_match(groups, others, other);
	if (moved(others, groups, name, other, &number) == NULL)
		return NULL;
	return moved(groups, others, name, NULL, &number);
}

int
ps_group_open(const struct ps_arguments *a, const struct ps_group *g,
	      struct ps_source *out)
{
	struct ps_report_options options = {.exit_code = -1};

	return ps_source_open(out, &g->merged, ps_group_name(g), &a->filter,
			      &options);
}

int
ps_groups_add_pprof(const struct ps_groups *groups,
		    const struct ps_arguments *a, struct ps_pprof_file *file,
		    int sign)
{
	int error = 0;

	PS_ASSERT(file->fd >= 0 && (sign == 1 || sign == -1));
	for (uint32_t i = 0; error == 0 && i < groups->count; i++) {
		struct ps_source source;

		error = ps_group_open(a, &groups->group[i], &source);
		if (error != 0)
			break;
		error = ps_pprof_put(file, &source, sign);
		ps_source_close(&source);
	}
	return error;
}

void
ps_group_put_what(const struct ps_group *g, struct ps_text *t)
{
	uint32_t shown = PS_MIN(g->count, (uint32_t)PIDS_SHOWN);
	char a[16];
	char b[16];

	ps_text_printf(t, "\nMERGED  %u process%s of ", g->count,
		       g->count == 1 ? "" : "es");
	ps_text_printable(t, ps_group_name(g));
	ps_text_str(t, ": pid");
	for (uint32_t i = 0; i < shown; i++)
		ps_text_printf(t, " %d", g->readers[i]->header->process.pid);
	if (shown < g->count)
		ps_text_printf(t, " and %u more", g->count - shown);
	ps_text_printf(t,
		       "\n  figures are added up, peaks too; the greatest "
		       "peak of one is %s\n"
		       "  wall is from the first start to the last end, peak "
		       "RSS the greatest of one\n",
		       ps_human_bytes(a, (double)g->greatest_peak));
	if (g->small != NULL)
		ps_text_printf(
		    t,
		    "  left out: %u of less than 1 MiB, which asked for "
		    "%s in %s allocations\n",
		    g->small->processes,
		    ps_human_bytes(a, (double)g->small->requested_bytes),
		    ps_human_count(b, (double)g->small->allocations));
}
