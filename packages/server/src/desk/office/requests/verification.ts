import { requestLimits, verificationMeans } from "@latchkey/protocol/desk";
import type { RequestIntake, RequestVerification } from "@latchkey/protocol/desk";
import { DeskError } from "../desk-error.ts";
import type { Input } from "../input.ts";

/** Digits of a number that are compared: without them, a country's code or a leading nought would make it another. */
const comparedDigits = 7;

/** How somebody was verified. @throws DeskError `malformed` */
export function readVerification(input: Input): RequestVerification {
  const { line, name, words } = requestLimits;
  const verification: RequestVerification = {
    how: input.choice("how", verificationMeans),
    contact: input.text("contact", { most: line }),
    foundIn: input.text("foundIn", { most: line }),
    answeredBy: input.text("answeredBy", { most: name }),
    ...(input.has("words") ? { words: input.text("words", { most: words }) } : {}),
  };
  input.end();
  return verification;
}

/**
 * Refuses what a request would verify itself by: a number or address that stands in it proves nothing of who wrote it. An emergency is
 * verified by somebody who was spoken with.
 *
 * @throws DeskError `not_independent`
 */
export function requireIndependent({ how, contact }: RequestVerification, intake: RequestIntake): void {
  if (intake.isEmergency && how !== "call-back" && how !== "in-person") throw new DeskError("not_independent");
  const { authority, officer } = intake;
  const said = [officer.phone, officer.email, authority.address, intake.deliverTo, intake.remark, intake.emergencyGrounds].filter(
    (text) => text !== undefined,
  );
  const digits = digitsOf(contact);
  const isNumber = digits.length >= comparedDigits;
  const plain = contact.toLowerCase();
  // With something else beside it, it is still the request's.
  const phone = digitsOf(officer.phone ?? "");
  if (phone.length >= comparedDigits && digits.includes(phone.slice(-comparedDigits))) throw new DeskError("not_independent");
  if (officer.email !== undefined && plain.includes(officer.email.toLowerCase())) throw new DeskError("not_independent");
  for (const text of said) {
    if (isNumber && digitsOf(text).includes(digits.slice(-comparedDigits))) throw new DeskError("not_independent");
    if (text.toLowerCase().includes(plain)) throw new DeskError("not_independent");
  }
}

/** In whatever digits they are written. */
function digitsOf(text: string): string {
  return text
    .normalize("NFKC")
    .replaceAll(/\p{Nd}/gu, valueOf)
    .replaceAll(/[^0-9]/g, "");
}

/** What a decimal digit of any script is worth: digits stand in tens, from nought on (Unicode §4.6). */
function valueOf(digit: string): string {
  const at = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(at - value - 1))) value += 1;
  return String(value);
}
