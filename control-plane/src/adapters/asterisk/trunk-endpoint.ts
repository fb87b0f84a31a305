/**
 * The two endpoints of a trunk in Asterisk: by the one of its name it is known and watched, by the other we dial.
 *
 * A carrier that answers 302 has Asterisk dial on by itself, and no option forbids that. With `redirect_method=uri_core` it
 * dials `PJSIP/<endpoint>/<uri>`, and reads what stands before an `@` there as a user. Of `dial@<trunk>.out` that leaves
 * `<trunk>.out`, which is no endpoint, for no trunk's name has a dot: nothing is dialled. We write one `@` more.
 */
export function dialString(endpoint: string, requestUri: string): string {
  return `PJSIP/${endpoint.includes('@') ? '@' : ''}${endpoint}/${requestUri}`;
}

/** As pjsip.conf.j2 writes it. */
export function outgoingEndpoint(trunk: string): string {
  return `dial@${trunk}.out`;
}

/** The trunk of either endpoint; any other endpoint's name as it is. */
export function endpointOwner(endpoint: string): string {
  return /^dial@([^.]+)\.out$/.exec(endpoint)?.[1] ?? endpoint;
}
