/**
 * Draws the phases of a session into docs/architecture.md, from the table that the reducer is tested against:
 * `node control-plane/tools/draw-phases.ts` writes the block between the two marks anew. A test holds it to the table.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Phase } from '../src/domain/session/session.ts';
import { TRANSITIONS, type Transition } from '../src/domain/session/transitions.ts';

export const ARCHITECTURE_PATH = join(import.meta.dirname, '../../docs/architecture.md');

const BEGIN = '<!-- phases: drawn by control-plane/tools/draw-phases.ts; do not edit -->';
const END = '<!-- /phases -->';

/** How a session comes into being: the events that `reduce` takes without one. */
const STARTS: readonly { readonly phase: Phase; readonly why: string }[] = [
  { phase: 'arming', why: 'armed, a warm-up' },
  { phase: 'connecting', why: 'activated' },
];

/**
 * A mermaid state diagram. Phases that end in `resolved` are drawn as one group with one arrow: from each of them an
 * operator, or the backend with a reason, ends the session.
 */
export function phaseDiagram(transitions: readonly Transition[] = TRANSITIONS): string {
  const phases = [...new Set(transitions.flatMap(({ from, to }) => [from, to]))];
  const isLive = (phase: Phase): boolean =>
    transitions.some(({ from, to }) => from === phase && to === 'resolved');
  const isEnd = (phase: Phase): boolean => !transitions.some(({ from }) => from === phase);
  const lines = [
    'state "activated" as live {',
    ...phases.filter(isLive).map((phase) => `  ${named(phase)}`),
    ...transitions.filter(({ from, to }) => isLive(from) && isLive(to)).map((one) => `  ${arrow(one)}`),
    '}',
    ...phases.filter((phase) => !isLive(phase)).map(named),
    'live --> resolved',
    ...STARTS.map(({ phase, why }) => `[*] --> ${idOf(phase)}: ${why}`),
    ...transitions.filter(({ from }) => !isLive(from)).map(arrow),
    ...phases.filter(isEnd).map((phase) => `${idOf(phase)} --> [*]`),
  ];
  return ['```mermaid', 'stateDiagram-v2', ...lines.map((line) => `  ${line}`), '```'].join('\n');
}

/** The document with its block drawn anew. Throws when the marks are not there. */
export function withPhaseDiagram(text: string, transitions: readonly Transition[] = TRANSITIONS): string {
  const [before, rest, ...more] = text.split(BEGIN);
  const after = rest?.split(END);
  if (before === undefined || after?.length !== 2 || more.length > 0)
    throw new Error(`the document holds not exactly one block from "${BEGIN}" to "${END}"`);
  return `${before}${BEGIN}\n\n${phaseDiagram(transitions)}\n\n${END}${after[1] ?? ''}`;
}

function named(phase: Phase): string {
  return `state "${phase}" as ${idOf(phase)}`;
}

function arrow({ from, to, why }: Transition): string {
  return `${idOf(from)} --> ${idOf(to)}: ${why.replaceAll(/[:;]/g, ' –')}`;
}

/** A hyphen would begin an arrow. */
function idOf(phase: Phase): string {
  return phase.replaceAll('-', '_');
}

if (import.meta.main)
  writeFileSync(ARCHITECTURE_PATH, withPhaseDiagram(readFileSync(ARCHITECTURE_PATH, 'utf8')));
