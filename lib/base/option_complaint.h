/* SPDX-License-Identifier: MIT */
/*
 * option_complaint - the line for a bad value or an unknown variable
 */
#ifndef PS_OPTION_COMPLAINT_H
#define PS_OPTION_COMPLAINT_H

#include "base/options.h"

/* The variable, its value, what is allowed and what is used instead. */
void ps_option_complain_value(const struct ps_option_row *row,
			      const char *value,
			      void (*complain)(const char *line));

/* A name, of `length` bytes, that no variable has, and the nearest to it. */
void ps_option_complain_name(const char *name, size_t length,
			     void (*complain)(const char *line));

#endif /* PS_OPTION_COMPLAINT_H */
