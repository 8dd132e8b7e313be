// SPDX-License-Identifier: MIT
// format: figures as the text report has them, three digits and a unit; what
// is not known (null, NaN) is "unknown", never 0.

const three = (x) => (Math.abs(x) >= 999.5 ? x.toFixed(0) : x.toPrecision(3));
const isKnown = (x) => typeof x === 'number' && Number.isFinite(x);

function scaled(x, step, units) {
	let unit = 0;
	let value = x;
	while (Math.abs(value) >= step * 0.9995 && unit + 1 < units.length) {
		value /= step;
		unit++;
	}
	return [value, units[unit], unit];
}

export function bytes(x) {
	if (!isKnown(x)) return 'unknown';
	const [value, unit, power] = scaled(x, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']);
	return `${power === 0 ? Math.round(value) : three(value)} ${unit}`;
}

export function count(x) {
	if (!isKnown(x)) return 'unknown';
	if (Math.abs(x) < 9999.5) return String(Math.round(x));
	const [value, unit] = scaled(x, 1000, ['', 'k', 'M', 'G', 'T']);
	return `${three(value)} ${unit}`;
}

export function time(s) {
	if (!isKnown(s)) return 'unknown';
	if (s === 0) return '0 s';
	if (Math.abs(s) >= 7200) return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
	if (Math.abs(s) >= 120) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
	const [value, unit] = scaled(s * 1e9, 1000, ['ns', 'µs', 'ms', 's']);
	return `${three(value)} ${unit}`;
}

export function rate(x, unit) {
	if (!isKnown(x)) return 'unknown';
	const [value, prefix] = scaled(x, 1000, ['', 'k', 'M', 'G', 'T']);
	return `${three(value)}${prefix === '' && unit.startsWith('/') ? '' : ' '}${prefix}${unit}`;
}

export function percent(share, digits = 0) {
	if (!isKnown(share)) return 'unknown';
	if (digits === 0 && share > 0 && share < 0.005) return '<1 %';
	return `${(100 * share).toFixed(digits)} %`;
}

// Half an interval beside its value: "±12 %"; "" when not worth saying.
export function error(value, half) {
	if (!isKnown(half) || !(Math.abs(value) > 0) || half < Math.abs(value) * 0.005) return '';
	return half >= Math.abs(value) ? '±100 %+' : `±${Math.round(100 * half / Math.abs(value))} %`;
}

export function signed(x, format) {
	if (!isKnown(x)) return 'unknown';
	return `${x < 0 ? '−' : '+'}${format(Math.abs(x))}`;
}

// A sentence of the report for a page: its units and spaces as they are here.
export const typographic = (text) => text.replace(/(\d) us\b/g, '$1 µs')
	.replace(/(\d)%/g, '$1\u00a0%').replace(/(\d) (?=(?:B|KiB|MiB|GiB|TiB|ns|µs|ms|s|k|M|%)(?![\w]))/g, '$1\u00a0');

// Steps for an axis of bytes from 0 to `most`: powers of two, `count` at most.
export function byteSteps(most, count = 5) {
	let step = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(most, 1) / count)));
	if (most / step < count / 2 && step >= 4) step /= 2;
	return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step);
}

// Without the digits that say nothing: 10 MiB, not 10.0 MiB.
export const short = (text) => text.replace(/(\.\d*?)0+(?=\D)/, '$1').replace(/\.(?=\D)/, '');

export const isNumber = isKnown;
