/** The report for a terminal of 80 columns. Times are milliseconds. */
import type { LedgerReport, ReportRange, Spread } from '../ports/ledger-report.ts';

export function reportText(report: LedgerReport, range: ReportRange): string {
  const { sessions, milestones, requirements, breaches } = report;
  const zone = range.zoneId === null ? '' : `, zone ${range.zoneId}`;
  const lines = [
    `Sessions activated from ${iso(range.since)} to ${iso(range.until)}${zone}`,
    `  ${sessions.activated} activated, ${sessions.open} open, ${sessions.waiting} over and not in the ledger yet`,
    '',
    row('ms since the activation', ['count', 'p50', 'p95', 'p99', 'max']),
    ...milestones.map((one) => row(one.name, [String(one.count), ...spread(one)])),
    '',
    wideRow('requirement', ['limit', 'of', 'n/a', 'broken', 'p50', 'p95', 'p99', 'max']),
    ...requirements.map((one) =>
      wideRow(one.id, [
        one.limitMs === null ? '' : ms(one.limitMs),
        String(one.judged),
        String(one.notApplicable),
        String(one.breaches),
        ...spread(one),
      ]),
    ),
    '',
    ...breachLines(report, breaches),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function breachLines({ requirements }: LedgerReport, breaches: LedgerReport['breaches']): readonly string[] {
  const total = requirements.reduce((sum, one) => sum + one.breaches, 0);
  if (total === 0) return ['No requirement was broken.'];
  const shown = breaches.map(({ requirement, sessionId, valueMs, limitMs }) => {
    const value = valueMs === null ? 'never' : ms(valueMs);
    const limit = limitMs === null ? '' : ` of ${ms(limitMs)}`;
    return `  ${requirement.padEnd(20)} ${sessionId} ${value}${limit}`;
  });
  const left = total - breaches.length;
  return [
    `Broken (${total}):`,
    ...shown,
    ...(left > 0 ? [`  … and ${left} more (--breaches shows more)`] : []),
  ];
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(28) + cells.map((cell) => cell.padStart(10)).join('');
}

function wideRow(name: string, cells: readonly string[]): string {
  const [limit = '', of = '', none = '', broken = '', ...rest] = cells;
  const counts = limit.padStart(7) + of.padStart(8) + none.padStart(8) + broken.padStart(7);
  return name.padEnd(19) + counts + rest.map((cell) => cell.padStart(7)).join('');
}

function spread({ p50, p95, p99, max }: Spread): readonly string[] {
  return [p50, p95, p99, max].map((value) => (value === null ? '-' : ms(value)));
}

/** Six characters at the most: whole numbers from 100 on, and seconds from a million. */
function ms(value: number): string {
  if (value >= 1e6) return `${Math.round(value / 1000)}s`;
  return value >= 100 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}

function iso(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
