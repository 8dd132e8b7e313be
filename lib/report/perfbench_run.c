/* SPDX-License-Identifier: MIT */
/*
 * perfbench_run - runs the subjects in rounds, in balanced order
 *
 * A signal to us goes on to the command that runs; its run and its round are
 * not counted, and what there is by then is reported.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "report/perfbench.h"

enum { PILOT_RUNS = 5, FITTING_MOST = 500 };

_Atomic int pb_stop_signal;
_Atomic bool pb_must_stop;
static _Atomic pid_t running;

static void
stop(int signal)
{
	pid_t pid = ps_peek(&running);
	int saved_errno = errno;

	ps_poke(&pb_stop_signal, signal);
	ps_poke(&pb_must_stop, true);
	if (pid > 0)
		kill(pid, signal);
	errno = saved_errno;
}

void
pb_signals_catch(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < PS_COUNT(signals); i++) {
		struct sigaction old;
		struct sigaction new = {.sa_handler = stop,
					.sa_flags = SA_RESTART};

		/* Ignored when we came (nohup): stays so. */
		if (sigaction(signals[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &new, NULL);
	}
}

/* ---- progress ---- */

static bool
is_progress_wanted(const struct pb_session *s)
{
	return !s->options->is_quiet && !s->options->is_shown && isatty(2);
}

