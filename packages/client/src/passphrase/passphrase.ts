/** Characters that a passphrase has (spec A-12). */
export const passphraseCharacters = { least: 20, most: 256 } as const;
/** How many different ones it has at least. */
const leastDifferent = 8;
/** Words of one that is made: 66 bits. */
const madeWords = 6;

/** A passphrase as it is used, however it was typed: Unicode's form NFKC, without spaces around it, one between words. */
export function normalPassphrase(typed: string): string {
  return typed.normalize("NFKC").trim().replaceAll(/\s+/gu, " ");
}

/** Whether it may be set: long enough, and not the same few characters. What people think of is easier to guess than it looks; that no test tells. */
export function isStrongPassphrase(typed: string): boolean {
  const characters = [...normalPassphrase(typed)];
  const { least, most } = passphraseCharacters;
  return characters.length >= least && characters.length <= most && new Set(characters).size >= leastDifferent;
}

/** A passphrase of six words by chance, of the list of recovery phrases. @param random gives random bytes */
export async function makePassphrase(random: (size: number) => Uint8Array): Promise<string> {
  // 2,048 words: eleven bits each.
  const { wordlist } = await import("@scure/bip39/wordlists/english.js");
  for (;;) {
    const bytes = random(2 * madeWords);
    const words = Array.from({ length: madeWords }, (_, at) => wordlist[(((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)) & 0x7ff]);
    const made = words.join(" ");
    // One in many thousands has too few letters.
    if (isStrongPassphrase(made)) return made;
  }
}
