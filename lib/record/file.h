/* SPDX-License-Identifier: MIT */
/*
 * file - the disk behind a recording; for lib/record only
 */
#ifndef PS_RECORD_FILE_H
#define PS_RECORD_FILE_H

#include "record/layout.h"

/*
 * Put disk blocks behind the first `bytes` of a table.  Under the lock.
 * Returns false when there are none to be had; from then on it does not try
 * again for this table.
 */
bool ps_record_file_back(enum ps_table_id id, uint64_t bytes);

/* Forget the file, in a fork child: it is the parent's. */
void ps_record_file_forget(void);

/* Forget all strings: their table was emptied. */
void ps_record_strings_reset(void);

/* Fill in what system calls and CPUID tell about this process. */
void ps_record_describe(struct ps_record_process *p);

#endif /* PS_RECORD_FILE_H */
