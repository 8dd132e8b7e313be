/* SPDX-License-Identifier: MIT */
/*
 * test_text - against snprintf and strtod, which do the same with more help
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static char buffer[4096];
static struct ps_text text;

static void
start(void)
{
	ps_text_init(&text, buffer, sizeof(buffer), -1);
}

#define SAME_AS_LIBC(...)                                                      \
	do {                                                                   \
		char expected[512];                                            \
		start();                                                       \
		ps_text_printf(&text, __VA_ARGS__);                            \
		snprintf(expected, sizeof(expected), __VA_ARGS__);             \
		ck_assert_str_eq(buffer, expected);                            \
	} while (0)

START_TEST(printf_is_libcs)
{
	SAME_AS_LIBC("plain");
	SAME_AS_LIBC("%d %d %d", 0, -1, INT32_MIN);
	SAME_AS_LIBC("%ld %lu", INT64_MIN, UINT64_MAX);
	SAME_AS_LIBC("%lld %llu %zu %zd", -5LL, 5ULL, (size_t)7, (ssize_t)-7);
	SAME_AS_LIBC("[%5d] [%-5d] [%05d]", -42, -42, -42);
	SAME_AS_LIBC("[%3u] [%*u] [%-*u]", 12345u, 8, 1u, 8, 2u);
	SAME_AS_LIBC("[%*d]", -6, 3);
	SAME_AS_LIBC("%x %lx %08x", 0xbeefu, UINT64_MAX, 0xau);
	SAME_AS_LIBC("%p", (void *)&text);
	SAME_AS_LIBC("[%s] [%8s] [%-8s] [%.2s] [%.*s]", "abc", "abc", "abc",
		     "abc", 1, "abc");
	SAME_AS_LIBC("%c%3c%-3c|%%", 'x', 'y', 'z');
}
END_TEST

/* Precision reads no byte behind it: the array has no zero. */
START_TEST(precision_bounds_the_read)
{
	char *three = malloc(3);

	memcpy(three, "abc", 3);
	start();
	ps_text_printf(&text, "%.3s", three);
	ck_assert_str_eq(buffer, "abc");
	free(three);
}
END_TEST

START_TEST(what_does_not_fit_is_cut_and_counted)
{
	char small[9];
	struct ps_text t;

	memset(small, 'z', sizeof(small));
	ps_text_init(&t, small, 8, -1);
	ps_text_str(&t, "12345");
	ps_text_printf(&t, "%s", "67890");
	ck_assert_str_eq(small, "1234567");
	ck_assert_uint_eq(t.cut, 3);
	ck_assert_int_eq(small[8], 'z');
}
END_TEST

START_TEST(a_descriptor_gets_every_byte)
{
	char small[7];
	char got[4000];
	struct ps_text t;
	FILE *f = tmpfile();

	ps_text_init(&t, small, sizeof(small), fileno(f));
	for (unsigned i = 0; i < 500; i++)
		ps_text_printf(&t, "%03u,", i);
	ps_text_flush(&t);
	ck_assert_int_eq(t.error, 0);
	ck_assert_uint_eq(t.cut, 0);
	ck_assert_int_eq(pread(fileno(f), got, sizeof(got), 0), 2000);
	for (unsigned i = 0; i < 500; i++)
		ck_assert_int_eq(atoi(got + 4 * i), (int)i);
	fclose(f);
}
END_TEST

START_TEST(a_failing_descriptor_is_remembered)
{
	char small[8];
	struct ps_text t;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ps_text_init(&t, small, sizeof(small), fd);
	ps_text_fill(&t, 'x', 100);
	ps_text_flush(&t);
	ck_assert_int_eq(t.error, -ENOSPC);
	ck_assert_uint_eq(t.cut, 100);
	close(fd);
}
END_TEST

START_TEST(styles_are_written_only_in_colour)
{
	start();
	ps_text_style(&text, PS_RED);
	ck_assert_str_eq(buffer, "");
	text.is_colour = true;
	ps_text_style(&text, PS_RED);
	ps_text_style(&text, PS_PLAIN);
	ck_assert_str_eq(buffer, "\033[31m\033[0m");
}
END_TEST

static double
random_double(unsigned *seed)
{
	int exponent = rand_r(seed) % 80 - 40;
	double value = ldexp((double)rand_r(seed) / RAND_MAX + 0.5, exponent);

	return rand_r(seed) % 2 ? value : -value;
}

