import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import {
  ARCHITECTURE_PATH,
  phaseDiagram,
  withPhaseDiagram,
} from '../../../control-plane/tools/draw-phases.ts';
import { TRANSITIONS } from '../../../control-plane/src/domain/session/transitions.ts';

describe('tools/draw-phases', () => {
  it('has drawn docs/architecture.md from the transitions as they are now', () => {
    const text = readFileSync(ARCHITECTURE_PATH, 'utf8');
    expect(text).to.equal(withPhaseDiagram(text), 'draw it anew: node control-plane/tools/draw-phases.ts');
  });

  it('draws every phase by its name, and every transition or the group that it belongs to', () => {
    const drawn = phaseDiagram();
    for (const { from, to } of TRANSITIONS) {
      expect(drawn).to.include(`state "${from}" as `).and.include(`state "${to}" as `);
      const arrow = `${from.replaceAll('-', '_')} --> ${to.replaceAll('-', '_')}: `;
      if (to !== 'resolved') expect(drawn).to.include(arrow);
      else expect(drawn.split('state "activated" as live {')[1]?.split('}')[0]).to.include(`"${from}"`);
    }
  });

  it('shows a transition that is new', () => {
    const text = readFileSync(ARCHITECTURE_PATH, 'utf8');
    const more = [...TRANSITIONS, { from: 'active', to: 'connecting', why: 'a test: of words' } as const];
    expect(withPhaseDiagram(text, more)).to.not.equal(text);
    expect(phaseDiagram(more)).to.include('active --> connecting: a test – of words');
  });

  it('refuses a document without its marks', () => {
    expect(() => withPhaseDiagram('# Architecture\n')).to.throw('not exactly one block');
  });
});
