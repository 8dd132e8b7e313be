/* SPDX-License-Identifier: MIT */
/*
 * cli_serve - perfreport --serve: the recordings of a directory over HTTP
 *
 * One thread of libmicrohttpd answers everything, so the recordings have one
 * user and a request waits for the one before it: a scrape takes milliseconds.
 * An answer is written to a file without a name first, since it is not known
 * how long it gets, and never stands in memory.
 *
 * There is nothing to write to and nothing to log in to: whoever reaches the
 * port may read what the recordings say, which is why it is the loopback's
 * unless told otherwise.  There, a page of the web must not be its reader
 * either: see is_foreign.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report/cli_arguments.h"
#include "report/cli_output.h"
#include "report/cli_metrics.h"
#include "report/cli_serve.h"
#include "report/cli_source.h"

enum {
	BUFFER_BYTES = 1 << 16,
	CONNECTIONS = 64,
	SECONDS = 20, /* of a connection that says nothing */
};

static struct ps_live live;
static bool is_loopback;

/* ---- answers ------------------------------------------------------------ */

static enum MHD_Result
answer(struct MHD_Connection *c, unsigned status, struct MHD_Response *response,
       const char *type)
{
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(response, "Content-Type", type);
	(void)MHD_add_response_header(response, "X-Content-Type-Options",
				      "nosniff");
	result = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
say(struct MHD_Connection *c, unsigned status, const char *text)
{
	return answer(c, status,
		      MHD_create_response_from_buffer(
			  strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY),
		      "text/plain; charset=utf-8");
}

/* What `write` writes; the response owns the file. */
static enum MHD_Result
answer_written(struct MHD_Connection *c, const char *type,
	       int (*write)(struct ps_text *out, const void *what),
	       const void *what)
{
	static char buffer[BUFFER_BYTES];
	struct MHD_Response *response;
	struct ps_text out;
	off_t bytes;
	int error;
	int fd = memfd_create("answer", MFD_CLOEXEC);

	if (fd < 0)
		return say(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "no memory\n");
	ps_text_init(&out, buffer, sizeof(buffer), fd);
	error = write(&out, what);
	ps_text_flush(&out);
	bytes = lseek(fd, 0, SEEK_END);
	if (error != 0 || out.error != 0 || bytes < 0) {
		close(fd);
		return say(c, MHD_HTTP_INTERNAL_SERVER_ERROR,
			   "could not be written\n");
	}
	response = MHD_create_response_from_fd((size_t)bytes, fd);
	if (response == NULL)
		close(fd);
	return answer(c, MHD_HTTP_OK, response, type);
}

static int
write_metrics(struct ps_text *out, const void *unused)
{
	(void)unused;
	return ps_metrics_write(&live, out);
}

struct wish {
	const struct ps_live_node *node;
	enum ps_report_format format;
};

static int
write_report(struct ps_text *out, const void *what)
{
	const struct wish *wish = what;
	const struct ps_report_options options = {
	    .exit_code = -1,
	    .has_ended = wish->node->is_gone,
	};
	struct ps_source source;
	int error = ps_source_open(&source, &wish->node->reader,
				   wish->node->path, NULL, &options);

	PS_ASSERT(wish->node >= live.node &&
		  wish->node < live.node + live.count);
	if (error != 0)
		return error;
	error =
	    ps_report_write_view(&source.view, source.symbols, &source.scratch,
				 wish->format, &options, out);
	ps_source_close(&source);
	return error;
}

/* The rest of /report/: PID or PID.json. */
static enum MHD_Result
answer_report(struct MHD_Connection *c, const char *name)
{
	struct wish wish = {.format = PS_REPORT_TEXT};
	char *end;
	long pid;

	errno = 0;
	pid = strtol(name, &end, 10);
	if (strcmp(end, ".json") == 0)
		wish.format = PS_REPORT_JSON;
	else if (*end != '\0')
		pid = 0;
	if (errno == 0 && pid > 0 && pid <= INT32_MAX)
		wish.node = ps_live_find(&live, (int)pid);
	if (wish.node == NULL)
		return say(c, MHD_HTTP_NOT_FOUND,
			   "no recording of that process\n");
	return answer_written(c,
			      wish.format == PS_REPORT_JSON
				  ? "application/json"
				  : "text/plain; charset=utf-8",
			      write_report, &wish);
}

/*
 * Whether a browser came here by a name of the web that its owner lets point to
 * this machine (DNS rebinding), so that his page may read the answers.  Such a
 * name has a dot; localhost, addresses and names of the house are ours.
 */
static bool
is_foreign(struct MHD_Connection *c)
{
	const char *host =
	    MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");

	return is_loopback && host != NULL && host[0] != '[' &&
	       strchr(host, '.') != NULL &&
	       host[strspn(host, "0123456789.")] != ':' &&
	       host[strspn(host, "0123456789.")] != '\0';
}

static enum MHD_Result
handle(void *unused, struct MHD_Connection *c, const char *url,
       const char *method, const char *version, const char *upload,
       size_t *upload_bytes, void **state)
{
	static const char report[] = "/report/";
	int error;

	(void)unused;
	(void)version;
	(void)upload;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
	/* An answer before the end of the request costs the connection. */
	if (*state == NULL || *upload_bytes > 0) {
		*state = &live;
		*upload_bytes = 0;
		return MHD_YES;
	}
	PS_ASSERT(*state == &live);
	if (is_foreign(c))
		return say(c, MHD_HTTP_FORBIDDEN, "by localhost only\n");
	error = ps_live_refresh(&live);
	if (strcmp(url, "/healthz") == 0)
		return error == 0 ? say(c, MHD_HTTP_OK, "ok\n")
				  : say(c, MHD_HTTP_SERVICE_UNAVAILABLE,
					"the directory cannot be read\n");
	if (strcmp(url, "/metrics") == 0)
		return answer_written(c, "text/plain; version=0.0.4",
				      write_metrics, NULL);
	if (strncmp(url, report, sizeof(report) - 1) == 0)
		return answer_report(c, url + sizeof(report) - 1);
	return say(c, MHD_HTTP_NOT_FOUND,
		   "/metrics, /healthz, /report/PID, /report/PID.json\n");
}

/* ---- where -------------------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};
_Static_assert(offsetof(struct sockaddr_in, sin_family) ==
		   offsetof(struct sockaddr, sa_family),
	       "any.sa_family is v4's");
_Static_assert(offsetof(struct sockaddr_in6, sin6_family) ==
		   offsetof(struct sockaddr, sa_family),
	       "and v6's");

static void
bad_address(const char *where)
{
	ps_usage_error("--serve", where,
		       "expected [ADDRESS:]PORT, such as 9464 or [::]:9464");
}

static uint16_t
port_of(const char *where, const char *text)
{
	char *end;
	long port = strtol(text, &end, 10);

	if (end == text || *end != '\0' || port < 0 || port > UINT16_MAX)
		bad_address(where);
	return htons((uint16_t)port);
}

static void
parse_address(const char *where, union address *out)
{
	char host[80] = "127.0.0.1";
	const char *colon = strrchr(where, ':');
	const char *port = colon == NULL ? where : colon + 1;
	size_t length = colon == NULL ? 0 : (size_t)(colon - where);

	_Static_assert(sizeof(host) > INET6_ADDRSTRLEN + 2, "with brackets");
	memset(out, 0, sizeof(*out));
	if (length >= sizeof(host) || (colon != NULL && length == 0))
		bad_address(where);
	if (length > 0) {
		memcpy(host, where, length);
		host[length] = '\0';
	}
	if (host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = port_of(where, port);
		if (inet_pton(AF_INET6, host + 1, &out->v6.sin6_addr) != 1)
			bad_address(where);
		return;
	}
	out->v4.sin_family = AF_INET;
	out->v4.sin_port = port_of(where, port);
	if (inet_pton(AF_INET, host, &out->v4.sin_addr) != 1)
		bad_address(where);
}

static bool
is_own_machine(const union address *a)
{
	PS_ASSERT(a->any.sa_family == AF_INET || a->any.sa_family == AF_INET6);
	return a->any.sa_family == AF_INET6
		   ? IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr)
		   : ntohl(a->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static void
announce(struct MHD_Daemon *daemon, const union address *a)
{
	char host[INET6_ADDRSTRLEN] = "?";
	const union MHD_DaemonInfo *bound =
	    MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
	bool is_v6 = a->any.sa_family == AF_INET6;

	_Static_assert(INET6_ADDRSTRLEN >= INET_ADDRSTRLEN, "room for both");
	(void)inet_ntop(a->any.sa_family,
			is_v6 ? (const void *)&a->v6.sin6_addr
			      : (const void *)&a->v4.sin_addr,
			host, sizeof(host));
	fprintf(stderr, "perfreport: serving http://%s%s%s:%u/metrics\n",
		is_v6 ? "[" : "", host, is_v6 ? "]" : "",
		bound == NULL ? 0u : bound->port);
}

int
ps_cli_serve(const char *where, const char *path)
{
	struct MHD_Daemon *daemon;
	union address address;
	sigset_t ends;
	int signal;
	int error;

	parse_address(where, &address);
	is_loopback = is_own_machine(&address);
	ps_live_init(&live, path);
	error = ps_live_refresh(&live);
	if (error != 0) {
		ps_complain_of(path, strerror(-error));
		return PS_CLI_BROKEN;
	}
	/* Before there is a thread, so that it has them blocked too. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	daemon = MHD_start_daemon(
	    MHD_USE_INTERNAL_POLLING_THREAD |
		(address.any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0),
	    0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, &address.any,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SECONDS, MHD_OPTION_END);
	if (daemon == NULL) {
		ps_complain_of_option("--serve", where, strerror(errno));
		return PS_CLI_BROKEN;
	}
	announce(daemon, &address);
	(void)sigwait(&ends, &signal);
	MHD_stop_daemon(daemon);
	ps_live_close(&live);
	return 0;
}
