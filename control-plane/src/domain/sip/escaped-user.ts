/**
 * The user part of a SIP URI (RFC 3261 §25.1): what is neither unreserved nor user-unreserved is escaped. Of those that
 * stand for themselves, `encodeURIComponent` knows the unreserved ones.
 */
const USER_UNRESERVED = /%(?:26|3D|2B|24|2C|3B|3F|2F)/g;

export function escapedUser(name: string): string {
  return encodeURIComponent(name).replace(USER_UNRESERVED, decodeURIComponent);
}
