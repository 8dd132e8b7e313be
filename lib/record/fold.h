/* SPDX-License-Identifier: MIT */
/*
 * fold - adds an ended thread's row to another one, with no moment at which a
 * reader of the recording counts it twice or not at all
 */
#ifndef PS_RECORD_FOLD_H
#define PS_RECORD_FOLD_H

#include "record/layout.h"

/*
 * Between begin and clear, add row `from` to row `to`; between clear and end,
 * empty `from`.  One fold at a time: all under ps_record_lock.
 */
void ps_record_fold_begin(enum ps_table_id id, const void *to,
			  const void *from);
void ps_record_fold_clear(void);
void ps_record_fold_end(void);

/*
 * Which row of a table counts as number `index`: that one, the spare one in its
 * place, or UINT32_MAX: none.  Whoever adds rows up asks, of a file or in the
 * process itself.  A hostile file may have any number here: check it.
 */
uint32_t ps_fold_row(const struct ps_record_fold *fold, enum ps_table_id id,
		     uint32_t index);
/* The same of a recording that this process writes; NULL: none. */
const void *ps_fold_entry(const struct ps_record_header *r, enum ps_table_id id,
			  uint32_t index);

#endif /* PS_RECORD_FOLD_H */
