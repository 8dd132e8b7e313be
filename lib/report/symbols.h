/* SPDX-License-Identifier: MIT */
/*
 * symbols - names for addresses, from whoever can give them
 *
 * The preload names functions by itself (symbol_elf.h); perfreport asks
 * elfutils first (cli_symbols_dw.c).
 */
#ifndef PS_REPORT_SYMBOLS_H
#define PS_REPORT_SYMBOLS_H

#include "base/base.h"

/* Strings live as long as the resolver. */
struct ps_symbol {
	const char *function; /* demangled; NULL: unknown */
	const char *module;   /* base name; never NULL, "?" when unknown */
	const char *file;     /* NULL: unknown */
	uint32_t line;	      /* 0: unknown */
	uint64_t offset;      /* in the module, as its ELF file counts */
};

struct ps_symbols {
	/* Name row `frame` of PS_TABLE_FRAMES; false: not even a module. */
	bool (*resolve)(struct ps_symbols *self, uint32_t frame,
			struct ps_symbol *out);
};

#endif /* PS_REPORT_SYMBOLS_H */
