/* SPDX-License-Identifier: MIT */
/*
 * cli_machine - perfreport --machine: the calibration of this machine, alone
 */
#ifndef PS_REPORT_CLI_MACHINE_H
#define PS_REPORT_CLI_MACHINE_H

/*
 * Prints to standard output; from the cache when it holds a full calibration
 * of this boot, else measured now (0.4 s) and kept if it can be.  Returns the
 * process's status, 0 or 1.
 */
int ps_cli_machine(void);

#endif /* PS_REPORT_CLI_MACHINE_H */
