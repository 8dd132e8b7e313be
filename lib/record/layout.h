/* SPDX-License-Identifier: MIT */
/*
 * layout - what a recording looks like: the one definition of the format
 *
 * A recording is a header followed by fixed-capacity tables at the offsets the
 * header gives.  It is one contiguous mapping: a file (MAP_SHARED) when there
 * is an output directory, else anonymous memory.  Everything is written in
 * place while it happens, so that a reader of the file sees the state at the
 * moment of death.  All integers are little-endian.
 *
 * Who writes: `threads` rows and `section_stats` rows have one writer, their
 * thread; everything else is updated by atomic operations or under the
 * writer's locks (record/writer.h).  An entry of a table is complete before
 * the table's `count` covers it (store-release of count; readers acquire).
 *
 * Readers treat a file as hostile: record/reader.h checks every offset.
 * Changing anything below means a new PS_RECORD_VERSION.
 */
#ifndef PS_RECORD_LAYOUT_H
#define PS_RECORD_LAYOUT_H

#include "base/base.h"
#include "measure/calibration.h"
#include "measure/clock.h"
#include "record/layout_section.h"

#define PS_RECORD_MAGIC "PSHIMREC" /* 8 bytes, no zero */

enum {
	PS_RECORD_VERSION = 6,
	PS_RECORD_HEADER_BYTES = 20480,

	/* Size classes: 40 of the pool, then one for all larger blocks. */
	PS_CLASSES = 40,
	PS_CLASS_LARGE = PS_CLASSES,
	PS_CLASS_SLOTS = PS_CLASSES + 1,

	PS_STACK_DEPTH_MAX = 128,
	PS_TIMELINE_SLOTS = 512,
	PS_LIFETIMES = 12, /* see struct ps_record_thread */
	PS_LIFETIME_SHIFT = 20,
	/* Rows of threads below this one are labels of sites. */
	PS_LABEL_THREADS = 64,

	/* Sample weights of counts are in 1/1024 of an allocation. */
	PS_WEIGHT_ONE = 1024,
};

enum ps_table_id {
	PS_TABLE_STRINGS,      /* bytes; entry size 1; offset 0 is "" */
	PS_TABLE_MODULES,      /* struct ps_record_module */
	PS_TABLE_FRAMES,       /* struct ps_record_frame */
	PS_TABLE_STACK_FRAMES, /* uint32_t: see PS_STACK_LINK */
	PS_TABLE_SITES,	       /* struct ps_record_site */
	PS_TABLE_THREADS,      /* struct ps_record_thread; row 0 = ended ones */
	PS_TABLE_SECTIONS,     /* struct ps_record_section */
	PS_TABLE_SECTION_STATS, /* struct ps_record_section_stats */
	PS_TABLE_ALERTS,	/* struct ps_record_alert */
	PS_TABLE_SECTION_NODES, /* struct ps_record_section_node */
	PS_TABLE_EVENTS,	/* struct ps_record_event; a ring */
	PS_TABLE_ALERT_SITES,	/* struct ps_record_alert_site */
	PS_TABLES
};

/*
 * A table.  `count` entries exist; `dropped` more did not fit.  The first
 * `backed_bytes` have disk blocks behind them and may be touched.
 */
struct ps_record_table {
	uint64_t offset; /* from the start of the recording, 4096-aligned */
	uint32_t entry_bytes;
	uint32_t capacity; /* entries */
	_Atomic uint32_t count;
	_Atomic uint32_t dropped;
	_Atomic uint64_t backed_bytes;
};

enum ps_process_state {
	PS_STATE_RUNNING = 1, /* alive, or died without a word */
	PS_STATE_EXITED = 2,  /* destructors ran: exit() or return from main */
	PS_STATE_EXECED = 3,  /* replaced itself: known to the next image */
};

enum ps_sample_mode { PS_SAMPLE_OFF, PS_SAMPLE_POISSON, PS_SAMPLE_ALL };

