/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/cli_arguments.h"
#include "report/cli_output.h"
#include "report/cli_suppressions.h"

static char *
slurp(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (file == NULL ||
	    (getdelim(&text, &room, '\0', file) < 0 && !feof(file))) {
		ps_complain_of_option("--leak-suppressions", path,
				      strerror(errno));
		exit(PS_CLI_BROKEN);
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

	ps_scratch_init(scratch, 0);
	if (ps_suppressions_parse(out, text, scratch, &line) != 0) {
		snprintf(where, sizeof(where), "line %u is not leak:pattern",
			 line);
		ps_usage_error("--leak-suppressions", path, where);
	}
	PS_ASSERT(out->patterns != NULL || out->count == 0);
	free(text); /* the patterns are copies */
}
