/* SPDX-License-Identifier: MIT */
/*
 * paths - stacks as sequences of named places, equal ones with one number
 *
 * A frame is named once and remembered as its places (several, when functions
 * are inlined), so that a path costs the copying of numbers: a full recording
 * has 2 million frames in its stacks and 262144 different ones.
 */
#include <errno.h>
#include <string.h>

#include "report/paths.h"

enum { NAME_BYTES = 4096, PLACES_MAX = PS_STACK_NAMES_MAX + 1 };

struct frame {
	uint32_t *places; /* NULL: not named yet */
	uint32_t count;
};

struct ps_paths {
	struct ps_scratch *scratch;
	ps_paths_namer *namer;
	struct ps_intern places; /* name -> struct ps_symbol */
	struct ps_intern paths;	 /* places -> value of the caller's */
	/* Of the recording in use: */
	const struct ps_reader *reader;
	struct ps_symbols *symbols;
	struct frame *frames;
	bool has_root;
	uint32_t root;
	uint32_t built[PLACES_MAX];
};

struct ps_paths *
ps_paths_new(struct ps_scratch *scratch, ps_paths_namer *namer,
	     size_t value_bytes)
{
	struct ps_paths *p = ps_scratch_alloc(scratch, sizeof(*p));

	PS_ASSERT(value_bytes > 0); /* ps_paths_value wants one */
	if (p == NULL)
		return NULL;
	p->scratch = scratch;
	p->namer = namer;
	ps_intern_init(&p->places, scratch, true, sizeof(struct ps_symbol));
	ps_intern_init(&p->paths, scratch, true, value_bytes);
	return p;
}

static int
name_place(struct ps_paths *p, const struct ps_symbol *s, uint32_t *place)
{
	char name[NAME_BYTES];
	struct ps_text text;
	int known;

	ps_text_init(&text, name, sizeof(name), -1);
	p->namer(&text, s);
	known = ps_intern(&p->places, name, text.length, place);
	if (known == 1)
		*(struct ps_symbol *)ps_intern_value(&p->places, *place) = *s;
	return known < 0 ? known : 0;
}

int
ps_paths_use(struct ps_paths *p, const struct ps_reader *reader,
	     struct ps_symbols *symbols, const char *root)
{
	struct ps_symbol s = {.function = root, .module = ""};
	uint32_t frames = reader->count[PS_TABLE_FRAMES];

	PS_ASSERT(symbols != NULL && symbols->resolve != NULL);
	p->reader = reader;
	p->symbols = symbols;
	p->frames = ps_scratch_array(p->scratch, frames, sizeof(*p->frames));
	p->has_root = root != NULL;
	if (p->frames == NULL)
		return -ENOMEM;
	if (!p->has_root)
		return 0;
	s.function = ps_scratch_strdup(p->scratch, root);
	return s.function == NULL ? -ENOMEM : name_place(p, &s, &p->root);
}

static int
name_frame(struct ps_paths *p, uint32_t row, struct frame *frame)
{
	struct ps_symbol s;
	const struct ps_symbol *at = &s;
	uint32_t count = 0;

	(void)p->symbols->resolve(p->symbols, row, &s);
	for (; at != NULL && count < PS_STACK_NAMES_MAX; at = at->inlined_into)
		count++;
	frame->places =
	    ps_scratch_alloc(p->scratch, count * sizeof(*frame->places));
	if (frame->places == NULL)
		return -ENOMEM;
	at = &s;
	for (frame->count = 0; frame->count < count; frame->count++) {
		if (name_place(p, at, &frame->places[frame->count]) != 0)
			return -ENOMEM;
		at = at->inlined_into;
	}
	return 0;
}

/* A row that is not there is one unknown place, whatever its number. */
static int
add_frame(struct ps_paths *p, uint32_t row, uint32_t *length)
{
	uint32_t rows = p->reader->count[PS_TABLE_FRAMES];
	struct frame *frame = &p->frames[PS_MIN(row, rows)];
	uint32_t room = PS_STACK_NAMES_MAX - *length;
	uint32_t taken;

	PS_ASSERT(*length <= PS_STACK_NAMES_MAX);
	if (frame->places == NULL && name_frame(p, row, frame) != 0)
		return -ENOMEM;
	taken = PS_MIN(frame->count, room);
	memcpy(p->built + *length, frame->places, taken * sizeof(*p->built));
	*length += taken;
	return 0;
}

int
ps_paths_add(struct ps_paths *p, const struct ps_record_site *site,
	     uint32_t *path)
{
	static const struct ps_symbol no_stack = {.function = "(no stack)",
						  .module = ""};
	uint32_t frames[PS_STACK_DEPTH_MAX];
	uint32_t depth = ps_reader_stack(p->reader, site, frames);
	uint32_t length = 0;
	int known;

	PS_ASSERT(p->reader != NULL);
	for (uint32_t i = 0; i < depth; i++)
		if (add_frame(p, frames[i], &length) != 0)
			return -ENOMEM;
	if (depth == 0 && name_place(p, &no_stack, &p->built[length++]) != 0)
		return -ENOMEM;
	if (p->has_root)
		p->built[length++] = p->root;
	PS_ASSERT(length > 0 && length <= PLACES_MAX);
	known =
	    ps_intern(&p->paths, p->built, length * sizeof(*p->built), path);
	return known < 0 ? known : 0;
}

uint32_t
ps_paths_count(const struct ps_paths *p)
{
	return p->paths.count;
}

const uint32_t *
ps_paths_places(const struct ps_paths *p, uint32_t path, uint32_t *count)
{
	PS_ASSERT(path < p->paths.count);
	*count = p->paths.keys[path].length / (uint32_t)sizeof(uint32_t);
	return p->paths.keys[path].bytes;
}

void *
ps_paths_value(const struct ps_paths *p, uint32_t path)
{
	return ps_intern_value(&p->paths, path);
}

uint32_t
ps_paths_place_count(const struct ps_paths *p)
{
	return p->places.count;
}

const struct ps_symbol *
ps_paths_symbol(const struct ps_paths *p, uint32_t place)
{
	return ps_intern_value(&p->places, place);
}
