import type { Message } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { textOf } from "./acting.ts";
import { withNames } from "./mentions.ts";
import { previewText } from "./message-text.ts";

/** A message in one line: its words, or what came with it. */
export function previewOf(message: Message): string {
  const words = previewText(withNames(textOf(message), message.mentions ?? []));
  const { files = [] } = message;
  const [first] = files;
  if (words !== "" || first === undefined) return words;
  if (files.length === 1) return first.kind === "file" ? first.name : t(`files.kind.${first.kind}`);
  return files.every(({ kind }) => kind === "picture" || kind === "video")
    ? t("files.pictures", { n: files.length })
    : t("files.several", { n: files.length });
}
