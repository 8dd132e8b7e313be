/* SPDX-License-Identifier: MIT */
/*
 * parent - whether the process that started this one is under the shim, too
 *
 * Asked of /proc each time, since a parent may end at any moment; what cannot
 * be read counts as no.  Some 0.1 ms a question; any thread.
 */
#ifndef PS_SHIM_PARENT_H
#define PS_SHIM_PARENT_H

#include "base/base.h"

/* Our library is among its mappings. */
bool ps_parent_is_under_shim(void);

/*
 * And it was started with our PERFSHIM_OUT, so that it is of the same tree of
 * processes: a program that runs perfwrap.sh has one of its own, and the
 * command in there is the first of another tree.
 */
bool ps_parent_records_here(void);

#endif /* PS_SHIM_PARENT_H */
