/* SPDX-License-Identifier: MIT */
/*
 * cli_live - the recordings of a directory while processes come and go
 *
 * Bounded: the PS_LIVE_MAX that began last; the others are counted.  Looking
 * again costs one read of the directory and, for each recording, a look at its
 * header: the processes notice nothing.
 */
#ifndef PS_REPORT_CLI_LIVE_H
#define PS_REPORT_CLI_LIVE_H

#include <sys/types.h>

#include "monitor/window.h"
#include "record/reader.h"

enum { PS_LIVE_MAX = 200 };

struct ps_live_node {
	char *path;
	dev_t device;
	ino_t inode;
	struct ps_reader reader; /* counts as of the last refresh */
	bool is_gone;		 /* its process does not run any more */
	/* A later recording has the same pid and name: exec, or a pid that
	 * came again. */
	bool is_superseded;
	bool was_seen; /* by the refresh under way */
};

struct ps_live {
	const char *path; /* a directory, or one recording */
	struct ps_live_node node[PS_LIVE_MAX]; /* newest first */
	int count;
	int left_out;
	bool is_readable; /* the path was, last time */
};

void ps_live_init(struct ps_live *l, const char *path);
/* What is there now; 0, or -errno when the path cannot be read. */
int ps_live_refresh(struct ps_live *l);
void ps_live_close(struct ps_live *l);

/* The last one of that pid, or NULL. */
const struct ps_live_node *ps_live_find(const struct ps_live *l, int pid);

#endif /* PS_REPORT_CLI_LIVE_H */
