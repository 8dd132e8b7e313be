/* SPDX-License-Identifier: MIT */
/*
 * symbols - names for addresses, from whoever can give them
 */
#include <string.h>

#include "report/symbol_elf.h"
#include "report/symbols.h"

struct none {
	struct ps_symbols base; /* first */
	const struct ps_reader *reader;
};
_Static_assert(offsetof(struct none, base) == 0, "base is cast to it");

static bool
resolve_none(struct ps_symbols *self, uint32_t row, struct ps_symbol *out)
{
	const struct none *none = (const struct none *)self;
	const struct ps_record_frame *frame =
	    ps_reader_entry(none->reader, PS_TABLE_FRAMES, row);

	*out = (struct ps_symbol){.module = "?"};
	if (frame != NULL)
		out->offset = frame->pc;
	return false;
}

struct ps_symbols *
ps_symbols_none(struct ps_scratch *scratch, const struct ps_reader *reader)
{
	struct none *none = ps_scratch_alloc(scratch, sizeof(*none));

	if (none == NULL)
		return NULL;
	none->base.resolve = resolve_none;
	none->reader = reader;
	return &none->base;
}

/* redis-server may be a link to redis-check-rdb, sh to dash, g++ to g++-12. */
const char *
ps_module_name(const struct ps_reader *reader,
	       const struct ps_record_module *module)
{
	const struct ps_record_process *process = &reader->header->process;
	const char *path = ps_reader_string(reader, module->path);
	const char *name = ps_reader_string(reader, process->name);

	if (name[0] != '\0' &&
	    strcmp(path, ps_reader_string(reader, process->exe)) == 0)
		return name;
	return ps_base_name(path)[0] != '\0' ? ps_base_name(path) : "?";
}

void
ps_symbol_put_name(struct ps_text *t, const struct ps_symbol *s)
{
	PS_ASSERT(s->module != NULL);
	if (s->function != NULL)
		ps_text_str(t, s->function);
	else
		ps_text_printf(t, "%s+0x%lx", s->module,
			       (unsigned long)s->offset);
}

static void
add_frame(struct ps_symbols *symbols, uint32_t frame,
	  struct ps_stack_names *out)
{
	struct ps_symbol s;
	const struct ps_symbol *at = &s;

	(void)symbols->resolve(symbols, frame, &s);
	for (; at != NULL && out->count < PS_STACK_NAMES_MAX;
	     at = at->inlined_into)
		out->at[out->count++] = *at;
}

void
ps_stack_names(const struct ps_reader *reader, struct ps_symbols *symbols,
	       const struct ps_record_site *site, struct ps_stack_names *out)
{
	uint32_t frames[PS_STACK_DEPTH_MAX];
	uint32_t depth = ps_reader_stack(reader, site, frames);

	PS_ASSERT(depth <= PS_STACK_DEPTH_MAX);
	out->count = 0;
	for (uint32_t i = 0; i < depth; i++)
		add_frame(symbols, frames[i], out);
}
