/* SPDX-License-Identifier: MIT */
/*
 * cli_symbols_dw - names, files and lines through elfutils; perfreport only
 */
#ifndef PS_REPORT_CLI_SYMBOLS_DW_H
#define PS_REPORT_CLI_SYMBOLS_DW_H

#include "record/reader.h"
#include "report/symbols.h"

/*
 * A resolver; what elfutils cannot name is asked of `fallback`, which may be
 * NULL.  NULL: no memory.  Never the network.
 */
struct ps_symbols *ps_symbols_dw(const struct ps_reader *reader,
				 struct ps_symbols *fallback);
void ps_symbols_dw_close(struct ps_symbols *symbols);

#endif /* PS_REPORT_CLI_SYMBOLS_DW_H */
