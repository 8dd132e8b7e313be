/* SPDX-License-Identifier: MIT */
/*
 * cli_watch_detail - the chosen process of --watch: sections, sites, alerts
 *
 * Sections are told over the last ten seconds, sites as they are now.  Names
 * are looked up once, and again when the recording has new frames.
 */
#ifndef PS_REPORT_CLI_WATCH_DETAIL_H
#define PS_REPORT_CLI_WATCH_DETAIL_H

#include "report/cli_live.h"
#include "report/cli_source.h"

enum {
	PS_DETAIL_SECTIONS = 12,
	PS_DETAIL_SITES = 8,
	PS_DETAIL_ALERTS = 4,
	PS_DETAIL_NAME = 100,
};

struct ps_detail_section {
	char name[PS_DETAIL_NAME];
	double calls_per_s; /* over the last while; NAN: not known yet */
	double p50_s;
	double p99_s;
	double max_s;
	double total_s; /* since the start */
};

struct ps_detail_site {
	char name[PS_DETAIL_NAME]; /* "function < its caller" */
	double live_bytes;
	double live_blocks;
};

struct ps_detail {
	struct ps_detail_section section[PS_DETAIL_SECTIONS];
	int sections;
	struct ps_detail_site site[PS_DETAIL_SITES];
	int sites;
	char alert[PS_DETAIL_ALERTS][PS_DETAIL_NAME * 2]; /* newest first */
	int alerts;
};

/* Fill it for the process of `node`, at now_s.  0 or -errno. */
int ps_detail_update(struct ps_detail *d, const struct ps_live_node *node,
		     double now_s);
/* Forget the process. */
void ps_detail_close(void);

/* Its report as text into a new file, whose name is returned; 0 or -errno. */
int ps_detail_write(const struct ps_live_node *node, char *name, size_t bytes);

#endif /* PS_REPORT_CLI_WATCH_DETAIL_H */
