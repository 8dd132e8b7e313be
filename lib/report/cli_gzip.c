/* SPDX-License-Identifier: MIT */
/*
 * cli_gzip - a profile, packed as its readers expect it
 */
#include <errno.h>
#include <unistd.h>
#include <zlib.h>

#include "report/cli_gzip.h"

enum { CHUNK = 65536, GZIP = 15 + 16 /* window bits, and its header */ };

/* All output that there is for the input so far. */
static int
squeeze(z_stream *z, int flush, struct ps_text *out)
{
	static unsigned char packed[CHUNK];
	int state;

	do {
		z->next_out = packed;
		z->avail_out = CHUNK;
		state = deflate(z, flush);
		if (state == Z_STREAM_ERROR)
			return -EIO;
		ps_text_put(out, (char *)packed, CHUNK - z->avail_out);
	} while (z->avail_out == 0);
	PS_ASSERT(z->avail_in == 0);
	PS_ASSERT(flush != Z_FINISH || state == Z_STREAM_END);
	return 0;
}

int
ps_gzip(int fd, struct ps_text *out)
{
	static unsigned char plain[CHUNK];
	z_stream z = {0};
	off_t at = 0;
	ssize_t got = 1;
	int error = 0;

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	while (error == 0 && got > 0) {
		got = pread(fd, plain, CHUNK, at);
		if (got < 0) {
			error = -errno;
			break;
		}
		at += got;
		z.next_in = plain;
		z.avail_in = (unsigned)got;
		error = squeeze(&z, got == 0 ? Z_FINISH : Z_NO_FLUSH, out);
	}
	(void)deflateEnd(&z);
	return error;
}
