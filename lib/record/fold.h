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

#endif /* PS_RECORD_FOLD_H */
