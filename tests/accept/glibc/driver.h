/* SPDX-License-Identifier: MIT */
/* driver - the main of a test: included last, like glibc's test-driver.c. */
#include "support.h"

#ifndef TEST_FUNCTION
#define TEST_FUNCTION do_test()
#endif

int
main(int argc, char **argv)
{
	int status = TEST_FUNCTION;

	(void)argc;
	(void)argv;
	return status != 0 ? status : support_failures != 0;
}
