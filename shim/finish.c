/* SPDX-License-Identifier: MIT */
/*
 * finish - how the process ends: the last figures and the exit report
 *
 * Ends that we see: exit and return from main, by an on_exit handler;
 * quick_exit by its own; _exit and _Exit, which are wrapped because every
 * /bin/sh ends so. All others (signals, exec) are told by the recording alone.
 *
 * Who speaks: with a bare LD_PRELOAD, the process whose parent is not under the
 * shim, on standard error, if descriptor 2 is still the file that it was.  A
 * report path with %p is for every process; one without, for that process only.
 *
 * The report is built in pages of its own: the end may come from a signal
 * handler that interrupted malloc.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/filter.h"
#include "base/os.h"
#include "base/scratch.h"
#include "base/text.h"
#include "measure/clock.h"
#include "pool/heap.h"
#include "record/brief.h"
#include "record/reader.h"
#include "record/writer.h"
#include "report/report.h"
#include "report/symbol_elf.h"
#include "shim/finish.h"
#include "shim/forked.h"
#include "shim/harden.h"
#include "shim/machine.h"
#include "shim/malloc.h"
#include "shim/markers.h"
#include "shim/own_stack.h"
#include "shim/parent.h"
#include "shim/path.h"
#include "shim/start.h"
#include "shim/thread.h"
#include "shim/watch.h"

enum {
	OUTPUT_BYTES = 65536,
	/* A parent that reads our standard error when we have ended. */
	PATIENCE_MS = 3000,
	/* A program that ran for less is not made to wait 5 ms. */
	CALIBRATE_AFTER_MS = 100,
	/* A forked child that did less leaves no file of its own. */
	CHILD_MIN_ALLOCATIONS = 1,
};

static PS_FORKED _Atomic int has_finished;
static bool is_silent;
static PS_FORKED bool is_child;
static PS_BIG char output[OUTPUT_BYTES];

/* ---- who speaks --------------------------------------------------------- */

static void register_ends(void);

void
ps_finish_init(void)
{
	ps_machine_init();
	register_ends();
	is_silent = ps_options.report == PS_REPORT_NONE ||
		    (ps_options.report == PS_REPORT_STDERR &&
		     ps_record->is_file && !ps_options.is_report_set);
	if (!is_silent || ps_options.alert[0] != '\0' ||
	    ps_options.metrics[0] != '\0')
		is_child = ps_parent_is_under_shim();
}

bool
ps_finish_is_child(void)
{
	return is_child;
}

bool
ps_finish_is_stderr_ours(void)
{
	return !is_child && ps_os_is_stderr_unchanged();
}

void
ps_finish_postfork_child(void)
{
	atomic_store(&has_finished, 0);
	is_child = true;
}

static bool
is_report_wanted(void)
{
	return !is_silent && (ps_options.report != PS_REPORT_STDERR ||
			      ps_finish_is_stderr_ours());
}

/* Descriptor for the report, or -1: silence. */
static int
open_output(bool *is_opened)
{
	char path[PS_PATH_MAX * 2];
	bool has_pid;
	int fd;

	*is_opened = false;
	if (!is_report_wanted())
		return -1;
	if (ps_options.report == PS_REPORT_STDERR)
		return 2;
	has_pid = ps_path_expand(ps_options.report_path, path, sizeof(path));
	if (is_child && (!has_pid || ps_options.children == PS_CHILDREN_OFF))
		return -1;
	fd = ps_os_open_append(path);
	if (fd < 0) {
		char line[PS_PATH_MAX * 2 + 64];
		struct ps_text text;

		ps_text_init(&text, line, sizeof(line), -1);
		ps_text_str(&text, "PERFSHIM_REPORT=");
		ps_text_printable(&text, path);
		ps_text_printf(&text, ": cannot open (%s)",
			       strerrordesc_np(-fd));
		ps_os_mention(line);
		return -1;
	}
	*is_opened = true;
	return fd;
}

/* ---- last figures ------------------------------------------------------- */

static uint64_t
timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

static void
record_usage(void)
{
	struct ps_record_process *p = &ps_record->process;
	struct rusage usage;

	if (ps_os_usage(&usage) != 0)
		return;
	ps_poke(&p->user_ns, timeval_ns(usage.ru_utime));
	ps_poke(&p->system_ns, timeval_ns(usage.ru_stime));
	ps_poke(&p->max_rss_bytes, (uint64_t)usage.ru_maxrss * 1024);
}

static void
record_clock(void)
{
	uint64_t ns;
	ps_ticks ticks;

	(void)ps_clock_pair(&ticks, &ns);
	ps_poke(&ps_record->clock.last_ns, ns);
	ps_poke(&ps_record->clock.last_ticks, ticks);
}

static bool
is_calibration_wanted(void)
{
	uint64_t ns = ps_os_monotonic_ns() - ps_record->clock.start_ns;

	return ps_options.calibrate != PS_CALIBRATE_OFF && !is_child &&
	       !ps_filter_is_on &&
	       ns >= (uint64_t)CALIBRATE_AFTER_MS * 1000000u;
}

static void
record_calibration(void)
{
	ps_machine_calibrate(&ps_record->calibration, is_calibration_wanted());
	if (ps_peek(&ps_record->table[PS_TABLE_SECTION_STATS].count) != 0)
		ps_markers_calibrate(&ps_record->calibration.marker_ns,
				     &ps_record->calibration.marker_inside_ns);
}

/* ---- the report --------------------------------------------------------- */

static bool
is_colour_wanted(int fd)
{
	struct stat st;
	bool is_terminal = ps_os_fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
			   !ps_filter_forbids(SYS_ioctl) && isatty(fd);

	return is_terminal && !ps_options.is_colour_off;
}

