/* SPDX-License-Identifier: MIT */
/*
 * room - how much more memory this process could get
 *
 * "80% of limit" needs a limit that means the end when it is reached.  So each
 * bound is asked for what is left below it, whoever used the rest, and the
 * tightest counts; the limit of the heap (or of the resident set) is then what
 * it has now plus that room.  Near the end it is the bound's own, and it takes
 * into account what the obvious reading, live bytes over the configured number,
 * does not: address space that libraries and reservations use, other processes
 * of the same cgroup, a machine that others fill.
 *
 *   address space  RLIMIT_AS less the size of the process
 *   cgroup         v2 memory.max or v1 memory.limit_in_bytes of the group and
 *                  of each group around it, less its usage without inactive
 *                  file pages (the kernel takes those back first)
 *   machine        MemAvailable and free swap
 *
 * Costs: three to ten small files of /proc and /sys, each opened, read and
 * closed; 30 to 100 us.  No allocation.  One thread at a time per object.
 */
#ifndef PS_MONITOR_ROOM_H
#define PS_MONITOR_ROOM_H

#include "base/base.h"

enum {
	PS_ROOM_GROUPS = 6, /* nested groups that have a limit */
	PS_ROOM_PATH_MAX = 512,
	PS_ROOM_LINES_MAX = 4096,
	PS_ROOM_FILE_MAX = 16384,
};

enum ps_room_bound {
	PS_ROOM_UNBOUNDED,
	PS_ROOM_ADDRESS_SPACE,
	PS_ROOM_CGROUP,
	PS_ROOM_MACHINE,
};

struct ps_room {
	enum ps_room_bound bound;
	uint64_t bytes; /* UINT64_MAX when unbounded */
};

/* Where to ask. */
struct ps_room_source {
	char
	    root[PS_ROOM_PATH_MAX]; /* before /proc and /sys; "" but in tests */
	struct {
		char path[PS_ROOM_PATH_MAX];
		bool is_v2;
	} group[PS_ROOM_GROUPS];
	uint32_t groups;
	/* Scratch, too big for a host's stack. */
	char path[PS_ROOM_PATH_MAX + 40];
	char group_path[PS_ROOM_PATH_MAX];
	char lines[PS_ROOM_LINES_MAX];
	char file[PS_ROOM_FILE_MAX];
};

/* Find the groups that have a limit now; again when they may have changed. */
void ps_room_find(struct ps_room_source *s, const char *root);

void ps_room_measure(struct ps_room_source *s, struct ps_room *out);

/* "address space", "cgroup", "machine", "unbounded". */
const char *ps_room_bound_name(enum ps_room_bound bound);

/* Sizes of this process, of /proc/self/statm; 0 or -errno. */
struct ps_process_size {
	uint64_t address_bytes;
	uint64_t resident_bytes;
};
int ps_process_size(struct ps_process_size *out);

#endif /* PS_MONITOR_ROOM_H */
