/* SPDX-License-Identifier: MIT */
/*
 * cli_scope - the function that an address is in, and what was inlined there
 */
#ifndef PS_REPORT_CLI_SCOPE_H
#define PS_REPORT_CLI_SCOPE_H

#include <elfutils/libdw.h>

#include "base/scratch.h"

/* Deeper nesting is told without its innermost part. */
enum { PS_SCOPES_MAX = 256 };

struct ps_scopes;

/* NULL: no memory. */
struct ps_scopes *ps_scopes_new(struct ps_scratch *scratch);

/*
 * The entries around an address of a unit, innermost first: blocks, inlined
 * functions, and last the function itself.  Returns their number, 0 when the
 * unit has no function there.
 */
int ps_scopes_at(struct ps_scopes *s, Dwarf_Die *unit, Dwarf_Addr address,
		 Dwarf_Die out[PS_SCOPES_MAX]);

#endif /* PS_REPORT_CLI_SCOPE_H */
