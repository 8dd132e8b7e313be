/* SPDX-License-Identifier: MIT */
/*
 * unwind_cache - what the decoder said about an address, remembered
 *
 * Inside the unwinder only.  A look-up takes no lock and makes no system call;
 * see unwind_cache.c.
 */
#ifndef PS_UNWIND_CACHE_H
#define PS_UNWIND_CACHE_H

#include "shim/unwind_decode.h"

/* Once; 0 or -ENOMEM. */
int ps_unwind_cache_init(void);
bool ps_unwind_cache_is_on(void);

/*
 * The rule of an address, from the cache or the decoder.  false: the decoder
 * was needed, and there is too little stack for it above `stack_low`.
 */
bool ps_unwind_rule(uintptr_t pc, bool is_exact, uintptr_t stack_low,
		    struct ps_rule *out);

#endif /* PS_UNWIND_CACHE_H */
