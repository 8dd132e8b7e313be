/* SPDX-License-Identifier: MIT */
/*
 * test_calibrate - the measurement keeps its budget and repeats itself; the
 * cache believes nothing it should not
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>

#include "base/os.h"
#include "measure/calibrate.h"
#include "measure/clock.h"
#include "simd/simd.h"

static struct ps_calibration
quick(void)
{
	struct ps_calibration c = {0};

	ck_assert_int_eq(ps_calibrate(PS_CALIBRATION_QUICK, &c), 0);
	return c;
}

/* Sanitizers slow the kernels down by an order of magnitude. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||           \
    defined(PS_DEBUG)
static const double budget_ns = 100e6;
#else
static const double budget_ns = 5e6;
#endif

START_TEST(quick_takes_less_than_five_milliseconds)
{
	double best = 1e18;

	ps_clock_init(PS_CLOCK_AUTO);
	for (int i = 0; i < 20 && !(best < budget_ns); i++) {
		uint64_t start = ps_os_thread_cpu_ns();
		struct ps_calibration c = quick();
		double cost = (double)(ps_os_thread_cpu_ns() - start);

		best = PS_MIN(best, cost);
		ck_assert_double_le(c.cost_ns, cost);
		ck_assert_double_ge(c.cost_ns, cost / 2);
	}
	ck_assert_double_lt(best, budget_ns);
}
END_TEST

/* Even the reference, which multiplies ten times slower. */
START_TEST(quick_keeps_its_budget_with_any_set)
{
	double best = 1e18;

	if (ps_simd_force((enum ps_simd_isa)_i) != 0)
		return;
	for (int i = 0; i < 20 && !(best < budget_ns); i++) {
		struct ps_calibration c = quick();

		ck_assert_str_eq(c.isa, ps_simd_name((enum ps_simd_isa)_i));
		best = PS_MIN(best, c.cost_ns);
	}
	ck_assert_double_lt(best, budget_ns);
}
END_TEST

/* Of one that was not put aside all the time. */
static bool
is_credible(const struct ps_calibration *c)
{
	return c->vector_add_l1 > 1e8 && c->vector_add_l2 > 1e8 &&
	       c->vector_add_dram > 1e8 && c->matmul_flops > 1e7 &&
	       c->core_hz > 1e8 && c->fma_flops > c->matmul_flops * 0.7 &&
	       c->latency_dram_ns < 1e5;
}

START_TEST(everything_is_measured)
{
	struct ps_calibration c = {0};

	ps_clock_init(PS_CLOCK_AUTO);
	for (int i = 0; i < 20 && !is_credible(&c); i++)
		c = quick();
	ck_assert(is_credible(&c));
	ck_assert_uint_eq(c.kind, PS_CALIBRATION_QUICK);
	ck_assert_uint_eq(c.is_cached, 0);
	ck_assert_str_eq(c.isa, ps_simd_name(ps_simd_isa()));
	ck_assert_str_eq(c.clock, ps_clock_name());
	ck_assert_str_eq(c.dram_method, "flushed");
	ck_assert_double_gt(c.clock_ns, 0);
	ck_assert_double_lt(c.core_hz, 1e10);
	ck_assert_double_gt(c.latency_dram_ns, 5);
	ck_assert_double_ge(c.vector_add_l3, 0);
	ck_assert_str_eq(c.clock_trust, ps_clock_trust());
	if (ps_clock.kind == PS_CLOCK_TSC) {
		ck_assert_double_gt(c.tsc_hz, 1e8);
		ck_assert_double_lt(c.tsc_hz, 1e11);
		ck_assert_double_gt(c.tsc_ppm, 0);
		ck_assert_double_lt(c.tsc_ppm, 5000);
	}
	/* The shim measures these and stores them. */
	ck_assert_double_eq(c.marker_ns, 0);
	ck_assert_double_eq(c.marker_inside_ns, 0);
}
END_TEST

