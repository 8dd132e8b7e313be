/* SPDX-License-Identifier: MIT */
/*
 * options - the one table of PERFSHIM_ variables
 *
 * The table below generates the parser, the help text, README's table and the
 * man page (scripts/options-doc.sh runs `perfreport --help-options`).  A bad
 * value is one line naming variable, value and what is allowed; the default
 * is used.  Values are copied: a program may overwrite its environment.
 */
#ifndef PS_OPTIONS_H
#define PS_OPTIONS_H

#include "base/base.h"

enum { PS_PATH_MAX = 1024, PS_GLOBS_MAX = 256, PS_ALERT_TEXT_MAX = 1024 };

enum ps_choice_report { PS_REPORT_NONE, PS_REPORT_STDERR, PS_REPORT_PATH };
enum ps_choice_format { PS_FORMAT_TEXT, PS_FORMAT_JSON };
enum ps_choice_calibrate {
	PS_CALIBRATE_OFF,
	PS_CALIBRATE_QUICK,
	PS_CALIBRATE_FULL
};
enum ps_choice_children {
	PS_CHILDREN_OFF,
	PS_CHILDREN_ON,
	PS_CHILDREN_ALL /* the smallest, too, get a file each */
};
enum ps_choice_harden { PS_HARDEN_OFF, PS_HARDEN_FULL };
enum ps_choice_clock {
	PS_CLOCK_AUTO,
	PS_CLOCK_USE_TSC,
	PS_CLOCK_USE_MONOTONIC
};

struct ps_options {
	char out[PS_PATH_MAX];	       /* directory; "" = anonymous */
	uint32_t report;	       /* enum ps_choice_report */
	char report_path[PS_PATH_MAX]; /* with %p %e still in it */
	bool is_report_set;	       /* by the environment, not the default */
	uint32_t format;	       /* enum ps_choice_format */
	uint32_t sample_mode;  /* enum ps_sample_mode of record/layout.h */
	uint64_t sample_bytes; /* mean distance; for PS_SAMPLE_POISSON only */
	bool is_sample_paced;  /* wider where a thread has very many */
	uint32_t depth;	       /* frames a stack */
	bool are_sections_on;
	char section_globs[PS_GLOBS_MAX]; /* "" = all */
	uint32_t events;		  /* calls kept one by one; 0: none */
	uint32_t calibrate;		  /* enum ps_choice_calibrate */
	uint32_t children;		  /* enum ps_choice_children */
	uint32_t clock;			  /* enum ps_choice_clock */
	bool is_pool_on;
	uint32_t harden;	       /* enum ps_choice_harden */
	bool is_colour_off;	       /* NO_COLOR is set */
	char alert[PS_ALERT_TEXT_MAX]; /* rules, see monitor/rule.h */
	char alert_to[PS_PATH_MAX];    /* stderr, none, unix:PATH or a path */
	char metrics[PS_PATH_MAX];     /* with %p %e still in it; "" = none */
};

/* Defaults. */
void ps_options_init(struct ps_options *o);

/*
 * Take every PERFSHIM_ entry of envp.  `complain` gets one line for each bad
 * value or unknown PERFSHIM_ name, without a newline (it may be NULL).  Of two
 * entries with one name the first counts; an empty value means "not set".
 */
void ps_options_from_environment(struct ps_options *o, char *const *envp,
				 void (*complain)(const char *line));

/* One variable; 0, -ENOENT unknown name, -EINVAL bad value. */
int ps_options_set(struct ps_options *o, const char *name, const char *value);

/* Rows of the table, for help and documentation; NULL after the last. */
struct ps_option_row {
	const char *name;     /* PERFSHIM_OUT */
	const char *allowed;  /* "a directory" */
	const char *fallback; /* default, as text */
	const char *help;
};
const struct ps_option_row *ps_options_row(unsigned index);

/* name matches the glob that ends at `end`. */
bool ps_glob_match(const char *glob, const char *end, const char *name);
/* name matches one of the comma-separated globs (* and ?); "" matches all. */
bool ps_glob_list_match(const char *globs, const char *name);

#endif /* PS_OPTIONS_H */
