/** The input: a draft for each chat, completion, and the chat that a line goes to. */

import { el } from "./rows.js";
import { folded } from "./model.js";
import { text } from "./strings.js";
import { SECRET } from "./grammar.js";

/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./model.js").Chat} Chat */

const OFFERS_MOST = 8;
/** Longer texts are not searched for a word to complete, which could take seconds. */
const COMPLETED_MOST = 1000;
const COMMANDS = ["!help", "!set ", "ls ", "? ", "?@", "~", "exit"];

/** Whether fingers are all that points. */
export const IS_TOUCH = matchMedia("(hover: none) and (pointer: coarse)").matches;

export class Composer {
	/**
	 * @param {{form: HTMLFormElement, line: HTMLTextAreaElement, offers: HTMLElement, about: HTMLElement}} elements
	 * @param {Model} model
	 * @param {{say: (line: string, chat: Chat) => void, find: (seq: number) => (import("./model.js").Message|null|undefined), toLog: () => void}} on
	 */
	constructor(elements, model, on) {
		this.elements = elements;
		this.model = model;
		this.on = on;
		/** The chat that is drawn, to which the line belongs, whatever its name becomes. @type {Chat|null} */
		this.chat = null;
		this.recalled = -1;
		/** What was typed before a line was recalled. */
		this.begun = "";
		const { form, line } = elements;
		line.enterKeyHint = IS_TOUCH ? "enter" : "send";
		form.addEventListener("submit", (event) => {
			event.preventDefault();
			this.submit();
		});
		line.addEventListener("input", () => this.changed());
		line.addEventListener("keydown", (event) => this.key(event));
		line.addEventListener("blur", () => this.offer([]));
	}

	/** Show the draft of a chat. The line of the last one stays with that one. */
	show(/** @type {Chat} */ chat) {
		this.keep();
		this.chat = chat;
		this.recalled = -1;
		const { line } = this.elements;
		line.value = chat.draft;
		line.placeholder = text("placeholder", chat.name);
		this.changed();
		if (!IS_TOUCH) line.focus();
	}

	keep() {
		if (this.chat) this.chat.draft = this.elements.line.value;
	}

	/** Put a text into the input of the open chat. */
	set(/** @type {string} */ value) {
		this.elements.line.value = value;
		this.elements.line.focus();
		this.elements.line.setSelectionRange(value.length, value.length);
		this.changed();
	}

	/**
	 * Begin the line with the number of a message. What is typed stays behind an answer, and is in the way of anything else.
	 * @param {string} start
	 * @param {boolean} keeps
	 */
	begin(start, keeps) {
		const typed = this.elements.line.value;
		if (typed && !keeps) return false;
		this.set(start + typed);
		return true;
	}

	/**
	 * Give back a line that was refused to its chat, unless something else is typed there.
	 * @param {Chat} chat
	 * @param {string} line
	 */
	giveBack(chat, line) {
		if (chat.draft || (chat !== this.chat && this.model.chats.get(chat.name) !== chat)) return false;
		if (chat === this.chat) this.set(line);
		else chat.draft = line;
		return true;
	}

	submit() {
		const { line } = this.elements;
		const typed = line.value;
		if (!typed.trim() || !this.chat) return;
		line.value = "";
		this.keep();
		this.recalled = -1;
		this.changed();
		this.on.say(typed, this.chat);
		line.focus();
	}

	changed() {
		const { line, about } = this.elements;
		line.style.height = "auto";
		line.style.height = `${Math.min(line.scrollHeight, innerHeight / 3)}px`;
		const referred = /^#0*([1-9]\d{0,17})/.exec(line.value);
		const message = referred ? this.on.find(Number(referred[1])) : null;
		about.hidden = !message;
		about.textContent = message ? `${message.from}: ${message.text}` : "";
		this.keep();
		this.complete();
	}

