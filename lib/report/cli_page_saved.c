/* SPDX-License-Identifier: MIT */
/*
 * cli_page_saved - the page of what perfwrap.sh --save wrote
 *
 * The file is somebody's, so it is parsed and written anew, not copied: what is
 * no JSON, or not of this shape, never gets into a page.  hyperfine's own files
 * have the shape, too.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/cli_output.h"
#include "report/cli_page.h"
#include "report/cli_page_file.h"

enum { FILE_MOST = 64 << 20 };

bool
ps_page_is_saved(const char *path)
{
	char first[1] = "";
	struct stat st;
	FILE *file;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	if (fscanf(file, " %1c", first) != 1)
		first[0] = '\0';
	fclose(file);
	return first[0] == '{';
}

/* ---- is it what it should be? ------------------------------------------- */

static bool
are_numbers(const json_t *array)
{
	size_t i;
	json_t *x;

	if (!json_is_array(array) || json_array_size(array) == 0)
		return false;
	json_array_foreach((json_t *)array, i, x)
	{
		if (!json_is_number(x))
			return false;
	}
	return true;
}

static const char *
why_no_benchmark(const json_t *results)
{
	size_t i;
	json_t *result;

	if (!json_is_array(results) || json_array_size(results) == 0)
		return "neither a recording nor what perfwrap.sh --save wrote";
	json_array_foreach((json_t *)results, i, result)
	{
		if (!json_is_string(json_object_get(result, "command")))
			return "a result in it has no command";
		if (!are_numbers(json_object_get(result, "times")))
			return "a result in it has no times";
	}
	return NULL;
}

static const char *
why_no_load(const json_t *load)
{
	const json_t *service = json_object_get(load, "service");

	if (!json_is_object(load) || !json_is_object(service) ||
	    !json_is_number(json_object_get(load, "wall")))
		return "its load test has no latencies";
	return NULL;
}

static json_t *
read_saved(const char *path, const char **why)
{
	json_error_t error;
	struct stat st;
	json_t *root;

	*why = "too large";
	if (stat(path, &st) == 0 && st.st_size > FILE_MOST)
		return NULL;
	root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	*why = "not JSON";
	if (root == NULL)
		return NULL;
	*why = json_object_get(root, "load") != NULL
		   ? why_no_load(json_object_get(root, "load"))
		   : why_no_benchmark(json_object_get(root, "results"));
	if (*why == NULL)
		return root;
	json_decref(root);
	return NULL;
}

/* ---- writing ------------------------------------------------------------ */

static int
put(const char *bytes, size_t count, void *text)
{
	ps_text_put(text, bytes, count);
	return 0;
}

int
ps_page_of_saved(const char *path, struct ps_text *out)
{
	const char *why;
	json_t *root = read_saved(path, &why);
	struct ps_page_file f;
	int error;

	if (root == NULL) {
		ps_complain_of(path, why);
		return -EINVAL;
	}
	PS_ASSERT(json_is_object(root));
	error = ps_page_file_open(&f);
	ps_text_printf(&f.data,
		       "{\"schema\":\"perfshim-page/1\",\"version\":\"%s\","
		       "\"kind\":\"%s\",\"saved\":",
		       PS_VERSION,
		       json_object_get(root, "load") != NULL ? "load"
							     : "benchmark");
	if (error == 0 &&
	    json_dump_callback(root, put, &f.data, JSON_COMPACT) != 0)
		error = -ENOMEM;
	json_decref(root);
	ps_text_str(&f.data, "}\n");
	return ps_page_file_close(&f, error, out);
}
