/* SPDX-License-Identifier: MIT */
/*
 * perfbench_page - --html: the results as a page
 *
 * perfreport, which lies beside us, makes it from the file of --save; without
 * --save, that is one of our own which goes when we do.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report/perfbench.h"

static char own_file[64]; /* "": none */
_Static_assert(sizeof("/tmp/perfbench.XXXXXX") <= sizeof(own_file),
	       "the whole name");
static char *perfreport;

static char *
find_perfreport(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (length <= 0)
		return NULL;
	path[length] = '\0';
	slash = strrchr(path, '/');
	return slash == NULL
		   ? NULL
		   : pb_format("%.*s/perfreport", (int)(slash - path), path);
}

/* Whether it ended with status 0; what it says goes to our standard error. */
static bool
run_perfreport(char **arguments)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status = 1;
	int error;

	PS_ASSERT(perfreport != NULL);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO,
					 STDOUT_FILENO);
	error =
	    posix_spawn(&pid, perfreport, &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error != 0) {
		pb_say("--html: %s: %s", perfreport, strerror(error));
		return false;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void
pb_page_begin(struct pb_options *o)
{
	char *check[] = {"perfreport",	  "--html", "--no-color",
			 "--check-rules", "",	    NULL};
	int fd;

	PS_ASSERT(o->html != NULL && perfreport == NULL);
	perfreport = find_perfreport();
	if (perfreport == NULL || !run_perfreport(check))
		exit(PB_FAILED);
	if (o->save != NULL)
		return;
	snprintf(own_file, sizeof(own_file), "/tmp/perfbench.XXXXXX");
	fd = mkstemp(own_file);
	if (fd < 0) {
		own_file[0] = '\0';
		pb_say("--html: /tmp: %s", strerror(errno));
		exit(PB_FAILED);
	}
	close(fd);
	o->save = own_file;
}

int
pb_page_end(const struct pb_options *o, int status)
{
	char *command[] = {"perfreport", "--html",	  "-o", (char *)o->html,
			   "--",	 (char *)o->save, NULL};

	PS_ASSERT(o->html != NULL && o->save != NULL);
	if (status == PB_FAILED || status == PB_USAGE)
		return status;
	return run_perfreport(command) ? status : PB_FAILED;
}

void
pb_page_clean(void)
{
	if (own_file[0] != '\0')
		(void)unlink(own_file);
}
