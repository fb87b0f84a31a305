/** A trunk for a terminal: each field with its value, how sure it is, and where that is known from. */
import type { Evidence, LoadedTrunk } from '../adapters/engine-config/load-trunks.ts';
import { covers, leafPaths } from '../adapters/engine-config/trunk-rules.ts';
import { faultSentence, type TrunkFault } from '../domain/trunk/trunk-fault.ts';

const NOTHING = '-';

export function trunkText({ trunk, evidence }: LoadedTrunk, fault: TrunkFault | null): string {
  const { name, description, ...fields } = trunk;
  const rows = leafPaths(fields).map((path) => {
    const proof = evidenceFor(evidence, path);
    return [path, valueText(at(fields, path)), proof?.mark ?? '', proof?.source ?? ''] as const;
  });
  const width = (column: 0 | 1 | 2): number => Math.max(...rows.map((row) => row[column].length)) + 2;
  const widths = [width(0), Math.min(width(1), 48), width(2)] as const;
  const lines = rows.map(([path, value, mark, source]) =>
    [
      path.padEnd(widths[0]),
      value.padEnd(widths[1]),
      value.length < widths[1] ? '' : '  ',
      mark.padEnd(widths[2]),
      source,
    ]
      .join('')
      .trimEnd(),
  );
  const counted = (['documented', 'reported', 'assumed', 'site'] as const)
    .map((mark) => [mark, rows.filter((row) => row[2] === mark).length] as const)
    .filter(([, count]) => count > 0)
    .map(([mark, count]) => `${count} ${mark}`);
  const use = fault === null ? 'It can be used.' : `It is not used. ${faultSentence(fault)}`;
  return `${name}: ${description}\n${use}\n\n${lines.join('\n')}\n\nFields: ${counted.join(', ')}.\n`;
}

/** The longest path that stands for the field. */
function evidenceFor(evidence: LoadedTrunk['evidence'], leaf: string): Evidence | undefined {
  const [best] = Object.keys(evidence)
    .filter((mark) => covers(mark, leaf))
    .sort((a, b) => b.length - a.length);
  return best === undefined ? undefined : evidence[best];
}

function at(fields: object, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], fields);
}

function valueText(value: unknown): string {
  if (value === null || value === '') return NOTHING;
  if (!Array.isArray(value)) return itemText(value);
  if (value.length === 0) return NOTHING;
  return value.map(itemText).join('; ');
}

/** `address:port priority 10` of a host, `403 trunk-unreachable …` of an override. */
function itemText(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  return Object.entries(item)
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');
}
