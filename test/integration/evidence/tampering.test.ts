import { expect } from 'chai';
import { openDatabase } from '../../../control-plane/src/adapters/postgres/open-database.ts';
import type { Database } from '../../../control-plane/src/adapters/postgres/open-database.ts';
import { signHead } from '../../../control-plane/src/evidence/audit-head.ts';
import { auditSigner, newAuditKey } from '../../../control-plane/src/evidence/audit-key.ts';
import { chainHash } from '../../../control-plane/src/evidence/event-chain.ts';
import { auditLab, faultsOf, SIGNER } from '../../support/audit-lab.ts';
import type { AuditLab } from '../../support/audit-lab.ts';
import { keptLog } from '../../support/kept-log.ts';
import { activation, after as ms } from '../../support/session-writes.ts';
import { apply } from '../../contract/store-steps.ts';
import { withClient } from '../../support/test-database.ts';

/** Somebody with every right on the database, at work behind the gateway's back. */
describe('the log against who rules the database', function () {
  this.timeout(60_000);
  let lab: AuditLab;
  before(async () => {
    lab = await auditLab();
  });

  const attack = async (...statements: readonly string[]): Promise<readonly string[]> => {
    const url = await lab.copy();
    await withClient(url, async (client) => {
      await client.query('SET session_replication_role = replica');
      for (const statement of statements)
        await client.query(
          statement.replaceAll('$OVER', `'${lab.over}'`).replaceAll('$OPEN', `'${lab.open}'`),
        );
    });
    return faultsOf(url, lab.anchored);
  };
  const named = (faults: readonly string[], first: string | RegExp) => {
    if (typeof first === 'string') expect(faults[0], faults.join('\n')).to.equal(first);
    else expect(faults[0] ?? '', faults.join('\n')).to.match(first);
  };
  const withDatabase = async <T>(url: string, work: (database: Database) => Promise<T>): Promise<T> => {
    const database = openDatabase({ url, poolSize: 2, log: keptLog() });
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  };

  it('is whole as the gateway wrote it, with and without the anchor', async () => {
    const url = await lab.copy();
    expect(await faultsOf(url)).to.deep.equal([]);
    expect(await faultsOf(url, lab.anchored)).to.deep.equal([]);
  });

  it('names an event that was changed: its text, type, time or hash', async () => {
    const where = 'WHERE session_id = $OVER AND seq = 3';
    const says = `session ${lab.over}, event 3: was altered`;
    for (const set of [
      `event = '{"type":"roster.changed","by":"nobody"}'`,
      `type = 'pbx.answered'`,
      `at = at + interval '1 second'`,
      `hash = sha256('x')`,
      `personal_hash = sha256('x')`,
    ])
      named(await attack(`UPDATE session_events SET ${set} ${where}`), says);
  });

  it('names an event that was deleted: in the middle, at the beginning, at the end', async () => {
    const gone = (seq: number) =>
      attack(`DELETE FROM session_events WHERE session_id = $OVER AND seq = ${seq}`);
    named(await gone(4), `session ${lab.over}, event 4: is missing`);
    named(await gone(1), `session ${lab.over}, event 1: is missing`);
    named(await gone(7), new RegExp(`^session ${lab.over}, event 7: the chain does not end where`));
  });

  it('names an event that was inserted, and two that changed places', async () => {
    named(
      await attack(
        `INSERT INTO session_events SELECT session_id, 8, type, at, event, personal_hash, sha256('x') FROM session_events WHERE session_id = $OVER AND seq = 7`,
      ),
      `session ${lab.over}, event 8: was altered`,
    );
    named(
      await attack(
        'UPDATE session_events SET seq = 100 + seq WHERE session_id = $OVER AND seq IN (3, 4)',
        'UPDATE session_events SET seq = 107 - seq WHERE session_id = $OVER AND seq > 100',
      ),
      `session ${lab.over}, event 3: was altered`,
    );
  });

  it('names a tail that was replaced with a chain of its own, head of the session and all', async () => {
    const url = await lab.copy();
    await withDatabase(url, async (database) => {
      const found = await database.readLog((log) => log.session(lab.over));
      const events = found!.session.events;
      let hash = events[4]!.hash;
      await withClient(url, async (client) => {
        for (const row of events.slice(5)) {
          const event = { type: 'roster.changed', forged: true };
          hash = chainHash(hash, { ...row, type: 'roster.changed', event, personalHash: null });
          await client.query(
            `UPDATE session_events SET type = 'roster.changed', event = $3, hash = $4 WHERE session_id = $1 AND seq = $2`,
            [lab.over, row.seq, JSON.stringify(event), hash],
          );
        }
        await client.query('UPDATE sessions SET chain_head = $2 WHERE id = $1', [lab.over, hash]);
      });
    });
    named(
      await faultsOf(url),
      new RegExp(`^session ${lab.over}, event 4: was rewritten, or one after it, since head 2`),
    );
  });

  it('names a tail that was taken off, with the session set back to match', async () => {
    named(
      await attack(
        'DELETE FROM session_events WHERE session_id = $OVER AND seq > 5',
        'UPDATE sessions SET seq = 5, chain_head = (SELECT hash FROM session_events WHERE session_id = $OVER AND seq = 5) WHERE id = $OVER',
      ),
      `session ${lab.over}, event 6: is missing: head 2 was signed over it`,
    );
  });

  const DELETE_ALL = ['session_personal', 'session_events', 'legs', 'timers', 'feed'].map(
    (table) => `DELETE FROM ${table} WHERE session_id = $OVER`,
  );

  it('names a whole session that was deleted, and leaves that were deleted with it', async () => {
    named(
      await attack(...DELETE_ALL, 'DELETE FROM sessions WHERE id = $OVER'),
      new RegExp(`^session ${lab.over}, event 1: is missing: the whole session was deleted`),
    );
    named(
      await attack(
        ...DELETE_ALL,
        'DELETE FROM sessions WHERE id = $OVER',
        'DELETE FROM audit_leaves WHERE session_id = $OVER',
      ),
      'head 1: its leaves are not those that were signed',
    );
  });

  it('names a session whose events alone were deleted, as no retention did it', async () => {
    named(
      await attack(
        'DELETE FROM session_personal WHERE session_id = $OVER',
        'DELETE FROM session_events WHERE session_id = $OVER',
      ),
      new RegExp(`^session ${lab.over}, event 1: the chain does not end where`),
    );
  });

  it('names a session that was inserted afterwards, sealed by the gateway or not', async () => {
    const url = await lab.copy();
    const forged = await withDatabase(url, async (database) => {
      const { session } = await apply(database.store, activation({ at: ms(0) }));
      return session.id;
    });
    named(
      await faultsOf(url),
      `session ${forged}, event 1: is under no head: it was inserted, or sealing stood still`,
    );
    await withDatabase(url, (database) => database.auditLog(SIGNER).seal(ms(41 * 60_000)));
    named(await faultsOf(url), new RegExp(`^session ${forged}, event 1: was entered at least 40 min after`));
  });

  it('names a record or a call that was changed after the end', async () => {
    const says = `session ${lab.over}: its record or its calls were altered since head 2 was signed`;
    named(await attack(`UPDATE sessions SET ended_by = 'operator:bina' WHERE id = $OVER`), says);
    named(await attack(`UPDATE sessions SET operator_id = 'bina' WHERE id = $OVER`), says);
    named(await attack(`UPDATE legs SET outcome = 'no-answer' WHERE session_id = $OVER`), says);
    named(await attack('DELETE FROM legs WHERE session_id = $OVER'), says);
  });

  it('names personal data that were moved, or are gone without an erasure', async () => {
    named(
      await attack('UPDATE session_personal SET latitude = 0 WHERE session_id = $OVER'),
      `session ${lab.over}, event 1: its personal data were altered`,
    );
    named(
      await attack('DELETE FROM session_personal WHERE session_id = $OVER'),
      `session ${lab.over}, event 1: its personal data are gone, and no erasure or retention was recorded`,
    );
    named(
      await attack('DELETE FROM session_personal WHERE session_id = $OPEN'),
      new RegExp(`^session ${lab.open}, event 1: its personal data are gone`),
    );
  });

  it('names a head that was changed, deleted, or signed by somebody else', async () => {
    named(await attack('UPDATE audit_heads SET at = at + 1 WHERE number = 2'), 'head 2: was altered');
    named(await attack('DELETE FROM audit_heads WHERE number = 2'), 'head 2: is missing');
    named(
      await attack(`UPDATE audit_heads SET signature = decode(repeat('00', 64), 'hex') WHERE number = 3`),
      'head 3: has no valid signature',
    );
    const stranger = auditSigner(newAuditKey())!;
    const before = lab.heads[1]!;
    const forged = signHead(stranger, 3, before.at + 1, before.hash, []);
    named(
      await attack(
        `UPDATE audit_heads SET at = ${forged.at}, leaves = 0, root = '\\x${forged.root}', key_id = '${forged.keyId}', hash = '\\x${forged.hash}', signature = decode('${forged.signature}', 'base64') WHERE number = 3`,
      ),
      `head 3: was signed with another key (${stranger.keyId})`,
    );
  });

  it('names a rolled-back database by the anchor, and heads that were cut off', async () => {
    const older = await lab.copy('older');
    expect(await faultsOf(older)).to.deep.equal([]);
    named(
      await faultsOf(older, lab.anchored),
      /^anchor: knows head 5, the database ends at head 3: it was rolled back/,
    );
    named(
      await attack('DELETE FROM audit_heads WHERE number > 4', 'DELETE FROM audit_leaves WHERE head > 4'),
      /^anchor: knows head 5, the database ends at head 4/,
    );
  });

  it('holds a log against an anchor of years', async () => {
    const years = new Map(Array.from({ length: 300_000 }, (_, index) => [index + 1, 'another hash']));
    const found = await faultsOf(await lab.copy(), years);
    expect(found.filter((line) => line.startsWith('anchor: knows head 300000, '))).to.have.length(1);
  });

  it('names a history that was signed anew with the true key, by the anchor', async () => {
    const older = await lab.copy('older');
    await withDatabase(older, async (database) => {
      await apply(database.store, activation({ at: ms(26 * 60_000) }));
      await database.auditLog(SIGNER).seal(ms(26 * 60_000));
      await apply(database.store, activation({ at: ms(27 * 60_000) }));
      await database.auditLog(SIGNER).seal(ms(27 * 60_000));
    });
    expect(await faultsOf(older)).to.deep.equal([]);
    named(await faultsOf(older, lab.anchored), 'head 4: is another one than was anchored');
  });

  it('stays whole through an erasure and through retention, which stand in the log themselves', async () => {
    const url = await lab.copy();
    const at = ms(50 * 60_000);
    await withDatabase(url, async (database) => {
      const audit = database.auditLog(SIGNER);
      expect(await database.records.erase(lab.citizen, 'case 7', at)).to.deep.equal({
        ...{ ok: true, record: 1, sessions: 1, rows: 1, profile: false },
      });
      await audit.seal(at);
      expect(await faultsOf(url, lab.anchored)).to.deep.equal([]);
      expect(await database.records.dropPersonalBefore(at, at)).to.equal(1);
      await database.ledger.enter(lab.over, [], [], at);
      expect(await database.records.dropEventsBefore(at, at)).to.equal(1);
      await audit.seal(ms(51 * 60_000));
      expect(await database.store.events(lab.over, 10)).to.have.length(0);
      expect(await database.store.events(lab.later, 10)).to.not.have.length(0);
    });
    expect(await faultsOf(url, lab.anchored)).to.deep.equal([]);
    await withClient(url, (client) =>
      client.query(`UPDATE audit_records SET detail = '{"citizenId":"x"}' WHERE number = 1`),
    );
    named(await faultsOf(url), 'record 1: was altered');
    await withClient(url, (client) => client.query('DELETE FROM audit_records WHERE number = 1'));
    named(await faultsOf(url), 'record 1: is missing');
  });

  it('makes no head when nothing has changed, and lets two sealers make one', async () => {
    const url = await lab.copy();
    await withDatabase(url, async (database) => {
      const audit = database.auditLog(SIGNER);
      expect(await audit.seal(ms(41 * 60_000))).to.equal(null);
      await apply(database.store, activation({ at: ms(41 * 60_000) }));
      const made = await Promise.allSettled([
        audit.seal(ms(42 * 60_000)),
        database.auditLog(SIGNER).seal(ms(42 * 60_000)),
      ]);
      expect(made.filter((one) => one.status === 'fulfilled' && one.value !== null)).to.have.length(1);
    });
    expect(await faultsOf(url)).to.deep.equal([]);
  });
});
