/* SPDX-License-Identifier: MIT */
/*
 * intern - gives equal byte strings equal numbers
 *
 * Numbers count from 0 in the order of first sight; each may have a value of
 * the caller's, zeroed at first.  Memory is a scratch's, so nothing is freed
 * singly; no malloc.  One thread per set.
 */
#ifndef PS_REPORT_INTERN_H
#define PS_REPORT_INTERN_H

#include "base/scratch.h"

struct ps_intern_key {
	const void *bytes;
	uint64_t hash;
	uint32_t length;
};

struct ps_intern {
	struct ps_scratch *scratch;
	uint32_t *slots;	    /* number + 1; 0: free */
	struct ps_intern_key *keys; /* by number */
	char *values;		    /* by number */
	size_t value_bytes;
	uint32_t slot_count; /* a power of two, or 0 */
	uint32_t count;
	bool has_copies; /* keys are copied; else they must live as long */
};

void ps_intern_init(struct ps_intern *set, struct ps_scratch *scratch,
		    bool has_copies, size_t value_bytes);

/*
 * The number of a key of at most 2^31 bytes.  1 when it was not there before,
 * 0 when it was; -ENOMEM, and then *number is untouched.
 */
int ps_intern(struct ps_intern *set, const void *key, size_t length,
	      uint32_t *number);

/* The value of a number; moves when a key is added. */
static inline void *
ps_intern_value(const struct ps_intern *set, uint32_t number)
{
	PS_ASSERT(number < set->count && set->value_bytes > 0);
	return set->values + number * set->value_bytes;
}

#endif /* PS_REPORT_INTERN_H */
