/* SPDX-License-Identifier: MIT */
/*
 * cli_suppressions - reads the file of --leak-suppressions
 */
#ifndef PS_REPORT_CLI_SUPPRESSIONS_H
#define PS_REPORT_CLI_SUPPRESSIONS_H

#include "base/scratch.h"
#include "report/filter.h"

/*
 * The patterns are in the scratch, which it sets up.  Does not return when the
 * file cannot be read (status 1) or has a line that is none (2).
 */
void ps_cli_suppressions(const char *path, struct ps_suppressions *out,
			 struct ps_scratch *scratch);

#endif /* PS_REPORT_CLI_SUPPRESSIONS_H */
