import { expect } from 'chai';
import { Microphone } from '../../../control-plane/client/microphone.ts';

class FakeTrack extends EventTarget {
  stopped = false;
  stop(): void {
    this.stopped = true;
  }
}

function createMicrophone(open: () => Promise<FakeTrack>): { microphone: Microphone; opened: FakeTrack[] } {
  const opened: FakeTrack[] = [];
  const microphone = new Microphone({
    createPeerConnection: () => expect.fail('no call is made here'),
    async openMicrophone() {
      const track = await open();
      opened.push(track);
      return track as unknown as MediaStreamTrack;
    },
  });
  return { microphone, opened };
}

describe('control-plane/client/microphone', () => {
  it('is opened once, however many calls ask for it', async () => {
    const { microphone, opened } = createMicrophone(() => Promise.resolve(new FakeTrack()));
    const tracks = await Promise.all([microphone.open(), microphone.open()]);
    expect(await microphone.open()).to.equal(tracks[0]);
    expect(opened).to.have.lengthOf(1);
    microphone.stop();
    expect(opened[0]!.stopped).to.equal(true);
    expect(microphone.isOn).to.equal(false);
  });

  it('RTC-9: does not stay open when it was stopped while it was being opened', async () => {
    const { microphone, opened } = createMicrophone(() => Promise.resolve(new FakeTrack()));
    const opening = microphone.open();
    microphone.stop();
    await opening.then(
      () => expect.fail('it opened'),
      () => undefined,
    );
    expect(opened.map(({ stopped }) => stopped)).to.deep.equal([true]);
    expect(microphone.isOn).to.equal(false);
  });

  it('says that the system took it away, and that it was refused', async () => {
    const { microphone, opened } = createMicrophone(() => Promise.resolve(new FakeTrack()));
    const troubles: string[] = [];
    const tracks: boolean[] = [];
    microphone.on('trouble', (error) => troubles.push(error.message));
    microphone.on('track', (track) => tracks.push(track !== null));
    await microphone.open();
    opened[0]!.dispatchEvent(new Event('ended'));
    expect(troubles).to.deep.equal(['the system took the microphone away']);
    expect(tracks).to.deep.equal([true, false]);
    microphone.stop();
    const refused = createMicrophone(() => Promise.reject(new Error('denied')));
    const reason: unknown = await refused.microphone.open().catch((error: unknown) => error);
    expect(reason).to.have.property('message', 'denied');
    refused.microphone.stop();
  });
});
