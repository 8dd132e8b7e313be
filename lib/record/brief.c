/* SPDX-License-Identifier: MIT */
/*
 * brief - the line that a process too small for a recording leaves
 *
 * Readers find the line's end and its fields by themselves and take nothing on
 * trust: a line that a full disk cut is told apart by its missing fields, and
 * whatever follows it up to the next newline is lost with it.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/os.h"
#include "record/brief.h"
#include "record/fold.h"

static const char mark[] = "1\t"; /* the version of the line */

static uint64_t
sum_of_row(const struct ps_record_thread *row, uint64_t *requested)
{
	if (row == NULL)
		return 0;
	*requested += ps_peek(&row->issued_bytes) - ps_peek(&row->bytes_left);
	return ps_peek(&row->allocations);
}

static const char *
string_at(const struct ps_record_header *r, uint32_t offset)
{
	return (const char *)r + r->table[PS_TABLE_STRINGS].offset + offset;
}

void
ps_brief_take(const struct ps_record_header *r, struct ps_brief *out)
{
	uint32_t rows = ps_peek(&r->table[PS_TABLE_THREADS].count);
	struct ps_text exe;

	*out = (struct ps_brief){
	    .pid = r->process.pid,
	    .ppid = r->process.ppid,
	    .exit_code = ps_peek(&r->process.exit_code),
	    .start_real_ns = r->process.start_real_ns,
	    .wall_ns = ps_peek(&r->clock.last_ns) - r->clock.start_ns,
	    .user_ns = ps_peek(&r->process.user_ns),
	    .system_ns = ps_peek(&r->process.system_ns),
	    .max_rss_bytes = ps_peek(&r->process.max_rss_bytes),
	    .peak_bytes = ps_peek(r->sampling.mode == PS_SAMPLE_ALL
				      ? &r->heap.sampled_peak_bytes
				      : &r->heap.peak_bytes),
	};
	for (uint32_t i = 0; i < rows; i++)
		out->allocations +=
		    sum_of_row(ps_fold_entry(r, PS_TABLE_THREADS, i),
			       &out->requested_bytes);
	ps_text_init(&exe, out->exe, sizeof(out->exe), -1);
	ps_text_printable(&exe, string_at(r, r->process.exe));
	PS_ASSERT(strchr(out->exe, '\t') == NULL);
}

bool
ps_brief_is_small(const struct ps_record_header *r,
		  const struct ps_brief *brief)
{
	return brief->requested_bytes < PS_BRIEF_BYTES &&
	       ps_peek(&r->table[PS_TABLE_SECTION_STATS].count) == 0 &&
	       ps_peek(&r->watch.alerts) == 0;
}

void
ps_brief_write(const struct ps_brief *b, struct ps_text *t)
{
	const uint64_t figures[] = {
	    b->start_real_ns, b->wall_ns,    b->user_ns,     b->system_ns,
	    b->max_rss_bytes, b->peak_bytes, b->allocations, b->requested_bytes,
	};

	ps_text_str(t, mark);
	ps_text_printf(t, "%d\t%d\t%d\t", b->pid, b->ppid, b->exit_code);
	for (unsigned i = 0; i < PS_COUNT(figures); i++)
		ps_text_printf(t, "%lu\t", figures[i]);
	ps_text_printf(t, "%s\n", b->exe);
}

/* Decimal digits up to a tab, which is taken, too; false for all else. */
static bool
take_number(const char **at, const char *end, uint64_t most, uint64_t *out)
{
	uint64_t value = 0;
	const char *c = *at;

	for (; c < end && *c >= '0' && *c <= '9'; c++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
			return false;
	if (c == *at || c == end || *c != '\t' || value > most)
		return false;
	*at = c + 1;
	*out = value;
	return true;
}

/* The same of -1, or a number that an int holds. */
static bool
take_int(const char **at, const char *end, int32_t *out)
{
	uint64_t value;

	if (end - *at >= 3 && memcmp(*at, "-1\t", 3) == 0) {
		*at += 3;
		*out = -1;
		return true;
	}
	if (!take_number(at, end, INT32_MAX, &value))
		return false;
	*out = (int32_t)value;
	return true;
}

static bool
take_figures(const char **at, const char *end, struct ps_brief *b)
{
	uint64_t *const figures[] = {
	    &b->start_real_ns, &b->wall_ns,	    &b->user_ns,
	    &b->system_ns,     &b->max_rss_bytes,   &b->peak_bytes,
	    &b->allocations,   &b->requested_bytes,
	};

	for (unsigned i = 0; i < PS_COUNT(figures); i++)
		if (!take_number(at, end, UINT64_MAX, figures[i]))
			return false;
	return true;
}

int
ps_brief_parse(const char *line, size_t length, struct ps_brief *out)
{
	const char *at = line;
	const char *end = line + length;
	struct ps_brief b = {0};
	size_t rest;

	if (length > 0 && end[-1] == '\n')
		end--;
	if ((size_t)(end - at) < sizeof(mark) ||
	    memcmp(at, mark, sizeof(mark) - 1) != 0)
		return -EBADMSG;
	at += sizeof(mark) - 1;
	if (!take_int(&at, end, &b.pid) || !take_int(&at, end, &b.ppid) ||
	    !take_int(&at, end, &b.exit_code) || !take_figures(&at, end, &b))
		return -EBADMSG;
	rest = (size_t)(end - at);
	if (rest == 0 || rest >= sizeof(b.exe) || memchr(at, '\t', rest) ||
	    memchr(at, '\0', rest))
		return -EBADMSG;
	memcpy(b.exe, at, rest);
	*out = b;
	return 0;
}

/* A pipe is no place for it, and the limit of files would cut the line. */
static bool
has_room(int fd, size_t bytes)
{
	struct stat st;

	return ps_os_fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size + bytes <= ps_os_limit(RLIMIT_FSIZE);
}

int
ps_brief_path(const char *directory, char *out)
{
	struct ps_text t;

	ps_text_init(&t, out, PS_BRIEF_LINE_MAX, -1);
	ps_text_printf(&t, "%s/" PS_BRIEF_FILE, directory);
	return t.cut > 0 ? -ENAMETOOLONG : 0;
}

int
ps_brief_leave(const struct ps_brief *brief, const char *directory)
{
	char room[PS_BRIEF_LINE_MAX]; /* for the path, then for the line */
	struct ps_text t;
	ssize_t put;
	int fd = ps_brief_path(directory, room);

	if (fd < 0)
		return fd;
	fd = ps_os_open_lines(room);
	if (fd < 0)
		return fd;
	ps_text_init(&t, room, sizeof(room), -1);
	ps_brief_write(brief, &t);
	PS_ASSERT(t.cut == 0);
	put = has_room(fd, t.length) ? ps_os_write(fd, room, t.length) : -EFBIG;
	(void)ps_os_close(fd);
	if (put < 0)
		return (int)put;
	return (size_t)put == t.length ? 0 : -ENOSPC;
}
