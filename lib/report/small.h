/* SPDX-License-Identifier: MIT */
/*
 * small - the lines of small processes in a directory, added up by executable
 */
#ifndef PS_REPORT_SMALL_H
#define PS_REPORT_SMALL_H

#include "base/scratch.h"
#include "record/brief.h"

struct ps_small_group {
	const char *exe;
	uint32_t processes;
	uint32_t failed; /* that did not exit with 0, as far as is known */
	uint32_t left;	 /* images that called exec: no status, no peak RSS */
	uint64_t allocations;
	uint64_t requested_bytes;
	uint64_t user_ns;
	uint64_t greatest_wall_ns;
	uint64_t greatest_peak_bytes;
	uint64_t greatest_rss_bytes;
};

struct ps_small_start {
	uint64_t real_ns;
	int32_t pid;
	int32_t ppid;
};

struct ps_small {
	struct ps_small_group *groups; /* in the order of first sight */
	uint32_t count;
	struct ps_small_start *starts; /* of each process, in no order */
	size_t start_count;
	size_t start_room;
	uint32_t processes; /* of all groups */
	uint32_t broken;    /* lines that are none */
};

/*
 * Add the lines of DIRECTORY's PS_BRIEF_FILE; memory is the scratch's.  0, also
 * when there is no such file, or -errno.
 */
int ps_small_read(struct ps_small *s, const char *directory,
		  struct ps_scratch *scratch);

/* Add one that was read elsewhere; 0 or -ENOMEM. */
int ps_small_add(struct ps_small *s, const struct ps_brief *brief,
		 struct ps_scratch *scratch);

/* NULL: no small process of that executable. */
const struct ps_small_group *ps_small_find(const struct ps_small *s,
					   const char *exe);

/* Whether a small process of that pid started then or later: what follows in
 * one pid is the program that the one before it has exec'd. */
bool ps_small_follows(const struct ps_small *s, int32_t pid, uint64_t real_ns);

/* The parent of the last small process of that pid that started until then; 0:
 * there is none. */
int32_t ps_small_parent(const struct ps_small *s, int32_t pid,
			uint64_t real_ns);

#endif /* PS_REPORT_SMALL_H */
