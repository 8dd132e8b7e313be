/* SPDX-License-Identifier: MIT */
/*
 * merge - several recordings of one program as one recording
 *
 * Modules are the same when path and build-id are, wherever they were mapped;
 * a frame is a module and an address in its file.  Each module gets a range of
 * addresses of its own.  Rows of threads, sites and section times are copied
 * as they are, with their references changed: readers add them up anyway, and
 * the view finds those that share a stack or a path of sections.  Threads of
 * several processes are told apart by name, those that are the first of their
 * process and others.
 *
 * The header begins as that of the first recording, so what is not named here
 * (the machine, the mode) is the first one's.
 */
#include <errno.h>
#include <string.h>

#include "record/plan.h"
#include "report/merge.h"
#include "report/merge_header.h"
#include "report/merger.h"

enum { MODULE_GAP = 1 << 20 };

struct frame_key {
	uint64_t address;
	uint32_t module;
	uint32_t flags;
};
_Static_assert(sizeof(struct frame_key) == 16, "no padding in a key");

void *
ps_merger_row(const struct ps_merger *m, enum ps_table_id id, uint32_t index)
{
	const struct ps_record_table *t = &m->h->table[id];

	PS_ASSERT(id < PS_TABLES && index <= t->capacity);
	return (char *)m->h + t->offset + (uint64_t)index * t->entry_bytes;
}

uint32_t
ps_merger_room(const struct ps_merger *m, enum ps_table_id id)
{
	const struct ps_record_table *t = &m->h->table[id];

	PS_ASSERT(ps_peek(&t->count) <= t->capacity);
	return t->capacity - ps_peek(&t->count);
}

void *
ps_merger_add(struct ps_merger *m, enum ps_table_id id, uint32_t entries,
	      uint32_t *index)
{
	struct ps_record_table *t = &m->h->table[id];
	uint32_t at = ps_peek(&t->count);

	PS_ASSERT(entries <= ps_merger_room(m, id));
	ps_poke(&t->count, at + entries);
	*index = at;
	return ps_merger_row(m, id, at);
}

uint32_t
ps_merger_known(struct ps_merger *m, struct ps_intern *set, const void *key,
		size_t bytes, bool *is_new)
{
	uint32_t number = 0;
	int found = ps_intern(set, key, bytes, &number);

	if (found < 0)
		m->is_out_of_memory = true;
	*is_new = found == 1;
	return number;
}

/* Of a damaged recording, names may share bytes, and need more room apart than
 * they had: those that find none are "", and counted. */
uint32_t
ps_merger_string(struct ps_merger *m, uint32_t offset)
{
	const char *text = ps_reader_string(m->from, offset);
	uint32_t length = (uint32_t)strnlen(text, INT32_MAX - 1);
	uint32_t *value;
	uint32_t number;
	bool is_new;

	number = ps_merger_known(m, &m->strings, text, length, &is_new);
	if (m->is_out_of_memory)
		return 0;
	value = ps_intern_value(&m->strings, number);
	if (is_new && length < ps_merger_room(m, PS_TABLE_STRINGS))
		memcpy(ps_merger_add(m, PS_TABLE_STRINGS, length + 1, value),
		       text, length); /* the zero behind it is there */
	else if (is_new)
		ps_bump(&m->h->table[PS_TABLE_STRINGS].dropped, 1);
	return *value;
}

/* ---- places ---- */

static void
add_module(struct ps_merger *m, uint32_t index)
{
	const struct ps_record_module *from =
	    ps_reader_entry(m->from, PS_TABLE_MODULES, index);
	struct ps_record_module *to;
	uint32_t row;
	struct {
		uint32_t path;
		uint32_t bytes;
		uint8_t id[sizeof(from->build_id)];
	} key = {.path = ps_merger_string(m, from->path),
		 .bytes = ps_reader_id_bytes(from)};
	_Static_assert(sizeof(key) == 8 + sizeof(key.id), "no padding");
	bool is_new;

	memcpy(key.id, from->build_id, key.bytes);
	m->module_of[index] =
	    ps_merger_known(m, &m->modules, &key, sizeof(key), &is_new);
	if (!is_new)
		return;
	to = ps_merger_add(m, PS_TABLE_MODULES, 1, &row);
	PS_ASSERT(row == m->module_of[index]);
	*to = *from;
	to->path = key.path;
	to->build_id_bytes = key.bytes;
	to->start = m->next_module_start;
	to->bias = to->start - (from->start - from->bias);
	to->end = to->start + (from->end - from->start) % ((uint64_t)1 << 40);
	m->next_module_start =
	    PS_ROUND_UP(to->end, (uint64_t)PS_RECORD_ALIGN) + MODULE_GAP;
}