struct ps_record_process {
	int32_t pid;
	int32_t ppid;
	uint64_t start_real_ns; /* CLOCK_REALTIME at start of recording */
	uint64_t start_mono_ns;
	uint32_t exe;		   /* string: path of the executable */
	uint32_t name;		   /* string: its base name */
	uint32_t library;	   /* string: version of the shim */
	uint32_t cpu_model;	   /* string */
	char boot_id[40];	   /* zero-terminated */
	_Atomic uint32_t state;	   /* enum ps_process_state */
	_Atomic int32_t exit_code; /* -1 unknown; filled in by a wrapper */
	_Atomic uint32_t is_forked_child; /* forked without exec from ppid */
	uint32_t reserved;
	/* Refreshed now and then and at exit: */
	_Atomic uint64_t user_ns;
	_Atomic uint64_t system_ns;
	_Atomic uint64_t max_rss_bytes;
	_Atomic uint64_t threads_started;
	_Atomic uint64_t threads_live;
	_Atomic uint64_t threads_peak;
};

/*
 * Two points tie ticks to nanoseconds; `last` moves on at slow moments, so
 * that the rate gets better with the length of the run.
 */
struct ps_record_clock {
	uint32_t kind; /* enum ps_clock_kind */
	uint32_t reserved;
	uint64_t start_ticks;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	_Atomic uint64_t last_ticks;
	_Atomic uint64_t last_ns;
	_Atomic uint64_t backwards; /* negative intervals that were clamped */
};

enum { PS_COARSE_MAX = 3 };

struct ps_record_sampling {
	uint32_t mode; /* enum ps_sample_mode */
	uint32_t depth_max;
	uint64_t interval_bytes;
	_Atomic uint64_t dropped;  /* samples without a place in a table */
	uint32_t stacks_off;	   /* string: why there are none; 0 = on */
	_Atomic uint32_t coarsest; /* interval x 2^this was the widest */
};

/*
 * Process-wide heap state, brought up to date on slow paths.  `live` counts
 * block sizes (what malloc_usable_size says); the sampled figures count
 * requested bytes.
 */
struct ps_record_heap {
	/* Not written under PS_SAMPLE_ALL, where the sampled ones are exact. */
	_Atomic uint64_t live_bytes;
	_Atomic uint64_t peak_bytes;
	_Atomic uint64_t peak_ticks;
	/* Changes with each new peak; see ps_record_site.peak_epoch. */
	_Atomic uint64_t peak_epoch;
	_Atomic uint64_t sampled_live_bytes; /* sum over sites */
	_Atomic uint64_t sampled_peak_bytes;
	_Atomic uint64_t failed;	      /* requests that returned NULL */
	_Atomic uint64_t pool_reserved_bytes; /* address range */
	_Atomic uint64_t pool_mapped_bytes;   /* pages handed to classes */
	uint32_t class_bytes[PS_CLASS_SLOTS]; /* block size; 0 for large */
	uint32_t reserved;
};

/* The heap over time: when full, neighbours merge and the step doubles. */
struct ps_record_tick {
	_Atomic uint64_t ticks;
	_Atomic uint64_t live_bytes;  /* the highest within the step */
	_Atomic uint64_t allocations; /* cumulative, approximate */
	_Atomic uint64_t rss_bytes;   /* 0: not known */
};

struct ps_record_timeline {
	_Atomic uint64_t step_ticks;
	_Atomic uint32_t count;
	uint32_t reserved;
	struct ps_record_tick tick[PS_TIMELINE_SLOTS];
};

/* What the shim itself cost. */
struct ps_record_overhead {
	_Atomic uint64_t slow_ticks;  /* inside sampling, unwinding, tables */
	_Atomic uint64_t start_ticks; /* constructor */
	_Atomic uint64_t markers;     /* begin/end pairs, for calls x cost */
	_Atomic uint64_t unbalanced;  /* section ends without their begin */
	_Atomic uint64_t uncounted_threads; /* found no row in `threads` */
};

/* What became of the rules. */
struct ps_record_watch {
	_Atomic uint64_t steps;	      /* evaluations of all rules */
	_Atomic uint64_t alerts;      /* raised, also those without a row */
	_Atomic uint64_t undelivered; /* nobody took them */
	_Atomic uint64_t unwatched;   /* sections beyond what is watched */
};

