/** The open chat: its rows, pages of history on scrolling without a jump, and what was seen. */

import { continues, day, dayRow, el, fillQuote, messageRow, newRow, timeLeft } from "./rows.js";
import { text } from "./strings.js";

/** @typedef {import("./model.js").Chat} Chat */
/** @typedef {import("./model.js").Message} Message */

const NEAR = 600;
const AT_END = 40;

export class Log {
	/**
	 * @param {{scroller: HTMLElement, log: HTMLElement, toEnd: HTMLButtonElement}} elements
	 * @param {{
	 *   older: () => void, newer: () => void, seen: (chat: Chat, seq: number) => void, end: () => void,
	 *   how: (joined: boolean) => Parameters<typeof messageRow>[1]
	 * }} on
	 */
	constructor(elements, on) {
		this.elements = elements;
		this.on = on;
		/** @type {Chat|null} */
		this.chat = null;
		elements.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
		elements.toEnd.addEventListener("click", () => on.end());
		window.addEventListener("resize", () => this.atEnd && this.scrollToEnd());
		window.visualViewport?.addEventListener("resize", () => this.atEnd && this.scrollToEnd());
		this.atEnd = true;
		/** The number of the message that was jumped to, for a moment. */
		this.shown = 0;
		elements.scroller.addEventListener("keydown", (event) => this.moved(event));
	}

	/**
	 * Draw a chat again, at `place`: its end, its first unread message, or a number.
	 * @param {Chat} chat
	 * @param {"end"|"unread"|number} place
	 */
	show(chat, place) {
		this.chat = chat;
		this.shown = typeof place === "number" ? place : 0;
		if (this.shown) setTimeout(() => (this.shown = 0), 2500);
		this.draw();
		if (place === "end") this.scrollToEnd();
		else {
			const row = place === "unread" ? this.elements.log.querySelector(".fresh") : this.rowOf(place);
			if (!row) this.scrollToEnd();
			else {
				row.scrollIntoView({ block: place === "unread" ? "start" : "center" });
				if (this.shown) /** @type {HTMLElement} */ (row).focus({ preventScroll: true });
			}
		}
		this.scrolled();
	}

	/** Draw all rows again, and keep the first visible row where it is. */
	redraw() {
		if (!this.chat) return;
		if (this.atEnd) {
			this.draw();
			this.scrollToEnd();
			return;
		}
		const anchor = this.anchor();
		this.draw();
		this.restore(anchor);
	}

	/** @returns {{key: string, top: number}|null} */
	anchor() {
		const top = this.elements.scroller.getBoundingClientRect().top;
		for (const row of /** @type {NodeListOf<HTMLElement>} */ (this.elements.log.querySelectorAll(".message"))) {
			const box = row.getBoundingClientRect();
			if (box.bottom > top) return { key: row.dataset.key ?? "", top: box.top };
		}
		return null;
	}

	/** @param {{key: string, top: number}|null} anchor */
	restore(anchor) {
		const row = anchor && this.elements.log.querySelector(`[data-key="${CSS.escape(anchor.key)}"]`);
		if (row && anchor) this.elements.scroller.scrollTop += row.getBoundingClientRect().top - anchor.top;
	}

	draw() {
		const { log } = this.elements;
		const chat = this.chat;
		if (!chat) return;
		const rows = [];
		if (!chat.loaded) rows.push(el("p", "hint", text("loading")));
		else if (!chat.items.length) rows.push(el("p", "hint", text("noMessages")));
		else if (!chat.more) rows.push(el("p", "hint", text("beginning")));
		/** @type {Message|undefined} */
		let before;
		for (const message of chat.items) {
			rows.push(...this.rowsOf(message, before));
			before = message;
		}
		const { activeElement } = document;
		const focused = log.contains(activeElement) ? /** @type {HTMLElement|null|undefined} */ (activeElement?.closest(".message"))?.dataset.key : "";
		log.setAttribute("aria-busy", "true");
		log.replaceChildren(...rows);
		log.removeAttribute("aria-busy");
		if (focused) rows.find((row) => row.dataset.key === focused)?.focus({ preventScroll: true });
	}

