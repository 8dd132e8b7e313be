/* SPDX-License-Identifier: MIT */
/*
 * fuzz_input - libFuzzer over one of tests/fuzz/inputs.h, which FUZZ_TARGET
 * names (make fuzz)
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/inputs.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct ps_test_input *input;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("FUZZ_TARGET");

	input = ps_test_input(name == NULL ? "" : name);
	if (input != NULL)
		return 0;
	fputs("FUZZ_TARGET names no input\n", stderr);
	exit(2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	input->take(bytes, size);
	return 0;
}
