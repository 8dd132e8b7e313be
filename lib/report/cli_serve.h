/* SPDX-License-Identifier: MIT */
/*
 * cli_serve - perfreport --serve: the recordings of a directory over HTTP
 *
 *   /metrics           for Prometheus
 *   /healthz           200 as long as the directory can be read, else 503
 *   /report/PID        the report of a process as text, PID.json as JSON
 */
#ifndef PS_REPORT_CLI_SERVE_H
#define PS_REPORT_CLI_SERVE_H

/*
 * where: [ADDRESS:]PORT, an IPv6 address in brackets; without an address, the
 * loopback only; port 0: a free one.  Says on standard error where it listens
 * and serves until SIGINT or SIGTERM.  A status for exit.
 */
int ps_cli_serve(const char *where, const char *path);

#endif /* PS_REPORT_CLI_SERVE_H */
