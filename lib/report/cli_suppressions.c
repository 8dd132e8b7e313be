/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/cli_arguments.h"
#include "report/cli_output.h"
#include "report/cli_suppressions.h"

static _Noreturn void
give_up(const char *path, int error)
{
	ps_complain_of_option("--leak-suppressions", path, strerror(error));
	exit(PS_CLI_BROKEN);
}

/* Up to the first zero, if there is one. */
static char *
slurp(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (file == NULL)
		give_up(path, errno);
	if (getdelim(&text, &room, '\0', file) < 0) {
		if (!feof(file))
			give_up(path, errno);
		/* Of an empty file, getdelim leaves room without a zero. */
		free(text);
		text = strdup("");
		if (text == NULL)
			give_up(path, ENOMEM);
	}
	fclose(file);
	return text;
}

void
ps_cli_suppressions(const char *path, struct ps_suppressions *out,
		    struct ps_scratch *scratch)
{
	char *text = slurp(path);
	char where[48];
	uint32_t line = 0;
	int error;

	ps_scratch_init(scratch, 0);
	error = ps_suppressions_parse(out, text, scratch, &line);
	if (error == -ENOMEM)
		give_up(path, ENOMEM);
	if (error != 0) {
		snprintf(where, sizeof(where), "line %u is not leak:pattern",
			 line);
		ps_usage_error("--leak-suppressions", path, where);
	}
	PS_ASSERT(out->patterns != NULL || out->count == 0);
	free(text); /* the patterns are copies */
}
