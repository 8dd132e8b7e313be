/* SPDX-License-Identifier: MIT */
/*
 * main - perfreport: reads recordings and prints what they say
 *
 * A recording may be of a process that ended, was killed, or still runs.  With
 * several (a directory), the main process is told in full and all of them in
 * one table.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "base/os.h"
#include "measure/calibrate.h"
#include "measure/clock.h"
#include "report/cli_symbols_dw.h"
#include "report/cli_tree.h"
#include "report/report.h"
#include "report/symbol_elf.h"

enum { EXIT_BROKEN = 1, EXIT_USAGE = 2 };
enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct arguments {
	enum ps_report_format format;
	const char *output;
	enum colour colour;
	bool is_tree_wanted;
	bool is_text_wanted; /* with --tree: the report too */
	int main_pid;	     /* 0: the one that started first */
	struct ps_report_options options;
};

char *__cxa_demangle(const char *name, char *buffer, size_t *bytes,
		     int *status);

static const char help[] =
    "usage: perfreport [options] FILE|DIRECTORY...\n"
    "\n"
    "Prints what recordings of perfshim say; of a directory, the main process\n"
    "in full and all processes in a table.\n"
    "\n"
    "  --text           as text (default)\n"
    "  --json           as JSON (schema perfshim-report/1), one process\n"
    "  -o FILE          write to FILE instead of standard output\n"
    "  --tree           only the table of processes (with --text: both)\n"
    "  --main PID       the process to tell in full (default: the first)\n"
    "  --top N          entries of each list, 1 to 100 (default 5)\n"
    "  --color, --no-color   (default: on a terminal, unless NO_COLOR is set)\n"
    "  --exit-code N, --exit-signal N   how the main process ended, if known\n"
    "  --calibrate [quick|full]   measure this machine, keep it for this boot\n"
    "  --help-options   the PERFSHIM_ variables\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0; 1 a recording could not be read; 2 usage.\n";

static _Noreturn void
usage_error(const char *what, const char *value, const char *allowed)
{
	fprintf(stderr, "perfreport: %s%s%s: %s\n", what,
		value[0] == '\0' ? "" : " ", value, allowed);
	exit(EXIT_USAGE);
}

static int
number_of(const char *option, const char *text, long low, long high)
{
	char allowed[80];
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && value >= low &&
	    value <= high)
		return (int)value;
	snprintf(allowed, sizeof(allowed), "not a number from %ld to %ld", low,
		 high);
	usage_error(option, text, allowed);
}

static void
print_options(void)
{
	const struct ps_option_row *row;

	for (unsigned i = 0; (row = ps_options_row(i)) != NULL; i++)
		printf("%s=%s (default %s)\n    %s\n", row->name, row->allowed,
		       row->fallback, row->help);
}

/* ---- calibration -------------------------------------------------------- */

static int
calibrate(const char *kind_name)
{
	enum ps_calibration_kind kind = PS_CALIBRATION_QUICK;
	struct ps_calibration_key key;
	struct ps_calibration c = {0};
	char path[PS_CALIBRATION_PATH_MAX];
	int error;

	if (kind_name != NULL && strcmp(kind_name, "full") == 0)
		kind = PS_CALIBRATION_FULL;
	else if (kind_name != NULL && strcmp(kind_name, "quick") != 0)
		usage_error("--calibrate", kind_name, "allowed: quick, full");
	error = ps_calibration_path(environ, path);
	if (error == 0)
		error = ps_calibration_key(&key);
	if (error == 0 && ps_calibration_load(path, &key, &c) == 0 &&
	    c.kind >= (uint32_t)kind)
		return 0;
	if (error == 0) {
		ps_clock_init(PS_CLOCK_AUTO);
		error = ps_calibrate(kind, &c);
	}
	if (error == 0)
		error = ps_calibration_save(path, &key, &c);
	if (error == 0)
		return 0;
	fprintf(stderr, "perfreport: --calibrate: %s\n", strerror(-error));
	return EXIT_BROKEN;
}

