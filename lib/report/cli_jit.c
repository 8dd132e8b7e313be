/* SPDX-License-Identifier: MIT */
/*
 * cli_jit - the map that a just-in-time compiler left of its code
 *
 * `node --perf-basic-prof`, Java's DumpPerfMapAtExit and others write
 * /tmp/perf-PID.map for perf.  Anybody may put a file there, and another
 * process may have had the number.  So the file must be this user's, no link,
 * and last written between the process's start and a little after the
 * recording's last moment.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/cli_jit.h"

enum {
	MAP_BYTES_MAX = 256 << 20,
	LATE_S = 60, /* it may be written after the recording's end */
};

static bool
is_of_this_run(const struct stat *st, const struct ps_reader *reader)
{
	const struct ps_record_process *p = &reader->header->process;
	const struct ps_record_clock *clock = &reader->header->clock;
	uint64_t ran_ns = ps_peek(&clock->last_ns) - p->start_mono_ns;
	uint64_t written_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000u +
			      (uint64_t)st->st_mtim.tv_nsec;
	uint64_t since_ns = written_ns - p->start_real_ns;

	return written_ns >= p->start_real_ns &&
	       since_ns <= ran_ns + (uint64_t)LATE_S * 1000000000u;
}

struct ps_jit_map *
ps_jit_open(struct ps_scratch *scratch, const struct ps_reader *reader)
{
	struct ps_jit_map *map = NULL;
	struct stat st;
	char path[64];
	void *text;
	int fd;

	_Static_assert(MAP_BYTES_MAX < 0x7ffff000, "one read takes it whole");
	if (reader->header->process.pid <= 0) /* several processes' */
		return NULL;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map",
		 (int)reader->header->process.pid);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && st.st_size > 0 &&
	    st.st_size <= MAP_BYTES_MAX && is_of_this_run(&st, reader)) {
		text = ps_scratch_alloc(scratch, (size_t)st.st_size);
		if (text != NULL &&
		    read(fd, text, (size_t)st.st_size) == st.st_size)
			map =
			    ps_jit_map_parse(scratch, text, (size_t)st.st_size);
	}
	(void)close(fd);
	return map;
}