/* An ended thread's row that is being added to another one (record/fold.h). */
enum { PS_FOLD_NONE, PS_FOLD_ADDING, PS_FOLD_CLEARING };
struct ps_record_fold {
	_Atomic uint64_t steps; /* changes of the stage, ever */
	_Atomic uint32_t stage; /* PS_FOLD_* */
	_Atomic uint32_t table; /* enum ps_table_id */
	_Atomic uint32_t to;
	_Atomic uint32_t from;
	_Atomic uint32_t spare[PS_TABLES]; /* row + 1; 0: none yet */
};

struct ps_record_header {
	char magic[8];
	uint32_t version;
	uint32_t header_bytes;
	uint64_t file_bytes;
	/* 0 while being set up; readers refuse it until it is 1. */
	_Atomic uint32_t is_ready;
	uint32_t is_file; /* 0: anonymous memory */
	struct ps_record_table table[PS_TABLES];
	struct ps_record_process process;
	struct ps_record_clock clock;
	struct ps_calibration calibration;
	struct ps_record_sampling sampling;
	struct ps_record_heap heap;
	struct ps_record_overhead overhead;
	struct ps_record_watch watch;
	struct ps_record_fold fold;
	_Atomic uint64_t no_space;	 /* times the disk refused a block */
	_Atomic uint32_t no_space_error; /* errno of the last one */
	uint32_t own_malloc; /* string: where the program's own is; 0 = ours */
	struct ps_record_timeline timeline;
};
_Static_assert(sizeof(struct ps_record_header) <= PS_RECORD_HEADER_BYTES,
	       "the header fits its pages");

struct ps_record_module {
	uint64_t start; /* first mapped address */
	uint64_t end;
	uint64_t bias; /* add to an ELF virtual address to get a run address */
	uint32_t path; /* string */
	uint32_t build_id_bytes; /* 0..32 */
	uint8_t build_id[32];
};

/* A return address.  `module` is an index, UINT32_MAX when unknown. */
struct ps_record_frame {
	uint64_t pc;
	uint32_t module;
	uint32_t flags;	     /* PS_FRAME_* */
	uint32_t generation; /* modules unloaded before it was seen */
	uint32_t reserved;
};
enum {
	PS_FRAME_LEAF = 1, /* pc is the instruction itself, not a return */
	PS_FRAME_OWN = 2,  /* the preload's; readers leave it out of stacks */
};

/*
 * A stack's frames stand one behind the other, the innermost first, as rows of
 * FRAMES (UINT32_MAX: one that found no place).  In the place of a frame may be
 * a link: the next ones stand elsewhere, at the entry that it names, which is
 * no link.
 */
#define PS_STACK_LINK UINT32_C(0x80000000)

static inline bool
ps_stack_is_link(uint32_t entry)
{
	return (entry & PS_STACK_LINK) != 0 && entry != UINT32_MAX;
}

/*
 * An allocation site: a stack, the thread and the section it was seen in, and
 * what was sampled there.  Sites that differ in their labels only share the
 * stack's frames (first_frame, depth).  A thread's label is its row if that is
 * below PS_LABEL_THREADS, else 0; when three quarters of the table are full,
 * new sites have no labels.
 *
 * Estimates are sums of per-sample weights: a block of s bytes is picked with
 * probability p = 1 - exp(-s / interval) and stands for 1/p allocations of s
 * bytes.  Variances are sums of (1-p)/p^2 (x s^2), the Horvitz-Thompson
 * estimate.
 *
 * peak_*: the site's live values at the process's peak, kept lazily.  When
 * peak_epoch equals the header's, peak_* hold them; when it differs, nothing
 * changed here since the peak and live_* are still the values at the peak.
 */
