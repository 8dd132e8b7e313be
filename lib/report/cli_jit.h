/* SPDX-License-Identifier: MIT */
/*
 * cli_jit - the map that a just-in-time compiler left of its code
 */
#ifndef PS_REPORT_CLI_JIT_H
#define PS_REPORT_CLI_JIT_H

#include "record/reader.h"
#include "report/jit_map.h"

/*
 * /tmp/perf-PID.map of the recorded process, if it is a file of this user's
 * that was last written while the process ran; else NULL.  Its memory is the
 * scratch's.
 */
struct ps_jit_map *ps_jit_open(struct ps_scratch *scratch,
			       const struct ps_reader *reader);

#endif /* PS_REPORT_CLI_JIT_H */
