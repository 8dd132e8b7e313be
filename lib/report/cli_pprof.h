/* SPDX-License-Identifier: MIT */
/*
 * cli_pprof - a gzip'ed profile of one or more recordings
 */
#ifndef PS_REPORT_CLI_PPROF_H
#define PS_REPORT_CLI_PPROF_H

#include "report/cli_source.h"
#include "report/pprof.h"
#include "report/section_pprof.h"

struct ps_pprof_file {
	struct ps_pprof *profile; /* of sites, or NULL: of sections */
	struct ps_section_pprof sections;
	struct ps_scratch scratch;
	struct ps_text plain;
	int fd;
};

/* 0 or -errno; to be closed in any case. */
int ps_pprof_open(struct ps_pprof_file *f, bool is_of_sections);
/* 0 or -ENOMEM; sign is 1, or -1 for one to be subtracted. */
int ps_pprof_put(struct ps_pprof_file *f, const struct ps_source *s, int sign);
/* Write it, unless there was an error already; returns the first one. */
int ps_pprof_close(struct ps_pprof_file *f, int error, struct ps_text *out);

/* 0 or -errno. */
int ps_print_pprof(const struct ps_source *s, bool is_of_sections,
		   struct ps_text *out);

#endif /* PS_REPORT_CLI_PPROF_H */
