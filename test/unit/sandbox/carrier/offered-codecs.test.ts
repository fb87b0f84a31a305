import { expect } from 'chai';
import { offeredCodecs, offeredDirection } from '../../../../control-plane/sandbox/carrier/offered-codecs.ts';

const sdp = [
  'v=0',
  'm=audio 4000 RTP/AVP 111 8 96',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:96 telephone-event/8000',
  'a=sendonly',
  'm=video 4002 RTP/AVP 97',
  'a=rtpmap:97 H264/90000',
  '',
].join('\r\n');

describe('sandbox/carrier/offered-codecs', () => {
  it('lists the audio formats in the order of the offer, the static ones without rtpmap', () => {
    expect(offeredCodecs(sdp)).to.deep.equal([
      { payloadType: 111, name: 'OPUS', clockRateHz: 48_000 },
      { payloadType: 8, name: 'PCMA', clockRateHz: 8_000 },
      { payloadType: 96, name: 'TELEPHONE-EVENT', clockRateHz: 8_000 },
    ]);
  });

  it('names what it does not know, and lists nothing without audio', () => {
    expect(offeredCodecs('m=audio 1 RTP/AVP 77')).to.deep.equal([
      { payloadType: 77, name: 'UNKNOWN', clockRateHz: 0 },
    ]);
    expect(offeredCodecs('')).to.deep.equal([]);
  });

  it('reads the direction, sendrecv by default (RFC 3264 §5.1)', () => {
    expect(offeredDirection(sdp)).to.equal('sendonly');
    expect(offeredDirection('m=audio 1 RTP/AVP 8\r\n')).to.equal('sendrecv');
  });
});
