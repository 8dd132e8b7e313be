/* SPDX-License-Identifier: MIT */
/*
 * describe - who and where this process is, for the header of its recording
 *
 * Only facts that take a system call or CPUID.  What cannot be had stays the
 * empty string, which reports print as unknown.  What a fork child has in
 * common with its parent is remembered, and what only a reader of the whole
 * recording wants is left for later: CPUID traps in a virtual machine, four of
 * them cost a small process 14 us of its 500.
 */
#include <string.h>
#include <sys/stat.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "base/os.h"
#include "record/file.h"
#include "record/writer.h"

enum { EXE_MAX_BYTES = 4096, BRAND_BYTES = 48 };

/* The 48 bytes of CPUID leaves 0x80000002 to 4; length without padding. */
static size_t
read_cpu_model(char brand[BRAND_BYTES])
{
	size_t length = 0;

#if defined(__x86_64__) || defined(__i386__)
	if ((unsigned)__get_cpuid_max(0x80000000u, NULL) < 0x80000004u)
		return 0;
	for (unsigned i = 0; i < 3; i++) {
		unsigned regs[4];

		__cpuid(0x80000002u + i, regs[0], regs[1], regs[2], regs[3]);
		memcpy(brand + i * sizeof(regs), regs, sizeof(regs));
	}
	length = strnlen(brand, BRAND_BYTES);
	while (length > 0 && brand[length - 1] == ' ')
		length--;
#endif
	return length;
}

static void
describe_cpu(struct ps_record_process *p)
{
	static char brand[BRAND_BYTES];
	static size_t length; /* 0: not read yet, or not to be had */
	size_t start = 0;

	if (length == 0)
		length = read_cpu_model(brand);
	PS_ASSERT(length <= BRAND_BYTES);
	while (start < length && brand[start] == ' ')
		start++;
	p->cpu_model = ps_record_string_once(brand + start, length - start);
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
 * python3.11); NULL: it has none.  A script is none.
 */
static const char *
other_name(const char *exe)
{
	const char *path = ps_os_started_path();
	struct stat started;
	struct stat running;

	if (path == NULL || *last_part(path) == '\0' ||
	    strcmp(last_part(path), last_part(exe)) == 0 ||
	    ps_os_stat(path, &started) != 0 ||
	    ps_os_stat("/proc/self/exe", &running) != 0 ||
	    started.st_ino != running.st_ino ||
	    started.st_dev != running.st_dev)
		return NULL;
	return last_part(path);
}

static void
describe_executable(struct ps_record_process *p)
{
	char exe[EXE_MAX_BYTES];
	const char *name;
	ssize_t got = ps_os_readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (got <= 0)
		return;
	PS_ASSERT((size_t)got < sizeof(exe));
	exe[got] = 0;
	p->exe = ps_record_string_once(exe, sizeof(exe));
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
	describe_executable(p);
	ps_poke(&p->state, PS_STATE_RUNNING);
	ps_poke(&p->exit_code, -1);
}

void
ps_record_describe_machine(void)
{
	struct ps_record_process *p = &ps_record->process;

	if (p->library != 0)
		return;
	p->library = ps_record_string_once(PS_VERSION, sizeof(PS_VERSION));
	describe_cpu(p);
	describe_boot(p);
}
