/** The connection to the server: lines of JSON, replies by `ref`, and reconnecting. */

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;
/** A session of this length was steady: the next loss is followed by a short pause again. */
const STEADY = 60000;

/**
 * @typedef {{type: string, [key: string]: any}} Line
 * @typedef {{resolve: (line: Line) => void, reject: (error: Lost) => void}} Waiting
 */

/** The connection was lost before the reply. */
export class Lost extends Error {}

export class Connection {
	/** @param {{opened: () => void, event: (line: Line) => void, closed: (seconds: number, neverOpened: number) => void}} on */
	constructor(on) {
		this.on = on;
		/** @type {WebSocket|null} */
		this.socket = null;
		/** @type {Map<number, Waiting>} */
		this.waiting = new Map();
		this.ref = 0;
		this.pause = FIRST_PAUSE;
		this.timer = 0;
		this.settledAt = Infinity;
		this.neverOpened = 0;
		this.isWanted = false;
		this.isOpen = false;
		for (const [target, name] of /** @type {[EventTarget, string][]} */ ([[window, "online"], [window, "pageshow"], [document, "visibilitychange"]])) {
			target.addEventListener(name, () => this.hurry());
		}
	}

	/** Connect, and connect again after each loss until `stop`. */
	start() {
		this.isWanted = true;
		this.open();
	}

	/** Close the connection for good. */
	stop() {
		this.isWanted = false;
		clearTimeout(this.timer);
		this.socket?.close(1000);
		this.lost();
	}

	/** Try at once: the network is back, or the page is looked at. */
	hurry() {
		if (this.isWanted && !this.socket && document.visibilityState === "visible") {
			clearTimeout(this.timer);
			this.open();
		}
	}

	/**
	 * Send a request. The promise resolves with its reply, which may be an error, and rejects with `Lost`.
	 * @param {Line} request
	 * @returns {Promise<Line>}
	 */
	ask(request) {
		if (!this.socket || !this.isOpen) return Promise.reject(new Lost());
		const ref = ++this.ref;
		this.socket.send(JSON.stringify({ ...request, ref }) + "\n");
		return new Promise((resolve, reject) => this.waiting.set(ref, { resolve, reject }));
	}

	open() {
		clearTimeout(this.timer);
		if (this.socket) return;
		const url = new URL("ws", location.href);
		url.protocol = url.protocol.replace("http", "ws");
		const socket = (this.socket = new WebSocket(url));
		let rest = "";
		let hasGreeting = false;
		socket.onmessage = ({ data }) => {
			rest += data;
			const lines = rest.split("\n");
			rest = lines.pop() ?? "";
			for (const line of lines) {
				if (!hasGreeting) {
					hasGreeting = true;
					this.isOpen = true;
					this.neverOpened = 0;
					this.on.opened();
				} else if (line) this.take(JSON.parse(line));
			}
		};
		socket.onclose = () => {
			if (this.socket !== socket) return;
			if (!this.isOpen) this.neverOpened += 1;
			this.lost();
			if (this.isWanted) this.later();
		};
	}

	/** @param {Line} line */
	take(line) {
		if (line.type === "ping") {
			this.socket?.send('{"type":"pong"}\n');
			return;
		}
		const waiting = line.ref === undefined ? undefined : this.waiting.get(line.ref);
		if (waiting) {
			this.waiting.delete(line.ref);
			waiting.resolve(line);
		} else this.on.event(line);
	}

	lost() {
		this.socket = null;
		this.isOpen = false;
		if (performance.now() - this.settledAt >= STEADY) this.pause = FIRST_PAUSE;
		this.settledAt = Infinity;
		const waiting = [...this.waiting.values()];
		this.waiting.clear();
		for (const { reject } of waiting) reject(new Lost());
	}

	later() {
		const pause = this.pause * (0.5 + Math.random() / 2);
		this.pause = Math.min(LONGEST_PAUSE, this.pause * 2);
		this.timer = setTimeout(() => this.open(), pause);
		this.on.closed(Math.ceil(pause / 1000), this.neverOpened);
	}

	/** The session has begun. */
	settled() {
		this.settledAt = performance.now();
	}
}
