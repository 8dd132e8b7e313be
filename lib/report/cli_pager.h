/* SPDX-License-Identifier: MIT */
/*
 * cli_pager - a report that is longer than the terminal, page by page
 */
#ifndef PS_REPORT_CLI_PAGER_H
#define PS_REPORT_CLI_PAGER_H

#include "base/base.h"

/* Whether standard output is a terminal, and there is a pager to be asked
 * (PAGER is not set to nothing). */
bool ps_pager_is_wanted(void);

/* A descriptor to write the report to, or -errno. */
int ps_pager_open(void);

/*
 * What was written: through the pager when it has more lines than the terminal,
 * else, or when the pager cannot be started, to standard output.  0 or -errno.
 */
int ps_pager_close(int fd);

#endif /* PS_REPORT_CLI_PAGER_H */
