/* SPDX-License-Identifier: MIT */
/*
 * cli_page_detail - what the page shows of a recording beyond its JSON report
 */
#ifndef PS_REPORT_CLI_PAGE_DETAIL_H
#define PS_REPORT_CLI_PAGE_DETAIL_H

#include "report/cli_source.h"

/*
 * One object: verdict, sites and sections (beside those of the report, in the
 * same order), lifetimes, events, losses, flame (flame.h).  0 or -ENOMEM.
 */
int ps_page_detail(struct ps_source *source, struct ps_text *out);

#endif /* PS_REPORT_CLI_PAGE_DETAIL_H */
