/* SPDX-License-Identifier: MIT */
/*
 * unwind_table - what .eh_frame holds about the function at an address
 *
 * Inside the unwinder only.
 */
#ifndef PS_UNWIND_TABLE_H
#define PS_UNWIND_TABLE_H

#include "shim/unwind_bytes.h"
#include "shim/unwind_module.h"

/* A frame description entry, with what its common entry (CIE) says. */
struct ps_fde {
	uintptr_t start; /* of the code, which ends before `end` */
	uintptr_t end;
	struct ps_bytes common_code; /* instructions: first these, */
	struct ps_bytes code;	     /* then these */
	uint64_t code_align;
	int64_t data_align;
	uint64_t return_column;
	uint8_t encoding; /* of pointers to code */
	bool is_signal;	  /* the caller was interrupted, it did not call */
};

/* false: no table, none that is understood, or nothing about this address. */
bool ps_unwind_find_fde(const struct ps_unwind_module *module, uintptr_t pc,
			struct ps_fde *out);

#endif /* PS_UNWIND_TABLE_H */
