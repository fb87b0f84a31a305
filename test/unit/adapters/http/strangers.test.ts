import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { Strangers } from '../../../../control-plane/src/adapters/http/strangers.ts';
import { silentMetrics } from '../../../support/silent-metrics.ts';

describe('adapters/http/strangers', () => {
  let ports = 0;
  const connection = (): Socket & { cut: boolean } => {
    ports += 1;
    const socket = Object.assign(new EventEmitter(), {
      remoteAddress: '192.0.2.1',
      remotePort: ports,
      cut: false,
      destroy: () => {
        socket.cut = true;
        socket.emit('close');
      },
    });
    return socket as unknown as Socket & { cut: boolean };
  };

  it('RTC-10 one person’s connections beyond 64 stay strangers, the oldest of whom make room', () => {
    const strangers = new Strangers(10, silentMetrics);
    const hers = Array.from({ length: 200 }, () => {
      const socket = connection();
      strangers.came(socket);
      strangers.recognised(socket, 'citizen:thief');
      return socket;
    });
    expect(hers.filter(({ cut }) => !cut)).to.have.length(64 + 10);
    const other = connection();
    strangers.came(other);
    strangers.recognised(other, 'citizen:priya');
    for (let more = 0; more < 20; more += 1) strangers.came(connection());
    expect(other.cut).to.equal(false);
  });

  it('counts a person’s connections only while they stand', () => {
    const strangers = new Strangers(1, silentMetrics);
    for (let turn = 0; turn < 200; turn += 1) {
      const socket = connection();
      strangers.came(socket);
      strangers.recognised(socket, 'citizen:priya');
      socket.emit('close');
    }
    const [first, second] = [connection(), connection()];
    for (const socket of [first, second]) {
      strangers.came(socket);
      strangers.recognised(socket, 'citizen:priya');
    }
    expect([first.cut, second.cut]).to.deep.equal([false, false]);
  });
});
