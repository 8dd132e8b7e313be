/* SPDX-License-Identifier: MIT */
/*
 * section_pprof - the call tree of sections as profile.proto, uncompressed
 *
 * The same message as pprof.c writes for sites, which are another profile: one
 * has bytes, the other time, and a sample has every value of its profile.
 * Numbers need no table here: section i of a view is function and location
 * i + 1 behind those of the views before it, and its name and file are strings
 * 2i and 2i + 1 behind the name of its process.
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

enum { NO_STRING, TIME, NANOSECONDS, CALLS, COUNT, PROCESS, BASE, TRUE, FIXED };

/* A view, and the numbers of the first things of it. */
struct part {
	struct ps_text *out;
	const struct ps_view *view;
	uint32_t name; /* string; those of its sections follow */
	uint32_t location;
	int sign;
};

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
put_names(const struct part *p)
{
	const struct ps_view *v = p->view;
	const struct ps_record_process *process = &v->reader->header->process;

	put_string(p->out, ps_reader_string(v->reader, process->name));
	for (uint32_t i = 0; i < v->section_count; i++) {
		put_string(p->out, v->sections[i].name);
		put_string(p->out, v->sections[i].file);
	}
}

static void
put_type(struct ps_text *out, unsigned type, unsigned unit)
{
	struct message m;

	PS_ASSERT(type < FIXED && unit < FIXED);
	begin(&m);
	ps_proto_number(&m.text, 1, type);
	ps_proto_number(&m.text, 2, unit);
	end(out, &m, PROFILE_SAMPLE_TYPE);
}

static void
put_section(const struct part *p, uint32_t i)
{
	uint32_t number = p->location + i;
	uint32_t name = p->name + 1 + 2 * i;
	uint32_t first_line = p->view->sections[i].line;
	struct message m;
	char line[32];
	struct ps_text text;

	begin(&m);
	ps_proto_number(&m.text, 1, number);
	ps_proto_number(&m.text, 2, name);
	ps_proto_number(&m.text, 3, name);
	ps_proto_number(&m.text, 4, name + 1);
	ps_proto_number(&m.text, 5, first_line);
	end(p->out, &m, PROFILE_FUNCTION);
	ps_text_init(&text, line, sizeof(line), -1);
	ps_proto_number(&text, 1, number);
	ps_proto_number(&text, 2, first_line);
	begin(&m);
	ps_proto_number(&m.text, 1, number);
	ps_proto_bytes(&m.text, 4, line, text.length);
	end(p->out, &m, PROFILE_LOCATION);
}

/* Of the section with that row; 0: it has no completed call. */
static uint32_t
location_of(const struct part *p, uint32_t row)
{
	for (uint32_t i = 0; i < p->view->section_count; i++)
		if (p->view->sections[i].index == row)
			return p->location + i;
	return 0;
}

static void
put_path(struct message *m, const struct part *p, uint32_t node)
{
	const struct ps_view_node *nodes = p->view->nodes;
	char bytes[DEPTH_MAX * 5];
	struct ps_text packed;

	ps_text_init(&packed, bytes, sizeof(bytes), -1);
	for (uint32_t depth = 0; node != UINT32_MAX && depth < DEPTH_MAX;
	     node = nodes[node].parent, depth++) {
		uint32_t location = location_of(p, nodes[node].section);

		if (location != 0)
			ps_proto_varint(&packed, location);
	}
	ps_proto_bytes(&m->text, 1, bytes, packed.length);
}

static void
put_label(struct message *m, uint32_t key, uint32_t value)
{
	char bytes[32];
	struct ps_text label;

	ps_text_init(&label, bytes, sizeof(bytes), -1);
	ps_proto_number(&label, 1, key);
	ps_proto_number(&label, 2, value);
	ps_proto_bytes(&m->text, 3, bytes, label.length);
}

static uint64_t
signed_value(double value, int sign)
{
	int64_t whole = (int64_t)(PS_MIN(value, 9e18) + 0.5);

	return (uint64_t)(sign * whole);
}

static void
put_node(const struct part *p, uint32_t node)
{
	const struct ps_view_node *n = &p->view->nodes[node];
	char bytes[32];
	struct ps_text packed;
	struct message m;

	begin(&m);
	put_path(&m, p, node);
	ps_text_init(&packed, bytes, sizeof(bytes), -1);
	ps_proto_varint(&packed, signed_value((double)n->calls, p->sign));
	ps_proto_varint(&packed, signed_value(n->self_s * 1e9, p->sign));
	ps_proto_bytes(&m.text, 2, bytes, packed.length);
	put_label(&m, PROCESS, p->name);
	if (p->sign < 0)
		put_label(&m, BASE, TRUE);
	end(p->out, &m, PROFILE_SAMPLE);
}

/* ---- a profile ---- */

void
ps_section_pprof_begin(struct ps_section_pprof *p, struct ps_text *out)
{
	static const char *const fixed[] = {
	    [NO_STRING] = "",
	    [TIME] = "time",
	    [NANOSECONDS] = "nanoseconds",
	    [CALLS] = "calls",
	    [COUNT] = "count",
	    [PROCESS] = "process",
	    [BASE] = "pprof::base",
	    [TRUE] = "true",
	};
	_Static_assert(PS_COUNT(fixed) == FIXED, "each is there");

	*p = (struct ps_section_pprof){.out = out, .strings = FIXED};
	for (unsigned i = 0; i < FIXED; i++)
		put_string(out, fixed[i]);
	put_type(out, CALLS, COUNT);
	put_type(out, TIME, NANOSECONDS);
	ps_proto_number(out, PROFILE_DEFAULT_SAMPLE_TYPE, TIME);
}

/* Of the first view: the format has room for one. */
static void
describe(struct ps_section_pprof *p, const struct ps_view *v)
{
	if (p->is_described)
		return;
	p->is_described = true;
	ps_proto_number(p->out, PROFILE_TIME_NANOS,
			v->reader->header->process.start_real_ns);
	if (v->wall_s > 0 && v->wall_s < 9e9)
		ps_proto_number(p->out, PROFILE_DURATION_NANOS,
				(uint64_t)(v->wall_s * 1e9));
}

void
ps_section_pprof_add(struct ps_section_pprof *p, const struct ps_view *v,
		     int sign)
{
	const struct part part = {
	    .out = p->out,
	    .view = v,
	    .name = p->strings,
	    .location = p->sections + 1,
	    .sign = sign,
	};

	PS_ASSERT(sign == 1 || sign == -1);
	describe(p, v);
	put_names(&part);
	p->strings += 1 + 2 * v->section_count;
	p->sections += v->section_count;
	for (uint32_t i = 0; i < v->section_count; i++)
		put_section(&part, i);
	for (uint32_t i = 0; i < v->node_count; i++)
		if (v->nodes[i].calls != 0)
			put_node(&part, i);
}
