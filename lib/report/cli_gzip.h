/* SPDX-License-Identifier: MIT */
/*
 * cli_gzip - a profile, packed as its readers expect it
 */
#ifndef PS_REPORT_CLI_GZIP_H
#define PS_REPORT_CLI_GZIP_H

#include "base/text.h"

/* All that file `fd` holds, from its start, as gzip; 0 or -errno. */
int ps_gzip(int fd, struct ps_text *out);

#endif /* PS_REPORT_CLI_GZIP_H */
