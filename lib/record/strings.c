/* SPDX-License-Identifier: MIT */
/*
 * strings - the string table, each string once
 *
 * A private open-addressing table of offsets finds what is there already: 64 Ki
 * slots, linear probing, 0 for an empty slot (offset 0 is "", which needs no
 * slot).  It is filled to three quarters; later strings are appended without
 * being remembered, which costs room in the string table, not correctness.
 * When its pages cannot be had, all strings are treated so.
 *
 * Nothing of it is in the recording: a reader only follows offsets.
 */
#include <string.h>

#include "base/os.h"
#include "record/file.h"
#include "record/writer.h"

enum {
	SLOTS = 65536,
	SLOT_BYTES = SLOTS * sizeof(uint32_t),
	SLOTS_USED_MAX = SLOTS / 4 * 3,
	STRING_MAX_BYTES = 4095,
};

static uint32_t *slots; /* NULL: none yet, or none to be had */
static PS_FORKED uint32_t slots_used;

void
ps_record_strings_reset(void)
{
	void *pages;

	if (slots == NULL) {
		if (ps_os_map(SLOT_BYTES, &pages) == 0)
			slots = pages;
		return;
	}
	if (slots_used == 0)
		return;
	slots_used = 0;
	/* Cheaper than writing: in a fork child each page would be copied. */
	if (ps_os_discard(slots, SLOT_BYTES) != 0)
		memset(slots, 0, SLOT_BYTES);
}

/* FNV-1a, 32 bits. */
static uint32_t
hash_bytes(const char *text, size_t length)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash;
}

static bool
is_same(uint32_t offset, const char *text, size_t length)
{
	const struct ps_record_table *table =
	    &ps_record->table[PS_TABLE_STRINGS];
	const char *at = (const char *)ps_record + table->offset + offset;
	uint32_t count = ps_peek(&table->count);

	PS_ASSERT(offset < count);
	return length < count - offset && memcmp(at, text, length) == 0 &&
	       at[length] == 0;
}

/* Slot of the string, or the empty one where it belongs; NULL: no table. */
static uint32_t *
find_slot(const char *text, size_t length)
{
	uint32_t i = hash_bytes(text, length) % SLOTS;

	if (slots == NULL)
		return NULL;
	PS_ASSERT(slots_used <= SLOTS_USED_MAX);
	while (slots[i] != 0 && !is_same(slots[i], text, length))
		i = (i + 1) % SLOTS;
	return &slots[i];
}

static uint32_t
append_string(const char *text, size_t length)
{
	void *out;
	uint32_t offset =
	    ps_record_append(PS_TABLE_STRINGS, (uint32_t)length + 1, &out);

	if (offset == UINT32_MAX)
		return 0;
	PS_ASSERT(offset > 0);
	memcpy(out, text, length); /* the zero behind it is there */
	ps_record_publish(PS_TABLE_STRINGS);
	return offset;
}

static uint32_t
intern_locked(const char *text, size_t length)
{
	uint32_t *slot = find_slot(text, length);
	uint32_t offset;

	PS_ASSERT(ps_record_is_locked_by_me());
	if (slot != NULL && *slot != 0)
		return *slot;
	offset = append_string(text, length);
	if (slot != NULL && offset != 0 && slots_used < SLOTS_USED_MAX) {
		*slot = offset;
		slots_used++;
	}
	return offset;
}

static PS_NOINLINE uint32_t
put_string(const char *text, size_t length,
	   uint32_t (*put)(const char *, size_t))
{
	bool must_lock = !ps_record_is_locked_by_me();
	uint32_t offset;

	PS_ASSERT(ps_record != NULL);
	length = strnlen(text, PS_MIN(length, (size_t)STRING_MAX_BYTES));
	if (length == 0)
		return 0;
	if (must_lock)
		ps_record_lock();
	offset = put(text, length);
	if (must_lock)
		ps_record_unlock();
	return offset;
}

uint32_t
ps_record_string(const char *text)
{
	return put_string(text, STRING_MAX_BYTES, intern_locked);
}

uint32_t
ps_record_string_once(const char *text, size_t length)
{
	return put_string(text, length, append_string);
}
