/* SPDX-License-Identifier: MIT */
/*
 * cli_demangle - names as they were written, of C++ and Rust
 */
#ifndef PS_REPORT_CLI_DEMANGLE_H
#define PS_REPORT_CLI_DEMANGLE_H

#include "base/scratch.h"

/* The name, or `linkage` itself when it is not a mangled one. */
const char *ps_demangle(struct ps_scratch *scratch, const char *linkage);

#endif /* PS_REPORT_CLI_DEMANGLE_H */
