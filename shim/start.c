/* SPDX-License-Identifier: MIT */
/*
 * start - the shim's life: early start, constructor
 *
 * The early start runs inside the first malloc of the process, which may be a
 * constructor of any library, long before ours.  It uses system calls only;
 * what it calls in libc (pthread_key_create, pthread_atfork) neither allocates
 * nor takes a lock that its caller may hold.  If it does allocate after all,
 * the state says so and that block comes from jemalloc, uncounted by a thread.
 *
 * The constructor is the last of all libraries' and the first moment at which
 * the loader may be asked for anything.  Nothing it does is needed for
 * allocation: when a part fails, the program runs on without that part.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/os.h"
#include "base/text.h"
#include "measure/clock.h"
#include "pool/decay.h"
#include "pool/heap.h"
#include "pool/jemalloc.h"
#include "pool/range.h"
#include "profile/sample.h"
#include "profile/section.h"
#include "profile/section_event.h"
#include "profile/stack.h"
#include "profile/timeline.h"
#include "record/brief.h"
#include "record/writer.h"
#include "shim/blame.h"
#include "shim/count.h"
#include "shim/finish.h"
#include "shim/forked.h"
#include "shim/functions.h"
#include "shim/harden.h"
#include "shim/own_stack.h"
#include "shim/parent.h"
#include "shim/path.h"
#include "shim/replaced.h"
#include "shim/start.h"
#include "shim/thread.h"
#include "shim/unwind.h"
#include "shim/unwind_module.h"
#include "shim/watch.h"

enum { NOT_STARTED, STARTING, STARTED, FAILED };

enum { TIMELINE_STEP_NS = 1000000 };

struct ps_options ps_options;
struct ps_real ps_real;

static _Atomic int state;
static PS_FORKED bool has_tried_file;
PS_FORKED bool ps_start_owes_file;

static bool
find_module(uintptr_t pc, struct ps_stack_module *out)
{
	struct ps_unwind_module found;

	if (!ps_unwind_find_module(pc, &found))
		return false;
	out->start = found.start;
	out->end = found.end;
	out->bias = found.bias;
	out->path = found.path;
	out->is_own =
	    (uintptr_t)&find_module - found.start < found.end - found.start;
	return true;
}

/* ---- early start -------------------------------------------------------- */

/* A privileged program takes no settings and writes no files (hazards S1). */
static void
read_options(void)
{
	ps_options_init(&ps_options);
	if (getauxval(AT_SECURE) != 0) {
		ps_options.report = PS_REPORT_NONE;
		return;
	}
	if (environ != NULL)
		ps_options_from_environment(&ps_options, environ,
					    ps_os_mention);
}

/* Ticks of the given nanoseconds, before the clock's rate is known: the TSC
 * runs between 1 and 5 GHz, and a step need not be exact. */
static uint64_t
ticks_of_ns(uint64_t ns)
{
	return ps_clock.kind == PS_CLOCK_TSC ? ns * 5 / 2 : ns;
}

void
ps_start_describe(void)
{
	struct ps_record_header *r = ps_record;
	uint64_t ns;
	ps_ticks ticks;

	(void)ps_clock_pair(&ticks, &ns);
	r->clock.kind = ps_clock.kind;
	r->clock.start_ticks = ticks;
	r->clock.start_ns = ns;
	ps_poke(&r->clock.last_ticks, ticks);
	ps_poke(&r->clock.last_ns, ns);
	r->sampling.mode = ps_sample_epoch() == PS_EPOCH_LAST
			       ? PS_SAMPLE_OFF
			       : ps_options.sample_mode;
	r->sampling.interval_bytes = ps_options.sample_mode == PS_SAMPLE_POISSON
					 ? ps_options.sample_bytes
					 : 1;
	r->sampling.depth_max = ps_options.depth;
	for (unsigned c = 0; c < PS_CLASSES; c++)
		r->heap.class_bytes[c] = ps_class_bytes(c);
	ps_poke(&r->heap.pool_reserved_bytes,
		ps_options.is_pool_on ? ps_range.bytes : 0);
	ps_timeline_init(ticks_of_ns(TIMELINE_STEP_NS));
	ps_pool_decay_init(ticks_of_ns(1000000000));
}

