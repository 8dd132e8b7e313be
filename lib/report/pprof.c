/* SPDX-License-Identifier: MIT */
/*
 * pprof - the sites as profile.proto, uncompressed
 *
 * A Profile is repeated fields, whose order is free, so each string, mapping,
 * function, location and sample is written when it is first needed and only
 * numbers are kept.  The values are estimates of the truth, already scaled:
 * the period is told for the record.
 */
#include <errno.h>

#include "report/intern.h"
#include "report/pprof.h"
#include "report/proto.h"

enum {
	VALUES = 7,
	MESSAGE_BYTES = 16384,
	STRING_BYTES = 8192,

	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS = 10,
	PROFILE_PERIOD_TYPE = 11,
	PROFILE_PERIOD = 12,
	PROFILE_COMMENT = 13,
	PROFILE_DEFAULT_SAMPLE_TYPE = 14,
};

static const struct {
	const char *type;
	const char *unit;
} values[VALUES] = {
    {"alloc_objects", "count"},	    {"alloc_space", "bytes"},
    {"peak_objects", "count"},	    {"peak_space", "bytes"},
    {"inuse_objects", "count"},	    {"inuse_space", "bytes"},
    {"temporary_objects", "count"},
};

struct ps_pprof {
	struct ps_scratch *scratch;
	struct ps_text *out;
	struct ps_intern strings;
	struct ps_intern functions;
	uint32_t mappings;
	uint32_t locations;
	bool is_out_of_memory;
	bool is_described; /* time and period are those of the first */
	/* Of the recording that is being added: */
	const struct ps_view *view;
	struct ps_symbols *symbols;
	uint32_t first_mapping;
	uint32_t *location_of; /* frame -> id; 0: none yet */
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
end(struct ps_pprof *p, const struct message *m, uint32_t field)
{
	ps_proto_message(p->out, field, &m->text);
}

/* A string's number; readers insist on UTF-8. */
static uint64_t
string(struct ps_pprof *p, const char *s)
{
	char clean[STRING_BYTES];
	struct ps_text text;
	uint32_t number = 0;
	int is_new;

	ps_text_init(&text, clean, sizeof(clean), -1);
	ps_text_printable(&text, s == NULL ? "" : s);
	/* Cut, perhaps within a character: then without its beginning. */
	while (text.cut > 0 && text.length > 0 &&
	       (clean[text.length - 1] & 0x80) != 0)
		text.length--;
	is_new = ps_intern(&p->strings, clean, text.length, &number);
	if (is_new < 0)
		p->is_out_of_memory = true;
	if (is_new == 1)
		ps_proto_bytes(p->out, PROFILE_STRING, clean, text.length);
	return number;
}

static void
put_value_type(struct ps_pprof *p, uint32_t field, const char *type,
	       const char *unit)
{
	struct message m;

	begin(&m);
	ps_proto_number(&m.text, 1, string(p, type));
	ps_proto_number(&m.text, 2, string(p, unit));
	end(p, &m, field);
}

struct ps_pprof *
ps_pprof_begin(struct ps_scratch *scratch, enum ps_view_key shown_first,
	       struct ps_text *out)
{
	static const unsigned first[] = {
	    [PS_BY_ALLOCATIONS] = 0, [PS_BY_BYTES] = 1,	    [PS_BY_PEAK] = 3,
	    [PS_BY_LIVE] = 5,	     [PS_BY_TEMPORARY] = 6,
	};
	_Static_assert(PS_COUNT(first) == PS_BY_TEMPORARY + 1, "one each");
	struct ps_pprof *p = ps_scratch_alloc(scratch, sizeof(*p));

