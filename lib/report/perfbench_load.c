/* SPDX-License-Identifier: MIT */
/*
 * perfbench_load - the load test: a command or a C scenario, watched and judged
 *
 * Commands are run bare: a client that puts load on a server is not what is
 * profiled.  A scenario is a shared object with one symbol, perfshim_scenario
 * (PS_LOAD_SCENARIO in bench/load.h).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/load.h"
#include "measure/calibrate.h"
#include "report/perfbench.h"

/* ---- a command as a scenario ---- */

static int
run_command(void *state)
{
	const struct pb_session *s = state;
	const struct pb_subject *subject = &s->subjects[0];
	struct ps_process_command c = {.path = subject->path,
				       .argv = subject->argv,
				       .envp = subject->envp,
				       .input = s->options->input,
				       .is_shown = s->options->is_shown};
	struct ps_process_outcome o;
	int error = ps_process_run(&c, &o);

	if (error != 0)
		return error;
	return o.exit_code == 0 ? 0 : -ECHILD;
}

/* ---- a scenario from a file ---- */

static struct ps_load_scenario
load_scenario(const char *path)
{
	/* Without a slash dlopen would search the library path. */
	char *file = strchr(path, '/') != NULL ? pb_format("%s", path)
					       : pb_format("./%s", path);
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	const struct ps_load_scenario *scenario;

	if (handle == NULL)
		pb_usage_error("--scenario %s: %s", path, dlerror());
	scenario = dlsym(handle, "perfshim_scenario");
	if (scenario == NULL || scenario->step == NULL)
		pb_usage_error("--scenario %s: it defines no "
			       "PS_LOAD_SCENARIO (bench/load.h)",
			       path);
	free(file);
	return *scenario;
}

/* ---- the live line ---- */

static void
draw(void *context, const struct ps_load_second *now)
{
	char p50[16];
	char p99[16];
	char rate[16];
	static double before_s;
	double length_s = now->at_s - before_s;

	PS_ASSERT(length_s >= 0);
	before_s = now->at_s;
	fprintf(
	    stderr,
	    "\r\033[K%.0f s  %s/s  p50 %s  p99 %s  errors %lu  late %lu  "
	    "%u workers  %.0f s left",
	    now->at_s,
	    ps_human_count(rate, (double)now->done / PS_MAX(length_s, 1e-9)),
	    ps_human_time(p50, now->p50_s), ps_human_time(p99, now->p99_s),
	    now->errors, now->late, now->workers, now->remaining_s);
}

/* ---- afterwards ---- */

static int
write_hgrm(const struct ps_load_latency *l, const char *path)
{
	static char buffer[4096];
	struct ps_text t;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int error = fd < 0 ? errno : 0;

	if (fd >= 0) {
		ps_text_init(&t, buffer, sizeof(buffer), fd);
		ps_load_hgrm(l, &t);
		ps_text_flush(&t);
		error = -t.error;
		if (close(fd) != 0 && error == 0)
			error = errno;
	}
	if (error == 0)
		return PB_OK;
	pb_say("--hgrm %s: %s", path, strerror(error));
	return PB_FAILED;
}

/* Whether every limit holds; one that does not is said. */
static bool
are_limits_kept(const struct pb_options *o, const struct ps_load_result *r,
		struct ps_text *t)
{
	double p99_s = ps_load_quantile(r->corrected, 0.99);
	double errors = (double)r->errors / (double)PS_MAX(r->done, 1u);
	bool is_slow = !isnan(o->max_p99_s) && !(p99_s <= o->max_p99_s);
	bool is_failing = !isnan(o->max_errors) && errors > o->max_errors;
	char is[16];
	char allowed[16];

	PS_ASSERT(r->errors <= r->done);
	if (is_slow)
		ps_text_printf(t, "\nLIMIT BROKEN  p99 is %s, --max-p99 %s\n",
			       ps_human_time(is, p99_s),
			       ps_human_time(allowed, o->max_p99_s));
	if (is_failing) {
		ps_text_str(t, "\nLIMIT BROKEN  errors are ");
		ps_text_fixed(t, 100 * errors, 2);
		ps_text_str(t, " %, --max-errors ");
		ps_text_fixed(t, 100 * o->max_errors, 2);
		ps_text_str(t, "%\n");
	}
	return !is_slow && !is_failing;
}

static int
judge(const struct pb_session *s, const struct ps_load_result *r,
      struct ps_text *t)
{
	const struct pb_options *o = s->options;
	int status = PB_OK;

	if (o->hgrm != NULL)
		status = write_hgrm(r->corrected, o->hgrm);
	if (o->save != NULL && status == PB_OK)
		status = pb_save_load(s, r, o->save);
	if (!are_limits_kept(o, r, t))
		return PB_REGRESSION;
	if (r->done > 0 && r->errors == r->done) {
		pb_say("every step failed");
		return PB_FAILED;
	}
	return status;
}

static struct ps_load_options
options_of(struct pb_session *s)
{
	const struct pb_options *o = s->options;
	struct ps_load_options l = {
	    .workers = (unsigned)o->load,
	    .duration_ns = (uint64_t)(o->duration_s * 1e9),
	    .ramp_up_ns = (uint64_t)(o->ramp_up_s * 1e9),
	    .rate = o->rate,
	    .must_stop = &pb_must_stop};

	PS_ASSERT(o->load > 0 && o->load <= PS_LOAD_WORKERS_MOST);
	PS_ASSERT((s->subject_count > 0) == (o->scenario == NULL));
	if (o->scenario != NULL)
		l.scenario = load_scenario(o->scenario);
	else
		l.scenario = (struct ps_load_scenario){.step = run_command,
						       .context = s};
	if (!o->is_quiet && !o->is_shown && isatty(2))
		l.progress = draw;
	return l;
}

int
pb_load(struct pb_session *s, struct ps_text *t)
{
	struct ps_load_options l = options_of(s);
	struct ps_load_result r;
	struct ps_scratch scratch;
	int error;
	int status;

	ps_scratch_init(&scratch, 0);
	error = ps_load_run(&l, &scratch, &r);
	if (l.progress != NULL)
		fputs("\r\033[K", stderr);
	if (error != 0) {
		pb_say("--load: %s",
		       error < 0 ? strerror(-error) : "the set-up failed");
		return PB_FAILED;
	}
	PS_ASSERT(r.workers == l.workers && r.failed_workers < r.workers);
	pb_machine_watch(&s->machine);
	pb_machine_close(&s->machine);
	ps_load_text(&r, t);
	status = judge(s, &r, t);
	ps_scratch_fini(&scratch);
	return status;
}
