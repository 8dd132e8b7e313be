/* SPDX-License-Identifier: MIT */
/*
 * path - paths that the user gave: absolute, and with %p and %e filled in
 */
#ifndef PS_SHIM_PATH_H
#define PS_SHIM_PATH_H

#include "base/options.h"

/* A program may change directory later; "" stays "".  From the constructor. */
void ps_path_make_absolute(char path[PS_PATH_MAX]);

/* %p: process id, %e: name of the program.  Whether there was a %p. */
bool ps_path_expand(const char *pattern, char *out, size_t bytes);

#endif /* PS_SHIM_PATH_H */
