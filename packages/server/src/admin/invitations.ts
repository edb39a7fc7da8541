import { toHex } from "@latchkey/codec";
import { randomBytes } from "node:crypto";
import type { ServerContext } from "../config.ts";
import { sha256 } from "../hash.ts";
import type { AdminStore, StoredInvitation } from "../store/admin-store.ts";
import { dayOf, dayText } from "../days.ts";
import { AdminError } from "./errors.ts";
import type { AdminCommands, Params } from "./params.ts";

/** Invitations that count at once. */
const maxInvitations = 10_000;
const defaultDays = 7;
const shownIdLength = 10;

/** Letters and digits that are not taken for one another (Crockford's base 32). */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** A code as somebody may have typed it, in its one form: capitals, spaces, hyphens and letters that look like digits are forgiven. */
export function hashOfCode(code: string): Uint8Array {
  const plain = code.toLowerCase().replaceAll(/[\s-]/g, "").replaceAll("o", "0").replaceAll(/[il]/g, "1");
  return sha256(new TextEncoder().encode(plain));
}

/** 100 bits of chance in four groups: nobody guesses one. */
export function createCode(): string {
  const letters = Array.from(randomBytes(20), (byte) => alphabet[byte % 32] ?? "").join("");
  return letters.match(/.{5}/g)?.join("-") ?? letters;
}

/** `invite-create`, `invite-list` and `invite-revoke`. */
export function invitationCommands(parts: {
  store: AdminStore;
  context: Pick<ServerContext, "nowMs" | "latestMs" | "registration">;
  publicUrl: string;
}): AdminCommands {
  const { store, publicUrl } = parts;
  const { nowMs, latestMs, registration } = parts.context;
  const today = (): number => dayOf(nowMs());
  return {
    async "invite-create"(params: Params) {
      const uses = params.whole("uses", { least: 1, most: 10_000 }) ?? 1;
      const days = params.whole("days", { least: 1, most: 365 }) ?? defaultDays;
      params.end();
      const code = createCode();
      const invitation = { codeHash: hashOfCode(code), usesLeft: uses, lastDay: dayOf(latestMs()) + days };
      const isAdded = await store.addInvitation({ ...invitation, day: today(), maxItems: maxInvitations });
      if (!isAdded)
        throw new AdminError("limit", `There are ${String(maxInvitations)} invitations: revoke some, or wait until they expire.`);
      // In the fragment: no server and no proxy gets to see it with the page.
      return { ...shown(invitation), code, link: `${publicUrl}/#invitation=${code}`, registration };
    },
    async "invite-list"(params: Params) {
      params.end();
      return { invitations: (await store.listInvitations({ day: today() })).map(shown) };
    },
    async "invite-revoke"(params: Params) {
      const id = params.text("id", { maxLength: 64 }) ?? "";
      params.end();
      if (!/^(?:[0-9a-f]{2}){4,32}$/.test(id)) throw new AdminError("usage", "An invitation is named as `invite list` shows it.");
      if (!(await store.revokeInvitation({ prefix: new Uint8Array(Buffer.from(id, "hex")) }))) {
        throw new AdminError("not_found", "There is no such invitation: it was used up, has expired or was revoked.");
      }
      return { id };
    },
  };
}

function shown({ codeHash, usesLeft, lastDay }: StoredInvitation): { id: string; usesLeft: number; lastDay: string } {
  return { id: toHex(codeHash).slice(0, shownIdLength), usesLeft, lastDay: dayText(lastDay) };
}
