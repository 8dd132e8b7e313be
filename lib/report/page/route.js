// SPDX-License-Identifier: MIT
// route: the state of the page in its address, #view?key=value&..., so that a
// link leads to what was seen.  Keys belong to the views that take them.

export function parse(hash) {
	const [view, query] = hash.replace(/^#/, '').split('?', 2);
	return { view, values: new URLSearchParams(query || '') };
}

export function write(view, values) {
	const query = values.toString();
	return `#${view}${query ? `?${query}` : ''}`;
}

export class Route {
	constructor(place = window) {
		this.place = place;
		Object.assign(this, parse(place.location.hash));
		this.listeners = [];
		place.addEventListener('hashchange', () => {
			Object.assign(this, parse(place.location.hash));
			for (const listener of this.listeners) listener();
		});
	}

	get(key, fallback) {
		return this.values.has(key) ? this.values.get(key) : fallback;
	}

	// Without an event: who changes it knows.
	set(view, key, value) {
		if (view) this.view = view;
		if (value === null || value === undefined || value === '') this.values.delete(key);
		else this.values.set(key, value);
		this.place.history.replaceState(null, '', write(this.view, this.values));
	}

	onchange(listener) {
		this.listeners.push(listener);
	}
}
