import MarkdownIt from "markdown-it";
import { plainBlocks } from "./message-text.ts";
import type { Block, Cell, Inline } from "./message-text.ts";

type Token = ReturnType<InstanceType<typeof MarkdownIt>["parse"]>[number];

/** Larger tables are text: what makes one cell, a short line makes hundreds. */
const maxCells = 1000;
/** Deeper than this nobody writes; what would be cut off there is shown as it stands. */
const maxNesting = 20;
const mention = /^mimi:\/\/[^\s/()]{1,260}\/([ur])\/([A-Za-z0-9_-]{1,344})$/u;

const parser = new MarkdownIt("default", { html: false, linkify: true, breaks: true, maxNesting })
  // Words that people write are not to vanish or to become others: definitions of links, entities, and lines under a line.
  .disable(["reference", "entity", "lheading", "image", "replacements", "smartquotes"]);
parser.linkify.set({ fuzzyLink: true });
parser.linkify.normalize = (match) => {
  // An address without a scheme is one of today's web.
  if (match.schema === "") match.url = `https://${match.url}`;
  if (match.schema === "mailto:" && !/^mailto:/iu.test(match.url)) match.url = `mailto:${match.url}`;
};
parser.validateLink = (url) => /^(?:https?:\/\/|mailto:)\S/iu.test(url) || mention.test(url);

/**
 * The blocks of a message's text by CommonMark with tables, struck-out words and addresses of GFM; line breaks stay as they were written.
 * HTML and entities are text. Never throws.
 */
export function parseMarkdown(text: string): readonly Block[] {
  const tokens = parser.parse(text, {});
  const isDeep = ({ level }: Token): boolean => level >= maxNesting - 2;
  // Marks in a line nest without a bound of the parser's: pages that deep cannot be drawn.
  if (tokens.some((token) => isDeep(token) || token.children?.some(isDeep) === true)) return plainBlocks(text);
  if (tokens.filter(({ type }) => type === "td_open" || type === "th_open").length > maxCells) return plainBlocks(text);
  const reader = { tokens, at: 0 };
  const blocks = readBlocks(reader, undefined);
  return blocks.length === 0 ? plainBlocks(text) : blocks;
}

interface Reader {
  readonly tokens: readonly Token[];
  at: number;
}

/** Blocks up to the token that closes what they stand in, which is read too. */
function readBlocks(reader: Reader, close: string | undefined): readonly Block[] {
  const blocks: Block[] = [];
  while (reader.at < reader.tokens.length) {
    const token = reader.tokens[reader.at];
    reader.at += 1;
    if (token === undefined || token.type === close) break;
    const block = readBlock(reader, token);
    if (block !== undefined) blocks.push(block);
  }
  return blocks;
}

function readBlock(reader: Reader, token: Token): Block | undefined {
  switch (token.type) {
    case "paragraph_open":
      return { kind: "paragraph", inlines: readLine(reader) };
    case "heading_open":
      return { kind: "heading", level: Number(token.tag.slice(1)), inlines: readLine(reader) };
    case "blockquote_open":
      return { kind: "quote", blocks: readBlocks(reader, "blockquote_close") };
    case "bullet_list_open":
      return { kind: "list", start: undefined, items: readItems(reader, "bullet_list_close") };
    case "ordered_list_open":
      return { kind: "list", start: Number(token.attrGet("start") ?? 1), items: readItems(reader, "ordered_list_close") };
    case "fence":
    case "code_block":
      return readCode(token);
    case "table_open":
      return readTable(reader);
    case "hr":
      return { kind: "rule" };
    default:
      return undefined;
  }
}

/** What stands behind the opening marks of code is its language where that is one word and code follows; or else it was written to be read. */
function readCode({ content, info }: Token): Block {
  const [text, language] = [content.replace(/\n$/u, ""), info.trim()];
  if (text !== "" && /^[\w#+-]{0,20}$/u.test(language)) return { kind: "code", text, language };
  return { kind: "code", text: [language, text].filter((line) => line !== "").join("\n"), language: "" };
}

/** The line between an opening token and its closing one, both read. */
function readLine(reader: Reader): readonly Inline[] {
  const token = reader.tokens[reader.at];
  reader.at += 2;
  return token === undefined ? [] : inlinesOf(token);
}

function readItems(reader: Reader, close: string): readonly (readonly Block[])[] {
  const items: (readonly Block[])[] = [];
  while (reader.at < reader.tokens.length) {
    const token = reader.tokens[reader.at];
    reader.at += 1;
    if (token?.type === close) break;
    if (token?.type === "list_item_open") items.push(readBlocks(reader, "list_item_close"));
  }
  return items;
}

function readTable(reader: Reader): Block {
  const rows: Cell[][] = [];
  while (reader.at < reader.tokens.length) {
    const token = reader.tokens[reader.at];
    reader.at += 1;
    if (token?.type === "table_close") break;
    if (token?.type === "tr_open") rows.push([]);
    if (token?.type !== "th_open" && token?.type !== "td_open") continue;
    const align = /text-align:(left|center|right)/u.exec(String(token.attrGet("style") ?? ""))?.[1];
    rows.at(-1)?.push({ align: align as Cell["align"], inlines: readLine(reader) });
  }
  const [head = [], ...body] = rows;
  return { kind: "table", head, rows: body };
}

function inlinesOf(token: Token): readonly Inline[] {
  const reader = { tokens: token.children ?? [], at: 0 };
  return readInlines(reader, undefined);
}

function readInlines(reader: Reader, close: string | undefined): readonly Inline[] {
  const inlines: Inline[] = [];
  const say = (text: string): void => {
    const last = inlines.at(-1);
    if (text === "") return;
    if (last?.kind === "text") inlines[inlines.length - 1] = { kind: "text", text: last.text + text };
    else inlines.push({ kind: "text", text });
  };
  while (reader.at < reader.tokens.length) {
    const token = reader.tokens[reader.at];
    reader.at += 1;
    if (token === undefined || token.type === close) break;
    switch (token.type) {
      case "text":
      case "text_special":
        say(token.content);
        break;
      case "softbreak":
      case "hardbreak":
        say("\n");
        break;
      case "code_inline":
        inlines.push({ kind: "code", text: token.content });
        break;
      case "strong_open":
        inlines.push({ kind: "strong", inlines: readInlines(reader, "strong_close") });
        break;
      case "em_open":
        inlines.push({ kind: "emphasis", inlines: readInlines(reader, "em_close") });
        break;
      case "s_open":
        inlines.push({ kind: "strike", inlines: readInlines(reader, "s_close") });
        break;
      case "link_open": {
        const href = String(token.attrGet("href") ?? "");
        const inside = readInlines(reader, "link_close");
        const [, kind, id = ""] = mention.exec(href) ?? [];
        if (kind === undefined) inlines.push({ kind: "link", href, inlines: inside });
        else inlines.push({ kind: "mention", who: kind === "r" ? "everybody" : "account", id });
        break;
      }
      default:
        say(token.content);
    }
  }
  return inlines;
}
