/* SPDX-License-Identifier: MIT */
/*
 * perfbench_options - what the user asked for, and how to say that it is wrong
 */
#ifndef PS_PERFBENCH_OPTIONS_H
#define PS_PERFBENCH_OPTIONS_H

#include "base/base.h"

enum {
	PB_OK = 0,
	PB_FAILED = 1, /* a command failed, or a file could not be written */
	PB_USAGE = 2,
	PB_REGRESSION = 3,
	PB_INCONCLUSIVE = 4,

	PB_SUBJECTS_MOST = 8,
	PB_METRICS_MOST = 16,
	PB_RUNS_MOST = 100000,
	PB_NAME = 512, /* a section's 119 bytes, each as \xNN, and words */
};

/* What the user asked for; defaults in perfbench_options.c. */
struct pb_options {
	size_t runs;
	size_t warm_up;
	size_t most_runs;
	const char *prepare;
	const char *input;
	const char *save;
	const char *html;
	const char *library;
	const char *sample;

	const char *vs[PB_SUBJECTS_MOST];
	size_t vs_count;
	const char *baseline;
	double fail_above; /* NAN: not judged */
	const char *metrics[PB_METRICS_MOST];
	size_t metric_count;

	size_t load; /* workers; 0: no load test */
	double duration_s;
	double ramp_up_s;
	double rate;
	const char *scenario;
	const char *hgrm;
	double max_p99_s;  /* NAN: no limit */
	double max_errors; /* share; NAN: no limit */

	char **command; /* NULL-terminated; may be empty */

	bool are_runs_set;
	bool is_most_set;
	bool is_shown;
	bool is_failure_ignored;
	bool is_shimmed;
	bool is_quiet;
	bool are_children_off;
	bool are_allocators_wanted;
};

/* Parses, or says what is wrong and exits with PB_USAGE. */
void pb_options_parse(struct pb_options *o, int argc, char **argv);

/* ---- perfbench_say.c ---- */

/* One line to stderr, "perfwrap.sh: ...". */
void pb_say(const char *format, ...) PS_PRINTF(1, 2);
_Noreturn void pb_usage_error(const char *format, ...) PS_PRINTF(1, 2);
/* These two end the program when there is no memory. */
void *pb_alloc(size_t bytes); /* zeroed */
char *pb_format(const char *format, ...) PS_PRINTF(1, 2);

#endif /* PS_PERFBENCH_OPTIONS_H */
