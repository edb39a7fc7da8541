// The part of the catalogue that is about the rules of large groups (see mutants-catalogue.js).
import { of } from "./mutation.js";

const client = "packages/client/src";

/** Mutations of how often settings are set, what is folded in slow mode, when leaves are renewed and who says what they read. */
export const groupMutants = [
  ...of(
    `${client}/core/renewal.ts`,
    [`${client}/core/renewal.test.ts`],
    [
      ["two renewals in an hour (R-6)", " && hourOf(Math.min(lastAtMs, nowMs)) < hourOf(nowMs)", ""],
      ["a renewal that is not due (R-6)", "nowMs >= Math.min(ownAtMs, nowMs) + dueAfterMs(order.length) && ", ""],
      ["all at once (R-6)", "rank * Math.min(stepMs, turnsMs / Math.max(1, order.length))", "0"],
      ["one member uses up every hour (R-6)", "pathAloneAtMs === undefined || isRecent", "pathAloneAtMs === undefined"],
      ["a stamp of a time to come (E-105)", "Math.max(lastAtMs, Math.min(pathAloneAtMs, nowMs))", "Math.max(lastAtMs, pathAloneAtMs)"],
      ["neighbours renew theirs first (R-6)", "const turns = spread(", "const turns = ("],
      ["what was renewed stays the oldest (R-6)", "known.filter((leaf) => leaf !== author && ", "known.filter((leaf) => "],
    ],
  ),
  ...of(
    `${client}/core/merged-settings.ts`,
    [`${client}/core/merged-settings.test.ts`],
    [
      ["of what waits together only the last is made (X-19)", "mergedEdit(earlier.settings ?? {}, later.settings ?? {})", "later.settings"],
      ["whoever waits for what was made along is not told (X-19)", "[id, ...merged]", "[id]"],
      ["what was set first counts (X-19)", "name: later.name ?? earlier.name", "name: earlier.name ?? later.name"],
    ],
  ),
  ...of(
    `${client}/core/changes.ts`,
    [`${client}/core/merged-settings.test.ts`],
    [
      [
        "what one may not set takes along what one may (X-19)",
        "if (change !== changes[0]) return await stageNextChange(turn, true);\n      const",
        "const",
      ],
    ],
  ),
  ...of(
    `${client}/engine/settings-pace.ts`,
    [`${client}/engine/settings-pace.test.ts`],
    [
      ["no wait between settings (X-19)", "past.map(({ atMs }) => atMs + betweenMs)", "past.map(() => 0)"],
      ["a fifth timer in the hour (X-19)", "if (isTimer && fourth !== undefined)", "if (false)"],
      [
        "who stops somebody waits (X-19)",
        "if (!isTimer && edit.name === undefined && edit.description === undefined && edit.picture === undefined) return 0;",
        "",
      ],
    ],
  ),
  ...of(
    `${client}/timeline/slow-mode.ts`,
    [`${client}/timeline/slow-mode.test.ts`],
    [
      [
        "a stamp that goes back counts as waiting (X-20)",
        "claimedAtMs < last.stampMs + slowModeS * 1000",
        "Math.abs(claimedAtMs - last.stampMs) < slowModeS * 1000",
      ],
      [
        "who claims no time has waited (X-20)",
        'if (claimedAtMs === undefined) return "early";',
        'if (claimedAtMs === undefined) return "kept";',
      ],
      ["a foreign device has an account wait (E-104)", "if (device === undefined) tx.put", "tx.put"],
      ["another slow mode does not begin anew (X-20)", "last?.slowModeS === slowModeS && claimedAtMs", "last !== undefined && claimedAtMs"],
      ["a clock that is ahead (X-20)", "claimedAtMs > arrivedAtMs + aheadMs", "false"],
    ],
  ),
  ...of(
    `${client}/receipts/queries.ts`,
    [`${client}/receipts/queries.test.ts`],
    [
      ["anybody asks of any message (R-3)", "line?.message === undefined || !isTheirs || ", "line?.message === undefined || "],
      ["what was not read is said to be (R-3)", " || line.order > state.readThrough) return;", ") return;"],
      ["more than a hundred answer (R-3)", "marks.length >= maxAnswers || ", ""],
      ["every device of a person answers (R-3)", " || marks.some(([account]) => account === toBase64Url(own.accountId))", ""],
      ["questions without end (E-107)", "taken.has(account) || taken.size >= maxAnsweredInHour", "taken.has(account)"],
      ["the same again within the hour (E-107)", "taken.has(account) || taken.size", "taken.size"],
      ["an old question (E-107)", "claimedAtMs === undefined || Math.abs(nowMs - claimedAtMs) > freshMs", "claimedAtMs === undefined"],
      ["an answer by who does not say what they read (R-3)", "if (!this.#access.isOn() || !isWritable(state)", "if (!isWritable(state)"],
    ],
  ),
];
