import { DeskError } from "./desk-error.ts";
import type { Input } from "./input.ts";
import type { Done, OfficeParts, OpenOperations, Times } from "./operations.ts";

const longestCode = 64;

/**
 * How somebody becomes staff and signs in:
 *
 *     code (once, a day) --enrol-begin, enrol-finish--> passkey --sign-in-begin, sign-in-finish--> session
 */
export function signInOperations(parts: OfficeParts): OpenOperations {
  const { staff, trail, sessions, passkeys, transaction, sessionOf } = parts;
  return {
    async "enrol-begin"(input: Input, { nowMs, passedMs }: Times): Promise<Done> {
      const code = input.text("code", { most: longestCode });
      input.end();
      const person = staff.ofCode(code, nowMs);
      const options = await passkeys.enrolOptions({ staff: person, code, known: staff.passkeysOf(person.id), passedMs });
      return { body: { name: person.name, options } };
    },

    async "enrol-finish"(input: Input, { nowMs, passedMs }: Times): Promise<Done> {
      const code = input.text("code", { most: longestCode });
      const response = input.opaque("response");
      input.end();
      const { id } = staff.ofCode(code, nowMs);
      const passkey = await passkeys.enrolled({ code, response, staffId: id, passedMs });
      // The library was waited for: the code counts if nobody used it meanwhile.
      return transaction(() => {
        const person = staff.ofCode(code, nowMs);
        const by = staff.spendCode(code, nowMs);
        staff.addPasskey({ ...passkey, made: by === undefined ? undefined : { atMs: nowMs, by } });
        if (by === undefined) staff.grantedByOperator(id);
        trail.append({ actor: person.name, act: "passkey made" }, nowMs);
        return { body: sessionOf(person), session: sessions.open(person.id, passedMs) };
      });
    },

    async "sign-in-begin"(input: Input, { passedMs }: Times): Promise<Done> {
      input.end();
      return { body: { options: await passkeys.signInOptions(passedMs) } };
    },

    async "sign-in-finish"(input: Input, { nowMs, passedMs }: Times): Promise<Done> {
      const response = input.opaque("response");
      input.end();
      const { id } = response;
      const passkey = typeof id === "string" ? staff.passkey(id) : undefined;
      if (passkey === undefined) throw new DeskError("passkey_refused");
      const counter = await passkeys.signedIn({ passkey, response, passedMs });
      return transaction(() => {
        const person = staff.byId(passkey.staffId);
        if (person?.isActive !== true || !staff.countPasskey(passkey, counter)) throw new DeskError("passkey_refused");
        trail.append({ actor: person.name, act: "signed in" }, nowMs);
        return { body: sessionOf(person), session: sessions.open(person.id, passedMs) };
      });
    },
  };
}
