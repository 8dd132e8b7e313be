/* SPDX-License-Identifier: MIT */
/*
 * test_text_machine - the machine in words: bars, shares, and what disturbed it
 */
#include <check.h>
#include <math.h>
#include <string.h>

#include "report/text_machine.h"

static char buffer[8192];
static struct ps_text text;

static const struct ps_calibration machine = {
    .kind = PS_CALIBRATION_FULL,
    .isa = "avx2",
    .clock = "tsc",
    .clock_trust = "kernel",
    .dram_method = "capped",
    .tsc_hz = 2.5e9,
    .tsc_ppm = 0.02,
    .clock_ns = 9.5,
    .clock_quantum_ns = 10,
    .marker_ns = 26.3,
    .marker_inside_ns = 10,
    .core_hz = 3.5e9,
    .fma_flops = 100e9,
    .matmul_flops = 97e9,
    .vector_add_l1 = 400e9,
    .vector_add_l2 = 100e9,
    .vector_add_dram = 40e9,
    .latency_dram_ns = 120,
};

static void
set_up(void)
{
	ps_text_init(&text, buffer, sizeof(buffer), -1);
}

static const char *
said(void)
{
	ck_assert_uint_eq(text.cut, 0);
	ps_text_flush(&text);
	return buffer;
}

static void
says(const char *words)
{
	ck_assert_msg(strstr(said(), words) != NULL, "no '%s' in:\n%s", words,
		      buffer);
}

static void
is_silent_on(const char *words)
{
	ck_assert_msg(strstr(said(), words) == NULL, "'%s' in:\n%s", words,
		      buffer);
}

START_TEST(bars_are_in_proportion)
{
	ps_put_calibration(&text, &machine, "Example CPU");
	says("Example CPU\n  avx2, one core at 3.50 GHz");
	/* 40, 10 and 4 columns of 3 bytes */
	says("L1     ████████████████████████████████████████ 400\n");
	says("L2     ██████████ 100\n");
	says("memory ████ 40.0\n");
	is_silent_on("L3");
	says("arrays of 64 MiB");
	says("peak 100 GFLOP/s");
	says("matrix multiply 97.0 GFLOP/s (97% of peak)");
	says("below 2.5 FLOPs a byte");
	says("clock tsc 2.5000 GHz ±0.020 ppm");
	says("the kernel keeps time by it too");
	says("step 10.0 ns");
	says("marker pair 26.3 ns, of which 10.0 ns lie inside");
}
END_TEST

START_TEST(damaged_figures_are_left_out)
{
	struct ps_calibration c = machine;
	static const double odd[] = {NAN, INFINITY, -1, 1e300, 0};

	for (double *d = &c.tsc_hz; d <= &c.latency_dram_ns; d++)
		*d = odd[_i];
	memset(c.isa, 'x', sizeof(c.isa));
	memset(c.dram_method, 'f', sizeof(c.dram_method));
	memset(c.clock_trust, '\a', sizeof(c.clock_trust));
	ps_put_calibration(&text, &c, "Example CPU");
	is_silent_on("nan");
	is_silent_on("inf");
	is_silent_on("█");
	is_silent_on("\a");
}
END_TEST

START_TEST(a_quiet_run_is_only_described)
{
	struct ps_calibration c = machine;

	ps_put_disturbances(&text, &c);
	ck_assert_str_eq(said(), "");
	ck_assert_ptr_null(ps_timing_note(&c));
	c.watched = PS_WATCHED_DRIFT | PS_WATCHED_STEAL | PS_WATCHED_PRESSURE;
	c.drift_fraction = 0.013;
	c.core_drift = -0.002;
	c.pressure_fraction = 0.04;
	ps_put_disturbances(&text, &c);
	says("since: vector add 1.3% slower, core 0.2% faster, steal "
	     "0.0%, waiting 4%\n");
	is_silent_on("!");
	ck_assert_ptr_null(ps_timing_note(&c));
}
END_TEST

START_TEST(each_disturbance_is_named)
{
	struct ps_calibration c = machine;

	c.watched = PS_WATCHED_DRIFT | PS_WATCHED_STEAL | PS_WATCHED_PRESSURE;
	c.drift_fraction = 0.2;
	c.core_drift = 0.25;
	c.steal_fraction = 0.07;
	c.pressure_fraction = 0.5;
	ps_put_disturbances(&text, &c);
	says("! vector add in L1 was slower by 20%");
	says("! the core's clock was 25% slower at the end");
	says("! the hypervisor gave 7% of the CPUs' time to others");
	says("! tasks waited for a CPU for 50% of the run");
	is_silent_on("in memory");
	ck_assert_ptr_nonnull(ps_timing_note(&c));
	c.watched |= PS_WATCHED_MEMORY;
	c.memory_drift = 0.45f;
	ps_put_disturbances(&text, &c);
	says("! vector add in memory was slower by 45% at the end: a "
	     "neighbour may use it\n");
	c.core_drift = -0.06;
	ps_put_disturbances(&text, &c);
	says("! the core's clock was 6.0% faster at the end");
}
END_TEST

START_TEST(a_section_is_set_against_the_ceiling)
{
	ck_assert(ps_put_roofline(&text, &machine, 20e9, 5e9, 1));
	ck_assert_str_eq(said(), " 50% of the ceiling, bound by memory (0.25 "
				 "FLOPs a byte)");
	set_up();
	ck_assert(ps_put_roofline(&text, &machine, 0, 4e9, 1));
	ck_assert_str_eq(said(), " 4.0% of the ceiling, bound by computing");
	set_up();
	ck_assert(!ps_put_roofline(&text, &machine, 0, 0, 1));
	ck_assert_str_eq(said(), "");
}
END_TEST

Suite *text_machine_suite(void);

Suite *
text_machine_suite(void)
{
	Suite *s = suite_create("text_machine");
	TCase *words = tcase_create("words");

	tcase_add_checked_fixture(words, set_up, NULL);
	tcase_add_test(words, bars_are_in_proportion);
	tcase_add_loop_test(words, damaged_figures_are_left_out, 0, 5);
	tcase_add_test(words, a_quiet_run_is_only_described);
	tcase_add_test(words, each_disturbance_is_named);
	tcase_add_test(words, a_section_is_set_against_the_ceiling);
	suite_add_tcase(s, words);
	return s;
}
