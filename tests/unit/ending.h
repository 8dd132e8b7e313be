/* SPDX-License-Identifier: MIT */
/*
 * ending - how a function ends that ends the program, and what it says
 */
#ifndef PS_TEST_ENDING_H
#define PS_TEST_ENDING_H

#include <stddef.h>

/*
 * Run it in a child; returns the child's wait status (0: it came back) and
 * leaves what it wrote to descriptor 2 in `said`, zero-terminated.
 */
int ending_of(void (*function)(void), char *said, size_t bytes);

/* It ends by the signal, with one line that has the words. */
void ending_expect(void (*function)(void), int signal, const char *words);

#endif /* PS_TEST_ENDING_H */
