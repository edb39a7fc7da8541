import type { Message, Person } from "@latchkey/client";
import { listOf, t } from "../messages/words.ts";
import { formatSpan } from "./format.ts";
import { nameOf } from "./person-name.ts";

/** What happened, in one line, for messages that nobody wrote. */
export function systemText(message: Message, conversationKind: "direct" | "group"): string {
  const { body } = message;
  const author = named(message.author);
  switch (body.kind) {
    case "text":
      return body.text;
    case "created":
      return conversationKind === "direct"
        ? t("system.createdDirect", by(message.author))
        : t("system.created", { ...by(message.author), name: body.name });
    case "added":
      // To the one who was added, that is how a direct conversation begins.
      if (conversationKind === "direct") return t("system.createdDirect", by(message.author));
      return t("system.added", { ...by(message.author), ...about(body.people), names: listOf(body.people.map(object)) });
    case "removed":
      return t("system.removed", { ...by(message.author), ...about(body.people), names: listOf(body.people.map(object)) });
    case "left":
      return t("system.left", by(message.author));
    case "renamed":
      return t("system.renamed", { ...by(message.author), name: body.name });
    case "described":
      return t("groupSettings.described", by(message.author));
    case "picture_changed":
      return t("groupSettings.pictureChanged", by(message.author));
    case "timer_changed":
      return body.seconds === 0
        ? t("groupSettings.timerOff", by(message.author))
        : t("groupSettings.timerChanged", { ...by(message.author), span: formatSpan(body.seconds) });
    case "slow_mode_changed":
      return body.seconds === 0
        ? t("groupSettings.slowModeOff", by(message.author))
        : t("groupSettings.slowModeChanged", { ...by(message.author), span: formatSpan(body.seconds) });
    case "rights_changed":
      return t("groupSettings.rightsChanged", by(message.author));
    case "role_changed":
      return t(`groupSettings.roleChanged.${body.role}`, { ...by(message.author), ...about([body.person]), person: object(body.person) });
    case "kept_out":
    case "kept_out_ended":
      return t(body.kind === "kept_out" ? "groupSettings.keptOut" : "groupSettings.keptOutEnded", {
        ...by(message.author),
        ...about(body.people),
        names: listOf(body.people.map(object)),
      });
    case "keys_updated":
      return t("system.keysUpdated", by(message.author));
    case "device_added":
      return t("system.deviceAdded", by(body.person));
    case "device_removed":
      return t("system.deviceRemoved", by(body.person));
    case "recovered":
      return body.person.isSelf ? t("system.recoveredSelf") : t("system.recovered", { author: nameOf(body.person) });
    case "skipped":
      return t("system.skipped", by(message.author));
    case "complaint":
      return body.person.isSelf ? t("system.complaintSelf", { author }) : t("system.complaint", { author, who: nameOf(body.person) });
    case "away":
      return t("system.away", { who: nameOf(body.person) });
    case "let_back":
      return t("system.letBack", { ...by(message.author), ...about([body.person]), person: object(body.person) });
    case "expired":
      return t("system.expired", { n: body.count });
    case "other_view":
      return t("system.otherView", { author });
    case "misnumbered":
      return body.missing > 0 ? t("system.missingMessages", { author, n: body.missing }) : t("system.misnumbered", { author });
    case "unsupported":
      return t("system.unsupported");
    case "unreadable":
      return t("system.unreadable");
    case "alarm":
      return t("system.alarm");
    case "poll":
      return body.question;
    case "deleted":
      return message.author?.accountId === body.person.accountId
        ? t("system.deleted", by(body.person))
        : t("system.deletedOf", { ...by(body.person), whose: author });
    case "pinned":
      return body.isPinned ? t("system.pinned", by(message.author)) : t("system.unpinned", by(message.author));
    case "unpermitted":
      return t("system.unpermitted", by(message.author));
    case "history_given":
      return t("system.historyGiven", { ...by(message.author), ...about(body.people), names: listOf(body.people.map(object)) });
    case "left_out":
      return t("system.leftOut", { ...by(message.author), n: body.count, unproven: body.unproven });
  }
}

/** What happened, in pieces: texts, and the people whom the line names, as they are called in it. */
export function systemParts(
  message: Message,
  conversationKind: "direct" | "group",
): readonly (string | { readonly person: Person; readonly text: string })[] {
  const people: Person[] = [];
  // No name has such a letter: it is among those that are cleaned away (spec E-63).
  const marked = (person: Person): Person => {
    people.push(person);
    return { ...person, displayName: `${mark}${String.fromCharCode(firstPlace + people.length - 1)}`, besideName: undefined };
  };
  const { author, body } = message;
  const other = <T extends Person | undefined>(person: T): T | Person => (person === undefined || person.isSelf ? person : marked(person));
  const named: Message["body"] =
    "person" in body
      ? { ...body, person: other(body.person) }
      : "people" in body && body.people.length <= mostPlaces
        ? { ...body, people: body.people.map((person) => other(person)) }
        : body;
  const text = systemText({ ...message, author: other(author), body: named }, conversationKind);
  return text.split(parts).flatMap((part) => {
    const person = part.startsWith(mark) ? people[part.charCodeAt(mark.length) - firstPlace] : undefined;
    return part === "" ? [] : [person === undefined ? part : { person, text: nameOf(person) }];
  });
}

/** Private letters that stand for the first, the second person of a line. */
const mark = "\u{E000}";
const firstPlace = 0xe001;
const mostPlaces = 500;
const parts = /(\u{E000}[\u{E001}-\u{E3FF}])/u;

/** Whether a line says that its author's device did what no honest one does: then their removal is offered. */
export function namesSomebody({ body }: Message): boolean {
  return body.kind === "other_view" || body.kind === "skipped" || (body.kind === "misnumbered" && body.missing === 0);
}

/** Who did something, for a line that begins with them: what is said of oneself is another sentence in most languages. */
export function by(person: Person | undefined): { readonly author: string; readonly who: "you" | "other" } {
  return { author: named(person), who: person?.isSelf === true ? "you" : "other" };
}

/** Whether a line is about its reader and nobody else: many languages have other words for that, and another order of them. */
function about(people: readonly Person[]): { readonly whom: "you" | "other" } {
  return { whom: people.length === 1 && people[0]?.isSelf === true ? "you" : "other" };
}

/** Somebody whom a line is about. */
function object(person: Person): string {
  return person.isSelf ? t("system.youObject") : nameOf(person);
}

function named(person: Person | undefined): string {
  return person === undefined ? t("system.someone") : person.isSelf ? t("common.you") : nameOf(person);
}