	if (p == NULL)
		return NULL;
	PS_ASSERT(shown_first < PS_COUNT(first));
	PS_ASSERT(first[shown_first] < VALUES);
	p->scratch = scratch;
	p->out = out;
	ps_intern_init(&p->strings, scratch, true, 0);
	ps_intern_init(&p->functions, scratch, true, 0);
	(void)string(p, ""); /* number 0, as the format demands */
	PS_ASSERT(p->strings.count == 1 || p->is_out_of_memory);
	for (unsigned i = 0; i < VALUES; i++)
		put_value_type(p, PROFILE_SAMPLE_TYPE, values[i].type,
			       values[i].unit);
	put_value_type(p, PROFILE_PERIOD_TYPE, "space", "bytes");
	ps_proto_number(out, PROFILE_DEFAULT_SAMPLE_TYPE,
			string(p, values[first[shown_first]].type));
	return p;
}

/* ---- mappings, functions, locations ---- */

static void
put_mapping(struct ps_pprof *p, uint32_t row)
{
	const struct ps_reader *r = p->view->reader;
	const struct ps_record_module *module =
	    ps_reader_entry(r, PS_TABLE_MODULES, row);
	uint32_t id_bytes = ps_reader_id_bytes(module);
	char id[2 * sizeof(module->build_id) + 1];
	struct ps_text text;
	struct message m;

	ps_text_init(&text, id, sizeof(id), -1);
	for (uint32_t i = 0; i < id_bytes; i++)
		ps_text_printf(&text, "%02x", module->build_id[i]);
	PS_ASSERT(p->first_mapping + row <= p->mappings);
	begin(&m);
	ps_proto_number(&m.text, 1, p->first_mapping + row);
	ps_proto_number(&m.text, 2, module->start);
	ps_proto_number(&m.text, 3, module->end);
	ps_proto_number(&m.text, 4, module->start - module->bias);
	ps_proto_number(&m.text, 5,
			string(p, ps_reader_string(r, module->path)));
	ps_proto_number(&m.text, 6, string(p, id));
	/* Everything that could be named is. */
	for (uint32_t field = 7; field <= 10; field++)
		ps_proto_number(&m.text, field, 1);
	end(p, &m, PROFILE_MAPPING);
}

static uint32_t
function_of(struct ps_pprof *p, const struct ps_symbol *s)
{
	struct {
		uint64_t name;
		uint64_t linkage;
		uint64_t file;
		uint64_t first_line;
	} key;
	_Static_assert(sizeof(key) == 4 * sizeof(uint64_t), "no padding");
	char name[STRING_BYTES];
	struct ps_text text;
	struct message m;
	uint32_t number = 0;
	int is_new;

	ps_text_init(&text, name, sizeof(name), -1);
	ps_symbol_put_name(&text, s);
	key.name = string(p, name);
	key.linkage = string(p, s->linkage != NULL ? s->linkage : name);
	key.file = string(p, s->path);
	key.first_line = s->first_line;
	is_new = ps_intern(&p->functions, &key, sizeof(key), &number);
	if (is_new < 0)
		p->is_out_of_memory = true;
	if (is_new == 1) {
		begin(&m);
		ps_proto_number(&m.text, 1, number + 1);
		ps_proto_number(&m.text, 2, key.name);
		ps_proto_number(&m.text, 3, key.linkage);
		ps_proto_number(&m.text, 4, key.file);
		ps_proto_number(&m.text, 5, key.first_line);
		end(p, &m, PROFILE_FUNCTION);
	}
	return number + 1;
}

enum { LINE_MESSAGE_BYTES = 32, LINES_MAX = 256 };
_Static_assert((LINE_MESSAGE_BYTES + 2) * LINES_MAX < MESSAGE_BYTES - 64,
	       "a location fits its message");

static void
put_lines(struct ps_pprof *p, const struct ps_symbol *s, struct message *m)
{
	char bytes[LINE_MESSAGE_BYTES];
	struct ps_text line;

	for (unsigned i = 0; s != NULL && i < LINES_MAX; i++) {
		ps_text_init(&line, bytes, sizeof(bytes), -1);
		ps_proto_number(&line, 1, function_of(p, s));
		ps_proto_number(&line, 2, s->line);
		PS_ASSERT(line.cut == 0);
		ps_proto_bytes(&m->text, 4, bytes, line.length);
		s = s->inlined_into;
	}
}

static uint32_t
put_location(struct ps_pprof *p, uint32_t row)
{
	const struct ps_reader *r = p->view->reader;
	const struct ps_record_frame *frame =
	    ps_reader_entry(r, PS_TABLE_FRAMES, row);
	uint32_t module = frame == NULL ? UINT32_MAX : ps_once(frame->module);
	uint32_t id = ++p->locations;
	struct ps_symbol s;
	struct message m;

	(void)p->symbols->resolve(p->symbols, row, &s);
	begin(&m);
	ps_proto_number(&m.text, 1, id);
	if (module < r->count[PS_TABLE_MODULES])
		ps_proto_number(&m.text, 2, p->first_mapping + module);
	ps_proto_number(&m.text, 3, frame == NULL ? 0 : frame->pc);
	put_lines(p, &s, &m);
	end(p, &m, PROFILE_LOCATION);
	return id;
}

/* A row that is not there is one unknown location, whatever its number. */
static uint32_t
location_of(struct ps_pprof *p, uint32_t row)
{
	uint32_t rows = p->view->reader->count[PS_TABLE_FRAMES];
	uint32_t *id = &p->location_of[PS_MIN(row, rows)];

	if (*id == 0)
		*id = put_location(p, row);
	return *id;
}

/* ---- samples ---- */

static void
put_label(struct ps_pprof *p, struct message *m, const char *key,
	  const char *value)
{
	char bytes[LINE_MESSAGE_BYTES];
	struct ps_text label;

	if (value == NULL)
		return;
	ps_text_init(&label, bytes, sizeof(bytes), -1);
	ps_proto_number(&label, 1, string(p, key));
	ps_proto_number(&label, 2, string(p, value));
	PS_ASSERT(label.cut == 0);
	ps_proto_bytes(&m->text, 3, bytes, label.length);
}

/* A damaged recording's sum may be of any size. */
static uint64_t
whole(double value, int sign)
{
	const double most = 9e18;

	PS_ASSERT(value >= 0);
	return (uint64_t)(sign * (int64_t)(PS_MIN(value, most) + 0.5));
}

static void
put_values(struct message *m, const struct ps_view_site *s, int sign)
{
	const double value[VALUES] = {
	    s->allocations,	 s->bytes,
	    s->peak_allocations, s->peak_bytes,
	    s->live_allocations, s->live_bytes,
	    s->temporary,
	};
	char bytes[VALUES * 10 + 1];
	struct ps_text packed;

	ps_text_init(&packed, bytes, sizeof(bytes), -1);
	for (unsigned i = 0; i < VALUES; i++)
		ps_proto_varint(&packed, whole(value[i], sign));
	PS_ASSERT(packed.cut == 0);
	ps_proto_bytes(&m->text, 2, bytes, packed.length);
}

static void
put_sample(struct ps_pprof *p, uint32_t row, int sign)
{
	const struct ps_view *v = p->view;
	const struct ps_record_process *process = &v->reader->header->process;
	char bytes[PS_STACK_DEPTH_MAX * 5 + 1];
	struct ps_text packed;
	struct ps_view_site site;
	uint32_t frames[PS_STACK_DEPTH_MAX];
	struct message m;
	uint32_t depth;

	ps_view_row(v, row, &site);
	depth = ps_reader_stack(v->reader, site.site, frames);
	ps_text_init(&packed, bytes, sizeof(bytes), -1);
	for (uint32_t i = 0; i < depth; i++)
		ps_proto_varint(&packed, location_of(p, frames[i]));
	PS_ASSERT(packed.cut == 0);
	begin(&m);
	ps_proto_bytes(&m.text, 1, bytes, packed.length);
	put_values(&m, &site, sign);
	put_label(p, &m, "process", ps_reader_string(v->reader, process->name));
	put_label(p, &m, "thread", ps_row_thread(v->reader, row));
	put_label(p, &m, "section", ps_row_section(v->reader, row));
	put_label(p, &m, "pprof::base", sign < 0 ? "true" : NULL);
	end(p, &m, PROFILE_SAMPLE);
}

static void
describe(struct ps_pprof *p)
{
	const struct ps_record_header *h = p->view->reader->header;
	double wall_s = p->view->wall_s;

	p->is_described = true;
	ps_proto_number(p->out, PROFILE_TIME_NANOS, h->process.start_real_ns);
	if (wall_s > 0 && wall_s < 9e9)
		ps_proto_number(p->out, PROFILE_DURATION_NANOS,
				(uint64_t)(wall_s * 1e9));
	ps_proto_number(p->out, PROFILE_PERIOD, h->sampling.interval_bytes);
	ps_proto_number(p->out, PROFILE_COMMENT,
			string(p, "perfshim " PS_VERSION));
}

int
ps_pprof_add(struct ps_pprof *p, const struct ps_view *v,
	     struct ps_symbols *symbols, int sign)
{
	const uint32_t *count = v->reader->count;

	PS_ASSERT(sign == 1 || sign == -1);
	p->view = v;
	p->symbols = symbols;
	p->first_mapping = p->mappings + 1;
	p->mappings += count[PS_TABLE_MODULES];
	p->location_of = ps_scratch_array(p->scratch, count[PS_TABLE_FRAMES],
					  sizeof(*p->location_of));
	if (p->location_of == NULL)
		return -ENOMEM;
	if (!p->is_described)
		describe(p);
	for (uint32_t i = 0; i < count[PS_TABLE_MODULES]; i++)
		put_mapping(p, i);
	for (uint32_t i = 0; i < count[PS_TABLE_SITES]; i++)
		if (v->row_verdicts[i] != PS_ROW_LEFT_OUT)
			put_sample(p, i, sign);
	return p->is_out_of_memory ? -ENOMEM : 0;
}

int
ps_pprof_end(struct ps_pprof *p)
{
	return p->is_out_of_memory ? -ENOMEM : 0;
}
