import { expect } from 'chai';
import type { AriEvent, Endpoint } from '../../../../control-plane/src/adapters/asterisk/ari.gen.ts';
import { ContactBoard } from '../../../../control-plane/src/adapters/asterisk/contact-board.ts';
import type { AddressOfRecord, Instant } from '../../../../control-plane/src/domain/ids.ts';
import type { PbxEvent } from '../../../../control-plane/src/ports/pbx-driver.ts';

const AOR = 'citizen-priya-phone1' as AddressOfRecord;
const AT = 1_000 as Instant;

const endpoint = (resource: string, state: Endpoint['state']): Endpoint =>
  ({ technology: 'PJSIP', resource, state, channel_ids: [] }) as Endpoint;
const contact = (
  uri: string,
  contact_status: string,
  state: Endpoint['state'],
  name: string = AOR,
): AriEvent =>
  ({
    type: 'ContactStatusChange',
    endpoint: endpoint(name, state),
    contact_info: { uri, contact_status, aor: name },
  }) as AriEvent;
const changed = (name: string, state: Endpoint['state']): AriEvent =>
  ({ type: 'EndpointStateChange', endpoint: endpoint(name, state) }) as AriEvent;
const peer = (name: string, state: Endpoint['state']): AriEvent =>
  ({ type: 'PeerStatusChange', endpoint: endpoint(name, state) }) as AriEvent;

function scene(known: Endpoint[] = []) {
  const events: PbxEvent[] = [];
  const trunks = new Set(['tata']);
  const board = new ContactBoard(trunks, (event) => events.push(event));
  board.reset(known);
  return {
    board,
    trunks,
    told: () => events.map(({ type }) => type),
    play: (...played: AriEvent[]) => {
      for (const event of played) board.apply(event, AT);
    },
  };
}

describe('adapters/asterisk/contact-board', () => {
  it('RTC-1: tells a registration and its end once each, of the three events that Asterisk sends for it', () => {
    const { board, play, told } = scene();
    play(changed(AOR, 'unknown'), changed(AOR, 'offline'), changed(AOR, 'online'), peer(AOR, 'online'));
    play(contact('sip:one', 'NonQualified', 'online'));
    expect(board.contacts).to.deep.equal([AOR]);
    play(changed(AOR, 'offline'), peer(AOR, 'offline'), contact('sip:one', 'Removed', 'offline'));
    expect(told()).to.deep.equal(['contact.online', 'contact.offline']);
    expect(board.contacts).to.deep.equal([]);
  });

  it('knows which endpoints of trunks the engine has', () => {
    const { board } = scene([endpoint('tata', 'online'), endpoint('dial@tata.out', 'offline')]);
    expect(['tata', 'dial@tata.out', 'dial@vi.out'].map((name) => board.knows(name))).to.deep.equal([
      ...[true, true, false],
    ]);
    board.reset([endpoint('tata', 'online')]);
    expect(board.knows('dial@tata.out')).to.equal(false);
  });

  it('tells a client that connected anew, and not that its old contact went', () => {
    const { board, play, told } = scene();
    play(contact('sip:one', 'NonQualified', 'online'), contact('sip:two', 'NonQualified', 'online'));
    play(contact('sip:one', 'Removed', 'online'));
    expect(told()).to.deep.equal(['contact.online', 'contact.online']);
    play(contact('sip:two', 'NonQualified', 'online'));
    expect(told(), 'a registration that is refreshed').to.have.length(2);
    expect(board.contacts).to.deep.equal([AOR]);
  });

  it('takes who is online from the engine after a loss', () => {
    const { board, play, told } = scene([endpoint(AOR, 'online'), endpoint('operator-bina-tab', 'offline')]);
    expect(board.contacts).to.deep.equal([AOR]);
    board.reset([]);
    expect(board.contacts).to.deep.equal([]);
    play(changed(AOR, 'offline'));
    expect(told()).to.deep.equal([]);
  });

  it('tells of a contact that went with its endpoint', () => {
    const { board, told } = scene([endpoint(AOR, 'online')]);
    board.removed(AOR, AT);
    board.removed(AOR, AT);
    expect(told()).to.deep.equal(['contact.offline']);
  });

  it('TEL-8: tells a trunk’s state when it changes, and all of them when the engine is back', () => {
    const { board, play, told } = scene([endpoint('tata', 'online')]);
    play(changed('tata', 'online'), contact('sip:tata', 'Unreachable', 'offline', 'tata'));
    play(peer('tata', 'offline'), changed('tata', 'online'));
    expect(told()).to.deep.equal(['trunk.down', 'trunk.up']);
    board.reset([endpoint('tata', 'offline')]);
    board.tellTrunks(AT);
    expect(told().at(-1)).to.equal('trunk.down');
    expect(board.contacts).to.deep.equal([]);
  });

  it('TEL-9: takes a trunk that the files do not name yet for no client, and tells how it is once they do', () => {
    const { board, trunks, play, told } = scene([endpoint('airtel', 'online')]);
    expect(board.contacts).to.deep.equal([]);
    play(
      contact('sip:a', 'Reachable', 'online', 'airtel'),
      changed('airtel', 'offline'),
      peer('airtel', 'offline'),
    );
    board.tellTrunks(AT);
    expect(told()).to.deep.equal([]);
    trunks.add('airtel');
    board.tellTrunks(AT);
    expect(told()).to.deep.equal(['trunk.down']);
    play(changed('airtel', 'online'));
    expect(told()).to.deep.equal(['trunk.down', 'trunk.up']);
    trunks.delete('airtel');
    play(changed('airtel', 'offline'));
    expect(told()).to.have.length(2);
  });
});
