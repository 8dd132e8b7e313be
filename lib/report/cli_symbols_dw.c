/* SPDX-License-Identifier: MIT */
/*
 * cli_symbols_dw - names, files and lines through elfutils; perfreport only
 *
 * The function at an address is named by the symbol table, because that names
 * it without debug information too; files, lines and what was inlined come from
 * DWARF: the scopes at the address, innermost first, each with the line at
 * which it was called in the next.  An answer is kept for each frame.
 */
#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/cli_demangle.h"
#include "report/cli_jit.h"
#include "report/cli_module.h"
#include "report/cli_scope.h"
#include "report/cli_symbols_dw.h"
#include "report/intern.h"
#include "report/symbol_elf.h"

/* A damaged recording may name thousands of files. */
enum { NOTES_MAX = 5, NOTE_BYTES = 4096 };

struct module {
	bool is_tried;
	const char *name;
	struct ps_module *file; /* NULL: names nothing */
};

struct resolver {
	struct ps_symbols base; /* first */
	const struct ps_reader *reader;
	struct ps_scratch scratch;
	struct module *modules; /* by row */
	uint32_t module_count;
	const struct ps_symbol **known; /* by frame; NULL: not asked yet */
	struct ps_scopes *scopes;
	struct ps_jit_map *jit; /* NULL: no names of code without a module */
	struct ps_intern demangled; /* address of a linker's name -> ours */
	/* The last file's, since neighbours have the same. */
	const char *directory;
	const char *path_there;
	const char *path;
	unsigned notes;
};
_Static_assert(offsetof(struct resolver, base) == 0, "cast from its base");

void
ps_symbols_dw_init(bool is_network_allowed)
{
	if (!is_network_allowed)
		(void)unsetenv("DEBUGINFOD_URLS");
	else if (getenv("DEBUGINFOD_URLS") == NULL)
		fputs("perfreport: --debuginfod: DEBUGINFOD_URLS names no "
		      "server\n",
		      stderr);
}

/* ---- modules ---- */

static void
note(struct resolver *r, const char *path, const char *why)
{
	char line[NOTE_BYTES];
	struct ps_text text;

	if (r->notes++ >= NOTES_MAX)
		return;
	ps_text_init(&text, line, sizeof(line), -1);
	ps_text_printable(&text, path);
	fprintf(stderr, "perfreport: %s %s: its functions have no names here\n",
		line, why);
}

static struct module *
module_of(struct resolver *r, uint32_t row)
{
	const struct ps_record_module *m =
	    ps_reader_entry(r->reader, PS_TABLE_MODULES, row);
	struct module *module;
	const char *path;
	const char *why;

	if (m == NULL)
		return NULL;
	module = &r->modules[row];
	if (module->is_tried)
		return module;
	module->is_tried = true;
	path = ps_reader_string(r->reader, m->path);
	module->name = ps_module_name(r->reader, m);
	if (path[0] != '/')
		return module;
	module->file = ps_module_open(&r->scratch, m, path, &why);
	if (module->file == NULL)
		note(r, path, why);
	return module;
}

/* ---- files and lines ---- */

static void
set_file(struct resolver *r, Dwarf_Die *unit, const char *path, int line,
	 struct ps_symbol *out)
{
	Dwarf_Attribute memory;
	const char *directory;
	struct ps_text text;
	char joined[4096];

	if (path == NULL || line <= 0)
		return;
	out->line = (uint32_t)line;
	out->file = ps_base_name(path);
	out->path = path;
	if (path[0] == '/')
		return;
	directory = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &memory));
	if (directory == NULL)
		return;
	if (r->directory != directory || r->path_there != path) {
		ps_text_init(&text, joined, sizeof(joined), -1);
		ps_text_printf(&text, "%s/%s", directory, path);
		r->path = ps_scratch_strdup(&r->scratch, joined);
		r->directory = directory;
		r->path_there = path;
	}
	out->path = r->path;
}

