/**
 * Writes the typed description of ARI that the Asterisk adapter is built on, from the Swagger that Asterisk ships.
 *
 *   node control-plane/tools/generate-ari.ts [<root> | http://user:password@host:port/ari] [<output file>]
 *
 * Run it after a change of the Asterisk version; a test compares the committed file with a fresh one.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ariSource } from './ari-source.ts';
import { readAriSwagger } from './ari-swagger.ts';

const DEFAULT_ROOT = fileURLToPath(new URL('../../.cache/asterisk-root', import.meta.url));
const DEFAULT_OUTPUT = fileURLToPath(new URL('../src/adapters/asterisk/ari.gen.ts', import.meta.url));

const [source = DEFAULT_ROOT, output = DEFAULT_OUTPUT] = process.argv.slice(2);
const swagger = await readAriSwagger(source);
await writeFile(output, ariSource(swagger));
console.log(`${output}: Asterisk ${swagger.version}`);
