/* SPDX-License-Identifier: MIT */
/*
 * section - named regions of code: nesting, time, allocations
 *
 * Everything is added up in place, in one row of the recording for each thread
 * and section; there is no event and no queue.  The clock is the caller's.
 *
 * Threads: a ps_section_thread belongs to its thread; interning is for any.
 */
#ifndef PS_PROFILE_SECTION_H
#define PS_PROFILE_SECTION_H

#include "record/layout.h"

enum {
	PS_SECTIONS_MAX = 1024,
	PS_SECTION_DEPTH = 128, /* deeper ones are dropped and counted */
};

/* An open region. */
struct ps_section_frame {
	uint32_t section;
	bool is_recursive;
	uintptr_t scope;
	ps_ticks begun;
	uint64_t child_ticks;
	uint64_t child_calls;
	uint64_t allocations;
	uint64_t bytes;
};

/* Its thread's alone; here for the inline functions, section.c fills it in. */
struct ps_section_thread {
	uint32_t depth;
	uint32_t overflow; /* open regions beyond PS_SECTION_DEPTH */
	uint32_t row_index;
	const struct ps_record_thread *row;
	struct ps_record_section_stats *stats[PS_SECTIONS_MAX];
	uint16_t open[PS_SECTIONS_MAX];
	struct ps_section_frame frame[PS_SECTION_DEPTH];
};

/*
 * The section that the thread is in: the innermost that is open, UINT32_MAX
 * when none is or the thread has never had one (t is NULL).  Its thread only.
 */
static inline uint32_t
ps_section_innermost(const struct ps_section_thread *t)
{
	if (t == NULL || t->depth == 0)
		return UINT32_MAX;
	return t->frame[t->depth - 1].section;
}

/* Which sections are on: "" all; see ps_glob_list_match.  Once, early. */
void ps_section_init(bool are_on, const char *globs);

/*
 * The section of that name, new or known; UINT32_MAX when the table is full
 * (counted there).  file may be NULL.
 */
uint32_t ps_section_intern(const char *name, const char *file, uint32_t line);
/* Known name, or UINT32_MAX. */
uint32_t ps_section_find(const char *name);
/* Whether the options want it timed. */
bool ps_section_is_on(uint32_t section);

/* For a thread with the given row of the recording; NULL: no memory. */
struct ps_section_thread *
ps_section_thread_open(uint32_t row_index, const struct ps_record_thread *row);
/* The thread ends: its figures go to the ended threads' rows. */
void ps_section_thread_close(struct ps_section_thread *t);

/*
 * A region begins.  `scope` is an address in the stack frame that it belongs
 * to, or 0 when it is not bound to one; `sp` is the caller's stack pointer.
 * Regions whose frame is gone (longjmp) are closed first, as unbalanced.
 */
void ps_section_begin(struct ps_section_thread *t, uint32_t section,
		      uintptr_t scope, uintptr_t sp);
/* ... its clock starts: last thing of begin, so that less is measured. */
void ps_section_started(struct ps_section_thread *t, ps_ticks now);

/* The innermost region of that section ends at `now`. */
void ps_section_end(struct ps_section_thread *t, uint32_t section, uintptr_t sp,
		    ps_ticks now);

/* An interval outside the nesting: counted in this thread's row. */
void ps_section_span(struct ps_section_thread *t, uint32_t section,
		     ps_ticks elapsed);

/*
 * A thread object for measuring what a pair costs: section PS_SECTIONS_MAX - 1
 * is counted in `stats`, which no recording knows.  NULL: no memory.
 */
struct ps_section_thread *
ps_section_thread_probe(const struct ps_record_thread *row,
			struct ps_record_section_stats *stats);
void ps_section_probe_end(struct ps_section_thread *t);

/* How many regions are open. */
uint32_t ps_section_depth(const struct ps_section_thread *t);

/*
 * In a fork child, with its new recording: sections get their rows again, and
 * the forking thread (NULL: it has none) goes on in the regions it is in.
 */
void ps_section_postfork_child(struct ps_section_thread *t, uint32_t row_index,
			       const struct ps_record_thread *row);

#endif /* PS_PROFILE_SECTION_H */
