import type { ImportedLine } from "../api/imports.ts";
import { cleanName } from "../names/clean.ts";
import { textLine } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import { maxTextLength } from "./stored.ts";
import { textLines } from "./text-lines.ts";
import { DateOrderFinder, timeOf } from "./whatsapp-dates.ts";
import { headOf } from "./whatsapp-head.ts";
import type { Head } from "./whatsapp-head.ts";

/** A file that can be read from its beginning, again and again. */
export type Reopened = () => AsyncIterable<Uint8Array>;

/** Whether the beginning of a file is of WhatsApp's text export. */
export function isWhatsApp(beginning: string): boolean {
  return beginning
    .split(/\r\n|\r|\n/)
    .slice(0, 50)
    .some((line) => headOf(line) !== undefined);
}

const key = "chat";
const mark = "\u200E";
const onIos = /^(.*?)\u200E?<[^<>:]{2,40}: ?([^<>:/\\]{1,255})>$/u;
const onAndroid = /^\u200E?([^/\\:<>]{1,200}\.[A-Za-z0-9]{2,5}) \([^()]{3,60}\)$/u;

/**
 * Reads WhatsApp's text export, twice: in which order day and month stand shows only over the whole of it. What stands before the first message, a head whose
 * date cannot be, and what is beyond the length of a text, is kept aside; every other line that begins no message belongs to the one before.
 * @param options.ownName the name under which the file's owner stands in it: it does not say who that is
 */
export async function* parseWhatsApp(
  open: Reopened,
  { title, ownName }: { readonly title: string; readonly ownName?: string | undefined },
): AsyncGenerator<Parsed[], void, undefined> {
  const finder = new DateOrderFinder();
  for await (const lines of textLines(open(), maxTextLength)) {
    for (const { text } of lines) {
      const head = headOf(text);
      if (head !== undefined) finder.saw(head);
    }
    // Whoever reads decides when it goes on.
    yield [];
  }
  yield [{ kind: "conversation", key, title }];
  const order = finder.order();
  const own = ownName === undefined ? undefined : cleanName(ownName);
  let message: ImportedLine | undefined;
  let isTooLong = false;
  for await (const lines of textLines(open(), maxTextLength)) {
    const parsed: Parsed[] = [];
    const end = (): void => {
      if (message === undefined) return;
      if (isTooLong) parsed.push({ kind: "aside", key, why: "too_long", text: message.text });
      parsed.push(lineOf(message));
      [message, isTooLong] = [undefined, false];
    };
    for (const { text, isCut } of lines) {
      const head = headOf(text);
      if (head === undefined) {
        const plain = text.replaceAll(mark, "");
        if (message === undefined) {
          if (plain.trim() !== "") parsed.push({ kind: "aside", key, why: isCut ? "too_long" : "no_message", text: plain });
        } else if (message.text.length + plain.length >= maxTextLength) parsed.push({ kind: "aside", key, why: "too_long", text: plain });
        else message = { ...message, text: message.text === "" ? plain : `${message.text}\n${plain}` };
        continue;
      }
      end();
      const sentAtMs = timeOf(head, order);
      if (sentAtMs === undefined) parsed.push({ kind: "aside", key, why: "bad_date", text });
      else [message, isTooLong] = [messageOf(head, sentAtMs, own), isCut];
    }
    yield parsed;
  }
  if (message !== undefined)
    yield [...(isTooLong ? [{ kind: "aside", key, why: "too_long", text: message.text } as const] : []), lineOf(message)];
}

/** What came with it lies beside the text. */
function lineOf(line: ImportedLine): Parsed {
  const files = line.fileNames.map((path) => ({ path, mediaType: "", isVoice: /(?:^|-)(?:PTT|AUDIO)-/u.test(path) }));
  return { kind: "line", key, line, files };
}

/** What its first line says. */
function messageOf({ rest }: Head, sentAtMs: number, own: string | undefined): ImportedLine {
  const said = rest.replace(/^\u200E/u, "");
  const colon = /^([^:]{1,120}?):(?: |$)/u.exec(said);
  if (colon === null) return textLine({ sentAtMs, kind: "event", text: said.replaceAll(mark, "") });
  const author = cleanName(colon[1] ?? "");
  const text = said.slice(colon[0].length);
  const common = { sentAtMs, author, isOwn: own !== undefined && own !== "" && author === own };
  const attached = onIos.exec(text);
  const [caption = "", name] = attached === null ? ["", onAndroid.exec(text)?.[1]] : attached.slice(1);
  if (name !== undefined) return textLine({ ...common, text: caption.replaceAll(mark, "").trim(), fileNames: [name] });
  // The app itself wrote it.
  if (text.startsWith(mark)) return textLine({ ...common, kind: "event", text: text.replaceAll(mark, "") });
  return textLine({ ...common, text: text.replaceAll(mark, "") });
}
