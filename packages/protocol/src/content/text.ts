import { utf8Bytes } from "@latchkey/codec";
import { ContentError } from "./errors.ts";
import { maxTextBytes } from "./limits.ts";
import { dispositions } from "./mimi.ts";
import type { NestedPart } from "./mimi.ts";

/** Longest text that is shown of one message of any sender, in UTF-16 units. */
const maxShownText = 4 * maxTextBytes;

/** GitHub-flavoured Markdown without HTML (draft-ietf-mimi-content-08 section 7.1.1). */
export const markdownType = "text/markdown;variant=GFM-MIMI";

/** The body of a text. @throws ContentError `too_large` above `maxTextBytes`, `malformed` for a text without characters */
export function textPart(given: string): NestedPart {
  const text = given.toWellFormed();
  if (text.length === 0) throw new ContentError("malformed", "a message has at least one character");
  if (utf8Bytes(text).length > maxTextBytes) throw new ContentError("too_large", "the text is too long");
  return {
    kind: "single",
    disposition: dispositions.render,
    language: "",
    contentType: markdownType,
    content: utf8Bytes(escapeTags(text)),
  };
}

/** The body of an edit that leaves a message with files without words (spec X-3): a text of no bytes, which is no message by itself. */
export const noWordsPart: NestedPart = {
  kind: "single",
  disposition: dispositions.render,
  language: "",
  contentType: markdownType,
  content: new Uint8Array(0),
};

/** Whether a body is that of an edit to no words. */
export function isNoWords(body: NestedPart): boolean {
  return body.kind === "single" && isShown(body.disposition) && body.contentType === markdownType && body.content.length === 0;
}

/** What a body says in words; `undefined` where this version cannot show it as a text. */
export function textOf(body: NestedPart): string | undefined {
  const text = textOfPart(body);
  return text === undefined || text.length > maxShownText ? undefined : text;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Dispositions that mean "show it"; unknown ones are read so (draft section 9.1). */
function isShown(disposition: number): boolean {
  const { unspecified, render, inline, preview } = dispositions;
  return disposition === unspecified || disposition === render || disposition === inline || disposition > preview;
}

function textOfPart(part: NestedPart): string | undefined {
  if (!isShown(part.disposition)) return undefined;
  if (part.kind === "single") return textOfSingle(part.contentType, part.content);
  if (part.kind !== "multi") return undefined;
  const texts = part.parts.map((inner) => textOfPart(inner));
  const readable = texts.filter((text) => text !== undefined);
  if (part.semantics === "chooseOne") return readable[0];
  if (readable.length === 0 || (part.semantics === "singleUnit" && readable.length < texts.length)) return undefined;
  return readable.join("\n\n");
}

/** A text of one part, of whatever disposition; `undefined` for other types, encodings and nothing. */
export function textOfSingle(contentType: string, content: Uint8Array): string | undefined {
  const [type = "", ...parameters] = contentType
    .toLowerCase()
    .split(";")
    .map((piece) => piece.trim());
  if (type !== "text/markdown" && type !== "text/plain") return undefined;
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "");
  if (charset !== undefined && charset !== "utf-8" && charset !== "us-ascii") return undefined;
  if (content.length === 0 || content.length > 4 * maxTextBytes) return undefined;
  try {
    const text = utf8.decode(content);
    return type === "text/markdown" ? unescapeTags(text) : text;
  } catch {
    return undefined;
  }
}

/**
 * The "No HTML" extension: `<` of what may be an HTML tag is sent as `&lt;` (draft section 7.1.1); autolinks stay. Whoever writes `&lt;b>`
 * themselves means those letters: its `&` is sent as `&amp;`.
 */
function escapeTags(markdown: string): string {
  return markdown
    .replace(/&((?:amp;)*lt;)(?=[a-z/!?])/giu, "&amp;$1")
    .replace(/<(?=[a-z/!?])(?![a-z][a-z0-9+.-]{1,31}:[^\s<>]*>)/giu, "&lt;");
}

/** What `escapeTags` did, undone: in Markdown both mean the same, and a plain display shows what was written. */
function unescapeTags(markdown: string): string {
  return markdown.replace(/&((?:amp;)*)(lt;)(?=[a-z/!?])/giu, (_, escapes: string, letters: string) =>
    escapes === "" ? "<" : `&${escapes.slice("amp;".length)}${letters}`,
  );
}
