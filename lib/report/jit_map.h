/* SPDX-License-Identifier: MIT */
/*
 * jit_map - names of code that a program made at run time, from a map for perf
 */
#ifndef PS_REPORT_JIT_MAP_H
#define PS_REPORT_JIT_MAP_H

#include "base/scratch.h"

struct ps_jit_map;

/*
 * The map that this text is, any text.  Its memory is the scratch's, and the
 * text must stay.  NULL: nothing in it, or no memory.
 */
struct ps_jit_map *ps_jit_map_parse(struct ps_scratch *scratch,
				    const char *text, size_t bytes);

/* Name of the code at an address; NULL: none.  map may be NULL. */
const char *ps_jit_map_name(const struct ps_jit_map *map, uint64_t address);

#endif /* PS_REPORT_JIT_MAP_H */
