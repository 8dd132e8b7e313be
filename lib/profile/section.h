/* SPDX-License-Identifier: MIT */
/*
 * section - named regions of code: nesting, time, allocations
 *
 * Everything is added up in place, in a row of the recording for each thread
 * and section and in one for each thread and path of sections; there is no
 * event and no queue, unless asked for (section_event.h).  The clock is the
 * caller's.
 *
 * Threads: a ps_section_thread belongs to its thread; interning is for any.
 */
#ifndef PS_PROFILE_SECTION_H
#define PS_PROFILE_SECTION_H

#include "record/layout.h"

enum {
	PS_SECTIONS_MAX = 4096,
	PS_SECTION_DEPTH = 128, /* deeper ones are dropped and counted */
	PS_SECTION_HOT = 8,	/* children of a node that are found at once */
};
_Static_assert((PS_SECTION_HOT & (PS_SECTION_HOT - 1)) == 0, "a mask");

/*
 * A path of sections in a thread's call tree; section_tree.h makes them.
 * `hot` never holds NULL: what is not known yet is a node of no section.
 */
struct ps_section_node {
	uint32_t section;
	uint32_t flags; /* PS_SECTION_*; 0 is the common case */
	ps_ticks due;	/* a call from then on reads what it uses */
	struct ps_record_section_stats *stats;
	struct ps_record_section_node *row;
	struct ps_section_node *parent;
	struct ps_section_node *next; /* of the same parent */
	struct ps_section_node *children;
	uint32_t row_index; /* UINT32_MAX: it found no room */
	uint32_t has_been_read;
	struct ps_section_node *hot[PS_SECTION_HOT]; /* by section */
} PS_ALIGNED(PS_CACHE_LINE);
_Static_assert(offsetof(struct ps_section_node, hot) == PS_CACHE_LINE,
	       "what a call uses of its node is one line");

enum {
	PS_SECTION_RECURSIVE = 1, /* the section is further out as well */
	PS_SECTION_TRACED = 2,	  /* each call is an event */
	PS_SECTION_LOST_PATH = 4,
};

/* An open region. */
struct ps_section_frame {
	struct ps_section_node *node;
	uintptr_t above;  /* the scope's address - 1; all ones: no scope */
	uint64_t is_read; /* what it uses was read at its begin */
	ps_ticks begun;
	uint64_t child_ticks;
	uint64_t child_calls;
	uint64_t allocations;
	uint64_t bytes;
};

/* What a thread has used so far (section_usage.h). */
struct ps_section_reading {
	ps_ticks at; /* 0: none */
	uint64_t cpu_ns;
	uint64_t live_bytes;
	uint64_t minor_faults;
	uint64_t major_faults;
	uint64_t waits;
	uint64_t preemptions;
};

struct ps_section_chunk;

/*
 * Its thread's alone; here for the inline functions, section.c fills it in.
 * frame[0] is no region: it stands for what is outside of all.
 */
struct ps_section_thread {
	struct ps_section_frame *top;
	const struct ps_record_thread *row;
	uint32_t row_index;
	uint32_t overflow; /* open regions that are not timed */
	struct ps_section_chunk *chunks;
	struct ps_section_node root;
	struct ps_section_node deep; /* of the frame of those */
	struct ps_section_reading last;
	struct ps_section_frame frame[PS_SECTION_DEPTH + 2];
	struct ps_section_reading reading[PS_SECTION_DEPTH + 2];
	struct ps_record_section_stats *stats[PS_SECTIONS_MAX];
	volatile bool is_finding; /* a node, which may be being made */
};

/*
 * The section that the thread is in: the innermost that is open, UINT32_MAX
 * when none is or the thread has never had one (t is NULL).  Its thread only.
 */
static inline uint32_t
ps_section_innermost(const struct ps_section_thread *t)
{
	if (t == NULL)
		return UINT32_MAX;
	return t->top[t->overflow > 0 ? -1 : 0].node->section;
}

/* Which sections are on: "" all; see ps_glob_list_match.  Once, early. */
void ps_section_init(bool are_on, const char *globs);

/*
 * The section of that name, new or known; UINT32_MAX when the table is full
 * (counted there), or in a signal handler that interrupted its thread under
 * ps_record_lock.  file may be NULL.
 */
uint32_t ps_section_intern(const char *name, const char *file, uint32_t line);
/*
 * The section of a function that has no mark, which readers name by its address
 * (pc: one byte into it); a new one, UINT32_MAX when the table is full.
 */
uint32_t ps_section_intern_function(uintptr_t pc);
/* Whether there are globs to choose by, and what they say of a name. */
bool ps_section_has_globs(void);
bool ps_section_is_wanted(const char *name);
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

/* Cold: read what the thread used so far, for the region begun last. */
void ps_section_read(struct ps_section_thread *t, ps_ticks now);

/*
 * ... its clock starts: last thing of begin, so that less is measured.  True:
 * that took long, call it again with the time of now.
 */
static inline bool
ps_section_started(struct ps_section_thread *t, ps_ticks now)
{
	struct ps_section_frame *f = t->top;

	f->begun = now;
	if (ps_likely(now < f->node->due))
		return false;
	ps_section_read(t, now);
	return true;
}

/* The innermost region of that section ends at `now`; PS_SECTIONS_MAX: of one
 * that nobody knows. */
void ps_section_end(struct ps_section_thread *t, uint32_t section, uintptr_t sp,
		    ps_ticks now);

/* An interval outside the nesting: counted in this thread's row. */
void ps_section_span(struct ps_section_thread *t, uint32_t section,
		     ps_ticks begun, ps_ticks elapsed);

/* The innermost open region worked on `n` of those; without one, nothing. */
void ps_section_add(struct ps_section_thread *t, enum ps_section_value value,
		    uint64_t n);

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
