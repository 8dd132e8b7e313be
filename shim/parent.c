/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "base/text.h"
#include "shim/parent.h"

enum { CHUNK_BYTES = 16384, WORD_MAX = 2048 };

/* Files of /proc have no length; they are read in parts that overlap by what
 * a word may have in the one before. */
static bool
find_in(int fd, const char *word, size_t length)
{
	char chunk[CHUNK_BYTES];
	size_t kept = 0;
	ssize_t got;

	PS_ASSERT(length > 0 && length <= WORD_MAX);
	while ((got = ps_os_read(fd, chunk + kept, sizeof(chunk) - kept)) > 0) {
		size_t filled = kept + (size_t)got;

		if (memmem(chunk, filled, word, length) != NULL)
			return true;
		kept = PS_MIN(filled, length - 1);
		memmove(chunk, chunk + filled - kept, kept);
	}
	return false;
}

static bool
does_parent_have(const char *file, const char *word, size_t length)
{
	char path[40];
	struct ps_text text;
	bool is_found;
	int fd;

	ps_text_init(&text, path, sizeof(path), -1);
	ps_text_printf(&text, "/proc/%d/%s", ps_os_ppid(), file);
	fd = ps_os_open_read(path);
	if (fd < 0)
		return false;
	is_found = find_in(fd, word, length);
	(void)ps_os_close(fd);
	return is_found;
}

bool
ps_parent_is_under_shim(void)
{
	static const char library[] = "/libperfshim.so";

	return does_parent_have("maps", library, sizeof(library) - 1);
}

/* Of a variable that is set anew meanwhile, the parent has another value. */
static const char *
own_setting(void)
{
	static const char name[] = "PERFSHIM_OUT=";

	for (char *const *e = environ; e != NULL && *e != NULL; e++)
		if (strncmp(*e, name, sizeof(name) - 1) == 0)
			return *e;
	return NULL;
}

bool
ps_parent_records_here(void)
{
	const char *setting = own_setting();
	size_t length = setting == NULL ? 0 : strlen(setting) + 1;

	return length > 0 && length <= WORD_MAX &&
	       does_parent_have("environ", setting, length) &&
	       ps_parent_is_under_shim();
}
