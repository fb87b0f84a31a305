/** A self-signed certificate for a sandbox that serves other devices: they have to accept it once. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

export async function makeCertificate(runDir: string, address: string): Promise<Certificate> {
  const pem = await generate([{ name: 'commonName', value: address }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: address }] },
    ],
  });
  const certFile = join(runDir, 'certificate.pem');
  const keyFile = join(runDir, 'certificate-key.pem');
  writeFileSync(certFile, pem.cert);
  writeFileSync(keyFile, pem.private, { mode: 0o600 });
  return { certFile, keyFile };
}
