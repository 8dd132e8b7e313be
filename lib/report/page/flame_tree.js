// SPDX-License-Identifier: MIT
// flame_tree: the columns of the data as trees, one for each value.

export const KEYS = [
	['peak', 'Peak', 'bytes', 'in use when the heap was at its peak'],
	['allocated', 'Allocated', 'bytes', 'bytes allocated in all'],
	['live', 'Live at exit', 'bytes', 'never freed'],
	['count', 'Count', 'count', 'number of allocations'],
	['temporary', 'Temporary', 'count', 'freed before the next allocation'],
];

// {i, name, module, file, value, error, old, children} of what has a value.
// side: 'new' or 'old', of a comparison.
export function treeOf(flame, key, rootName, side = 'new') {
	const isDiff = `${key}_old` in flame;
	const now = flame[key];
	const before = isDiff ? flame[`${key}_old`] : null;
	const widths = isDiff && side === 'old' ? before : now;
	const nodes = flame.parent.map((_, i) => {
		const [name, module, file] = flame.frame[i] < 0 ? [rootName, '', ''] : flame.frames[flame.frame[i]];
		const node = { i, name, module, file, value: widths[i], error: flame[`${key}_error`][i], children: [] };
		if (isDiff) Object.assign(node, { now: now[i], old: before[i], delta: now[i] - before[i] });
		return node;
	});
	for (let i = 1; i < nodes.length; i++) {
		if (nodes[i].value > 0) nodes[flame.parent[i]].children.push(nodes[i]);
	}
	for (const node of nodes) node.children.sort((a, b) => b.value - a.value);
	return nodes[0];
}

// The call tree of sections, by self time, with a root around it.
export function sectionTree(rows, rootName) {
	const nodes = rows.map((row, i) => ({
		i: i + 1, name: row.name || '?', module: 'section', file: '', value: 0, self: Math.max(0, row.self_s),
		calls: row.calls, total: row.total_s, error: 0, children: [],
	}));
	const root = { i: 0, name: rootName, module: '', file: '', value: 0, self: 0, error: 0, children: [] };
	rows.forEach((row, i) => (row.parent === null ? root : nodes[row.parent]).children.push(nodes[i]));
	(function add(node) {
		node.value = node.self + node.children.reduce((sum, child) => sum + add(child), 0);
		node.children = node.children.filter((child) => child.value > 0).sort((a, b) => b.value - a.value);
		return node.value;
	})(root);
	return root;
}

// The modules with the greatest self values first.
export function modulesOf(root) {
	const sums = new Map();
	(function visit(node) {
		const own = node.value - node.children.reduce((sum, child) => sum + child.value, 0);
		if (node.module) sums.set(node.module, (sums.get(node.module) || 0) + Math.max(0, own));
		node.children.forEach(visit);
	})(root);
	return [...sums].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}

export function find(root, i) {
	if (root.i === i) return root;
	for (const child of root.children) {
		const found = find(child, i);
		if (found) return found;
	}
	return null;
}

// The value of what matches, outermost matches only.
export function matched(root, isMatch) {
	if (isMatch(root)) return root.value;
	return root.children.reduce((sum, child) => sum + matched(child, isMatch), 0);
}
