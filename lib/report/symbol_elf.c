/* SPDX-License-Identifier: MIT */
/*
 * symbol_elf - function names out of ELF symbol tables, without a library
 *
 * For the exit report, inside the process: maps a module's file, checks that
 * its build-id is the recorded one, takes the full symbol table if it has one
 * (static functions too), else the dynamic one, or that of a separate debug
 * file under /usr/lib/debug/.build-id, and looks for the function whose address
 * is the greatest that is not above the wanted one.  A table is scanned once a
 * frame, without sorting: a report names some hundred frames, and the scan of
 * 100 000 symbols takes 0.2 ms.
 *
 * A file is hostile input: every offset is checked against its size, names must
 * end inside their table, and a file that fails any check names nothing.
 */
#include <elf.h>
#include <string.h>

#include "base/os.h"
#include "base/text.h"
#include "report/symbol_elf.h"

#define FILE_BYTES_MAX ((uint64_t)1 << 30)
#define DEBUG_DIRECTORY "/usr/lib/debug/.build-id/"

struct elf_file {
	const uint8_t *bytes;
	uint64_t size;
};

struct module {
	bool is_tried;
	const Elf64_Sym *symbols; /* NULL: names nothing */
	uint64_t symbol_count;
	const char *names;
	uint64_t names_bytes;
};

struct resolver {
	struct ps_symbols base; /* first */
	struct ps_scratch *scratch;
	const struct ps_reader *reader;
	ps_demangler *demangle;
	void (*release)(void *);
	uint32_t module_count; /* of `modules`; a live recording has more */
	uint32_t frame_count;  /* of `cache` */
	struct module *modules;
	struct ps_symbol *cache; /* a frame's answer, once known */
	bool *is_cached;
};
_Static_assert(offsetof(struct resolver, base) == 0, "base is cast to it");

const char *
ps_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* ---- files -------------------------------------------------------------- */

static bool
map_file(const char *path, struct elf_file *out)
{
	const void *bytes = NULL;
	size_t size = 0;

	if (ps_os_map_regular(path, sizeof(Elf64_Ehdr), FILE_BYTES_MAX, &bytes,
			      &size) != 0)
		return false;
	out->bytes = bytes;
	out->size = size;
	return true;
}

/*
 * `count` things of `each` bytes at `offset`, or NULL when not all inside or
 * not aligned: notes are to 4 bytes, all else to 8.
 */
static const void *
at(const struct elf_file *f, uint64_t offset, uint64_t count, uint64_t each)
{
	PS_ASSERT(each > 0);
	if (offset > f->size || count > (f->size - offset) / each ||
	    offset % (each == 1 ? 4 : 8) != 0)
		return NULL;
	return f->bytes + offset;
}

static const Elf64_Shdr *
sections_of(const struct elf_file *f, uint32_t *count)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)f->bytes;

	PS_ASSERT(f->size >= sizeof(*header));
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 ||
	    header->e_shentsize != sizeof(Elf64_Shdr))
		return NULL;
	*count = ps_once(header->e_shnum);
	return at(f, ps_once(header->e_shoff), *count, sizeof(Elf64_Shdr));
}

static bool
note_has_id(const struct elf_file *f, const Elf64_Shdr *s,
	    const struct ps_record_module *m)
{
	uint64_t bytes = ps_once(s->sh_size);
	const uint8_t *note = at(f, ps_once(s->sh_offset), bytes, 1);
	uint32_t id_bytes = ps_reader_id_bytes(m);
	Elf64_Nhdr head;

	if (note == NULL || bytes < sizeof(head) + 4)
		return false;
	memcpy(&head, note, sizeof(head));
	return head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 &&
	       head.n_descsz == id_bytes &&
	       id_bytes <= bytes - sizeof(head) - 4 &&
	       memcmp(note + sizeof(head) + 4, m->build_id, id_bytes) == 0;
}

/* The file is the one that was loaded, as far as can be told. */
static bool
is_same_build(const struct elf_file *f, const struct ps_record_module *m)
{
	uint32_t count = 0;
	const Elf64_Shdr *s = sections_of(f, &count);
	uint32_t id_bytes = ps_once(m->build_id_bytes);

	if (id_bytes == 0)
		return true;
	if (id_bytes > sizeof(m->build_id))
		return false;
	for (uint32_t i = 0; s != NULL && i < count; i++)
		if (s[i].sh_type == SHT_NOTE && note_has_id(f, &s[i], m))
			return true;
	return false;
}

static bool
take_table(const struct elf_file *f, uint32_t type, struct module *out)
{
	uint32_t count;
	const Elf64_Shdr *s = sections_of(f, &count);

	for (uint32_t i = 0; s != NULL && i < count; i++) {
		uint64_t symbols = ps_once(s[i].sh_size) / sizeof(Elf64_Sym);
		uint32_t link = ps_once(s[i].sh_link);
		uint64_t names;

		if (s[i].sh_type != type || link >= count || symbols == 0)
			continue;
		out->symbols =
		    at(f, ps_once(s[i].sh_offset), symbols, sizeof(Elf64_Sym));
		out->symbol_count = symbols;
		names = ps_once(s[link].sh_offset);
		out->names_bytes = ps_once(s[link].sh_size);
		out->names =
		    names <= f->size && out->names_bytes <= f->size - names
			? (const char *)f->bytes + names
			: NULL;
		if (out->symbols != NULL && out->names != NULL)
			return true;
		out->symbols = NULL;
	}
	return false;
}

