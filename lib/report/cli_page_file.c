/* SPDX-License-Identifier: MIT */
/*
 * cli_page_file - the page as a file: the shell with the data in it
 *
 * The data is written to a file without a name first, since it is not known how
 * long it gets, and from there into a <script type="application/json">, which a
 * browser neither runs nor loads.  Names in it are somebody else's: whatever
 * could end that element, begin a comment in it or be markup anywhere (<, >, &)
 * is written as JSON's escape of it.  These characters occur in strings only,
 * so no string needs to be looked for.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report/cli_page_file.h"
#include "report/cli_page_shell.h"

int
ps_page_file_open(struct ps_page_file *f)
{
	static char buffer[1 << 16];

	f->fd = memfd_create("page", MFD_CLOEXEC);
	ps_text_init(&f->data, buffer, sizeof(buffer), f->fd);
	return f->fd < 0 ? -errno : 0;
}

/* Bytes of a character that scripts take for the end of a line; else 0. */
static size_t
line_end(const char *at, const char *end)
{
	return end - at >= 3 && memcmp(at, "\xe2\x80", 2) == 0 &&
		       (at[2] == '\xa8' || at[2] == '\xa9')
		   ? 3
		   : 0;
}

static void
put_escaped(struct ps_text *out, const char *at, const char *end)
{
	const char *plain = at; /* not yet written */

	while (at < end) {
		size_t bytes = line_end(at, end);

		if (bytes == 0 && *at != '<' && *at != '>' && *at != '&') {
			at++;
			continue;
		}
		ps_text_put(out, plain, (size_t)(at - plain));
		if (bytes > 0)
			ps_text_str(out,
				    at[2] == '\xa8' ? "\\u2028" : "\\u2029");
		else
			ps_text_printf(out, "\\u00%x", (unsigned)*at);
		at += bytes > 0 ? bytes : 1;
		plain = at;
	}
	PS_ASSERT(plain <= at && at == end);
	ps_text_put(out, plain, (size_t)(at - plain));
}

static int
put_page(int fd, struct ps_text *out)
{
	size_t shell_bytes;
	const char *shell = ps_page_shell(&shell_bytes);
	const char *mark =
	    memmem(shell, shell_bytes, PS_PAGE_MARK, strlen(PS_PAGE_MARK));
	const char *rest = mark + strlen(PS_PAGE_MARK);
	off_t bytes = lseek(fd, 0, SEEK_END);
	char *data;

	PS_ASSERT(mark != NULL);
	PS_DEBUG_ASSERT(memmem(rest, (size_t)(shell + shell_bytes - rest),
			       PS_PAGE_MARK, strlen(PS_PAGE_MARK)) == NULL);
	if (bytes <= 0)
		return bytes == 0 ? -ENODATA : -errno;
	data = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	ps_text_put(out, shell, (size_t)(mark - shell));
	put_escaped(out, data, data + bytes);
	ps_text_put(out, rest, (size_t)(shell + shell_bytes - rest));
	(void)munmap(data, (size_t)bytes);
	return 0;
}

int
ps_page_file_close(struct ps_page_file *f, int error, struct ps_text *out)
{
	PS_ASSERT(error != 0 || f->fd >= 0);
	if (error == 0) {
		ps_text_flush(&f->data);
		error = f->data.error;
	}
	if (error == 0)
		error = put_page(f->fd, out);
	if (f->fd >= 0)
		close(f->fd);
	return error;
}