/* Rounded to the last digit printed, as far as a double can tell. */
START_TEST(fixed_is_the_nearest)
{
	unsigned seed = 3;

	for (unsigned i = 0; i < 200000; i++) {
		double value = random_double(&seed);
		int decimals = rand_r(&seed) % 10;
		double unit = pow(10, -decimals);
		double slack = fabs(value) * 4e-16 + unit * 1e-6;

		start();
		ps_text_fixed(&text, value, decimals);
		ck_assert_double_le(fabs(strtod(buffer, NULL) - value),
				    unit / 2 + slack);
	}
}
END_TEST

static const double fixed_exact[] = {
    0,		 1,    -1,    0.5,  0.25,  123456.75, 999.999,
    1e15,	 1e19, -2e19, 1e22, 1e100, -1e300,    1.7976931348623157e308,
    2097152.125,
};

START_TEST(fixed_is_libcs)
{
	double value = fixed_exact[_i];

	for (int decimals = 3; decimals < 10; decimals++) {
		char expected[400];

		start();
		ps_text_fixed(&text, value, decimals);
		snprintf(expected, sizeof(expected), "%.*f", decimals, value);
		ck_assert_str_eq(buffer, expected);
	}
}
END_TEST

START_TEST(fixed_has_words_for_no_number)
{
	start();
	ps_text_fixed(&text, NAN, 2);
	ps_text_char(&text, ' ');
	ps_text_fixed(&text, -INFINITY, 2);
	ps_text_char(&text, ' ');
	ps_text_fixed(&text, -0.001, 2);
	ck_assert_str_eq(buffer, "nan -inf 0.00");
}
END_TEST

/* Nine digits: read back, at most half a unit of the ninth off. */
START_TEST(json_numbers_keep_nine_digits)
{
	unsigned seed = 5;

	for (unsigned i = 0; i < 200000; i++) {
		int scale = rand_r(&seed) % 560 - 280;
		double value = random_double(&seed) * pow(10, scale);
		double back;
		char *end;

		start();
		ps_text_json_number(&text, value);
		back = strtod(buffer, &end);
		/* An assertion each, which tells the runner, would be slow. */
		if (*end != 0 || !(fabs(back - value) <= fabs(value) * 5.01e-9))
			ck_abort_msg("%.17g is told as %s", value, buffer);
	}
}
END_TEST

static const struct {
	double value;
	const char *json;
} json_number[] = {
    {0, "0"},
    {-3, "-3"},
    {0.1, "0.1"},
    {0.00001, "0.00001"},
    {0.000001, "1e-6"},
    {1.5e-7, "1.5e-7"},
    {123456789012.0, "123456789012"},
    {9007199254740991.0, "9007199254740991"},
    {1234.5678, "1234.5678"},
    {999999999.99, "1000000000"},
    {1e300, "1e300"},
    {4.9406564584124654e-324, "4.94065646e-324"},
    {NAN, "null"},
    {INFINITY, "null"},
};

START_TEST(json_number_examples)
{
	start();
	ps_text_json_number(&text, json_number[_i].value);
	ck_assert_str_eq(buffer, json_number[_i].json);
}
END_TEST

static const struct {
	const char *raw;
	const char *json;
	const char *printable;
} quoted[] = {
    {"", "\"\"", ""},
    {"a\"b\\c", "\"a\\\"b\\\\c\"", "a\"b\\c"},
    {"\n\r\t\b\f\x01\x1f", "\"\\n\\r\\t\\b\\f\\u0001\\u001f\"",
     "\\x0a\\x0d\\x09\\x08\\x0c\\x01\\x1f"},
    {"\x1b[2J\x7f", "\"\\u001b[2J\\u007f\"", "\\x1b[2J\\x7f"},
    {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"", "gr\xc3\xbc\xc3\x9f"},
    {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"", "\xf0\x9f\x98\x80"},
    {"\xc2\x9bm", "\"\\u009bm\"", "\\xc2\\x9bm"}, /* C1 CSI */
    {"\xff", "\"\xef\xbf\xbd\"", "\\xff"},
    {"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\\xc0\\x80"},
    {"\xe0\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
     "\\xe0\\x80\\x80"},
    {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
     "\\xed\\xa0\\x80"}, /* a surrogate */
    {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
     "\\xf4\\x90\\x80\\x80"},
    {"x\xc3", "\"x\xef\xbf\xbd\"", "x\\xc3"}, /* ends inside a sequence */
};

START_TEST(a_file_name_is_harmless_and_short)
{
	char name[100];

	start();
	ps_text_file_name(&text, "a.B_9+-/../\x1b]0;\n%s\xc3\xa9");
	ck_assert_str_eq(buffer, "a.B_9+-_..___0___s__");
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = 0;
	start();
	ps_text_file_name(&text, name);
	ck_assert_uint_eq(strlen(buffer), 64);
}
END_TEST

