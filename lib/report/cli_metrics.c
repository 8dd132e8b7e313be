/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "monitor/prom.h"
#include "report/cli_arguments.h"
#include "report/cli_output.h"
#include "report/cli_metrics.h"
#include "report/prometheus.h"

enum { BUFFER_BYTES = 1 << 16, FILE_MODE = 0644 };

static void
put_left_out(const struct ps_live *l, struct ps_text *out)
{
	static const char family[] = "perfshim_recordings_left_out";
	static const struct ps_prom_labels none;

	PS_ASSERT(l->left_out >= 0);
	ps_prom_head(out, family, "gauge",
		     "Older recordings of the directory that are not shown.");
	ps_prom_count(out, family, &none, (uint64_t)l->left_out);
}

int
ps_metrics_write(struct ps_live *l, struct ps_text *out)
{
	const struct ps_reader *readers[PS_LIVE_MAX];
	struct ps_scratch scratch;
	uint32_t count = 0;
	int error;

	PS_ASSERT(l->count <= (int)PS_COUNT(readers));
	for (int i = 0; i < l->count; i++)
		if (!l->node[i].is_superseded)
			readers[count++] = &l->node[i].reader;
	ps_scratch_init(&scratch, (size_t)2 << 30);
	error = ps_report_prometheus(readers, count, &scratch, out);
	ps_scratch_fini(&scratch);
	put_left_out(l, out);
	return error;
}

static int
write_to(struct ps_live *l, int fd)
{
	static char buffer[BUFFER_BYTES];
	struct ps_text out;
	int error;

	PS_ASSERT(fd >= 0);
	ps_text_init(&out, buffer, sizeof(buffer), fd);
	error = ps_metrics_write(l, &out);
	ps_text_flush(&out);
	return error != 0 ? error : out.error;
}

/* mkstemp makes it 0600, which node_exporter cannot read. */
static int
replace(struct ps_live *l, const char *file)
{
	char *fresh;
	int error;
	int fd;

	if (asprintf(&fresh, "%s.XXXXXX", file) < 0)
		return -ENOMEM;
	fd = mkostemp(fresh, O_CLOEXEC);
	error = fd < 0 || fchmod(fd, FILE_MODE) != 0 ? -errno : 0;
	if (error == 0)
		error = write_to(l, fd);
	if (fd >= 0 && close(fd) != 0 && error == 0)
		error = -errno;
	if (error == 0 && rename(fresh, file) != 0)
		error = -errno;
	if (error != 0 && fd >= 0)
		(void)unlink(fresh);
	free(fresh);
	return error;
}

/* A device, a pipe. */
static int
write_there(struct ps_live *l, const char *file)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	error = write_to(l, fd);
	if (close(fd) != 0 && error == 0)
		error = -errno;
	return error;
}

static int
put(struct ps_live *l, const char *file)
{
	if (strcmp(file, "-") == 0)
		return write_to(l, STDOUT_FILENO);
	return ps_os_may_replace(file) ? replace(l, file)
				       : write_there(l, file);
}

int
ps_cli_metrics(const char *file, const char *path)
{
	static struct ps_live live;
	int error;

	ps_live_init(&live, path);
	error = ps_live_refresh(&live);
	if (error != 0) {
		ps_complain_of(path, strerror(-error));
		return PS_CLI_BROKEN;
	}
	error = put(&live, file);
	ps_live_close(&live);
	if (error == 0)
		return 0;
	ps_complain_of_option("--metrics", file, strerror(-error));
	return PS_CLI_BROKEN;
}
