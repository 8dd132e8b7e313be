/* SPDX-License-Identifier: MIT */
/*
 * cli_tree - the recordings of a directory as a tree of processes
 */
#ifndef PS_REPORT_CLI_TREE_H
#define PS_REPORT_CLI_TREE_H

#include "record/reader.h"
#include "report/intern.h"
#include "report/small.h"

struct ps_tree_node {
	char *path;
	struct ps_reader reader;
	bool was_execed; /* a later image of the same pid follows */
	int parent;	 /* index, -1: none here */
	int depth;
};

struct ps_tree {
	struct ps_tree_node *nodes; /* in the order of their start */
	int count;
	int broken;		   /* files that could not be read */
	struct ps_small small;	   /* processes that left a line only */
	struct ps_intern seen;	   /* files, by device and inode */
	struct ps_scratch scratch; /* of those two */
};

/* It must not move from then on. */
void ps_tree_init(struct ps_tree *tree);
/*
 * Add a file, or every *.perfshim and the small processes of a directory; a
 * file that was added before, under whatever name, is left out.  0, -errno.
 */
int ps_tree_add(struct ps_tree *tree, const char *path);
/* Order them and find parents; again when one was added or dropped. */
void ps_tree_link(struct ps_tree *tree);
/* Forget those of which the judge says true; it is asked once of each, in
 * their order, and may add to what is small. */
typedef bool ps_tree_judge(struct ps_tree *tree,
			   const struct ps_tree_node *node);
void ps_tree_drop(struct ps_tree *tree, ps_tree_judge *goes);
void ps_tree_close(struct ps_tree *tree);

/* Index of the last image of pid, or -1; and of the one that started first. */
int ps_tree_find(const struct ps_tree *tree, int pid);

/* The same of a pid or a name as text; NULL: the one that started first. */
int ps_tree_main(const struct ps_tree *tree, const char *who);

/* Greatest heap of a node's process in bytes, and the node with the greatest.
 */
uint64_t ps_tree_peak(const struct ps_tree *tree, int node);
int ps_tree_heaviest(const struct ps_tree *tree);

/* Whether no process of that pid that started then is alive. */
bool ps_tree_is_gone(const struct ps_tree_node *node);

#endif /* PS_REPORT_CLI_TREE_H */
