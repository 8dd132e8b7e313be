/* SPDX-License-Identifier: MIT */
#include "base/os.h"
#include "base/scratch.h"
#include "base/text.h"
#include "report/prometheus.h"
#include "shim/finish.h"
#include "shim/metrics.h"
#include "shim/path.h"
#include "shim/start.h"

enum { BUFFER_BYTES = 16384, SCRATCH_BYTES = 64 << 20 };
static const uint64_t every_ns = 15000000000;

static PS_BIG char buffer[BUFFER_BYTES];
static PS_BIG char path[PS_PATH_MAX * 2];
static PS_BIG char path_new[PS_PATH_MAX * 2 + 16];
static uint64_t next_ns;
static bool is_on;
static bool has_complained;

bool
ps_metrics_init(void)
{
	is_on = ps_options.metrics[0] != '\0';
	ps_path_make_absolute(ps_options.metrics);
	next_ns = ps_os_monotonic_ns() + every_ns;
	return is_on;
}

static int
write_file(const struct ps_reader *reader, int fd)
{
	struct ps_scratch scratch;
	struct ps_text text;
	int error;

	ps_scratch_init(&scratch, SCRATCH_BYTES);
	ps_text_init(&text, buffer, sizeof(buffer), fd);
	error = ps_report_prometheus(&reader, 1, &scratch, &text);
	ps_text_flush(&text);
	ps_scratch_fini(&scratch);
	return error != 0 ? error : text.error;
}

static int
replace_file(const struct ps_reader *reader)
{
	struct ps_text text;
	int error;
	int fd;

	ps_text_init(&text, path_new, sizeof(path_new), -1);
	/* Collectors take *.prom, and other processes have their own. */
	ps_text_printf(&text, "%s.%d", path, ps_os_pid());
	(void)ps_os_unlink(path_new);
	fd = ps_os_create(path_new);
	if (fd < 0)
		return fd;
	error = write_file(reader, fd);
	(void)ps_os_close(fd);
	if (error == 0)
		error = ps_os_rename(path_new, path);
	if (error != 0)
		(void)ps_os_unlink(path_new);
	return error;
}

/* A device, a pipe: written to as it is. */
static int
write_there(const struct ps_reader *reader)
{
	int fd = ps_os_open_append(path);
	int error;

	if (fd < 0)
		return fd;
	error = write_file(reader, fd);
	(void)ps_os_close(fd);
	return error;
}

static void
complain(int error)
{
	char line[480];
	struct ps_text text;

	ps_text_init(&text, line, sizeof(line), -1);
	ps_text_printf(&text, "PERFSHIM_METRICS=%.300s: not written (error %d)",
		       path, -error);
	ps_os_mention(line);
}

void
ps_metrics_step(const struct ps_reader *reader, bool is_last)
{
	uint64_t now = ps_os_monotonic_ns();
	int error;

	if (!is_on || (!is_last && now < next_ns))
		return;
	/* Children would take turns with their parent's file. */
	if (!ps_path_expand(ps_options.metrics, path, sizeof(path)) &&
	    ps_finish_is_child())
		return;
	next_ns = now + every_ns;
	error = ps_os_may_replace(path) ? replace_file(reader)
					: write_there(reader);
	if (error != 0 && is_last && !has_complained) {
		has_complained = true;
		complain(error);
	}
}
