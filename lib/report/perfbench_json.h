/* SPDX-License-Identifier: MIT */
/*
 * perfbench_json - what all files that --save writes have in common
 */
#ifndef PS_PERFBENCH_JSON_H
#define PS_PERFBENCH_JSON_H

#include <jansson.h>

#include "report/perfbench.h"

#define PB_SCHEMA "perfshim-bench/1"

/* JSON has no NaN: what is not known is null. */
json_t *pb_json_number(double value);
/* Nor has it bytes that are no UTF-8: a text with some has them as \xNN. */
json_t *pb_json_text(const char *s);
json_t *pb_json_array(const double *values, size_t n);

/* The object `perfshim`: schema, conditions, calibration, drift. */
json_t *pb_json_conditions(const struct pb_session *s);

/* Whole, by rename.  PB_OK, or PB_FAILED after saying why. */
int pb_json_write(json_t *root, const char *path);

#endif /* PS_PERFBENCH_JSON_H */
