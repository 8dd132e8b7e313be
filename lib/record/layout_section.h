/* SPDX-License-Identifier: MIT */
/*
 * layout_section - the tables of sections; a part of layout.h, which see
 */
#ifndef PS_RECORD_LAYOUT_SECTION_H
#define PS_RECORD_LAYOUT_SECTION_H

#include "base/base.h"
#include "measure/hist.h"

struct ps_record_section {
	uint64_t hash;
	uint32_t name; /* string */
	uint32_t file; /* string; of the first site registered */
	uint32_t line;
	uint32_t sites;	   /* how many places share the name */
	uint32_t function; /* frame + 1 of one without a name; 0: it has one */
	uint32_t reserved;
};

enum { PS_SECTION_SLOWEST = 8 };

/* What programs count themselves in the section they are in. */
enum ps_section_value {
	PS_VALUE_BYTES,
	PS_VALUE_ITEMS,
	PS_VALUE_FLOPS,
	PS_SECTION_VALUES
};

/* One of the slowest calls; ticks 0: none yet. */
struct ps_record_slow_call {
	_Atomic uint64_t begun;
	_Atomic uint64_t ticks;
	_Atomic uint32_t parent; /* section around it, UINT32_MAX: none */
	_Atomic uint32_t tid;
};

/* What calls used, as far as it was read (profile/section_usage.h). */
struct ps_record_usage {
	_Atomic uint64_t calls; /* that it was read of */
	_Atomic uint64_t ticks; /* how long those took */
	_Atomic uint64_t cpu_ns;
	_Atomic uint64_t live_bytes; /* growth, signed */
	_Atomic uint64_t minor_faults;
	_Atomic uint64_t major_faults;
	_Atomic uint64_t waits; /* voluntary context switches */
	_Atomic uint64_t preemptions;
};

/* One (thread, section); one writer.  thread 0 = threads that ended. */
struct ps_record_section_stats {
	uint32_t section;
	_Atomic uint32_t thread; /* row in `threads`; UINT32_MAX: row is free */
	_Atomic uint64_t calls;	 /* completed */
	_Atomic uint64_t total_ticks; /* inclusive; recursion counted once */
	_Atomic uint64_t self_ticks;  /* raw: children's intervals removed */
	_Atomic uint64_t child_calls; /* pairs inside, for the correction */
	_Atomic uint64_t min_ticks;
	_Atomic uint64_t max_ticks;
	_Atomic double squares; /* sum of ticks^2 */
	_Atomic uint64_t allocations;
	_Atomic uint64_t bytes;
	_Atomic uint64_t over;		  /* intervals beyond the histogram */
	_Atomic uint64_t recursive_calls; /* entered while already inside */
	_Atomic uint64_t ended_threads;	  /* whose rows this one took over */
	_Atomic uint64_t value[PS_SECTION_VALUES];
	/* Calls from here on may be among the slowest, or long ones. */
	_Atomic uint64_t slow_from;
	struct ps_record_slow_call slowest[PS_SECTION_SLOWEST];
	struct ps_record_usage every; /* first calls and those of 1 ms on */
	struct ps_record_usage some;  /* a sample of all others */
	_Atomic uint32_t histogram[PS_HIST_BUCKETS];
};

/*
 * The call tree of sections: one (thread, path); one writer.  `parent` is a
 * row of this table or UINT32_MAX.  A node's inclusive time is its own and its
 * children's.
 */
struct ps_record_section_node {
	uint32_t section;
	_Atomic uint32_t parent;
	_Atomic uint32_t thread; /* as in section_stats */
	uint32_t flags;		 /* PS_NODE_* */
	_Atomic uint64_t calls;
	_Atomic uint64_t self_ticks;
};
enum { PS_NODE_LOST_PATH = 1 }; /* what was around it found no room */

/*
 * One completed call, when asked for.  The table is a ring: event number n,
 * from 0, is in row n modulo its count.
 */
struct ps_record_event {
	_Atomic uint64_t number; /* n + 1 once complete */
	_Atomic uint64_t begun;
	_Atomic uint64_t ticks;
	_Atomic uint32_t section;
	_Atomic uint32_t tid;
	_Atomic uint32_t is_span; /* outside the nesting */
	_Atomic uint32_t reserved;
};

_Static_assert(sizeof(struct ps_record_section_stats) <= 8192,
	       "8 KiB a (thread, section) at most");

#endif /* PS_RECORD_LAYOUT_SECTION_H */
