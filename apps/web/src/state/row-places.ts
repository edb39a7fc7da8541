import type { Message } from "@latchkey/client";
import type { Standing, Row } from "./timeline.ts";

/** How high a row probably is before it was drawn, in CSS pixels. */
export function estimateHeight(row: Row | undefined): number {
  switch (row?.kind) {
    case "start":
      return 132;
    case "day":
      return 44;
    case "new":
      return 68;
    case "alarm":
      return 120;
    case "message": {
      const { body, files } = row.message;
      const lines = body.kind === "text" ? Math.min(20, Math.ceil(body.text.length / 52) + body.text.split("\n", 21).length - 1) : 2;
      return 18 + Math.max(1, lines) * 22 + (row.isFirst ? 8 : 0) + heightOfFiles(files);
    }
    case "system":
    case "folded":
    case undefined:
      return 34;
  }
}

/** As drawn 340 pixels wide: an album, and a row for each other file. */
function heightOfFiles(files: Message["files"] = []): number {
  const tiles = files.filter(({ kind }) => kind === "picture" || kind === "video");
  const [first] = tiles;
  const rows = 54 * (files.length - tiles.length);
  if (first === undefined) return rows;
  if (tiles.length === 1) return rows + 340 / Math.min(2.2, Math.max(0.6, (first.width ?? 4) / (first.height ?? 3)));
  return rows + (tiles.length === 2 ? 170 : tiles.length > 5 ? 227 : 340);
}

/** The place of the last message up to a row that the server has. */
export function lastOrderUpTo(rows: readonly Row[], endIndex: number): number | undefined {
  for (let index = Math.min(endIndex, rows.length - 1); index >= 0; index -= 1) {
    const row = rows[index];
    if (row?.kind === "folded" && !row.isOpen) return row.throughOrder;
    if (row === undefined || !("message" in row)) continue;
    if (row.message.delivery === undefined || row.message.delivery.kind === "accepted") return row.message.order;
  }
  return undefined;
}

/** The first message at a row or behind it, and its row. */
export function messageFrom(rows: readonly Row[], startIndex: number): { readonly message: Message; readonly index: number } | undefined {
  for (let index = Math.max(0, startIndex); index < rows.length; index += 1) {
    const row = rows[index];
    if (row !== undefined && "message" in row) return { message: row.message, index };
  }
  return undefined;
}

/** The day that stands above what is on the screen; `undefined` where the first row says it. */
export function dayAbove(rows: readonly Row[], startIndex: number): number | undefined {
  const row = rows[startIndex];
  if (row === undefined || row.kind === "start" || row.kind === "day") return undefined;
  return messageFrom(rows, startIndex)?.message.sentAtMs;
}

/** The row that a place stands for: that of the first message from there on; the last one where there is none. */
export function rowAt(rows: readonly Row[], { order }: Pick<Standing, "order">): number {
  const found = rows.findIndex((row) =>
    "message" in row ? row.message.order >= order : row.kind === "folded" && row.throughOrder >= order,
  );
  return found < 0 ? rows.length - 1 : found;
}
