/** `hamrahi probe setup`: the zone, operator, citizen and roster of the synthetic SOS, so that nobody real is in it. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Location, Problem } from '../../contracts/common.ts';
import { PhoneNumber } from '../../domain/numbering/phone-number.ts';
import { CommandFailure } from '../command-failure.ts';
import * as options from './probe-options.ts';

interface SetupOptions {
  readonly url?: string;
  readonly adminTokenFile?: string;
  readonly zone: string;
  readonly place: Location;
  readonly citizen: string;
  readonly operator: string;
  readonly name: string;
  readonly citizenPhone?: PhoneNumber;
  readonly operatorPhone?: PhoneNumber;
  readonly print?: true;
}

interface Step {
  readonly path: string;
  readonly body: object;
}

const REQUEST_MS = 5000;
/** Half a side of the zone, degrees. */
const REACH = 0.05;
const { NOWHERE, SYNTHETIC } = options;

export function addSetupCommand(probe: Command): void {
  probe
    .command('setup')
    .description('create (or renew) the zone, the operator, the citizen and the roster of the probe')
    .option('--url <url>', "the gateway's public URL", options.parseUrl)
    .option('--admin-token-file <file>', 'the token of an admin')
    .option('--zone <id>', 'the synthetic zone', options.parseZone, SYNTHETIC)
    .option('--place <lat,long>', 'its middle (default: in the South Pacific)', options.parsePlace, NOWHERE)
    .option('--citizen <id>', 'the synthetic citizen', options.parseName, SYNTHETIC)
    .option('--operator <id>', 'the synthetic operator', options.parseName, SYNTHETIC)
    .option('--name <name>', "the probe's --name", options.parseName, 'probe')
    .option('--citizen-phone <number>', 'a number of your own that answers, for --phone', parseNumber)
    .option('--operator-phone <number>', 'another one, for --phone', parseNumber)
    .option('--print', 'change nothing: print what would be asked of the gateway')
    .action(setUp);
}

async function setUp(given: SetupOptions): Promise<void> {
  const { url, adminTokenFile, zone, citizen, operator, print } = given;
  const steps = stepsOf(given);
  if (print) {
    const lines = steps.map(({ path, body }) => `PUT ${path} ${JSON.stringify(body)}`);
    process.stdout.write(`${lines.join('\n')}\n`);
    return;
  }
  if (url === undefined || adminTokenFile === undefined)
    throw new CommandFailure('Give --url and --admin-token-file, or --print.', 2);
  const token = options.readToken(adminTokenFile);
  for (const step of steps) await put(url, token, step);
  process.stdout.write(
    [
      ...steps.map(({ path }) => `put ${path}`),
      '',
      'What is left to do:',
      `  set HAMRAHI_SYNTHETIC_ZONE=${zone} for the core nodes, and for hamrahi report`,
      `  have your issuer make two tokens: role citizen, sub ${citizen}; role operator, sub ${operator}`,
      `  hamrahi probe sos --url ${url} --zone ${zone} --citizen-token-file … --operator-token-file …`,
      '',
    ].join('\n'),
  );
}

/** The zone before who belongs to it. Each may be repeated. */
function stepsOf(given: SetupOptions): readonly Step[] {
  const { zone, place, citizen, operator, name, citizenPhone, operatorPhone } = given;
  const { latitude, longitude } = place;
  const corner = (east: number, north: number) => [longitude + east * REACH, latitude + north * REACH];
  const outline = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1), corner(-1, -1)];
  return [
    {
      path: `/v1/zones/${zone}`,
      body: { name: 'Synthetic SOS', polygon: { type: 'Polygon', coordinates: [outline] } },
    },
    {
      path: `/v1/operators/${operator}`,
      body: { name: 'Synthetic operator', dutyPhone: operatorPhone?.reveal() ?? null, capacity: 2 },
    },
    { path: `/v1/zones/${zone}/roster`, body: { entries: [{ operatorId: operator, duty: 'operator' }] } },
    {
      path: `/v1/citizens/${citizen}`,
      body: {
        phone: citizenPhone?.reveal() ?? null,
        phoneVerified: citizenPhone !== undefined,
        homeZone: zone,
        devices: [name],
      },
    },
  ];
}

async function put(url: string, token: string, { path, body }: Step): Promise<void> {
  const signal = AbortSignal.timeout(REQUEST_MS);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}${path}`, {
    method: 'PUT',
    headers,
    body: JSON.stringify(body),
    signal,
  }).catch(() => {
    throw new CommandFailure('The gateway cannot be reached.');
  });
  const text = await answer.text();
  if (answer.ok) return;
  throw new CommandFailure(`The gateway refused ${path}: ${problemOf(text) ?? String(answer.status)}`);
}

function problemOf(text: string): string | null {
  try {
    const { code, detail } = JSON.parse(text) as Partial<Problem>;
    return code === undefined ? null : `${detail ?? ''} (${code})`;
  } catch {
    return null;
  }
}

function parseNumber(text: string): PhoneNumber {
  const number = PhoneNumber.parse(text);
  if (!number) throw new InvalidArgumentError('It is a number in E.164 with its plus sign.');
  return number;
}
