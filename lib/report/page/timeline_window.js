// SPDX-License-Identifier: MIT
// timeline_window: what of the run is seen, and which calls can be placed in it.

// Columns for the plot: [times, heap, rss]; RSS is seen twice a second only.
export function columnsOf(timeline) {
	return [
		timeline.map((p) => p.t_s),
		timeline.map((p) => p.live_bytes),
		timeline.map((p) => p.rss_bytes),
	];
}

// Calls that can be placed in time: all events, or the slowest calls.
export function lanesOf(report, detail, most = 6) {
	const lanes = report.sections.map((section, i) => ({
		name: section.name, total: section.total_s,
		calls: section.slowest.map((c) => ({ at: c.at_s, seconds: c.seconds, thread: c.thread })),
		events: detail.events.filter(([at]) => at === i).map(([, at, seconds, thread]) => ({ at, seconds, thread })),
	}));
	return lanes.filter((lane) => lane.calls.length + lane.events.length > 0)
		.sort((a, b) => b.total - a.total).slice(0, most)
		.map(({ name, calls, events }) => ({ name, calls: events.length > 0 ? events : calls }));
}

export function zoomed([from, to], factor, [low, high]) {
	const middle = (from + to) / 2;
	const half = Math.max((to - from) / 2 / factor, (high - low) / 1e4);
	return within([middle - half, middle + half], [low, high]);
}

export function moved([from, to], share, range) {
	const by = (to - from) * share;
	return within([from + by, to + by], range);
}

export function within([from, to], [low, high]) {
	const width = Math.min(to - from, high - low);
	const start = Math.min(Math.max(from, low), high - width);
	return [start, start + width];
}
