/* SPDX-License-Identifier: MIT */
/*
 * cli_diff - perfreport --diff OLD NEW
 *
 * Each side is a tree of processes, merged by executable first: a build or a
 * server with workers is compared as a whole, not by the one process that
 * happened to start first.  A file is a tree of one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/cli_diff.h"
#include "report/cli_executables.h"
#include "report/cli_page.h"
#include "report/cli_pprof.h"
#include "report/diff.h"
#include "report/section_folded.h"

struct sides {
	struct ps_groups old;
	struct ps_groups new;
};

/* What is compared; one of the two may be NULL: nothing of that program ran. */
struct pair {
	const struct ps_group *old;
	const struct ps_group *new;
};

/*
 * The program that --main names; else, of those that ran on both sides, the one
 * that had the most memory; else (the program itself got another name) the one
 * with the most of either side.
 */
static struct pair
main_pair(const struct sides *s, const char *who)
{
	struct pair best = {ps_groups_main(&s->old, who),
			    ps_groups_main(&s->new, who)};
	uint64_t most = 0;

	if (best.old == NULL || best.new == NULL)
		ps_usage_error("--main", who,
			       "no executable of that name on both sides");
	for (uint32_t i = 0; who == NULL && i < s->old.count; i++) {
		const struct ps_group *old = &s->old.group[i];
		const struct ps_group *new =
		    ps_groups_match(&s->new, &s->old, old);

		if (new == NULL || old->peak_bytes + new->peak_bytes <= most)
			continue;
		most = old->peak_bytes + new->peak_bytes;
		best = (struct pair){old, new};
	}
	return best;
}

/* Each program once, those of the new side only at the end. */
static int
each_pair(const struct sides *s,
	  int (*visit)(const struct pair *pair, void *context), void *context)
{
	int error = 0;

	for (uint32_t i = 0; error == 0 && i < s->old.count; i++) {
		const struct ps_group *old = &s->old.group[i];

		error = visit(
		    &(struct pair){old, ps_groups_match(&s->new, &s->old, old)},
		    context);
	}
	for (uint32_t i = 0; error == 0 && i < s->new.count; i++) {
		const struct ps_group *new = &s->new.group[i];

		if (ps_groups_match(&s->old, &s->new, new) == NULL)
			error = visit(&(struct pair){NULL, new}, context);
	}
	return error;
}

/* ---- a pair ---- */

struct opened {
	const struct ps_arguments *a;
	struct ps_text *out;
	struct ps_source old;
	struct ps_source new;
};

/* Of a program that did not run there is an empty view, in the names of the
 * side where it did. */
static void
stand_in(struct ps_source *s, const struct ps_source *other)
{
	PS_ASSERT(other->reader != NULL);
	*s = (struct ps_source){.reader = other->reader,
				.symbols = other->symbols,
				.view = {.reader = other->reader}};
}

static int
with_pair(struct opened *o, const struct pair *pair,
	  int (*compare)(struct opened *o))
{
	int error = 0;

	PS_ASSERT(pair->old != NULL || pair->new != NULL);
	if (pair->old != NULL)
		error = ps_group_open(o->a, pair->old, &o->old);
	if (error != 0)
		return error;
	if (pair->new != NULL)
		error = ps_group_open(o->a, pair->new, &o->new);
	else
		stand_in(&o->new, &o->old);
	if (pair->old == NULL)
		stand_in(&o->old, &o->new);
	if (error == 0) {
		PS_ASSERT(o->old.view.reader != NULL &&
			  o->new.view.reader != NULL);
		error = compare(o);
		if (pair->new != NULL)
			ps_source_close(&o->new);
	}
	if (pair->old != NULL)
		ps_source_close(&o->old);
	return error;
}

static int
compare_text(struct opened *o)
{
	const struct ps_diff_side from = {&o->old.view, o->old.symbols};
	const struct ps_diff_side to = {&o->new.view, o->new.symbols};

	return ps_diff_text(&from, &to, o->a->options.top, &o->new.scratch,
			    o->out);
}

static int
compare_folded(struct opened *o)
{
	const struct ps_diff_side from = {&o->old.view, o->old.symbols};
	const struct ps_diff_side to = {&o->new.view, o->new.symbols};
	struct ps_scratch scratch;
	int error;

	PS_ASSERT((unsigned)o->a->folded_key < PS_DIFF_KEYS);
	ps_scratch_init(&scratch, 0);
	error =
	    o->a->is_of_sections
		? ps_section_folded_both(from.view, to.view, &scratch, o->out)
		: ps_diff_folded(&from, &to, o->a->folded_key, &scratch,
				 o->out);
	ps_scratch_fini(&scratch);
	return error;
}

static int
compare_page(struct opened *o)
{
	return ps_page_of_diff(&o->old, &o->new, o->out);
}

static int
visit_folded(const struct pair *pair, void *context)
{
	return with_pair(context, pair, compare_folded);
}

/* ---- all of it ---- */

static int
print_text(struct opened *o, const struct sides *s)
{
	struct pair pair = main_pair(s, o->a->main_name);
	int error;

	if (pair.old->count + pair.new->count > 2) {
		ps_group_put_what(pair.old, o->out);
		ps_group_put_what(pair.new, o->out);
	}
	error = with_pair(o, &pair, compare_text);
	if (error == 0)
		ps_executables_put_both(&s->old, &s->new, o->out);
	return error;
}

static int
print_pprof(const struct ps_arguments *a, const struct sides *s,
	    struct ps_text *out)
{
	struct ps_pprof_file file;
	int error = ps_pprof_open(&file, a->is_of_sections);

	if (error == 0)
		error = ps_groups_add_pprof(&s->new, a, &file, 1);
	if (error == 0)
		error = ps_groups_add_pprof(&s->old, a, &file, -1);
	return ps_pprof_close(&file, error, out);
}

static int
print_sides(const struct ps_arguments *a, const struct sides *s,
	    struct ps_text *out)
{
	struct opened o = {.a = a, .out = out};
	struct pair pair;

	switch (a->format) {
	case PS_CLI_FOLDED:
		return each_pair(s, visit_folded, &o);
	case PS_CLI_PPROF:
		return print_pprof(a, s, out);
	case PS_CLI_HTML:
		pair = main_pair(s, a->main_name);
		return with_pair(&o, &pair, compare_page);
	case PS_CLI_TEXT:
		return print_text(&o, s);
	default:
		fputs("perfreport: --diff: as text, --html, --folded or "
		      "--pprof\n",
		      stderr);
		return -EINVAL;
	}
}

int
ps_print_diff(const struct ps_arguments *a, const struct ps_tree *old,
	      const struct ps_tree *new, struct ps_text *out)
{
	struct sides s = {0};
	int error = ps_groups_open(&s.old, old);

	PS_ASSERT(old->count > 0 && new->count > 0);
	if (error == 0)
		error = ps_groups_open(&s.new, new);
	if (error == 0)
		error = print_sides(a, &s, out);
	if (error == -ENOMEM)
		fprintf(stderr, "perfreport: --diff: %s\n", strerror(ENOMEM));
	ps_groups_close(&s.new);
	ps_groups_close(&s.old);
	return error;
}
