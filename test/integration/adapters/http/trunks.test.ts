import { expect } from 'chai';
import { trunkList } from '../../../support/trunk-list.ts';
import { startHttpLab, tokenFor } from '../../../support/http-lab.ts';
import { PLAIN_TRUNK } from '../../../support/trunk-sample.ts';

type Lab = Awaited<ReturnType<typeof startHttpLab>>;

describe('adapters/http: trunks', () => {
  let lab: Lab;
  let list: Awaited<ReturnType<typeof trunkList>>;
  const foreign = {
    ...PLAIN_TRUNK,
    ...{ name: 'foreign', priority: 1 },
    callerId: { ...PLAIN_TRUNK.callerId, default: '+911149999999' },
  };
  beforeEach(async () => {
    list = await trunkList([PLAIN_TRUNK, foreign]);
    lab = await startHttpLab({ trunks: list.book });
  });
  afterEach(() => lab.server.close(1_000));

  it('TEL-2: tells supervisors, admins and backends which trunks can be used, and why one cannot', async () => {
    for (const role of ['supervisor', 'admin', 'backend'] as const) {
      const { status, body, text } = await lab.call('GET', '/v1/trunks', {
        token: await tokenFor(role, 'x'),
      });
      expect([status, body]).to.deep.equal([
        200,
        {
          trunks: [
            {
              ...{ name: 'foreign', description: 'A carrier for tests', priority: 1, usable: false },
              reason: {
                code: 'ERR_TRUNK_CALLER_ID_NOT_OWNED',
                fields: ['callerId.default', 'callerId.owned'],
                detail: 'callerId.default is none of callerId.owned.',
              },
            },
            {
              ...{ name: 'plain', description: 'A carrier for tests', priority: 10, usable: true },
              reason: null,
            },
          ],
        },
      ]);
      expect(text).to.not.match(/\d{7}/);
    }
    for (const role of ['citizen', 'operator'] as const)
      expect((await lab.call('GET', '/v1/trunks', { token: await tokenFor(role, 'x') })).code).to.equal(
        'ERR_AUTH_ROLE',
      );
  });

  it('TEL-9: reads the files anew for an admin, and says what else a change needs', async () => {
    list.reading = {
      ok: true,
      trunks: [
        { ...PLAIN_TRUNK, priority: 2 },
        { ...PLAIN_TRUNK, name: 'new' },
      ],
    };
    const answer = await lab.call('POST', '/v1/trunks/reload', { token: await tokenFor('admin', 'x') });
    expect([answer.status, answer.body]).to.deep.equal([
      200,
      {
        changes: [
          { trunk: 'plain', change: 'changed', needs: [] },
          { trunk: 'new', change: 'added', needs: ['engine-configuration', 'firewall'] },
          { trunk: 'foreign', change: 'removed', needs: ['engine-configuration', 'firewall'] },
        ],
        trunks: [
          {
            ...{ name: 'plain', description: 'A carrier for tests', priority: 2, usable: true },
            reason: null,
          },
          {
            ...{ name: 'new', description: 'A carrier for tests', priority: 10, usable: true },
            reason: null,
          },
        ],
      },
    ]);
    for (const role of ['supervisor', 'backend'] as const) {
      const refused = await lab.call('POST', '/v1/trunks/reload', { token: await tokenFor(role, 'x') });
      expect(refused.code).to.equal('ERR_AUTH_ROLE');
    }
  });

  it('TEL-9: names each mistake of wrong files, and changes nothing', async () => {
    const problem = {
      code: 'ERR_TRUNK_FILE_INVALID',
      file: 'sip-trunks/tata.yml',
      path: 'priority',
    } as const;
    const problems = Array.from({ length: 60 }, (_, line) => ({
      ...problem,
      line: line + 1,
      expected: 'a number',
    }));
    list.reading = { ok: false, problems };
    const answer = await lab.call('POST', '/v1/trunks/reload', { token: await tokenFor('admin', 'x') });
    expect([answer.status, answer.code]).to.deep.equal([422, 'ERR_TRUNK_FILES_WRONG']);
    expect(answer.body).to.have.property('detail', '60 mistake(s); what was in force stays');
    const { errors } = answer.body as { errors: { path: string; message: string }[] };
    expect(errors).to.have.length(50);
    expect(errors[0]).to.deep.equal({
      path: 'sip-trunks/tata.yml:1: priority',
      message: 'expected a number',
    });
    expect(list.book.all().map(({ name }) => name)).to.deep.equal(['plain']);
  });

  it('TEL-2: stays ready without a trunk, and says that it is degraded', async () => {
    expect((await lab.call('GET', '/readyz')).body).to.include({ ready: true, degraded: false });
    await list.put([foreign]);
    const { status, body } = await lab.call('GET', '/readyz');
    expect(status).to.equal(200);
    expect(body).to.include({ ready: true, degraded: true });
    expect(body).to.have.deep.nested.property('checks.trunks', {
      ok: false,
      reason: 'no trunk can be used: nobody can be telephoned',
    });
  });
});
