import type { ExportCounts, ExportWords } from "@latchkey/client/export";
import { directionOf } from "../messages/languages.ts";
import { language, t } from "../messages/words.ts";
import { formatDate, formatTime } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { systemText } from "../state/system-text.ts";

/** What the page of an export says, in the person's language. */
export function exportWords(username: string): ExportWords {
  return {
    language: language(),
    direction: directionOf(language()),
    heading: t("portable.pageHeading", { name: username }),
    intro: (nowMs) => t("portable.pageIntro", { day: formatDate(nowMs) }),
    day: (timeMs) => formatDate(timeMs),
    time: (timeMs) => formatTime(timeMs),
    person: (person) => (person === undefined ? t("portable.somebody") : nameOf(person)),
    line: (message, { kind }) => systemText(message, kind),
    seenOnce: t("portable.once"),
    edited: t("portable.edited"),
    missing: (why) => t(`portable.missing.${why}`),
    notIncluded,
  };
}

/** A sentence for everything that is not in an export. */
export function notIncluded({ seenOnce, timed, unsent, unreadable, expired, missingFiles }: ExportCounts): readonly string[] {
  return [
    ...(seenOnce === 0 ? [] : [t("portable.leftOnce", { n: seenOnce })]),
    ...(timed === 0 ? [] : [t("portable.leftTimed", { n: timed })]),
    ...(unsent === 0 ? [] : [t("portable.leftUnsent", { n: unsent })]),
    ...(unreadable === 0 ? [] : [t("portable.leftUnreadable", { n: unreadable })]),
    ...(expired === 0 ? [] : [t("portable.leftExpired", { n: expired })]),
    ...(missingFiles === 0 ? [] : [t("portable.leftFiles", { n: missingFiles })]),
  ];
}