static void
add_frame(struct ps_merger *m, uint32_t index)
{
	const struct ps_record_frame *from =
	    ps_reader_entry(m->from, PS_TABLE_FRAMES, index);
	uint32_t index_of_module = ps_once(from->module);
	const struct ps_record_module *module =
	    ps_reader_entry(m->from, PS_TABLE_MODULES, index_of_module);
	struct frame_key key = {from->pc, UINT32_MAX, from->flags};
	struct ps_record_frame *to;
	uint32_t row;
	bool is_new;

	if (module != NULL) {
		key.module = m->module_of[index_of_module];
		key.address -= module->bias;
	}
	m->frame_of[index] =
	    ps_merger_known(m, &m->frames, &key, sizeof(key), &is_new);
	if (!is_new)
		return;
	to = ps_merger_add(m, PS_TABLE_FRAMES, 1, &row);
	PS_ASSERT(row == m->frame_of[index]);
	*to = *from;
	to->module = key.module;
	if (module == NULL || m->is_out_of_memory)
		return;
	module = ps_merger_row(m, PS_TABLE_MODULES, key.module);
	to->pc = key.address + module->bias;
}

static void
add_site(struct ps_merger *m, uint32_t index)
{
	const struct ps_record_site *from =
	    ps_reader_entry(m->from, PS_TABLE_SITES, index);
	uint64_t epoch = ps_peek(&m->from->header->heap.peak_epoch);
	struct ps_record_site *to = ps_merger_add(m, PS_TABLE_SITES, 1, &index);
	uint32_t frames[PS_STACK_DEPTH_MAX];
	uint32_t depth = ps_reader_stack(m->from, from, frames);
	uint32_t room = ps_merger_room(m, PS_TABLE_STACK_FRAMES);
	uint32_t first;
	uint32_t *places;
	uint32_t thread = ps_once(from->thread);

	depth = PS_MIN(depth, room); /* who writes may have changed it */
	places = ps_merger_add(m, PS_TABLE_STACK_FRAMES, depth, &first);
	*to = *from;
	to->first_frame = first;
	to->depth = (uint16_t)depth;
	for (uint32_t i = 0; i < depth; i++)
		places[i] = frames[i] < m->from->count[PS_TABLE_FRAMES]
				? m->frame_of[frames[i]]
				: UINT32_MAX;
	to->thread = thread < PS_LABEL_THREADS ? m->label_of[thread] : 0;
	to->section = ps_merger_section(m, ps_once(from->section));
	if (ps_peek(&from->peak_epoch) != epoch) {
		ps_poke(&to->peak_allocations,
			ps_peek(&from->live_allocations));
		ps_poke(&to->peak_bytes, ps_peek(&from->live_bytes));
	}
	ps_poke(&to->peak_epoch, ps_peek(&m->h->heap.peak_epoch));
}

/* ---- threads and sections ---- */

/* The row that is its label; those rows come first, and count nothing. */
static uint32_t
label_of(struct ps_merger *m, uint32_t index)
{
	const struct ps_record_thread *from =
	    ps_reader_entry(m->from, PS_TABLE_THREADS, index);
	struct ps_record_thread *label;
	struct {
		uint32_t row;
		char name[sizeof(from->name)];
	} key = {.row = m->processes == 1 ? index : index == 1};
	_Static_assert(sizeof(key) == 4 + sizeof(key.name), "no padding");
	uint32_t number;
	bool is_new;

	if (from == NULL || index == 0)
		return 0;
	memcpy(key.name, from->name, sizeof(key.name));
	number = ps_merger_known(m, &m->labels, &key, sizeof(key), &is_new) + 1;
	if (m->is_out_of_memory || number >= PS_LABEL_THREADS)
		return 0;
	label = ps_merger_row(m, PS_TABLE_THREADS, number);
	if (is_new)
		memcpy(label->name, from->name, sizeof(label->name));
	return number;
}

static void
add_threads(struct ps_merger *m)
{
	uint32_t count = m->from->count[PS_TABLE_THREADS];
	uint32_t index;

	for (uint32_t i = 0; i < PS_LABEL_THREADS; i++)
		m->label_of[i] = label_of(m, i);
	for (uint32_t i = 0; i < count; i++) {
		const struct ps_record_thread *from =
		    ps_reader_row(m->from, PS_TABLE_THREADS, i);
		struct ps_record_thread *to =
		    ps_merger_add(m, PS_TABLE_THREADS, 1, &index);

		if (from != NULL)
			memcpy(to, from, sizeof(*to));
		else
			memset(to, 0, sizeof(*to));
	}
}

