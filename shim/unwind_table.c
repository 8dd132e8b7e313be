/* SPDX-License-Identifier: MIT */
/*
 * unwind_table - what .eh_frame holds about the function at an address
 *
 * Linkers write a sorted table into .eh_frame_hdr (the Linux Standard Base's
 * DWARF extensions): for each function, its start and its frame description
 * entry (FDE), which leads back to a common entry (CIE).  All of them write it
 * as version 1, 4-byte offsets from the header (0x3b), a 4-byte count (0x03),
 * which is all that is understood here: any other is "no table".
 *
 * The tables are taken as they are, damaged ones included: each part is read
 * within the segment that it lies in.  What they say about code is not checked
 * against anything; a wrong rule is the walker's to survive (unwind.c).
 *
 * Costs: a binary search, some 17 probes for 100 000 functions, and about 60
 * bytes read.
 */
#include "shim/unwind_table.h"

enum {
	HEADER_BYTES = 12, /* before the table's first pair */
	PAIR_BYTES = 8,
	VERSION = 1,
	COUNT_ENCODING = PS_POINTER_UDATA4,
	TABLE_ENCODING = 0x30 | PS_POINTER_SDATA4,
	LONG_FORM = 0xffffffff, /* of a length: no linker writes it here */
};

struct pair {
	int32_t start; /* relative to the header, both */
	int32_t fde;
};
_Static_assert(sizeof(struct pair) == PAIR_BYTES, "as in the file");

static struct pair
pair_at(const uint8_t *pairs, uint32_t i)
{
	struct pair pair;

	memcpy(&pair, pairs + (size_t)i * PAIR_BYTES, sizeof(pair));
	return pair;
}

/* Where the FDE should be: the one that starts last at or before pc. */
static bool
find_pair(const struct ps_bytes *table, uint32_t count, intptr_t pc,
	  struct pair *out)
{
	uint32_t low = 0;
	uint32_t high = count; /* low <= what is sought < high */

	if (count == 0 || pair_at(table->at, 0).start > pc)
		return false;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		/* Whichever is next is on its way: most are in no cache. */
		__builtin_prefetch(table->at +
				   (size_t)(low + (middle - low) / 2) *
				       PAIR_BYTES);
		__builtin_prefetch(table->at +
				   (size_t)(middle + (high - middle) / 2) *
				       PAIR_BYTES);
		if (pair_at(table->at, middle).start <= pc)
			low = middle;
		else
			high = middle;
	}
	*out = pair_at(table->at, low);
	return true;
}

static bool
find_fde_address(const struct ps_unwind_module *module, uintptr_t pc,
		 uintptr_t *out)
{
	uintptr_t header = (uintptr_t)module->eh_frame_hdr;
	struct ps_segment segment;
	struct ps_bytes table;
	struct pair pair;
	uint8_t encodings[4];
	uint32_t count;

	if (!ps_unwind_find_segment(module, header, &segment))
		return false;
	table = ps_bytes_between(header, segment.end);
	if (ps_bytes_left(&table) < HEADER_BYTES)
		return false;
	memcpy(encodings, table.at, sizeof(encodings));
	memcpy(&count, table.at + HEADER_BYTES - sizeof(count), sizeof(count));
	table.at += HEADER_BYTES;
	if (encodings[0] != VERSION || encodings[2] != COUNT_ENCODING ||
	    encodings[3] != TABLE_ENCODING ||
	    count > ps_bytes_left(&table) / PAIR_BYTES ||
	    !find_pair(&table, count, (intptr_t)(pc - header), &pair))
		return false;
	*out = header + (uintptr_t)(intptr_t)pair.fde;
	return true;
}

/* ---- entries ------------------------------------------------------------ */

/* What a CIE's augmentation string announces, in its order. */
static bool
read_augmentation(const char *string, struct ps_bytes *what, struct ps_fde *out)
{
	out->encoding = PS_POINTER_ABSOLUTE;
	for (; *string != '\0'; string++) {
		switch (*string) {
		case 'R':
			out->encoding = ps_bytes_u8(what);
			break;
		case 'L': /* how the exception tables are pointed to */
			(void)ps_bytes_u8(what);
			break;
		case 'P': /* who reads them */
			(void)ps_bytes_form(what, ps_bytes_u8(what));
			break;
		case 'S':
			out->is_signal = true;
			break;
		default:
			return false;
		}
	}
	return !what->is_spoilt;
}

/* The string at the reader, which goes on behind it; NULL: it has no end. */
static const char *
take_string(struct ps_bytes *b)
{
	const char *string = (const char *)b->at;

	while (ps_bytes_u8(b) != 0)
		continue;
	return b->is_spoilt ? NULL : string;
}

/* The entry at an address, without its length; in [start, end) of a segment. */
static struct ps_bytes
entry_at(const struct ps_segment *segment, uintptr_t address)
{
	struct ps_bytes rest = ps_bytes_between(address, segment->end);
	uint64_t length;

	if (address < segment->start)
		ps_bytes_spoil(&rest);
	length = ps_bytes_unsigned(&rest, 4);
	if (length == 0 || length == LONG_FORM)
		ps_bytes_spoil(&rest);
	return ps_bytes_take(&rest, length);
}

static bool
read_common(struct ps_bytes cie, struct ps_fde *out)
{
	struct ps_bytes augmentation;
	bool is_common = ps_bytes_unsigned(&cie, 4) == 0;
	uint8_t version = ps_bytes_u8(&cie);
	const char *string = take_string(&cie);

	if (!is_common || (version != 1 && version != 3) || string == NULL)
		return false;
	out->code_align = ps_bytes_uleb(&cie);
	out->data_align = ps_bytes_sleb(&cie);
	out->return_column =
	    version == 1 ? ps_bytes_u8(&cie) : ps_bytes_uleb(&cie);
	augmentation =
	    ps_bytes_take(&cie, *string == 'z' ? ps_bytes_uleb(&cie) : 0);
	string += *string == 'z';
	if (!read_augmentation(string, &augmentation, out))
		return false;
	out->common_code = cie;
	return !cie.is_spoilt;
}

/* 'z', or else there is no augmentation in the FDE to be passed over. */
static bool
is_augmented(struct ps_bytes cie)
{
	(void)ps_bytes_unsigned(&cie, 5);
	return ps_bytes_u8(&cie) == 'z';
}

bool
ps_unwind_find_fde(const struct ps_unwind_module *module, uintptr_t pc,
		   struct ps_fde *out)
{
	struct ps_segment segment;
	struct ps_bytes fde;
	struct ps_bytes cie;
	uintptr_t address;

	memset(out, 0, sizeof(*out));
	if (!find_fde_address(module, pc, &address) ||
	    !ps_unwind_find_segment(module, address, &segment))
		return false;
	fde = entry_at(&segment, address);
	address = (uintptr_t)fde.at;
	address -= ps_bytes_unsigned(&fde, 4);
	cie = entry_at(&segment, address);
	if (fde.is_spoilt || !read_common(cie, out))
		return false;
	out->start = ps_bytes_pointer(&fde, out->encoding);
	out->end = out->start + ps_bytes_form(&fde, out->encoding);
	if (is_augmented(cie))
		(void)ps_bytes_take(&fde, ps_bytes_uleb(&fde));
	out->code = fde;
	return !fde.is_spoilt && pc >= out->start && pc < out->end;
}
