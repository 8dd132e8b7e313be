/* SPDX-License-Identifier: MIT */
/*
 * section_name - which sections there are, and which of them are wanted
 *
 * A name is interned once and never forgotten, so that its number can be kept
 * by the code that it marks, a plug-in's included, and by a forked child.
 */
#include <string.h>

#include "base/options.h"
#include "base/os.h"
#include "profile/section.h"
#include "profile/section_name.h"
#include "profile/stack.h"
#include "record/writer.h"

enum {
	NAME_BYTES = 120,
	FILE_BYTES = 120,
};

/* Names outlive the recording that a fork child replaces. */
struct known {
	char name[NAME_BYTES];
	char file[FILE_BYTES];
	uintptr_t pc; /* of a function without a name; 0: it has one */
	uint32_t line;
	bool is_on;
};

static struct known *known;
/* Apart, so that a look-up reads little memory; 0: no name. */
static PS_BIG uint64_t hashes[PS_SECTIONS_MAX];
static _Atomic uint32_t known_count;
static bool are_on = true;
static char globs[PS_GLOBS_MAX];

static void
copy(char *to, const char *from, size_t bytes)
{
	size_t length = strnlen(from, bytes - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}

void
ps_section_init(bool on, const char *wanted)
{
	are_on = on;
	copy(globs, wanted, sizeof(globs));
}

static uint64_t
hash_name(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; name[i] != '\0' && i < NAME_BYTES - 1; i++)
		h = (h ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
	return h | 1; /* never 0 */
}

uint32_t
ps_section_find(const char *name)
{
	uint64_t hash = hash_name(name);
	/* pairs with the release in enter_locked: the entry is complete */
	uint32_t count =
	    atomic_load_explicit(&known_count, memory_order_acquire);

	for (uint32_t i = 0; i < count; i++)
		if (hashes[i] == hash &&
		    strncmp(known[i].name, name, NAME_BYTES - 1) == 0)
			return i;
	return UINT32_MAX;
}

bool
ps_section_has_globs(void)
{
	return globs[0] != '\0';
}

bool
ps_section_is_wanted(const char *name)
{
	return are_on && ps_glob_list_match(globs, name);
}

/* ---- entering ----------------------------------------------------------- */

static bool
append_section_locked(uint32_t index)
{
	const struct known *k = &known[index];
	struct ps_record_section *section;
	uint32_t frame = UINT32_MAX;
	void *memory;

	PS_ASSERT(index < PS_SECTIONS_MAX && ps_record_is_locked_by_me());
	if (k->pc != 0)
		frame = ps_stack_frame_locked(k->pc);
	if (ps_record_append(PS_TABLE_SECTIONS, 1, &memory) == UINT32_MAX)
		return false;
	section = memory;
	section->hash = hashes[index];
	section->name = ps_record_string(k->name);
	section->file = ps_record_string(k->file);
	section->line = k->line;
	section->sites = 1;
	section->function = frame + 1; /* 0 for UINT32_MAX */
	ps_record_publish(PS_TABLE_SECTIONS);
	return true;
}

/* The next entry, empty; NULL: no room (counted), no memory. */
static struct known *
next_locked(void)
{
	uint32_t count = ps_peek(&known_count);
	void *memory;

	PS_ASSERT(ps_record_is_locked_by_me());
	PS_ASSERT(ps_record_is_spare() ||
		  PS_SECTIONS_MAX ==
		      ps_record->table[PS_TABLE_SECTIONS].capacity);
	if (known == NULL) {
		if (ps_os_map(PS_SECTIONS_MAX * sizeof(*known), &memory) != 0)
			return NULL;
		known = memory;
	}
	if (count == PS_SECTIONS_MAX) { /* the table is full: counted there */
		(void)ps_record_append(PS_TABLE_SECTIONS, 1, &memory);
		return NULL;
	}
	memset(&known[count], 0, sizeof(*known));
	return &known[count];
}

/* The entry that next_locked gave is complete. */
static uint32_t
enter_locked(uint64_t hash)
{
	uint32_t count = ps_peek(&known_count);

	PS_ASSERT(count < PS_SECTIONS_MAX); /* next_locked had room */
	hashes[count] = hash;
	if (!append_section_locked(count))
		return UINT32_MAX;
	atomic_store_explicit(&known_count, count + 1, memory_order_release);
	return count;
}

static uint32_t
enter_name_locked(const char *name, const char *file, uint32_t line)
{
	struct known *k = next_locked();

	if (k == NULL)
		return UINT32_MAX;
	copy(k->name, name, NAME_BYTES);
	copy(k->file, file == NULL ? "" : file, FILE_BYTES);
	k->line = line;
	k->is_on = ps_section_is_wanted(k->name);
	return enter_locked(hash_name(name));
}

uint32_t
ps_section_intern(const char *name, const char *file, uint32_t line)
{
	uint32_t section = ps_section_find(name);

	if (section != UINT32_MAX || ps_record_is_locked_by_me())
		return section;
	ps_record_lock();
	section = ps_section_find(name);
	if (section == UINT32_MAX)
		section = enter_name_locked(name, file, line);
	ps_record_unlock();
	return section;
}

uint32_t
ps_section_intern_function(uintptr_t pc)
{
	uint32_t section = UINT32_MAX;
	struct known *k;

	PS_ASSERT(pc != 0);
	ps_record_lock();
	k = next_locked();
	if (k != NULL) {
		k->pc = pc;
		k->is_on = are_on;
		section = enter_locked(0);
	}
	ps_record_unlock();
	return section;
}

bool
ps_section_is_on(uint32_t section)
{
	return section < ps_peek(&known_count) && known[section].is_on;
}

uint32_t
ps_section_count(void)
{
	return ps_peek(&known_count);
}

void
ps_section_names_append_locked(void)
{
	uint32_t count = ps_section_count();

	PS_ASSERT(count == 0 || known != NULL);
	for (uint32_t i = 0; i < count; i++)
		if (!append_section_locked(i))
			break;
}
