/** A signed-in user: requests, replies and events, between the connection and the model. */

import { Lost } from "./socket.js";
import { ANSWER, COMMAND, OWN_LAST, SECRET } from "./grammar.js";
import { endAfter, leftOf } from "./timed.js";
import { first, forget, last } from "./model.js";
import { text } from "./strings.js";

/** @typedef {import("./model.js").Chat} Chat */
/** @typedef {import("./model.js").Message} Message */
/** @typedef {import("./socket.js").Line} Line */

/** How many messages a chat opens with, and how many come on scrolling: few enough to be drawn in a frame. */
const PAGE = 50;
const SCROLLED = 30;
const CHANGES_MOST = 1000;
const QUOTES_MOST = 500;
/** The bytes of a line. The server answers longer requests without a reference, and ends connections for much longer ones. */
const LINE_MOST = 60_000;

export class Session {
	/**
	 * @param {import("./socket.js").Connection} connection
	 * @param {import("./model.js").Model} model
	 * @param {{
	 *   signedIn: () => void, said: (message: Message) => void, changed: (message: Message) => void, gone: () => void, lists: () => void,
	 *   page: (chat: Chat, place: "end"|"unread"|number|"keep") => void, notice: (shown: Line, asked: string) => void,
	 *   refused: (chat: Chat, line: string, error: Line) => void, other: () => void, opened: (chat: Chat, seq: number|undefined) => void, ended: (reason: string) => void, quoted: (seq: number, message: Message|null) => void
	 * }} on
	 */
	constructor(connection, model, on) {
		this.connection = connection;
		this.model = model;
		this.on = on;
		/** @type {{line: string, chat: Chat, nonce: string, message: Message|null}[]} */
		this.unsent = [];
		/** @type {Map<string, Message|null|undefined>} */
		this.quotes = new Map();
		this.isLoading = false;
		this.key = 0;
		this.isReady = false;
	}

	/** Take the reply to a sign-in. */
	async welcome(/** @type {Line} */ welcome) {
		const { model } = this;
		if (model.epoch && model.epoch !== welcome.epoch) model.reset();
		if (model.name && model.name !== welcome.name) {
			// Another tab has signed in somebody else: nothing that was typed here is theirs.
			this.unsent = [];
			this.on.other();
		}
		Object.assign(model, { name: welcome.name, epoch: welcome.epoch ?? "", features: welcome.features ?? [] });
		model.online = new Set(welcome.online);
		this.connection.settled();
		this.isReady = true;
		// What is unread must be known before a chat is opened.
		await this.lists();
		if (!this.isReady) return;
		this.on.signedIn();
		this.sendWaiting();
	}

	async lists() {
		const [chats, users] = await Promise.all([this.ask({ type: "chats" }), this.ask({ type: "users", limit: 200 })]);
		if (users.type === "users") this.model.offline = users.offline;
		if (chats.type === "chats") {
			const missed = this.model.listed(chats.chats);
			this.on.lists();
			for (const chat of missed) await this.catchUp(chat);
		}
	}

	/** Ask. The reply has the type `lost` if the connection is lost, which reports that itself. */
	async ask(/** @type {Line} */ request) {
		return this.connection.ask(request).catch((error) => {
			if (error instanceof Lost) return /** @type {Line} */ ({ type: "lost" });
			throw error;
		});
	}

	/** Load the missed changes of a chat, then its missed messages. */
	async catchUp(/** @type {Chat} */ chat) {
		let rev = chat.rev;
		for (let pages = 0, more = true; more; pages++) {
			const page = await this.ask({ type: "history", chat: chat.name, after_rev: rev, limit: 200 });
			if (page.type !== "history") return;
			if (pages * 200 > CHANGES_MOST) return this.load(chat, "end", true);
			for (const message of page.messages) this.model.amended({ ...message, chat: chat.name, by: "" });
			for (const seq of page.deleted) this.model.amended({ chat: chat.name, seq, rev: page.rev, deleted: true });
			rev = chat.rev = page.rev;
			more = page.more;
		}
		if (!chat.atEnd) return this.on.page(chat, "keep");
		const timed = new Set(chat.items.map((item) => item.id ?? "").filter(Boolean));
		const page = await this.ask({ type: "history", chat: chat.name, after: last(chat), limit: 200 });
		if (page.type !== "history") return;
		if (page.more) return this.load(chat, "end", true);
		const messages = this.messages(page);
		this.model.page(chat, messages, "after");
		this.model.keepTimed(chat, timed, messages);
		this.on.page(chat, "keep");
	}

