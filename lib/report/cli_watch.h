/* SPDX-License-Identifier: MIT */
/*
 * cli_watch - perfreport --watch: running processes on the terminal
 */
#ifndef PS_REPORT_CLI_WATCH_H
#define PS_REPORT_CLI_WATCH_H

/* Until `q`.  A status for exit. */
int ps_cli_watch(const char *path);

#endif /* PS_REPORT_CLI_WATCH_H */
