/* SPDX-License-Identifier: MIT */
/*
 * filter - which rows of the sites are told, and which leaks are forgiven
 *
 * A row is told when its labels match and some place of its stack matches each
 * of the globs for functions and modules.  Names are asked for only when a
 * pattern needs them: naming every stack costs more than all the rest.
 */
#include <errno.h>
#include <string.h>

#include "base/options.h"
#include "report/filter.h"
#include "report/view.h"

/* ---- suppressions ---- */

static const char *
pattern_of(char *line)
{
	static const char kind[] = "leak:";
	size_t length = strlen(line);

	while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
		line[--length] = '\0';
	while (*line == ' ' || *line == '\t')
		line++;
	if (*line == '\0' || *line == '#')
		return "";
	if (strncmp(line, kind, sizeof(kind) - 1) != 0 ||
	    line[sizeof(kind) - 1] == '\0')
		return NULL;
	return line + sizeof(kind) - 1;
}

static uint32_t
count_lines(const char *text)
{
	uint32_t lines = 1;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

/* As a glob: anything before and behind, but where the pattern is bound. */
static const char *
glob_of(struct ps_scratch *scratch, const char *pattern)
{
	size_t length = strlen(pattern);
	bool is_bound_left = pattern[0] == '^';
	bool is_bound_right = length > 1 && pattern[length - 1] == '$';
	char *glob = ps_scratch_alloc(scratch, length + 3);
	char *at = glob;

	PS_ASSERT(length > 0); /* "" is no pattern */
	if (glob == NULL)
		return NULL;
	if (!is_bound_left)
		*at++ = '*';
	pattern += is_bound_left;
	length -= (size_t)is_bound_left + is_bound_right;
	memcpy(at, pattern, length);
	if (!is_bound_right)
		at[length] = '*';
	return glob;
}

int
ps_suppressions_parse(struct ps_suppressions *out, char *text,
		      struct ps_scratch *scratch, uint32_t *line)
{
	uint32_t lines = count_lines(text);

	out->count = 0;
	out->patterns =
	    ps_scratch_alloc(scratch, lines * sizeof(*out->patterns));
	if (out->patterns == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < lines; i++) {
		char *end = strchr(text, '\n');
		const char *pattern;

		if (end != NULL)
			*end = '\0';
		pattern = pattern_of(text);
		if (pattern == NULL) {
			*line = i + 1;
			return -EINVAL;
		}
		if (pattern[0] != '\0') {
			pattern = glob_of(scratch, pattern);
			if (pattern == NULL)
				return -ENOMEM;
			PS_ASSERT(out->count < lines);
			out->patterns[out->count++] = pattern;
		}
		if (end != NULL)
			text = end + 1;
	}
	return 0;
}

static bool
is_suppressing(const char *glob, const char *name)
{
	return name != NULL && ps_glob_match(glob, glob + strlen(glob), name);
}

static bool
is_forgiven(const struct ps_filter *f)
{
	for (uint32_t p = 0; p < f->suppressions->count; p++) {
		const char *pattern = f->suppressions->patterns[p];

		for (uint32_t i = 0; i < f->names->count; i++) {
			const struct ps_symbol *s = &f->names->at[i];

			if (is_suppressing(pattern, s->function) ||
			    is_suppressing(pattern, s->path) ||
			    is_suppressing(pattern, s->module))
				return true;
		}
	}
	return false;
}

/* ---- filters ---- */

static bool
is_label_wanted(const char *globs, const char *label)
{
	return globs == NULL ||
	       (label != NULL && ps_glob_list_match(globs, label));
}

static bool
has_function(const struct ps_stack_names *names, const char *globs)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (names->at[i].function != NULL &&
		    ps_glob_list_match(globs, names->at[i].function))
			return true;
	return false;
}

static bool
has_module(const struct ps_stack_names *names, const char *globs)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (ps_glob_list_match(globs, names->at[i].module))
			return true;
	return false;
}

_Static_assert(offsetof(struct ps_filter, base) == 0, "a judge is its filter");

static enum ps_row_verdict
judge(struct ps_row_judge *self, const struct ps_reader *reader, uint32_t row)
{
	struct ps_filter *f = (struct ps_filter *)self;
	const struct ps_record_site *site =
	    ps_reader_entry(reader, PS_TABLE_SITES, row);

	PS_ASSERT(f->symbols != NULL && f->names != NULL);
	if (!is_label_wanted(f->thread, ps_row_thread(reader, row)) ||
	    !is_label_wanted(f->section, ps_row_section(reader, row)))
		return PS_ROW_LEFT_OUT;
	if (f->function == NULL && f->module == NULL &&
	    (f->suppressions == NULL || ps_peek(&site->live_bytes) == 0))
		return PS_ROW_KEPT;
	ps_stack_names(reader, f->symbols, site, f->names);
	if ((f->function != NULL && !has_function(f->names, f->function)) ||
	    (f->module != NULL && !has_module(f->names, f->module)))
		return PS_ROW_LEFT_OUT;
	return f->suppressions != NULL && is_forgiven(f) ? PS_ROW_FORGIVEN
							 : PS_ROW_KEPT;
}

bool
ps_filter_is_set(const struct ps_filter *f)
{
	return f != NULL && (f->section != NULL || f->thread != NULL ||
			     f->function != NULL || f->module != NULL ||
			     f->suppressions != NULL);
}

void
ps_filter_init(struct ps_filter *f)
{
	f->base.judge = judge;
}
