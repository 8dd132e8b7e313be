/* SPDX-License-Identifier: MIT */
/*
 * cli_alerts - perfreport --alerts: alerts as lines, as they come
 */
#ifndef PS_REPORT_CLI_ALERTS_H
#define PS_REPORT_CLI_ALERTS_H

#include "report/cli_arguments.h"

/*
 * As JSON or in words: the alerts of the recordings there, then, when it is to
 * follow, each new one within half a second, until SIGTERM, SIGINT or a reader
 * that is gone; a last look is taken at the end.  A status for exit.
 */
int ps_cli_alerts(const struct ps_arguments *a, const char *path);

#endif /* PS_REPORT_CLI_ALERTS_H */
