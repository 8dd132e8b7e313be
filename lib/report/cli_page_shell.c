/* SPDX-License-Identifier: MIT */
/*
 * cli_page_shell - the page without its data, as it was built
 *
 * The file comes from lib/report/page by way of scripts/build-page.sh.  It is a
 * part of the program and not a file beside it, since a perfreport that was
 * copied elsewhere must still write pages.  An empty file says that there is no
 * page.
 */
#include "report/cli_page_shell.h"

__asm__(".pushsection .rodata\n"
	"page_begin:\n"
	".incbin \"" PS_PAGE_SHELL "\"\n"
	"page_end:\n"
	".byte 0\n"
	".popsection\n"
	".globl page_begin, page_end\n"
	".hidden page_begin, page_end\n");

extern const char page_begin[];
extern const char page_end[];

const char *
ps_page_shell(size_t *bytes)
{
	*bytes = (size_t)(page_end - page_begin);
	return page_begin;
}
