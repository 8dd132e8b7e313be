/* SPDX-License-Identifier: MIT */
/*
 * cli_symbols_dw - names, files and lines through elfutils; perfreport only
 *
 * Each module of the recording is reported to libdwfl at the address where it
 * was mapped, when the file that is there now has the recorded build-id.  The
 * standard callbacks find separate debug files in the usual places.  debuginfod
 * is switched off: a report must not reach for the network.
 */
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>

#include "report/cli_symbols_dw.h"
#include "report/symbol_elf.h"

char *__cxa_demangle(const char *name, char *buffer, size_t *bytes,
		     int *status);

struct resolver {
	struct ps_symbols base; /* first */
	struct ps_symbols *fallback;
	const struct ps_reader *reader;
	Dwfl *dwfl;
	Dwfl_Module **modules; /* by row; NULL: not to be had */
	char **names;	       /* demangled, to be freed; by frame */
};

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
};

static bool
is_same_build(Dwfl_Module *module, const struct ps_record_module *m)
{
	const unsigned char *id;
	GElf_Addr address;
	int bytes;

	if (m->build_id_bytes == 0)
		return true;
	/* The main file must have been opened for its notes to be known. */
	if (dwfl_module_getelf(module, &address) == NULL)
		return false;
	bytes = dwfl_module_build_id(module, &id, &address);
	return bytes == (int)m->build_id_bytes &&
	       memcmp(id, m->build_id, (size_t)bytes) == 0;
}

static void
report_module(struct resolver *r, uint32_t row)
{
	const struct ps_record_module *m =
	    ps_reader_entry(r->reader, PS_TABLE_MODULES, row);
	const char *path = ps_reader_string(r->reader, m->path);
	Dwfl_Module *module;

	if (path[0] != '/')
		return;
	module = dwfl_report_elf(r->dwfl, path, path, -1, m->bias, false);
	if (module != NULL && is_same_build(module, m))
		r->modules[row] = module;
}

static const char *
demangled(struct resolver *r, uint32_t frame, const char *name)
{
	int status = -1;

	if (name == NULL || name[0] != '_' || name[1] != 'Z')
		return name;
	if (r->names[frame] == NULL)
		r->names[frame] = __cxa_demangle(name, NULL, NULL, &status);
	return r->names[frame] != NULL ? r->names[frame] : name;
}

static bool
resolve(struct ps_symbols *self, uint32_t row, struct ps_symbol *out)
{
	struct resolver *r = (struct resolver *)self;
	const struct ps_record_frame *frame =
	    ps_reader_entry(r->reader, PS_TABLE_FRAMES, row);
	Dwfl_Module *module;
	Dwfl_Line *line;
	const char *name;
	Dwarf_Addr pc;
	int number;

	*out = (struct ps_symbol){.module = "?"};
	if (r->fallback != NULL)
		(void)r->fallback->resolve(r->fallback, row, out);
	if (frame == NULL ||
	    frame->module >= r->reader->count[PS_TABLE_MODULES])
		return false;
	module = r->modules[frame->module];
	if (module == NULL)
		return true;
	pc = frame->pc - !(frame->flags & PS_FRAME_LEAF);
	name = dwfl_module_addrname(module, pc);
	if (name != NULL)
		out->function = demangled(r, row, name);
	line = dwfl_module_getsrc(module, pc);
	if (line != NULL) {
		out->file =
		    dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL);
		out->line = number > 0 ? (uint32_t)number : 0;
	}
	if (out->file != NULL)
		out->file = ps_base_name(out->file);
	return true;
}

struct ps_symbols *
ps_symbols_dw(const struct ps_reader *reader, struct ps_symbols *fallback)
{
	struct resolver *r = calloc(1, sizeof(*r));
	uint32_t modules = reader->count[PS_TABLE_MODULES];

	if (r == NULL)
		return NULL;
	(void)unsetenv("DEBUGINFOD_URLS");
	r->base.resolve = resolve;
	r->fallback = fallback;
	r->reader = reader;
	r->modules = calloc((size_t)modules + 1, sizeof(*r->modules));
	r->names = calloc((size_t)reader->count[PS_TABLE_FRAMES] + 1,
			  sizeof(*r->names));
	r->dwfl = dwfl_begin(&callbacks);
	if (r->modules == NULL || r->names == NULL || r->dwfl == NULL) {
		ps_symbols_dw_close(&r->base);
		return NULL;
	}
	dwfl_report_begin(r->dwfl);
	for (uint32_t row = 0; row < modules; row++)
		report_module(r, row);
	(void)dwfl_report_end(r->dwfl, NULL, NULL);
	return &r->base;
}

void
ps_symbols_dw_close(struct ps_symbols *symbols)
{
	struct resolver *r = (struct resolver *)symbols;

	if (r == NULL)
		return;
	for (uint32_t i = 0;
	     r->names != NULL && i < r->reader->count[PS_TABLE_FRAMES]; i++)
		free(r->names[i]);
	if (r->dwfl != NULL)
		dwfl_end(r->dwfl);
	free(r->names);
	free(r->modules);
	free(r);
}
