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

/** Whether it is as long as one that may be set. */
export function hasPassphraseLength(typed: string): boolean {
  const { length } = [...normalPassphrase(typed)];
  return length >= passphraseCharacters.least && length <= passphraseCharacters.most;
}

/**
 * Whether it may be set: long enough, not the same few characters, neither one thing again and again nor a plain run of letters or digits, and something
 * else than the account's name. What people think of is easier to guess than it looks; that no test tells.
 */
export function isStrongPassphrase(typed: string, username: string = ""): boolean {
  const characters = [...normalPassphrase(typed)];
  const bare = characters.join("").toLowerCase().replaceAll(" ", "");
  const others = username === "" ? bare : bare.replaceAll(username.toLowerCase(), "");
  const areDifferent = (text: Iterable<string>): boolean => new Set(text).size >= leastDifferent;
  return hasPassphraseLength(typed) && areDifferent(characters) && areDifferent(others) && !isRepeated([...bare]) && !isRun([...bare]);
}

/** Whether it is one thing at least twice, the last time perhaps in part. */
function isRepeated(characters: readonly string[]): boolean {
  for (let period = 1; 2 * period <= characters.length; period++)
    if (characters.every((character, at) => at < period || character === characters[at - period])) return true;
  return false;
}

/** Whether most characters are the next, or the one before, of those before them. */
function isRun(characters: readonly string[]): boolean {
  const codes = characters.map((character) => character.codePointAt(0) ?? 0);
  const steps = codes.filter((code, at) => Math.abs(code - (codes[at - 1] ?? code)) === 1).length;
  return 2 * steps > codes.length;
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
