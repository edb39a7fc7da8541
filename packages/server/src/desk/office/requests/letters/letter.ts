import type { LetterInput, LetterKind, RequestClock, RequestScope } from "@latchkey/protocol/desk";
import { isPreserved, scopeOf } from "../request-body.ts";
import type { StoredRequest } from "../request-body.ts";
import { clocksOfRequest } from "../request-body.ts";
import { localOf } from "../periods.ts";
import { categoryWords, closing, counted, form3Words, groundWords, letterWords, reasonWords } from "./letter-words.ts";

/** A letter, as it is kept and printed: nothing in it is looked up again. */
export interface Letter {
  readonly kind: LetterKind;
  readonly title: string;
  /** When it was written, milliseconds since 1970, and the day by the desk's calendar. */
  readonly atMs: number;
  readonly day: string;
  readonly host: string;
  /** To whom, a line each. */
  readonly to: readonly string[];
  /** What it is about: label and value. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly paragraphs: readonly string[];
}

/** Writes a letter about a request. Pure: the same of the same request, person's words and time. */
export function composeLetter(params: {
  request: StoredRequest;
  input: LetterInput;
  host: string;
  nowMs: number;
  /** What the authority has of the request's count in public, a line each. */
  receipts: readonly string[];
}): Letter {
  const { request, input, host, nowMs, receipts } = params;
  const { intake, type, calendar } = request.body;
  const { zone } = calendar;
  const words = letterWords[input.kind];
  const values = valuesOf(params);
  const own = (input.words ?? "").split(/\n\s*\n/).map((text) => text.trim());
  const paragraphs = [...words.paragraphs.map((text) => fill(text, values)), ...own, ...closing.map((text) => fill(text, values))];
  if (receipts.length > 0) paragraphs.push(fill(counted, values), ...receipts);
  return {
    kind: input.kind,
    title: words.title,
    atMs: nowMs,
    day: localOf(nowMs, zone).slice(0, 10),
    host,
    to: [intake.authority.name, intake.officer.name, ...(intake.authority.address ?? "").split("\n")].filter((text) => text !== ""),
    facts: [
      ["Your reference", intake.authority.reference],
      ["Our number", String(request.number)],
      ["Request", type.title],
      ["Legal basis", intake.legalBasis],
      ["Received", `${localOf(intake.receivedAtMs, zone).replace("T", " ")} (${zone})`],
    ],
    paragraphs: paragraphs.filter((text) => text !== ""),
  };
}

/** A letter as plain text: lines of at most 78 characters, but for words that are longer. */
export function letterText({ title, day, host, to, facts, paragraphs }: Letter): string {
  const width = Math.max(...facts.map(([label]) => label.length));
  const lines = [
    host,
    day,
    "",
    ...to,
    "",
    title,
    "=".repeat(Math.min(78, title.length)),
    "",
    ...facts.map(([label, value]) => `${label.padEnd(width)}  ${value}`),
    ...paragraphs.flatMap((text) => ["", ...text.split("\n").flatMap(wrapped)]),
    "",
  ];
  return lines.map((line) => line.trimEnd()).join("\n");
}

function valuesOf({
  request,
  input,
  host,
}: {
  request: StoredRequest;
  input: LetterInput;
  host: string;
}): Readonly<Record<string, string>> {
  const { intake, type, calendar, challenge, refusal } = request.body;
  const deadline = clocksOfRequest(request).find(({ kind }) => kind === "deadline");
  const asked = intake.categories.map((category) => categoryWords[category]).join(", ");
  const grounds = (input.grounds ?? []).map((ground) => form3Words[ground]).join("; ");
  const kept = isPreserved(request);
  return {
    host,
    number: String(request.number),
    type: type.title,
    authority: intake.authority.name,
    reference: intake.authority.reference,
    country: intake.authority.country,
    addressee: intake.addressee,
    received: localOf(intake.receivedAtMs, calendar.zone).replace("T", " "),
    notified: intake.notified === undefined ? "none named" : `${intake.notified.name}, ${intake.notified.country}`,
    categories: asked === "" ? "what the request describes" : asked,
    scope: scopeText(scopeOf(request)),
    ground: challenge === undefined ? "for the reasons stated below" : groundWords[challenge.ground],
    reason: refusal === undefined ? "for the reasons stated below" : reasonWords[refusal.reason],
    grounds: grounds === "" ? "for the reasons stated below" : grounds,
    // Whether there was anything to keep is not said: the letter goes out before anybody was verified.
    preserved: kept ? "What is held of the accounts that it names, if there are any, is preserved meanwhile." : "",
    preservedShort: kept ? "yes, as far as there are any" : "no",
    due: dueText(deadline),
  };
}

function dueText(deadline: RequestClock | undefined): string {
  return deadline === undefined ? "" : `By our count an answer is due by ${deadline.local.replace("T", " ")} (${deadline.zone}).`;
}

function scopeText({ identifiers, categories, period }: RequestScope): string {
  const kinds = categories.map((category) => categoryWords[category]).join(", ");
  const parts = [
    identifiers.length === 1 ? "one account" : `${String(identifiers.length)} accounts`,
    kinds === "" ? "no data that this type of request may order" : kinds,
    ...(period?.fromDay === undefined ? [] : [`from ${period.fromDay}`]),
    ...(period?.toDay === undefined ? [] : [`until ${period.toDay}`]),
  ];
  return parts.join(", ");
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  // One pass: what somebody wrote in braces stays as it is.
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`a letter has no value ${name}`);
    return value;
  });
}

const lineLength = 78;

function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > lineLength) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
