/* SPDX-License-Identifier: MIT */
/*
 * cli_symbols_dw - names, files and lines through elfutils; perfreport only
 */
#ifndef PS_REPORT_CLI_SYMBOLS_DW_H
#define PS_REPORT_CLI_SYMBOLS_DW_H

#include "record/reader.h"
#include "report/symbols.h"

/*
 * Never the network, unless it is allowed here: then the servers that
 * DEBUGINFOD_URLS names are asked.  Once, before the first resolver.
 */
void ps_symbols_dw_init(bool is_network_allowed);

/* A resolver; NULL: no memory.  The reader's counts stay as they are until it
 * is closed. */
struct ps_symbols *ps_symbols_dw(const struct ps_reader *reader);
void ps_symbols_dw_close(struct ps_symbols *symbols);

#endif /* PS_REPORT_CLI_SYMBOLS_DW_H */
