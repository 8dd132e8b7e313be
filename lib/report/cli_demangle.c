/* SPDX-License-Identifier: MIT */
/*
 * cli_demangle - names as they were written, of C++ and Rust
 *
 * C++ by the C++ run-time's own demangler, Rust (both the v0 scheme and the
 * older one, which looks like C++ with a hash at its end and so is tried
 * first) by libiberty's.  A symbol's version (name@@GLIBC_2.34) is left out.
 */
#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

#include "report/cli_demangle.h"

enum { NAME_BYTES_MAX = 65536 };

char *__cxa_demangle(const char *name, char *buffer, size_t *bytes,
		     int *status);

static char *
demangle(const char *name)
{
	int status = -1;
	char *text = rust_demangle(name, DMGL_PARAMS);

	if (text == NULL && name[0] == '_' && name[1] == 'Z')
		text = __cxa_demangle(name, NULL, NULL, &status);
	return text;
}

const char *
ps_demangle(struct ps_scratch *scratch, const char *linkage)
{
	const char *version = strchr(linkage, '@');
	const char *name = linkage;
	const char *copy;
	char *text;

	if (version != NULL && version != linkage) {
		char *plain = ps_scratch_strdup(scratch, linkage);

		if (plain != NULL)
			plain[version - linkage] = '\0';
		name = plain != NULL ? plain : linkage;
	}
	if (name[0] != '_' || strlen(name) > NAME_BYTES_MAX)
		return name;
	text = demangle(name);
	if (text == NULL)
		return name;
	copy = ps_scratch_strdup(scratch, text);
	free(text);
	return copy != NULL ? copy : name;
}
