import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import type { SessionView } from '../../../control-plane/client/gateway-api.ts';
import {
  ageText,
  assignmentText,
  fallbackText,
  mayHandOver,
  mayJoin,
  mayListen,
  mayRedial,
  phaseText,
  placeInQueue,
} from '../../../control-plane/public/card-texts.ts';
import { citizenTexts } from '../../../control-plane/public/citizen-texts.ts';
import { bearerOf } from '../../../control-plane/public/page-credentials.ts';
import { formatLocation, parseTyped } from '../../../control-plane/public/position.ts';

const folder = resolve(import.meta.dirname, '../../../control-plane/public');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const pages = readdirSync(folder).filter((name) => name.endsWith('.html'));

const session = (changes: Partial<SessionView>): SessionView =>
  ({ fallback: null, ...changes }) as SessionView;
const fallback: NonNullable<SessionView['fallback']> = {
  mode: 'both',
  reason: 'timeout',
  detail: '',
  failedAt: '',
  initiatedAt: '',
  callReference: null,
  citizenPhone: 'ringing',
  operatorPhone: 'answered',
  attempts: [],
};

describe('control-plane/public: the pages', () => {
  it('hold nothing that a strict content security policy refuses', () => {
    expect(pages).to.have.members(['index.html', 'citizen.html', 'panel.html']);
    for (const page of pages) {
      const html = read(page);
      expect(html, page).not.to.match(/<style|\sstyle=|\son[a-z]+=|javascript:/i);
      for (const [, script] of html.matchAll(/<script\b([^>]*)>/g))
        expect(script, page).to.include('src="dist/');
    }
  });

  it('refer to nothing but files that are there', () => {
    for (const page of pages)
      for (const [, target] of read(page).matchAll(/(?:src|href)="([^"#]+)"/g))
        if (!/^(?:dist\/|openapi\.json|readyz)/.test(target!))
          expect(existsSync(join(folder, target!)), target).to.equal(true);
  });

  it('have every element that their scripts look for', () => {
    for (const page of ['citizen', 'panel']) {
      const html = read(`${page}.html`);
      const wanted = [...read(`${page}.ts`).matchAll(/(?:\belement|inputElement|set)\('([a-z-]+)'/g)].map(
        ([, id]) => id!,
      );
      expect(wanted.length).to.be.above(8);
      for (const id of wanted) expect(html, page).to.include(`data-testid="${id}"`);
    }
    const slots = [...read('card-view.ts').matchAll(/(?:slot|fill)\('([a-z-]+)'/g)].map(([, slot]) => slot!);
    for (const slot of slots) expect(read('panel.html')).to.include(`data-slot="${slot}"`);
  });

  it('RTC-5 tell who waits her place among those of her zone, the longest waiting first', () => {
    const waiting = (id: string, at: string, zoneId = 'north', changes: Partial<SessionView> = {}) =>
      session({ id, activatedAt: at, zoneId, queued: true, phase: 'connecting', ...changes });
    const all = [
      waiting('c', '2026-01-01T00:00:03Z'),
      waiting('a', '2026-01-01T00:00:01Z'),
      waiting('b', '2026-01-01T00:00:02Z', 'south'),
      waiting('d', '2026-01-01T00:00:00Z', 'north', { queued: false, operatorId: 'akram', handOver: null }),
      waiting('e', '2026-01-01T00:00:00Z', 'north', { phase: 'resolved' }),
    ];
    expect(all.map((one) => placeInQueue(one, all))).to.deep.equal([
      { place: 2, of: 2 },
      { place: 1, of: 2 },
      { place: 1, of: 1 },
      null,
      null,
    ]);
    expect(assignmentText(all[0]!, placeInQueue(all[0]!, all))).to.equal(
      'waiting for a free officer, place 2 of 2',
    );
  });

  it('tell why a voice is not there, where the phase alone does not', () => {
    const degraded = (degradedReason: string | null) =>
      phaseText(session({ phase: 'degraded', degradedReason }));
    expect(degraded('media-lost')).to.deep.equal({
      text: 'Voice lost, trying to get it back',
      tone: 'alarm',
    });
    expect(degraded('citizen-unanswered')).to.deep.equal({ text: 'Not reached by telephone', tone: 'alarm' });
    expect(degraded('timeout-no-media').tone).to.equal('warn');
    expect(degraded(null).tone).to.equal('warn');
    expect(phaseText(session({ phase: 'active', degradedReason: 'media-lost' })).tone).to.equal('ok');
  });

  it('tell an age as a clock does', () => {
    expect([-5, 0, 59_999, 61_000, 3_600_000, 36_610_000].map(ageText)).to.deep.equal([
      '0:00',
      '0:00',
      '0:59',
      '1:01',
      '1:00:00',
      '10:10:10',
    ]);
  });

  it('take typed coordinates that are on this earth, and no others', () => {
    expect(parseTyped('28.6139', '77,209')).to.deep.equal({ latitude: 28.6139, longitude: 77.209 });
    for (const [latitude, longitude] of [
      ['', ''],
      ['28.6', ''],
      ['91', '0'],
      ['0', '-181'],
      ['north', '3'],
    ] as const)
      expect(parseTyped(latitude, longitude)).to.equal(null);
    expect(formatLocation({ latitude: 28.6139, longitude: 77.209, accuracyM: 12 })).to.equal(
      '28.61390, 77.20900, ±12\u00a0m',
    );
  });

  it('FB-5: say whose phone does what, and offer a redial where there is a call', () => {
    expect(fallbackText(session({ fallback }))).to.equal(
      'Citizen’s phone rings, officer’s phone answered (no voice in time).',
    );
    expect(fallbackText(session({ fallback: { ...fallback, mode: 'operators-only' } }))).to.match(
      /does not ring/,
    );
    expect(fallbackText(session({}))).to.equal('');
    expect(mayRedial(session({ fallback, phase: 'phone-connected' }))).to.equal(true);
    expect(mayRedial(session({ fallback, phase: 'resolved' }))).to.equal(false);
    expect(mayRedial(session({ phase: 'active' }))).to.equal(false);
  });

  it('TEL-10: offer handing over, joining and listening in to those who may, and say who does', () => {
    const open = session({
      phase: 'active',
      operatorId: 'akram',
      queued: false,
      handOver: null,
      listeners: [],
    });
    const [akram, bina] = [
      { role: 'operator', subject: 'akram' },
      { role: 'operator', subject: 'bina' },
    ];
    const chief = { role: 'supervisor', subject: 'chief' };
    const may = [akram, bina, chief].map((who) => [
      mayHandOver(open, who),
      mayJoin(open, who),
      mayListen(open, who),
    ]);
    expect(may).to.deep.equal([
      [true, true, false],
      [false, false, false],
      [true, true, true],
    ]);
    const moving = { ...open, handOver: { to: 'bina', since: '' }, listeners: ['chief'] };
    expect(mayHandOver(moving, akram)).to.equal(false);
    expect(assignmentText(moving)).to.equal(
      'officer akram, calling officer bina to take over, chief listening in',
    );
    const payload = Buffer.from(JSON.stringify({ role: 'supervisor', sub: 'chief' })).toString('base64url');
    expect(bearerOf(`x.${payload}.y`)).to.deep.equal(chief);
    expect(bearerOf('none')).to.deep.equal({ role: '', subject: '' });
  });

  it('tell a citizen to answer her phone only when it will ring', () => {
    const calling = { name: 'calling', waitingFor: 'offer' } as const;
    const phase = 'phone-fallback-active';
    expect(citizenTexts(calling, session({ phase, fallback })).explanation).to.match(/Your phone will ring/);
    const silent = session({ phase, fallback: { ...fallback, mode: 'operators-only' } });
    expect(citizenTexts(calling, silent).explanation).to.match(/will not ring/);
  });
});
