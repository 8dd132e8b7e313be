/* SPDX-License-Identifier: MIT */
/*
 * cli_tidy - recordings of images that were too small, and left by exec
 *
 * A process that ends and was small leaves a line (record/brief.h).  An image
 * that calls exec cannot do so: exec may fail, and then the process goes on.
 * So its recording stays, until somebody reads the directory when all is over
 * and asks for it to be tidied; perfwrap.sh does.
 */
#ifndef PS_REPORT_CLI_TIDY_H
#define PS_REPORT_CLI_TIDY_H

#include "report/cli_tree.h"

/*
 * Of a tree that was linked, and is linked anew: the line first, then the
 * recording goes, so that who is killed in between has both.  The first of each
 * tree keeps its recording.  Nothing is read again: what was read stays mapped,
 * whatever becomes of the directory.
 */
void ps_tree_tidy(struct ps_tree *tree);

#endif /* PS_REPORT_CLI_TIDY_H */
