import { of } from "./mutation.js";

const server = "packages/server/src";

/** What keeps a server whole and fair: its clock, its start, turns, bounds, and what an administrator grants. */
export const serverMutants = [
  ...of(
    `${server}/clock/clock-guard.ts`,
    [`${server}/clock/clock-guard.test.ts`],
    [
      [
        "a clock far from what is known that is believed",
        "if (!isContradicted && (isNear || this.#even.measure(wallMs, passedMs) >= clockTrialMs))",
        "if (true)",
      ],
      ["witnesses that say another day in vain", "this.#contradictedAt = passedMs;", ""],
      ["a doubted clock that is believed at once", "this.#even.measure(wallMs, passedMs) >= clockTrialMs", "true"],
      ["time that stands while the clock is doubted", "this.#anchor.wallMs + (passedMs - this.#anchor.passedMs)", "this.#anchor.wallMs"],
    ],
  ),
  ...of(
    `${server}/clock/record-clock.ts`,
    [`${server}/clock/record-clock.test.ts`],
    [
      ["a public record that is dated by any clock (D-2)", "wallMs - expectedMs <= clockToleranceMs ||", "true ||"],
      ["a record that stays ahead of its witnesses", "wallMs: isAgainst ? againstMs : middleMs", "wallMs: Math.max(expectedMs, middleMs)"],
    ],
  ),
  ...of(
    `${server}/clock/dated-back.ts`,
    [`${server}/clock/dated-back.test.ts`],
    [["everything waits for what came in any doubt", "fromDay < day && day <= untilDay", "day <= untilDay"]],
  ),
  ...of(
    `${server}/clock/held.ts`,
    [`${server}/clock/clock.test.ts`],
    [["a public record that goes on ahead of the machine's clock (D-2)", "wallMs + clockToleranceMs;", "Infinity;"]],
  ),
  ...of(
    `${server}/clock/open-clock.ts`,
    [`${server}/clock/clock.test.ts`],
    [["a day with a wrong digit that counts", "!isBorneOut(clockFile.recordedMs)", "false"]],
  ),
  ...of(
    `${server}/housekeeping.ts`,
    [`${server}/clock/clock.test.ts`],
    [
      ["what came while the clock was doubted expires with what is old", "{ fromDay, untilDay: today }", "{ fromDay, untilDay: fromDay }"],
      [
        "a doubt that begins anew with every start",
        "if (trial !== undefined) clockFile.recordDoubt(trial, publicRecord);",
        "if (trial !== undefined) return;",
      ],
    ],
  ),
  ...of(
    `${server}/backup/backup.ts`,
    [`${server}/backup/backup.test.ts`],
    [
      ["backups by their names, and with them by the clock", "a.manifest.sequence - b.manifest.sequence || ", ""],
      ["backups of another server that are dropped", "manifest.record.first === first", "first !== undefined"],
      ["a backup that knows more is dropped for one that knows less", "manifest.record.size <= size", "manifest.record.size >= 0"],
    ],
  ),
  ...of(
    `${server}/directory/seen.ts`,
    [`${server}/directory/seen.test.ts`],
    [
      ["a public log behind what was shown of it", "(newest === undefined || newest.size < seen.size)", "newest === undefined"],
      ["a public log that is another one than was shown", "!(await isContinued(store, seen, newest.note))", "false"],
      ["logs that are older than what was published of them", "if (await store.areLogsBehind())", "if (false)"],
    ],
  ),
  ...of(
    `${server}/admission/fair-queue.ts`,
    [`${server}/admission/fair-queue.test.ts`],
    [
      ["addresses out of turn", "if (lanes.size > 0) this.#queueUp(address, size);", "waiting.clear();"],
      ["one address that takes all of the store while others are about", "if (address.units >= this.#limits.perAddress) return false;", ""],
    ],
  ),
  ...of(
    `${server}/admission/targets.ts`,
    [`${server}/admission/targets.test.ts`],
    [
      ["one address that uses up an inbox for everybody", "if (strangerPostLeast.takeOf(`${key} `, address, nowMs) > 0) ", ""],
      [
        "one-time key packages for whoever asks most",
        "return ownMs > 0 ? ownMs : this.#tables.takeKeyPackageInAll.take(key, nowMs);",
        "return 0;",
      ],
    ],
  ),
  ...of(
    `${server}/ws/memory-budget.ts`,
    [`${server}/ws/memory-budget.test.ts`],
    [["memory of all connections without a bound", "if (byBytes > 0 && !this.#isRelieving) this.#relieve(holder);", ""]],
  ),
  ...of(
    `${server}/ws/origin.ts`,
    [`${server}/ws/origin.test.ts`],
    [["the page of another site", "if (asked === undefined) return false;", "if (true) return true;"]],
  ),
  ...of(
    `${server}/store/sql/admin-tables.ts`,
    [`${server}/admin/admin.test.ts`],
    [
      [
        "an invitation that is used more often than it may be",
        "UPDATE invitations SET uses_left = uses_left - 1 WHERE code_hash = ? AND uses_left > 0 AND last_day >= ?",
        "UPDATE invitations SET uses_left = uses_left + 0 WHERE code_hash = ? AND uses_left > 0 AND last_day >= ?",
      ],
    ],
  ),
  ...of(
    `${server}/blobs/half-upload.ts`,
    [`${server}/http/uploads.test.ts`],
    [
      ["bytes of an upload that count without their hash (E-141)", "if (equalBytes(hash.copy().digest(), point.sha256)) found", "found"],
      ["an upload that goes on where its earlier point is (E-141)", "if (found.point === this.latest) return;", "return;"],
      ["more than was announced (E-140)", "if (position + bytes > this.sizeBytes) throw", "if (false) throw"],
      ["what came of a part that broke off (E-140)", "if (position > this.#offset) await this.#mark(file, position);", ""],
    ],
  ),
  ...of(
    `${server}/blobs/uploads.ts`,
    [`${server}/http/uploads.test.ts`],
    [
      ["a part that is written anywhere (E-140)", 'if (upload.offset !== offset) return { kind: "elsewhere" };', ""],
      ["an upload that stays for ever (E-140)", "({ upload }) => upload.day < before", "() => false"],
      [
        "a blob that came and has no row (E-141)",
        'if (upload.offset === upload.sizeBytes && (await this.#finish(held)) === "different") return undefined;',
        "",
      ],
      ["bytes of a run before that take no room", "const room = this.#room.found(countedBytes)", "const room = this.#room.found(0)"],
    ],
  ),
  ...of(
    `${server}/blobs/upload-table.ts`,
    [`${server}/http/uploads.test.ts`],
    [
      ["uploads of one address without end (E-140)", "factor * maxUploadsPerAddress", "Infinity"],
      ["whole uploads that keep their place (E-140)", "    this.#leave(held.name);\n    if (this.#uploads", "    if (this.#uploads"],
      ["whoever has least goes for a newcomer (E-140)", "this.#countOf(key) > most", "this.#countOf(key) > most && most === 0"],
    ],
  ),
  ...of(
    `${server}/http/upload-routes.ts`,
    [`${server}/http/uploads.test.ts`],
    [
      ["a name beside the blob's id (E-140)", "=)$/.exec(text)", "=)/.exec(text)"],
      ["bytes that nobody pays for", "      pay(next);\n", ""],
    ],
  ),
];
