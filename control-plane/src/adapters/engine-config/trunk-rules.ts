/** What the schema of trunk files cannot say. */
import { secretOf, type Trunk } from '../../domain/trunk/trunk.ts';
import type { FieldFault } from './schema-check.ts';
import { isRecord } from './yaml-file.ts';

/** Fields that contradict each other. A default caller id that is not owned is none: it disables the trunk (TEL-2). */
export function contradictions(trunk: Trunk, name: string): readonly FieldFault[] {
  const { capacity, sip, media, failover, causeOverrides } = trunk;
  const faults: FieldFault[] = [];
  const expect = (holds: boolean, path: string, expected: string): void => {
    if (!holds) faults.push({ path: path.split('.'), expected });
  };
  expect(trunk.name === name, 'name', `the file's name, ${name}`);
  expect(capacity.sosReserve <= capacity.channels, 'capacity.sosReserve', 'no more than capacity.channels');
  expect(
    sip.sessionMinimumSeconds <= sip.sessionExpiresSeconds,
    'sip.sessionMinimumSeconds',
    'no more than sip.sessionExpiresSeconds',
  );
  expect(
    sip.optionsIntervalSeconds === 0 || sip.optionsTimeoutSeconds < sip.optionsIntervalSeconds,
    'sip.optionsTimeoutSeconds',
    'less than sip.optionsIntervalSeconds',
  );
  expect(
    media.encryption === 'none' || trunk.transport === 'tls',
    'media.encryption',
    'none, or sdes with transport tls: its keys stand in the SDP',
  );
  expect(
    trunk.p95PostDialDelayMs <= failover.hedgeMostMs,
    'p95PostDialDelayMs',
    'no more than failover.hedgeMostMs',
  );
  expect(
    secretOf(trunk)?.startsWith(`trunks/${name}/`) ?? true,
    'auth.secret',
    `a reference that begins with trunks/${name}/: a trunk proves itself with no other one's password`,
  );
  for (const [index, { sipStatus }] of causeOverrides.entries()) {
    const isFirst = causeOverrides.findIndex((one) => one.sipStatus === sipStatus) === index;
    expect(isFirst, `causeOverrides.${index}.sipStatus`, 'each status once');
  }
  return faults;
}

/** Evidence for every field, and for nothing else. */
export function evidenceFaults(trunk: object, evidence: object): readonly FieldFault[] {
  const leaves = provenLeaves(trunk);
  const marks = Object.keys(evidence);
  const bare = leaves.filter((leaf) => !marks.some((mark) => covers(mark, leaf)));
  return [
    ...bare.map((leaf) => ({ path: leaf.split('.'), expected: 'an entry under evidence' })),
    ...strayEvidence(trunk, evidence),
  ];
}

export function strayEvidence(trunk: object, evidence: object): readonly FieldFault[] {
  const leaves = provenLeaves(trunk);
  return Object.keys(evidence)
    .filter((mark) => !leaves.some((leaf) => covers(mark, leaf)))
    .map((mark) => ({ path: ['evidence', mark], expected: 'the path of a field of this trunk' }));
}

/** A path stands for everything below it. */
export function covers(mark: string, leaf: string): boolean {
  return leaf === mark || leaf.startsWith(`${mark}.`);
}

/** Dotted paths of everything that is no map. A list is one leaf. */
export function leafPaths(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
    isRecord(item) ? leafPaths(item, `${prefix}${key}.`) : [`${prefix}${key}`],
  );
}

function provenLeaves(trunk: object): readonly string[] {
  return leafPaths(trunk).filter((path) => path !== 'name' && path !== 'description');
}
