/* SPDX-License-Identifier: MIT */
/*
 * view_site - allocation sites by stack; a part of view
 */
#ifndef PS_REPORT_VIEW_SITE_H
#define PS_REPORT_VIEW_SITE_H

#include "report/view.h"

/* Fill in all that view says of sites; 0 or -ENOMEM. */
int ps_view_sites(struct ps_view *v, const struct ps_report_options *options,
		  struct ps_scratch *scratch);

#endif /* PS_REPORT_VIEW_SITE_H */
