/* SPDX-License-Identifier: MIT */
/*
 * cli_pprof - a gzip'ed profile of one or more recordings
 *
 * Built in a file without a name, since it is not known how long it gets.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report/cli_gzip.h"
#include "report/cli_pprof.h"

int
ps_pprof_open(struct ps_pprof_file *f, bool is_of_sections)
{
	static char buffer[1 << 16];

	*f = (struct ps_pprof_file){.fd = memfd_create("pprof", MFD_CLOEXEC)};
	ps_scratch_init(&f->scratch, 0);
	if (f->fd < 0)
		return -errno;
	ps_text_init(&f->plain, buffer, sizeof(buffer), f->fd);
	if (is_of_sections) {
		ps_section_pprof_begin(&f->sections, &f->plain);
		return 0;
	}
	f->profile = ps_pprof_begin(&f->scratch, PS_BY_PEAK, &f->plain);
	return f->profile == NULL ? -ENOMEM : 0;
}

int
ps_pprof_put(struct ps_pprof_file *f, const struct ps_source *s, int sign)
{
	PS_ASSERT(f->profile != NULL || f->sections.out == &f->plain);
	if (f->profile != NULL)
		return ps_pprof_add(f->profile, &s->view, s->symbols, sign);
	ps_section_pprof_add(&f->sections, &s->view, sign);
	return 0;
}

int
ps_pprof_close(struct ps_pprof_file *f, int error, struct ps_text *out)
{
	PS_ASSERT(error != 0 || f->fd >= 0);
	if (error == 0 && f->profile != NULL)
		error = ps_pprof_end(f->profile);
	if (error == 0) {
		ps_text_flush(&f->plain);
		error = f->plain.error;
	}
	if (error == 0)
		error = ps_gzip(f->fd, out);
	if (f->fd >= 0)
		close(f->fd);
	ps_scratch_fini(&f->scratch);
	return error;
}

int
ps_print_pprof(const struct ps_source *s, bool is_of_sections,
	       struct ps_text *out)
{
	struct ps_pprof_file file;
	int error = ps_pprof_open(&file, is_of_sections);

	if (error == 0)
		error = ps_pprof_put(&file, s, 1);
	return ps_pprof_close(&file, error, out);
}