START_TEST(without_the_tsc_its_rate_is_not_measured)
{
	struct ps_calibration c;

	ps_clock_init(PS_CLOCK_USE_MONOTONIC);
	c = quick();
	ck_assert_str_eq(c.clock, "monotonic");
	ck_assert_double_eq(c.tsc_hz, 0);
}
END_TEST

static bool
are_alike(double a, double b)
{
	return a < 2 * b && b < 2 * a;
}

/* A busy machine may spoil a run, not twenty in a row. */
START_TEST(two_runs_agree)
{
	if (budget_ns > 10e6)
		return; /* a sanitizer's own work would be measured */
	for (int i = 0; i < 20; i++) {
		struct ps_calibration a = quick();
		struct ps_calibration b = quick();

		if (are_alike(a.vector_add_l1, b.vector_add_l1) &&
		    are_alike(a.vector_add_l2, b.vector_add_l2) &&
		    are_alike(a.vector_add_dram, b.vector_add_dram) &&
		    are_alike(a.matmul_flops, b.matmul_flops) &&
		    are_alike(a.clock_ns, b.clock_ns))
			return;
	}
	ck_abort_msg("no two runs within a factor of two");
}
END_TEST

START_TEST(full_names_its_method_and_ends)
{
	struct ps_calibration c = {0};

	ps_clock_init(PS_CLOCK_AUTO);
	ck_assert_int_eq(ps_calibrate(PS_CALIBRATION_FULL, &c), 0);
	ck_assert_uint_eq(c.kind, PS_CALIBRATION_FULL);
	ck_assert(strcmp(c.dram_method, "streamed") == 0 ||
		  strcmp(c.dram_method, "capped") == 0 ||
		  strcmp(c.dram_method, "flushed-huge") == 0);
	ck_assert_double_gt(c.vector_add_dram, 1e8);
	if (budget_ns < 10e6)
		ck_assert_double_lt(c.cost_ns, 1e9);
}
END_TEST

START_TEST(without_memory_it_fails_and_touches_nothing)
{
	struct ps_calibration c, before;

	memset(&c, 0x5a, sizeof(c));
	before = c;
	ps_os_fail_at(2, ENOMEM); /* the first call reads the CPU clock */
	ck_assert_int_eq(ps_calibrate(PS_CALIBRATION_QUICK, &c), -ENOMEM);
	ps_os_fail_at(0, 0);
	ck_assert_mem_eq(&c, &before, sizeof(c));
}
END_TEST

static bool
is_alike(double drift)
{
	return drift < 3 && drift > -0.75;
}

START_TEST(drift_is_small_now_and_seen_when_made)
{
	struct ps_calibration c;
	struct ps_calibration nothing = {0};
	double l1 = 42;
	double core = 42;

	ck_assert_int_eq(ps_calibrate_drift(&nothing, &l1, &core), -ENODATA);
	ck_assert_double_eq(l1, 42);
	ck_assert_double_eq(core, 42);
	/* A busy machine may spoil one of two, not twenty in a row. */
	for (int i = 0; i < 20 && !(is_alike(l1) && is_alike(core)); i++) {
		c = quick();
		ck_assert_int_eq(ps_calibrate_drift(&c, &l1, &core), 0);
	}
	ck_assert(is_alike(l1) && is_alike(core));
	c.vector_add_l1 *= 10000; /* the machine was as much faster before */
	c.core_hz *= 10000;
	ck_assert_int_eq(ps_calibrate_drift(&c, &l1, &core), 0);
	ck_assert_double_gt(l1, 20);
	ck_assert_double_gt(core, 20);
}
END_TEST

