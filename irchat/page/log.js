/** The open chat: its rows, pages of history on scrolling without a jump, and what was seen. */

import { IS_TOUCH } from "./composer.js";
import { continues, day, dayRow, el, fillQuote, messageRow, newRow, timeLeft } from "./rows.js";
import { text } from "./strings.js";

/** @typedef {import("./model.js").Chat} Chat */
/** @typedef {import("./model.js").Message} Message */
/** @typedef {{message: Message, shape: string, rows: HTMLElement[]}} Drawn */

/** How near an end, in pixels, the next page is fetched. */
const NEAR = 1200;
const AT_END = 40;

export class Log {
	/**
	 * @param {{scroller: HTMLElement, log: HTMLElement, toEnd: HTMLButtonElement}} elements
	 * @param {{
	 *   older: () => void, newer: () => void, seen: (chat: Chat, seq: number) => void, end: () => void,
	 *   how: import("./rows.js").How
	 * }} on
	 */
	constructor(elements, on) {
		this.elements = elements;
		this.on = on;
		/** @type {Chat|null} */
		this.chat = null;
		elements.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
		elements.toEnd.addEventListener("click", () => on.end());
		// Also a notice, a keyboard and a longer line leave less room for it.
		new ResizeObserver(() => this.atEnd && this.scrollToEnd()).observe(elements.scroller);
		this.atEnd = true;
		this.today = new Date().toDateString();
		/** What is drawn, by the key of the message. @type {Map<string, Drawn>} */
		this.drawn = new Map();
		/** The frame that draws what was said now. */
		this.frame = 0;
		elements.scroller.addEventListener("keydown", (event) => this.moved(event));
		elements.log.addEventListener("contextmenu", (event) => this.held(event));
	}

	/**
	 * Draw a chat at `place`: its end, its first unread message, or a number.
	 * @param {Chat} chat
	 * @param {"end"|"unread"|number} place
	 */
	show(chat, place) {
		this.chat = chat;
		this.draw();
		const row = place === "unread" ? this.elements.log.querySelector(".fresh") : place === "end" ? null : this.rowOf(`s${place}`);
		if (!row) this.scrollToEnd();
		else row.scrollIntoView({ block: place === "unread" ? "start" : "center" });
		if (row && place !== "unread") {
			row.classList.add("shown");
			setTimeout(() => row.classList.remove("shown"), 2500);
			/** @type {HTMLElement} */ (row).focus({ preventScroll: true });
		}
		this.scrolled();
	}

	/** Draw what has changed, and keep the first visible row where it is. */
	redraw() {
		const anchor = this.atEnd ? null : this.anchor();
		this.draw();
		if (anchor) this.restore(anchor);
		else if (this.atEnd) this.scrollToEnd();
	}

	/** @returns {{key: string, top: number}|null} */
	anchor() {
		const top = this.elements.scroller.getBoundingClientRect().top;
		for (const row of this.messages()) {
			const box = row.getBoundingClientRect();
			if (box.bottom > top) return { key: row.dataset.key ?? "", top: box.top };
		}
		return null;
	}

	/** @param {{key: string, top: number}} anchor */
	restore(anchor) {
		const row = this.rowOf(anchor.key);
		if (row) this.elements.scroller.scrollTop += row.getBoundingClientRect().top - anchor.top;
	}

	/** Draw the rows that are new or changed, and remove those that are gone. All others are left alone. */
	draw() {
		const { log } = this.elements;
		const chat = this.chat;
		const kept = this.drawn;
		this.drawn = new Map();
		const wanted = [];
		const hint = !chat?.loaded ? "loading" : !chat.items.length ? "noMessages" : chat.more ? "" : "beginning";
		if (hint) wanted.push(el("p", "hint", text(hint)));
		/** @type {Message|undefined} */
		let before;
		for (const message of chat?.items ?? []) {
			const one = this.rowsOf(message, before, kept.get(message.key));
			this.drawn.set(message.key, one);
			wanted.push(...one.rows);
			before = message;
		}
		log.setAttribute("aria-busy", "true");
		const all = new Set(wanted);
		for (const row of [...log.children]) if (!all.has(/** @type {HTMLElement} */ (row))) row.remove();
		let at = log.firstChild;
		for (const row of wanted) {
			if (row === at) at = at.nextSibling;
			else log.insertBefore(row, at);
		}
		log.removeAttribute("aria-busy");
	}

	/** Return the rows of a message, and of the day that it begins: `kept` where they are the same. @param {Message} message @param {Message|undefined} before @param {Drawn|undefined} kept @returns {Drawn} */
	rowsOf(message, before, kept) {
		const isDay = !before || day(before.at) !== day(message.at);
		const isFresh = !!this.chat?.firstUnread && message.seq === this.chat.firstUnread;
		const joined = !isDay && !isFresh && continues(before, message);
		const shape = `${isDay} ${isFresh} ${joined}`;
		if (kept?.message === message && kept.shape === shape) return kept;
		const rows = [messageRow(message, joined, this.on.how)];
		if (isFresh) rows.unshift(newRow());
		if (isDay) rows.unshift(dayRow(message.at));
		return { message, shape, rows };
	}

