/* SPDX-License-Identifier: MIT */
/*
 * cli_output - where perfreport writes to
 */
#ifndef PS_REPORT_CLI_OUTPUT_H
#define PS_REPORT_CLI_OUTPUT_H

#include "base/text.h"
#include "report/cli_arguments.h"

/* A writer to -o FILE or standard output; ends the program when it cannot. */
void ps_output_open(const struct ps_arguments *a, struct ps_text *out);
/* "perfreport: PATH: WHY" on standard error; a path may be hostile. */
void ps_complain_of(const char *path, const char *why);
/* "perfreport: OPTION VALUE: WHY", and so may a value; "" is none. */
void ps_complain_of_option(const char *option, const char *value,
			   const char *why);
/* The rest of it; 0, or -errno after a line on standard error. */
int ps_output_close(const struct ps_arguments *a, struct ps_text *out);

#endif /* PS_REPORT_CLI_OUTPUT_H */
