/* SPDX-License-Identifier: MIT */
/*
 * cli_metrics - perfreport --metrics: recordings as Prometheus metrics
 */
#ifndef PS_REPORT_CLI_METRICS_H
#define PS_REPORT_CLI_METRICS_H

#include "base/text.h"
#include "report/cli_live.h"

/* Of all recordings there now, each process once; 0 or -errno. */
int ps_metrics_write(struct ps_live *l, struct ps_text *out);

/*
 * Write them of `path` to `file`, which appears whole by a rename ("-":
 * standard output).  A status for exit.
 */
int ps_cli_metrics(const char *file, const char *path);

#endif /* PS_REPORT_CLI_METRICS_H */