	/** Show a message that was said now, with all others of the same frame. */
	add(/** @type {Message} */ message) {
		if (message.mine && this.chat?.atEnd) this.atEnd = true;
		if (this.frame) return;
		this.frame = requestAnimationFrame(() => {
			this.frame = 0;
			if (!this.chat) return;
			this.redraw();
			this.scrolled();
		});
	}

	/** Draw the row of one message again. */
	update(/** @type {Message} */ message) {
		const hadFocus = this.rowOf(message.key)?.contains(document.activeElement);
		this.drawn.delete(message.key);
		this.redraw();
		if (hadFocus) this.rowOf(message.key)?.focus({ preventScroll: true });
		if (message.seq) this.quoted(message.seq, this.drawn.has(message.key) ? message : null);
	}

	/** Forget all texts. */
	clear() {
		this.chat = null;
		this.drawn.clear();
		this.elements.log.replaceChildren();
	}

	/** Fill the quotes of a message that was loaded for them. */
	quoted(/** @type {number} */ seq, /** @type {Message|null} */ message) {
		for (const quote of /** @type {NodeListOf<HTMLElement>} */ (this.elements.log.querySelectorAll(`[data-answers="${seq}"]`))) {
			fillQuote(quote, seq, message);
		}
		if (this.atEnd) this.scrollToEnd();
	}

	/** Show the time that is left, once a second. */
	tick() {
		const today = new Date().toDateString();
		if (today !== this.today) this.drawn.clear();
		if (today !== this.today && this.chat) this.redraw();
		this.today = today;
		for (const message of this.chat?.items ?? []) {
			if (!message.end) continue;
			const left = this.rowOf(message.key)?.querySelector(".left");
			if (left) left.textContent = timeLeft(message);
		}
	}

	scrollToEnd() {
		const { scroller } = this.elements;
		scroller.scrollTop = scroller.scrollHeight;
		this.atEnd = true;
	}

	scrolled() {
		const { scroller, toEnd } = this.elements;
		const chat = this.chat;
		if (!chat) return;
		const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
		this.atEnd = chat.follows = below < AT_END && chat.atEnd;
		toEnd.hidden = this.atEnd || !chat.items.length;
		if (!chat.loaded) return;
		if (scroller.scrollTop < NEAR && chat.more) this.on.older();
		if (below < NEAR && !chat.atEnd) this.on.newer();
		this.look();
		toEnd.textContent = chat.unread ? text("newBelow", chat.unread) : text("toEnd");
	}

	/** Report the last message that is visible, if somebody looks. */
	look() {
		if (!this.chat || document.visibilityState !== "visible" || !document.hasFocus()) return;
		const bottom = this.elements.scroller.getBoundingClientRect().bottom;
		const visible = this.messages().filter((row) => row.getBoundingClientRect().top < bottom);
		const seen = visible.reduce((most, row) => Math.max(most, this.drawn.get(row.dataset.key ?? "")?.message.seq ?? 0), 0);
		const isAll = this.atEnd;
		if (seen || isAll) this.on.seen(this.chat, isAll ? Math.max(seen, this.chat.lastSeq) : seen);
	}

	/** @param {KeyboardEvent} event */
	moved(event) {
		const rows = this.messages();
		const at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement?.closest(".message")));
		const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
		if (event.key === "Enter" && event.target === rows[at]) /** @type {HTMLElement|null} */ (rows[at]?.querySelector(".row-more"))?.click();
		else if (!step) return;
		else if (at < 0) this.focusLast();
		else rows[at + step]?.focus();
		event.preventDefault();
	}

	/** Open the menu of a message that a finger holds, in place of the browser's. */
	held(/** @type {Event} */ event) {
		const target = /** @type {HTMLElement} */ (event.target);
		const more = /** @type {HTMLElement|null|undefined} */ (target.closest(".message")?.querySelector(".row-more"));
		if (!IS_TOUCH || !more || target.closest("a")) return;
		event.preventDefault();
		more.click();
	}

	/** Give the focus to the last row. */
	focusLast() {
		this.messages().at(-1)?.focus();
	}

	/** The rows of messages. @returns {HTMLElement[]} */
	messages() {
		return [...this.elements.log.querySelectorAll(".message")].map((row) => /** @type {HTMLElement} */ (row));
	}

	/** The row of the message with that key. */
	rowOf(/** @type {string} */ key) {
		return this.drawn.get(key)?.rows.at(-1);
	}
}
