/* SPDX-License-Identifier: MIT */
/*
 * perfbench_subject - the commands that are run, and the series of their runs
 *
 * A command given as one text (--vs) is split at blanks when it is that plain,
 * and started as it is.  When one needs the shell, all go through it: starting
 * a shell takes a millisecond, which must not be on one side only.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/perfbench.h"

enum { SERIES_MOST = 160 };

/* ---- series ---- */

struct pb_series *
pb_series_find(const struct pb_subject *s, const char *name)
{
	for (size_t i = 0; i < s->series_count; i++)
		if (strcmp(s->series[i].name, name) == 0)
			return &s->series[i];
	return NULL;
}

static struct pb_series *
add_series(struct pb_subject *s, const char *name, enum pb_unit unit)
{
	struct pb_series *series;

	if (s->series == NULL)
		s->series = pb_alloc(SERIES_MOST * sizeof(*s->series));
	PS_ASSERT(strlen(name) < sizeof(series->name)); /* or it is not found */
	if (s->series_count == SERIES_MOST)
		return NULL;
	series = &s->series[s->series_count++];
	snprintf(series->name, sizeof(series->name), "%s", name);
	series->unit = unit;
	return series;
}

/* Room for one more run than `run`; what is new is 0. */
static void
make_room(struct pb_series *series, size_t run)
{
	size_t room = series->room;
	double *values;

	if (run < room)
		return;
	room = PS_MAX(2 * room, run + 16);
	values = pb_alloc(room * sizeof(*values));
	if (series->room > 0)
		memcpy(values, series->values, series->room * sizeof(*values));
	free(series->values);
	series->values = values;
	series->room = room;
}

void
pb_series_put(struct pb_subject *s, size_t run, const char *name,
	      enum pb_unit unit, double value)
{
	struct pb_series *series = pb_series_find(s, name);

	PS_ASSERT(run < PB_RUNS_MOST);
	if (series == NULL)
		series = add_series(s, name, unit);
	if (series == NULL)
		return; /* 160 and more: the first ones met are kept */
	PS_ASSERT(series->unit == unit);
	make_room(series, run);
	series->values[run] = value;
}

/* ---- commands ---- */

/* Only what no shell would touch: then it is started without one. */
static bool
is_plain(const char *text)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    " \t_./:,+@%=-";
	const char *first = text + strspn(text, " \t");

	/* An = in the first word sets a variable. */
	return text[strspn(text, allowed)] == '\0' &&
	       first[strcspn(first, " \t=")] != '=';
}

static char **
split(const char *text)
{
	char **argv = pb_alloc((strlen(text) / 2 + 2) * sizeof(*argv));
	char *rest = pb_format("%s", text);
	size_t count = 0;
	char *word;

	while ((word = strsep(&rest, " \t")) != NULL)
		if (word[0] != '\0')
			argv[count++] = word;
	PS_ASSERT(count > 0 && count < strlen(text) / 2 + 2);
	return argv;
}

/* sh -c 'exec "$0" "$@"' words, or sh -c text. */
static char **
through_shell(const char *text, char **words)
{
	static char script[] = "exec \"$0\" \"$@\"";
	size_t count = 0;
	char **argv;

	while (words != NULL && words[count] != NULL)
		count++;
	PS_ASSERT(words == NULL || count > 0);
	argv = pb_alloc((count + 4) * sizeof(*argv));
	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = words != NULL ? script : pb_format("%s", text);
	for (size_t i = 0; i < count; i++)
		argv[3 + i] = words[i];
	return argv;
}

/* As execvp would find it; ends the program with the shell's status. */
static char *
find_program(const char *name)
{
	char *path = pb_format("%s", getenv("PATH") != NULL ? getenv("PATH")
							    : "/bin:/usr/bin");
	char *directory;

	if (strchr(name, '/') != NULL) {
		if (access(name, X_OK) == 0)
			return pb_format("%s", name);
		pb_say("%s: %s", name, strerror(errno));
		exit(PB_FAILED);
	}
	while ((directory = strsep(&path, ":")) != NULL) {
		char *file = pb_format(
		    "%s/%s", directory[0] == '\0' ? "." : directory, name);

		if (access(file, X_OK) == 0)
			return file;
		free(file);
	}
	pb_say("%s: command not found", name);
	exit(PB_FAILED);
}

/* "python3 -c 'print(1)'": so that a shell would read the same words. */
static char *
join(char **words)
{
	char *text = pb_format("%s", "");

	for (size_t i = 0; words[i] != NULL; i++) {
		bool is_bare = words[i][0] != '\0' && is_plain(words[i]) &&
			       strpbrk(words[i], " \t") == NULL;
		const char *quote = is_bare ? "" : "'";
		char *longer = pb_format("%s%s%s%s%s", text, i == 0 ? "" : " ",
					 quote, words[i], quote);

		free(text);
		text = longer;
	}
	return text;
}

/* ---- environment ---- */