/* ---- all of it ---- */

static uint32_t *
numbers(struct ps_merger *m, uint32_t count)
{
	return ps_scratch_alloc(m->scratch, count * sizeof(uint32_t));
}

static bool
add_recording(struct ps_merger *m, const struct ps_reader *from)
{
	m->from = from;
	m->module_of = numbers(m, from->count[PS_TABLE_MODULES]);
	m->frame_of = numbers(m, from->count[PS_TABLE_FRAMES]);
	m->section_of = numbers(m, from->count[PS_TABLE_SECTIONS]);
	if (m->module_of == NULL || m->frame_of == NULL ||
	    m->section_of == NULL)
		return false;
	for (uint32_t i = 0; i < from->count[PS_TABLE_MODULES]; i++)
		add_module(m, i);
	for (uint32_t i = 0; i < from->count[PS_TABLE_FRAMES]; i++)
		add_frame(m, i);
	ps_merger_add_sections(m);
	add_threads(m);
	for (uint32_t i = 0; i < from->count[PS_TABLE_SITES]; i++)
		add_site(m, i);
	ps_merger_add_times(m);
	return !m->is_out_of_memory;
}

static int
begin(struct ps_merger *m, const struct ps_reader *const *readers,
      uint32_t count, struct ps_scratch *scratch)
{
	struct ps_record_table tables[PS_TABLES];
	uint64_t bytes;
	uint32_t label;
	char *memory;

	if (ps_merge_plan(tables, readers, count, &bytes) != 0)
		return -ENOMEM;
	memory = ps_scratch_alloc(scratch, bytes + PS_CACHE_LINE);
	if (memory == NULL)
		return -ENOMEM;
	*m = (struct ps_merger){
	    .h = (void *)PS_ROUND_UP((uintptr_t)memory,
				     (uintptr_t)PS_CACHE_LINE),
	    .processes = count,
	    .scratch = scratch,
	    .next_module_start = MODULE_GAP,
	};
	memcpy(m->h, readers[0]->header, sizeof(*m->h));
	memset(&m->h->timeline, 0, sizeof(m->h->timeline));
	/* What the first was about to fold is a row of its own tables. */
	memset(&m->h->fold, 0, sizeof(m->h->fold));
	memcpy(m->h->table, tables, sizeof(tables));
	m->h->file_bytes = bytes;
	ps_poke(&m->h->heap.peak_ticks, 0);
	ps_poke(&m->h->process.exit_code, -1);
	ps_intern_init(&m->strings, scratch, false, sizeof(uint32_t));
	ps_intern_init(&m->modules, scratch, true, 0);
	ps_intern_init(&m->frames, scratch, true, 0);
	ps_intern_init(&m->sections, scratch, true, 0);
	ps_intern_init(&m->labels, scratch, true, 0);
	(void)ps_merger_add(m, PS_TABLE_THREADS, PS_LABEL_THREADS, &label);
	return 0;
}

static void
add_first_strings(struct ps_merger *m)
{
	struct ps_record_process *p = &m->h->process;

	(void)ps_merger_string(m, UINT32_MAX); /* "" at 0 */
	p->exe = ps_merger_string(m, p->exe);
	p->name = ps_merger_string(m, p->name);
	p->library = ps_merger_string(m, p->library);
	p->cpu_model = ps_merger_string(m, p->cpu_model);
	m->h->sampling.stacks_off =
	    ps_merger_string(m, m->h->sampling.stacks_off);
	m->h->own_malloc = ps_merger_string(m, m->h->own_malloc);
}

int
ps_merge(const struct ps_reader *const *readers, uint32_t count,
	 struct ps_scratch *scratch, struct ps_reader *out)
{
	struct ps_merger m;
	double step_s;
	int error;

	PS_ASSERT(count > 0);
	if (begin(&m, readers, count, scratch) != 0)
		return -ENOMEM;
	m.from = readers[0];
	add_first_strings(&m);
	step_s = ps_merge_clock(m.h, readers, count);
	for (uint32_t i = 0; i < count; i++) {
		if (!add_recording(&m, readers[i]))
			return -ENOMEM;
		ps_merge_timeline(m.h, readers[0], readers[i], step_s);
		if (i > 0)
			ps_merge_header(m.h, readers[i]->header);
	}
	error = ps_reader_attach(out, m.h, m.h->file_bytes, NULL);
	if (error == 0)
		out->merged = count;
	return error;
}
