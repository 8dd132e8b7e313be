/* SPDX-License-Identifier: MIT */
/*
 * view - what a recording says, added up: all that the formatters read
 *
 * Times in seconds, sizes in bytes; NAN for what is not known.
 */
#ifndef PS_REPORT_VIEW_H
#define PS_REPORT_VIEW_H

#include "base/scratch.h"
#include "record/reader.h"
#include "report/report.h"

enum ps_view_end {
	PS_END_RUNNING,
	PS_END_EXITED,	 /* exit_code says with what, if >= 0 */
	PS_END_SIGNALED, /* exit_signal */
	PS_END_UNKNOWN,	 /* gone without a word */
};

/*
 * Estimates of what one stack allocated, all rows of the recording that have
 * this stack added up; errors are half a 95 % interval.
 */
struct ps_view_site {
	const struct ps_record_site *site; /* one of the rows: its stack */
	double allocations;
	double allocations_error;
	double bytes;
	double bytes_error;
	double live_allocations;
	double live_bytes;
	double peak_allocations;
	double peak_bytes;
	double temporary;
	bool is_forgiven; /* in part, at least */
};

/* What the rows of sites with one label add up to. */
struct ps_view_label {
	double bytes;
	double peak_bytes;
	double live_bytes;
};

enum ps_view_key {
	PS_BY_ALLOCATIONS,
	PS_BY_BYTES,
	PS_BY_PEAK,
	PS_BY_LIVE,
	PS_BY_TEMPORARY,
};

/* What the kernel told of calls; NAN: not read of any. */
struct ps_view_usage {
	double cpu_s;
	double live_bytes; /* growth, may be negative */
	double minor_faults;
	double major_faults;
	double waits;
	double preemptions;
	bool is_estimate; /* read of a sample of the calls only */
};

struct ps_view_slow_call {
	double at_s; /* since the start of the recording */
	double seconds;
	const char *parent; /* the section around it; NULL: none */
	uint32_t parent_index;
	uint32_t tid;
};

struct ps_view_section {
	uint32_t index; /* row in SECTIONS */
	const char *name;
	const char *file;
	uint32_t line;
	uint32_t threads;
	uint64_t calls;
	double total_s;
	double self_s; /* corrected for the marks inside */
	double mean_s;
	double stddev_s;
	double min_s;
	double p50_s;
	double p90_s;
	double p99_s;
	double max_s;
	uint64_t allocations;
	uint64_t bytes;
	bool is_self_doubtful; /* corrected by more than a fifth */
	double value[PS_SECTION_VALUES];
	struct ps_view_usage usage;
	uint32_t slow_count; /* slowest first */
	struct ps_view_slow_call slow[PS_SECTION_SLOWEST];
};

/* A path of sections over all threads. */
struct ps_view_node {
	const char *name;
	uint32_t section; /* row in SECTIONS */
	uint32_t parent;  /* below its own index; UINT32_MAX: none */
	uint32_t depth;	  /* 0: outermost */
	uint64_t calls;
	double total_s; /* its own and its children's */
	double self_s;	/* corrected, as that of sections */
	double raw_self_s;
	bool is_path_lost; /* what was around it is not known */
};

struct ps_view {
	const struct ps_reader *reader;
	enum ps_view_end end;
	int exit_code; /* -1: unknown */
	int exit_signal;
	double wall_s;
	double user_s; /* NAN: unknown */
	double system_s;
	double max_rss_bytes;
	uint64_t threads_started;

	uint64_t allocations;
	uint64_t frees;
	uint64_t requested_bytes;
	uint64_t live_blocks;
	uint64_t live_bytes;
	uint64_t peak_bytes;
	double peak_at_s;
	double pool_fraction;	     /* NAN: nothing was allocated */
	double short_lived_fraction; /* NAN: nothing was sampled */
	uint64_t class_allocations[PS_CLASS_SLOTS];
	uint64_t class_live[PS_CLASS_SLOTS];

	uint64_t samples;
	uint64_t samples_without_stack;
	uint64_t samples_truncated; /* their stack is deeper than is told */
	/* Estimates of blocks that lived so long; see struct ps_record_thread.
	 */
	struct ps_view_label by_thread[PS_LABEL_THREADS]; /* [0]: the others */
	struct ps_view_label *by_section; /* by row; NULL without sections */
	double lifetime_frees[PS_LIFETIMES];
	double lifetime_bytes[PS_LIFETIMES];
	bool is_exact; /* every allocation was seen */
	uint32_t site_count;
	struct ps_view_site *sites;
	/* Of each row of PS_TABLE_SITES: its verdict, PS_ROW_*. */
	uint8_t *row_verdicts;
	double site_bytes; /* estimates over all sites */
	double site_bytes_error;
	double site_allocations;
	double left_out_bytes; /* of rows that the judge drops */
	uint32_t left_out_rows;
	/* Live at the end, and not shown because the judge says so. */
	uint32_t forgiven_sites;
	double forgiven_bytes;
	double forgiven_allocations;

	uint32_t section_count;
	struct ps_view_section *sections; /* most total time first */
	uint64_t section_calls;
	uint32_t node_count;
	struct ps_view_node
	    *nodes; /* children behind parents, greatest first */

	double overhead_s;
	double overhead_fraction; /* of the wall time */
	uint64_t table_drops;
};

/* 0, or -ENOMEM; memory is the scratch's. */
int ps_view_build(const struct ps_reader *reader,
		  const struct ps_report_options *options,
		  struct ps_scratch *scratch, struct ps_view *out);

/* The widest mean distance of samples that was in force, in bytes. */
double ps_view_interval_widest(const struct ps_view *view);

/* Whose malloc the program called instead of the shim's; NULL: it called that.
 */
const char *ps_view_own_malloc(const struct ps_view *view);

/* The `most` greatest sites by key, greatest first; returns how many have
 * more than nothing. */
uint32_t ps_view_top(const struct ps_view *view, enum ps_view_key key,
		     uint32_t most, const struct ps_view_site **out);
double ps_view_value(const struct ps_view_site *site, enum ps_view_key key);
/* Half a 95 % interval of that value; and its standard deviation, squares of
 * which add up. */
double ps_view_error(const struct ps_view_site *site, enum ps_view_key key);
double ps_view_deviation(const struct ps_view_site *site, enum ps_view_key key);

/* The same figures of one row of PS_TABLE_SITES alone. */
void ps_view_row(const struct ps_view *view, uint32_t row,
		 struct ps_view_site *out);
/* Labels of a row, for those who keep them apart; NULL: not recorded. */
const char *ps_row_thread(const struct ps_reader *reader, uint32_t row);
const char *ps_row_section(const struct ps_reader *reader, uint32_t row);

#endif /* PS_REPORT_VIEW_H */
