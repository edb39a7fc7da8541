import { of } from "./mutation.js";

const client = "packages/client/src";
const server = "packages/server/src";

/** Append capabilities (I-1): who is told, what counts, and what it lets into. */
export const inboxMutants = [
  ...of(
    `${client}/core/content.ts`,
    [`${client}/core/content.test.ts`],
    [
      [
        "an append secret of a third account (I-1)",
        "if (account !== turn.context.self.account && !equalBytes(peer, accountId)) return;",
        "",
      ],
      [
        "an append secret of a device that nobody vouched for (I-1)",
        'if (standing === "proven") learnAppendSecret(',
        "if (true) learnAppendSecret(",
      ],
    ],
  ),
  ...of(
    `${client}/engine/append-secrets.ts`,
    [`${client}/engine/append-secrets.test.ts`],
    [
      ["an append secret of the future (I-1)", "Math.min(told.generation, this.#deps.platform.nowMs())", "told.generation"],
      [
        "an earlier append secret of a contact (I-1)",
        "if (!isLater(taken, stored === undefined ? undefined : decode(appendSecretCodec, stored))) return;",
        "",
      ],
      ["an earlier append secret of one's own (I-1)", "if (!isLater(told, await ownIn(tx))) return false;", ""],
      ["one's own append secret of far ahead (I-1)", "if (!canBe(told.generation, platform.nowMs()))", "if (false)"],
      ["a renewal that is no later than the one before (I-1)", "Math.max(platform.nowMs(), before + 1)", "platform.nowMs()"],
      [
        "renewals for the server's word (I-1, E-49)",
        "if (this.#own !== undefined && this.#own.generation + dayMs > this.#deps.platform.nowMs()) return;",
        "",
      ],
      ["an append secret that somebody was told and is blocked (I-1)", "if (isTold) await this.#renewNow();", ""],
      ["a late word of an earlier append secret (I-1)", "if (!isLater({ generation, secret }, before)) return;", ""],
      ["a renewal while a removed device may be told (I-1)", "if ((await tx.get(dueKey)) === undefined) return undefined;", ""],
    ],
  ),
  ...of(
    `${client}/engine/standings.ts`,
    [`${client}/engine/append-secrets.test.ts`],
    [
      [
        "a block that is told before it counts (I-1, E-44)",
        "for (const [account, standing] of said) this.#known.set(account, standing);\n",
        "",
      ],
    ],
  ),
  ...of(
    `${server}/inboxes/inbox-service.ts`,
    [`${server}/inboxes/capabilities.test.ts`],
    [
      [
        "a wrong capability (I-1)",
        'expected !== undefined && timingSafeEqual(hash, expected) ? "contacts"',
        'expected !== undefined ? "contacts"',
      ],
    ],
  ),
  ...of(
    `${server}/store/sql/inbox-tables.ts`,
    [`${server}/inboxes/capabilities.test.ts`],
    [
      ["an earlier capability (I-1)", "if (generation < inbox.generation)", "if (false)"],
      ["one room for contacts and strangers (I-1)", "isStranger ? inbox.strangerItems : inbox.items - inbox.strangerItems", "inbox.items"],
    ],
  ),
  ...of(
    `${server}/ws/post-session.ts`,
    [`${server}/inboxes/capabilities.test.ts`],
    [
      [
        "wrong capabilities without the strangers' rate (I-1)",
        'if (part === "strangers" && !isNoCapability(item.capability))',
        "if (false)",
      ],
    ],
  ),
];
