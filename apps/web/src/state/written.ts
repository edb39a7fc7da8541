/** A mention in what is being written: how it stands in the field, and whom it names. */
export interface WrittenMention {
  readonly start: number;
  readonly end: number;
  /** `mimi://HOST/u/ACCOUNT`, or `/r/GROUP` for everybody. */
  readonly uri: string;
  /** The words that travel with it, which nobody is shown (spec X-1). */
  readonly hint: string;
}

/** What stands in the field for messages; mentions stand in their order, and none in another. */
export interface Written {
  readonly text: string;
  readonly mentions: readonly WrittenMention[];
}

/** A name that is being written behind an `@`, or of an emoji behind a colon. */
export interface Asked {
  /** Of the sign. */
  readonly start: number;
  readonly end: number;
  readonly query: string;
}

const link = /\[([^\]\n]{0,100})\]\((mimi:\/\/[^\s/()]{1,260}\/[ur]\/[A-Za-z0-9_-]{1,344})\)/gu;
const longestQuery = 40;

/**
 * A text of Markdown as it stands in the field.
 * @param nameOf how whoever an address names is called here; `undefined` for the words that stand in the text
 */
export function writtenOf(markdown: string, nameOf: (uri: string) => string | undefined): Written {
  if (!markdown.includes("](mimi://")) return { text: markdown, mentions: [] };
  const mentions: WrittenMention[] = [];
  let text = "";
  let at = 0;
  for (const { 0: whole, 1: hint = "", 2: uri = "", index } of markdown.matchAll(link)) {
    text += markdown.slice(at, index);
    const start = text.length;
    text += nameOf(uri) ?? hint;
    mentions.push({ start, end: text.length, uri, hint });
    at = index + whole.length;
  }
  return { text: text + markdown.slice(at), mentions };
}

/** What is sent, and kept as a draft. */
export function markdownOf({ text, mentions }: Written): string {
  let markdown = "";
  let at = 0;
  for (const { start, end, uri, hint } of mentions) {
    markdown += `${text.slice(at, start)}[${hint}](${uri})`;
    at = end;
  }
  return markdown + text.slice(at);
}

/**
 * After a change of the field. Mentions move with the text around them; of one that was changed the letters stay, and name nobody, but one
 * whose last letter was deleted goes whole.
 * @param caret where the caret stands since
 */
export function afterChange(before: Written, text: string, caret: number): { readonly written: Written; readonly caret: number } {
  if (before.mentions.length === 0) return { written: { text, mentions: [] }, caret };
  const { from, until, added } = changeOf(before.text, text, caret);
  const by = added - (until - from);
  const cut = added === 0 && until - from === 1 ? before.mentions.find(({ end }) => end === until) : undefined;
  const moved = (mention: WrittenMention): WrittenMention[] => {
    if (mention.end <= from) return [mention];
    return mention.start >= until ? [{ ...mention, start: mention.start + by, end: mention.end + by }] : [];
  };
  const after: Written = { text, mentions: before.mentions.flatMap(moved) };
  return cut === undefined ? { written: after, caret } : { written: without(after, cut.start, cut.end - 1), caret: cut.start };
}

interface Change {
  readonly from: number;
  readonly until: number;
  readonly added: number;
}

/** Between which places the old text was replaced, and by how many letters. */
function changeOf(before: string, after: string, caret: number): Change {
  const shortest = changeWith(before, after, commonEnd(before, after));
  const behind = after.length - caret;
  if (behind > before.length || !before.endsWith(after.slice(caret))) return shortest;
  // Of several that come to the same, the one that ends at the caret: behind "ann" another "n" is typed, not within.
  const atCaret = changeWith(before, after, behind);
  return sizeOf(atCaret) <= sizeOf(shortest) ? atCaret : shortest;
}

/** The change of which so many letters behind it are no part. */
function changeWith(before: string, after: string, kept: number): Change {
  const most = Math.min(before.length, after.length) - kept;
  let from = 0;
  while (from < most && before[from] === after[from]) from += 1;
  return { from, until: before.length - kept, added: after.length - kept - from };
}

function sizeOf({ from, until, added }: Change): number {
  return until - from + added;
}

function commonEnd(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[a.length - 1 - length] === b[b.length - 1 - length]) length += 1;
  return length;
}

function without({ text, mentions }: Written, start: number, end: number): Written {
  const by = end - start;
  return {
    text: text.slice(0, start) + text.slice(end),
    mentions: mentions.map((mention) =>
      mention.start >= end ? { ...mention, start: mention.start - by, end: mention.end - by } : mention,
    ),
  };
}

/** Makes a mention of letters that stand in the field already. */
export function withMention(written: Written, mention: WrittenMention): Written {
  const others = written.mentions.filter(({ start, end }) => end <= mention.start || start >= mention.end);
  return { ...written, mentions: [...others, mention].toSorted((a, b) => a.start - b.start) };
}

/** The name that is being written behind this sign where the caret stands, if one is. */
export function askedAt({ text, mentions }: Written, caret: number, sign: "@" | ":"): Asked | undefined {
  const line = text.slice(Math.max(0, caret - longestQuery), caret);
  const at = line.lastIndexOf(sign);
  if (at < 0) return undefined;
  const start = caret - line.length + at;
  const query = line.slice(at + 1);
  const before = text.slice(Math.max(0, start - 2), start);
  // Neither an address of mail, nor over the end of a line; of an emoji two letters at least, and no time of the day.
  const isName =
    sign === "@"
      ? !/\n|^\s/u.test(query) && !/[\p{L}\p{N}._@-]$/u.test(before)
      : /^[\p{L}\p{M}\p{N}_]{2,}$/u.test(query) && !/\S$/u.test(before);
  if (!isName || mentions.some((mention) => start < mention.end && caret > mention.start)) return undefined;
  return { start, end: caret, query };
}
