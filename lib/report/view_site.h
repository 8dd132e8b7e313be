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

/* Below zero only in a recording that is damaged, or read while it is written.
 */
static inline double
ps_view_bytes(const _Atomic uint64_t *counter)
{
	uint64_t sum = ps_peek(counter);

	return (int64_t)sum < 0 ? 0.0 : (double)sum;
}

_Static_assert((PS_WEIGHT_ONE & (PS_WEIGHT_ONE - 1)) == 0,
	       "a weight is exact as a double");

static inline double
ps_view_weight(const _Atomic uint64_t *counter)
{
	return ps_view_bytes(counter) / PS_WEIGHT_ONE;
}

#endif /* PS_REPORT_VIEW_SITE_H */
