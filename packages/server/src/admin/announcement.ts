import { AdminError } from "./errors.ts";
import type { AdminCommands, Params } from "./params.ts";
import type { Rules } from "./rules.ts";

const maxLength = 280;

/** `announce`: one line that everybody's app shows as the server's; "" takes it back. */
export function announcementCommands({ rules }: { rules: Rules }): AdminCommands {
  return {
    async announce(params: Params) {
      const given = params.text("text", { maxLength: 4000 });
      params.end();
      if (given === undefined) return { text: rules.announcement };
      const text = cleanNotice(given);
      if ([...text].length > maxLength) throw new AdminError("usage", `An announcement has at most ${String(maxLength)} characters.`);
      await rules.announce(text);
      return { text };
    },
  };
}

/** A text on one line, without characters that control or turn it around: what clients would take out anyway (spec E-80). */
function cleanNotice(text: string): string {
  return text
    .toWellFormed()
    .normalize("NFC")
    .replaceAll(/\s+/gu, " ")
    .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu, "")
    .trim();
}
