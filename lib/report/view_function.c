/* SPDX-License-Identifier: MIT */
/*
 * view_function - sections that are functions without a mark; a part of view
 *
 * The recording has where they are, and whoever knows symbols what they are
 * called.
 */
#include <errno.h>

#include "report/view_section.h"

/* Once a section; a section with a name keeps it. */
static int
name_function(const struct ps_view *v, struct ps_symbols *symbols,
	      struct ps_scratch *scratch, uint32_t section,
	      struct ps_symbol *known)
{
	const struct ps_record_section *row =
	    ps_reader_entry(v->reader, PS_TABLE_SECTIONS, section);
	uint32_t function = row == NULL ? 0 : ps_once(row->function);
	struct ps_symbol symbol;
	char name[512];
	struct ps_text text;

	if (function == 0 || known[section].function != NULL)
		return 0;
	(void)symbols->resolve(symbols, function - 1, &symbol);
	ps_text_init(&text, name, sizeof(name), -1);
	ps_symbol_put_name(&text, &symbol);
	symbol.function = ps_scratch_strdup(scratch, name);
	known[section] = symbol;
	return symbol.function == NULL ? -ENOMEM : 0;
}

static void
use_names(struct ps_view *v, const struct ps_symbol *known)
{
	for (uint32_t i = 0; i < v->section_count; i++) {
		struct ps_view_section *s = &v->sections[i];
		const struct ps_symbol *symbol = &known[s->index];

		PS_ASSERT(s->index < v->reader->count[PS_TABLE_SECTIONS]);
		PS_ASSERT(s->slow_count <= PS_SECTION_SLOWEST);
		for (uint32_t k = 0; k < s->slow_count; k++) {
			struct ps_view_slow_call *call = &s->slow[k];

			if (call->parent == NULL)
				continue;
			PS_ASSERT(call->parent_index <
				  v->reader->count[PS_TABLE_SECTIONS]);
			if (known[call->parent_index].function != NULL)
				call->parent =
				    known[call->parent_index].function;
		}
		if (symbol->function == NULL)
			continue;
		s->name = symbol->function;
		s->file = symbol->file == NULL ? "" : symbol->file;
		s->line = symbol->line;
	}
	for (uint32_t i = 0; i < v->node_count; i++)
		if (known[v->nodes[i].section].function != NULL)
			v->nodes[i].name = known[v->nodes[i].section].function;
}

int
ps_view_name_functions(struct ps_view *v, struct ps_symbols *symbols,
		       struct ps_scratch *scratch)
{
	const struct ps_reader *r = v->reader;
	uint32_t rows = r->count[PS_TABLE_SECTIONS];
	struct ps_symbol *known =
	    ps_scratch_array(scratch, rows, sizeof(*known));
	int error = 0;

	PS_ASSERT(v->section_count <= rows);
	if (symbols == NULL)
		symbols = ps_symbols_none(scratch, r);
	if (known == NULL || symbols == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < rows && error == 0; i++)
		error = name_function(v, symbols, scratch, i, known);
	if (error == 0)
		use_names(v, known);
	return error;
}
