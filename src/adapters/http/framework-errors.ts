/** What the HTTP framework complains about, in the contract's words. */
import { asEngineError, EngineError } from '../../core/domain/errors';

/** Anything a hook, a parser or the framework threw, as an error of the catalogue. */
export function fastifyError(thrown: unknown): EngineError {
  if (thrown instanceof EngineError || typeof thrown !== 'object' || thrown === null) return asEngineError(thrown);
  const { statusCode, code } = thrown as { readonly statusCode?: unknown; readonly code?: unknown };
  // Only the framework's own errors have such a code; any other status on an error says nothing about the request.
  if (typeof code !== 'string' || !code.startsWith('FST_')) return asEngineError(thrown);
  // An id longer than any we give out names nothing.
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return new EngineError('NotFoundError', 'no such route');
  switch (statusCode) {
    case 404:
      return new EngineError('NotFoundError', 'no such route');
    case 413:
      return new EngineError('PayloadTooLargeError', 'the body is too large');
    case 415:
      return new EngineError('UnsupportedMediaTypeError', 'the body must be sent with Content-Type: application/json');
    default:
      if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
        return new EngineError('BadRequestError', 'the request is not valid HTTP');
      }
      return asEngineError(thrown);
  }
}