static void
set_line_of_address(struct resolver *r, Dwarf_Die *unit, Dwarf_Addr address,
		    struct ps_symbol *out)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	int number = 0;

	if (line == NULL || dwarf_lineno(line, &number) != 0)
		return;
	set_file(r, unit, dwarf_linesrc(line, NULL, NULL), number, out);
}

static Dwarf_Word
number_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute memory;
	Dwarf_Word value = 0;

	if (dwarf_formudata(dwarf_attr(die, name, &memory), &value) != 0)
		return 0;
	return value;
}

/* Where an inlined function was called. */
static void
set_line_of_call(struct resolver *r, Dwarf_Die *unit, Dwarf_Die *inlined,
		 struct ps_symbol *out)
{
	Dwarf_Files *files;
	size_t count;
	Dwarf_Word file = number_of(inlined, DW_AT_call_file);

	if (dwarf_getsrcfiles(unit, &files, &count) != 0 || file >= count)
		return;
	set_file(r, unit, dwarf_filesrc(files, file, NULL, NULL),
		 (int)number_of(inlined, DW_AT_call_line), out);
}

/* Many frames are in one function. */
static const char *
readable(struct resolver *r, const char *linkage)
{
	uint32_t number;
	int is_new =
	    ps_intern(&r->demangled, &linkage, sizeof(linkage), &number);
	const char **name;

	if (is_new < 0)
		return linkage;
	name = ps_intern_value(&r->demangled, number);
	if (is_new)
		*name = ps_demangle(&r->scratch, linkage);
	PS_ASSERT(*name != NULL);
	return *name;
}

static void
set_function(struct resolver *r, Dwarf_Die *die, struct ps_symbol *out)
{
	Dwarf_Attribute memory;
	const char *linkage;
	int line;

	if (dwarf_decl_line(die, &line) == 0 && line > 0)
		out->first_line = (uint32_t)line;
	if (out->function != NULL)
		return;
	linkage = dwarf_formstring(
	    dwarf_attr_integrate(die, DW_AT_linkage_name, &memory));
	if (linkage == NULL)
		linkage = dwarf_diename(die);
	if (linkage == NULL)
		return;
	out->linkage = linkage;
	out->function = readable(r, linkage);
}

/* ---- one frame ---- */

/*
 * From the scopes at the address, innermost first, to symbols: `outer` is the
 * function that the symbol table has there.  Returns the innermost.
 */
static struct ps_symbol *
take_scopes(struct resolver *r, Dwarf_Die *unit, Dwarf_Die *scopes, int count,
	    struct ps_symbol *outer)
{
	struct ps_symbol *first = outer;
	struct ps_symbol *last = NULL;
	struct ps_symbol line = *outer;

	PS_ASSERT(outer->inlined_into == NULL);
	for (int i = 0; i < count; i++) {
		int tag = dwarf_tag(&scopes[i]);
		struct ps_symbol *s = outer;

		if (tag == DW_TAG_subprogram) {
			set_function(r, &scopes[i], outer);
			break;
		}
		if (tag != DW_TAG_inlined_subroutine)
			continue;
		s = ps_scratch_alloc(&r->scratch, sizeof(*s));
		if (s == NULL)
			break;
		*s = line;
		s->function = s->linkage = NULL;
		set_function(r, &scopes[i], s);
		s->inlined_into = outer;
		if (last == NULL)
			first = s;
		else
			last->inlined_into = s;
		last = s;
		line.path = line.file = NULL;
		line.line = 0;
		set_line_of_call(r, unit, &scopes[i], &line);
	}
	PS_ASSERT(last == NULL ? first == outer : last->inlined_into == outer);
	outer->path = line.path;
	outer->file = line.file;
	outer->line = line.line;
	return first;
}

static struct ps_symbol *
ask_dwarf(struct resolver *r, struct ps_module *file, Dwarf_Addr address,
	  struct ps_symbol *outer)
{
	Dwarf_Addr bias = 0;
	Dwarf_Die *unit = ps_module_unit(file, address, &bias);
	Dwarf_Die scopes[PS_SCOPES_MAX];
	int count;