	/**
	 * Open a chat at its first unread message, at its end or at a message.
	 * @param {Chat} chat
	 * @param {"end"|"unread"|number} place
	 * @param {boolean} [again]
	 */
	async load(chat, place, again = false) {
		if (again) forget(chat);
		const isThere = typeof place === "number" ? chat.items.some((item) => item.seq === place) : chat.loaded && chat.atEnd;
		if (chat.loaded && isThere && !(place === "unread" && chat.unread && !chat.firstUnread)) return this.on.page(chat, place);
		const around = typeof place === "number" ? place : place === "unread" && chat.unread ? chat.readSeq + 1 : undefined;
		const query = { type: "history", chat: chat.name, limit: PAGE, ...(around ? { around } : {}) };
		const page = await this.ask(query);
		if (page.type === "error") return this.on.notice(page, "");
		if (page.type !== "history") return undefined;
		if (!chat.loaded) chat.rev = page.rev;
		this.model.page(chat, this.messages(page), "all");
		chat.atEnd = (!around || last(chat) >= chat.lastSeq) && this.model.isWhole(chat);
		if (chat.atEnd) chat.items.push(...this.unsent.flatMap(({ message }) => (message?.chat === chat.name ? [message] : [])));
		chat.more = around ? first(chat) > 1 && page.messages.length > 0 : page.more;
		if (place === "unread" && chat.unread) chat.firstUnread = chat.items.find((item) => (item.seq ?? 0) > chat.readSeq && !item.mine)?.seq ?? 0;
		return this.on.page(chat, place);
	}

	async older(/** @type {Chat} */ chat) {
		await this.turn(chat, { before: first(chat) }, "before", (page) => (chat.more = page.more));
	}

	async newer(/** @type {Chat} */ chat) {
		await this.turn(chat, { after: last(chat) }, "after", (page) => (chat.atEnd = !page.more && this.model.isWhole(chat)));
	}

	/** @param {Chat} chat @param {object} where @param {"before"|"after"} place @param {(page: Line) => void} note */
	async turn(chat, where, place, note) {
		if (this.isLoading || !chat.loaded) return;
		this.isLoading = true;
		const page = await this.ask({ type: "history", chat: chat.name, limit: SCROLLED, ...where });
		this.isLoading = false;
		if (page.type !== "history") return;
		this.model.page(chat, this.messages(page), place);
		note(page);
		this.on.page(chat, "keep");
	}

	/** The messages of a page. @returns {Message[]} */
	messages(/** @type {Line} */ page) {
		return page.messages.map((/** @type {Line} */ line) => this.message(line));
	}

	/** @returns {Message} */
	message(/** @type {any} */ line) {
		const timed = line.id ? { end: endAfter(line.left_ms) } : {};
		return { ...line, ...timed, mine: line.from === this.model.name, key: line.seq ? `s${line.seq}` : `t${line.id}` };
	}

	/** Say a typed line in the chat in which it was typed. @param {string} line @param {Chat} chat */
	say(line, chat) {
		if (new TextEncoder().encode(JSON.stringify(line)).length > LINE_MOST) {
			return this.on.refused(chat, line, { type: "error", text: text("tooLong") });
		}
		const own = OWN_LAST.exec(line);
		const isText = !COMMAND.test(line) || ANSWER.test(line);
		if (!SECRET.test(line)) this.model.remember(chat, line);
		if (own) return this.amendLast(chat, own[1] ? own[2] : null, line);
		if (!isText && !this.connection.isOpen) {
			return this.on.refused(chat, line, { type: "error", text: text("commandOffline") });
		}
		const nonce = String(crypto.getRandomValues(new BigUint64Array(2)));
		const message = isText ? this.pending(chat, line.trim(), nonce) : null;
		const said = { line, chat, nonce, message };
		this.unsent.push(said);
		if (message) this.on.said(message);
		if (this.isReady) this.send(said);
		return undefined;
	}