START_TEST(slower_memory_is_seen_where_it_was_flushed)
{
	struct ps_calibration c = quick();
	double slower = 42;

	/* A busy machine may spoil one of two, not twenty in a row. */
	for (int i = 0; i < 20 && !is_alike(slower); i++) {
		c = quick();
		ck_assert_int_eq(ps_calibrate_memory_drift(&c, &slower), 0);
	}
	ck_assert(is_alike(slower));
	c.vector_add_dram *= 10000;
	ck_assert_int_eq(ps_calibrate_memory_drift(&c, &slower), 0);
	ck_assert_double_gt(slower, 20);
	strcpy(c.dram_method, "streamed");
	slower = 42;
	ck_assert_int_eq(ps_calibrate_memory_drift(&c, &slower), -ENODATA);
	ck_assert_double_eq(slower, 42);
}
END_TEST

/* ---- the cache ---- */

static char directory[64];
static char path[PS_CALIBRATION_PATH_MAX];
static struct ps_calibration_key key;
static struct ps_calibration saved;

static void
setup(void)
{
	char text[] = "/tmp/perfshim-test-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(text));
	strcpy(directory, text);
	snprintf(path, sizeof(path), "%s/.cache/perfshim/calibration",
		 directory);
	ck_assert_int_eq(ps_calibration_key(&key), 0);
	memset(&saved, 0, sizeof(saved));
	saved.kind = PS_CALIBRATION_QUICK;
	strcpy(saved.isa, "avx2");
	strcpy(saved.clock, "tsc");
	strcpy(saved.dram_method, "flushed");
	saved.tsc_hz = 2.5e9;
	saved.matmul_flops = 1e11;
	ck_assert_int_eq(ps_calibration_save(path, &key, &saved), 0);
}

