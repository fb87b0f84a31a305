/** Fills a fresh gateway with the sandbox's zones, people and roster, through its own API. */
import { CITIZENS, OPERATORS, SUPERVISOR, ZONES } from './people.ts';

const REQUEST_DEADLINE_MS = 5000;

export async function seed(apiUrl: string, adminToken: string): Promise<void> {
  const put = async (path: string, body: unknown): Promise<void> => {
    const response = await fetch(new URL(path, apiUrl), {
      method: 'PUT',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
    });
    if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`);
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