	/** @param {Chat} chat @param {string} said @param {string} nonce @returns {Message} */
	pending(chat, said, nonce) {
		const message = { chat: chat.name, from: this.model.name, at: new Date().toISOString(), text: said, mine: true, pending: nonce, key: `p${++this.key}` };
		if (chat.loaded && chat.atEnd) chat.items.push(message);
		return message;
	}

	sendWaiting() {
		for (const said of [...this.unsent]) this.send(said);
	}

	/** @param {{line: string, chat: Chat, nonce: string, message: Message|null}} said */
	async send(said) {
		const { name, id } = said.chat;
		// The server refuses a text if the name has become that of another chat.
		const which = id && name !== "GLOBAL" ? { id } : {};
		const reply = await this.ask({ type: "line", line: said.line, chat: name, ...which, nonce: said.nonce });
		if (reply.type === "lost") {
			if (said.message) return;
			this.unsent = this.unsent.filter((other) => other !== said);
			this.on.refused(said.chat, said.line, { type: "error", text: text("unanswered") });
			return;
		}
		if (reply.type === "error" && reply.code === "too-fast") {
			setTimeout(() => this.isReady && this.send(said), 1000);
			return;
		}
		this.unsent = this.unsent.filter((other) => other !== said);
		if (reply.type === "sent") await this.sent(reply, said);
		else {
			if (said.message) this.dropPending(said.message);
			if (reply.type === "error") this.on.refused(said.chat, said.line, reply);
			else await this.took(reply, said.line);
		}
	}

	dropPending(/** @type {Message} */ message) {
		const chat = this.model.chat(message.chat);
		chat.items = chat.items.filter((item) => item !== message);
		this.on.changed(message);
	}

	/** @param {Line} reply @param {{message: Message|null}} said */
	async sent(reply, said) {
		const chat = this.model.chat(reply.chat);
		chat.lastAt = reply.at;
		if (reply.seq) {
			chat.lastSeq = Math.max(chat.lastSeq, reply.seq);
			chat.readSeq = Math.max(chat.readSeq, reply.seq);
		}
		const { message } = said;
		if (message && message.chat === reply.chat && reply.seq) {
			Object.assign(message, { seq: reply.seq, at: reply.at, pending: undefined, key: `s${reply.seq}` });
			if (!chat.loaded) return;
			if (!chat.atEnd) return this.load(chat, "end", true);
			this.model.place(chat, message);
			this.on.page(chat, "keep");
			return;
		}
		if (message) this.dropPending(message);
		await this.fetchSent(reply, chat);
	}

	/** Load the message that a command has sent: only the server knows its text. */
	async fetchSent(/** @type {Line} */ reply, /** @type {Chat} */ chat) {
		const around = reply.seq ? { around: reply.seq, limit: 1 } : { limit: 1 };
		const page = await this.ask({ type: "history", chat: reply.chat, ...around });
		const found = page.messages?.find((/** @type {Line} */ message) => (reply.seq ? message.seq === reply.seq : message.id === reply.id));
		if (found) {
			const message = this.message(found);
			if (reply.id) message.reached = text("reached", reply.reached, reply.of);
			if (this.model.said(message) && chat.atEnd) this.model.place(chat, message);
			this.on.page(chat, "keep");
		}
		if (chat.name !== this.model.open) this.on.notice({ type: "sent", chat: chat.name }, "");
		this.on.lists();
	}

	/**
	 * Edit or take back the last own message that is drawn.
	 * @param {Chat} chat
	 * @param {string|null} changed
	 * @param {string} line
	 */
	async amendLast(chat, changed, line) {
		const own = chat.items.filter((item) => item.mine).at(-1);
		if (!own || own.pending || (changed !== null && !own.seq)) return this.on.refused(chat, line, { type: "error", text: text("pending") });
		const which = own.seq ? { seq: own.seq } : { id: own.id };
		const what = changed === null ? { delete: true } : { text: changed };
		return this.took(await this.ask({ type: "amend", chat: chat.name, ...which, ...what }), line);
	}

	/** @param {Message} message @param {string} mark @param {boolean} on */
	async mark(message, mark, on) {
		await this.took(await this.ask({ type: "mark", chat: message.chat, seq: message.seq, mark, on }), "");
	}

	/** Delete a message, or take a timed one back. */
	async remove(/** @type {Message} */ message) {
		const which = message.seq ? { seq: message.seq } : { id: message.id };
		await this.took(await this.ask({ type: "amend", chat: message.chat, ...which, delete: true }), "");
	}

