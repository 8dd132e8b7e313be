/* SPDX-License-Identifier: MIT */
/*
 * thread_row - the rows of threads in the recording, taken and given back
 */
#ifndef PS_SHIM_THREAD_ROW_H
#define PS_SHIM_THREAD_ROW_H

#include "record/layout.h"

/* A row for a thread that starts; UINT32_MAX: the table is full. */
uint32_t ps_thread_row_take(void);
/* Whether some thread left one; the next moment another may have it. */
bool ps_thread_row_is_free(void);
/* The thread ended: its figures are row 0's from now on. */
void ps_thread_row_give(uint32_t index, struct ps_record_thread *row);

/* In a fork child, whose recording is empty. */
void ps_thread_row_postfork_child(void);

#endif /* PS_SHIM_THREAD_ROW_H */
