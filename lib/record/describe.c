/* SPDX-License-Identifier: MIT */
/*
 * describe - who and where this process is, for the header of its recording
 *
 * Only facts that take a system call or CPUID.  What cannot be had stays the
 * empty string, which reports print as unknown.  What a fork child has in
 * common with its parent is remembered, and what only a reader of the whole
 * recording wants is left for later: CPUID traps in a virtual machine, up to
 * 18 us for each leaf.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/os.h"
#include "record/file.h"
#include "record/writer.h"
#include "simd/cpu.h"

enum { EXE_MAX_BYTES = 4096 };

static void
describe_cpu(struct ps_record_process *p)
{
	static char model[PS_CPU_MODEL_BYTES]; /* "": not read yet */

	if (model[0] == '\0')
		ps_cpu_model(model);
	p->cpu_model = ps_record_string_once(model, sizeof(model));
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/*
 * The last part of the path that it was started by, when that is another name
 * of the executable (redis-server is a link to redis-check-rdb, python3 one to
 * python3.11); NULL: it has none.  A script is none, nor is /proc/self/exe, by
 * which programs start themselves again.
 */
static const char *
other_name(const char *exe)
{
	const char *path = ps_os_started_path();
	struct stat started;
	struct stat running;

	if (path == NULL || *last_part(path) == '\0' ||
	    strncmp(path, "/proc/", 6) == 0 ||
	    strcmp(last_part(path), last_part(exe)) == 0 ||
	    ps_os_stat(path, &started) != 0 ||
	    ps_os_stat("/proc/self/exe", &running) != 0 ||
	    started.st_ino != running.st_ino ||
	    started.st_dev != running.st_dev)
		return NULL;
	return last_part(path);
}

/* A fork's child runs what its parent does. */
static const char *
executable(char room[EXE_MAX_BYTES])
{
	static char known[256];
	ssize_t got;

	if (known[0] != '\0')
		return known;
	got = ps_os_readlink("/proc/self/exe", room, EXE_MAX_BYTES - 1);
	if (got <= 0)
		return NULL;
	PS_ASSERT((size_t)got < EXE_MAX_BYTES);
	room[got] = '\0';
	if ((size_t)got < sizeof(known))
		memcpy(known, room, (size_t)got + 1);
	return room;
}

static void
describe_executable(struct ps_record_process *p)
{
	char room[EXE_MAX_BYTES];
	const char *exe = executable(room);
	const char *name;

	if (exe == NULL)
		return;
	p->exe = ps_record_string_once(exe, EXE_MAX_BYTES);
	name = other_name(exe);
	if (name != NULL)
		p->name = ps_record_string_once(name, EXE_MAX_BYTES);
	else if (p->exe != 0) /* its last part is a string by itself */
		p->name = p->exe + (uint32_t)(last_part(exe) - exe);
}

static void
describe_boot(struct ps_record_process *p)
{
	static char id[sizeof(p->boot_id)];
	char text[sizeof(id)];
	ssize_t got;

	if (id[0] == 0) {
		got = ps_os_slurp("/proc/sys/kernel/random/boot_id", text,
				  sizeof(text));
		if (got <= 0)
			return;
		PS_ASSERT((size_t)got < sizeof(text));
		if (text[got - 1] == '\n')
			text[got - 1] = 0;
		memcpy(id, text, (size_t)got);
	}
	PS_ASSERT(id[sizeof(id) - 1] == 0);
	memcpy(p->boot_id, id, sizeof(id));
}

void
ps_record_describe(struct ps_record_process *p)
{
	PS_ASSERT(ps_peek(&p->state) == 0);
	p->pid = ps_os_pid();
	p->ppid = ps_os_ppid();
	p->start_real_ns = ps_os_realtime_ns();
	p->start_mono_ns = ps_os_monotonic_ns();
	p->library = ps_record_string_once(PS_VERSION, sizeof(PS_VERSION));
	describe_executable(p);
	ps_poke(&p->state, PS_STATE_RUNNING);
	ps_poke(&p->exit_code, -1);
}

void
ps_record_describe_machine(void)
{
	struct ps_record_process *p = &ps_record->process;

	if (p->cpu_model != 0)
		return;
	describe_cpu(p);
	describe_boot(p);
}
