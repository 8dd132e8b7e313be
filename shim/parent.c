/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "base/text.h"
#include "shim/parent.h"

#define LIBRARY "/libperfshim.so"

enum { CHUNK_BYTES = 4096, WORD_MAX = 2048 };

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
	return does_parent_have("maps", LIBRARY, sizeof(LIBRARY) - 1);
}

/* "name=value" of our own; NULL: there is none. */
static const char *
own_setting(const char *name)
{
	size_t length = strlen(name);

	for (char *const *e = environ; e != NULL && *e != NULL; e++)
		if (strncmp(*e, name, length) == 0)
			return *e;
	return NULL;
}

/* Of a variable that is set anew meanwhile, the parent has another value. */
static bool
does_parent_share(const char *setting)
{
	size_t length = strlen(setting) + 1;

	return length <= WORD_MAX &&
	       does_parent_have("environ", setting, length);
}

/* The parent's maps tell for sure, and cost 40 us: four times its environment.
 * Who got the same preload by the same words has it, if it is no static
 * program.
 */
bool
ps_parent_records_here(void)
{
	const char *out = own_setting("PERFSHIM_OUT=");
	const char *preload = own_setting("LD_PRELOAD=");

	if (out == NULL || !does_parent_share(out))
		return false;
	return (preload != NULL && strstr(preload, LIBRARY) != NULL &&
		does_parent_share(preload)) ||
	       ps_parent_is_under_shim();
}