static bool
is_replaced(const char *entry)
{
	static const char *const names[] = {
	    "LD_PRELOAD=", "PERFSHIM_OUT=", "PERFSHIM_REPORT=",
	    "PERFSHIM_FORMAT="};

	for (size_t i = 0; i < PS_COUNT(names); i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* Ours with `preload` (may be NULL) in front, and the settings behind. */
static char **
environment(const char *preload, char *const *settings)
{
	const char *existing = getenv("LD_PRELOAD");
	bool has_existing = existing != NULL && existing[0] != '\0';
	size_t count = 0;
	size_t most = 8;
	char **envp;

	for (size_t i = 0; environ[i] != NULL; i++)
		most++;
	envp = pb_alloc(most * sizeof(*envp));
	for (size_t i = 0; environ[i] != NULL; i++)
		if (!is_replaced(environ[i]))
			envp[count++] = environ[i];
	if (preload != NULL || has_existing)
		envp[count++] = pb_format(
		    "LD_PRELOAD=%s%s%s", preload != NULL ? preload : "",
		    preload != NULL && has_existing ? ":" : "",
		    has_existing ? existing : "");
	for (size_t i = 0; settings != NULL && settings[i] != NULL; i++)
		envp[count++] = settings[i];
	PS_ASSERT(count < most);
	return envp;
}

/* LD_PRELOAD takes no space and no colon: such a path gets a link. */
static const char *
preload_path(const struct pb_session *s)
{
	const char *library = s->options->library;
	char *path;

	PS_ASSERT(s->work[0] != '\0'); /* where the link would be */
	if (library == NULL || access(library, R_OK) != 0)
		pb_usage_error("no library %s",
			       library != NULL ? library : "given (--library)");
	path = realpath(library, NULL);
	if (path == NULL || strpbrk(path, " \t\n:") == NULL)
		return path != NULL ? path : library;
	library = path;
	path = pb_format("%s/libperfshim.so", s->work);
	if (access(path, F_OK) != 0 && symlink(library, path) != 0)
		pb_usage_error("cannot link to %s: %s", library,
			       strerror(errno));
	return path;
}

static char **
shim_environment(struct pb_session *s)
{
	const struct pb_options *o = s->options;
	char *settings[5] = {0};
	size_t count = 0;

	pb_recordings_open(s);
	settings[count++] = pb_format("PERFSHIM_OUT=%s/rec", s->work);
	settings[count++] = "PERFSHIM_REPORT=none";
	if (o->sample != NULL)
		settings[count++] = pb_format("PERFSHIM_SAMPLE=%s", o->sample);
	if (o->are_children_off)
		settings[count++] = "PERFSHIM_CHILDREN=off";
	PS_ASSERT(count < PS_COUNT(settings)); /* NULL ends them */
	return environment(preload_path(s), settings);
}

/* ---- subjects ---- */

static struct pb_subject *
add_subject(struct pb_session *s, const char *text, char **words)
{
	struct pb_subject *subject = &s->subjects[s->subject_count];

	_Static_assert(PB_SUBJECTS_MOST <= 'Z' - 'A' + 1, "a letter each");
	PS_ASSERT(s->subject_count < PB_SUBJECTS_MOST);
	subject->label[0] = (char)('A' + s->subject_count++);
	subject->text = text;
	subject->argv = s->is_shell_used ? through_shell(text, words) : words;
	subject->path =
	    find_program(s->is_shell_used ? "/bin/sh" : subject->argv[0]);
	return subject;
}

static void
add_vs(struct pb_session *s, const char *text)
{
	add_subject(s, text, is_plain(text) ? split(text) : NULL);
}

struct allocator {
	const char *name;
	const char *files[4];
};

/* The first of the files in the first directory that has one, or NULL. */
static char *
find_library(const struct allocator *a)
{
	static const char *const directories[] = {
	    "/usr/local/lib", "/usr/lib/x86_64-linux-gnu",
	    "/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"};

	for (size_t d = 0; d < PS_COUNT(directories); d++) {
		for (size_t f = 0; f < 4 && a->files[f] != NULL; f++) {
			char *path =
			    pb_format("%s/%s", directories[d], a->files[f]);

			if (access(path, R_OK) == 0)
				return path;
			free(path);
		}
	}
	return NULL;
}

static void
add_allocators(struct pb_session *s)
{
	static const struct allocator others[] = {
	    {"jemalloc", {"libjemalloc.so.2", "libjemalloc.so"}},
	    {"mimalloc",
	     {"libmimalloc.so.2", "libmimalloc.so.2.0", "libmimalloc.so"}},
	    {"tcmalloc",
	     {"libtcmalloc_minimal.so.4", "libtcmalloc.so.4",
	      "libtcmalloc_minimal.so", "libtcmalloc.so"}},
	};
	char **words = s->options->command;

	add_subject(s, "glibc", words)->envp = environment(NULL, NULL);
	for (size_t i = 0; i < PS_COUNT(others); i++) {
		char *library = find_library(&others[i]);

		if (library == NULL)
			pb_say("%s is not installed", others[i].name);
		else
			add_subject(s, others[i].name, words)->envp =
			    environment(library, NULL);
	}
	if (!s->options->is_shimmed)
		return;
	add_subject(s, "perfshim", words)->envp = shim_environment(s);
	s->subjects[s->subject_count - 1].is_recorded = true;
}

void
pb_subjects_make(struct pb_session *s)
{
	const struct pb_options *o = s->options;

	PS_ASSERT(s->subject_count == 0 && o->command[0] != NULL);
	for (size_t i = 0; i < o->vs_count; i++)
		s->is_shell_used |= !is_plain(o->vs[i]);
	if (o->are_allocators_wanted) {
		add_allocators(s);
		return;
	}
	add_subject(s, join(o->command), o->command);
	for (size_t i = 0; i < o->vs_count; i++)
		add_vs(s, o->vs[i]);
	for (size_t i = 0; i < s->subject_count; i++) {
		struct pb_subject *subject = &s->subjects[i];

		subject->is_recorded = o->is_shimmed;
		subject->envp = o->is_shimmed ? shim_environment(s)
					      : environment(NULL, NULL);
	}
	if (s->subject_count == 1)
		s->subjects[0].label[0] = '\0';
}
