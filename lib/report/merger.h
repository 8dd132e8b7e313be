/* SPDX-License-Identifier: MIT */
/*
 * merger - what the parts of merge share: the recording that is made, and the
 * one that is being added
 */
#ifndef PS_REPORT_MERGER_H
#define PS_REPORT_MERGER_H

#include "record/reader.h"
#include "report/intern.h"

struct ps_merger {
	struct ps_record_header *h;
	uint32_t processes;
	struct ps_intern strings; /* -> offset */
	struct ps_intern modules;
	struct ps_intern frames;
	struct ps_intern sections;
	struct ps_intern labels; /* -> row of a thread, less one */
	struct ps_scratch *scratch;
	uint64_t next_module_start;
	/* Of the recording that is being added: */
	const struct ps_reader *from;
	uint32_t *module_of;
	uint32_t *frame_of;
	uint32_t *section_of;
	uint32_t
	    label_of[PS_LABEL_THREADS]; /* the row of each thread; 0: none */
	bool is_out_of_memory;
};

/* A row of the new recording; how many there is room for. */
void *ps_merger_row(const struct ps_merger *m, enum ps_table_id id,
		    uint32_t index);
uint32_t ps_merger_room(const struct ps_merger *m, enum ps_table_id id);

/* A new row; the tables were made large enough for all. */
void *ps_merger_add(struct ps_merger *m, enum ps_table_id id, uint32_t entries,
		    uint32_t *index);

/* The number of a key in its set.  Without memory, is_out_of_memory is set. */
uint32_t ps_merger_known(struct ps_merger *m, struct ps_intern *set,
			 const void *key, size_t bytes, bool *is_new);

/* A string of the recording that is added, in the new one. */
uint32_t ps_merger_string(struct ps_merger *m, uint32_t offset);

/* The new row of one of its sections; UINT32_MAX: there is none such. */
uint32_t ps_merger_section(const struct ps_merger *m, uint32_t section);

/* Its sections; the calls of these and how they nest. */
void ps_merger_add_sections(struct ps_merger *m);
void ps_merger_add_times(struct ps_merger *m);

#endif /* PS_REPORT_MERGER_H */
