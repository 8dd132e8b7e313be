/* SPDX-License-Identifier: MIT */
/*
 * view_site - allocation sites by stack; a part of view
 *
 * The one place where rows of PS_TABLE_SITES are merged: several may have one
 * stack (from several threads, sections or processes) and are told as one.
 * Rows have the same stack when they have the same frames, or what is the same
 * after a module was unloaded and loaded again (same_frame.h).  Estimates add
 * up, and so do their variances, because samples are drawn independently.
 *
 * The variance of the part that is live, or was at the peak, is not recorded:
 * it is taken as that part of the whole variance, which is right when the
 * sizes in the part are those of the whole.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "measure/real.h"
#include "report/intern.h"
#include "report/same_frame.h"
#include "report/view_site.h"

/* Half the width of a 95 % interval of a normal distribution. */
#define Z95 1.96

/* Errors hold variances until the end. */
static void
add_row(const struct ps_view *v, const struct ps_record_site *row,
	struct ps_view_site *sum)
{
	uint64_t epoch = ps_peek(&v->reader->header->heap.peak_epoch);
	bool is_kept = ps_peek(&row->peak_epoch) == epoch;
	double allocations = ps_view_weight(&row->allocations);
	double temporary = ps_view_weight(&row->temporary);

	sum->allocations += allocations;
	sum->bytes += ps_view_bytes(&row->bytes);
	sum->allocations_error += ps_view_weight(&row->allocations_variance);
	sum->bytes_error += ps_view_bytes(&row->bytes_variance);
	sum->live_allocations += ps_view_weight(&row->live_allocations);
	sum->live_bytes += ps_view_bytes(&row->live_bytes);
	sum->peak_allocations += ps_view_weight(
	    is_kept ? &row->peak_allocations : &row->live_allocations);
	sum->peak_bytes +=
	    ps_view_bytes(is_kept ? &row->peak_bytes : &row->live_bytes);
	sum->temporary += PS_MIN(temporary, allocations);
}

static void
finish_errors(struct ps_view_site *s)
{
	PS_ASSERT(s->allocations_error >= 0 && s->bytes_error >= 0);
	s->allocations_error = Z95 * ps_sqrt(s->allocations_error);
	s->bytes_error = Z95 * ps_sqrt(s->bytes_error);
}

void
ps_view_row(const struct ps_view *v, uint32_t index, struct ps_view_site *out)
{
	const struct ps_record_site *row =
	    ps_reader_entry(v->reader, PS_TABLE_SITES, index);

	PS_ASSERT(row != NULL);
	*out = (struct ps_view_site){.site = row};
	add_row(v, row, out);
	finish_errors(out);
	if (v->row_verdicts[index] == PS_ROW_FORGIVEN)
		out->live_allocations = out->live_bytes = 0;
}

/* Rows of threads are used again: those above hold more than one thread. */
const char *
ps_row_thread(const struct ps_reader *r, uint32_t index)
{
	const struct ps_record_site *row =
	    ps_reader_entry(r, PS_TABLE_SITES, index);
	const struct ps_record_thread *thread =
	    ps_reader_entry(r, PS_TABLE_THREADS, row->thread);

	if (row->thread == 0 || thread == NULL ||
	    memchr(thread->name, '\0', sizeof(thread->name)) == NULL ||
	    thread->name[0] == '\0')
		return NULL;
	return thread->name;
}

const char *
ps_row_section(const struct ps_reader *r, uint32_t index)
{
	const struct ps_record_site *row =
	    ps_reader_entry(r, PS_TABLE_SITES, index);
	const struct ps_record_section *section =
	    ps_reader_entry(r, PS_TABLE_SECTIONS, row->section);

	return section == NULL ? NULL : ps_reader_string(r, section->name);
}

/* ---- all of them ---- */

