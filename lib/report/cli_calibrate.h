/* SPDX-License-Identifier: MIT */
/*
 * cli_calibrate - perfreport --calibrate: measure this machine for this boot
 */
#ifndef PS_REPORT_CLI_CALIBRATE_H
#define PS_REPORT_CLI_CALIBRATE_H

/* kind: quick (also NULL) or full.  A status for exit. */
int ps_cli_calibrate(const char *kind);

#endif /* PS_REPORT_CLI_CALIBRATE_H */
