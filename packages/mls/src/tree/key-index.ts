import { equalBytes } from "@latchkey/codec";

/**
 * An immutable set of fingerprints (hash outputs, hence evenly spread): a trie over their half bytes. Adding or removing
 * one copies a path of a few nodes, so that each epoch keeps its own set at little cost.
 */
export type FingerprintSet = Trie | undefined;

type Trie =
  | { readonly kind: "entry"; readonly fingerprint: Uint8Array }
  | { readonly kind: "branch"; readonly children: readonly (Trie | undefined)[] };

function nibble(fingerprint: Uint8Array, depth: number): number {
  const byte = fingerprint[depth >>> 1] ?? 0;
  return (depth & 1) === 0 ? byte >>> 4 : byte & 0x0f;
}

/** Whether the set holds it. */
export function hasFingerprint(set: FingerprintSet, fingerprint: Uint8Array): boolean {
  let at = set;
  for (let depth = 0; at !== undefined; depth++) {
    if (at.kind === "entry") return equalBytes(at.fingerprint, fingerprint);
    at = at.children[nibble(fingerprint, depth)];
  }
  return false;
}

/** The set with it, or "present" when it was there already. */
export function addFingerprint(set: FingerprintSet, fingerprint: Uint8Array, depth: number = 0): Trie | "present" {
  if (set === undefined) return { kind: "entry", fingerprint };
  if (set.kind === "entry") {
    if (equalBytes(set.fingerprint, fingerprint)) return "present";
    const children: (Trie | undefined)[] = Array.from({ length: 16 });
    children[nibble(set.fingerprint, depth)] = set;
    return addFingerprint({ kind: "branch", children }, fingerprint, depth);
  }
  const place = nibble(fingerprint, depth);
  const below = addFingerprint(set.children[place], fingerprint, depth + 1);
  return below === "present" ? below : { kind: "branch", children: set.children.with(place, below) };
}

/** The set without it; the same set when it was not there. */
export function removeFingerprint(set: FingerprintSet, fingerprint: Uint8Array, depth: number = 0): FingerprintSet {
  if (set === undefined) return undefined;
  if (set.kind === "entry") return equalBytes(set.fingerprint, fingerprint) ? undefined : set;
  const place = nibble(fingerprint, depth);
  const before = set.children[place];
  const after = removeFingerprint(before, fingerprint, depth + 1);
  if (after === before) return set;
  const children = set.children.with(place, after);
  const left = children.filter((child) => child !== undefined);
  const [only] = left;
  // A branch over a single entry is that entry: equal sets have equal shapes.
  if (left.length === 0) return undefined;
  return left.length === 1 && only?.kind === "entry" ? only : { kind: "branch", children };
}
