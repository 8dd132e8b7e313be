/* SPDX-License-Identifier: MIT */
/*
 * cli_page_file - the page as a file: the shell with the data in it
 */
#ifndef PS_REPORT_CLI_PAGE_FILE_H
#define PS_REPORT_CLI_PAGE_FILE_H

#include "base/text.h"

struct ps_page_file {
	struct ps_text data; /* takes one JSON document */
	int fd;
};

/* 0 or -errno; to be closed in any case. */
int ps_page_file_open(struct ps_page_file *f);
/* Write the page, unless there was an error already; returns the first one. */
int ps_page_file_close(struct ps_page_file *f, int error, struct ps_text *out);

#endif /* PS_REPORT_CLI_PAGE_FILE_H */
