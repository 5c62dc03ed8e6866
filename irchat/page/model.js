/** The state of the page: chats, messages and online users, without elements. */

/**
 * @typedef {{mark: string, count: number, names: string[], mine: boolean}} Mark
 * @typedef {{
 *   chat: string, from: string, at: string, text: string, seq?: number, id?: string, end?: import("./timed.js").End,
 *   rev?: number, edited?: string, marks?: Mark[], to?: string[], mine: boolean, pending?: string,
 *   reached?: string, key: string
 * }} Message
 * @typedef {{
 *   name: string, id: string, unread: number, mentions: number, alert: string, lastSeq: number, readSeq: number,
 *   lastAt: string, owner: string, rev: number, items: Message[], loaded: boolean, atEnd: boolean, more: boolean, follows: boolean, late: number,
 *   firstUnread: number, draft: string, typed: string[]
 * }} Chat
 */

const TYPED_MOST = 50;
/** How many messages of a chat are kept, and of how many chats. */
const LOADED_MOST = 200;
const CHATS_MOST = 10;

export class Model {
	constructor() {
		this.name = "";
		this.epoch = "";
		/** @type {string[]} */
		this.features = [];
		/** @type {Map<string, Chat>} */
		this.chats = new Map();
		/** @type {Set<string>} */
		this.online = new Set();
		/** @type {string[]} */
		this.offline = [];
		/** @type {string} */
		this.open = "GLOBAL";
		/** The chats that were open, the latest first. @type {string[]} */
		this.visited = [];
		/** Called with a chat whose name belongs to another one now. @type {(chat: Chat) => void} */
		this.onReplaced = () => undefined;
	}

	/**
	 * Return the chat called `name`, which is made if it is new.
	 * @param {string} name
	 * @param {string} [id]
	 * @returns {Chat}
	 */
	chat(name, id) {
		let chat = this.chats.get(name);
		// A draft must not go to another chat that has the name now.
		const old = chat && id && chat.id && chat.id !== id ? chat : null;
		if (old) chat = undefined;
		if (!chat) {
			chat = {
				name, id: id ?? "", unread: 0, mentions: 0, alert: "", lastSeq: 0, readSeq: 0, lastAt: "", owner: "", rev: 0, items: [],
				loaded: false, atEnd: false, more: true, follows: true, late: 0, firstUnread: 0, draft: "", typed: [],
			};
			this.chats.set(name, chat);
		}
		if (id) chat.id = id;
		if (old) this.onReplaced(old);
		return chat;
	}

	/** Drop everything but drafts: the server has another past now. */
	reset() {
		for (const chat of this.chats.values()) forget(chat);
	}

	/** Take the list of chats. Return those of which changes or messages were missed. @param {any[]} list */
	listed(list) {
		const missed = [];
		const names = new Set(list.map((entry) => entry.chat));
		for (const entry of list) {
			const chat = this.chat(entry.chat, entry.id);
			const isBehind = entry.last_seq > last(chat) || entry.unread !== chat.unread || chat.items.some((item) => item.id);
			if (chat.loaded && (entry.rev > chat.rev || (chat.atEnd && isBehind))) missed.push(chat);
			Object.assign(chat, {
				unread: entry.unread, mentions: entry.mentions ?? 0, alert: entry.alert ?? "", lastSeq: entry.last_seq,
				readSeq: entry.read_seq, lastAt: entry.last_at ?? "",
			});
		}
		for (const chat of [...this.chats.values()]) {
			if (!names.has(chat.name) && !chat.name.startsWith("@") && chat.name !== "GLOBAL" && !chat.draft) this.chats.delete(chat.name);
		}
		return missed;
	}

	/** The chats as they are shown: GLOBAL, then the latest first. */
	ordered() {
		return [...this.chats.values()]
			.filter((chat) => chat.name === "GLOBAL" || chat.id || chat.lastAt || chat.draft || chat.name === this.open)
			.sort((a, b) => Number(b.name === "GLOBAL") - Number(a.name === "GLOBAL") || b.lastAt.localeCompare(a.lastAt) || a.name.localeCompare(b.name));
	}

