/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/os.h"
#include "base/text.h"
#include "monitor/room.h"

enum { PAGE_BYTES = 4096 }; /* of x86-64, in statm */
/* v1 writes "no limit" as a number just below 2^63. */
static const uint64_t no_limit_bytes = UINT64_C(1) << 60;

const char *
ps_room_bound_name(enum ps_room_bound bound)
{
	static const char *const names[] = {"unbounded", "address space",
					    "cgroup", "machine"};
	_Static_assert(PS_COUNT(names) == PS_ROOM_MACHINE + 1, "one name each");

	PS_ASSERT((unsigned)bound < PS_COUNT(names));
	return names[bound];
}

/* ---- reading numbers ---------------------------------------------------- */

/* Decimal digits behind blanks; *end is what follows.  False without any. */
static bool
read_number(const char *text, uint64_t *out, const char **end)
{
	uint64_t value = 0;
	const char *at = text;

	while (*at == ' ' || *at == '\t')
		at++;
	text = at;
	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'),
					   &value))
			return false;
	if (at == text)
		return false;
	*out = value;
	*end = at;
	return true;
}

/* DIRECTORY/NAME, read into the buffer; false when it cannot be. */
static bool
read_file(struct ps_room_source *s, const char *directory, const char *name)
{
	struct ps_text text;

	ps_text_init(&text, s->path, sizeof(s->path), -1);
	ps_text_printf(&text, "%s/%s", directory, name);
	return text.cut == 0 &&
	       ps_os_slurp(s->path, s->file, sizeof(s->file)) >= 0;
}

static bool
read_value(struct ps_room_source *s, const char *directory, const char *name,
	   uint64_t *out)
{
	const char *end;

	return read_file(s, directory, name) && read_number(s->file, out, &end);
}

