/* SPDX-License-Identifier: MIT */
/*
 * cli_executables - the table of all executables, of one tree or of two
 *
 * Small processes, which left a line and no recording, are part of its figures.
 */
#ifndef PS_REPORT_CLI_EXECUTABLES_H
#define PS_REPORT_CLI_EXECUTABLES_H

#include "report/cli_groups.h"

/* A row of each executable. */
void ps_executables_put(const struct ps_groups *groups, struct ps_text *t);

/* The same, of both sides beside each other; nothing when there is only one. */
void ps_executables_put_both(const struct ps_groups *old,
			     const struct ps_groups *new, struct ps_text *t);

#endif /* PS_REPORT_CLI_EXECUTABLES_H */
