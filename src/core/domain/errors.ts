/** The one catalogue of errors: what went wrong, as the outside may know it. */

/** The contract's `error_type` values and the HTTP status each is answered with. */
export const errorStatus = {
  JSONDecodeError: 400,
  BadRequestError: 400,
  AuthenticationError: 401,
  NotFoundError: 404,
  MethodNotAllowedError: 405,
  ConflictError: 409,
  PayloadTooLargeError: 413,
  UnsupportedMediaTypeError: 415,
  ValueError: 422,
  RateLimitError: 429,
  InternalError: 500,
  ConnectionError: 503,
  TimeoutError: 504,
} as const;

export type ErrorType = keyof typeof errorStatus;

/** One field that is wrong: where, why, and what was received (cut to a bounded length). */
export interface ErrorDetail {
  readonly path: string;
  readonly message: string;
  readonly received?: unknown;
}

export interface ErrorOptions {
  readonly details?: readonly ErrorDetail[];
  /** Overrides the catalogue's status where the contract lists several (`BadRequestError` 400, 408, 431). */
  readonly httpStatus?: number;
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  readonly retryAfterS?: number;
  /** The methods a route has; becomes `Allow`. */
  readonly allow?: readonly string[];
  readonly cause?: unknown;
}

/**
 * An error from the catalogue. `code` is the contract's `error_type`; the message is written for the person who sent
 * the input and never speaks of the inside. Expected outcomes (a duplicate, a late tick) are values, not errors.
 */
export class EngineError extends Error {
  readonly code: ErrorType;
  readonly httpStatus: number;
  readonly details: readonly ErrorDetail[];
  readonly retryAfterS: number | undefined;
  readonly allow: readonly string[] | undefined;

  constructor(code: ErrorType, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = code;
    this.code = code;
    this.httpStatus = options.httpStatus ?? errorStatus[code];
    this.details = options.details ?? [];
    this.retryAfterS = options.retryAfterS;
    this.allow = options.allow;
  }
}

/** A `ValueError` about one field. */
export function valueError(path: string, message: string, received?: unknown): EngineError {
  return new EngineError('ValueError', `${path} ${message}`, {
    details: [{ path, message, received }],
  });
}

/** A `NotFoundError` that names what was looked for. */
export function notFound(what: string, id: string): EngineError {
  return new EngineError('NotFoundError', `no ${what} "${id.slice(0, 100)}"`);
}

/** Whatever was thrown, as an error of the catalogue; a defect of ours becomes `InternalError`. */
export function asEngineError(thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown;
  return new EngineError('InternalError', 'internal error; the log has the details', { cause: thrown });
}
