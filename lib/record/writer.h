/* SPDX-License-Identifier: MIT */
/*
 * writer - the recording of this process, from the inside
 *
 * One recording a process.  It is there before anything else needs it and is
 * never unmapped: when no file can be had, it is anonymous memory, and when
 * not even that, ps_record is NULL and the caller passes through.
 */
#ifndef PS_RECORD_WRITER_H
#define PS_RECORD_WRITER_H

#include "record/layout.h"

/* NULL until ps_record_open succeeded. */
extern struct ps_record_header *ps_record;

/*
 * Map an anonymous recording.  Before start-up, once.  0 or -errno (-EALREADY
 * when there is one).
 */
int ps_record_open(void);

/*
 * Move the recording into DIRECTORY/NAME.PID.START.perfshim: the file gets a
 * copy of what was recorded so far and takes the place of the memory at the
 * same address.  Call while the process has one thread (the constructor, the
 * fork child), or at its end: what others count meanwhile is lost, what they
 * append waits for the lock.  `directory` is absolute, so that a chdir does not
 * lose the file.  On failure the anonymous recording goes on; 0 or -errno.
 */
int ps_record_to_file(const char *directory);

/*
 * Take the recording's file out of its directory, if it has one and it is still
 * there under its name; the memory stays.  At the end of the process: what its
 * tables would need from now on is dropped.
 */
void ps_record_unlink_file(void);

/*
 * In a fork child: leave the parent's recording, start an empty anonymous one
 * at the same address, so that pointers into it stay good.  Process, sampling
 * and class figures are set anew by the caller.  Call when the recording is
 * open.  Without memory for it, the new one is a spare: at another address,
 * with totals but no table to speak of, and never a file.
 */
void ps_record_postfork_child(void);
bool ps_record_is_spare(void);

/* Entry `index` of a table; the index must be below its count. */
void *ps_record_entry(enum ps_table_id id, uint32_t index);

/*
 * Append `entries` (1 or more, contiguous) and return the first index with
 * zeroed memory behind it, or UINT32_MAX when the table or the disk is full
 * (counted in `dropped`).  Not visible to readers until published; callers
 * hold ps_record_lock between append and publish.
 */
uint32_t ps_record_append(enum ps_table_id id, uint32_t entries, void **out);
void ps_record_publish(enum ps_table_id id);

/*
 * Intern a string (cut at 4095 bytes and at a zero); 0 ("") when it finds no
 * room.  Takes the lock, unless the calling thread holds it already.
 */
uint32_t ps_record_string(const char *text);
/* The same of the first `length` bytes, without a look at what is there already
 * and without being found later: touches no page but the string's. */
uint32_t ps_record_string_once(const char *text, size_t length);

/*
 * What a small process's line has no use for: processor and boot, for who will
 * read the whole.  At the first half second, or at the end: a process that was
 * killed before that has no such.  Again, it does nothing.
 */
void ps_record_describe_machine(void);

/*
 * The one lock of the writer's tables: a spin lock that yields, never held
 * across a call out of lib/record and its callers in lib/profile.
 */
void ps_record_lock(void);
void ps_record_unlock(void);
bool ps_record_is_locked_by_me(void);

#endif /* PS_RECORD_WRITER_H */
