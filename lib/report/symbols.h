/* SPDX-License-Identifier: MIT */
/*
 * symbols - names for addresses, from whoever can give them
 *
 * The preload names functions by itself (symbol_elf.h); perfreport asks
 * elfutils first (cli_symbols_dw.c).  One address may be in several functions,
 * each inlined into the next.
 */
#ifndef PS_REPORT_SYMBOLS_H
#define PS_REPORT_SYMBOLS_H

#include "base/scratch.h"
#include "base/text.h"
#include "record/reader.h"

/* Strings live as long as the resolver. */
struct ps_symbol {
	const char *function; /* demangled; NULL: unknown */
	const char *linkage;  /* as the linker knows it; NULL: as function */
	const char *module;   /* base name; never NULL, "?" when unknown */
	const char *file;     /* base name; NULL: unknown */
	const char *path;     /* of the file, as compiled; NULL: unknown */
	uint32_t line;	      /* 0: unknown */
	uint32_t first_line;  /* of the function; 0: unknown */
	uint64_t offset;      /* in the module, as its ELF file counts */
	/* The function that this one was inlined into; NULL: none. */
	const struct ps_symbol *inlined_into;
};

struct ps_symbols {
	/*
	 * Name row `frame` of PS_TABLE_FRAMES, innermost function first; false:
	 * not even a module.
	 */
	bool (*resolve)(struct ps_symbols *self, uint32_t frame,
			struct ps_symbol *out);
};

/* A resolver that knows addresses only; NULL: no memory. */
struct ps_symbols *ps_symbols_none(struct ps_scratch *scratch,
				   const struct ps_reader *reader);

/* The base name of its file, "?" when unknown; of the program's, the name that
 * the process was started by. */
const char *ps_module_name(const struct ps_reader *reader,
			   const struct ps_record_module *module);

/* The function, or "module+0x1234" when it is not known. */
void ps_symbol_put_name(struct ps_text *t, const struct ps_symbol *s);

/* Many inlined functions at one address: a damaged file, or nearly so. */
enum { PS_STACK_NAMES_MAX = 1024 };

/* A stack as names, leaf first, inlined functions included. */
struct ps_stack_names {
	struct ps_symbol at[PS_STACK_NAMES_MAX];
	uint32_t count;
};

void ps_stack_names(const struct ps_reader *reader, struct ps_symbols *symbols,
		    const struct ps_record_site *site,
		    struct ps_stack_names *out);

#endif /* PS_REPORT_SYMBOLS_H */
