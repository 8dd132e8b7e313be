/* SPDX-License-Identifier: MIT */
/*
 * small - the lines of small processes in a directory, added up by executable
 *
 * A tree has many small processes but few executables, so groups are found by
 * going through them.
 */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "base/text.h"
#include "report/small.h"

enum {
	GROUPS_MOST = 1024,
	FILE_BYTES_MAX = 1 << 30, /* ten million lines */
};

static struct ps_small_group *
group_of(struct ps_small *s, const char *exe, struct ps_scratch *scratch)
{
	struct ps_small_group *g;

	PS_ASSERT(s->count <= GROUPS_MOST);
	for (uint32_t i = 0; i < s->count; i++)
		if (strcmp(s->groups[i].exe, exe) == 0)
			return &s->groups[i];
	if (s->count == GROUPS_MOST)
		return &s->groups[GROUPS_MOST - 1];
	g = &s->groups[s->count];
	/* The last place is for all that find none of their own. */
	g->exe = s->count == GROUPS_MOST - 1 ? "(others)"
					     : ps_scratch_strdup(scratch, exe);
	if (g->exe == NULL)
		return NULL;
	s->count++;
	return g;
}

static void
add(struct ps_small_group *g, const struct ps_brief *b)
{
	g->processes++;
	g->failed += b->exit_code > 0;
	g->left += b->exit_code < 0 && b->max_rss_bytes == 0;
	PS_ASSERT(g->failed + g->left <= g->processes);
	g->allocations += b->allocations;
	g->requested_bytes += b->requested_bytes;
	g->user_ns += b->user_ns;
	g->greatest_wall_ns = PS_MAX(g->greatest_wall_ns, b->wall_ns);
	g->greatest_peak_bytes = PS_MAX(g->greatest_peak_bytes, b->peak_bytes);
	g->greatest_rss_bytes = PS_MAX(g->greatest_rss_bytes, b->max_rss_bytes);
}

/* Room for so many more: for groups all at once, for starts twice as many as
 * there are, at least. */
static int
make_room(struct ps_small *s, size_t lines, struct ps_scratch *scratch)
{
	size_t room = PS_MAX(s->start_count + lines, 2 * s->start_count);
	struct ps_small_start *starts;

	if (s->groups == NULL)
		s->groups =
		    ps_scratch_alloc(scratch, GROUPS_MOST * sizeof(*s->groups));
	if (s->groups == NULL)
		return -ENOMEM;
	if (s->start_count + lines <= s->start_room)
		return 0;
	starts = ps_scratch_alloc(scratch, room * sizeof(*starts));
	if (starts == NULL)
		return -ENOMEM;
	if (s->start_count > 0)
		memcpy(starts, s->starts, s->start_count * sizeof(*starts));
	ps_scratch_release(s->starts, s->start_room * sizeof(*starts));
	s->starts = starts;
	s->start_room = room;
	return 0;
}

int
ps_small_add(struct ps_small *s, const struct ps_brief *b,
	     struct ps_scratch *scratch)
{
	struct ps_small_group *g;

	if (make_room(s, 1, scratch) != 0)
		return -ENOMEM;
	g = group_of(s, b->exe, scratch);
	if (g == NULL)
		return -ENOMEM;
	add(g, b);
	s->processes++;
	PS_ASSERT(s->start_count < s->start_room);
	s->starts[s->start_count++] =
	    (struct ps_small_start){b->start_real_ns, b->pid, b->ppid};
	return 0;
}

static size_t
count_lines(const char *text, size_t length)
{
	size_t lines = 1;

	for (const char *at = text;
	     (at = memchr(at, '\n', length - (size_t)(at - text))) != NULL;
	     at++)
		lines++;
	return lines;
}

static int
add_lines(struct ps_small *s, const char *text, size_t length,
	  struct ps_scratch *scratch)
{
	const char *end = text + length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline == NULL ? end : newline;
		struct ps_brief b;

		if (ps_brief_parse(text, (size_t)(stop - text), &b) != 0)
			s->broken++;
		else if (ps_small_add(s, &b, scratch) != 0)
			return -ENOMEM;
		text = stop + 1;
	}
	return 0;
}

int
ps_small_read(struct ps_small *s, const char *directory,
	      struct ps_scratch *scratch)
{
	char path[PS_BRIEF_LINE_MAX];
	const void *text;
	size_t length;
	int error = ps_brief_path(directory, path);

	PS_ASSERT(s->groups != NULL || s->count == 0);
	if (error != 0)
		return error;
	error = ps_os_map_regular(path, 1, FILE_BYTES_MAX, &text, &length);
	if (error != 0)
		return error == -ENOENT || error == -ENODATA ? 0 : error;
	error = make_room(s, count_lines(text, length), scratch);
	if (error == 0)
		error = add_lines(s, text, length, scratch);
	PS_ASSERT(s->start_count == s->processes);
	/* Const is for the readers of a mapping; this one is ours. */
	(void)ps_os_unmap((void *)text, length);
	return error;
}

const struct ps_small_group *
ps_small_find(const struct ps_small *s, const char *exe)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (strcmp(s->groups[i].exe, exe) == 0)
			return &s->groups[i];
	return NULL;
}

bool
ps_small_follows(const struct ps_small *s, int32_t pid, uint64_t real_ns)
{
	for (size_t i = 0; i < s->start_count; i++)
		if (s->starts[i].pid == pid && s->starts[i].real_ns >= real_ns)
			return true;
	return false;
}

int32_t
ps_small_parent(const struct ps_small *s, int32_t pid, uint64_t real_ns)
{
	const struct ps_small_start *last = NULL;

	for (size_t i = 0; i < s->start_count; i++) {
		const struct ps_small_start *x = &s->starts[i];

		if (x->pid == pid && x->real_ns <= real_ns &&
		    (last == NULL || x->real_ns > last->real_ns))
			last = x;
	}
	return last == NULL ? 0 : last->ppid;
}
