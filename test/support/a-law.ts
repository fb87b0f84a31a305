/** G.711 A-law, as telephone trunks carry it: one byte for each 16-bit sample. */
const decoded = Int16Array.from({ length: 256 }, (_, byte) => decodeOne(byte));

export function encodeALaw(samples: Int16Array): Buffer {
  return Buffer.from(Array.from(samples, encodeOne));
}

export function decodeALaw(bytes: Buffer): Int16Array {
  return Int16Array.from(bytes, (byte) => decoded[byte] ?? 0);
}

/** Sign, 3 bits of exponent, 4 of mantissa, even bits inverted (ITU-T G.711 table 1a). */
function encodeOne(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0;
  const magnitude = Math.min(sample >= 0 ? sample : -sample - 1, 32_767);
  const exponent = magnitude < 256 ? 0 : Math.floor(Math.log2(magnitude)) - 7;
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

function decodeOne(byte: number): number {
  const bits = byte ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? step : (step + 256) << (exponent - 1);
  return (bits & 0x80) === 0 ? -magnitude : magnitude;
}
