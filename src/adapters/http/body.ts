/** Bodies of requests: bounded bytes, JSON by their own word, as text. */
import type { IncomingMessage } from 'node:http';
import { EngineError } from '../../core/domain/errors';
import { limits } from '../../core/domain/limits';

type Done = (error: Error | null, text?: string) => void;

function tooLarge(maxBytes: number): EngineError {
  return new EngineError('PayloadTooLargeError', `the body must have at most ${maxBytes} bytes`);
}

/**
 * Collects the body as text. An overlong one is read on and thrown away, up to `limits.httpDiscardBytes`: a socket cut
 * under a client that is still sending would lose it the answer.
 */
export function readBody(message: IncomingMessage, maxBytes: number, done: Done): void {
  const encoding = message.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    done(new EngineError('UnsupportedMediaTypeError', 'the body must not be compressed'));
    return;
  }
  const declared = Number(message.headers['content-length'] ?? 0);
  if (declared > limits.httpDiscardBytes) {
    done(tooLarge(maxBytes));
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (error: Error | null, text?: string) => {
    message.off('data', onData).off('end', onEnd).off('error', onError);
    done(error, text);
  };
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
    if (bytes > limits.httpDiscardBytes) finish(tooLarge(maxBytes));
  };
  const onEnd = () => {
    if (bytes > maxBytes) finish(tooLarge(maxBytes));
    else finish(null, (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes)).toString('utf8'));
  };
  const onError = () => finish(new EngineError('BadRequestError', 'the request was cut off'));
  message.on('data', onData).on('end', onEnd).on('error', onError);
}

const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i;

/** Whether a JSON media type is in an encoding that we read. */
export function isUtf8(contentType: string): boolean {
  const name = charset.exec(contentType)?.[1]?.toLowerCase();
  return name === undefined || name === 'utf-8' || name === 'utf8' || name === 'us-ascii';
}
