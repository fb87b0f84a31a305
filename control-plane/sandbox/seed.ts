/** Fills a fresh gateway with the sandbox's zones, people and roster, through its own API. */
import { call } from './call.ts';
import { CITIZENS, OPERATORS, SUPERVISOR, ZONES } from './people.ts';
import type { SandboxFile } from './sandbox-file.ts';

const REQUEST_DEADLINE_MS = 5000;

export async function seed(file: Pick<SandboxFile, 'urls' | 'tokens' | 'certificateFile'>): Promise<void> {
  const { certificateFile } = file;
  const { token } = file.tokens.admin;
  const put = async (path: string, json: unknown): Promise<void> => {
    const url = `${file.urls.api}${path}`;
    const { status, text } = await call(url, {
      method: 'PUT',
      token,
      json,
      certificateFile,
      deadlineMs: REQUEST_DEADLINE_MS,
    });
    if (status !== 200) throw new Error(`PUT ${path}: ${status} ${text}`);
  };
  for (const { id, name, polygon } of ZONES) await put(`/v1/zones/${id}`, { name, polygon });
  for (const { id, ...operator } of [...OPERATORS, SUPERVISOR]) await put(`/v1/operators/${id}`, operator);
  const roster = [
    ...OPERATORS.map(({ id }, priority) => ({ operatorId: id, duty: 'operator', priority })),
    { operatorId: SUPERVISOR.id, duty: 'supervisor', priority: 0 },
  ];
  for (const { id } of ZONES) await put(`/v1/zones/${id}/roster`, { entries: roster });
  for (const { id, phone, device } of CITIZENS) {
    await put(`/v1/citizens/${id}`, { phone, phoneVerified: true, homeZone: 'central', devices: [device] });
  }
}