/* Bound when we were loaded, where the program has a C++ library from the start
 * on. */
char *__cxa_demangle(const char *name, char *buffer, size_t *bytes, int *status)
    __attribute__((weak));

static bool has_exited; /* exit was called, and has ended all libraries */

/*
 * To ask the loader takes its lock.  exit has had that; who calls _exit may do
 * so because a library's constructor has it, and does not end.
 */
static ps_demangler *
find_demangler(void)
{
	if (__cxa_demangle != NULL || !has_exited)
		return __cxa_demangle;
	return (ps_demangler *)dlsym(RTLD_DEFAULT, "__cxa_demangle");
}

static void
write_report(int fd)
{
	struct ps_symbols *symbols;
	struct ps_scratch scratch;
	struct ps_reader reader;
	struct stat st;
	struct ps_text text;
	const char *why;

	if (ps_reader_attach(&reader, ps_record, ps_record->file_bytes, &why) !=
	    0)
		return;
	ps_text_init(&text, output, sizeof(output), fd);
	text.is_colour = is_colour_wanted(fd);
	if (ps_os_fstat(fd, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		text.patience_ms = PATIENCE_MS;
	ps_scratch_init(&scratch, (size_t)256 << 20);
	symbols = ps_symbols_elf(&scratch, &reader, find_demangler(), cfree);
	(void)ps_report_write(&reader, symbols, &scratch,
			      ps_options.format == PS_FORMAT_JSON
				  ? PS_REPORT_JSON
				  : PS_REPORT_TEXT,
			      NULL, &text);
	ps_text_flush(&text);
	ps_scratch_fini(&scratch);
}

/* Not where a seccomp filter punishes what holds SIGPIPE back (ps_os_write): a
 * reader that is gone would end the program. */
static bool
is_report_allowed(void)
{
	return !ps_filter_forbids(SYS_rt_sigpending) &&
	       !ps_filter_forbids(SYS_rt_sigprocmask) &&
	       !ps_filter_forbids(SYS_rt_sigtimedwait);
}

static void
report(void)
{
	bool is_opened;
	int fd = is_report_allowed() ? open_output(&is_opened) : -1;

	if (fd < 0)
		return;
	write_report(fd);
	if (is_opened)
		(void)ps_os_close(fd);
}

/* ---- too small for a file ----------------------------------------------- */

static bool
is_child_recorded_here(void)
{
	return ps_peek(&ps_record->process.is_forked_child) ||
	       ps_parent_records_here();
}

/* The line of a process that is too small, in place of its recording; false:
 * it is not, or the line could not be written. */
static bool
leave_brief(void)
{
	static struct ps_brief brief; /* not on what may be a small stack */

	if (ps_options.children == PS_CHILDREN_ALL)
		return false;
	ps_brief_take(ps_record, &brief);
	if (!ps_brief_is_small(ps_record, &brief) ||
	    !is_child_recorded_here() ||
	    ps_brief_leave(&brief, ps_options.out) != 0)
		return false;
	ps_record_unlink_file();
	return true;
}

/* ---- the end ------------------------------------------------------------ */

/* vfork children and raw clones run in our memory or with our recording, and
 * are not the process that it describes. */
static bool
is_our_process(void)
{
	return ps_record->process.pid == ps_os_pid();
}

/* A file, or the report, tells more than the figures so far. */
static void
finish_recording(struct ps_thread *self)
{
	ps_thread_note_end(self);
	ps_record_describe_machine();
	record_calibration();
	ps_poke(&ps_record->heap.pool_mapped_bytes, ps_heap_mapped_bytes());
	ps_poke(&ps_record->process.state, PS_STATE_EXITED);
	if (ps_options.children != PS_CHILDREN_OFF &&
	    ps_peek(&self->row->allocations) >= CHILD_MIN_ALLOCATIONS)
		ps_start_file();
	report();
}

/* Most processes of a build are small: what nobody will read is not made. */
static void
finish(intptr_t status)
{
	struct ps_thread *self = &ps_self;

	if (!ps_thread_enter(self))
		return;
	ps_harden_finish();
	ps_thread_publish_last(self);
	record_usage();
	record_clock();
	ps_poke(&ps_record->process.exit_code, (int)status);
	ps_watch_finish(self);
	if ((ps_options.out[0] != '\0' && !leave_brief()) || is_report_wanted())
		finish_recording(self);
	else
		ps_poke(&ps_record->process.state, PS_STATE_EXITED);
	ps_thread_leave(self);
}

void
ps_finish(int status)
{
	if (ps_record == NULL)
		return;
	ps_forked_finish();
	if (!is_our_process() || atomic_exchange(&has_finished, 1) != 0)
		return;
	ps_on_own_stack(finish, status);
}

static void
at_exit(int status, void *unused)
{
	(void)unused;
	has_exited = true;
	ps_finish(status & 0xff);
}

static void
at_quick_exit_(void)
{
	ps_finish(-1);
}

/*
 * Registered by the constructor, before the C library registers the loader's
 * own handler, so these run last: after every destructor of the program and of
 * its libraries, whose frees are still counted.  No allocation: the first 32
 * handlers have static room.
 */
static void
register_ends(void)
{
	(void)on_exit(at_exit, NULL);
	(void)at_quick_exit(at_quick_exit_);
}

PS_EXPORT void
_exit(int status)
{
	ps_finish(status & 0xff);
	for (;;)
		syscall(SYS_exit_group, status);
}

void _Exit(int status) __attribute__((alias("_exit"), visibility("default")));
