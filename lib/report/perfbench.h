/* SPDX-License-Identifier: MIT */
/*
 * perfbench - the program behind perfwrap.sh's benchmark, comparison and load
 * test modes; inside lib/report/perfbench*.c only
 *
 * A subject is a command that is run again and again.  What one run gives is a
 * value for each of its series: time, memory, and one series a section.
 */
#ifndef PS_PERFBENCH_H
#define PS_PERFBENCH_H

#include "base/scratch.h"
#include "base/text.h"
#include "bench/compare.h"
#include "bench/gate.h"
#include "bench/process.h"
#include "bench/summary.h"
#include "measure/calibration.h"
#include "measure/watch.h"
#include "report/perfbench_options.h"

enum pb_unit { PB_SECONDS, PB_BYTES, PB_COUNT };

struct pb_series {
	char name[PB_NAME]; /* "time", "peak-heap", "section:parse" */
	enum pb_unit unit;
	double *values; /* one a run; NAN: not known */
	size_t room;
};

struct pb_subject {
	char label[4];	  /* "A"; "" when there is only one */
	const char *text; /* as the user wrote it */
	char **argv;
	char *path;
	char **envp;
	bool is_recorded; /* under perfshim */
	size_t runs;
	struct pb_series *series;
	size_t series_count;
	int *exit_codes;
	bool was_signal_seen; /* a run was ended by one */
};

/* Values that grow in number; the first `count` are there. */
struct pb_list {
	double *values;
	size_t count;
	size_t room;
};

/* The machine, before, during and after. */
struct pb_machine {
	struct ps_calibration calibration;
	char cpu[64];
	bool is_calibrated;
	struct ps_watch start;
	struct ps_calibration end; /* steal and pressure of the runs */
	/* Once a round, and before the first: */
	struct pb_list adds;	       /* time of vector add, calibration = 1 */
	struct pb_list cores;	       /* time of one cycle, calibration = 1 */
	struct pb_list references;     /* seconds of the reference workload */
	struct pb_list reference_cpus; /* CPU seconds of it */
};

/* Everything of one invocation. */
struct pb_session {
	const struct pb_options *options;
	struct pb_subject subjects[PB_SUBJECTS_MOST];
	size_t subject_count;
	struct pb_machine machine;
	char work[64]; /* directory for recordings; "" when none is needed */
	bool is_shell_used;
	size_t rounds;
	uint64_t start_ns; /* of the measured rounds */
};

/* ---- perfbench_subject.c ---- */

/* Subjects from the options: the command, --vs, --allocators. */
void pb_subjects_make(struct pb_session *s);
/* The series of that name, or NULL. */
struct pb_series *pb_series_find(const struct pb_subject *s, const char *name);
/* Set this run's value; a series that is new was 0 in the runs before. */
void pb_series_put(struct pb_subject *s, size_t run, const char *name,
		   enum pb_unit unit, double value);

/* ---- perfbench_recording.c ---- */

/* Directory for recordings, and everything of it gone. */
void pb_recordings_open(struct pb_session *s);
void pb_recordings_clear(const struct pb_session *s);
void pb_recordings_close(struct pb_session *s);
/* Heap and sections of this run's processes, into the subject's series. */
void pb_recordings_read(struct pb_session *s, struct pb_subject *subject,
			size_t run);

/* ---- perfbench_run.c ---- */

/* Signal that asked to stop; 0 while there is none. */
extern _Atomic int pb_stop_signal;
extern _Atomic bool pb_must_stop;
void pb_signals_catch(void);
/* Warm-up, then rounds until there are `runs` of each; what pb_progress has
 * drawn is gone afterwards.  PB_OK, or PB_FAILED when a command failed. */
int pb_warm_up(struct pb_session *s);
/*
 * Make the first few rounds and say how many fit in so many seconds, `least`
 * or more.  A machine has slow seconds: ten runs of a fast command see one
 * state of it.
 */
int pb_runs_for(struct pb_session *s, double seconds, size_t least,
		size_t *runs);
int pb_run_until(struct pb_session *s, size_t runs, size_t expected);

/* ---- perfbench_machine.c ---- */

void pb_machine_open(struct pb_machine *m);
/* Once a round. */
void pb_machine_watch(struct pb_machine *m);
/* After the last. */
void pb_machine_close(struct pb_machine *m);
int pb_reference_workload(void);
/* ps_compare_drift over the rounds; NAN when it is not known. */
double pb_machine_drift(const struct pb_list *list);
void pb_machine_text(const struct pb_machine *m, struct ps_text *t);

/* ---- perfbench_text.c ---- */

void pb_put_value(struct ps_text *t, enum pb_unit unit, double value,
		  int width);
void pb_text_subject(const struct pb_session *s,
		     const struct pb_subject *subject, struct ps_text *t);

/* ---- perfbench_compare.c ---- */

/* What B, C, ... are against A. */
void pb_text_comparisons(const struct pb_session *s, struct ps_text *t);
/* "B is 1.08x slower than A", ... for a metric's unit and name. */
void pb_put_verdict(struct ps_text *t, const char *what, const char *of,
		    const char *than, enum pb_unit unit, double ratio,
		    enum ps_difference difference);

/* ---- perfbench_gate.c ---- */

/* Run, look, and run more until decided: the exit code. */
int pb_gate(struct pb_session *s, struct ps_text *t);
/* The metrics that the options name must exist; ends the program else. */
void pb_metrics_check(const struct pb_session *s);

/* ---- perfbench_file.c ---- */

struct pb_baseline {
	struct pb_subject subject;
	struct pb_machine machine;
};

/* 0, or PB_FAILED after saying why. */
int pb_save(const struct pb_session *s, const char *path);
/* Reads, or says what is wrong and exits with PB_USAGE. */
void pb_baseline_read(const struct pb_session *s, const char *path,
		      struct pb_baseline *out);

struct ps_load_result;
/* ---- perfbench_load_file.c ---- */
int pb_save_load(const struct pb_session *s, const struct ps_load_result *r,
		 const char *path);

/* ---- perfbench_load.c ---- */

int pb_load(struct pb_session *s, struct ps_text *t);

/* ---- perfbench_page.c ---- */

/* --html: sees that there is a page, and that the results are saved somewhere;
 * or ends the program with PB_FAILED. */
void pb_page_begin(struct pb_options *o);
/* Writes it, when there are results; the status to end with. */
int pb_page_end(const struct pb_options *o, int status);
void pb_page_clean(void);

#endif /* PS_PERFBENCH_H */
