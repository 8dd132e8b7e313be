/* SPDX-License-Identifier: MIT */
/*
 * glob - does a name match one of a list of patterns?
 *
 * '*' is any run of bytes, '?' any one byte, ',' ends a pattern; nothing else
 * is special.  On a mismatch only the latest star takes one byte more: a match
 * that an earlier star could give, the later one gives too.  So there is no
 * recursion and the cost is at most pattern x name steps, where the textbook
 * recursion is exponential in the number of stars.
 */
#include <string.h>

#include "base/options.h"

bool
ps_glob_match(const char *glob, const char *end, const char *name)
{
	const char *star = NULL; /* behind the latest one */
	const char *retry = NULL;

	PS_ASSERT(glob <= end);
	while (*name != 0) {
		if (glob < end && *glob == '*') {
			star = ++glob;
			retry = name;
		} else if (glob < end && (*glob == '?' || *glob == *name)) {
			glob++;
			name++;
		} else if (star != NULL) {
			glob = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (glob < end && *glob == '*')
		glob++;
	PS_ASSERT(glob <= end);
	return glob == end;
}

bool
ps_glob_list_match(const char *globs, const char *name)
{
	PS_ASSERT(globs != NULL && name != NULL);
	if (*globs == 0)
		return true;
	for (;;) {
		const char *end = strchrnul(globs, ',');

		PS_ASSERT(*end == 0 || *end == ',');
		if (ps_glob_match(globs, end, name))
			return true;
		if (*end == 0)
			return false;
		globs = end + 1;
	}
}
