/* SPDX-License-Identifier: MIT */
/*
 * libfail - preloaded into a program, lets one of the program's own calls of
 * realloc fail: number FAIL_REALLOC, from 1
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_realloc(void *block, size_t bytes);

/* Not those of libraries, which are not tested here. */
static int
is_of_program(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) != 0 && info.dli_fname != NULL &&
	       strstr(info.dli_fname, ".so") == NULL;
}

void *
realloc(void *block, size_t bytes)
{
	static unsigned calls;
	const char *wanted = getenv("FAIL_REALLOC");

	if (wanted != NULL && is_of_program(__builtin_return_address(0)) &&
	    ++calls == (unsigned)atoi(wanted))
		return NULL;
	return __libc_realloc(block, bytes);
}
