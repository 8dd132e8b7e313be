/* SPDX-License-Identifier: MIT */
/*
 * cli_page_shell - the page without its data, as it was built
 */
#ifndef PS_REPORT_CLI_PAGE_SHELL_H
#define PS_REPORT_CLI_PAGE_SHELL_H

#include <stddef.h>

/* What stands where the data goes. */
#define PS_PAGE_MARK "@perfshim-data@"

/* *bytes of it; 0 when it was built without (HTML=off, or no npm). */
const char *ps_page_shell(size_t *bytes);

#endif /* PS_REPORT_CLI_PAGE_SHELL_H */