	/** @param {Message} message @param {Message|undefined} before */
	rowsOf(message, before) {
		const rows = [];
		if (!before || day(before.at) !== day(message.at)) rows.push(dayRow(message.at));
		const isFresh = !!this.chat?.firstUnread && message.seq === this.chat.firstUnread;
		if (isFresh) rows.push(newRow());
		const row = messageRow(message, this.on.how(!isFresh && rows.length === 0 && continues(before, message)));
		row.classList.toggle("shown", !!this.shown && message.seq === this.shown);
		rows.push(row);
		return rows;
	}

	/** Add the row of a message that was said now at the end. */
	add(/** @type {Message} */ message) {
		const chat = this.chat;
		if (!chat) return;
		if (!chat.atEnd) return this.scrolled();
		const wasAtEnd = this.atEnd;
		const before = chat.items[chat.items.indexOf(message) - 1];
		if (!before) this.elements.log.replaceChildren();
		this.elements.log.append(...this.rowsOf(message, before));
		if (wasAtEnd || message.mine) this.scrollToEnd();
		this.scrolled();
	}

	/** Draw the row of one message again. */
	update(/** @type {Message} */ message) {
		const row = this.elements.log.querySelector(`[data-key="${CSS.escape(message.key)}"]`);
		if (!row || !this.chat) return;
		const at = this.chat.items.indexOf(message);
		const joined = row.classList.contains("joined");
		const anchor = this.anchor();
		const hadFocus = row.contains(document.activeElement);
		if (at < 0) {
			this.redraw();
			return;
		}
		const fresh = messageRow(message, this.on.how(joined));
		row.replaceWith(fresh);
		if (hadFocus) fresh.focus({ preventScroll: true });
		if (message.seq) this.quoted(message.seq, message);
		if (this.atEnd) this.scrollToEnd();
		else this.restore(anchor);
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
		for (const message of this.chat?.items ?? []) {
			if (!message.end) continue;
			const left = this.elements.log.querySelector(`[data-key="${CSS.escape(message.key)}"] .left`);
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
		this.atEnd = below < AT_END && chat.atEnd;
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
		const rows = /** @type {NodeListOf<HTMLElement>} */ (this.elements.log.querySelectorAll(".message"));
		let seen = 0;
		for (let at = rows.length - 1; at >= 0 && !seen; at--) {
			if (rows[at].getBoundingClientRect().top >= bottom) continue;
			seen = this.chat.items.find((item) => item.key === rows[at].dataset.key)?.seq ?? 0;
		}
		const isAll = this.atEnd;
		if (seen || isAll) this.on.seen(this.chat, isAll ? Math.max(seen, this.chat.lastSeq) : seen);
	}

	/** @param {KeyboardEvent} event */
	moved(event) {
		const rows = /** @type {HTMLElement[]} */ ([...this.elements.log.querySelectorAll(".message")]);
		const at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement?.closest(".message")));
		const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
		if (event.key === "Enter" && event.target === rows[at]) /** @type {HTMLElement|null} */ (rows[at]?.querySelector(".row-more"))?.click();
		else if (!step) return;
		else if (at < 0) this.focusLast();
		else rows[at + step]?.focus();
		event.preventDefault();
	}

	/** Give the focus to the last row. */
	focusLast() {
		const rows = this.elements.log.querySelectorAll(".message");
		/** @type {HTMLElement|undefined} */ (rows[rows.length - 1])?.focus();
	}

	rowOf(/** @type {number} */ seq) {
		const message = this.chat?.items.find((item) => item.seq === seq);
		return message ? this.elements.log.querySelector(`[data-key="${CSS.escape(message.key)}"]`) : null;
	}
}
