import { expect } from 'chai';
import { PassThrough } from 'node:stream';
import { createLog, type LogLevel } from '../../../../control-plane/src/adapters/log/winston-log.ts';
import { PhoneNumber } from '../../../../control-plane/src/domain/numbering/phone-number.ts';
import { Secret } from '../../../../control-plane/src/domain/secret.ts';
import type { Log } from '../../../../control-plane/src/ports/log.ts';

/** What `write` logs, line by line. */
function logged(level: LogLevel, write: (log: Log) => void): Record<string, unknown>[] {
  const stream = new PassThrough();
  write(createLog(level, stream));
  const text = (stream.read() as Buffer | null)?.toString() ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('adapters/log winston-log', () => {
  it('writes one JSON object per line with time, level, message and fields', () => {
    const [line, ...rest] = logged('info', (log) =>
      log.info('engine\nattached', { app: 'x', ms: 3, ok: true }),
    );
    expect(rest).to.deep.equal([]);
    expect(line).to.include({ level: 'info', message: 'engine\nattached', app: 'x', ms: 3, ok: true });
    expect(line!['timestamp']).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('keeps what is beneath its level to itself', () => {
    const levels = logged('warn', (log) => {
      log.debug('a');
      log.info('b');
      log.warn('c');
      log.error('d');
    }).map((line) => line['level']);
    expect(levels).to.deep.equal(['warn', 'error']);
  });

  it('hands fields down to children', () => {
    const [line] = logged('info', (log) =>
      log.child({ node: 'n1' }).child({ session: 's' }).info('x', { leg: 'l' }),
    );
    expect(line).to.include({ node: 'n1', session: 's', leg: 'l' });
  });

  it('lets no field displace the line itself', () => {
    const [line] = logged('info', (log) => log.error('real', { message: 'fake', level: 'debug' }));
    expect(line).to.include({ level: 'error', message: 'real' });
  });

  it('never writes numbers or secrets, by type or by accident', () => {
    const phone = PhoneNumber.parse('+919811123456')!;
    const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwcml5YSJ9.c2lnbmF0dXJl';
    const lines = logged('debug', (log) => {
      log.info(`dialling ${phone.toString()}`, { phone, secret: new Secret('pa55word') });
      log.info('dialling +919811123456', { to: 'sip:+919811123456@x', header: `Bearer ${token}` });
      log.child({ url: '/feed?ticket=t1cket' }).warn(token);
    });
    const text = JSON.stringify(lines);
    for (const secret of ['9811123456', 'pa55word', 't1cket', token]) expect(text).not.to.contain(secret);
    expect(lines[0]).to.include({ phone: '+91******56', secret: '[secret]' });
  });

  it('cuts floods of text', () => {
    const [line] = logged('info', (log) => log.info('x'.repeat(100_000)));
    expect(line!['message']).to.have.length(4001);
  });
});