static void
draw_progress(const struct pb_session *s, size_t done, size_t expected,
	      const char *what)
{
	double spent_s = (double)(ps_os_monotonic_ns() - s->start_ns) * 1e-9;
	char bar[25];
	char left[32] = "";
	char time[16];
	char name[256];
	struct ps_text shown;
	size_t filled = expected == 0 ? 0 : done * 24 / expected;

	if (!is_progress_wanted(s))
		return;
	for (size_t i = 0; i < sizeof(bar) - 1; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[sizeof(bar) - 1] = '\0';
	if (done > 0)
		snprintf(left, sizeof(left), "  %s left",
			 ps_human_time(time, spent_s / (double)done *
						 (double)(expected - done)));
	ps_text_init(&shown, name, sizeof(name), -1);
	ps_text_printable(&shown, what);
	fprintf(stderr, "\r\033[K[%s] %s %zu/%zu%s", bar, name, done, expected,
		left);
}

static void
wipe_progress(const struct pb_session *s)
{
	if (is_progress_wanted(s))
		fputs("\r\033[K", stderr);
}

/* ---- one run ---- */

static int
prepare(const struct pb_session *s)
{
	char *argv[] = {"sh", "-c", (char *)s->options->prepare, NULL};
	struct ps_process_command c = {.path = "/bin/sh",
				       .argv = argv,
				       .envp = environ,
				       .is_shown = s->options->is_shown,
				       .pid = &running};
	struct ps_process_outcome o;
	int error;

	if (s->options->prepare == NULL)
		return PB_OK;
	error = ps_process_run(&c, &o);
	if (error == 0 && o.exit_code == 0)
		return PB_OK;
	if (ps_peek(&pb_stop_signal) == 0)
		pb_say("--prepare failed: %s (%s %d)", s->options->prepare,
		       error != 0      ? "error"
		       : o.signal != 0 ? "signal"
				       : "status",
		       error != 0      ? -error
		       : o.signal != 0 ? o.signal
				       : o.exit_code);
	return PB_FAILED;
}

static int
report_failure(const struct pb_session *s, const struct pb_subject *subject,
	       const struct ps_process_outcome *o)
{
	if (o->exit_code == 0 || s->options->is_failure_ignored)
		return PB_OK;
	wipe_progress(s);
	pb_say("%s: run %zu ended with %s %d%s", subject->text,
	       subject->runs + 1, o->signal != 0 ? "signal" : "status",
	       o->signal != 0 ? o->signal : o->exit_code,
	       s->options->is_shown ? ""
				    : " (--show-output shows what it says, "
				      "--ignore-failure goes on)");
	return PB_FAILED;
}

static void
keep(struct pb_subject *subject, const struct ps_process_outcome *o)
{
	size_t run = subject->runs;
	int *codes = realloc(subject->exit_codes, (run + 1) * sizeof(*codes));

	PS_ASSERT(o->signal != 0 || o->exit_code >= 0);
	if (codes == NULL) {
		pb_say("no memory");
		exit(PB_FAILED);
	}
	subject->exit_codes = codes;
	codes[run] = o->signal != 0 ? 128 + o->signal : o->exit_code;
	pb_series_put(subject, run, "time", PB_SECONDS, o->wall_s);
	pb_series_put(subject, run, "cpu", PB_SECONDS, o->user_s + o->system_s);
	pb_series_put(subject, run, "user", PB_SECONDS, o->user_s);
	pb_series_put(subject, run, "system", PB_SECONDS, o->system_s);
	pb_series_put(subject, run, "peak-rss", PB_BYTES, o->max_rss_bytes);
}

/* One run; `is_kept` is false in the warm-up. */
static int
run_once(struct pb_session *s, struct pb_subject *subject, bool is_kept)
{
	struct ps_process_command c = {.path = subject->path,
				       .argv = subject->argv,
				       .envp = subject->envp,
				       .input = s->options->input,
				       .is_shown = s->options->is_shown,
				       .pid = &running};
	struct ps_process_outcome outcome;
	int error;

	PS_ASSERT(subject->path != NULL && subject->envp != NULL);
	pb_recordings_clear(s);
	if (prepare(s) != PB_OK)
		return PB_FAILED;
	error = ps_process_run(&c, &outcome);
	if (error != 0) {
		pb_say("cannot run %s: %s", subject->text, strerror(-error));
		return PB_FAILED;
	}
	if (ps_peek(&pb_stop_signal) != 0)
		return PB_OK;
	if (report_failure(s, subject, &outcome) != PB_OK)
		return PB_FAILED;
	if (!is_kept)
		return PB_OK;
	keep(subject, &outcome);
	pb_recordings_read(s, subject, subject->runs);
	subject->runs++;
	return PB_OK;
}

/* ---- rounds ---- */

/* Everyone once, in this round's order; a round that was cut short is undone.
 */
static int
run_round(struct pb_session *s, bool is_kept)
{
	int status = PB_OK;

	for (unsigned place = 0; place < s->subject_count && status == PB_OK &&
				 ps_peek(&pb_stop_signal) == 0;
	     place++) {
		unsigned who = ps_compare_turn((unsigned)s->subject_count,
					       (unsigned)s->rounds, place);

		PS_ASSERT(who < s->subject_count);
		status = run_once(s, &s->subjects[who], is_kept);
	}
	if (!is_kept || status != PB_OK)
		return status;
	if (ps_peek(&pb_stop_signal) == 0)
		s->rounds++;
	for (size_t i = 0; i < s->subject_count; i++) {
		/* One more, when the round was cut short behind it. */
		PS_ASSERT(s->subjects[i].runs - s->rounds <= 1);
		s->subjects[i].runs = s->rounds;
	}
	return PB_OK;
}

int
pb_warm_up(struct pb_session *s)
{
	int status = PB_OK;

	PS_ASSERT(s->rounds == 0);
	s->start_ns = ps_os_monotonic_ns();
	for (size_t i = 0; i < s->options->warm_up && status == PB_OK &&
			   ps_peek(&pb_stop_signal) == 0;
	     i++) {
		draw_progress(s, i, s->options->warm_up, "warm-up");
		status = run_round(s, false);
	}
	s->start_ns = ps_os_monotonic_ns();
	wipe_progress(s);
	return status;
}

int
pb_run_until(struct pb_session *s, size_t runs, size_t expected)
{
	int status = PB_OK;

	PS_ASSERT(runs <= expected);
	while (s->rounds < runs && status == PB_OK &&
	       ps_peek(&pb_stop_signal) == 0) {
		draw_progress(s, s->rounds, expected, "run");
		pb_machine_watch(&s->machine);
		status = run_round(s, true);
	}
	wipe_progress(s);
	return status;
}

int
pb_runs_for(struct pb_session *s, double seconds, size_t least, size_t *runs)
{
	size_t pilot = PS_MIN((size_t)PILOT_RUNS, least);
	int status = pb_run_until(s, pilot, least);
	double spent_s = (double)(ps_os_monotonic_ns() - s->start_ns) * 1e-9;
	double fit;

	if (status != PB_OK || s->rounds == 0)
		return status;
	fit = seconds / spent_s * (double)s->rounds;
	PS_ASSERT(least > 0 && fit >= 0);
	*runs = PS_MAX(least, (size_t)PS_MIN(fit, (double)FITTING_MOST));
	return PB_OK;
}
