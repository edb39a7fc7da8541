import { maxKnocks, maxLinkLifeMs } from "@latchkey/protocol";
import type { EraseKnocks, KnockPage, LinkInboxReader, OpenLinkInbox, PostKnock, ReadKnocks } from "@latchkey/protocol";
import { timingSafeEqual } from "node:crypto";
import { purgedAtOnce } from "../config.ts";
import type { ServerContext } from "../config.ts";
import { dayMs, dayOf } from "../days.ts";
import { Refusal } from "../errors.ts";
import { sha256 } from "../hash.ts";
import type { Counters } from "../metrics.ts";
import type { LinkStore } from "../store/link-store.ts";
import type { SpentToken } from "../store/token-store.ts";

/** A request with what it spends. */
type Spending<Request> = Omit<Request, "token"> & { readonly spent: SpentToken | undefined };

/** Knocks of one page: they fit a frame. */
const pageKnocks = 56;
const maxLifeDays = maxLinkLifeMs / dayMs + 1;

/**
 * The inboxes of join links (spec I-5): anybody opens one, whoever has its id knocks, whoever has its read key reads. Which account or which
 * group it is for nobody here knows.
 */
export class LinkInboxes {
  readonly #store: LinkStore;
  readonly #context: ServerContext;
  readonly #counters: Counters;

  constructor(params: { store: LinkStore; context: ServerContext; counters: Counters }) {
    this.#store = params.store;
    this.#context = params.context;
    this.#counters = params.counters;
  }

  /** Opens an inbox, for as long as it asks and 30 days at most. @throws Refusal `clock_off`, `log_exists`, `storage_full` */
  async open({ linkId, readHash, key, notAfterMs, spent: token }: Spending<OpenLinkInbox>): Promise<void> {
    const day = this.#today();
    const lastDay = Math.min(dayOf(notAfterMs), day + maxLifeDays);
    if (lastDay < day) throw new Refusal("clock_off");
    const { maxLinkInboxes: maxLinks } = this.#context.limits;
    const stored = await this.#store.openLinkInbox({ linkId, readHash, key, lastDay, maxLinks, day, token });
    if (stored.kind === "refused") throw new Refusal(stored.code);
    if (stored.isNew) this.#counters.linkInboxesOpened += 1;
  }

  /** What knocks are sealed to. @throws Refusal `not_found` */
  async key(linkId: Uint8Array): Promise<Uint8Array> {
    const inbox = await this.#store.linkInbox({ linkId, day: this.#today() });
    if (inbox === undefined) throw new Refusal("not_found");
    return inbox.key;
  }

  /** @throws Refusal `not_found`, `inbox_full` */
  async knock({ linkId, blob, spent: token }: Spending<PostKnock>): Promise<void> {
    const stored = await this.#store.putKnock({ linkId, blob, day: this.#today(), maxKnocks, token });
    if (stored.kind === "refused") throw new Refusal(stored.code);
    if (stored.isNew) this.#counters.knocksStored += 1;
  }

  /** @throws Refusal `not_found`, `wrong_access_key` */
  async read(request: ReadKnocks): Promise<KnockPage> {
    await this.#requireReader(request);
    const { linkId, afterSeq } = request;
    return this.#store.readKnocks({ linkId, afterSeq, maxItems: pageKnocks });
  }

  /** @throws Refusal `not_found`, `wrong_access_key` */
  async erase(request: EraseKnocks): Promise<void> {
    await this.#requireReader(request);
    await this.#store.eraseKnocks({ linkId: request.linkId, seqs: request.seqs });
  }

  /** @throws Refusal `not_found`, `wrong_access_key` */
  async close(request: LinkInboxReader): Promise<void> {
    await this.#requireReader(request);
    await this.#store.closeLinkInbox({ linkId: request.linkId });
  }

  /** Erases those whose time is over. Answers how many. */
  async purge(): Promise<number> {
    const day = this.#today();
    let removed = 0;
    for (;;) {
      const count = await this.#store.purgeLinkInboxes({ day, lastDay: day + maxLifeDays, maxItems: purgedAtOnce });
      removed += count;
      if (count < purgedAtOnce) return removed;
    }
  }

  async #requireReader({ linkId, readKey }: LinkInboxReader): Promise<void> {
    const inbox = await this.#store.linkInbox({ linkId, day: this.#today() });
    if (inbox === undefined) throw new Refusal("not_found");
    if (!timingSafeEqual(sha256(readKey), inbox.readHash)) throw new Refusal("wrong_access_key");
  }

  #today(): number {
    return dayOf(this.#context.nowMs());
  }
}
