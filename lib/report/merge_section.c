/* SPDX-License-Identifier: MIT */
/*
 * merge_section - sections and their times in one recording of several
 *
 * A section is the same when its name is, or its function where it has none.
 */
#include <string.h>

#include "report/merger.h"

uint32_t
ps_merger_section(const struct ps_merger *m, uint32_t section)
{
	return section < m->from->count[PS_TABLE_SECTIONS]
		   ? m->section_of[section]
		   : UINT32_MAX;
}

static void
add_section(struct ps_merger *m, uint32_t index)
{
	const struct ps_record_section *from =
	    ps_reader_entry(m->from, PS_TABLE_SECTIONS, index);
	struct ps_record_section *to;
	struct {
		uint32_t name;
		uint32_t function; /* all without a name have the same one */
	} key = {.name = ps_merger_string(m, from->name)};
	uint32_t function = ps_once(from->function);
	uint32_t row;
	bool is_new;

	if (function != 0 && function <= m->from->count[PS_TABLE_FRAMES])
		key.function = m->frame_of[function - 1] + 1;
	m->section_of[index] =
	    ps_merger_known(m, &m->sections, &key, sizeof(key), &is_new);
	if (!is_new)
		return;
	to = ps_merger_add(m, PS_TABLE_SECTIONS, 1, &row);
	PS_ASSERT(row == m->section_of[index]);
	*to = *from;
	to->name = key.name;
	to->function = key.function;
	to->file = ps_merger_string(m, from->file);
}

static void
add_stats(struct ps_merger *m, uint32_t index)
{
	const struct ps_record_section_stats *from =
	    ps_reader_row(m->from, PS_TABLE_SECTION_STATS, index);
	struct ps_record_section_stats *to;
	uint32_t section = from == NULL ? UINT32_MAX : ps_once(from->section);

	if (section >= m->from->count[PS_TABLE_SECTIONS] ||
	    ps_peek(&from->thread) == UINT32_MAX)
		return;
	to = ps_merger_add(m, PS_TABLE_SECTION_STATS, 1, &index);
	memcpy(to, from, sizeof(*to));
	to->section = m->section_of[section];
	if (ps_peek(&to->thread) != 0)
		ps_poke(&to->ended_threads, 1);
	ps_poke(&to->thread, 0);
}

/* Every row has a place, since others name it as their parent. */
static void
add_nodes(struct ps_merger *m)
{
	uint32_t count = m->from->count[PS_TABLE_SECTION_NODES];
	uint32_t first;

	(void)ps_merger_add(m, PS_TABLE_SECTION_NODES, count, &first);
	for (uint32_t i = 0; i < count; i++) {
		const struct ps_record_section_node *from =
		    ps_reader_row(m->from, PS_TABLE_SECTION_NODES, i);
		struct ps_record_section_node *to =
		    ps_merger_row(m, PS_TABLE_SECTION_NODES, first + i);
		bool is_counted =
		    from != NULL && ps_peek(&from->thread) != UINT32_MAX;
		uint32_t parent;

		if (from == NULL)
			from =
			    ps_reader_entry(m->from, PS_TABLE_SECTION_NODES, i);
		memcpy(to, from, sizeof(*to));
		parent = ps_peek(&to->parent);
		to->section = ps_merger_section(m, to->section);
		ps_poke(&to->parent,
			parent < count ? first + parent : UINT32_MAX);
		ps_poke(&to->thread, is_counted ? 0 : UINT32_MAX);
	}
}

void
ps_merger_add_sections(struct ps_merger *m)
{
	for (uint32_t i = 0; i < m->from->count[PS_TABLE_SECTIONS]; i++)
		add_section(m, i);
}

void
ps_merger_add_times(struct ps_merger *m)
{
	for (uint32_t i = 0; i < m->from->count[PS_TABLE_SECTION_STATS]; i++)
		add_stats(m, i);
	add_nodes(m);
}
