/* SPDX-License-Identifier: MIT */
/*
 * unwind_oracle - what libunwind makes of the unwind tables, as a rule of ours
 *
 * The reference of the tests and the rival of the bench: the shim decoded so
 * before it had a decoder.  One thread at a time.
 */
#ifndef PS_TEST_UNWIND_ORACLE_H
#define PS_TEST_UNWIND_ORACLE_H

#include "shim/unwind_decode.h"
#include "shim/unwind_module.h"

/* As ps_unwind_decode_in. */
void unwind_oracle(const struct ps_unwind_module *module, uintptr_t pc,
		   struct ps_rule *out);

/* How many functions a module's tables tell of, and where the i-th starts. */
uint32_t unwind_oracle_functions(const struct ps_unwind_module *module);
uintptr_t unwind_oracle_start(const struct ps_unwind_module *module,
			      uint32_t i);

#endif /* PS_TEST_UNWIND_ORACLE_H */
