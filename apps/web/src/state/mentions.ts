import type { Person } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { nameOf } from "./person-name.ts";

/** A link that names an account: `[any words](mimi://HOST/u/ACCOUNT)`; the words are its writer's, and are not shown (spec X-1). */
const link = /\[[^\]\n]{0,100}\]\(mimi:\/\/[^\s/()]{1,260}\/([ur])\/([A-Za-z0-9_-]{1,344})\)/gu;

/** A text with its mentions as people know those who are meant: by their own names here, whatever the text calls them. */
export function withNames(text: string, mentions: readonly Person[]): string {
  if (!text.includes("](mimi://")) return text;
  const byId = new Map(mentions.map((person) => [person.accountId, person]));
  return text.replaceAll(link, (_, kind: string, id: string) => nameIn(byId, kind === "r" ? "everybody" : "account", id));
}

/** How a mention is shown: the person as they are known here. */
export function mentionText(who: "account" | "everybody", id: string, mentions: readonly Person[]): string {
  return nameIn(new Map(mentions.map((person) => [person.accountId, person])), who, id);
}

/** Whether a mention means this person, alone or with everybody. */
export function meansSelf(who: "account" | "everybody", id: string, mentions: readonly Person[]): boolean {
  return who === "everybody" || mentions.some(({ accountId, isSelf }) => isSelf && accountId === id);
}

function nameIn(byId: ReadonlyMap<string, Person>, who: "account" | "everybody", id: string): string {
  if (who === "everybody") return t("messageParts.everybody");
  const person = byId.get(id);
  return person === undefined ? t("messageParts.somebodyElse") : `@${person.isSelf ? t("common.you") : nameOf(person)}`;
}
