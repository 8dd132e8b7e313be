/* SPDX-License-Identifier: MIT */
/*
 * section_pprof - the call tree of sections as profile.proto, uncompressed
 *
 * The same message as pprof.c writes for sites, which are another profile: one
 * has bytes, the other time, and a sample has every value of its profile.
 * Numbers need no table here: section i of the view is function and location
 * i + 1, and its name and file are strings 2i and 2i + 1 behind the fixed ones.
 */
#include "report/proto.h"
#include "report/section_pprof.h"

enum {
	MESSAGE_BYTES = 2048,
	DEPTH_MAX = 136,

	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS = 10,
	PROFILE_DEFAULT_SAMPLE_TYPE = 14,
};

enum { NO_STRING, TIME, NANOSECONDS, CALLS, COUNT, PROCESS, NAME, STRINGS };

struct message {
	struct ps_text text;
	char bytes[MESSAGE_BYTES];
};

static void
begin(struct message *m)
{
	ps_text_init(&m->text, m->bytes, sizeof(m->bytes), -1);
}

static void
end(struct ps_text *out, const struct message *m, uint32_t field)
{
	ps_proto_message(out, field, &m->text);
}

/* Readers insist on UTF-8. */
static void
put_string(struct ps_text *out, const char *s)
{
	char clean[MESSAGE_BYTES];
	struct ps_text text;

	ps_text_init(&text, clean, sizeof(clean), -1);
	ps_text_printable(&text, s);
	/* Cut, perhaps within a character: then without its beginning. */
	while (text.cut > 0 && text.length > 0 &&
	       (clean[text.length - 1] & 0x80) != 0)
		text.length--;
	ps_proto_bytes(out, PROFILE_STRING, clean, text.length);
}

static void
put_strings(struct ps_text *out, const struct ps_view *v)
{
	static const char *const fixed[] = {
	    [NO_STRING] = "",  [TIME] = "time",	  [NANOSECONDS] = "nanoseconds",
	    [CALLS] = "calls", [COUNT] = "count", [PROCESS] = "process",
	};
	_Static_assert(PS_COUNT(fixed) == PROCESS + 1, "process is the last");
	_Static_assert(STRINGS == PROCESS + 2, "and its name follows");
	const struct ps_record_process *p = &v->reader->header->process;

	for (unsigned i = 0; i < PS_COUNT(fixed); i++)
		put_string(out, fixed[i]);
	put_string(out, ps_reader_string(v->reader, p->name));
	for (uint32_t i = 0; i < v->section_count; i++) {
		put_string(out, v->sections[i].name);
		put_string(out, v->sections[i].file);
	}
}

static void
put_type(struct ps_text *out, unsigned type, unsigned unit)
{
	struct message m;

	PS_ASSERT(type < STRINGS && unit < STRINGS);
	begin(&m);
	ps_proto_number(&m.text, 1, type);
	ps_proto_number(&m.text, 2, unit);
	end(out, &m, PROFILE_SAMPLE_TYPE);
}

static void
put_section(struct ps_text *out, const struct ps_view *v, uint32_t i)
{
	struct message m;
	char line[32];
	struct ps_text text;

	begin(&m);
	ps_proto_number(&m.text, 1, i + 1);
	ps_proto_number(&m.text, 2, STRINGS + 2 * i);
	ps_proto_number(&m.text, 3, STRINGS + 2 * i);
	ps_proto_number(&m.text, 4, STRINGS + 2 * i + 1);
	ps_proto_number(&m.text, 5, v->sections[i].line);
	end(out, &m, PROFILE_FUNCTION);
	ps_text_init(&text, line, sizeof(line), -1);
	ps_proto_number(&text, 1, i + 1);
	ps_proto_number(&text, 2, v->sections[i].line);
	PS_ASSERT(text.cut == 0);
	begin(&m);
	ps_proto_number(&m.text, 1, i + 1);
	ps_proto_bytes(&m.text, 4, line, text.length);
	end(out, &m, PROFILE_LOCATION);
}

/* Of the section with that row; 0: it has no completed call. */
static uint32_t
location_of(const struct ps_view *v, uint32_t row)
{
	for (uint32_t i = 0; i < v->section_count; i++)
		if (v->sections[i].index == row)
			return i + 1;
	return 0;
}

static void
put_node(struct ps_text *out, const struct ps_view *v, uint32_t node)
{
	const struct ps_view_node *n = &v->nodes[node];
	char bytes[DEPTH_MAX * 5];
	char label[32];
	struct ps_text packed;
	struct message m;
	uint32_t depth = 0;

	PS_ASSERT(n->self_s >= 0 && n->calls > 0);
	begin(&m);
	ps_text_init(&packed, bytes, sizeof(bytes), -1);
	for (; node != UINT32_MAX && depth < DEPTH_MAX;
	     node = v->nodes[node].parent, depth++) {
		uint32_t location = location_of(v, v->nodes[node].section);

		if (location != 0)
			ps_proto_varint(&packed, location);
	}
	PS_ASSERT(node == UINT32_MAX && packed.cut == 0);
	ps_proto_bytes(&m.text, 1, bytes, packed.length);
	ps_text_init(&packed, bytes, sizeof(bytes), -1);
	ps_proto_varint(&packed, n->calls);
	ps_proto_varint(&packed,
			(uint64_t)(PS_MIN(n->self_s * 1e9, 9e18) + 0.5));
	ps_proto_bytes(&m.text, 2, bytes, packed.length);
	ps_text_init(&packed, label, sizeof(label), -1);
	ps_proto_number(&packed, 1, PROCESS);
	ps_proto_number(&packed, 2, NAME);
	ps_proto_bytes(&m.text, 3, label, packed.length);
	end(out, &m, PROFILE_SAMPLE);
}

void
ps_section_pprof(const struct ps_view *v, struct ps_text *out)
{
	const struct ps_record_process *p = &v->reader->header->process;

	put_strings(out, v);
	put_type(out, CALLS, COUNT);
	put_type(out, TIME, NANOSECONDS);
	ps_proto_number(out, PROFILE_DEFAULT_SAMPLE_TYPE, TIME);
	ps_proto_number(out, PROFILE_TIME_NANOS, p->start_real_ns);
	if (v->wall_s > 0 && v->wall_s < 9e9)
		ps_proto_number(out, PROFILE_DURATION_NANOS,
				(uint64_t)(v->wall_s * 1e9));
	for (uint32_t i = 0; i < v->section_count; i++)
		put_section(out, v, i);
	for (uint32_t i = 0; i < v->node_count; i++)
		if (v->nodes[i].calls != 0)
			put_node(out, v, i);
}
