/** What receivers get, as the `webhooks` of the OpenAPI document. */
import type { z } from 'zod';
import type { ZodOpenApiPathItemObject } from 'zod-openapi';
import { callEvent, sosEvent, testEvent, webhookHeaders } from './webhook-events.ts';

export function openapiWebhooks(): Record<string, ZodOpenApiPathItemObject> {
  return {
    'call.*': told('onCall', callEvent, 'A telephone call rings, was answered, failed or ended'),
    'sos.*': told('onSos', sosEvent, 'Something has changed in a session'),
    'webhook.test': told('onTest', testEvent, 'Somebody tries whether webhooks arrive'),
  };
}

function told(operationId: string, schema: z.ZodType, summary: string): ZodOpenApiPathItemObject {
  return {
    post: {
      operationId,
      tags: ['webhooks'],
      summary,
      description:
        'Answer within 15 s, and do the work afterwards. Anything else than 2xx is sent again, close together at first, for about three days, and for four at the most.',
      security: [],
      requestParams: { header: webhookHeaders },
      requestBody: { required: true, content: { 'application/json': { schema } } },
      responses: {
        '2XX': { description: 'Taken. The body is not looked at.' },
        '410': { description: 'No more: the endpoint is disabled.' },
        '4XX': { description: 'Sent again. 429: `Retry-After` is honoured, up to an hour.' },
        '5XX': { description: 'Sent again. 502, 503 and 504: `Retry-After` is honoured, up to an hour.' },
      },
    },
  };
}
