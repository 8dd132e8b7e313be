/* SPDX-License-Identifier: MIT */
/*
 * paths - stacks as sequences of named places, equal ones with one number
 *
 * Two stacks of one recording, or of two, are the same path when their places
 * have the same names; how a place is named is the caller's choice (function
 * alone, or with its file and line).
 */
#ifndef PS_REPORT_PATHS_H
#define PS_REPORT_PATHS_H

#include "report/intern.h"
#include "report/symbols.h"

struct ps_paths;

/* Writes the name of a place; two places with one name are one place. */
typedef void ps_paths_namer(struct ps_text *t, const struct ps_symbol *s);

/* NULL: no memory.  Each path has value_bytes of the caller's, zeroed. */
struct ps_paths *ps_paths_new(struct ps_scratch *scratch, ps_paths_namer *namer,
			      size_t value_bytes);

/*
 * Paths are from this recording from now on.  `root`, when it is not NULL, is
 * the last place of each (the process).  0 or -ENOMEM.
 */
int ps_paths_use(struct ps_paths *paths, const struct ps_reader *reader,
		 struct ps_symbols *symbols, const char *root);

/* The path of a site's stack; 0 or -ENOMEM. */
int ps_paths_add(struct ps_paths *paths, const struct ps_record_site *site,
		 uint32_t *path);

uint32_t ps_paths_count(const struct ps_paths *paths);
/* Places, leaf first; at least one. */
const uint32_t *ps_paths_places(const struct ps_paths *paths, uint32_t path,
				uint32_t *count);
void *ps_paths_value(const struct ps_paths *paths, uint32_t path);

uint32_t ps_paths_place_count(const struct ps_paths *paths);
/* One of the symbols that are this place; of the root, with no module. */
const struct ps_symbol *ps_paths_symbol(const struct ps_paths *paths,
					uint32_t place);

#endif /* PS_REPORT_PATHS_H */
