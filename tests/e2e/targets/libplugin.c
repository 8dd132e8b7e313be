/* SPDX-License-Identifier: MIT */
/*
 * libplugin - a plug-in with a section of its own, loaded by plugin.c
 */
#include <stdlib.h>

#include "shim/perfshim.h"

int plugin_work(int n);

__attribute__((noinline)) static void *
plugin_allocate(int n)
{
	void *volatile p = calloc((size_t)n, 1000); /* no tail call */

	return p;
}

int
plugin_work(int n)
{
	int result = 0;

	PERFSHIM_SECTION ("plugin_section") {
		char *volatile p = plugin_allocate(n);

		result = p[0] + n;
		free(p);
	}
	return result;
}