/* The number behind the word that starts a line of the buffer. */
static bool
find_value(const struct ps_room_source *s, const char *word, uint64_t *out)
{
	size_t length = strlen(word);
	const char *line = s->file;
	const char *end;

	while (line != NULL && *line != '\0') {
		if (strncmp(line, word, length) == 0)
			return read_number(line + length, out, &end);
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	return false;
}

/* ---- this process ------------------------------------------------------- */

int
ps_process_size(struct ps_process_size *out)
{
	char line[128];
	const char *at = line;
	uint64_t pages;
	uint64_t resident;
	ssize_t got = ps_os_slurp("/proc/self/statm", line, sizeof(line));

	if (got < 0)
		return (int)got;
	if (!read_number(at, &pages, &at) || !read_number(at, &resident, &at))
		return -EPROTO;
	out->address_bytes = pages * PAGE_BYTES;
	out->resident_bytes = resident * PAGE_BYTES;
	return 0;
}

/* ---- cgroups ------------------------------------------------------------ */

static const char *
limit_file(bool is_v2)
{
	return is_v2 ? "memory.max" : "memory.limit_in_bytes";
}

static void
add_group(struct ps_room_source *s, const char *path, bool is_v2)
{
	uint64_t limit;

	_Static_assert(sizeof(s->group[0].path) >= sizeof(s->group_path),
		       "any path that was asked");
	if (s->groups == PS_ROOM_GROUPS ||
	    !read_value(s, path, limit_file(is_v2), &limit) ||
	    limit >= no_limit_bytes)
		return;
	memcpy(s->group[s->groups].path, path, strlen(path) + 1);
	s->group[s->groups].is_v2 = is_v2;
	s->groups++;
}

/* The group and each one around it, up to where the hierarchy is mounted. */
static void
add_groups(struct ps_room_source *s, const char *mount, const char *group,
	   bool is_v2)
{
	char *path = s->group_path;
	struct ps_text text;
	size_t mount_length;
	char *slash;

	ps_text_init(&text, path, sizeof(s->group_path), -1);
	ps_text_printf(&text, "%s%s", s->root, mount);
	mount_length = text.length;
	ps_text_str(&text, strcmp(group, "/") == 0 ? "" : group);
	if (text.cut != 0)
		return;
	for (;;) {
		add_group(s, path, is_v2);
		slash = strrchr(path, '/');
		if (slash == NULL || (size_t)(slash - path) < mount_length)
			return;
		*slash = '\0';
	}
}

/* Whether the word stands between from and to. */
static bool
is_named(const char *from, const char *to, const char *word)
{
	size_t length = strlen(word);

	PS_ASSERT(from <= to);
	for (; (size_t)(to - from) >= length; from++)
		if (strncmp(from, word, length) == 0)
			return true;
	return false;
}

/* "4:memory:/path" or "0::/path"; the text is cut at the line's end. */
static void
add_line(struct ps_room_source *s, const char *line)
{
	const char *controllers = strchr(line, ':');
	const char *group =
	    controllers == NULL ? NULL : strchr(controllers + 1, ':');

	if (group == NULL)
		return;
	if (strncmp(line, "0::", 3) == 0) {
		add_groups(s, "/sys/fs/cgroup", group + 1, true);
		add_groups(s, "/sys/fs/cgroup/unified", group + 1, true);
	} else if (is_named(controllers, group, "memory")) {
		add_groups(s, "/sys/fs/cgroup/memory", group + 1, false);
	}
}

void
ps_room_find(struct ps_room_source *s, const char *root)
{
	struct ps_text text;
	char *line = s->lines;
	char *end;

	s->groups = 0;
	if (root != s->root) {
		ps_text_init(&text, s->root, sizeof(s->root), -1);
		ps_text_str(&text, root);
	}
	ps_text_init(&text, s->path, sizeof(s->path), -1);
	ps_text_printf(&text, "%s/proc/self/cgroup", s->root);
	if (ps_os_slurp(s->path, s->lines, sizeof(s->lines)) < 0)
		return;
	for (; *line != '\0'; line = end + 1) {
		end = strchrnul(line, '\n');
		if (*end == '\0') {
			add_line(s, line);
			return;
		}
		*end = '\0';
		add_line(s, line);
	}
}

/* ---- room --------------------------------------------------------------- */

static void
tighten(struct ps_room *room, enum ps_room_bound bound, uint64_t limit,
	uint64_t used)
{
	uint64_t bytes = limit > used ? limit - used : 0;

	PS_ASSERT(bound != PS_ROOM_UNBOUNDED);
	if (bytes >= room->bytes)
		return;
	room->bound = bound;
	room->bytes = bytes;
}

static void
ask_group(struct ps_room_source *s, uint32_t i, struct ps_room *room)
{
	const char *path = s->group[i].path;
	bool is_v2 = s->group[i].is_v2;
	uint64_t limit;
	uint64_t used;
	uint64_t inactive;

	if (!read_value(s, path, limit_file(is_v2), &limit) ||
	    limit >= no_limit_bytes ||
	    !read_value(s, path,
			is_v2 ? "memory.current" : "memory.usage_in_bytes",
			&used))
		return;
	if (read_file(s, path, "memory.stat") &&
	    find_value(s, is_v2 ? "inactive_file " : "total_inactive_file ",
		       &inactive))
		used -= PS_MIN(used, inactive);
	tighten(room, PS_ROOM_CGROUP, limit, used);
}

static void
ask_machine(struct ps_room_source *s, struct ps_room *room)
{
	uint64_t available;
	uint64_t swap = 0;

	if (!read_file(s, s->root, "proc/meminfo") ||
	    !find_value(s, "MemAvailable:", &available))
		return;
	(void)find_value(s, "SwapFree:", &swap);
	tighten(room, PS_ROOM_MACHINE, (available + swap) * 1024, 0);
}

void
ps_room_measure(struct ps_room_source *s, struct ps_room *out)
{
	uint64_t limit = ps_os_limit(RLIMIT_AS);
	struct ps_process_size size;

	*out = (struct ps_room){PS_ROOM_UNBOUNDED, UINT64_MAX};
	if (limit != UINT64_MAX && ps_process_size(&size) == 0)
		tighten(out, PS_ROOM_ADDRESS_SPACE, limit, size.address_bytes);
	PS_ASSERT(s->groups <= PS_ROOM_GROUPS);
	for (uint32_t i = 0; i < s->groups; i++)
		ask_group(s, i, out);
	ask_machine(s, out);
	PS_ASSERT((out->bound == PS_ROOM_UNBOUNDED) ==
		  (out->bytes == UINT64_MAX));
}
