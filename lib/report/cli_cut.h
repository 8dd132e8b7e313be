/* SPDX-License-Identifier: MIT */
/*
 * cli_cut - files that are cut short while they are read
 */
#ifndef PS_REPORT_CLI_CUT_H
#define PS_REPORT_CLI_CUT_H

/* From now on, pages that a mapped file has lost read as zeros. */
void ps_cut_watch(void);

/* The status for exit: as given, or, with a line on standard error, that of
 * something broken when a file was cut short. */
int ps_cut_status(int status);

#endif /* PS_REPORT_CLI_CUT_H */
