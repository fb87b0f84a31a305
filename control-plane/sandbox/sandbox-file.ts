/** `sandbox.json` in the run directory: every URL, port and token of one sandbox, so that anybody's client can join. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Token {
  /** Citizen or operator id, or the backend's name. */
  readonly subject: string;
  readonly token: string;
}

export interface SandboxFile {
  readonly runDir: string;
  readonly urls: {
    readonly api: string;
    readonly feed: string;
    readonly sip: string;
    readonly citizenPage: string;
    readonly panelPage: string;
    readonly carrierReport: string;
  };
  /** The sandbox's own certificate, a PEM file; `null` without TLS. */
  readonly certificateFile: string | null;
  readonly sipDomain: string;
  readonly ports: {
    readonly http: number;
    readonly edge: number;
    readonly internal: number;
    readonly ari: number;
    readonly gatewaySip: number;
    readonly carrierSip: number;
  };
  readonly ari: {
    readonly url: string;
    readonly user: string;
    readonly password: string;
    readonly app: string;
  };
  readonly databaseUrl: string;
  readonly jwt: { readonly secretFile: string; readonly issuer: string; readonly audience: string };
  readonly tokens: {
    readonly backend: Token;
    readonly admin: Token;
    readonly supervisor: Token;
    readonly operators: readonly Token[];
    readonly citizens: readonly (Token & { readonly phone: string })[];
  };
}

/** Whole or not at all, readable by its owner alone: it holds tokens. */
export function writeSandboxFile(runDir: string, content: SandboxFile): string {
  const path = join(runDir, 'sandbox.json');
  writeFileSync(`${path}.tmp`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
  return path;
}
