/* SPDX-License-Identifier: MIT */
/*
 * perfbench - what perfwrap.sh becomes in its benchmark, comparison and load
 * test modes; not meant to be called by hand
 *
 * The report goes to standard output, since the commands' output does not;
 * progress and complaints go to standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/perfbench.h"

/* Time for the runs of a fast command, when no number is given. */
#define BENCHMARK_S 2.0

static struct pb_session session;

/* However it ends: nothing of ours stays in the temporary directory. */
static void
clean_up(void)
{
	pb_recordings_close(&session);
	pb_page_clean();
}

static bool
is_colour_wanted(void)
{
	const char *no_colour = getenv("NO_COLOR");

	return isatty(1) && (no_colour == NULL || no_colour[0] == '\0');
}

/* Runs and prints; without judging. */
static int
benchmark(struct pb_session *s, struct ps_text *t)
{
	size_t runs = s->options->runs;
	int status = pb_warm_up(s);

	if (status == PB_OK && !s->options->are_runs_set)
		status = pb_runs_for(s, BENCHMARK_S, runs, &runs);
	PS_ASSERT(runs >= s->options->runs);
	if (status == PB_OK)
		status = pb_run_until(s, runs, runs);
	if (status != PB_OK)
		return status;
	for (size_t i = 0; i < s->subject_count; i++) {
		if (i > 0)
			ps_text_char(t, '\n');
		pb_text_subject(s, &s->subjects[i], t);
	}
	if (s->subject_count > 1)
		pb_text_comparisons(s, t);
	return PB_OK;
}

static int
run(struct pb_session *s, struct ps_text *t)
{
	const struct pb_options *o = s->options;
	bool is_gate = o->fail_above == o->fail_above; /* not NAN */
	int status;
	int saved = PB_OK;

	PS_ASSERT(o->load == 0 || !is_gate);
	pb_machine_open(&s->machine);
	if (o->load > 0)
		status = pb_load(s, t);
	else if (is_gate)
		status = pb_gate(s, t);
	else
		status = benchmark(s, t);
	if (status == PB_FAILED)
		return status;
	pb_machine_close(&s->machine);
	pb_machine_text(&s->machine, t);
	if (o->save != NULL && s->rounds > 0)
		saved = pb_save(s, o->save);
	return saved != PB_OK ? saved : status;
}

int
main(int argc, char **argv)
{
	static struct pb_options options;
	static char buffer[1 << 16];
	struct ps_text out;
	int status;

	if (argc == 2 && strcmp(argv[1], "--reference") == 0)
		return pb_reference_workload();
	pb_options_parse(&options, argc, argv);
	if (options.html != NULL)
		pb_page_begin(&options);
	session.options = &options;
	/* The command of a load test is a client, not what is profiled. */
	options.is_shimmed &= options.load == 0;
	pb_metrics_check(&session);
	pb_signals_catch();
	atexit(clean_up);
	if (options.scenario == NULL)
		pb_subjects_make(&session);
	PS_ASSERT((session.subject_count > 0) == (options.scenario == NULL));
	ps_text_init(&out, buffer, sizeof(buffer), STDOUT_FILENO);
	out.is_colour = is_colour_wanted();
	status = run(&session, &out);
	ps_text_flush(&out);
	if (options.html != NULL)
		status = pb_page_end(&options, status);
	if (out.error != 0) {
		pb_say("writing the report: %s", strerror(-out.error));
		return PB_FAILED;
	}
	if (ps_peek(&pb_stop_signal) != 0 && status != PB_REGRESSION)
		return 128 + ps_peek(&pb_stop_signal);
	return status;
}
