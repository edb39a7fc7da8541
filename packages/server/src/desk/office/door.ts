import { CodecError, decode, encode } from "@latchkey/codec";
import { answersReplyCodec, answersRequestCodec, reportAcceptedCodec, sealedReportCodec } from "@latchkey/protocol/reports";
import type { SealedReport } from "@latchkey/protocol/reports";
import { sealedReportHash, signReceipt } from "@latchkey/reports";
import { dayOf } from "../../days.ts";
import { nodeSignatures } from "../../directory/signatures.ts";
import { sha256 } from "../../hash.ts";
import type { SpentToken } from "../../store/token-store.ts";
import type { ArrivalTable, DoorRefusal } from "./arrivals.ts";
import type { DeskSecrets } from "./desk-keys.ts";

/** What is answered at the door: bytes of a structure, or why not. */
export type DoorAnswer = { readonly kind: "reply"; readonly bytes: Uint8Array } | { readonly kind: "refused"; readonly code: DoorRefusal };

/** What the door works with. */
export interface DoorParts {
  readonly secrets: DeskSecrets;
  readonly arrivals: ArrivalTable;
  /** Bytes that may lie there sealed. */
  readonly maxBytes: number;
  /** Bytes that all cases may take: what comes beyond waits at whoever sends it. */
  readonly maxCaseBytes: number;
  /** Bytes that they take. */
  caseBytes(): number;
  transaction<Result>(work: () => Result): Result;
  /** Something can be opened. */
  wake(): void;
}

const none = new Uint8Array();

/**
 * Where reports come in and answers are fetched (spec V-1 to V-4). Nothing is opened before it was answered: what is said at the door is the
 * same, and takes as long, whomever a report is about.
 */
export class Door {
  readonly #parts: DoorParts;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  /** Whether a report is there already: then it costs nothing again. */
  async seen(body: Uint8Array): Promise<DoorAnswer | undefined> {
    const sealed = read(body);
    if (sealed === undefined) return { kind: "refused", code: "malformed" };
    const known = this.#parts.arrivals.known(sealed.reportId, sealedReportHash(sealed));
    if (known === undefined) return undefined;
    return Promise.resolve(known === "conflict" ? { kind: "refused", code: "conflict" } : accepted(known));
  }

  /** Takes a report as it is sealed. The receipt is given when it is on disk. */
  async arrive({ body, spent, nowMs }: { body: Uint8Array; spent: SpentToken | undefined; nowMs: number }): Promise<DoorAnswer> {
    const { secrets, arrivals, transaction, wake } = this.#parts;
    const before = await this.seen(body);
    const sealed = read(body);
    if (before !== undefined || sealed === undefined) return before ?? { kind: "refused", code: "malformed" };
    const { reportId, attachments } = sealed;
    // With what it announced, so that who is taken in is not turned away with half of it.
    const announced = attachments.reduce((sum, { sizeBytes }) => sum + sizeBytes, body.length);
    if (!this.#hasRoom(body.length, announced)) return { kind: "refused", code: "storage_full" };
    const hash = sealedReportHash(sealed);
    const day = dayOf(nowMs);
    const receipt = await signReceipt(nodeSignatures, secrets.signatureKey, { format: 1, reportId, reportHash: hash, day, ext: none });
    const outcome = transaction(() => {
      // Its signature was waited for: the same may have come meanwhile.
      const known = arrivals.known(reportId, hash);
      return known ?? arrivals.add({ reportId, hash, sealed: body, attachments, receipt, day, nowMs, spent });
    });
    if (outcome === "conflict" || outcome === "token_invalid") return { kind: "refused", code: outcome };
    wake();
    return accepted(outcome === "added" ? { receipt, missing: arrivals.missing(reportId) } : outcome);
  }

  /** How large an attachment is that is waited for. */
  announced(hash: Uint8Array): number | undefined {
    return this.#parts.arrivals.sizeOf(hash);
  }

  /** Takes an attachment of a report that announced it. */
  attach({ hash, bytes }: { hash: Uint8Array; bytes: Uint8Array }): DoorAnswer {
    const { arrivals, transaction, wake } = this.#parts;
    const isIt = Buffer.compare(sha256(bytes), hash) === 0;
    if (!isIt) return { kind: "refused", code: "malformed" };
    if (!this.#hasRoom(bytes.length, bytes.length)) return { kind: "refused", code: "storage_full" };
    if (!transaction(() => arrivals.addFile(hash, bytes))) return { kind: "refused", code: "not_found" };
    wake();
    return { kind: "reply", bytes: none };
  }

  #hasRoom(sealedBytes: number, openedBytes: number): boolean {
    const { arrivals, maxBytes, maxCaseBytes, caseBytes } = this.#parts;
    const waiting = arrivals.sizeBytes();
    return waiting + sealedBytes <= maxBytes && caseBytes() + waiting + openedBytes <= maxCaseBytes;
  }

  /** What lies in mailboxes: of one that nobody has a report for, nothing. */
  answers(body: Uint8Array): DoorAnswer {
    try {
      const { mailboxes } = decode(answersRequestCodec, body);
      const found = this.#parts.arrivals.answers(mailboxes);
      return { kind: "reply", bytes: encode(answersReplyCodec, { format: 1, mailboxes: found }) };
    } catch (error) {
      if (error instanceof CodecError) return { kind: "refused", code: "malformed" };
      throw error;
    }
  }
}

function accepted(known: { receipt: Uint8Array; missing: readonly Uint8Array[] }): DoorAnswer {
  return { kind: "reply", bytes: encode(reportAcceptedCodec, { format: 1, ...known }) };
}

function read(body: Uint8Array): SealedReport | undefined {
  try {
    return decode(sealedReportCodec, body);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