static void
forgive(struct ps_view *v, struct ps_view_site *sum, double live_allocations,
	double live_bytes)
{
	double blocks = sum->live_allocations - live_allocations;
	double bytes = sum->live_bytes - live_bytes;

	PS_ASSERT(blocks >= 0 && bytes >= 0);
	if (!sum->is_forgiven && (bytes > 0 || blocks > 0)) {
		sum->is_forgiven = true;
		v->forgiven_sites++;
	}
	v->forgiven_allocations += blocks;
	v->forgiven_bytes += bytes;
	sum->live_allocations = live_allocations;
	sum->live_bytes = live_bytes;
}

/* The stacks met so far, and which frames are one place; NULL: none are. */
struct stacks {
	struct ps_intern known;
	uint32_t *place;
};

static int
number_stack(const struct ps_view *v, const struct ps_record_site *row,
	     struct stacks *stacks, uint32_t *number)
{
	uint32_t frames[PS_STACK_DEPTH_MAX];
	uint32_t depth = ps_reader_stack(v->reader, row, frames);

	for (uint32_t i = 0; stacks->place != NULL && i < depth; i++)
		if (frames[i] < v->reader->count[PS_TABLE_FRAMES])
			frames[i] = stacks->place[frames[i]];
	return ps_intern(&stacks->known, frames, depth * sizeof(*frames),
			 number);
}

static int
take_row(struct ps_view *v, uint32_t index, struct stacks *stacks)
{
	const struct ps_record_site *row =
	    ps_reader_entry(v->reader, PS_TABLE_SITES, index);
	struct ps_view_site *sum;
	double live_allocations;
	double live_bytes;
	uint32_t number;

	if (v->row_verdicts[index] == PS_ROW_LEFT_OUT) {
		v->left_out_rows++;
		v->left_out_bytes += ps_view_bytes(&row->bytes);
		return 0;
	}
	if (number_stack(v, row, stacks, &number) < 0)
		return -ENOMEM;
	if ((row->flags & PS_SITE_NO_STACK) != 0)
		v->samples_without_stack += ps_peek(&row->samples);
	if ((row->flags & PS_SITE_TRUNCATED) != 0)
		v->samples_truncated += ps_peek(&row->samples);
	PS_ASSERT(number <= index); /* no more stacks than rows */
	sum = &v->sites[number];
	sum->site = row;
	live_allocations = sum->live_allocations;
	live_bytes = sum->live_bytes;
	add_row(v, row, sum);
	if (v->row_verdicts[index] == PS_ROW_FORGIVEN)
		forgive(v, sum, live_allocations, live_bytes);
	return 0;
}

static void
sum_up(struct ps_view *v)
{
	double temporary = 0;
	double variance = 0;

	for (uint32_t i = 0; i < v->site_count; i++) {
		struct ps_view_site *s = &v->sites[i];

		v->site_allocations += s->allocations;
		v->site_bytes += s->bytes;
		variance += s->bytes_error;
		temporary += s->temporary;
		finish_errors(s);
	}
	v->site_bytes_error = Z95 * ps_sqrt(variance);
	v->short_lived_fraction = v->site_allocations > 0
				      ? temporary / v->site_allocations
				      : (double)NAN;
	PS_ASSERT(!(v->short_lived_fraction > 1));
}

int
ps_view_sites(struct ps_view *v, const struct ps_report_options *options,
	      struct ps_scratch *scratch)
{
	struct ps_row_judge *judge = options == NULL ? NULL : options->judge;
	uint32_t rows = v->reader->count[PS_TABLE_SITES];
	struct stacks stacks;

	v->sites = ps_scratch_array(scratch, rows, sizeof(*v->sites));
	v->row_verdicts = ps_scratch_alloc(scratch, (size_t)rows + 1);
	if (v->sites == NULL || v->row_verdicts == NULL)
		return -ENOMEM;
	if (ps_same_frames(v->reader, scratch, &stacks.place) != 0)
		return -ENOMEM;
	ps_intern_init(&stacks.known, scratch, true, 0);
	for (uint32_t i = 0; i < rows; i++) {
		if (judge != NULL)
			v->row_verdicts[i] =
			    (uint8_t)judge->judge(judge, v->reader, i);
		PS_ASSERT(v->row_verdicts[i] <= PS_ROW_LEFT_OUT);
		if (take_row(v, i, &stacks) != 0)
			return -ENOMEM;
	}
	v->site_count = stacks.known.count;
	PS_ASSERT(v->site_count <= rows);
	sum_up(v);
	return 0;
}

