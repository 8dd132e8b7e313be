/* SPDX-License-Identifier: MIT */
/*
 * brief - the line that a process too small for a recording leaves
 *
 * A build or a script starts thousands of processes that allocate next to
 * nothing; a file of each would bury the few that matter.  They leave a line
 * each in one file of the output directory: fields separated by tabs, the
 * executable last, appended with one write so that lines never mix.
 *
 * Who is too small: a process that others like it started (the first of a tree
 * always has its recording), that asked for less than PS_BRIEF_BYTES in all,
 * entered no section and raised no alert.
 */
#ifndef PS_RECORD_BRIEF_H
#define PS_RECORD_BRIEF_H

#include "base/text.h"
#include "record/layout.h"

#define PS_BRIEF_FILE "small-processes.tsv"

enum {
	PS_BRIEF_BYTES = 1 << 20,
	PS_BRIEF_LINE_MAX = 4096, /* with its newline; longer: no line */
	PS_BRIEF_EXE_MAX = 1024,
};

struct ps_brief {
	int32_t pid;
	int32_t ppid;
	int32_t exit_code; /* -1: not known */
	uint64_t start_real_ns;
	uint64_t wall_ns;
	uint64_t user_ns;
	uint64_t system_ns;
	uint64_t max_rss_bytes;
	uint64_t peak_bytes;
	uint64_t allocations;
	uint64_t requested_bytes;
	char exe[PS_BRIEF_EXE_MAX]; /* cut at its end; never with a tab */
};

/* What a recording, complete but for its last words, says in brief. */
void ps_brief_take(const struct ps_record_header *recording,
		   struct ps_brief *out);

/* Too small by its figures; whose child it is, the caller knows. */
bool ps_brief_is_small(const struct ps_record_header *recording,
		       const struct ps_brief *brief);

void ps_brief_write(const struct ps_brief *brief, struct ps_text *out);

/*
 * One line, with or without its newline; 0, or -EBADMSG for anything that
 * ps_brief_write does not write.
 */
int ps_brief_parse(const char *line, size_t length, struct ps_brief *out);

/* PS_BRIEF_FILE in there, of PS_BRIEF_LINE_MAX bytes at most; 0 or
 * -ENAMETOOLONG. */
int ps_brief_path(const char *directory, char *out);

/* Append it to PS_BRIEF_FILE in an existing directory; 0 or -errno, and then
 * the file may have part of the line. */
int ps_brief_leave(const struct ps_brief *brief, const char *directory);

#endif /* PS_RECORD_BRIEF_H */
