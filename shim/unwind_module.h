/* SPDX-License-Identifier: MIT */
/*
 * unwind_module - which module is mapped at an address; any thread
 */
#ifndef PS_UNWIND_MODULE_H
#define PS_UNWIND_MODULE_H

#include "base/base.h"

/* From the constructor; false: this C library cannot tell. */
bool ps_unwind_module_init(void);

/* The module that holds pc, from the loader, without its lock; from its first
 * segment to its last, whatever lies between. */
struct ps_unwind_module {
	uintptr_t start;
	uintptr_t end;
	uintptr_t bias;
	const char *path; /* "" for the main program */
	const void *eh_frame_hdr;
};
bool ps_unwind_find_module(uintptr_t pc, struct ps_unwind_module *out);

/*
 * What of a module can be read around an address: the segment that holds it.
 * All of a module that does not begin with its ELF header counts as one.
 */
struct ps_segment {
	uintptr_t start;
	uintptr_t end;
};
bool ps_unwind_find_segment(const struct ps_unwind_module *module,
			    uintptr_t address, struct ps_segment *out);

#endif /* PS_UNWIND_MODULE_H */
