import type { KnownWireErrorCode } from "@latchkey/protocol";

/** Why a server does not start or stopped. */
export type ServerErrorCode =
  | "port_in_use"
  | "address_not_allowed"
  | "data_newer" // the data directory was written by a newer version
  | "data_locked" // another server uses the data directory
  | "data_unusable" // the data directory cannot be read or written, or is damaged
  | "disk_full" // the data directory has no room to be opened
  | "invalid_options"
  | "tls_unusable" // the certificate or its key cannot be read, or the two do not belong together
  | "journal_unusable" // the journal of the public record cannot be read or written, or is damaged
  | "bucket_failed" // a bucket of S3 does not answer, refuses, or does what no bucket does
  | "database_failed" // PostgreSQL does not answer, refuses, or is set as it must not be
  | "backup_failed"
  | "restore_failed"
  | "wrong_passphrase" // of the keys in a backup
  | "store_failed"; // the store stopped by itself

/** A failure of the server as a whole. Its message is one line for the person who started it and says what to do. */
export class ServerError extends Error {
  override readonly name: string = "ServerError";
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** A request that is answered with a typed refusal. Holds nothing of the request, nor where it was made: whoever is refused a thousand times a second would pay for that least. */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
  readonly code: KnownWireErrorCode;
  /** When to try again, in milliseconds; 0 where that does not help by itself. */
  readonly retryAfterMs: number;

  constructor(code: KnownWireErrorCode, retryAfterMs: number = 0) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(code);
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What the store could not do. Whether it was persisted is not known unless the code says so. */
export type StoreErrorCode =
  | "full" // no space; nothing of the operation was persisted
  | "closed" // the store is closed or closing; nothing was persisted
  | "unavailable" // the database is away; whether it was persisted is not known: a retry of the same bytes is safe
  | "unjournaled" // the journal of the public record cannot be written: nobody sees it until then, and a retry of the same bytes is safe
  | "failed"; // it may or may not have been persisted: a retry of the same bytes is safe

/** A failure of the store under one operation. */
export class StoreError extends Error {
  override readonly name: string = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, options: { cause?: unknown } = {}) {
    super(`store: ${code}`, options);
    this.code = code;
  }
}

/** What an error of the store's engine says of itself, as it crosses from its thread. */
export interface StoreFaultParts {
  readonly name: string;
  /** SQLite's extended result code, and its fixed words for that; absent where it is another error. */
  readonly errcode?: number;
  readonly errstr?: string;
  /** The word for it of another database, or of the system on the way there, such as `SQLSTATE_23505`; absent where there is none. */
  readonly code?: string;
  /** Places in the code. */
  readonly stack: string;
}

/** An error of the store's engine, without its message: that may hold values of the SQL. The cause of a StoreError `failed` or `unavailable`. */
export class StoreFault extends Error {
  override readonly name: string;
  readonly errcode: number | undefined;
  readonly errstr: string | undefined;
  readonly code: string | undefined;

  constructor({ name, errcode, errstr, code, stack }: StoreFaultParts) {
    super(errstr ?? name);
    this.name = name;
    this.errcode = errcode;
    this.errstr = errstr;
    this.code = code;
    this.stack = stack;
  }
}
