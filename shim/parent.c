/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "base/text.h"
#include "shim/parent.h"

#define LIBRARY "/libperfshim.so"

enum { CHUNK_BYTES = 4096, WORD_MAX = 2048 };

struct word {
	const char *text; /* NULL: none */
	size_t length;	  /* 1 to WORD_MAX */
};

/* Which of the two are there, a bit each.  Files of /proc have no length; they
 * are read in parts that overlap by what a word may have in the one before. */
static unsigned
find_in(int fd, const struct word words[2])
{
	size_t overlap = PS_MAX(words[0].length, words[1].length) - 1;
	char chunk[CHUNK_BYTES];
	unsigned wanted =
	    (words[0].text != NULL ? 1u : 0) | (words[1].text != NULL ? 2u : 0);
	unsigned found = 0;
	size_t kept = 0;
	ssize_t got;

	PS_ASSERT(overlap < WORD_MAX);
	while (found != wanted &&
	       (got = ps_os_read(fd, chunk + kept, sizeof(chunk) - kept)) > 0) {
		size_t filled = kept + (size_t)got;

		for (unsigned i = 0; i < 2; i++)
			if (words[i].text != NULL &&
			    memmem(chunk, filled, words[i].text,
				   words[i].length) != NULL)
				found |= 1u << i;
		kept = PS_MIN(filled, overlap);
		memmove(chunk, chunk + filled - kept, kept);
	}
	return found;
}

static unsigned
what_parent_has(const char *file, const struct word words[2])
{
	char path[40];
	struct ps_text text;
	unsigned found;
	int fd;

	ps_text_init(&text, path, sizeof(path), -1);
	ps_text_printf(&text, "/proc/%d/%s", ps_os_ppid(), file);
	fd = ps_os_open_read(path);
	if (fd < 0)
		return 0;
	found = find_in(fd, words);
	(void)ps_os_close(fd);
	return found;
}

bool
ps_parent_is_under_shim(void)
{
	const struct word words[2] = {{LIBRARY, sizeof(LIBRARY) - 1}};

	return what_parent_has("maps", words) != 0;
}

/* "name=value" of our own with its end; none where it is too long. */
static struct word
own_setting(const char *name)
{
	size_t length = strlen(name);

	for (char *const *e = environ; e != NULL && *e != NULL; e++)
		if (strncmp(*e, name, length) == 0 && strlen(*e) < WORD_MAX)
			return (struct word){*e, strlen(*e) + 1};
	return (struct word){NULL, 1};
}

/* The parent's maps tell for sure, and cost 40 us: four times its environment.
 * Who got the same preload by the same words has it, if it is no static
 * program.
 */
bool
ps_parent_records_here(void)
{
	const struct word words[2] = {own_setting("PERFSHIM_OUT="),
				      own_setting("LD_PRELOAD=")};
	/* Of a variable that is set anew meanwhile, it has another value. */
	unsigned shared = what_parent_has("environ", words);

	if ((shared & 1) == 0)
		return false;
	return ((shared & 2) != 0 && words[1].text != NULL &&
		strstr(words[1].text, LIBRARY) != NULL) ||
	       ps_parent_is_under_shim();
}
