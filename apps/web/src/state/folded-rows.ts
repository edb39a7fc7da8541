import type { Message } from "@latchkey/client";
import type { Row } from "./timeline.ts";

/** So many settings that one person changed one after the other are shown as they are; more are one line. */
const settingsShown = 3;

const settingsKinds: ReadonlySet<Message["body"]["kind"]> = new Set<Message["body"]["kind"]>([
  "renamed",
  "described",
  "picture_changed",
  "timer_changed",
  "slow_mode_changed",
  "rights_changed",
  "role_changed",
]);

/**
 * The rows with those that follow one another behind one line: what one person wrote sooner than slow mode allows, and settings that one person
 * changed again and again (spec ). `opened`: keys of those that the person opened, which are followed by what stands in them.
 */
export function foldRows(rows: readonly Row[], opened: ReadonlySet<string>): readonly Row[] {
  const folded: Row[] = [];
  for (let at = 0; at < rows.length;) {
    const run = runFrom(rows, at);
    const [first] = run;
    if (first === undefined) {
      const row = rows[at];
      if (row !== undefined) folded.push(row);
      at += 1;
      continue;
    }
    const key = `fold:${first.key}`;
    const isOpen = opened.has(key);
    const throughOrder = run.at(-1)?.message.order ?? first.message.order;
    const what = first.kind === "message" ? "early" : "settings";
    folded.push({ kind: "folded", key, what, count: run.length, author: first.message.author, isOpen, throughOrder });
    if (isOpen) folded.push(...run);
    at += run.length;
  }
  return folded;
}

type Line = Extract<Row, { readonly message: Message }>;

/** The rows from there on that go behind one line; none where the first of them stands for itself. */
function runFrom(rows: readonly Row[], at: number): readonly Line[] {
  const first = rows[at];
  if (first === undefined || !("message" in first) || !isFolding(first)) return [];
  const isNext = (row: Row | undefined): row is Line =>
    row !== undefined &&
    "message" in row &&
    row.kind === first.kind &&
    isFolding(row) &&
    row.message.author?.accountId === first.message.author?.accountId;
  const run: Line[] = [];
  for (let next = rows[at]; isNext(next); next = rows[at + run.length]) run.push(next);
  return first.kind === "message" || run.length > settingsShown ? run : [];
}

function isFolding({ kind, message }: Line): boolean {
  return kind === "message" ? message.folded === true : kind === "system" && settingsKinds.has(message.body.kind);
}
