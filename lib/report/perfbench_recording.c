/* SPDX-License-Identifier: MIT */
/*
 * perfbench_recording - heap and sections of one run, from its recordings
 *
 * A run may have been several processes: allocations and section times are
 * added up, the peak is that of the largest (theirs were not at one time).
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "report/perfbench.h"
#include "report/small.h"
#include "report/view.h"

enum { SECTIONS_MOST = 64, PATH_COLUMNS = 40, MEMORY_LEAST = 256 << 20 };
_Static_assert(PATH_COLUMNS + sizeof("/perfbench.XXXXXX") <=
		   sizeof(((struct pb_session *)0)->work),
	       "a directory's name has room");

struct sum {
	unsigned processes;
	double peak_bytes;
	double allocations;
};

/*
 * Memory, where there is room in it: on a disk each run would wait for the file
 * system (ext4: 10.4 ms with a deviation of 1.8 in place of 7.9 and 0.35).
 */
static const char *
base_directory(void)
{
	const char *base = getenv("TMPDIR");
	struct statvfs memory;

	/* It goes into LD_PRELOAD, which takes no space and no colon. */
	if (base != NULL && base[0] == '/' && strpbrk(base, " \t\n:") == NULL &&
	    strlen(base) < PATH_COLUMNS)
		return base;
	if (statvfs("/dev/shm", &memory) == 0 &&
	    access("/dev/shm", W_OK | X_OK) == 0 &&
	    memory.f_bavail * memory.f_frsize >= MEMORY_LEAST)
		return "/dev/shm";
	return "/tmp";
}

void
pb_recordings_open(struct pb_session *s)
{
	const char *base = base_directory();
	char directory[sizeof(s->work) + 8];

	if (s->work[0] != '\0')
		return;
	snprintf(s->work, sizeof(s->work), "%s/perfbench.XXXXXX", base);
	if (mkdtemp(s->work) == NULL)
		pb_usage_error("cannot write to %s: %s", base, strerror(errno));
	snprintf(directory, sizeof(directory), "%s/rec", s->work);
	if (mkdir(directory, 0700) != 0)
		pb_usage_error("cannot make %s: %s", directory,
			       strerror(errno));
}

/* Each recording of the last run: `visit` (may be NULL), then it is gone. */
static void
each_recording(const struct pb_session *s,
	       void (*visit)(const char *path, void *context), void *context)
{
	char *directory = pb_format("%s/rec", s->work);
	DIR *entries = opendir(directory);
	struct dirent *entry;

	PS_ASSERT(s->work[0] != '\0'); /* else it would be /rec */
	while (entries != NULL && (entry = readdir(entries)) != NULL) {
		char *path;

		if (entry->d_name[0] == '.')
			continue;
		path = pb_format("%s/%s", directory, entry->d_name);
		if (visit != NULL)
			visit(path, context);
		(void)unlink(path);
		free(path);
	}
	if (entries != NULL)
		closedir(entries);
	free(directory);
}

void
pb_recordings_clear(const struct pb_session *s)
{
	if (s->work[0] != '\0')
		each_recording(s, NULL, NULL);
}

void
pb_recordings_close(struct pb_session *s)
{
	char *path;

	if (s->work[0] == '\0')
		return;
	pb_recordings_clear(s);
	path = pb_format("%s/rec", s->work);
	(void)rmdir(path);
	free(path);
	path = pb_format("%s/libperfshim.so", s->work);
	(void)unlink(path);
	free(path);
	(void)rmdir(s->work);
	s->work[0] = '\0';
}

/* ---- one run ---- */

struct reading {
	struct pb_subject *subject;
	size_t run;
	struct sum sum;
};

/* Added to what another process of this run had there. */
static void
add_to(struct reading *r, const char *name, enum pb_unit unit, double value)
{
	const struct pb_series *series = pb_series_find(r->subject, name);

	if (series != NULL && r->run < series->room)
		value += series->values[r->run];
	pb_series_put(r->subject, r->run, name, unit, value);
}

/* "x:allocations", and that with one ":time" or more behind it. */
static bool
is_like_allocations(const char *section)
{
	static const char word[] = ":allocations";
	static const char more[] = ":time";
	size_t length = strlen(section);

	while (length >= sizeof(more) - 1 &&
	       memcmp(section + length - (sizeof(more) - 1), more,
		      sizeof(more) - 1) == 0)
		length -= sizeof(more) - 1;
	return length >= sizeof(word) - 1 &&
	       memcmp(section + length - (sizeof(word) - 1), word,
		      sizeof(word) - 1) == 0;
}

