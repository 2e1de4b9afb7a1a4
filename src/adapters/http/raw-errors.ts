/** Answers for what never became a request: the parser refused it, or it came too slowly. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { EngineError } from '../../core/domain/errors';
import { errorBody } from '../../wire/error-body';

/** What the HTTP parser found, as an error of the catalogue; `null` when nobody is left to be told. */
export function connectionError(code: string | undefined): EngineError | null {
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return null;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new EngineError('BadRequestError', 'the request took too long to arrive', { httpStatus: 408 });
    case 'HPE_HEADER_OVERFLOW':
      return new EngineError('BadRequestError', 'the headers are too large', { httpStatus: 431 });
    default:
      return new EngineError('BadRequestError', 'the request is not valid HTTP');
  }
}

/** Writes the error as a whole HTTP response and ends the connection. */
export function writeRawError(socket: Socket, error: EngineError, requestId: string, nowMs: number): void {
  const body = JSON.stringify(errorBody(error, requestId, nowMs));
  const head = [
    `HTTP/1.1 ${error.httpStatus} ${STATUS_CODES[error.httpStatus] ?? 'Error'}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
  ].join('\r\n');
  socket.end(`${head}\r\n\r\n${body}`);
}
