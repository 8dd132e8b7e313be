/* SPDX-License-Identifier: MIT */
/*
 * inputs - everything but recordings that comes from somebody else: text that
 * a user wrote, files that another process left
 */
#ifndef PS_TEST_INPUTS_H
#define PS_TEST_INPUTS_H

#include <stddef.h>

struct ps_test_input {
	const char *name; /* of its directories in tests/fuzz */
	void (*take)(const void *bytes, size_t size);
};

/* The one of that name; NULL when there is none. */
const struct ps_test_input *ps_test_input(const char *name);
/* By number; NULL after the last. */
const struct ps_test_input *ps_test_input_at(unsigned index);

#endif /* PS_TEST_INPUTS_H */
