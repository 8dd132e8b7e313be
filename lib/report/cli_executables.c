/* SPDX-License-Identifier: MIT */
/*
 * cli_executables - the table of all executables, of one tree or of two
 *
 * An executable may have recordings, lines of small processes, or both; of two
 * trees, it may be on one side only.  Each has one row.
 */
#include <math.h>
#include <string.h>

#include "report/cli_executables.h"
#include "report/text_parts.h"

enum { NAME_COLUMNS = 22 };

/* What one tree has of an executable; NULL: nothing of that kind. */
struct side {
	const struct ps_group *group;
	const struct ps_small_group *small;
};

struct sums {
	uint32_t processes;
	uint32_t small;
	double allocations;
	double requested_bytes;
	double greatest_peak;
	double user_s;
};

/* Without memory for its view, what only that says is not known. */
static void
add_group(struct sums *sums, const struct ps_group *g)
{
	struct ps_scratch scratch;
	struct ps_view view;
	bool is_known;

	if (g == NULL)
		return;
	ps_scratch_init(&scratch, 0);
	is_known = ps_view_build(&g->merged, NULL, &scratch, &view) == 0;
	sums->processes += g->count;
	sums->greatest_peak = (double)g->greatest_peak;
	sums->allocations += is_known ? (double)view.allocations : (double)NAN;
	sums->requested_bytes +=
	    is_known ? (double)view.requested_bytes : (double)NAN;
	sums->user_s += is_known ? view.user_s : (double)NAN;
	ps_scratch_fini(&scratch);
}

static void
add_small(struct sums *sums, const struct ps_small_group *small)
{
	if (small == NULL)
		return;
	PS_ASSERT(small->processes > 0);
	sums->processes += small->processes;
	sums->small += small->processes;
	sums->allocations += (double)small->allocations;
	sums->requested_bytes += (double)small->requested_bytes;
	sums->greatest_peak =
	    PS_MAX(sums->greatest_peak, (double)small->greatest_peak_bytes);
	sums->user_s += (double)small->user_ns * 1e-9;
}

static struct sums
sums_of(const struct side *side)
{
	struct sums sums = {0};

	add_group(&sums, side->group);
	add_small(&sums, side->small);
	return sums;
}

static const char *
small_name(const struct ps_small_group *small)
{
	const char *slash = strrchr(small->exe, '/');

	return slash == NULL ? small->exe : slash + 1;
}

static void
put_name(const struct side *side, struct ps_text *t)
{
	const char *name = side->group != NULL ? ps_group_name(side->group)
					       : small_name(side->small);
	unsigned used = ps_put_name(t, name, NAME_COLUMNS);

	_Static_assert(NAME_COLUMNS > 8, "ps_put_name can shorten it");
	PS_ASSERT(used <= NAME_COLUMNS);
	ps_text_fill(t, ' ', NAME_COLUMNS - (int)used);
}

static void
put_heading(struct ps_text *t)
{
	ps_text_str(t, "\n");
	ps_text_style(t, PS_BOLD);
	ps_text_str(t, "EXECUTABLES");
	ps_text_style(t, PS_PLAIN);
	ps_text_char(t, '\n');
}

/* Whether some group has the small processes among its own. */
static bool
has_recordings(const struct ps_groups *groups,
	       const struct ps_small_group *small)
{
	PS_ASSERT(small != NULL);
	for (uint32_t i = 0; i < groups->count; i++)
		if (groups->group[i].small == small)
			return true;
	return false;
}

/* ---- one tree ---- */

static void
put_row(const struct side *side, struct ps_text *t)
{
	struct sums sums = sums_of(side);
	char a[16];

	ps_text_printf(t, "%7u %7u  ", sums.processes, sums.small);
	put_name(side, t);
	ps_text_printf(t, " %10s", ps_human_count(a, sums.allocations));
	ps_text_printf(t, " %10s", ps_human_bytes(a, sums.requested_bytes));
	ps_text_printf(t, " %10s", ps_human_bytes(a, sums.greatest_peak));
	ps_text_printf(t, " %8s\n", ps_human_time(a, sums.user_s));
}

