/* SPDX-License-Identifier: MIT */
/*
 * text_number - doubles as text, for machines and for people
 *
 * Without libm and stdio.  Up to 2^64 the integer part is an integer and the
 * fraction, which is exact after subtracting it, is scaled by a power of ten:
 * one rounding, so a printed digit is off only where the value lies within
 * 1e-15 of a tie.  Beyond 2^64 a double is an integer, printed exactly from
 * groups of nine digits that are doubled and added.
 *
 * JSON numbers carry nine significant digits: below what any of our clocks and
 * estimates resolve.  Integers below 2^53 are counts and stay exact.
 */
#include <float.h>
#include <string.h>

#include "base/text.h"

static const double two64 = 18446744073709551616.0;

static uint64_t
pow10_u64(int n)
{
	uint64_t p = 1;

	PS_ASSERT(n >= 0 && n <= 19);
	while (n-- > 0)
		p *= 10;
	return p;
}

static bool
is_nan(double value)
{
	return __builtin_isnan(value);
}

static bool
is_infinite(double value)
{
	return __builtin_isinf(value);
}

/* An integer of at least 2^64, exactly. */
static void
put_huge(struct ps_text *t, double value)
{
	enum { GROUPS = 36, GROUP = 1000000000 }; /* 324 digits > 10^308 */
	uint32_t group[GROUPS] = {0};
	uint64_t mantissa;
	int exponent;
	int top = GROUPS - 1;

	PS_ASSERT(value >= two64 && value <= DBL_MAX);
	memcpy(&mantissa, &value, sizeof(mantissa));
	exponent = (int)(mantissa >> 52 & 0x7ff) - 1075;
	PS_ASSERT(exponent > 0);
	mantissa = (mantissa & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
	group[0] = (uint32_t)(mantissa % GROUP);
	group[1] = (uint32_t)(mantissa / GROUP);
	while (exponent > 0) {
		int shift = PS_MIN(exponent, 29);
		uint64_t carry = 0;

		for (int i = 0; i < GROUPS; i++) {
			carry += (uint64_t)group[i] << shift;
			group[i] = (uint32_t)(carry % GROUP);
			carry /= GROUP;
		}
		PS_ASSERT(carry == 0);
		exponent -= shift;
	}
	while (group[top] == 0)
		top--;
	ps_text_u64(t, group[top]);
	while (top-- > 0)
		ps_text_printf(t, "%09u", group[top]);
}

/* value >= 0, finite, below 2^64. */
static void
put_split(struct ps_text *t, double value, int decimals, bool is_negative)
{
	uint64_t scale = pow10_u64(decimals);
	uint64_t whole = (uint64_t)value;
	uint64_t part =
	    (uint64_t)((value - (double)whole) * (double)scale + 0.5);

	if (part >= scale) {
		part -= scale;
		whole++;
	}
	PS_ASSERT(part < scale);
	if (is_negative && (whole | part) != 0)
		ps_text_char(t, '-');
	ps_text_u64(t, whole);
	if (decimals > 0)
		ps_text_printf(t, ".%0*lu", decimals, part);
}

void
ps_text_fixed(struct ps_text *t, double value, int decimals)
{
	bool is_negative = value < 0;

	PS_ASSERT(decimals >= 0 && decimals <= 9);
	value = is_negative ? -value : value;
	if (is_nan(value)) {
		ps_text_str(t, "nan");
	} else if (value < two64) {
		put_split(t, value, decimals, is_negative);
	} else {
		if (is_negative)
			ps_text_char(t, '-');
		if (is_infinite(value)) {
			ps_text_str(t, "inf");
			return;
		}
		put_huge(t, value);
		if (decimals > 0)
			ps_text_printf(t, ".%0*u", decimals, 0u);
	}
}

/* Nine digits of a value > 0: value = digits * 10^(exponent - 8). */
static uint32_t
decompose(double value, int *exponent)
{
	static const double power[] = {1e1,  1e2,  1e4,	  1e8,	1e16,
				       1e32, 1e64, 1e128, 1e256};
	_Static_assert(PS_COUNT(power) == 9, "up to DBL_MAX, 1.8e308");
	int e = 0;
	uint64_t nine;

	PS_ASSERT(value > 0 && value <= DBL_MAX);
	for (int i = (int)PS_COUNT(power) - 1; i >= 0; i--) {
		if (value >= power[i]) {
			value /= power[i];
			e += 1 << i;
		}
	}
	for (int i = (int)PS_COUNT(power) - 1; i >= 0; i--) {
		if (value * power[i] < 10) {
			value *= power[i];
			e -= 1 << i;
		}
	}
	nine = (uint64_t)(value * 1e8 + 0.5);
	if (nine >= 1000000000) {
		nine /= 10;
		e++;
	}
	PS_ASSERT(nine >= 100000000 && nine < 1000000000);
	*exponent = e;
	return (uint32_t)nine;
}

/* Digits with the point after the first `before`; 0 and less pad with zeros. */
static void
put_point(struct ps_text *t, const char *text, int length, int before)
{
	int lead = PS_MIN(PS_MAX(before, 0), length);

	PS_ASSERT(length > 0 && length <= 9);
	if (before <= 0)
		ps_text_char(t, '0');
	ps_text_put(t, text, (size_t)lead);
	ps_text_fill(t, '0', before - length);
	if (length <= before)
		return;
	ps_text_char(t, '.');
	ps_text_fill(t, '0', -before);
	ps_text_put(t, text + lead, (size_t)(length - lead));
}

static void
put_nine(struct ps_text *t, double value)
{
	char text[16];
	struct ps_text local;
	int exponent;
	uint32_t nine = decompose(value, &exponent);
	int length = 9;

	ps_text_init(&local, text, sizeof(text), -1);
	ps_text_u64(&local, nine);
	PS_ASSERT(local.length == 9);
	while (length > 1 && text[length - 1] == '0')
		length--;
	if (exponent >= -5 && exponent < 15) {
		put_point(t, text, length, exponent + 1);
		return;
	}
	put_point(t, text, length, 1);
	ps_text_printf(t, "e%d", exponent);
}

void
ps_text_json_number(struct ps_text *t, double value)
{
	const double exact = 9007199254740992.0; /* 2^53 */

	if (is_nan(value) || is_infinite(value)) {
		ps_text_str(t, "null");
		return;
	}
	if (value < 0) {
		ps_text_char(t, '-');
		value = -value;
	}
	if (value < exact && (double)(uint64_t)value == value)
		ps_text_u64(t, (uint64_t)value);
	else
		put_nine(t, value);
}

/* ---- human units ---- */

enum { HUMAN_BYTES = 16 };

/* Three significant digits, of what is below 10000. */
static int
decimals_of_three(double value)
{
	return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

/* What has no short form; true when it was written. */
static bool
put_special(struct ps_text *t, double value)
{
	if (is_nan(value))
		ps_text_str(t, "unknown");
	else if (value >= 1e20)
		ps_text_str(t, "over 1e20");
	else if (value <= -1e20)
		ps_text_str(t, "below -1e20");
	else
		return false;
	return true;
}

/* Sign written, the size of value returned. */
static double
put_sign(struct ps_text *t, double value)
{
	if (value < 0)
		ps_text_char(t, '-');
	return value < 0 ? -value : value;
}

/* value in the largest unit in which it is at least 1 after rounding. */
static void
put_scaled(struct ps_text *t, double value, double step,
	   const char *const *unit, size_t units)
{
	size_t i = 0;

	PS_ASSERT(value >= 0 && units > 0);
	while (i + 1 < units && value >= step - 0.5) {
		value /= step;
		i++;
	}
	ps_text_fixed(t, value, decimals_of_three(value));
	ps_text_char(t, ' ');
	ps_text_str(t, unit[i]);
	PS_ASSERT(t->cut == 0); /* of HUMAN_BYTES */
}

const char *
ps_human_bytes(char *out, double bytes)
{
	static const char *const unit[] = {"KiB", "MiB", "GiB",
					   "TiB", "PiB", "EiB"};
	struct ps_text t;

	ps_text_init(&t, out, HUMAN_BYTES, -1);
	if (put_special(&t, bytes))
		return out;
	if (bytes < 1023.5 && bytes > -1023.5) {
		ps_text_fixed(&t, bytes, 0);
		ps_text_str(&t, " B");
		return out;
	}
	bytes = put_sign(&t, bytes);
	put_scaled(&t, bytes / 1024, 1024, unit, PS_COUNT(unit));
	return out;
}

const char *
ps_human_count(char *out, double count)
{
	static const char *const unit[] = {"k", "M", "G", "T", "P", "E"};
	struct ps_text t;

	ps_text_init(&t, out, HUMAN_BYTES, -1);
	if (put_special(&t, count))
		return out;
	if (count < 9999.5 && count > -9999.5) {
		ps_text_fixed(&t, count, 0);
		return out;
	}
	count = put_sign(&t, count);
	put_scaled(&t, count / 1000, 1000, unit, PS_COUNT(unit));
	return out;
}

/* The two largest units that are not zero: of days alone from 100 on. */
static void
put_long_time(struct ps_text *t, uint64_t seconds)
{
	uint64_t minutes = seconds / 60;
	uint64_t hours = minutes / 60;
	uint64_t days = hours / 24;

	PS_ASSERT(minutes > 0);
	if (days >= 100)
		ps_text_printf(t, "%lud", days);
	else if (days > 0)
		ps_text_printf(t, "%lud%02luh", days, hours % 24);
	else if (hours > 0)
		ps_text_printf(t, "%luh%02lum", hours, minutes % 60);
	else
		ps_text_printf(t, "%lum%02lus", minutes, seconds % 60);
}

const char *
ps_human_time(char *out, double seconds)
{
	static const char *const unit[] = {"ns", "us", "ms", "s"};
	struct ps_text t;

	ps_text_init(&t, out, HUMAN_BYTES, -1);
	if (put_special(&t, seconds))
		return out;
	seconds = put_sign(&t, seconds);
	if (seconds == 0) {
		ps_text_str(&t, "0 s");
	} else if (seconds < 119.5) {
		put_scaled(&t, seconds * 1e9, 1000, unit, PS_COUNT(unit));
	} else if (seconds < 1e11) {
		put_long_time(&t, (uint64_t)(seconds + 0.5));
	} else {
		ps_text_str(&t, "over 1e11 s");
	}
	return out;
}
