/* SPDX-License-Identifier: MIT */
/*
 * symbol_elf - function names out of ELF symbol tables, without a library
 */
#ifndef PS_REPORT_SYMBOL_ELF_H
#define PS_REPORT_SYMBOL_ELF_H

#include "base/scratch.h"
#include "record/reader.h"
#include "report/symbols.h"

/* __cxa_demangle's type; its result is released with `release`. */
typedef char *ps_demangler(const char *mangled, char *buffer, size_t *bytes,
			   int *status);

/*
 * A resolver over the modules of a recording; its memory is the scratch's.
 * Files are mapped while it is made use of and stay mapped.  When the reader is
 * attached anew to a recording that grew, later frames are named too, those of
 * later modules are not.  demangle may be
 * NULL.  NULL: no memory.
 */
struct ps_symbols *ps_symbols_elf(struct ps_scratch *scratch,
				  const struct ps_reader *reader,
				  ps_demangler *demangle,
				  void (*release)(void *));

/* Base name of a path: what follows the last slash. */
const char *ps_base_name(const char *path);

#endif /* PS_REPORT_SYMBOL_ELF_H */
