import type { LetterKind, challengeGrounds, form3Grounds, refusalReasons, DataCategory } from "@latchkey/protocol/desk";

/** The words of a letter; `{name}` is filled in from the request. */
export interface LetterWords {
  readonly title: string;
  readonly paragraphs: readonly string[];
}

/** What every letter ends with. */
export const closing: readonly string[] = [
  "This letter was written at {host}. Please name our number {number} and your reference in any answer.",
  "What is held of an account can be read by everybody in the public guide of this software: there is no content of messages or files that the server could read, since it has no key.",
];

/** What stands above the receipts of a letter (spec K-5). */
export const counted: string =
  'This request is counted in public, without your name and the person\'s. Each of the following lines is a receipt: put it into a file, and from the day on which its half-year is opened "latchkey transparency receipt FILE" says whether it was counted as it is. What may not be told stays sealed there.';

/** The letters, in English. Each says what it is about in its facts; what a person adds comes after these paragraphs. */
export const letterWords: Readonly<Record<LetterKind, LetterWords>> = {
  acknowledgement: {
    title: "Your request has been received",
    paragraphs: [
      "We received your {type} on {received}. It has our number {number}.",
      "Before anything is looked up we verify who asks, by a telephone number or an address that we find ourselves. Please do not send the same request to other addresses.",
      "{preserved}",
      "{due}",
    ],
  },
  "not-held": {
    title: "What you ask for is not held",
    paragraphs: [
      "You asked, by your {type}, for: {categories}.",
      "Of this the server holds nothing. Messages and files are encrypted on the devices of the people who write to each other; the server has no key, does not know who is in which conversation, and keeps no network addresses.",
      "We cannot make what is not held, and there is no function by which it would be recorded from now on.",
    ],
  },
  narrow: {
    title: "Your request is answered in part",
    paragraphs: [
      "Your {type} asks for more than it can order, or for more than can be told apart. We answer it as follows: {scope}.",
      "What goes beyond that we do not answer. If you think that it has to be, please send a request that says by which law, and for which account and period.",
    ],
  },
  challenge: {
    title: "We dispute your request",
    paragraphs: [
      "We dispute your {type}: {ground}.",
      "Until this is decided nothing is given out. What may be lost meanwhile is preserved where the law on which you rely asks for that.",
      "Please answer us, or name the court or authority before which this can be decided.",
    ],
  },
  "wrong-entity": {
    title: "Your request is addressed to somebody else",
    paragraphs: [
      "Your {type} names {addressee}. The server {host} is not run by them, and we have no part in what they hold.",
      "Accounts of this software are spread over servers that are run by different people. The part of a name after the @ says which: please write to whoever runs that one.",
    ],
  },
  "foreign-route": {
    title: "Your request has to come by another way",
    paragraphs: [
      "Your {type} comes from {country}. An authority of that country cannot order anything of us directly by the law that you name.",
      "Please send it by legal assistance between the two states, or by an instrument that binds us. Where data could be lost meanwhile, ask the authority of our country to have them preserved.",
    ],
  },
  refusal: {
    title: "Your request is refused",
    paragraphs: ["We refuse your {type}: {reason}.", "Nothing has been given out."],
  },
  answer: {
    title: "Answer to your request",
    paragraphs: [
      "With this letter comes what is held of the accounts that your {type} names, within this scope: {scope}.",
      "It is everything of these kinds and days that was held when it was put together, or when a copy of it was kept; what of it was not ordered was left out, and the manifest in the file names it. The program latchkey verifies the file without us: latchkey verify-release.",
    ],
  },
  "form-3": {
    title: "Information on the impossibility of carrying out an order (Regulation (EU) 2023/1543, Annex III)",
    paragraphs: [
      "Order: {type}, reference {reference}, issued by {authority}, {country}. Received on {received}. Enforcing authority notified: {notified}.",
      "Addressee: {addressee}, {host}.",
      "The order is not carried out, or not within its time, for these reasons: {grounds}.",
      "Data that were identified are preserved: {preservedShort}.",
    ],
  },
};

/** How a ground reads after a colon. */
export const groundWords: Readonly<Record<(typeof challengeGrounds)[number], string>> = {
  "no-basis": "the law that it names does not allow it",
  "too-broad": "it asks for more than is needed",
  unclear: "it does not say clearly enough what is asked, or of whom",
  form: "it has not the form that the law asks for",
  privilege: "what it asks for is protected by an immunity or a privilege",
  "third-country-law": "it conflicts with the law of another country that binds us",
  "fundamental-rights": "it would infringe fundamental rights",
  other: "for the reasons stated below",
};

/** How a reason reads after a colon. */
export const reasonWords: Readonly<Record<(typeof refusalReasons)[number], string>> = {
  "not-verified": "we could not verify that it comes from the authority that it names",
  "wrong-entity": "it is addressed to somebody else",
  "foreign-route": "it has to come by another way",
  "not-held": "what it asks for is not held",
  "no-such-account": "there is no account by what it names",
  "no-public-content": "there is no public content on this server that could be acted on",
  "no-such-function": "the server has no such function",
  "no-basis": "the law that it names does not allow it",
  privilege: "what it asks for is protected by an immunity or a privilege",
  "third-country-law": "it conflicts with the law of another country that binds us",
  withdrawn: "it was withdrawn",
  other: "for the reasons stated below",
};

/** How a ground of Form 3 reads. */
export const form3Words: Readonly<Record<(typeof form3Grounds)[number], string>> = {
  incomplete: "the order is incomplete",
  "manifest-error": "the order contains manifest errors",
  "not-possible": "it is not possible to carry it out, for reasons that we are not responsible for",
  "not-possible-data-not-held": "the data are not held: the server has no key and does not record them",
  immunity: "the data are protected by an immunity or a privilege under the law of the enforcing state",
  "press-freedom": "the data are covered by rules on the freedom of the press or of expression in other media",
  "third-country-law": "carrying it out would conflict with the law of a third country",
  other: "for the reasons stated below",
};

/** Kinds of data, as a letter names them. */
export const categoryWords: Readonly<Record<DataCategory, string>> = {
  subscriber: "subscriber data",
  identification: "data only to identify the user",
  traffic: "traffic data",
  content: "content",
};