	/** Take a reply that is no message. @param {Line} reply @param {string} asked */
	async took(reply, asked) {
		if (reply.type === "amended") this.event(reply);
		else if (reply.type === "history" && reply.messages.length) {
			this.on.opened(this.model.chat(reply.chat), reply.messages.at(-1).seq);
		} else if (reply.type === "chats") {
			this.model.listed(reply.chats);
			this.on.notice(reply, asked);
		}
		else if (reply.type === "bye") this.on.ended(reply.reason);
		else if (reply.type === "alert") {
			this.model.chat(reply.chat).alert = reply.alert;
			this.on.notice(reply, asked);
		} else if (reply.type !== "lost") this.on.notice(reply, asked);
		if (reply.type === "blocks") await this.reload();
		if (["group", "ok", "blocks"].includes(reply.type)) await this.lists();
		this.on.lists();
	}

	/** Other messages are visible now: load the open chat again, and the others when they are opened. */
	async reload() {
		this.model.reset();
		this.quotes.clear();
		await this.load(this.model.chat(this.model.open), "end");
	}

	/** Move the read marker of a chat to the last message that was seen. */
	seen(/** @type {Chat} */ chat, /** @type {number} */ seq) {
		if (!this.isReady || (seq <= chat.readSeq && !(seq >= chat.lastSeq && chat.unread))) return;
		this.model.read(chat, seq);
		this.ask({ type: "read", chat: chat.name, seq });
		this.on.lists();
	}

	/** The message that another one answers: null if it cannot be had, undefined while it is loaded. */
	answered(/** @type {Chat} */ chat, /** @type {number} */ seq) {
		const loaded = chat.items.find((item) => item.seq === seq);
		if (loaded) return loaded;
		const key = `${chat.name}#${seq}`;
		if (!this.quotes.has(key)) {
			if (this.quotes.size >= QUOTES_MOST) this.quotes.clear();
			this.quotes.set(key, undefined);
			this.ask({ type: "history", chat: chat.name, around: seq, limit: 1 }).then((page) => {
				const found = page.messages?.find((/** @type {Line} */ message) => message.seq === seq);
				this.quotes.set(key, found ? this.message(found) : null);
				if (chat.name === this.model.open) this.on.quoted(seq, found ? this.message(found) : null);
			});
		}
		return this.quotes.get(key);
	}

	/** Take an event. */
	event(/** @type {Line} */ event) {
		const { model } = this;
		if (event.type === "message") {
			const message = this.message(event);
			if (!model.said(message)) return;
			this.on.said(message);
			this.on.lists();
		} else if (event.type === "amended") {
			const message = model.amended(event);
			if (message) this.on.changed(message);
			if (this.quotes.delete(`${event.chat}#${event.seq}`)) this.answered(model.chat(event.chat), event.seq);
		} else if (event.type === "erased") {
			if (model.erased(event.chat, event.id)) this.on.gone();
		} else if (event.type === "presence") {
			for (const name of event.online) model.online.add(name);
			for (const name of event.offline) model.online.delete(name);
			model.offline = [...new Set([...model.offline, ...event.offline])];
			this.on.lists();
		} else if (event.type === "read") {
			model.read(model.chat(event.chat), event.seq);
			this.on.lists();
		} else if (event.type === "blocks") this.reload();
		else if (event.type === "alert") {
			model.chat(event.chat).alert = event.alert;
			this.on.lists();
		} else if (event.type === "added" || event.type === "removed") {
			this.on.notice(event, "");
			if (event.type === "removed" && (event.name === model.name || !event.owner)) {
				const chat = model.chats.get(event.group);
				if (chat && !chat.draft && model.open !== event.group) model.chats.delete(event.group);
			} else model.chat(event.group, event.id);
			if (event.owner && model.chats.has(event.group)) model.chat(event.group).owner = event.owner;
			this.on.lists();
		} else if (event.type === "bye") this.on.ended(event.reason);
	}

	/** End the timed messages whose time is up. */
	endTimed() {
		let ended = false;
		for (const chat of this.model.chats.values()) {
			for (const message of chat.items.filter((item) => item.end && leftOf(item.end) <= 0)) {
				this.model.erased(chat.name, message.id ?? "");
				ended = true;
			}
		}
		if (ended) this.on.gone();
	}
}
