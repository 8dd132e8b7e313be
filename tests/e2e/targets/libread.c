/* SPDX-License-Identifier: MIT */
/*
 * libread - preloaded into a program that has no marks: every call of read is a
 * section
 */
#include <dlfcn.h>
#include <unistd.h>

#include "shim/perfshim.h"

ssize_t
read(int fd, void *buffer, size_t bytes)
{
	static ssize_t (*next)(int, void *, size_t);
	ssize_t got = -1;

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "read");
	PERFSHIM_SECTION ("read") {
		got = next(fd, buffer, bytes);
	}
	return got;
}
