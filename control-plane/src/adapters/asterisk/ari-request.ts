/** One ARI operation as a message of Asterisk's REST over WebSocket (`RESTRequest`, Asterisk 22.4 and later). */
import type { AriOperation } from './ari.gen.ts';

export type AriParameters = Readonly<Record<string, unknown>>;

/** The message's text. `id` comes back in the response. Throws on a path parameter that is missing: a slip of ours. */
export function encodeAriRequest(
  operation: AriOperation<unknown, unknown>,
  parameters: AriParameters,
  id: string,
): string {
  const body = bodyOf(operation, parameters);
  return JSON.stringify({
    type: 'RESTRequest',
    transaction_id: '',
    request_id: id,
    method: operation.method,
    uri: uriOf(operation, parameters),
    ...(body === undefined ? {} : { content_type: 'application/json', message_body: JSON.stringify(body) }),
  });
}

/** Path and query, relative to `/ari`, everything escaped: an id cannot reach another resource. */
function uriOf(operation: AriOperation<unknown, unknown>, parameters: AriParameters): string {
  const path = operation.inPath.reduce((filled, name) => {
    const value = parameters[name];
    if (value === undefined || value === '') throw new TypeError(`${operation.path} needs ${name}`);
    return filled.replace(`{${name}}`, encodeURIComponent(asText(value)));
  }, operation.path.slice(1));
  const query = operation.inQuery
    .filter((name) => parameters[name] !== undefined)
    .map((name) => `${name}=${encodeURIComponent(asText(parameters[name]))}`);
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}

/** Lists go as one comma-separated value, which ARI takes for every parameter that may be repeated. */
function asText(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join(',') : String(value);
}

function bodyOf(operation: AriOperation<unknown, unknown>, parameters: AriParameters): unknown {
  if (operation.asBody !== null) return parameters[operation.asBody];
  const named = operation.inBody.filter((name) => parameters[name] !== undefined);
  return named.length === 0 ? undefined : Object.fromEntries(named.map((name) => [name, parameters[name]]));
}
