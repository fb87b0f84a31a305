import { inspect } from 'node:util';
import { expect } from 'chai';
import { DatabaseError } from 'pg';
import {
  commitErrorOf,
  SerialisationConflict,
  StatementError,
  storeErrorOf,
} from '../../../../control-plane/src/adapters/postgres/store-error.ts';

function fromServer(code: string): DatabaseError {
  const error = new DatabaseError('duplicate key +919876543210', 10, 'error');
  return Object.assign(error, {
    code,
    detail: 'Key (phone)=(+919876543210)',
    table: 'citizens',
    constraint: 'c1',
  });
}

const codeOf = (error: Error) => ('code' in error ? error.code : error.name);

describe('adapters/postgres/store-error', () => {
  it('gives each failure the code that the app decides by', () => {
    const codes = [
      '08006',
      '57P01',
      '53300',
      '25P03',
      '25006',
      '57014',
      '55P03',
      '40001',
      '40P01',
      '23505',
      '42P01',
    ];
    expect(codes.map((code) => [code, codeOf(storeErrorOf(fromServer(code)))])).to.deep.equal([
      ['08006', 'ERR_STORE_UNAVAILABLE'],
      ['57P01', 'ERR_STORE_UNAVAILABLE'],
      ['53300', 'ERR_STORE_UNAVAILABLE'],
      ['25P03', 'ERR_STORE_UNAVAILABLE'],
      ['25006', 'ERR_STORE_UNAVAILABLE'],
      ['57014', 'ERR_STORE_UNAVAILABLE'],
      ['55P03', 'ERR_STORE_CONFLICT'],
      ['40001', 'ERR_STORE_CONFLICT'],
      ['40P01', 'ERR_STORE_CONFLICT'],
      ['23505', 'StatementError'],
      ['42P01', 'StatementError'],
    ]);
    expect(codeOf(storeErrorOf(new Error('Connection terminated unexpectedly')))).to.equal(
      'ERR_STORE_UNAVAILABLE',
    );
    expect(storeErrorOf(fromServer('40001'))).to.be.instanceOf(SerialisationConflict);
    expect(storeErrorOf(fromServer('55P03'))).to.not.be.instanceOf(SerialisationConflict);
    const bug = new TypeError('x is not a function');
    expect(storeErrorOf(bug)).to.equal(bug);
  });

  it('knows the outcome of a COMMIT only when the server itself refused it', () => {
    expect(codeOf(commitErrorOf(new Error('read ECONNRESET')))).to.equal('ERR_STORE_UNKNOWN_OUTCOME');
    expect(codeOf(commitErrorOf(fromServer('57P01')))).to.equal('ERR_STORE_UNKNOWN_OUTCOME');
    expect(codeOf(commitErrorOf(fromServer('57014')))).to.equal('ERR_STORE_UNKNOWN_OUTCOME');
    expect(commitErrorOf(fromServer('40001'))).to.be.instanceOf(SerialisationConflict);
    expect(commitErrorOf(fromServer('23503'))).to.be.instanceOf(StatementError);
  });

  it('repeats nothing of what the server quotes', () => {
    for (const code of ['23505', '40001', '08006', '57014'])
      expect(inspect(commitErrorOf(fromServer(code)), { depth: 9 })).to.not.include('9876543210');
    expect(storeErrorOf(fromServer('23505')).message).to.include('citizens, c1');
  });
});
