/* SPDX-License-Identifier: MIT */
/*
 * cli_module - what elfutils knows of one file that was mapped
 *
 * Addresses are those of the ELF file.  One thread.
 */
#ifndef PS_REPORT_CLI_MODULE_H
#define PS_REPORT_CLI_MODULE_H

#include <elfutils/libdwfl.h>

#include "base/scratch.h"
#include "record/layout.h"

struct ps_module;

/*
 * The file at `path`, or its separate debug file, if it has the recorded
 * build-id.  NULL: neither is there, and *why says in words what is wrong.
 */
struct ps_module *ps_module_open(struct ps_scratch *scratch,
				 const struct ps_record_module *row,
				 const char *path, const char **why);
void ps_module_close(struct ps_module *m);

/* Linkage name of the function at an address; NULL: none. */
const char *ps_module_function(struct ps_module *m, Dwarf_Addr address);

/*
 * The compilation unit at an address; *bias is to be taken off an address for
 * DWARF.  NULL: no debug information.
 */
Dwarf_Die *ps_module_unit(struct ps_module *m, Dwarf_Addr address,
			  Dwarf_Addr *bias);

#endif /* PS_REPORT_CLI_MODULE_H */