/*
 * A series of a section, in UTF-8 without control characters, as JSON and
 * terminals want it.  Programs choose their sections' names: one whose time
 * would be called as another's allocations has its time as NAME:time.  False
 * when the name is none that the preload could have written.
 */
static bool
name_series(const char *section, bool is_time, char name[PB_NAME])
{
	struct ps_text t;

	ps_text_init(&t, name, PB_NAME, -1);
	ps_text_str(&t, "section:");
	ps_text_printable(&t, section);
	if (!is_time)
		ps_text_str(&t, ":allocations");
	else if (is_like_allocations(section))
		ps_text_str(&t, ":time");
	return t.cut == 0;
}

/*
 * Whether the i-th of a run's sections, most time first, has a series.  Those
 * that have one keep it; of so many that some have none, only the first run's
 * begin one: what it would have had before is not known.
 */
static bool
has_series(const struct reading *r, const struct ps_view *v, uint32_t i,
	   const char *name)
{
	if (pb_series_find(r->subject, name) != NULL)
		return true;
	return i < SECTIONS_MOST &&
	       (r->run == 0 || v->section_count <= SECTIONS_MOST);
}

static void
add_sections(struct reading *r, const struct ps_view *v)
{
	for (uint32_t i = 0; i < v->section_count; i++) {
		const struct ps_view_section *section = &v->sections[i];
		char name[PB_NAME];

		if (!name_series(section->name, true, name) ||
		    !has_series(r, v, i, name))
			continue;
		add_to(r, name, PB_SECONDS, section->total_s);
		if (name_series(section->name, false, name))
			add_to(r, name, PB_COUNT, (double)section->allocations);
	}
}

static void
read_one(const char *path, void *context)
{
	struct reading *r = context;
	struct ps_scratch scratch;
	struct ps_reader reader;
	struct ps_view view;
	const char *why;

	if (ps_reader_open(&reader, path, &why) != 0)
		return; /* a process that did not live to set it up */
	ps_scratch_init(&scratch, (size_t)1 << 30);
	if (ps_view_build(&reader, NULL, &scratch, &view) == 0) {
		r->sum.processes++;
		r->sum.peak_bytes =
		    PS_MAX(r->sum.peak_bytes, (double)view.peak_bytes);
		r->sum.allocations += (double)view.allocations;
		add_sections(r, &view);
	}
	ps_scratch_fini(&scratch);
	ps_reader_close(&reader);
}

/* Processes too small for a recording left a line each. */
static void
read_small(const struct pb_session *s, struct sum *sum)
{
	char *directory = pb_format("%s/rec", s->work);
	struct ps_small small = {0};
	struct ps_scratch scratch;

	ps_scratch_init(&scratch, 0);
	(void)ps_small_read(&small, directory, &scratch);
	for (uint32_t i = 0; i < small.count; i++) {
		sum->processes += small.groups[i].processes;
		sum->allocations += (double)small.groups[i].allocations;
		sum->peak_bytes =
		    PS_MAX(sum->peak_bytes,
			   (double)small.groups[i].greatest_peak_bytes);
	}
	ps_scratch_fini(&scratch);
	free(directory);
}

/* Sections that were not entered took no time: their series end with 0. */
static void
fill_up(struct pb_subject *subject, size_t run)
{
	for (size_t i = 0; i < subject->series_count; i++) {
		struct pb_series *s = &subject->series[i];

		if (run >= s->room)
			pb_series_put(subject, run, s->name, s->unit, 0);
		PS_ASSERT(run < s->room);
	}
}

void
pb_recordings_read(struct pb_session *s, struct pb_subject *subject, size_t run)
{
	struct reading r = {.subject = subject, .run = run};

	PS_ASSERT(run == subject->runs);
	if (!subject->is_recorded)
		return;
	read_small(s, &r.sum);
	each_recording(s, read_one, &r);
	if (r.sum.processes == 0 && run == 0) {
		pb_say("%s: nothing is recorded of it (statically linked, or "
		       "with other privileges?)",
		       subject->text);
		subject->is_recorded = false;
		return;
	}
	if (r.sum.processes == 0)
		r.sum.peak_bytes = r.sum.allocations = (double)NAN;
	pb_series_put(subject, run, "peak-heap", PB_BYTES, r.sum.peak_bytes);
	pb_series_put(subject, run, "allocations", PB_COUNT, r.sum.allocations);
	fill_up(subject, run);
}
