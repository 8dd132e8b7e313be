/* SPDX-License-Identifier: MIT */
/*
 * marks - sections of any names
 *
 *	marks NAME...
 *
 * Enters a section of each name and allocates in it: one block in the first,
 * two in the second, and so on.
 */
#include <stdlib.h>

extern void perfshim_begin(const char *name) __attribute__((weak));
extern void perfshim_end(const char *name) __attribute__((weak));

static void *volatile kept;

int
main(int argc, char **argv)
{
	for (int i = 1; perfshim_begin != NULL && i < argc; i++) {
		perfshim_begin(argv[i]);
		for (int k = 0; k < i; k++)
			kept = malloc(100);
		perfshim_end(argv[i]);
	}
	return 0;
}
