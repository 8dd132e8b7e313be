/* SPDX-License-Identifier: MIT */
/*
 * blame - what the recording knows of a block that is misused
 *
 * For the one line before a program that broke its heap ends.  No allocation
 * and no lock: names come from files that are mapped for the purpose.
 */
#ifndef PS_SHIM_BLAME_H
#define PS_SHIM_BLAME_H

#include "base/text.h"

/* Lines about blocks of the pool get their stacks, from now on. */
void ps_blame_init(void);

/* ", WORD by f (module+0x12) < g (...)"; nothing when the site has no stack. */
void ps_blame_stack(struct ps_text *t, const char *word, uint32_t site);

/*
 * free or realloc of a pointer that no allocator of ours made: ends the program
 * when libc's cannot have made it either.
 */
void ps_blame_foreign(const char *call, const void *ptr);

#endif /* PS_SHIM_BLAME_H */