	/** How many unread messages there are in chats that alert. */
	unread() {
		return [...this.chats.values()].reduce((sum, chat) => sum + (chat.alert === "none" ? 0 : chat.unread), 0);
	}

	/** Add a message that was said now. Return it, or null if it is there already. @param {Message} message */
	said(message) {
		const chat = this.chat(message.chat);
		chat.lastAt = message.at;
		if (message.seq) {
			chat.lastSeq = Math.max(chat.lastSeq, message.seq);
			if (chat.items.some((item) => item.seq === message.seq)) return null;
		} else if (chat.items.some((item) => item.id === message.id)) return null;
		if (chat.loaded && chat.atEnd) chat.items.push(message);
		else chat.late = Math.max(chat.late, message.seq ?? Infinity);
		trim(chat, chat.follows ? "start" : "end");
		if (!message.mine) {
			chat.unread += 1;
			if (message.to?.includes(this.name)) chat.mentions += 1;
		}
		return message;
	}

	/**
	 * Put a page of history into a chat: before, after or in place of the loaded messages.
	 * @param {Chat} chat
	 * @param {Message[]} messages
	 * @param {"before"|"after"|"all"} place
	 */
	page(chat, messages, place) {
		if (place === "all") chat.items = messages.slice();
		else {
			const known = new Set(chat.items.map((item) => item.key));
			const fresh = messages.filter((message) => !known.has(message.key));
			if (place === "before") chat.items = [...fresh, ...chat.items];
			else for (const message of fresh) insert(chat.items, message);
			trim(chat, place === "before" ? "end" : "start");
		}
		chat.loaded = true;
	}

	/** Whether the last page is complete: no message was said while it was on its way. @param {Chat} chat */
	isWhole(chat) {
		const isWhole = chat.late <= last(chat);
		chat.late = 0;
		return isWhole;
	}

	/** Open a chat. Of those that were open long ago, the messages are forgotten. @param {string} name */
	visit(name) {
		const before = this.chats.get(this.open);
		if (before && before.name !== name) Object.assign(before, { firstUnread: 0, follows: true });
		this.open = name;
		this.visited = [name, ...this.visited.filter((other) => other !== name)];
		for (const old of this.visited.splice(CHATS_MOST)) {
			const chat = this.chats.get(old);
			if (chat) forget(chat);
		}
		return this.chat(name);
	}

	/**
	 * Apply a change of a stored message. Return the message if it is loaded.
	 * @param {any} event
	 * @returns {Message|null}
	 */
	amended(event) {
		const chat = this.chat(event.chat);
		chat.rev = Math.max(chat.rev, event.rev);
		const message = chat.items.find((item) => item.seq === event.seq);
		if (!message || (message.rev ?? 0) >= event.rev) return null;
		message.rev = event.rev;
		if (event.deleted) {
			chat.items = chat.items.filter((item) => item !== message);
			chat.typed = chat.typed.filter((line) => !line.includes(message.text));
			return message;
		}
		if (event.text !== undefined) message.text = event.text;
		if (event.edited) message.edited = event.edited;
		if (event.marks) message.marks = event.marks;
		if (event.mark) message.marks = marked(message.marks ?? [], event.mark, event.by, event.on, event.by === this.name);
		return message;
	}

	/**
	 * Remove the timed messages that a page of the end no longer has: they were taken back meanwhile.
	 * @param {Chat} chat
	 * @param {Set<string>} before the ids that were there when the page was asked for
	 * @param {Message[]} page
	 */
	keepTimed(chat, before, page) {
		const timed = page.filter((message) => message.id);
		for (const id of before) {
			const message = chat.items.find((item) => item.id === id);
			// A page that has no room for all of them leaves out the oldest.
			if (message && message.at >= (timed[0]?.at ?? "") && !timed.some((other) => other.id === id)) this.erased(chat.name, id);
		}
	}