static void
teardown(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

/* It refuses with that error and leaves the caller's struct alone. */
static void
assert_ignored(int error)
{
	struct ps_calibration c, before;

	memset(&c, 0x5a, sizeof(c));
	before = c;
	ck_assert_int_eq(ps_calibration_load(path, &key, &c), error);
	ck_assert_mem_eq(&c, &before, sizeof(c));
}

START_TEST(saved_is_loaded)
{
	struct ps_calibration c;

	ck_assert_int_eq(ps_calibration_load(path, &key, &c), 0);
	ck_assert_uint_eq(c.is_cached, 1);
	c.is_cached = 0;
	ck_assert_mem_eq(&c, &saved, sizeof(c));
}
END_TEST

START_TEST(saving_replaces)
{
	struct ps_calibration c;

	saved.tsc_hz = 3e9;
	saved.is_cached = 1; /* loaded, refined, saved again */
	ck_assert_int_eq(ps_calibration_save(path, &key, &saved), 0);
	ck_assert_int_eq(ps_calibration_load(path, &key, &c), 0);
	ck_assert_double_eq(c.tsc_hz, 3e9);
}
END_TEST

static int
files_in_cache(void)
{
	char command[96];
	FILE *pipe;
	int count = -1;

	snprintf(command, sizeof(command), "ls -A %s/.cache/perfshim | wc -l",
		 directory);
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	ck_assert_int_eq(fscanf(pipe, "%d", &count), 1);
	pclose(pipe);
	return count;
}

START_TEST(file_is_private_and_alone)
{
	struct stat status;

	umask(0);
	ck_assert_int_eq(ps_calibration_save(path, &key, &saved), 0);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(files_in_cache(), 1);
}
END_TEST

START_TEST(implausible_is_not_saved)
{
	saved.marker_ns = -1;
	ck_assert_int_eq(ps_calibration_save(path, &key, &saved), -EINVAL);
	saved.marker_ns = 0.0 / 0.0;
	ck_assert_int_eq(ps_calibration_save(path, &key, &saved), -EINVAL);
	saved.marker_ns = 0;
	saved.kind = PS_CALIBRATION_NONE;
	ck_assert_int_eq(ps_calibration_save(path, &key, &saved), -EINVAL);
}
END_TEST

START_TEST(nothing_there_is_said)
{
	unlink(path);
	assert_ignored(-ENOENT);
}
END_TEST

static void
patch(off_t at, unsigned char change)
{
	unsigned char byte;
	int fd = open(path, O_RDWR);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)pread(fd, &byte, 1, at), 1);
	byte ^= change;
	ck_assert_int_eq((int)pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* Any one byte. */
START_TEST(damaged_is_ignored)
{
	struct stat status;

	ck_assert_int_eq(stat(path, &status), 0);
	for (off_t at = 0; at < status.st_size; at++) {
		patch(at, 0x10);
		assert_ignored(-EBADMSG);
		patch(at, 0x10);
	}
	ck_assert_int_eq(ps_calibration_load(path, &key, &saved), 0);
}
END_TEST

START_TEST(short_and_long_are_ignored)
{
	struct stat status;

	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(truncate(path, status.st_size + 1), 0);
	assert_ignored(-EBADMSG);
	ck_assert_int_eq(truncate(path, status.st_size - 8), 0);
	assert_ignored(-EBADMSG);
	ck_assert_int_eq(truncate(path, 0), 0);
	assert_ignored(-EBADMSG);
}
END_TEST

START_TEST(other_boot_processor_or_version_is_ignored)
{
	char *fields[] = {key.boot_id, key.cpu_model, key.library};

	fields[_i][0] ^= 1;
	assert_ignored(-ESTALE);
}
END_TEST

START_TEST(link_is_ignored)
{
	char target[PS_CALIBRATION_PATH_MAX + 8];

	snprintf(target, sizeof(target), "%s.real", path);
	ck_assert_int_eq(rename(path, target), 0);
	ck_assert_int_eq(symlink(target, path), 0);
	assert_ignored(-ELOOP);
}
END_TEST

START_TEST(open_to_others_is_ignored)
{
	ck_assert_int_eq(chmod(path, 0620), 0);
	assert_ignored(-EPERM);
	ck_assert_int_eq(chmod(path, 0604), 0);
	assert_ignored(-EPERM);
}
END_TEST

START_TEST(foreign_is_ignored)
{
	if (chown(path, 12345, (gid_t)-1) == 0) /* root only */
		assert_ignored(-EPERM);
}
END_TEST

/* Opening one for reading would wait for a writer for ever. */
START_TEST(pipe_is_ignored)
{
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	assert_ignored(-EPERM);
}
END_TEST

START_TEST(saving_survives_every_failing_call)
{
	struct ps_calibration c;
	long nth = 0;
	long calls;
	int error;

	do {
		unlink(path);
		ps_os_fail_at(++nth, EIO);
		error = ps_calibration_save(path, &key, &saved);
		calls = ps_os_fail_at(0, 0);
		if (error != 0)
			ck_assert_int_ne(access(path, F_OK), 0);
		else
			ck_assert_int_eq(ps_calibration_load(path, &key, &c),
					 0);
		ck_assert_int_le(files_in_cache(), 1);
	} while (calls >= nth);
	ck_assert_int_ge(nth, 5);
}
END_TEST

START_TEST(loading_survives_every_failing_call)
{
	struct ps_calibration c;
	long nth = 0;
	int failures = 0;

	do {
		ps_os_fail_at(++nth, EIO);
		failures += ps_calibration_load(path, &key, &c) != 0;
	} while (ps_os_fail_at(0, 0) >= nth);
	ck_assert_int_ge(failures, 3);
}
END_TEST

/* SIGXFSZ would kill the host.  (Check itself writes, too: no asserts between.)
 */
START_TEST(file_size_limit_raises_no_signal)
{
	struct rlimit none = {0, RLIM_INFINITY};
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	int error;

	unlink(path);
	setrlimit(RLIMIT_FSIZE, &none);
	error = ps_calibration_save(path, &key, &saved);
	setrlimit(RLIMIT_FSIZE, &all);
	ck_assert_int_eq(error, -EFBIG);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* On a machine without TSC, most likely. */
START_TEST(unmeasured_is_plausible)
{
	saved.kind = PS_CALIBRATION_FULL;
	saved.tsc_hz = saved.tsc_ppm = 0;
	ck_assert_int_eq(ps_calibration_save(path, &key, &saved), 0);
	ck_assert_int_eq(ps_calibration_load(path, &key, &saved), 0);
}
END_TEST

START_TEST(path_follows_the_environment)
{
	static char *const both[] = {(char *)"HOME=/home/me",
				     (char *)"XDG_CACHE_HOME=/x", NULL};
	static char *const relative[] = {(char *)"XDG_CACHE_HOME=x",
					 (char *)"HOME=/home/me", NULL};
	static char *const neither[] = {(char *)"HOMER=/x",
					(char *)"HOME=", NULL};
	char found[PS_CALIBRATION_PATH_MAX] = "untouched";

	ck_assert_int_eq(ps_calibration_path(neither, found), -ENOENT);
	ck_assert_str_eq(found, "untouched");
	ck_assert_int_eq(ps_calibration_path(both, found), 0);
	ck_assert_str_eq(found, "/x/perfshim/calibration");
	ck_assert_int_eq(ps_calibration_path(relative, found), 0);
	ck_assert_str_eq(found, "/home/me/.cache/perfshim/calibration");
}
END_TEST

START_TEST(path_that_does_not_fit_is_an_error)
{
	static char home[PS_CALIBRATION_PATH_MAX + 16] = "HOME=/";
	char *envp[] = {home, NULL};
	char found[PS_CALIBRATION_PATH_MAX] = "untouched";

	memset(home + 6, 'x', sizeof(home) - 7);
	ck_assert_int_eq(ps_calibration_path(envp, found), -ENAMETOOLONG);
	ck_assert_str_eq(found, "untouched");
}
END_TEST

static void
add_refusals(TCase *cache)
{
	tcase_add_test(cache, nothing_there_is_said);
	tcase_add_test(cache, damaged_is_ignored);
	tcase_add_test(cache, short_and_long_are_ignored);
	tcase_add_loop_test(cache, other_boot_processor_or_version_is_ignored,
			    0, 3);
	tcase_add_test(cache, link_is_ignored);
	tcase_add_test(cache, open_to_others_is_ignored);
	tcase_add_test(cache, foreign_is_ignored);
	tcase_add_test(cache, pipe_is_ignored);
}

Suite *calibrate_suite(void);

Suite *
calibrate_suite(void)
{
	Suite *s = suite_create("calibrate");
	TCase *measure = tcase_create("measure");
	TCase *cache = tcase_create("cache");
	TCase *paths = tcase_create("path");

	tcase_set_timeout(measure, 60);
	tcase_add_test(measure, quick_takes_less_than_five_milliseconds);
	tcase_add_loop_test(measure, quick_keeps_its_budget_with_any_set, 0,
			    PS_SIMD_ISAS);
	tcase_add_test(measure, everything_is_measured);
	tcase_add_test(measure, without_the_tsc_its_rate_is_not_measured);
	tcase_add_test(measure, two_runs_agree);
	tcase_add_test(measure, full_names_its_method_and_ends);
	tcase_add_test(measure, slower_memory_is_seen_where_it_was_flushed);
	tcase_add_test(measure, without_memory_it_fails_and_touches_nothing);
	tcase_add_test(measure, drift_is_small_now_and_seen_when_made);
	suite_add_tcase(s, measure);

	tcase_add_checked_fixture(cache, setup, teardown);
	tcase_add_test(cache, saved_is_loaded);
	tcase_add_test(cache, saving_replaces);
	tcase_add_test(cache, file_is_private_and_alone);
	tcase_add_test(cache, saving_survives_every_failing_call);
	tcase_add_test(cache, loading_survives_every_failing_call);
	tcase_add_test(cache, file_size_limit_raises_no_signal);
	tcase_add_test(cache, unmeasured_is_plausible);
	tcase_add_test(cache, implausible_is_not_saved);
	add_refusals(cache);
	suite_add_tcase(s, cache);

	tcase_add_test(paths, path_follows_the_environment);
	tcase_add_test(paths, path_that_does_not_fit_is_an_error);
	suite_add_tcase(s, paths);
	return s;
}