static bool
take_debug_file(const struct ps_record_module *m, struct module *out)
{
	uint32_t id_bytes = ps_reader_id_bytes(m);
	char path[sizeof(DEBUG_DIRECTORY) + 80];
	struct ps_text text;
	struct elf_file f;

	if (id_bytes < 2)
		return false;
	ps_text_init(&text, path, sizeof(path), -1);
	ps_text_str(&text, DEBUG_DIRECTORY);
	for (uint32_t i = 0; i < id_bytes; i++)
		ps_text_printf(&text, i == 0 ? "%02x/" : "%02x",
			       m->build_id[i]);
	ps_text_str(&text, ".debug");
	PS_ASSERT(text.cut == 0);
	return map_file(path, &f) && is_same_build(&f, m) &&
	       take_table(&f, SHT_SYMTAB, out);
}

static void
load_module(struct resolver *r, const struct ps_record_module *m,
	    struct module *out)
{
	struct elf_file f;

	PS_ASSERT(!out->is_tried && out->symbols == NULL);
	out->is_tried = true;
	if (!map_file(ps_reader_string(r->reader, m->path), &f) ||
	    !is_same_build(&f, m))
		return;
	if (!take_table(&f, SHT_SYMTAB, out) && !take_debug_file(m, out))
		(void)take_table(&f, SHT_DYNSYM, out);
}

/* ---- looking up --------------------------------------------------------- */

static bool
is_function(const Elf64_Sym *s)
{
	unsigned type = ELF64_ST_TYPE(s->st_info);

	return s->st_shndx != SHN_UNDEF && s->st_value != 0 &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC);
}

static const Elf64_Sym *
find_function(const struct module *m, uint64_t address)
{
	const Elf64_Sym *best = NULL;

	PS_ASSERT(m->symbols != NULL && m->names != NULL);
	for (uint64_t i = 0; i < m->symbol_count; i++) {
		const Elf64_Sym *s = &m->symbols[i];

		if (is_function(s) && s->st_value <= address &&
		    (best == NULL || s->st_value > best->st_value) &&
		    (s->st_size == 0 || address - s->st_value < s->st_size))
			best = s;
	}
	return best;
}

static const char *
demangled(struct resolver *r, const char *name)
{
	const char *copy = NULL;
	char *text;
	int status = -1;

	if (r->demangle == NULL || name[0] != '_' || name[1] != 'Z')
		return name;
	text = r->demangle(name, NULL, NULL, &status);
	if (text == NULL)
		return name;
	PS_ASSERT(r->release != NULL);
	if (status == 0)
		copy = ps_scratch_strdup(r->scratch, text);
	r->release(text);
	return copy != NULL ? copy : name;
}

static const char *
name_of(struct resolver *r, const struct module *m, uint64_t address)
{
	const Elf64_Sym *s = find_function(m, address);
	uint32_t offset = s == NULL ? UINT32_MAX : ps_once(s->st_name);
	const char *name;

	if (s == NULL || offset >= m->names_bytes)
		return NULL;
	name = m->names + offset;
	if (name[0] == '\0' ||
	    memchr(name, '\0', m->names_bytes - offset) == NULL)
		return NULL;
	return demangled(r, name);
}

static bool
look_up(struct resolver *r, uint32_t row, struct ps_symbol *out)
{
	const struct ps_record_frame *frame =
	    ps_reader_entry(r->reader, PS_TABLE_FRAMES, row);
	const struct ps_record_module *m;
	struct module *loaded;
	uint64_t address;
	uint32_t module;

	*out = (struct ps_symbol){.module = "?"};
	if (frame == NULL)
		return false;
	out->offset = frame->pc;
	module = ps_once(frame->module);
	m = ps_reader_entry(r->reader, PS_TABLE_MODULES, module);
	if (m == NULL || module >= r->module_count)
		return false;
	loaded = &r->modules[module];
	/* A return address may be that of the next function. */
	address = frame->pc - m->bias - !(frame->flags & PS_FRAME_LEAF);
	out->module = ps_module_name(r->reader, m);
	out->offset = address;
	if (!loaded->is_tried)
		load_module(r, m, loaded);
	if (loaded->symbols != NULL)
		out->function = name_of(r, loaded, address);
	return true;
}

static bool
resolve(struct ps_symbols *self, uint32_t frame, struct ps_symbol *out)
{
	struct resolver *r = (struct resolver *)self;

	if (frame >= r->reader->count[PS_TABLE_FRAMES]) {
		*out = (struct ps_symbol){.module = "?"};
		return false;
	}
	if (frame >= r->frame_count)
		return look_up(r, frame, out);
	PS_DEBUG_ASSERT(!r->is_cached[frame] || r->cache[frame].module != NULL);
	if (!r->is_cached[frame]) {
		(void)look_up(r, frame, &r->cache[frame]);
		r->is_cached[frame] = true;
	}
	*out = r->cache[frame];
	return true;
}

struct ps_symbols *
ps_symbols_elf(struct ps_scratch *scratch, const struct ps_reader *reader,
	       ps_demangler *demangle, void (*release)(void *))
{
	uint32_t frames = reader->count[PS_TABLE_FRAMES];
	uint32_t modules = reader->count[PS_TABLE_MODULES];
	struct resolver *r = ps_scratch_alloc(scratch, sizeof(*r));

	if (r == NULL)
		return NULL;
	PS_ASSERT(demangle == NULL || release != NULL);
	r->base.resolve = resolve;
	r->scratch = scratch;
	r->reader = reader;
	r->module_count = modules;
	r->frame_count = frames;
	r->demangle = demangle;
	r->release = release;
	r->modules = ps_scratch_array(scratch, modules, sizeof(*r->modules));
	r->cache = ps_scratch_array(scratch, frames, sizeof(*r->cache));
	r->is_cached = ps_scratch_array(scratch, frames, sizeof(*r->is_cached));
	if (r->modules == NULL || r->cache == NULL || r->is_cached == NULL)
		return NULL;
	return &r->base;
}
