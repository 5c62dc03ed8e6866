/** The rows of the log: one element for each message, made from text alone. */

import { appendText } from "./links.js";
import { text } from "./strings.js";
import { leftOf, readable } from "./timed.js";

/**
 * @typedef {import("./model.js").Message} Message
 * @typedef {{
 *   me: string, answered: (seq: number) => (Message|null|undefined), refer: (chat: string, seq: number) => void,
 *   mark: (message: Message, mark: string, on: boolean) => void, menu: (message: Message, at: HTMLElement) => void
 * }} How the functions of the page that a row calls
 */

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const TOGETHER_MS = 5 * 60 * 1000;

/** @param {string} tag @param {string} [className] @param {string} [content] @returns {HTMLElement} */
export function el(tag, className, content) {
	const element = document.createElement(tag);
	if (className) element.className = className;
	if (content !== undefined) element.textContent = content;
	return element;
}

/** Whether a message continues those of the same user. @param {Message|undefined} before @param {Message} message */
export function continues(before, message) {
	return !!before && before.from === message.from && !before.id === !message.id
		&& Date.parse(message.at) - Date.parse(before.at) < TOGETHER_MS && day(before.at) === day(message.at);
}

export function day(/** @type {string} */ at) {
	return new Date(at).toDateString();
}

export function dayRow(/** @type {string} */ at) {
	const now = new Date();
	const yesterday = new Date(now.getTime() - 86400000);
	const shown = day(at) === now.toDateString() ? text("today") : day(at) === yesterday.toDateString() ? text("yesterday") : DAY.format(new Date(at));
	const row = el("div", "divider");
	row.append(el("span", "", shown));
	return row;
}

export function newRow() {
	const row = el("div", "divider fresh");
	row.append(el("span", "", text("newLine")));
	return row;
}

/** Return an element with a name, in the colour of that name. */
export function named(/** @type {string} */ tag, /** @type {string} */ name) {
	const element = el(tag, "named", name);
	element.dir = "auto";
	let sum = 0;
	for (const character of name.toLowerCase()) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
	element.style.setProperty("--c", String((sum * 195 >>> 4) % 360));
	return element;
}

/** Return the row of a message, which may be `joined` to that of the same user before it. @param {Message} message @param {boolean} joined @param {How} how */
export function messageRow(message, joined, how) {
	const row = el("article", "message");
	row.dataset.key = message.key;
	row.tabIndex = -1;
	row.classList.toggle("joined", joined);
	row.classList.toggle("mine", message.mine);
	row.classList.toggle("timed", !!message.id);
	row.classList.toggle("calls-me", !!message.to?.some((name) => name === how.me));
	row.classList.toggle("waits", !!message.pending);
	const when = el("time", "when", TIME.format(new Date(message.at)));
	when.title = FULL.format(new Date(message.at));
	/** @type {HTMLTimeElement} */ (when).dateTime = message.at;
	const head = el("div", "head");
	const author = named("span", message.from);
	author.classList.add("author");
	head.append(author, when);
	if (message.seq) head.append(el("span", "seq", `#${message.seq}`));
	const body = el("div", "body");
	body.dir = "auto";
	const answer = /^#0*([1-9]\d{0,17})\x20/.exec(message.text);
	if (answer && !message.id) row.append(quoteRow(Number(answer[1]), how));
	row.append(head);
	appendText(body, answer && !message.id ? message.text.slice(answer[0].length) : message.text, how);
	if (message.edited) {
		const edited = el("span", "edited", ` ${text("edited")}`);
		edited.title = FULL.format(new Date(message.edited));
		body.append(edited);
	}
	row.append(body);
	if (message.end) row.append(countdown(message));
	if (message.pending) row.append(el("div", "said", text("pending")));
	if (message.marks?.length) row.append(marksRow(message, how));
	if (!message.pending) row.append(menuButton(message, how));
	return row;
}

/** @param {number} seq @param {How} how */
function quoteRow(seq, how) {
	const quote = el("button", "quote");
	quote.dataset.answers = String(seq);
	fillQuote(quote, seq, how.answered(seq));
	quote.addEventListener("click", () => how.refer("", seq));
	return quote;
}

/**
 * @param {HTMLElement} quote
 * @param {number} seq
 * @param {Message|null|undefined} message the answered message, null if it cannot be had, undefined while it is loaded
 */
export function fillQuote(quote, seq, message) {
	quote.replaceChildren();
	if (message === undefined || message === null) {
		quote.textContent = message === null ? `#${seq}: ${text("deletedAnswer")}` : `#${seq}`;
		return;
	}
	const body = el("span", "", message.text);
	body.dir = "auto";
	quote.append(named("b", message.from), " ", body);
}

/** @param {Message} message */
function countdown(message) {
	const row = el("div", "countdown");
	row.append(el("span", "left", timeLeft(message)));
	if (message.reached) row.append(el("span", "", ` · ${message.reached}`));
	return row;
}

export function timeLeft(/** @type {Message} */ message) {
	return text("timedLeft", readable(message.end ? leftOf(message.end) : 0));
}

/** @param {Message} message @param {How} how */
function marksRow(message, how) {
	const row = el("div", "marks");
	for (const mark of message.marks ?? []) {
		const button = el("button", "mark");
		button.classList.toggle("own", mark.mine);
		button.setAttribute("aria-pressed", String(mark.mine));
		button.title = mark.names.join(", ") + (mark.count > mark.names.length ? " …" : "");
		button.append(el("span", "", mark.mark), " ", el("span", "count", String(mark.count)));
		button.addEventListener("click", () => how.mark(message, mark.mark, !mark.mine));
		row.append(button);
	}
	return row;
}

/** @param {Message} message @param {How} how */
function menuButton(message, how) {
	const button = el("button", "row-more", "⋯");
	button.setAttribute("aria-label", text("messageMenu"));
	button.setAttribute("aria-haspopup", "menu");
	button.tabIndex = -1;
	button.addEventListener("click", (event) => {
		event.stopPropagation();
		how.menu(message, button);
	});
	return button;
}