/* ---- arguments ---------------------------------------------------------- */

enum {
	OPT_JSON = 256,
	OPT_TEXT,
	OPT_TREE,
	OPT_MAIN,
	OPT_TOP,
	OPT_COLOUR,
	OPT_NO_COLOUR,
	OPT_EXIT_CODE,
	OPT_EXIT_SIGNAL,
	OPT_CALIBRATE,
	OPT_HELP_OPTIONS,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
    {"json", no_argument, NULL, OPT_JSON},
    {"text", no_argument, NULL, OPT_TEXT},
    {"tree", no_argument, NULL, OPT_TREE},
    {"main", required_argument, NULL, OPT_MAIN},
    {"top", required_argument, NULL, OPT_TOP},
    {"color", no_argument, NULL, OPT_COLOUR},
    {"no-color", no_argument, NULL, OPT_NO_COLOUR},
    {"exit-code", required_argument, NULL, OPT_EXIT_CODE},
    {"exit-signal", required_argument, NULL, OPT_EXIT_SIGNAL},
    {"calibrate", optional_argument, NULL, OPT_CALIBRATE},
    {"help-options", no_argument, NULL, OPT_HELP_OPTIONS},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

/* Options that print something and end. */
static void
do_at_once(int option, int argc, char **argv)
{
	switch (option) {
	case OPT_HELP:
		fputs(help, stdout);
		exit(0);
	case OPT_VERSION:
		puts("perfreport " PS_VERSION);
		exit(0);
	case OPT_HELP_OPTIONS:
		print_options();
		exit(0);
	case OPT_CALIBRATE:
		if (optarg == NULL && optind < argc)
			optarg = argv[optind];
		exit(calibrate(optarg));
	default:
		fputs("perfreport: see --help\n", stderr);
		exit(EXIT_USAGE);
	}
}

static void
take_option(struct arguments *a, int option, int argc, char **argv)
{
	switch (option) {
	case OPT_JSON:
	case OPT_TEXT:
		a->format =
		    option == OPT_JSON ? PS_REPORT_JSON : PS_REPORT_TEXT;
		a->is_text_wanted = option == OPT_TEXT;
		break;
	case 'o':
		a->output = optarg;
		break;
	case OPT_TREE:
		a->is_tree_wanted = true;
		break;
	case OPT_MAIN:
		a->main_pid = number_of("--main", optarg, 1, 1 << 22);
		break;
	case OPT_TOP:
		a->options.top = (uint32_t)number_of("--top", optarg, 1, 100);
		break;
	case OPT_COLOUR:
	case OPT_NO_COLOUR:
		a->colour = option == OPT_COLOUR ? COLOUR_ALWAYS : COLOUR_NEVER;
		break;
	case OPT_EXIT_CODE:
		a->options.exit_code = number_of("--exit-code", optarg, 0, 255);
		break;
	case OPT_EXIT_SIGNAL:
		a->options.exit_signal =
		    number_of("--exit-signal", optarg, 1, 64);
		break;
	default:
		do_at_once(option, argc, argv);
	}
}

/* ---- writing ------------------------------------------------------------ */

static int
open_output(const struct arguments *a)
{
	int fd;

	if (a->output == NULL)
		return STDOUT_FILENO;
	fd = open(a->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd >= 0)
		return fd;
	fprintf(stderr, "perfreport: -o %s: %s\n", a->output, strerror(errno));
	exit(EXIT_BROKEN);
}

static bool
is_colour_wanted(const struct arguments *a, int fd)
{
	const char *no_colour = getenv("NO_COLOR");

	if (a->colour != COLOUR_AUTO)
		return a->colour == COLOUR_ALWAYS;
	return isatty(fd) && (no_colour == NULL || no_colour[0] == '\0');
}

static int
write_process(const struct arguments *a, const struct ps_tree_node *node,
	      const struct ps_report_options *options, struct ps_text *out)
{
	struct ps_scratch scratch;
	struct ps_symbols *elf;
	struct ps_symbols *dw;
	int error;

	ps_scratch_init(&scratch, (size_t)2 << 30);
	elf = ps_symbols_elf(&scratch, &node->reader, __cxa_demangle, free);
	dw = ps_symbols_dw(&node->reader, elf);
	error = ps_report_write(&node->reader, dw != NULL ? dw : elf, &scratch,
				a->format, options, out);
	if (error != 0)
		fprintf(stderr, "perfreport: %s: %s\n", node->path,
			strerror(-error));
	ps_symbols_dw_close(dw);
	ps_scratch_fini(&scratch);
	return error;
}

/*
 * The main process may be a mere launcher (a compiler's driver, a shell): when
 * another one had more than twice its memory, that one is told as well.
 */
static int
write_reports(const struct arguments *a, const struct ps_tree *tree,
	      int main_node, struct ps_text *out)
{
	struct ps_report_options options = a->options;
	int heaviest = ps_tree_heaviest(tree);
	int error;

	options.has_ended =
	    ps_tree_is_gone(&tree->nodes[main_node]) || options.exit_code >= 0;
	error = write_process(a, &tree->nodes[main_node], &options, out);
	if (error != 0 || a->format != PS_REPORT_TEXT ||
	    ps_tree_peak(tree, heaviest) <= 2 * ps_tree_peak(tree, main_node))
		return error;
	ps_text_str(out, "\nMost of the memory was another process's:\n");
	options = a->options;
	options.exit_code = -1;
	options.exit_signal = 0;
	options.has_ended = ps_tree_is_gone(&tree->nodes[heaviest]);
	return write_process(a, &tree->nodes[heaviest], &options, out);
}

static int
write_all(const struct arguments *a, const struct ps_tree *tree, int main_node)
{
	static char buffer[1 << 16];
	struct ps_report_options options = a->options;
	struct ps_text out;
	bool is_tree_only = a->is_tree_wanted && !a->is_text_wanted;
	int fd = open_output(a);
	int error = 0;

	ps_text_init(&out, buffer, sizeof(buffer), fd);
	out.is_colour = is_colour_wanted(a, fd);
	if (!is_tree_only)
		error = write_reports(a, tree, main_node, &out);
	if (a->is_tree_wanted ||
	    (tree->count > 1 && a->format == PS_REPORT_TEXT))
		ps_tree_write(tree, main_node, &options, &out);
	ps_text_flush(&out);
	if (out.error == 0)
		return error;
	fprintf(stderr, "perfreport: writing %s: %s\n",
		a->output == NULL ? "standard output" : a->output,
		strerror(-out.error));
	return out.error;
}

int
main(int argc, char **argv)
{
	struct arguments a = {.options = {.exit_code = -1}};
	struct ps_tree tree = {0};
	int main_node = 0;
	int option;

	while ((option = getopt_long(argc, argv, "o:", long_options, NULL)) !=
	       -1)
		take_option(&a, option, argc, argv);
	if (optind == argc)
		usage_error("no recording given", "", "see --help");
	for (; optind < argc; optind++)
		(void)ps_tree_add(&tree, argv[optind]);
	if (tree.count == 0) {
		if (tree.broken == 0)
			fputs("perfreport: no recordings (*.perfshim) there\n",
			      stderr);
		return EXIT_BROKEN;
	}
	ps_tree_link(&tree);
	if (a.main_pid != 0)
		main_node = ps_tree_find(&tree, a.main_pid);
	if (main_node < 0)
		usage_error("--main", "", "no recording of that process");
	if (write_all(&a, &tree, main_node) != 0)
		return EXIT_BROKEN;
	ps_tree_close(&tree);
	return tree.broken == 0 ? 0 : EXIT_BROKEN;
}
