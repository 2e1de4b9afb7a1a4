/** A certificate of one's own for 127.0.0.1, as DER written by hand: Node makes keys, but no certificates. */
import { generateKeyPairSync, sign } from 'node:crypto';

const kind = { integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, sequence: 0x30, set: 0x31, time: 0x17 };

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
}

const oid = (hex: string): Buffer => der(kind.oid, Buffer.from(hex, 'hex'));
const utcTime = (ms: number): Buffer =>
  der(kind.time, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
const extension = (id: string, value: Buffer): Buffer => der(kind.sequence, oid(id), der(kind.octets, value));
const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${(bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;

export interface Certificate {
  readonly key: string;
  /** It signs itself, so it is the authority as well. */
  readonly certificate: string;
}

const dayMs = 86_400_000;

/** Good from yesterday until tomorrow. */
export function ownCertificate(nowMs = Date.now()): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = der(kind.sequence, oid('2a8648ce3d040302'));
  const commonName = der(kind.sequence, oid('550403'), der(kind.utf8, Buffer.from('test')));
  const name = der(kind.sequence, der(kind.set, commonName));
  // Subject alternative names: the address, and `localhost`.
  const names = der(kind.sequence, der(0x87, Buffer.from([127, 0, 0, 1])), der(0x82, Buffer.from('localhost')));
  const isAuthority = der(kind.sequence, Buffer.from([0x01, 0x01, 0xff]));
  const extensions = der(kind.sequence, extension('551d11', names), extension('551d13', isAuthority));
  const signed = der(
    kind.sequence,
    der(0xa0, der(kind.integer, Buffer.from([2]))),
    der(kind.integer, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    der(kind.sequence, utcTime(nowMs - dayMs), utcTime(nowMs + dayMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = der(kind.bits, Buffer.from([0]), sign('sha256', signed, privateKey));
  return {
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    certificate: pem('CERTIFICATE', der(kind.sequence, signed, ecdsaWithSha256, signature)),
  };
}
