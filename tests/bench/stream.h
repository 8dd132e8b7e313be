/* SPDX-License-Identifier: MIT */
/*
 * stream - ways to write STREAM's add, c = a + b, for comparison
 *
 * Compiled for the machine that builds them, with every instruction it has.
 */
#ifndef PS_BENCH_STREAM_H
#define PS_BENCH_STREAM_H

#include <stddef.h>

struct bench_stream {
	const char *name;
	void (*add)(float *c, const float *a, const float *b, size_t n);
};

extern const struct bench_stream bench_streams[];
extern const size_t bench_stream_count;

#endif /* PS_BENCH_STREAM_H */
