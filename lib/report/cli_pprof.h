/* SPDX-License-Identifier: MIT */
/*
 * cli_pprof - a gzip'ed profile of one or more recordings
 */
#ifndef PS_REPORT_CLI_PPROF_H
#define PS_REPORT_CLI_PPROF_H

#include "report/cli_source.h"
#include "report/pprof.h"

struct ps_pprof_file {
	struct ps_pprof *profile; /* for ps_pprof_add, or NULL */
	struct ps_scratch scratch;
	struct ps_text plain;
	int fd;
};

/*
 * 0 or -errno; to be closed in any case.  Not of sites: there is no profile,
 * and another one is written to `plain`.
 */
int ps_pprof_open(struct ps_pprof_file *f, bool is_of_sites);
/* Write it, unless there was an error already; returns the first one. */
int ps_pprof_close(struct ps_pprof_file *f, int error, struct ps_text *out);

/* 0 or -errno. */
int ps_print_pprof(struct ps_source *s, struct ps_text *out);

#endif /* PS_REPORT_CLI_PPROF_H */