	if (unit == NULL)
		return outer;
	set_line_of_address(r, unit, address - bias, outer);
	count = ps_scopes_at(r->scopes, unit, address - bias, scopes);
	return take_scopes(r, unit, scopes, count, outer);
}

/* A return address may be that of the next function. */
static uint64_t
address_in(const struct ps_record_frame *frame)
{
	return frame->pc - !(frame->flags & PS_FRAME_LEAF);
}

static const struct ps_symbol *
look_up(struct resolver *r, const struct ps_record_frame *frame)
{
	const struct ps_record_module *m =
	    ps_reader_entry(r->reader, PS_TABLE_MODULES, frame->module);
	struct module *module = module_of(r, frame->module);
	struct ps_symbol *out = ps_scratch_alloc(&r->scratch, sizeof(*out));

	if (out == NULL)
		return NULL;
	out->module = "?";
	out->offset = frame->pc;
	if (module == NULL) {
		out->function = ps_jit_map_name(r->jit, address_in(frame));
		if (out->function != NULL)
			out->module = "[jit]";
		return out;
	}
	PS_ASSERT(m != NULL && module->is_tried && module->name != NULL);
	out->module = module->name;
	out->offset = address_in(frame) - m->bias;
	if (module->file == NULL)
		return out;
	out->linkage = ps_module_function(module->file, out->offset);
	if (out->linkage != NULL)
		out->function = readable(r, out->linkage);
	return ask_dwarf(r, module->file, out->offset, out);
}

static bool
resolve(struct ps_symbols *self, uint32_t row, struct ps_symbol *out)
{
	struct resolver *r = (struct resolver *)self;
	const struct ps_record_frame *frame =
	    ps_reader_entry(r->reader, PS_TABLE_FRAMES, row);

	*out = (struct ps_symbol){.module = "?"};
	if (frame == NULL)
		return false;
	if (r->known[row] == NULL)
		r->known[row] = look_up(r, frame);
	if (r->known[row] != NULL)
		*out = *r->known[row];
	PS_ASSERT(out->module != NULL);
	return frame->module < r->reader->count[PS_TABLE_MODULES];
}

struct ps_symbols *
ps_symbols_dw(const struct ps_reader *reader)
{
	struct resolver *r = calloc(1, sizeof(*r));
	uint32_t modules = reader->count[PS_TABLE_MODULES];
	uint32_t frames = reader->count[PS_TABLE_FRAMES];

	if (r == NULL)
		return NULL;
	r->base.resolve = resolve;
	r->reader = reader;
	r->module_count = modules;
	ps_scratch_init(&r->scratch, 0);
	r->modules =
	    ps_scratch_array(&r->scratch, modules, sizeof(*r->modules));
	r->known = ps_scratch_array(&r->scratch, frames, sizeof(*r->known));
	r->scopes = ps_scopes_new(&r->scratch);
	r->jit = ps_jit_open(&r->scratch, reader);
	ps_intern_init(&r->demangled, &r->scratch, true, sizeof(char *));
	if (r->modules != NULL && r->known != NULL && r->scopes != NULL)
		return &r->base;
	ps_symbols_dw_close(&r->base);
	return NULL;
}

void
ps_symbols_dw_close(struct ps_symbols *symbols)
{
	struct resolver *r = (struct resolver *)symbols;

	if (r == NULL)
		return;
	PS_ASSERT(symbols->resolve == resolve && r->reader != NULL);
	PS_ASSERT(r->module_count == r->reader->count[PS_TABLE_MODULES]);
	for (uint32_t i = 0; r->modules != NULL && i < r->module_count; i++)
		if (r->modules[i].file != NULL)
			ps_module_close(r->modules[i].file);
	ps_scratch_fini(&r->scratch);
	free(r);
}