START_TEST(strings_are_quoted)
{
	start();
	ps_text_json_string(&text, quoted[_i].raw);
	ck_assert_str_eq(buffer, quoted[_i].json);
	start();
	ps_text_printable(&text, quoted[_i].raw);
	ck_assert_str_eq(buffer, quoted[_i].printable);
}
END_TEST

static const struct {
	const char *(*human)(char *out, double value);
	double value;
	const char *expected;
} human[] = {
    {ps_human_bytes, 0, "0 B"},
    {ps_human_bytes, 1023, "1023 B"},
    {ps_human_bytes, 1024, "1.00 KiB"},
    {ps_human_bytes, 1.5 * 1048576, "1.50 MiB"},
    {ps_human_bytes, 1048575, "1.00 MiB"},
    {ps_human_bytes, 123.4 * 1048576, "123 MiB"},
    {ps_human_bytes, -12.34 * 1024, "-12.3 KiB"},
    {ps_human_bytes, 3e12, "2.73 TiB"},
    {ps_human_bytes, 18446744073709551615.0, "16.0 EiB"},
    {ps_human_bytes, NAN, "unknown"},
    {ps_human_count, 9999, "9999"},
    {ps_human_count, 10000, "10.0 k"},
    {ps_human_count, 12345678, "12.3 M"},
    {ps_human_count, 999999, "1.00 M"},
    {ps_human_count, 1.5e9, "1.50 G"},
    {ps_human_count, -12345, "-12.3 k"},
    {ps_human_count, 18446744073709551615.0, "18.4 E"},
    {ps_human_count, 1e300, "over 1e20"},
    {ps_human_time, 0, "0 s"},
    {ps_human_time, 4.2e-9, "4.20 ns"},
    {ps_human_time, 4.21e-3, "4.21 ms"},
    {ps_human_time, 999.9e-6, "1.00 ms"},
    {ps_human_time, 12.34e-6, "12.3 us"},
    {ps_human_time, 119, "119 s"},
    {ps_human_time, 120, "2m00s"},
    {ps_human_time, 185, "3m05s"},
    {ps_human_time, 3599.6, "1h00m"},
    {ps_human_time, 86399, "23h59m"},
    {ps_human_time, 100000, "1d03h"},
    {ps_human_time, 3.2e7, "370d"},
    {ps_human_time, 9.99e10, "1156250d"},
    {ps_human_time, -0.5, "-500 ms"},
    {ps_human_time, NAN, "unknown"},
};

START_TEST(human_units)
{
	char out[17];

	out[16] = 'z';
	ck_assert_str_eq(human[_i].human(out, human[_i].value),
			 human[_i].expected);
	ck_assert_int_eq(out[16], 'z');
}
END_TEST

START_TEST(only_one_is_no_plural)
{
	ck_assert_str_eq(ps_plural(0), "s");
	ck_assert_str_eq(ps_plural(0.4), "s");
	ck_assert_str_eq(ps_plural(0.6), "");
	ck_assert_str_eq(ps_plural(1), "");
	ck_assert_str_eq(ps_plural(1.4), "");
	ck_assert_str_eq(ps_plural(1.6), "s");
	ck_assert_str_eq(ps_plural(12), "s");
}
END_TEST

Suite *
text_suite(void)
{
	Suite *s = suite_create("text");
	TCase *writer = tcase_create("writer");
	TCase *numbers = tcase_create("numbers");
	TCase *quotes = tcase_create("quotes");

	tcase_add_test(writer, printf_is_libcs);
	tcase_add_test(writer, precision_bounds_the_read);
	tcase_add_test(writer, what_does_not_fit_is_cut_and_counted);
	tcase_add_test(writer, a_descriptor_gets_every_byte);
	tcase_add_test(writer, a_failing_descriptor_is_remembered);
	tcase_add_test(writer, styles_are_written_only_in_colour);
	suite_add_tcase(s, writer);

	tcase_set_timeout(numbers, 60);
	tcase_add_test(numbers, fixed_is_the_nearest);
	tcase_add_loop_test(numbers, fixed_is_libcs, 0,
			    (int)PS_COUNT(fixed_exact));
	tcase_add_test(numbers, fixed_has_words_for_no_number);
	tcase_add_test(numbers, json_numbers_keep_nine_digits);
	tcase_add_loop_test(numbers, json_number_examples, 0,
			    (int)PS_COUNT(json_number));
	tcase_add_loop_test(numbers, human_units, 0, (int)PS_COUNT(human));
	tcase_add_test(numbers, only_one_is_no_plural);
	suite_add_tcase(s, numbers);

	tcase_add_test(quotes, a_file_name_is_harmless_and_short);
	tcase_add_loop_test(quotes, strings_are_quoted, 0,
			    (int)PS_COUNT(quoted));
	suite_add_tcase(s, quotes);
	return s;
}
