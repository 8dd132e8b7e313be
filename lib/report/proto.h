/* SPDX-License-Identifier: MIT */
/*
 * proto - the wire format of protocol buffers, as much as a writer needs
 *
 * Varints and length-delimited fields into a bounded message; what does not fit
 * is counted in the text writer's `cut`.  By hand: a library would bring a
 * code generator, a run-time and structures in memory for the four field kinds
 * that this is.
 */
#ifndef PS_REPORT_PROTO_H
#define PS_REPORT_PROTO_H

#include "base/text.h"

static inline void
ps_proto_varint(struct ps_text *t, uint64_t value)
{
	while (value >= 0x80) {
		ps_text_char(t, (char)(value | 0x80));
		value >>= 7;
	}
	ps_text_char(t, (char)value);
}

/* int64, uint64, bool; a negative one takes ten bytes. */
static inline void
ps_proto_number(struct ps_text *t, uint32_t field, uint64_t value)
{
	PS_ASSERT(field > 0);
	if (value == 0)
		return; /* the default */
	ps_proto_varint(t, (uint64_t)field << 3);
	ps_proto_varint(t, value);
}

/* A string, a message or packed numbers. */
static inline void
ps_proto_bytes(struct ps_text *t, uint32_t field, const char *bytes,
	       size_t length)
{
	PS_ASSERT(field > 0 && (bytes != NULL || length == 0));
	ps_proto_varint(t, (uint64_t)field << 3 | 2);
	ps_proto_varint(t, length);
	ps_text_put(t, bytes, length);
}

/* A message within a message, which was written into memory whole. */
static inline void
ps_proto_message(struct ps_text *t, uint32_t field,
		 const struct ps_text *message)
{
	PS_ASSERT(message->cut == 0);
	ps_proto_bytes(t, field, message->buffer, message->length);
}

#endif /* PS_REPORT_PROTO_H */
