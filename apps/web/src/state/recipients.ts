import type { ClientFailure, Person } from "@latchkey/client";

/** One person to write to, as entered. */
export interface Recipient {
  /** As entered, without surrounding space, capitals or a leading `@`. */
  readonly address: string;
  readonly status:
    | { readonly kind: "resolving" }
    | { readonly kind: "found"; readonly person: Person }
    | { readonly kind: "failed"; readonly failure: ClientFailure };
}

/** What stands in the field "To": chips, then text. */
export interface Recipients {
  readonly chips: readonly Recipient[];
  readonly text: string;
}

/** An empty field. */
export const noRecipients: Recipients = { chips: [], text: "" };

/** The addresses in a text separated by commas, semicolons or white space. */
export function splitAddresses(text: string): readonly string[] {
  return text
    .split(/[,;\s]+/u)
    .map(cleanAddress)
    .filter((address) => address !== "");
}

/** After typing: what stands before the last separator becomes chips. */
export function typeText(state: Recipients, text: string): Recipients {
  const end = /^([\s\S]*[,;\s])([^,;\s]*)$/u.exec(text);
  if (end === null) return { ...state, text };
  return { ...addAddresses(state, splitAddresses(end[1] ?? "")), text: end[2] ?? "" };
}

/** The text becomes a chip too. */
export function commitText(state: Recipients): Recipients {
  return { ...addAddresses(state, splitAddresses(state.text)), text: "" };
}

/** Adds chips that are being resolved; those that stand already are not doubled. */
export function addAddresses(state: Recipients, addresses: readonly string[]): Recipients {
  const chips = [...state.chips];
  for (const address of addresses) {
    if (!chips.some((chip) => chip.address === address)) chips.push({ address, status: { kind: "resolving" } });
  }
  return { ...state, chips };
}

/** Takes a chip away. */
export function removeAddress(state: Recipients, address: string): Recipients {
  return { ...state, chips: state.chips.filter((chip) => chip.address !== address) };
}

/** What became of looking up an address. Two spellings of one account become one chip. */
export function settleAddress(state: Recipients, address: string, status: Recipient["status"]): Recipients {
  const isDouble =
    status.kind === "found" &&
    state.chips.some(
      (chip) => chip.address !== address && chip.status.kind === "found" && chip.status.person.accountId === status.person.accountId,
    );
  if (isDouble) return removeAddress(state, address);
  return { ...state, chips: state.chips.map((chip) => (chip.address === address ? { address, status } : chip)) };
}

/** The addresses that are meant, counting what is still being typed: the same before and after it becomes a chip. */
export function meantAddresses(state: Recipients): readonly string[] {
  return commitText(state).chips.map(({ address }) => address);
}

/** How many people are meant, counting what is still being typed. */
export function countRecipients(state: Recipients): number {
  return meantAddresses(state).length;
}

function cleanAddress(address: string): string {
  return address.trim().replace(/^@/, "").toLowerCase();
}
