/**
 * What has no place inside a line of text: a line break among them would begin a line, header or setting of its own.
 * Bytes above 0x7f are no concern here: they are parts of UTF-8.
 */
/* eslint-disable no-control-regex -- control characters are what these look for */

export const CONTROL_CHARACTER = /[\0-\x1f\x7f]/;

/** A tab is white space in SIP (RFC 3261 §25.1) and may stand in SDP. */
export const CONTROL_CHARACTER_BUT_TAB = /[\0-\x08\x0a-\x1f\x7f]/;
