/** Every failure as the outside sees it. */
import { asEngineError, type EngineError, type ErrorDetail } from '../core/domain/errors';
import { limits } from '../core/domain/limits';
import { formatTimestamp } from './time';

export interface ErrorBody {
  readonly status: 'error';
  readonly error_type: string;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
  readonly timestamp: string;
  readonly request_id: string;
}

/** The contract's error body of whatever was thrown; a defect of ours says nothing of the inside. */
export function errorBody(thrown: unknown, requestId: string, nowMs: number): ErrorBody {
  const error = asEngineError(thrown);
  return {
    status: 'error',
    error_type: error.code,
    message: error.code === 'InternalError' ? 'internal error; the log has the details' : error.message,
    details: error.details.slice(0, limits.errorDetails),
    timestamp: formatTimestamp(nowMs),
    request_id: requestId,
  };
}

/** `Retry-After` and `Allow`, where the error has them; the store's errors always say when to come back. */
export function errorHeaders(error: EngineError): Record<string, string> {
  const headers: Record<string, string> = {};
  const needsRetry =
    error.code === 'ConnectionError' || error.code === 'TimeoutError' || error.code === 'RateLimitError';
  if (error.retryAfterS !== undefined || needsRetry) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterS ?? 1)));
  }
  if (error.allow) headers.allow = error.allow.join(', ');
  if (error.code === 'AuthenticationError') headers['www-authenticate'] = 'Bearer';
  return headers;
}
