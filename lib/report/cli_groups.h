/* SPDX-License-Identifier: MIT */
/*
 * cli_groups - the processes of a tree by executable, each group as one
 * recording
 */
#ifndef PS_REPORT_CLI_GROUPS_H
#define PS_REPORT_CLI_GROUPS_H

#include "report/cli_arguments.h"
#include "report/cli_pprof.h"
#include "report/cli_source.h"
#include "report/cli_tree.h"

struct ps_group {
	const struct ps_reader **readers; /* of its processes */
	uint32_t count;			  /* 1 or more */
	uint64_t peak_bytes;		  /* added up */
	uint64_t greatest_peak;
	struct ps_reader merged;
	/* Processes of the same executable that left a line only, or NULL; in
	 * none of the figures above, and of one group. */
	const struct ps_small_group *small;
};

struct ps_groups {
	struct ps_group *group;
	uint32_t count;
	const struct ps_small *small; /* of all executables */
	struct ps_scratch scratch;
};

/* 0, or -ENOMEM; to be closed in both cases.  The tree must live as long. */
int ps_groups_open(struct ps_groups *groups, const struct ps_tree *tree);
void ps_groups_close(struct ps_groups *groups);

const char *ps_group_name(const struct ps_group *g);
const char *ps_group_exe(const struct ps_group *g);

/* The group with the greatest peak among those of the name `who` (NULL: all);
 * NULL: none has it. */
const struct ps_group *ps_groups_main(const struct ps_groups *groups,
				      const char *who);

/* The group of that path, or else of that name; NULL: none. */
const struct ps_group *ps_groups_find(const struct ps_groups *groups,
				      const char *exe, const char *name);

/*
 * The group that is of the same program as one of `others`, another tree: of
 * that path and name, or else one of that name, when both are at a path that
 * the other tree does not have (a program that was moved, or two builds of it).
 * Each group has one match at most, which has that group for its match.
 */
const struct ps_group *ps_groups_match(const struct ps_groups *groups,
				       const struct ps_groups *others,
				       const struct ps_group *other);

/* As ps_source_open. */
int ps_group_open(const struct ps_arguments *a, const struct ps_group *g,
		  struct ps_source *out);

/* ps_pprof_put of each group; 0 or -errno. */
int ps_groups_add_pprof(const struct ps_groups *groups,
			const struct ps_arguments *a,
			struct ps_pprof_file *file, int sign);

/* "MERGED 3 processes of ...". */
void ps_group_put_what(const struct ps_group *g, struct ps_text *t);

#endif /* PS_REPORT_CLI_GROUPS_H */
