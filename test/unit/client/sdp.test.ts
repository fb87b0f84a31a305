import { expect } from 'chai';
import { audioDirection, withoutDtx } from '../../../control-plane/client/sdp.ts';

const sdp = (...lines: string[]): string => ['v=0', 's=-', ...lines, ''].join('\r\n');

describe('control-plane/client/sdp', () => {
  it('takes usedtx out of the format parameters, and leaves the others', () => {
    const given = sdp('m=audio 9 X 111', 'a=fmtp:111 minptime=10;usedtx=1;useinbandfec=1', 'a=sendonly');
    const wanted = sdp('m=audio 9 X 111', 'a=fmtp:111 minptime=10;useinbandfec=1', 'a=sendonly');
    expect(withoutDtx(given)).to.equal(wanted);
  });

  it('takes a line out that held nothing else', () => {
    expect(withoutDtx(sdp('a=fmtp:111 usedtx=1', 'a=ptime:20'))).to.equal(sdp('a=ptime:20'));
  });

  it('changes nothing where there is no DTX', () => {
    const given = sdp('m=audio 9 X 0', 'a=fmtp:101 0-16', 'a=sendrecv');
    expect(withoutDtx(given)).to.equal(given);
  });

  it('RTC-3: reads the direction of the audio section, of the session, or the default', () => {
    expect(audioDirection(sdp('m=audio 9 X 0', 'a=sendonly'))).to.equal('sendonly');
    expect(audioDirection(sdp('a=recvonly', 'm=audio 9 X 0', 'a=mid:0'))).to.equal('recvonly');
    expect(audioDirection(sdp('a=recvonly', 'm=audio 9 X 0', 'a=inactive'))).to.equal('inactive');
    expect(audioDirection(sdp('m=video 9 X 96', 'a=sendonly', 'm=audio 9 X 0'))).to.equal('sendrecv');
  });
});
