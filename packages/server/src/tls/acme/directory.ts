import { readAtMost } from "@latchkey/codec";
import { signRequest } from "./jws.ts";
import type { Signer } from "./jws.ts";
import { dayMs } from "../../days.ts";

/** What kept a certificate from coming. */
export type AcmeErrorCode =
  | "unreachable" // the authority does not answer, or not to the end
  | "bad_answer" // it answers, and not as ACME does, or comes to no end
  | "refused" // it says no; `problem` has its word for why
  | "not_proven" // it could not check the name
  | "unusable" // it sent a certificate that is of no use
  | "not_kept" // what it sent could not be read again from the disk
  | "stopped"; // the server stops

/** Why no certificate came, in one sentence for the operator. It holds nothing of what the authority wrote but its error's type. */
export class AcmeError extends Error {
  override readonly name: string = "AcmeError";
  readonly code: AcmeErrorCode;
  /** When to try again at the earliest, in milliseconds from now; 0 where the authority did not say. */
  readonly retryAfterMs: number;
  /** The type of the authority's refusal, such as `badNonce`; absent where it did not refuse. */
  readonly problem: string | undefined;

  constructor(code: AcmeErrorCode, message: string, options: { cause?: unknown; retryAfterMs?: number; problem?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.problem = options.problem;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** An answer of the authority. */
export interface AcmeAnswer {
  readonly body: Uint8Array;
  /** The `Location` header: the URL of what was made. */
  readonly location: string | undefined;
  readonly retryAfterMs: number;
}

const requestTimeoutMs = 30_000;
const maxAnswerBytes = 262_144;
const triesOfNonce = 5;
const longestWaitMs = dayMs;

/** The authority's resources, and the nonces that its requests need (RFC 8555 sections 6.5 and 7.1). */
export class AcmeDirectory {
  readonly #fetch: typeof fetch;
  readonly #resources: Readonly<Record<string, unknown>>;
  #nonce: string | undefined;

  private constructor(fetchFrom: typeof fetch, resources: Readonly<Record<string, unknown>>) {
    this.#fetch = fetchFrom;
    this.#resources = resources;
  }

  /** @throws AcmeError */
  static async open(url: string, fetchFrom: typeof fetch = fetch): Promise<AcmeDirectory> {
    const { body } = await read(await send(fetchFrom, url, { method: "GET" }));
    return new AcmeDirectory(fetchFrom, parseObject(body));
  }

  /** The URL of a resource, such as `newOrder`. @throws AcmeError */
  resource(name: string): string {
    return urlIn(this.#resources, name);
  }

  /** Sends a signed request; without a payload it only reads. @throws AcmeError */
  async post(url: string, params: { keyPem: string; signer: Signer; payload?: unknown }): Promise<AcmeAnswer> {
    for (let attempt = 1; ; attempt++) {
      const nonce = this.#nonce ?? (await this.#freshNonce());
      this.#nonce = undefined;
      const headers = { "content-type": "application/jose+json" };
      const response = await send(this.#fetch, url, { method: "POST", headers, body: signRequest({ ...params, nonce, url }) });
      this.#nonce = response.headers.get("replay-nonce") ?? undefined;
      try {
        return await read(response);
      } catch (error) {
        // A nonce may be refused at any time; the refusal brings a new one (section 6.5).
        const isNonce = error instanceof AcmeError && error.problem === "badNonce";
        if (!isNonce || attempt >= triesOfNonce) throw error;
      }
    }
  }

  async #freshNonce(): Promise<string> {
    const response = await send(this.#fetch, this.resource("newNonce"), { method: "HEAD" });
    const nonce = response.headers.get("replay-nonce");
    if (nonce === null) throw new AcmeError("bad_answer", "The certificate authority gives out no nonce.");
    return nonce;
  }
}

/** The members of a JSON object. @throws AcmeError */
export function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.fromEntries(Object.entries(value));
  } catch {
    // As below.
  }
  throw notAcme();
}

function notAcme(): AcmeError {
  return new AcmeError("bad_answer", "The certificate authority's answer is not of ACME: check --acme-directory.");
}

/** A member that is an https URL. @throws AcmeError */
export function urlIn(object: Readonly<Record<string, unknown>>, name: string): string {
  const value = object[name];
  if (typeof value !== "string" || !URL.canParse(value) || new URL(value).protocol !== "https:") {
    throw notAcme();
  }
  return value;
}

async function send(fetchFrom: typeof fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetchFrom(url, { ...init, redirect: "error", signal: AbortSignal.timeout(requestTimeoutMs) });
  } catch (cause) {
    throw new AcmeError("unreachable", "The certificate authority cannot be reached.", { cause });
  }
}

async function read(response: Response): Promise<AcmeAnswer> {
  const body = await bounded(response);
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"));
  if (response.ok) return { body, location: response.headers.get("location") ?? undefined, retryAfterMs };
  const problem = problemOf(body);
  throw new AcmeError("refused", `The certificate authority refuses: ${problem} (${response.status}).`, { retryAfterMs, problem });
}

async function bounded(response: Response): Promise<Uint8Array> {
  const body = await readAtMost(response.body, maxAnswerBytes).catch((cause: unknown) => {
    throw new AcmeError("unreachable", "The certificate authority's answer broke off.", { cause });
  });
  if (body === undefined) throw new AcmeError("bad_answer", "The certificate authority's answer is too long.");
  return body;
}

/** The type of a problem document, which is a short word (RFC 8555 section 6.7). */
export function problemOf(body: Uint8Array): string {
  try {
    const { type } = parseObject(body);
    const word = typeof type === "string" ? /^urn:ietf:params:acme:error:([A-Za-z]{1,40})$/.exec(type)?.[1] : undefined;
    return word ?? "for a reason that it does not name";
  } catch {
    return "without an answer of ACME";
  }
}

function parseRetryAfter(header: string | null): number {
  if (header === null) return 0;
  const waitMs = /^\d{1,8}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(waitMs) ? 0 : Math.min(Math.max(waitMs, 0), longestWaitMs);
}
