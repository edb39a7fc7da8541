import type { Message, Person } from "@latchkey/client";
import { words } from "../messages/words.ts";
import { nameOf } from "./person-name.ts";

/** What happened, in one line, for messages that nobody wrote. */
export function systemText(message: Message, conversationKind: "direct" | "group"): string {
  const { body } = message;
  const author = subject(message.author);
  switch (body.kind) {
    case "text":
      return body.text;
    case "created":
      return conversationKind === "direct" ? words.system.createdDirect(author) : words.system.created(author, body.name);
    case "added":
      // To the one who was added, that is how a direct conversation begins.
      if (conversationKind === "direct") return words.system.createdDirect(author);
      return words.system.added(author, body.people.map(object));
    case "removed":
      return words.system.removed(author, body.people.map(object));
    case "left":
      return words.system.left(author);
    case "renamed":
      return words.system.renamed(author, body.name);
    case "described":
      return words.groupSettings.described(author);
    case "picture_changed":
      return words.groupSettings.pictureChanged(author);
    case "timer_changed":
      return words.groupSettings.timerChanged(author, body.seconds);
    case "slow_mode_changed":
      return words.groupSettings.slowModeChanged(author, body.seconds);
    case "rights_changed":
      return words.groupSettings.rightsChanged(author);
    case "role_changed":
      return words.groupSettings.roleChanged[body.role](author, object(body.person));
    case "keys_updated":
      return words.system.keysUpdated(author);
    case "device_added":
      return words.system.deviceAdded(subject(body.person));
    case "device_removed":
      return words.system.deviceRemoved(subject(body.person));
    case "recovered":
      return body.person.isSelf ? words.system.recoveredSelf : words.system.recovered(nameOf(body.person));
    case "skipped":
      return words.system.skipped(author);
    case "complaint":
      return body.person.isSelf ? words.system.complaintSelf(author) : words.system.complaint(author, nameOf(body.person));
    case "away":
      return words.system.away(nameOf(body.person));
    case "let_back":
      return words.system.letBack(author, object(body.person));
    case "expired":
      return words.system.expired(body.count);
    case "other_view":
      return words.system.otherView(author);
    case "misnumbered":
      return body.missing > 0 ? words.system.missingMessages(author, body.missing) : words.system.misnumbered(author);
    case "unsupported":
      return words.system.unsupported;
    case "unreadable":
      return words.system.unreadable;
    case "alarm":
      return words.system.alarm;
    case "poll":
      return body.question;
    case "deleted":
      return words.system.deleted(subject(body.person), message.author?.accountId === body.person.accountId ? undefined : author);
    case "pinned":
      return body.isPinned ? words.system.pinned(author) : words.system.unpinned(author);
    case "unpermitted":
      return words.system.unpermitted(author);
    case "history_given":
      return words.system.historyGiven(author, body.people.map(object));
    case "left_out":
      return words.system.leftOut(author, body.count, body.unproven);
  }
}

/** Whether a line says that its author's device did what no honest one does: then their removal is offered. */
export function namesSomebody({ body }: Message): boolean {
  return body.kind === "other_view" || body.kind === "skipped" || (body.kind === "misnumbered" && body.missing === 0);
}

/** How somebody is named where a line begins with them. */
export function subject(person: Person | undefined): string {
  if (person === undefined) return words.system.someone;
  return person.isSelf ? words.system.youSubject : nameOf(person);
}

function object(person: Person): string {
  return person.isSelf ? words.system.youObject : nameOf(person);
}
