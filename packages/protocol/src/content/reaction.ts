import { utf8Bytes } from "@latchkey/codec";
import { ContentError } from "./errors.ts";
import { dispositions } from "./mimi.ts";
import type { NestedPart } from "./mimi.ts";
import { textOfSingle } from "./text.ts";

/** Most emoji of one reaction, and of one account on one message (spec X-6). */
export const maxReactions = 6;
const reactionType = "text/plain;charset=utf-8";
const emoji = /^\p{RGI_Emoji}$/v;

/** The emoji that a text is, and nothing else: one that is recommended for general interchange, in its emoji form (spec X-6). */
export function emojiOf(text: string): string | undefined {
  return [text, `${text}\uFE0F`].find((form) => emoji.test(form));
}

/** The body of a reaction with one emoji. @throws ContentError `malformed` for anything else */
export function reactionPart(text: string): NestedPart {
  const found = emojiOf(text);
  if (found === undefined) throw new ContentError("malformed", "a reaction is one emoji");
  return { kind: "single", disposition: dispositions.reaction, language: "", contentType: reactionType, content: utf8Bytes(found) };
}

/** The emoji of a reaction of one or several; what is none is left out, and `undefined` stands for a body that is no reaction. */
export function reactionsOf(body: NestedPart): readonly string[] | undefined {
  if (body.disposition !== dispositions.reaction) return undefined;
  if (body.kind === "single") {
    const text = textOfSingle(body.contentType, body.content);
    return text === undefined ? undefined : emojiIn([text]);
  }
  if (body.kind !== "multi" || body.semantics !== "processAll") return undefined;
  const texts = body.parts.map((part) => (part.kind === "single" ? textOfSingle(part.contentType, part.content) : undefined));
  const known = texts.filter((text) => text !== undefined);
  return known.length < texts.length ? undefined : emojiIn(known);
}

function emojiIn(texts: readonly string[]): readonly string[] {
  const found = texts.map((text) => emojiOf(text)).filter((one) => one !== undefined);
  return [...new Set(found)].slice(0, maxReactions);
}
