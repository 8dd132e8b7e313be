// SPDX-License-Identifier: MIT
// table: rows that can be sorted, filtered and opened.
//
// A column is {key, label, of(row), text(row), cell(row), isText, hint}: `of`
// is what is sorted by, `text` what is shown, `cell` an element instead.  The
// first column is the name, and its button opens the row.  Of many rows the
// first PAGE are drawn; the filter and the order look at all.
import { el, newId, replace } from './dom.js';

const PAGE = 20;

// Greatest first; what is not known comes last in either order.
export function ordered(rows, of, isDescending) {
	const known = (x) => (typeof x === 'string' ? true : x !== null && x !== undefined && !Number.isNaN(x));
	return [...rows].sort((a, b) => {
		const [x, y] = [of(a), of(b)];
		if (!known(x) || !known(y)) return known(y) - known(x);
		const order = typeof x === 'string' ? x.localeCompare(y) : x - y;
		return isDescending ? -order : order;
	});
}

export const filtered = (rows, text, words) => {
	const terms = text.toLowerCase().split(/\s+/).filter(Boolean);
	return rows.filter((row) => terms.every((term) => words(row).includes(term)));
};

export class Table {
	// view: for the address; words(row): lower case, what is searched;
	// open(row): what an opened row shows.
	constructor({ view, label, noun, rows, columns, sort, words, open, route }) {
		Object.assign(this, { view, label, noun, rows, columns, words, open, route, limit: PAGE });
		this.defaultSort = sort;
		this.opened = new Set();
		this.build();
	}

	param(name) {
		return `${this.view}-${name}`;
	}

	build() {
		this.filter = el('input', {
			type: 'search', placeholder: `Filter ${this.noun}`, 'aria-label': `Filter ${this.noun}`,
			oninput: () => { this.limit = PAGE; this.route.set(this.view, this.param('q'), this.filter.value.trim()); this.draw(); },
		});
		this.sortBox = el('select', { 'aria-label': `Sort ${this.noun} by`, class: 'sort-box', onchange: () => this.sortBy(this.sortBox.value, true) },
			this.columns.map((c) => el('option', { value: c.key }, `by ${c.label.toLowerCase()}`)));
		this.counted = el('span', { class: 'counted', role: 'status', 'aria-live': 'polite' });
		this.heads = this.columns.map((c) => el('th', { scope: 'col', class: c.isText ? 'text' : 'figure', 'data-key': c.key },
			el('button', { type: 'button', title: c.hint, onclick: () => this.sortBy(c.key) }, c.label)));
		this.body = el('tbody');
		this.more = el('button', { type: 'button', class: 'more', onclick: () => { this.limit += 5 * PAGE; this.draw(); } });
		this.element = el('div', { class: 'table-view' },
			el('div', { class: 'controls' }, this.filter, this.sortBox, this.counted),
			el('table', { 'aria-label': this.label }, el('thead', {}, el('tr', {}, this.heads)), this.body),
			this.more);
	}

	restore() {
		this.filter.value = this.route.get(this.param('q'), '');
		const [key, order] = this.route.get(this.param('sort'), '').split('.');
		const column = this.columns.find((c) => c.key === key) || this.columns.find((c) => c.key === this.defaultSort);
		this.key = column.key;
		this.isDescending = order ? order === 'down' : !column.isText;
		this.draw();
	}

	sortBy(key, isChosen = false) {
		const column = this.columns.find((c) => c.key === key);
		this.isDescending = this.key === key && !isChosen ? !this.isDescending : !column.isText;
		this.key = key;
		this.route.set(this.view, this.param('sort'), `${key}.${this.isDescending ? 'down' : 'up'}`);
		this.draw();
	}

	draw() {
		const column = this.columns.find((c) => c.key === this.key);
		const rows = ordered(filtered(this.rows, this.filter.value, this.words), column.of, this.isDescending);
		for (const head of this.heads) {
			if (head.dataset.key === this.key) head.setAttribute('aria-sort', this.isDescending ? 'descending' : 'ascending');
			else head.removeAttribute('aria-sort');
		}
		this.sortBox.value = this.key;
		replace(this.counted, rows.length === this.rows.length ? `${rows.length} ${this.noun}` : `${rows.length} of ${this.rows.length} ${this.noun}`);
		replace(this.body, rows.slice(0, this.limit).map((row) => this.rowOf(row)),
			rows.length === 0 ? el('tr', {}, el('td', { colspan: this.columns.length, class: 'nothing' }, 'none')) : null);
		this.more.hidden = rows.length <= this.limit;
		replace(this.more, `Show more (${rows.length - this.limit} left)`);
	}

	rowOf(row) {
		const id = newId('row');
		const detail = el('tr', { class: 'detail', id, hidden: true });
		const button = el('button', { type: 'button', class: 'opener', 'aria-expanded': 'false', 'aria-controls': id });
		const toggle = (isOpen) => {
			button.setAttribute('aria-expanded', String(isOpen));
			detail.hidden = !isOpen;
			if (isOpen) {
				this.opened.add(row);
				if (!detail.hasChildNodes()) replace(detail, el('td', { colspan: this.columns.length }, this.open(row)));
			} else this.opened.delete(row);
		};
		button.addEventListener('click', () => toggle(detail.hidden));
		const cells = this.columns.map((c, i) => {
			const content = c.cell ? c.cell(row, () => toggle(true)) : c.text(row);
			if (i > 0) return el('td', { class: c.isText ? 'text' : 'figure', 'data-label': c.label, 'data-key': c.key }, content);
			replace(button, content);
			return el('th', { scope: 'row', class: 'text' }, button);
		});
		if (this.opened.has(row)) toggle(true);
		return [el('tr', { class: 'row' }, cells), detail];
	}
}