static bool
start(void)
{
	ps_class_init();
	ps_os_remember_stderr();
	read_options();
	ps_harden_init();
	ps_clock_init(ps_options.clock);
	if (ps_record_open() != 0)
		return false;
	ps_section_init(ps_options.are_sections_on, ps_options.section_globs);
	ps_section_events_init(ps_options.events);
	ps_range_begin_on = ps_on_own_stack;
	ps_je_own_forks();
	ps_je_take_key();
	ps_range_init();
	ps_heap_init();
	ps_start_describe();
	(void)ps_stack_init(find_module);
	if (ps_thread_init() != 0)
		return false;
	return ps_forked_init() == 0;
}

/* Another thread is at it: wait; this thread is: say no. */
static bool
wait_for_start(void)
{
	static PS_TLS volatile bool is_mine;
	int expected = NOT_STARTED;

	if (is_mine)
		return false;
	if (atomic_compare_exchange_strong(&state, &expected, STARTING)) {
		is_mine = true;
		atomic_store(&state, start() ? STARTED : FAILED);
		is_mine = false;
	}
	while (atomic_load(&state) == STARTING)
		ps_os_yield();
	return atomic_load(&state) == STARTED;
}

PS_COLD bool
ps_start_early(void)
{
	int now = atomic_load_explicit(&state, memory_order_acquire);

	if (ps_likely(now == STARTED))
		return true;
	if (now == FAILED)
		return false;
	return wait_for_start();
}

void
ps_start_again(void)
{
	has_tried_file = false;
	ps_start_owes_file =
	    ps_options.out[0] != '\0' && ps_options.children != PS_CHILDREN_OFF;
}

/* ---- constructor -------------------------------------------------------- */

/* libc's own functions are next in the search order after ours. */
static void
find_real_functions(void)
{
	ps_real.free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
	ps_real.realloc =
	    (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
	ps_real.usable_size =
	    (size_t(*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size");
	ps_real.dlclose = (int (*)(void *))dlsym(RTLD_NEXT, "dlclose");
}

static const char *stacks_off; /* why; NULL: they are not */

static void
start_unwinding(void)
{
	if (ps_options.sample_mode == PS_SAMPLE_OFF)
		stacks_off = "sampling is off";
	else if (ps_unwind_init(&stacks_off) == 0)
		stacks_off = NULL;
	ps_start_tell_stacks_off();
}

void
ps_start_tell_stacks_off(void)
{
	if (stacks_off != NULL)
		ps_record->sampling.stacks_off = ps_record_string(stacks_off);
}

void
ps_start_file(void)
{
	char line[PS_PATH_MAX * 4 + 80];
	struct ps_text text;
	int error;

	if (ps_options.out[0] == '\0' || ps_record->is_file || has_tried_file)
		return;
	has_tried_file = true;
	error = ps_record_to_file(ps_options.out);
	if (error == 0)
		return;
	ps_text_init(&text, line, sizeof(line), -1);
	ps_text_str(&text, "PERFSHIM_OUT=");
	ps_text_printable(&text, ps_options.out);
	ps_text_printf(&text,
		       ": no recording there (error %d: %s); going on in "
		       "memory",
		       -error, strerrordesc_np(-error));
	ps_os_mention(line);
}

static void
start_file_there(intptr_t unused)
{
	(void)unused;
	ps_start_file();
}

void
ps_start_owed_file(uint64_t requested_bytes)
{
	if (requested_bytes < PS_BRIEF_BYTES || ps_record_is_locked_by_me())
		return;
	ps_start_owes_file = false;
	if (ps_peek(&ps_record->process.threads_started) == 1)
		ps_on_own_stack(start_file_there, 0);
}

__attribute__((constructor)) static void
constructor(void)
{
	struct ps_thread *self = &ps_self;
	ps_ticks begun;

	if (!ps_start_early() || !ps_thread_enter(self))
		return;
	begun = ps_clock_now();
	find_real_functions();
	ps_replaced_look();
	ps_path_make_absolute(ps_options.out);
	if (ps_options.children == PS_CHILDREN_OFF && ps_parent_records_here())
		ps_options.out[0] = '\0';
	ps_start_file();
	start_unwinding();
	ps_blame_init();
	ps_harden_watch();
	ps_finish_init();
	ps_watch_init();
	ps_record_refresh_clock(ps_clock_now());
	ps_poke(&ps_record->overhead.start_ticks, ps_clock_now() - begun);
	ps_thread_leave(self);
}

/* ---- modules that go away ----------------------------------------------- */

PS_EXPORT int
dlclose(void *handle)
{
	int result;

	if (ps_real.dlclose == NULL)
		find_real_functions();
	result = ps_real.dlclose != NULL ? ps_real.dlclose(handle) : -1;
	ps_unwind_flush();
	ps_stack_modules_changed();
	ps_functions_changed();
	return result;
}
