/* SPDX-License-Identifier: MIT */
/*
 * fuzz_report - libFuzzer over the reader and every format (make fuzz)
 *
 * Mutations of single fields find more than those of bytes in 60 KiB that are
 * mostly zero: half of them set an aligned word to a value of interest.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "record/layout.h"
#include "tests/fuzz/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most,
			       unsigned seed);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	ps_test_formats(bytes, size);
	return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed)
{
	static const uint64_t odd[] = {0,	   1,	       2,
				       UINT8_MAX,  4096,       INT32_MAX,
				       UINT32_MAX, 1ull << 32, 1ull << 52,
				       INT64_MAX,  1ull << 63, UINT64_MAX};
	unsigned state = seed;
	size_t width = rand_r(&state) % 2 ? 8 : 4;
	/* Half of them in the header, whose fields matter most. */
	size_t end =
	    rand_r(&state) % 2 ? sizeof(struct ps_record_header) : size;
	size_t at;

	if (size < PS_RECORD_HEADER_BYTES || rand_r(&state) % 2)
		return LLVMFuzzerMutate(bytes, size, most);
	at = ((size_t)rand_r(&state) * 4093 + (size_t)rand_r(&state)) %
	     (end / width) * width;
	if (at + width <= size)
		memcpy(bytes + at, &odd[(size_t)rand_r(&state) % PS_COUNT(odd)],
		       width);
	return size;
}
