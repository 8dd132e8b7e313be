/* SPDX-License-Identifier: MIT */
/*
 * formats - a recording of bytes that nobody vouches for, in every format
 */
#ifndef PS_TEST_FORMATS_H
#define PS_TEST_FORMATS_H

#include <stddef.h>

/* The bytes are copied to where reading beyond them is a fault. */
void ps_test_formats(const void *bytes, size_t size);

#endif /* PS_TEST_FORMATS_H */
