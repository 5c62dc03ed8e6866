/** The texts of the page, by key. `{0}` and so on stand for values. */

const TEXTS = {
	signingIn: "Signing in…",
	needName: "Enter your name.",
	connecting: "Connecting…",
	offline: "Not connected. Your messages wait and are sent when the connection is back.",
	again: "Not connected. Trying again in {0} s.",
	untrusted: "This browser does not open a connection to a server whose certificate it does not trust. Ask whoever runs the server for a certificate that browsers trust.",
	ended: "The server ended the session: {0}",
	everyone: "everyone on this server",
	members: "{0} members, owner {1}",
	newLine: "new",
	newBelow: "{0} new",
	toEnd: "To the end",
	noMessages: "No messages yet. Say something.",
	beginning: "The beginning",
	loading: "Loading…",
	edited: "(edited)",
	pending: "not sent yet",
	refused: "not sent: {0}",
	timedLeft: "{0} left",
	isTimed: "timed message",
	reached: "reached {0} of {1}",
	answer: "Answer",
	edit: "Edit",
	remove: "Delete",
	takeBack: "Take back",
	mark: "Mark…",
	copyText: "Copy text",
	copyLink: "Copy its number",
	messageMenu: "What to do with this message",
	deletedAnswer: "a message that is not there",
	placeholder: "Message {0}",
	commandOffline: "Not connected: commands do not wait. Send it again when the connection is back.",
	send: "Send",
	unread: "{0} unread",
	mentions: "{0} mention you",
	online: "online",
	away: "away",
	sent: "sent",
	found: "{0} found",
	foundMore: "The newest {0}; there are others. Add words, or search in one chat.",
	foundNone: "Nothing found.",
	passwordChanged: "The password is changed. Your other sessions were ended.",
	owner: "owner",
	thisSession: "this session",
	alertall: "Alerts: all messages",
	alertmentions: "Alerts: mentions",
	alertnone: "Alerts: none",
	today: "Today",
	yesterday: "Yesterday",
	message: "New message from {0}",
	messageIn: "New message from {0} in {1}",
	noNotify: "This browser does not allow notifications here.",
	notify: "Notifications are allowed.",
	blocked: "You blocked: {0}",
	blockedNone: "You block nobody.",
	added: "{0} added {1}",
	removedFrom: "{0} removed {1}",
	leftGroup: "{0} left",
	dissolved: "The group has ended.",
};

/**
 * Return a text of the page.
 * @param {keyof typeof TEXTS} key
 * @param {...(string|number)} values
 * @returns {string}
 */
export function text(key, ...values) {
	return TEXTS[key].replace(/\{(\d)\}/g, (_, index) => String(values[Number(index)]));
}