void
ps_executables_put(const struct ps_groups *groups, struct ps_text *t)
{
	put_heading(t);
	ps_text_printf(t, "%7s %7s  %-*s %10s %10s %10s %8s\n", "procs",
		       "< 1 MiB", NAME_COLUMNS, "name", "allocs", "requested",
		       "max peak", "user");
	for (uint32_t i = 0; i < groups->count; i++)
		put_row(
		    &(struct side){&groups->group[i], groups->group[i].small},
		    t);
	for (uint32_t i = 0; i < groups->small->count; i++) {
		const struct ps_small_group *small = &groups->small->groups[i];

		if (!has_recordings(groups, small))
			put_row(&(struct side){NULL, small}, t);
	}
}

/* ---- two trees ---- */

/* Where only small processes of it ran: a group that is nobody else's match. */
static const struct ps_group *
group_of_small(const struct ps_groups *groups, const struct ps_groups *others,
	       const char *exe, const char *name)
{
	const struct ps_group *g = ps_groups_find(groups, exe, name);

	return g != NULL && ps_groups_match(others, groups, g) == NULL ? g
								       : NULL;
}

/* The same program in another tree: of that path, else of that name. */
static struct side
match(const struct ps_groups *groups, const struct ps_groups *others,
      const struct side *other)
{
	const char *name = other->group != NULL ? ps_group_name(other->group)
						: small_name(other->small);
	const char *exe = other->group != NULL ? ps_group_exe(other->group)
					       : other->small->exe;
	struct side side = {
	    .group = other->group != NULL
			 ? ps_groups_match(groups, others, other->group)
			 : group_of_small(groups, others, exe, name),
	    .small = ps_small_find(groups->small, exe),
	};

	if (side.group != NULL)
		side.small = side.group->small;
	for (uint32_t i = 0; side.group == NULL && side.small == NULL &&
			     i < groups->small->count;
	     i++)
		if (strcmp(small_name(&groups->small->groups[i]), name) == 0)
			side.small = &groups->small->groups[i];
	return side;
}

static bool
is_absent(const struct side *side)
{
	return side->group == NULL && side->small == NULL;
}

static void
put_side(const struct side *side, struct ps_text *t)
{
	struct sums sums = sums_of(side);
	char a[16];
	char b[16];

	if (is_absent(side))
		ps_text_printf(t, "  %5s %10s %10s", "-", "-", "-");
	else
		ps_text_printf(t, "  %5u %10s %10s", sums.processes,
			       ps_human_bytes(a, sums.requested_bytes),
			       ps_human_bytes(b, sums.greatest_peak));
}

static void
put_pair(const struct side *old, const struct side *new, struct ps_text *t)
{
	PS_ASSERT(!is_absent(old) || !is_absent(new));
	put_name(is_absent(old) ? new : old, t);
	put_side(old, t);
	put_side(new, t);
	ps_text_char(t, '\n');
}

/* How many executables a tree has; the side of each. */
static uint32_t
count_sides(const struct ps_groups *groups)
{
	return groups->count + groups->small->count;
}

/* False: its small processes are told with their recordings. */
static bool
side_at(const struct ps_groups *groups, uint32_t i, struct side *side)
{
	bool is_group = i < groups->count;

	PS_ASSERT(i < count_sides(groups));
	if (is_group)
		*side =
		    (struct side){&groups->group[i], groups->group[i].small};
	else
		*side = (struct side){
		    NULL, &groups->small->groups[i - groups->count]};
	return is_group || !has_recordings(groups, side->small);
}

void
ps_executables_put_both(const struct ps_groups *old,
			const struct ps_groups *new, struct ps_text *t)
{
	struct side here;
	struct side there;

	if (count_sides(old) + count_sides(new) <= 2)
		return;
	put_heading(t);
	ps_text_printf(t, "%-*s  %5s %10s %10s  %5s %10s %10s\n", NAME_COLUMNS,
		       "", "old", "requested", "max peak", "new", "requested",
		       "max peak");
	for (uint32_t i = 0; i < count_sides(old); i++) {
		if (!side_at(old, i, &here))
			continue;
		there = match(new, old, &here);
		put_pair(&here, &there, t);
	}
	for (uint32_t i = 0; i < count_sides(new); i++) {
		if (!side_at(new, i, &here))
			continue;
		there = match(old, new, &here);
		if (is_absent(&there))
			put_pair(&there, &here, t);
	}
}
