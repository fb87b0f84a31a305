/** A folder of Jinja2 templates into a folder of files: whole or not at all, secrets readable by the owner alone. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import nunjucks from 'nunjucks';

const TEMPLATE_SUFFIX = '.j2';
const MAX_TEMPLATES = 200;

export interface RenderOptions {
  readonly templatesDir: string;
  readonly outputDir: string;
  /** The templates' variables. An undefined one is an error. */
  readonly variables: object;
  /** Names of the files (without .j2) that hold secrets: written with mode 0600, the others with 0640. */
  readonly secretFiles: readonly string[];
}

export type RenderResult =
  | { readonly ok: true; readonly files: readonly string[] }
  | {
      readonly ok: false;
      readonly code: 'ERR_ENGINE_CONFIG_TEMPLATE' | 'ERR_ENGINE_CONFIG_WRITE';
      readonly file: string;
      readonly detail: string;
    };

/**
 * Renders every `*.j2` of the folder (not of its subfolders). All are rendered and written under other names before the
 * first is put in its place by a rename: Asterisk never reads half a file, and a full disk leaves the old ones as they
 * are. Other files of the output are left alone. ERR_ENGINE_CONFIG_TEMPLATE: a template is wrong, or uses a variable that
 * is not there. ERR_ENGINE_CONFIG_WRITE: the folder does not take the files.
 */
export function renderTemplates(options: RenderOptions): RenderResult {
  const templates = readdirSync(options.templatesDir)
    .filter((name) => name.endsWith(TEMPLATE_SUFFIX))
    .sort();
  if (templates.length === 0 || templates.length > MAX_TEMPLATES) {
    throw new Error(`${options.templatesDir} holds ${templates.length} templates`);
  }
  const rendered = new Map<string, string>();
  for (const template of templates) {
    const file = template.slice(0, -TEMPLATE_SUFFIX.length);
    try {
      rendered.set(
        file,
        renderText(readFileSync(join(options.templatesDir, template), 'utf8'), options.variables),
      );
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { ok: false, code: 'ERR_ENGINE_CONFIG_TEMPLATE', file: template, detail };
    }
  }
  const failure = putInPlace(options, rendered);
  return failure ?? { ok: true, files: [...rendered.keys()] };
}

/** One template, with the settings that Ansible's template module has by default. */
export function renderText(template: string, variables: object): string {
  const environment = new nunjucks.Environment(null, {
    autoescape: false,
    throwOnUndefined: true,
    trimBlocks: true,
    lstripBlocks: false,
  });
  return environment.renderString(template, variables);
}

function putInPlace(
  { outputDir, secretFiles }: RenderOptions,
  rendered: ReadonlyMap<string, string>,
): (RenderResult & { readonly ok: false }) | null {
  const temporary = (file: string): string => join(outputDir, `${file}.${process.pid}.tmp`);
  const written: string[] = [];
  let current = '';
  try {
    mkdirSync(outputDir, { recursive: true, mode: 0o750 });
    for (const [file, text] of rendered) {
      current = file;
      rmSync(temporary(file), { force: true });
      const mode = secretFiles.includes(file) ? 0o600 : 0o640;
      written.push(file);
      writeFileSync(temporary(file), text, { mode, flag: 'wx' });
    }
    for (const file of rendered.keys()) {
      current = file;
      renameSync(temporary(file), join(outputDir, file));
    }
    return null;
  } catch (error) {
    for (const file of written) rmSync(temporary(file), { force: true });
    const detail = (error as NodeJS.ErrnoException).code ?? String(error);
    return { ok: false, code: 'ERR_ENGINE_CONFIG_WRITE', file: join(outputDir, current), detail };
  }
}
