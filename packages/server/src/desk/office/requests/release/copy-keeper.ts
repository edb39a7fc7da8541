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
    const made = new Map<number, KeptCopy>();
    for (const [at, identifier] of intake.identifiers.entries()) {
      // Who was narrowed out is nobody to keep anything of.
      if (!identifiers.includes(at + 1)) continue;
      const question = questionOf(identifier, options.host);
      const account = question === undefined ? undefined : await lookUp.accountOf(question);
      const held = account === undefined ? undefined : await lookUp.holdingsOf({ accountId: account.accountId });
      if (account === undefined || held === undefined) continue;
      const { bytes, leftOut } = narrowHoldings(held, orderOf(request), (path) => fields[path]?.category);
      made.set(at + 1, { accountId: toBase64Url(account.accountId), asOfMs: nowMs(), bytes, leftOut });
    }
    transaction(() => {
      const now = requests.require(request.number);
      const { preservation } = now.body;
      // What was ended meanwhile is not kept.
      if (preservation?.state !== "asked") return;
      for (const [place, copy] of made) copies.keep(now, place, copy);
      requests.amend(now, { preservation: { ...preservation, state: made.size === 0 ? "nothing" : "kept" } });
      trail.append({ actor: "desk", act: "copy made", details: { request: now.number } }, nowMs());
    });
  }
}
