import { listOf, t } from "../messages/words.ts";
import type { Typers } from "./app-state.ts";
import { nameOf } from "./person-name.ts";

/** Who types: by name, or how many where those are not all. */
export function typingText({ people, count }: Typers): string {
  return count > people.length
    ? t("messageParts.typingMany", { n: count })
    : t("messageParts.typing", { names: listOf(people.map(nameOf)), n: count });
}