/* ---- asking ---- */

double
ps_view_value(const struct ps_view_site *s, enum ps_view_key key)
{
	PS_ASSERT((unsigned)key <= PS_BY_TEMPORARY);
	switch (key) {
	case PS_BY_ALLOCATIONS:
		return s->allocations;
	case PS_BY_BYTES:
		return s->bytes;
	case PS_BY_PEAK:
		return s->peak_bytes;
	case PS_BY_LIVE:
		return s->live_bytes;
	default:
		return s->temporary;
	}
}

double
ps_view_deviation(const struct ps_view_site *s, enum ps_view_key key)
{
	bool is_count = key == PS_BY_ALLOCATIONS || key == PS_BY_TEMPORARY;
	double whole = is_count ? s->allocations : s->bytes;
	double error = is_count ? s->allocations_error : s->bytes_error;
	double part = ps_view_value(s, key);

	if (whole > 0 && part < whole)
		error *= ps_sqrt(part / whole);
	return error / Z95;
}

/*
 * Of n samples, the variance of n + 1: an estimate of few is as uncertain as
 * its own variance is.  Of 10 to 30 samples, 92 to 94 % of the intervals held
 * without it, 95 % do with it; of more it changes nothing.
 */
double
ps_view_error(const struct ps_view_site *s, enum ps_view_key key)
{
	double deviation = ps_view_deviation(s, key);
	double value = ps_view_value(s, key);
	double relative = value > 0 ? deviation / value : 0;

	return Z95 * deviation * ps_sqrt(1 + relative * relative);
}

/* Whether a comes before b; of equals, the one that was met first. */
static bool
is_before(const struct ps_view_site *a, const struct ps_view_site *b,
	  enum ps_view_key key)
{
	double of_a = ps_view_value(a, key);
	double of_b = ps_view_value(b, key);

	return of_a > of_b || (of_a == of_b && a < b);
}

/* Make a heap of `heap` again, the last at its root, when only the root may be
 * out of place. */
static void
sift_down(const struct ps_view_site **heap, uint32_t count,
	  enum ps_view_key key)
{
	const struct ps_view_site *root = heap[0];
	uint32_t at = 0;
	uint32_t child;

	PS_ASSERT(count > 0);
	while ((child = 2 * at + 1) < count) {
		if (child + 1 < count &&
		    is_before(heap[child], heap[child + 1], key))
			child++;
		if (!is_before(root, heap[child], key))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = root;
}

static void
sift_up(const struct ps_view_site **heap, uint32_t at, enum ps_view_key key)
{
	const struct ps_view_site *s = heap[at];

	while (at > 0 && is_before(heap[(at - 1) / 2], s, key)) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = s;
}

/* A heap of the best so far, the last of them at its root. */
uint32_t
ps_view_top(const struct ps_view *v, enum ps_view_key key, uint32_t most,
	    const struct ps_view_site **out)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < v->site_count && most > 0; i++) {
		const struct ps_view_site *s = &v->sites[i];

		if (!(ps_view_value(s, key) > 0))
			continue;
		if (count < most) {
			out[count] = s;
			sift_up(out, count++, key);
		} else if (is_before(s, out[0], key)) {
			out[0] = s;
			sift_down(out, count, key);
		}
	}
	for (uint32_t left = count; left > 1; left--) {
		const struct ps_view_site *last = out[0];

		out[0] = out[left - 1];
		sift_down(out, left - 1, key);
		out[left - 1] = last;
	}
	PS_ASSERT(count <= most && count <= v->site_count);
	return count;
}
