/* SPDX-License-Identifier: MIT */
/*
 * cli_output - where perfreport writes to
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/cli_output.h"
#include "report/cli_pager.h"

static bool
is_colour_wanted(const struct ps_arguments *a, int fd)
{
	const char *no_colour = getenv("NO_COLOR");

	if (a->colour != PS_COLOUR_AUTO)
		return a->colour == PS_COLOUR_ALWAYS;
	return isatty(fd) && (no_colour == NULL || no_colour[0] == '\0');
}

void
ps_complain_of_option(const char *option, const char *value, const char *why)
{
	char line[8192];
	struct ps_text t;

	PS_ASSERT(value != NULL && why != NULL);
	ps_text_init(&t, line, sizeof(line), -1);
	ps_text_str(&t, option);
	if (option[0] != '\0' && value[0] != '\0')
		ps_text_char(&t, ' ');
	ps_text_printable(&t, value);
	fprintf(stderr, "perfreport: %s: %s\n", line, why);
}

void
ps_complain_of(const char *path, const char *why)
{
	ps_complain_of_option("", path, why);
}

static bool
is_paged(const struct ps_arguments *a)
{
	return a->format == PS_CLI_TEXT && a->output == NULL &&
	       !a->is_unpaged && ps_pager_is_wanted();
}

void
ps_output_open(const struct ps_arguments *a, struct ps_text *out)
{
	static char buffer[1 << 16];
	int fd = STDOUT_FILENO;

	if (a->output != NULL)
		fd = open(a->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			  0666);
	if (fd < 0) {
		ps_complain_of_option("-o", a->output, strerror(errno));
		exit(PS_CLI_BROKEN);
	}
	if (a->format == PS_CLI_HTML && isatty(fd))
		ps_usage_error("--html", "", "needs -o FILE");
	ps_text_init(out, buffer, sizeof(buffer),
		     is_paged(a) ? ps_pager_open() : fd);
	if (out->fd < 0)
		out->fd = fd;
	out->is_colour = is_colour_wanted(a, fd);
}

int
ps_output_close(const struct ps_arguments *a, struct ps_text *out)
{
	PS_ASSERT(out->fd >= 0);
	ps_text_flush(out);
	if (out->error == 0 && a->output == NULL && out->fd != STDOUT_FILENO)
		out->error = ps_pager_close(out->fd);
	if (out->error == 0 && a->output != NULL && close(out->fd) != 0)
		out->error = -errno;
	if (out->error == 0)
		return 0;
	PS_ASSERT(out->error < 0);
	ps_complain_of_option("writing",
			      a->output == NULL ? "standard output" : a->output,
			      strerror(-out->error));
	return out->error;
}
