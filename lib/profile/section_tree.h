/* SPDX-License-Identifier: MIT */
/*
 * section_tree - a thread's call tree of sections
 *
 * Inside lib/profile only.
 */
#ifndef PS_PROFILE_SECTION_TREE_H
#define PS_PROFILE_SECTION_TREE_H

#include "profile/section.h"

/* A tree of the root alone. */
void ps_section_tree_init(struct ps_section_thread *t);

/* Cold: the node of `section` within the innermost open region's, new or
 * known; NULL: no memory. */
struct ps_section_node *ps_section_tree_find(struct ps_section_thread *t,
					     uint32_t section);

/* A node outside of the recording that counts into `stats`; NULL: no memory. */
struct ps_section_node *
ps_section_tree_probe(struct ps_section_thread *t, uint32_t section,
		      struct ps_record_section_stats *stats);

/* The thread ends: its nodes go to the ended threads' tree.  Under the lock. */
void ps_section_tree_retire_locked(struct ps_section_thread *t);
/* Give back the memory of the nodes. */
void ps_section_tree_fini(struct ps_section_thread *t);

/* In a fork child: no ended threads, and rows anew for what is known of t. */
void ps_section_tree_postfork_child(struct ps_section_thread *t);

#endif /* PS_PROFILE_SECTION_TREE_H */
