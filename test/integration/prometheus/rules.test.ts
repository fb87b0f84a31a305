import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { findPromtool } from '../../../control-plane/sandbox/install/promtool.ts';
import { runProgram, type ProgramEnd } from '../../support/run-program.ts';
import { repositoryTop } from '../../support/sandbox-roots.ts';

const FOLDER = join(repositoryTop, 'ansible/files/prometheus');
const RULES = 'hamrahi.rules.yml';
const TESTS = 'hamrahi.rules.test.yml';

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly labels: { readonly severity: string };
      readonly annotations: { readonly runbook: string };
    }[];
  }[];
}
interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }[];
}

const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
const rules = (parse(read(RULES)) as Rules).groups.flatMap((group) => group.rules);

function promtool(...args: readonly string[]): Promise<ProgramEnd> {
  return runProgram(findPromtool(repositoryTop) ?? 'promtool is not installed: make promtool', args, {
    cwd: FOLDER,
  });
}

describe('prometheus: the rules', function () {
  this.timeout(30_000);

  it('are understood by Prometheus', async () => {
    const end = await promtool('check', 'rules', RULES);
    expect(end.exitCode, end.output).to.equal(0);
    expect(end.output).to.include(`${rules.length} rules found`);
  });

  it('TEL-8: say what their tests say', async () => {
    const end = await promtool('test', 'rules', TESTS);
    expect(end.exitCode, end.output).to.equal(0);
    expect(end.output).to.include('SUCCESS');
  });

  it('each has a test in which it fires', () => {
    const fired = (parse(read(TESTS)) as RuleTests).tests
      .flatMap((test) => test.alert_rule_test)
      .filter((one) => one.exp_alerts.length > 0)
      .map((one) => one.alertname);
    expect(rules.map(({ alert }) => alert).filter((alert) => !fired.includes(alert))).to.deep.equal([]);
  });

  it('ask for nothing that the gateway does not measure', () => {
    const sources = join(repositoryTop, 'control-plane/src');
    const text = readdirSync(sources, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('metric-help.ts'))
      .map((name) => readFileSync(join(sources, name), 'utf8'))
      .join('\n');
    const asked = rules.flatMap(({ expr }) => expr.match(/hamrahi_[a-z0-9_]+/g) ?? []);
    const measured = (name: string): boolean =>
      text.includes(`'${name}'`) || text.includes(`'${name.replace(/_(count|bucket|sum)$/, '')}'`);
    expect(asked.filter((name) => !measured(name))).to.deep.equal([]);
  });

  it('each says how bad it is, and which part of the runbook to open', () => {
    const headings = readFileSync(join(repositoryTop, 'docs/runbook.md'), 'utf8')
      .split('\n')
      .flatMap((line) => /^#{2,3} (.*)$/.exec(line)?.[1]?.toLowerCase().replaceAll('`', '') ?? []);
    for (const { alert, labels, annotations } of rules) {
      expect(labels.severity, alert).to.be.oneOf(['critical', 'warning']);
      const part = annotations.runbook.replace('docs/runbook.md: ', '');
      expect(
        headings.some((heading) => heading.startsWith(part)),
        `${alert}: ${part}`,
      ).to.equal(true);
    }
  });
});
