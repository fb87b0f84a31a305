/** Checks that what a server answered is what its OpenAPI document promises. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { openapiDocument } from '../../control-plane/src/contracts/openapi-document.ts';

const document = openapiDocument() as unknown as {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, unknown> }> }>>;
};
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema(document, 'openapi');

/** Throws when the response is not one of those that the contract names for this operation. */
export function checkAgainstContract(
  method: string,
  path: string,
  status: number,
  contentType: string | null,
  body: unknown,
): void {
  const template = Object.keys(document.paths).find((one) =>
    new RegExp(`^${one.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  const operation = template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()];
  if (template === undefined || !operation) return;
  const declared = operation.responses[String(status)];
  if (!declared)
    throw new Error(`${method} ${template} answered ${status}, which its contract does not name`);
  if (!declared.content) {
    if (body !== null) throw new Error(`${method} ${template} answered ${status} with a body`);
    return;
  }
  const type = contentType?.split(';')[0] ?? 'none';
  if (!(type in declared.content)) throw new Error(`${method} ${template} ${status}: type ${type}`);
  const steps = [
    'paths',
    template,
    method.toLowerCase(),
    'responses',
    String(status),
    'content',
    type,
    'schema',
  ];
  const pointer = steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1')));
  const validate = ajv.getSchema(`openapi#/${pointer.join('/')}`);
  if (!validate) throw new Error(`no schema at ${pointer.join('/')}`);
  if (validate(body) !== true)
    throw new Error(`${method} ${template} ${status}: ${ajv.errorsText(validate.errors)}`);
}
