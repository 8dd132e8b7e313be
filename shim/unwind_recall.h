/* SPDX-License-Identifier: MIT */
/*
 * unwind_recall - the stacks that a thread has had before, by where they begin
 *
 * For when every block is sampled.  Most allocations of a program come from a
 * few hundred stacks, each of which begins at the same pc and sp every time; a
 * recall leads from there to the site, if every slot of the stack that the walk
 * depended on still holds what it held.
 */
#ifndef PS_UNWIND_RECALL_H
#define PS_UNWIND_RECALL_H

#include "shim/unwind_memo.h"

struct ps_recall;

/* For one thread; NULL: no memory. */
struct ps_recall *ps_recall_open(void);
void ps_recall_close(struct ps_recall *recall);

/* Where a stack begins, and in which section. */
struct ps_recall_from {
	struct ps_unwind_context ctx;
	uintptr_t stack_low; /* of the thread's own stack, which sp is on */
	uintptr_t stack_high;
	uint32_t section;
	uint32_t epoch; /* sites of another one are forgotten */
};

/* The site of this stack; UINT32_MAX when it is not recalled. */
uint32_t ps_recall_site(struct ps_recall *recall,
			const struct ps_recall_from *from);

/*
 * After a look-up that found nothing: the memo's last walk, `depth` frames, was
 * from there, and has this site.
 */
void ps_recall_keep(struct ps_recall *recall, const struct ps_recall_from *from,
		    const struct ps_unwind_memo *memo, uint32_t depth,
		    uint32_t site);

#endif /* PS_UNWIND_RECALL_H */
