/* SPDX-License-Identifier: MIT */
/*
 * same_frame - frames that are the same place in the same file
 *
 * When a module is unloaded, addresses may mean something else from then on, so
 * the recording takes all frames of later stacks for new ones.  For who reads
 * it a plug-in that is loaded a hundred times is one plug-in, and the code that
 * loads it has not changed at all: a place is a module (path and build-id) and
 * an address in its file, as it is where recordings are merged.
 */
#include <errno.h>
#include <string.h>

#include "report/intern.h"
#include "report/same_frame.h"

struct place {
	uint64_t address;
	uint32_t module; /* UINT32_MAX: none */
	uint32_t flags;
};
_Static_assert(sizeof(struct place) == 16, "no padding in a key");

static bool
was_anything_unloaded(const struct ps_reader *r)
{
	const struct ps_record_frame *first =
	    ps_reader_entry(r, PS_TABLE_FRAMES, 0);

	for (uint32_t i = 1; i < r->count[PS_TABLE_FRAMES]; i++) {
		const struct ps_record_frame *frame =
		    ps_reader_entry(r, PS_TABLE_FRAMES, i);

		if (frame->generation != first->generation)
			return true;
	}
	return false;
}

static int
number_module(struct ps_intern *modules, const struct ps_reader *r,
	      const struct ps_record_module *m, uint32_t *number)
{
	struct {
		char path[4096];
		uint32_t id_bytes;
		uint8_t id[sizeof(m->build_id)];
	} key = {.id_bytes = ps_reader_id_bytes(m)};
	_Static_assert(sizeof(key) == sizeof(key.path) + 4 + sizeof(key.id),
		       "no padding");
	const char *path = ps_reader_string(r, m->path);

	memcpy(key.path, path, strnlen(path, sizeof(key.path)));
	memcpy(key.id, m->build_id, key.id_bytes);
	return ps_intern(modules, &key, sizeof(key), number);
}

static int
number_frames(const struct ps_reader *r, struct ps_scratch *scratch,
	      const uint32_t *module_numbers, uint32_t *number)
{
	struct ps_intern places;

	ps_intern_init(&places, scratch, true, 0);
	for (uint32_t i = 0; i < r->count[PS_TABLE_FRAMES]; i++) {
		const struct ps_record_frame *frame =
		    ps_reader_entry(r, PS_TABLE_FRAMES, i);
		uint32_t module = ps_once(frame->module);
		const struct ps_record_module *m =
		    ps_reader_entry(r, PS_TABLE_MODULES, module);
		struct place place = {frame->pc, UINT32_MAX, frame->flags};

		if (m != NULL) {
			place.address -= m->bias;
			place.module = module_numbers[module];
		}
		if (ps_intern(&places, &place, sizeof(place), &number[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

int
ps_same_frames(const struct ps_reader *r, struct ps_scratch *scratch,
	       uint32_t **number)
{
	uint32_t modules = r->count[PS_TABLE_MODULES];
	uint32_t *of_module;
	struct ps_intern files;

	*number = NULL;
	if (!was_anything_unloaded(r))
		return 0;
	of_module = ps_scratch_array(scratch, modules, sizeof(*of_module));
	*number = ps_scratch_alloc(scratch, r->count[PS_TABLE_FRAMES] *
						sizeof(**number));
	if (of_module == NULL || *number == NULL)
		return -ENOMEM;
	ps_intern_init(&files, scratch, true, 0);
	for (uint32_t i = 0; i < modules; i++)
		if (number_module(&files, r,
				  ps_reader_entry(r, PS_TABLE_MODULES, i),
				  &of_module[i]) < 0)
			return -ENOMEM;
	PS_ASSERT(files.count <= modules);
	return number_frames(r, scratch, of_module, *number);
}