struct ps_record_site {
	uint64_t hash;
	uint32_t first_frame; /* index into STACK_FRAMES, leaf first */
	uint16_t depth;
	uint16_t flags;	  /* PS_SITE_* */
	uint32_t thread;  /* row in `threads`; 0: of no thread in particular */
	uint32_t section; /* UINT32_MAX: in none */
	/* What its thread writes (any thread, when `thread` is 0). */
	_Atomic uint64_t samples;
	_Atomic uint64_t allocations; /* in 1/PS_WEIGHT_ONE */
	_Atomic uint64_t bytes;
	_Atomic uint64_t allocations_variance; /* in 1/PS_WEIGHT_ONE */
	_Atomic uint64_t bytes_variance;
	/* What any thread writes. */
	_Atomic uint64_t live_allocations; /* in 1/PS_WEIGHT_ONE */
	_Atomic uint64_t live_bytes;
	_Atomic uint64_t peak_allocations;
	_Atomic uint64_t peak_bytes;
	_Atomic uint64_t peak_epoch;
	_Atomic uint64_t temporary; /* in 1/PS_WEIGHT_ONE: freed before the
				       thread's next allocation */
	uint64_t stack; /* the same for sites that share their stack */
	_Atomic uint64_t reserved;
};
enum { PS_SITE_TRUNCATED = 1, PS_SITE_NO_STACK = 2 };

/*
 * Per thread; one writer.  Rows of ended threads are added into row 0 and, from
 * PS_LABEL_THREADS on, used again.  A block counts in `frees` of who freed it.
 * Requested bytes: issued_bytes - bytes_left.
 *
 * lifetime_*[i]: sampled blocks that this thread freed before they had lived
 * for 2^(PS_LIFETIME_SHIFT + 2 i) ticks and that belong to no lower i; the last
 * one: all others.
 */
struct ps_record_thread {
	_Atomic uint64_t bytes_left;   /* countdown to the next sample */
	_Atomic uint64_t issued_bytes; /* sum of all countdowns drawn */
	_Atomic uint64_t allocations;  /* calls that returned a block */
	_Atomic uint32_t tid;	       /* 0: row is free */
	_Atomic uint32_t is_live;
	char name[16];
	_Atomic uint64_t
	    large_bytes; /* block bytes of class large, allocated */
	_Atomic uint64_t large_freed_bytes;
	_Atomic uint64_t samples;     /* taken by this thread */
	_Atomic uint64_t reserved[7]; /* to the next cache line */
	_Atomic uint64_t class_allocations[PS_CLASS_SLOTS];
	_Atomic uint64_t class_frees[PS_CLASS_SLOTS];
	_Atomic uint64_t lifetime_frees[PS_LIFETIMES]; /* 1/PS_WEIGHT_ONE */
	_Atomic uint64_t lifetime_bytes[PS_LIFETIMES];
	_Atomic uint64_t tail[6];
};

/*
 * A rule that came true.  When a rule has used up its share of the table, its
 * newest row is written over: `version` is odd meanwhile.
 */
struct ps_record_alert {
	_Atomic uint32_t version;
	uint32_t rule; /* string: the rule as written */
	uint64_t ticks;
	uint64_t real_ns;  /* CLOCK_REALTIME */
	double value;	   /* in the unit */
	double threshold;  /* the same; a limit's share is resolved */
	uint32_t unit;	   /* enum ps_unit of monitor/rule.h */
	uint32_t severity; /* enum ps_severity */
	uint32_t section;  /* index, UINT32_MAX: none */
	uint32_t thread;   /* who noticed, or whose call was beyond */
	uint32_t site;	   /* its stack then; UINT32_MAX: not known */
	uint32_t replaced; /* earlier alerts that stood in this row */
	/* Of rules on memory, the sites at that moment, most live bytes first.
	 */
	uint32_t first_site; /* in ALERT_SITES */
	uint32_t sites;
	uint64_t live_bytes; /* of the heap */
};

struct ps_record_alert_site {
	uint32_t site; /* row in SITES */
	uint32_t reserved;
	uint64_t live_bytes;
	uint64_t live_allocations; /* in 1/PS_WEIGHT_ONE */
};

_Static_assert(sizeof(struct ps_record_site) == 2 * PS_CACHE_LINE,
	       "a site is two cache lines");
_Static_assert(sizeof(struct ps_record_thread) % PS_CACHE_LINE == 0,
	       "a row shares no cache line with its neighbour");
_Static_assert(offsetof(struct ps_record_thread, class_allocations) == 128,
	       "hot fields and class counters start their own cache lines");
#endif /* PS_RECORD_LAYOUT_H */
