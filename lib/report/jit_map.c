/* SPDX-License-Identifier: MIT */
/*
 * jit_map - names of code that a program made at run time, from a map for perf
 *
 * A line "START SIZE NAME" (hexadecimal) for each piece of code, as told in
 * perf's jit-interface.txt; what is no such line is passed over.
 *
 * Code moves, and its place is used again: of two entries that hold an address
 * the later line counts.  Entries are sorted by where they begin, and each
 * knows how far those before it reach, so that a search can stop.
 */
#include <stdlib.h>
#include <string.h>

#include "report/jit_map.h"

enum { NAME_BYTES_MAX = 1000, BACK_MAX = 10000 };

struct entry {
	uint64_t start;
	uint64_t end;
	uint64_t reach; /* the largest end up to here */
	uint32_t line;
	uint32_t bytes; /* of the name */
	const char *name;
};

struct ps_jit_map {
	struct ps_scratch *scratch;
	struct entry *entries;
	size_t count;
};

/* A hexadecimal number and one blank; NULL: there is none. */
static const char *
take_number(const char *at, const char *end, uint64_t *out)
{
	const char *begin = at;
	uint64_t value = 0;

	PS_ASSERT(at <= end);
	if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
		begin = at += 2;
	for (; at < end; at++) {
		char c = *at;
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			break;
		if (value >> 60 != 0)
			return NULL;
		value = value << 4 | (unsigned)digit;
	}
	if (at == begin || at == end || *at != ' ')
		return NULL;
	*out = value;
	return at + 1;
}

static bool
parse_line(const char *at, const char *end, struct entry *out)
{
	uint64_t bytes;

	at = take_number(at, end, &out->start);
	if (at == NULL)
		return false;
	at = take_number(at, end, &bytes);
	if (at == NULL || at == end || bytes == 0 ||
	    bytes > UINT64_MAX - out->start)
		return false;
	out->end = out->start + bytes;
	out->name = at;
	out->bytes =
	    (uint32_t)PS_MIN((size_t)(end - at), (size_t)NAME_BYTES_MAX);
	return true;
}

static int
by_start(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

static size_t
count_lines(const char *text, size_t bytes)
{
	size_t lines = 1;

	for (size_t i = 0; i < bytes; i++)
		lines += text[i] == '\n';
	return lines;
}

struct ps_jit_map *
ps_jit_map_parse(struct ps_scratch *scratch, const char *text, size_t bytes)
{
	struct ps_jit_map *map = ps_scratch_alloc(scratch, sizeof(*map));
	const char *end = text + bytes;
	uint64_t reach = 0;

	if (map == NULL || bytes == 0)
		return NULL;
	map->scratch = scratch;
	map->entries = ps_scratch_alloc(scratch, count_lines(text, bytes) *
						     sizeof(*map->entries));
	if (map->entries == NULL)
		return NULL;
	for (uint32_t line = 0; text < end; line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		struct entry *e = &map->entries[map->count];

		PS_ASSERT(map->count <= line); /* so there is room */
		stop = stop == NULL ? end : stop;
		e->line = line;
		map->count += parse_line(text, stop, e);
		text = stop + (stop < end);
	}
	qsort(map->entries, map->count, sizeof(*map->entries), by_start);
	for (size_t i = 0; i < map->count; i++) {
		PS_DEBUG_ASSERT(i == 0 || map->entries[i - 1].start <=
					      map->entries[i].start);
		reach = PS_MAX(reach, map->entries[i].end);
		map->entries[i].reach = reach;
	}
	return map->count > 0 ? map : NULL;
}

const char *
ps_jit_map_name(const struct ps_jit_map *map, uint64_t address)
{
	const struct entry *best = NULL;
	size_t low = 0;
	size_t high = map == NULL ? 0 : map->count;
	char *name;

	while (low < high) { /* the first that begins behind the address */
		size_t middle = low + (high - low) / 2;

		if (map->entries[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (int back = 0;
	     back < BACK_MAX && low-- > 0 && map->entries[low].reach > address;
	     back++) {
		const struct entry *e = &map->entries[low];

		PS_ASSERT(e->start <= address);
		if (e->end > address && (best == NULL || e->line > best->line))
			best = e;
	}
	if (best == NULL)
		return NULL;
	PS_ASSERT(best->bytes <= NAME_BYTES_MAX);
	name = ps_scratch_alloc(map->scratch, best->bytes + 1);
	if (name != NULL)
		memcpy(name, best->name, best->bytes);
	return name;
}
