/* SPDX-License-Identifier: MIT */
/*
 * work - allocator workloads, each a fixed amount of work
 *
 * Shapes that programs have: short-lived small objects, mixed lifetimes,
 * servers, hand-over between threads, threads that come and go, buffers that
 * grow, large blocks, fragmentation.  Seeds are fixed, so that every allocator
 * gets the same requests; contents are touched as a program would.
 */
#ifndef PS_TEST_WORK_H
#define PS_TEST_WORK_H

struct work {
	const char *name;
	void (*run)(void);
};

/* Ends with a NULL name. */
extern const struct work work_table[];

#endif /* PS_TEST_WORK_H */