	/** @param {KeyboardEvent} event */
	key(event) {
		const { offers, line } = this.elements;
		// Safari ends a composition before it reports its Enter, with the code of one.
		if (event.isComposing || event.keyCode === 229) return;
		const chosen = /** @type {HTMLElement|null} */ (offers.querySelector("[aria-selected=true]"));
		if (event.key === "Tab" && !event.shiftKey && !offers.hidden) {
			event.preventDefault();
			this.take(chosen ?? /** @type {HTMLElement} */ (offers.firstElementChild));
		} else if (event.key === "Tab" && event.shiftKey) {
			event.preventDefault();
			this.on.toLog();
		} else if (event.key === "Escape") this.offer([]);
		else if (event.key === "Enter" && !event.shiftKey && !IS_TOUCH) {
			event.preventDefault();
			if (chosen) this.take(chosen);
			else this.submit();
		} else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && !offers.hidden && chosen) {
			event.preventDefault();
			this.choose(event.key === "ArrowUp" ? -1 : 1);
		} else if (event.key === "ArrowUp" && line.selectionStart === 0 && line.selectionEnd === 0) this.recall(1, event);
		else if (event.key === "ArrowDown" && this.recalled >= 0 && line.selectionStart === line.value.length) this.recall(-1, event);
	}

	/** @param {number} step @param {KeyboardEvent} event */
	recall(step, event) {
		const { line } = this.elements;
		const typed = this.chat?.typed ?? [];
		const at = this.recalled + step;
		if (at >= typed.length || at < -1) return;
		event.preventDefault();
		if (this.recalled < 0) this.begun = line.value;
		this.recalled = at;
		line.value = at < 0 ? this.begun : typed[typed.length - 1 - at];
		line.setSelectionRange(0, 0);
		this.changed();
	}

	complete() {
		const { line } = this.elements;
		const before = line.value.length > COMPLETED_MOST ? "" : line.value.slice(0, line.selectionStart);
		const word = /(?:^|\s|\*\d+)([@*~+!][^\s@*]*|[^\s@*~+!]+)$/u.exec(before)?.[1] ?? "";
		if (!word || line.selectionStart !== line.value.length || SECRET.test(word)) {
			this.offer([]);
			return;
		}
		const sign = /^[@*~+]/.test(word) ? word[0] : "";
		const begun = folded(word.slice(sign.length));
		const groups = [...this.model.chats.keys()].filter((name) => name.startsWith("*"));
		const people = [...new Set([...this.model.online, ...this.model.offline])].filter((name) => name !== this.model.name);
		let names = sign === "*" ? groups : sign ? people.map((name) => sign + name) : [];
		if (!sign && before.trimStart() === word) names = COMMANDS;
		this.offer(names.filter((name) => folded(name.slice(sign.length)).startsWith(begun) && name !== word), word);
	}

	/** @param {string[]} names @param {string} [word] */
	offer(names, word = "") {
		const { offers, line } = this.elements;
		this.word = word;
		offers.replaceChildren(...names.slice(0, OFFERS_MOST).map((name, index) => {
			const item = el("li", "", name);
			item.setAttribute("role", "option");
			item.id = `offer-${index}`;
			item.addEventListener("mousedown", (event) => {
				event.preventDefault();
				this.take(item);
			});
			return item;
		}));
		offers.hidden = !names.length;
		line.removeAttribute("aria-activedescendant");
	}

	choose(/** @type {number} */ step) {
		const { offers, line } = this.elements;
		const items = [...offers.children];
		const at = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
		const next = items[(at + step + items.length) % items.length];
		items[at]?.removeAttribute("aria-selected");
		next?.setAttribute("aria-selected", "true");
		if (next) line.setAttribute("aria-activedescendant", next.id);
	}

	take(/** @type {HTMLElement|null} */ item) {
		if (!item) return;
		const { line } = this.elements;
		const name = item.textContent ?? "";
		const end = line.selectionStart;
		const begun = end - (this.word ?? "").length;
		const rest = name.endsWith(" ") ? name : `${name} `;
		line.value = line.value.slice(0, begun) + rest + line.value.slice(end);
		line.setSelectionRange(begun + rest.length, begun + rest.length);
		this.changed();
		this.offer([]);
	}

	/** Forget everything: the page is left. */
	clear() {
		this.chat = null;
		this.elements.line.value = "";
		this.elements.about.textContent = "";
		this.offer([]);
	}
}