	/** Remove a timed message. Return whether it was there. @param {string} chatName @param {string} id */
	erased(chatName, id) {
		const chat = this.chats.get(chatName);
		const message = chat?.items.find((item) => item.id === id);
		if (!chat || !message) return false;
		message.text = "";
		chat.items = chat.items.filter((item) => item !== message);
		return true;
	}

	/** Move the read marker forward. @param {Chat} chat @param {number} seq */
	read(chat, seq) {
		const isAll = seq >= chat.lastSeq;
		const passed = chat.items.filter((item) => !item.mine && item.seq && item.seq > chat.readSeq && item.seq <= seq);
		chat.readSeq = Math.max(chat.readSeq, seq);
		chat.unread = isAll ? 0 : Math.max(0, chat.unread - passed.length);
		chat.mentions = isAll ? 0 : Math.max(0, chat.mentions - passed.filter((item) => item.to?.includes(this.name)).length);
	}

	/** Put a sent message where its time belongs. @param {Chat} chat @param {Message} message */
	place(chat, message) {
		chat.items = chat.items.filter((item) => item.key !== message.key);
		const after = chat.items.findIndex((item) => !item.pending && item.at > message.at);
		chat.items.splice(after < 0 ? chat.items.length : after, 0, message);
	}

	/** Remember a typed line of a chat. Never call it for timed ones. @param {Chat} chat @param {string} line */
	remember(chat, line) {
		if (chat.typed.at(-1) !== line) chat.typed.push(line);
		if (chat.typed.length > TYPED_MOST) chat.typed.shift();
	}

	/** Drop all texts: the page is left. */
	clear() {
		this.chats.clear();
		this.online.clear();
		this.offline = [];
		this.visited = [];
	}
}

/** Insert a message where its number belongs: others were said while its page was on its way. @param {Message[]} items @param {Message} message */
function insert(items, message) {
	const at = items.findIndex((item) => item.pending || (item.seq && message.seq && item.seq > message.seq));
	items.splice(at < 0 ? items.length : at, 0, message);
}

/** Keep the loaded messages of a chat few, and drop those of one side. @param {Chat} chat @param {"start"|"end"} side */
function trim(chat, side) {
	const excess = chat.items.length - LOADED_MOST;
	if (excess <= 0) return;
	if (side === "start") {
		chat.items.splice(0, excess);
		chat.more = true;
	} else {
		chat.items.length = LOADED_MOST;
		chat.atEnd = false;
	}
}

/** @param {Chat} chat */
export function forget(chat) {
	Object.assign(chat, { items: [], loaded: false, atEnd: false, more: true, rev: 0, firstUnread: 0 });
}

/** The number of the last loaded stored message. @param {Chat} chat */
export function last(chat) {
	return chat.items.reduce((seq, item) => Math.max(seq, item.seq ?? 0), 0);
}

/** The number of the first loaded stored message, or infinity. @param {Chat} chat */
export function first(chat) {
	return chat.items.find((item) => item.seq)?.seq ?? Infinity;
}

/**
 * @param {Mark[]} marks
 * @param {string} mark
 * @param {string} by
 * @param {boolean} on
 * @param {boolean} isMine
 * @returns {Mark[]}
 */
function marked(marks, mark, by, on, isMine) {
	const found = marks.find((other) => same(other.mark, mark));
	if (!found) return on ? [...marks, { mark, count: 1, names: [by].filter(Boolean), mine: isMine }] : marks;
	const names = on ? [...found.names.filter((name) => name !== by), by].filter(Boolean) : found.names.filter((name) => name !== by);
	const changed = { mark: found.mark, count: found.count + (on ? 1 : -1), names, mine: isMine ? on : found.mine };
	return marks.map((other) => (other === found ? changed : other)).filter((other) => other.count > 0);
}

/** @param {string} one @param {string} other */
function same(one, other) {
	const plain = (/** @type {string} */ mark) => mark.normalize("NFC").replace(/\ufe0f/g, "").toLowerCase();
	return plain(one) === plain(other);
}

/** A name in the form in which names are compared. */
export function folded(/** @type {string} */ name) {
	return name.normalize("NFKC").toLowerCase();
}
