/* SPDX-License-Identifier: MIT */
/*
 * process - runs a command once and says what it took
 *
 * For a process of its own (perfbench), not for the inside of a host: it forks
 * and waits.  Several threads may run commands at the same time.
 */
#ifndef PS_PROCESS_H
#define PS_PROCESS_H

#include <sys/types.h>

#include "base/base.h"

struct ps_process_command {
	const char *path; /* of the program; no search */
	char *const *argv;
	char *const *envp;
	const char *input; /* standard input; NULL: /dev/null */
	bool is_shown;	   /* its output goes where ours does; else nowhere */
	/* Where to leave its pid while it runs, for a signal handler; 0 when
	 * there is none.  May be NULL. */
	_Atomic pid_t *pid;
};

struct ps_process_outcome {
	double wall_s; /* from its exec to its end */
	double user_s; /* with the children that it waited for */
	double system_s;
	double max_rss_bytes; /* of the largest of them */
	pid_t pid;
	int exit_code; /* -1: a signal ended it */
	int signal;    /* 0: none */
};

/*
 * 0, whatever its status; or -errno when it could not be started (what fork,
 * open of the input, or exec said), and then *out is untouched.
 */
int ps_process_run(const struct ps_process_command *command,
		   struct ps_process_outcome *out);

#endif /* PS_PROCESS_H */
