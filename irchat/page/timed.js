/** Timed messages: the time that they have left, by two clocks, of which the faster one counts. */

/** @typedef {{left: number, ticks: number, wall: number}} End */

/** Return the end of a message that has `left` ms to live. @param {number} left @returns {End} */
export function endAfter(left) {
	return { left, ticks: performance.now(), wall: Date.now() };
}

/**
 * Return the ms left. Sleep stops one clock; a jump of the other can only shorten.
 * @param {End} end
 */
export function leftOf(end) {
	return end.left - Math.max(performance.now() - end.ticks, Date.now() - end.wall);
}

/** Return a time as people read it: `12 s`, `4 min`, `3 h`. @param {number} ms */
export function readable(ms) {
	const seconds = Math.max(0, Math.ceil(ms / 1000));
	if (seconds < 120) return `${seconds} s`;
	if (seconds < 7200) return `${Math.ceil(seconds / 60)} min`;
	return seconds < 172800 ? `${Math.ceil(seconds / 3600)} h` : `${Math.ceil(seconds / 86400)} d`;
}
