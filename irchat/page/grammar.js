/** Patterns of typed lines, for decisions before the server reads them. A test compares them with the commands. */

/** The beginnings of commands. All other lines are messages. */
export const COMMAND = /^\s*(?:[@*#~+!?\\-]|ls(?:\s|$)|exit\s*$|exit\s+--forget\s*$)/;

/** A message that answers another one, although it begins like a command. */
export const ANSWER = /^\s*#0*[1-9]\d*\s+\S/;

/** A command about the last own message that is drawn: a new text, or none to take it back. */
export const OWN_LAST = /^\s*#(?:(=)\s+(.*\S)|-)\s*$/s;

/** Leaving, which the page does itself. */
export const LEAVE = /^\s*exit(\s+--forget)?\s*$/;

/** Lines, valid or not, that must not be kept: timed messages, and private keys. */
export const SECRET = /^\s*(?:\*[^\s*@]*[*@]|!keys\s+add\s.*PRIVATE KEY)/;
