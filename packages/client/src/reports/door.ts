import { CodecError, decode, encode, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import {
  answersReplyCodec,
  answersRequestCodec,
  maxAnswersReplyBytes,
  reportAcceptedCodec,
  reportAttachmentPath,
  reportPaths,
} from "@latchkey/protocol/reports";
import type { MailboxAnswers, MailboxAt, ReportAccepted } from "@latchkey/protocol/reports";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { ownCode } from "../transport/between.ts";
import { apart, damaged, orOffline, refused } from "../transport/blob-answers.ts";
import { fetchWithin, readBody } from "../transport/fetch-within.ts";

/** The door of a host's desk (spec V-1, V-4): by nobody, over HTTP. */
export interface Door {
  readonly platform: Pick<Platform, "fetch" | "setTimer">;
  /** Of the host's HTTP, without a slash at its end. */
  readonly baseUrl: string;
}

const maxAcceptedBytes = 4096;
/** Uploads may take so long, and longer by their size. */
const uploadMs = 60_000;
const uploadBytesPerMs = 4;

/** What becomes of a report at the door. */
export type DoorAnswer =
  | ({ readonly kind: "accepted" } & ReportAccepted)
  /** It wants a token, or another one. */
  | { readonly kind: "refused"; readonly code: "token_required" | "token_invalid" };

/** Hands a sealed report in; the same bytes again, their token apart, are answered alike. @throws ClientError; without `canRetry` where it is never taken */
export async function postReport(door: Door, sealed: Uint8Array): Promise<DoorAnswer> {
  const what = { path: reportPaths.reports, body: sealed, codec: reportAcceptedCodec, maxBytes: maxAcceptedBytes };
  try {
    return { kind: "accepted", ...(await post(door, what)) };
  } catch (error) {
    if (error instanceof TokenWanted) return { kind: "refused", code: error.code };
    throw error;
  }
}

/** Brings a file that a report announced. @throws ClientError; without `canRetry` where it is not taken, or nobody waits for it any more */
export async function postAttachment(door: Door, hash: Uint8Array, sealed: Uint8Array): Promise<void> {
  await send(door, reportAttachmentPath(toBase64Url(hash)), sealed, {
    use: () => Promise.resolve(),
    refusedBy: (status, code) =>
      code === "not_found" ? new ClientError("server_refused", "The desk waits for this file no more.") : refusedBy(status, code),
  });
}

/** What lies in these mailboxes, in their order. @throws ClientError */
export async function fetchAnswers(door: Door, mailboxes: readonly MailboxAt[]): Promise<readonly MailboxAnswers[]> {
  const body = encode(answersRequestCodec, { format: 1, mailboxes });
  const reply = await post(door, { path: reportPaths.answers, body, codec: answersReplyCodec, maxBytes: maxAnswersReplyBytes + 4096 });
  if (reply.mailboxes.length !== mailboxes.length) throw damaged();
  return reply.mailboxes;
}

async function post<T>(
  door: Door,
  {
    path,
    body,
    codec,
    maxBytes,
  }: { readonly path: string; readonly body: Uint8Array; readonly codec: Codec<T>; readonly maxBytes: number },
): Promise<T> {
  const use = async (response: Response): Promise<T> => {
    const bytes = await readBody(response, maxBytes);
    try {
      if (bytes !== undefined) return decode(codec, bytes);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
    }
    // A page of something in between, as like as not, whatever its length.
    throw new ClientError("way_blocked", "Something between here and the server answers in its place.");
  };
  return await send(door, path, body, { use, refusedBy });
}

/** What is made of an answer, and of a refusal by its status and the server's own code. */
interface Reading<T> {
  use(this: void, response: Response): Promise<T>;
  refusedBy(this: void, status: number, code: string | undefined): Error;
}

async function send<T>({ platform, baseUrl }: Door, path: string, body: Uint8Array, reading: Reading<T>): Promise<T> {
  const init: RequestInit = {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    // A copy over a plain ArrayBuffer, which is what a body may be.
    body: new Uint8Array(body),
    ...apart,
  };
  const timeoutMs = uploadMs + body.length / uploadBytesPerMs;
  // What it is refused for is no failure of the network.
  const answer = await orOffline(() =>
    fetchWithin(
      platform,
      `${baseUrl}${path}`,
      init,
      async (response): Promise<{ readonly value: T } | { readonly refusal: Error }> =>
        response.ok ? { value: await reading.use(response) } : { refusal: reading.refusedBy(response.status, await ownCode(response)) },
      timeoutMs,
    ),
  );
  if ("refusal" in answer) throw answer.refusal;
  return answer.value;
}

/** Not a failure of the request: it is asked again with a token. */
class TokenWanted extends Error {
  override readonly name = "TokenWanted";
  readonly code: "token_required" | "token_invalid";

  constructor(code: TokenWanted["code"]) {
    super("the door wants a token");
    this.code = code;
  }
}

function refusedBy(status: number, code: string | undefined): Error {
  if (code === "token_required" || code === "token_invalid") return new TokenWanted(code);
  if (code === "malformed" || code === "conflict") return new ClientError("server_refused", "The desk does not take this report.");
  return refused(status, code, "put");
}
