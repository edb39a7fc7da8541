import { fields } from "../../../inventory/fields.ts";
import { Rounds } from "../../rounds.ts";
import type { OfficeWorld } from "../../world.ts";
import { toBase64Url } from "@latchkey/codec";
import { orderOf, scopeOf } from "../request-body.ts";
import type { StoredRequest } from "../request-body.ts";
import { questionOf } from "../request-operations.ts";
import type { KeptCopy } from "./copy-table.ts";
import { narrowHoldings } from "./narrow.ts";
import type { ReleaseParts } from "./release-parts.ts";

/** What keeping copies works with besides. */
export interface CopyParts extends ReleaseParts {
  readonly lookUp: Pick<OfficeWorld, "accountOf" | "holdingsOf">;
  nowMs(): number;
  reportBug(error: unknown): void;
}

/**
 * Makes the copies that requests ask for, once each, of what they ask for and nothing else. What was found is
 * said to nobody before the request was verified; that the person deletes the account meanwhile does not touch it.
 */
export class CopyKeeper {
  readonly #parts: CopyParts;
  /** When copies are made. */
  readonly rounds: Rounds;

  constructor(parts: CopyParts) {
    this.#parts = parts;
    this.rounds = new Rounds(() => this.#makeAll(), parts.reportBug);
  }

  async #makeAll(): Promise<void> {
    const { requests, reportBug } = this.#parts;
    for (const { number, body } of requests.open()) {
      if (this.rounds.isStopped) return;
      if (body.preservation?.state !== "asked") continue;
      try {
        await this.#make(requests.require(number));
      } catch (error) {
        if (this.rounds.isStopped) return;
        // It is asked for still, and made with the next tick.
        reportBug(error);
      }
    }
  }

  async #make(request: StoredRequest): Promise<void> {
    const { lookUp, options, requests, copies, trail, transaction, nowMs } = this.#parts;
    const { intake } = request.body;
    const { identifiers } = scopeOf(request);
    // One at a time, so that of fifty accounts one is in memory; what was kept before a crash stays as it was.
    for (const [at, identifier] of intake.identifiers.entries()) {
      // Who was narrowed out is nobody to keep anything of.
      if (!identifiers.includes(at + 1) || copies.marks(request).has(at + 1)) continue;
      const question = questionOf(identifier, options.host);
      const account = question === undefined ? undefined : await lookUp.accountOf(question);
      const held = account === undefined ? undefined : await lookUp.holdingsOf({ accountId: account.accountId });
      if (account === undefined || held === undefined) continue;
      const { bytes, leftOut } = narrowHoldings(held, orderOf(request), (path) => fields[path]?.category);
      const copy: KeptCopy = { accountId: toBase64Url(account.accountId), asOfMs: nowMs(), bytes, leftOut };
      const isKept = transaction(() => {
        // What was ended meanwhile is not kept.
        const isAsked = requests.require(request.number).body.preservation?.state === "asked";
        if (isAsked) copies.keep(request, at + 1, copy);
        return isAsked;
      });
      if (!isKept) return;
    }
    transaction(() => {
      const now = requests.require(request.number);
      const { preservation } = now.body;
      if (preservation?.state !== "asked") return;
      const isAny = copies.marks(now).size > 0;
      requests.amend(now, { preservation: { ...preservation, state: isAny ? "kept" : "nothing" } });
      trail.append({ actor: "desk", act: "copy made", details: { request: now.number } }, nowMs());
    });
  }
}
